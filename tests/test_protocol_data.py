"""The command line finds the right reader for each protocol."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from cndts.cli import app
from cndts.cli._protocol_data import READERS, read_protocol_data
from cndts.datasets import make_physiome
from cndts.protocols import available_protocols, protocol


def test_every_protocol_has_a_reader_or_makes_its_data():
    """And says where data come from when asked to make what others publish."""
    for name in available_protocols():
        rules = protocol(name)
        if rules.data in READERS:
            with pytest.raises(ValueError, match=f"{name} is about published data"):
                rules.generate()
        else:
            assert rules.data in ("pendulum", "spirals")


def write_stay(folder: Path, record: int, minutes) -> None:
    rows = ["Time,Parameter,Value", f"00:00,RecordID,{record}", "00:00,Age,54", "00:00,Gender,0", "00:00,Height,-1"]
    rows += ["00:00,ICUType,4", "00:00,Weight,80"]
    rows += [f"{m // 60:02d}:{m % 60:02d},HR,{60 + (m * record) % 50}" for m in sorted(minutes)]
    (folder / f"{record}.txt").write_text("\n".join(rows), encoding="utf-8")


@pytest.fixture
def stays(tmp_path) -> tuple[Path, Path]:
    """Ten files of stays and their outcomes, one value repeated."""
    folder = tmp_path / "set-a"
    folder.mkdir()
    random = np.random.default_rng(0)
    for record in range(100, 110):
        minutes = random.integers(1, 48 * 60, 150).tolist()
        write_stay(folder, record, [*minutes, minutes[0]])
    outcomes = tmp_path / "Outcomes-a.txt"
    head = "RecordID,SAPS-I,SOFA,Length_of_stay,Survival,In-hospital_death"
    outcomes.write_text("\n".join([head, *(f"{r},1,1,5,-1,{r % 2}" for r in range(100, 110))]), encoding="utf-8")
    return folder, outcomes


def test_outcomes_are_told_by_their_name(stays, monkeypatch, tmp_path):
    """Beside the sets, in any order; hourly protocols get every repeated value."""
    monkeypatch.setenv("CNDTS_CACHE", str(tmp_path / "cache"))
    folder, outcomes = stays
    panel = read_protocol_data("latent-ode/physionet2012-mortality", [outcomes, folder])
    assert panel.outcomes["In-hospital_death"].tolist() == [0, 1] * 5
    kept = read_protocol_data("grafiti/physionet2012", [folder])
    assert kept.n_events > panel.n_events
    with pytest.raises(ValueError, match="needs a set beside the outcomes"):
        read_protocol_data("latent-ode/physionet2012-mortality", [outcomes])


def test_weather_in_three_forms(tmp_path):
    """The prepared table, daily files of stations, state files."""
    columns = ["ID", "Time", *(f"Value_{i}" for i in range(5)), *(f"Mask_{i}" for i in range(5))]
    table = tmp_path / "small_chunked_sporadic.csv"
    pd.DataFrame([[1, 2.5, *[0.5] * 5, *[1] * 5]], columns=columns).to_csv(table, index=False)
    assert read_protocol_data("t-patchgnn/ushcn", [table]).time_unit == "step"
    (tmp_path / "ghcn").mkdir()
    (tmp_path / "ghcn" / "USC00011084.dly").write_text("USC00011084199601TMAX  170  0" + "-9999   " * 30)
    assert read_protocol_data("grafiti/ushcn", [tmp_path / "ghcn"]).records.tolist() == ["USC00011084"]
    (tmp_path / "states").mkdir()
    (tmp_path / "states" / "state37_RI.txt").write_text("370896192712TMAX" + "   50  6" + "-9999   " * 30)
    assert read_protocol_data("pyomnits/ushcn", [tmp_path / "states"]).records.tolist() == ["370896"]
    (tmp_path / "nothing").mkdir()
    with pytest.raises(ValueError, match=r"files named \.dly"):
        read_protocol_data("pyomnits/ushcn", [tmp_path / "nothing"])


def test_positions_of_people(tmp_path):
    """The publisher's text."""
    row = "A01,010-000-024-033,633790226051280329,27.05.2009 14:03:25:127,4.06,1.89,0.51,walking\n"
    (tmp_path / "ConfLongDemo_JSI.txt").write_text(row)
    assert len(read_protocol_data("pyomnits/human-activity", [tmp_path / "ConfLongDemo_JSI.txt"]).channels) == 12


def test_trajectories_from_files(tmp_path, panels):
    """One file a record, Parquet or CSV, in the order of their names."""
    panel = panels.trajectories(6, 3)
    for i in range(6):
        wide = panel[i].to_wide().drop(columns="record").rename(columns={"time": "t"})
        wide.to_csv(tmp_path / f"ts-data-{i}.csv", index=False)
    read = read_protocol_data("physiome-ode", [tmp_path])
    assert read.records.tolist() == [f"ts-data-{i}" for i in range(6)]
    np.testing.assert_allclose(read.value, panel.value, rtol=1e-6)
    assert len(protocol("physiome-ode").split(read).train[0]) == 4
    (tmp_path / "other").mkdir()
    with pytest.raises(ValueError, match="one Parquet or CSV file for each record.* holds none"):
        read_protocol_data("physiome-ode", [tmp_path / "other"])
    wide.rename(columns={"t": "time"}).to_csv(tmp_path / "other" / "x.csv")
    with pytest.raises(ValueError, match="x has no column t"):
        read_protocol_data("physiome-ode", [tmp_path / "other"])


def test_known_trajectories_without_files(monkeypatch):
    """Simulated where the set is named, else asked for."""
    monkeypatch.setattr("cndts.protocols._physiome_ode.make_physiome", lambda name: make_physiome(name, 3))
    panel = read_protocol_data("physiome-ode", [], {"data_set": "LEN02"})
    assert panel.equals(make_physiome("LEN02", 3))
    for settings in (None, {"data_set": "WOD01"}):
        with pytest.raises(
            ValueError, match=r"needs the data set's files: --data PATH\.\.\. \(a folder .*; none with --set"
        ):
            read_protocol_data("physiome-ode", [], settings)


@pytest.mark.parametrize(
    ("name", "paths", "error", "text"),
    [
        ("t-patchgnn/ushcn", [], ValueError, r"needs the data set's files: --data PATH\.\.\. \(small_chunked_sporadic"),
        ("contiformer/spirals", [Path("x")], ValueError, "contiformer/spirals makes its own data; leave --data out"),
        ("grafiti/ushcn", [Path("no-such-file")], FileNotFoundError, "there is no file or folder no-such-file"),
        ("no/such", [], ValueError, "there is no protocol 'no/such'"),
    ],
)
def test_wrong_paths(name, paths, error, text):
    """Told before anything is read."""
    with pytest.raises(error, match=text):
        read_protocol_data(name, paths)


def test_benchmark_of_data_that_the_protocol_makes(tmp_path):
    """From the command line: the published measure, published results and what keeps them apart."""
    out = tmp_path / "spirals.json"
    done = CliRunner().invoke(
        app, ["benchmark", "contiformer/spirals", "--models", "last-value", "--resamples", "5", "--json", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert "RMSE" in done.output
    assert "ContiFormer" in done.output
    assert "drawn by another generator" in " ".join(done.output.split())
    content = json.loads(out.read_text(encoding="utf-8"))
    assert content["runs"][0]["rmse"] > 0
    assert content["published"][0]["rmse"] == pytest.approx(0.0137)
    assert "drawn by another generator" in content["caution"]
