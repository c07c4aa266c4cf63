"""The command line: what it writes, and what it says when something is wrong."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from cndts.cli import app
from cndts.datasets import make_icu

FIT = ["--set", "width=8", "--epochs", "1"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})


def complaint(*arguments: object) -> str:
    """The one line on stderr of a command that must fail with exit code 1."""
    result = run(*arguments)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("cndts: error: ")
    return line


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    return make_icu(20, density=0.5, random_state=0).to_long()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, events: pd.DataFrame) -> Path:
    """A folder with events.csv and a model fitted to it through the command line."""
    folder = tmp_path_factory.mktemp("cli")
    events.to_csv(folder / "events.csv", index=False)
    result = run("fit", folder / "events.csv", "--out", folder / "icu.cndts", *FIT)
    assert result.exit_code == 0, result.output
    return folder


def write(folder: Path, name: str, frame: pd.DataFrame) -> Path:
    frame.to_csv(folder / name, index=False)
    return folder / name


# ---- what it does --------------------------------------------------------------------------------


def test_fit_says_what_it_saved(folder: Path, events: pd.DataFrame, tmp_path: Path) -> None:
    """The JSON summary counts records, channels and targets."""
    result = run("fit", folder / "events.csv", "--out", tmp_path / "m.cndts", *FIT, "--validation", 0.25, "--json")
    summary = json.loads(result.stdout)
    assert (tmp_path / "m.cndts").stat().st_size > 0
    assert (summary["records"], summary["validation_records"]) == (15, 5)
    assert set(summary["channels"]) == set(events["channel"])


def test_blank_values_are_filled(folder: Path, events: pd.DataFrame) -> None:
    """Each blank row comes back once, in the table's own columns, with an interval around the forecast."""
    names = {"record": "id", "time": "hours", "channel": "variable", "value": "reading"}
    blanks = pd.DataFrame({"record": [3, 7], "time": [50.0, 49.5], "channel": ["HR", "MAP"], "value": [np.nan, np.nan]})
    # pandas 2.2 warns when a column without any value is concatenated
    rows = pd.DataFrame([*events.to_dict("records"), *blanks.to_dict("records")])
    table = write(folder, "blank.csv", rows.rename(columns=names))
    columns = [argument for name, column in names.items() for argument in (f"--{name}", column)]
    result = run("predict", folder / "icu.cndts", table, "--out", folder / "filled.csv", *columns)
    assert result.exit_code == 0, result.output
    filled = pd.read_csv(folder / "filled.csv")
    assert list(filled.columns) == ["id", "hours", "variable", "reading", "lower", "upper"]
    assert filled[["id", "hours", "variable"]].to_numpy().tolist() == [[3, 50.0, "HR"], [7, 49.5, "MAP"]]
    assert (filled["lower"] <= filled["upper"]).all()
    assert filled["reading"].notna().all()


def test_order_of_the_rows_does_not_matter(folder: Path, events: pd.DataFrame) -> None:
    """A table that is not sorted gives the forecasts of the sorted one."""
    shuffled = write(folder, "shuffled.csv", events.sample(frac=1, random_state=0))
    asked = ["--times", "50", "--json"]
    found = [run("predict", folder / "icu.cndts", path, *asked) for path in (folder / "events.csv", shuffled)]
    first, second = (pd.DataFrame(json.loads(result.stdout)) for result in found)
    key = ["record", "time", "channel"]
    merged = first.merge(second, on=key, suffixes=("", "_shuffled"))
    assert len(merged) == len(first) == 20 * 8
    np.testing.assert_allclose(merged["value"], merged["value_shuffled"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("ending", ["csv", "parquet", "json"])
def test_forecasts_are_written_in_every_format(folder: Path, ending: str) -> None:
    """The same table, whatever the file's ending."""
    out = folder / f"forecast.{ending}"
    result = run(
        "predict", folder / "icu.cndts", folder / "events.csv", "--times", "50,52", "--channels", "HR", "-o", out
    )
    assert result.exit_code == 0, result.output
    frame = {"csv": pd.read_csv, "parquet": pd.read_parquet, "json": pd.read_json}[ending](out)
    assert frame["time"].unique().tolist() == [50.0, 52.0]
    assert len(frame) == 40
    assert not list(folder.glob(".*part"))


def test_parquet_events_are_read(folder: Path, events: pd.DataFrame) -> None:
    """Events may come as Parquet, and the forecast is that of the CSV."""
    events.to_parquet(folder / "events.parquet")
    asked = ["--times", "50", "--channels", "HR"]
    csv, parquet = (
        run("predict", folder / "icu.cndts", folder / f"events.{kind}", *asked) for kind in ("csv", "parquet")
    )
    assert csv.stdout == parquet.stdout


def test_calendar_times_come_back_as_calendar_times(folder: Path, events: pd.DataFrame) -> None:
    """Times with a zone are understood, and forecasts carry them."""
    start = pd.Timestamp("2026-03-28T12:00:00+01:00")
    dated = events.assign(time=start + pd.to_timedelta((events["time"] * 60).round(), unit="min"))
    table = write(folder, "dated.csv", dated)
    fitted = run("fit", table, "--out", folder / "dated.cndts", *FIT)
    assert fitted.exit_code == 0, fitted.output
    asked = ["--times", "2026-03-31T12:00:00Z", "--channels", "HR"]
    result = run("predict", folder / "dated.cndts", table, *asked, "--json")
    assert {row["time"] for row in json.loads(result.stdout)} == {"2026-03-31T12:00:00.000Z"}


def test_evaluate_scores_every_channel(folder: Path, events: pd.DataFrame) -> None:
    """Counts are those of the events after the cut, coverages are shares."""
    result = run("evaluate", folder / "icu.cndts", folder / "events.csv", "--json")
    found = json.loads(result.stdout)
    later = events[events["time"] >= 24].groupby("channel").size()
    assert {row["channel"]: row["count"] for row in found["channels"]} == later.to_dict()
    assert all(0 <= row["coverage_90"] <= 1 for row in found["channels"])
    assert found["targets"] == later.sum()


def test_evaluate_prints_a_table(folder: Path) -> None:
    """People get a table with one line a channel."""
    result = run("evaluate", folder / "icu.cndts", folder / "events.csv")
    assert result.exit_code == 0
    assert "mean skill over 8 channels" in result.stdout


def test_info_names_versions_models_and_protocols() -> None:
    """What a bug report needs."""
    about = json.loads(run("info", "--json").stdout)
    assert {"cndts", "torch", "pandas"} <= set(about["versions"])
    assert "hybrid-memory" in about["models"]
    assert "t-patchgnn/physionet2012" in about["protocols"]
    assert "hybrid-memory" in run("info").stdout


def test_info_explains_a_protocol() -> None:
    """Rules, parameters, and what others have reported under them."""
    text = run("info", "mtan/physionet2012", "--set", "observed=0.7").stdout
    assert "parameters: observed=0.7, random_state=0" in text
    assert "Traps" in text
    about = json.loads(run("info", "latent-ode/physionet2012-mortality", "--json").stdout)
    assert about["description"].startswith("latent-ode/physionet2012-mortality: 48 h of context")
    assert about["caution"] in about["description"]
    found = {row["model"]: row["auroc"] for row in about["published"]}
    assert found["mTAND-Full"] == 0.858
    assert about["published"][0]["mse"] is None


def test_info_says_where_nothing_is_published() -> None:
    """For a share of rows that no paper takes; a parameter may also name a data set of its own results."""
    text = run("info", "latent-ode/physionet2012-interpolation", "--set", "observed=0.5").stdout
    assert "nothing is published under this protocol with these parameters" in text
    assert "leaderboard of the Physiome-ODE" in run("info", "physiome-ode", "--set", "data_set=LEN02").stdout


def test_info_refuses_what_it_does_not_know() -> None:
    """Protocols and parameters, and a parameter of nothing."""
    assert "there is no protocol 'mtan'; the known ones are " in complaint("info", "mtan")
    assert "has no setting 'x'; it has observed" in complaint("info", "mtan/physionet2012", "--set", "x=1")
    assert "--set x needs a protocol: cndts info PROTOCOL" in complaint("info", "--set", "x=1")


def test_wrong_usage_has_its_own_exit_code() -> None:
    """A missing argument or an unknown option is 2, not 1."""
    assert run("fit").exit_code == 2
    assert run("info", "--no-such-option").exit_code == 2


def test_debug_shows_the_traceback(folder: Path) -> None:
    """With --debug the error itself comes through."""
    with pytest.raises(FileNotFoundError):
        CliRunner().invoke(app, ["--debug", "evaluate", "no.cndts", str(folder / "events.csv")], catch_exceptions=False)


# ---- what it says about bad input ------------------------------------------------------------------


def test_missing_file(folder: Path) -> None:
    """The file is named, and what is accepted."""
    line = complaint("fit", folder / "no.csv", "--out", folder / "m.cndts")
    assert f"there is no file {folder / 'no.csv'}" in line
    assert ".csv, .csv.gz, .parquet" in line


def test_missing_model(folder: Path) -> None:
    """The message says how a model comes about."""
    assert "`cndts fit DATA --out" in complaint("predict", folder / "no.cndts", folder / "events.csv")


def test_unknown_kind_of_table(folder: Path) -> None:
    """A spreadsheet is refused by its name."""
    (folder / "events.xlsx").write_bytes(b"PK")
    assert "events.xlsx is of an unknown kind" in complaint("fit", folder / "events.xlsx", "--out", folder / "m.cndts")


def test_file_that_is_no_table(folder: Path) -> None:
    """Bytes that are no CSV, and a file without a byte."""
    (folder / "binary.csv").write_bytes(b"\xff\xfe\x00\x81")
    (folder / "nothing.csv").write_bytes(b"")
    for name in ("binary.csv", "nothing.csv"):
        assert f"{name} cannot be read as CSV" in complaint("fit", folder / name, "--out", folder / "m.cndts")


def test_missing_column(folder: Path, events: pd.DataFrame) -> None:
    """The columns that exist are listed, and the options that name them."""
    table = write(folder, "renamed.csv", events.rename(columns={"time": "hours"}))
    line = complaint("fit", table, "--out", folder / "m.cndts")
    assert "has no column 'time'; its columns are record, hours, channel, value" in line
    assert "--time" in line


@pytest.mark.parametrize(("text", "shown"), [("", "nan"), ("inf", "inf"), ("soon", "'soon'")])
def test_times_that_are_no_times(folder: Path, events: pd.DataFrame, text: str, shown: str) -> None:
    """A blank, infinite or worded time is named with its line in the file."""
    times = events["time"].astype(str).tolist()
    times[4] = text
    table = write(folder, "times.csv", events.assign(time=times))
    line = complaint("fit", table, "--out", folder / "m.cndts")
    assert f"times.csv, line 6: time is {shown}; it must be a finite number or a calendar time" in line


@pytest.mark.parametrize(("text", "shown"), [("inf", "inf"), ("<5", "'<5'")])
def test_values_that_are_no_numbers(folder: Path, events: pd.DataFrame, text: str, shown: str) -> None:
    """Infinite values and words are named with their line; blanks are questions, not errors."""
    values = events["value"].astype(str).tolist()
    values[0] = text
    table = write(folder, "values.csv", events.assign(value=values))
    line = complaint("fit", table, "--out", folder / "m.cndts")
    assert f"values.csv, line 2: value is {shown}; it must be a finite number, or blank" in line


def test_empty_table(folder: Path, events: pd.DataFrame) -> None:
    """A header alone is no data."""
    table = write(folder, "empty.csv", events.iloc[:0])
    assert "empty.csv holds no events" in complaint("fit", table, "--out", folder / "m.cndts")


def test_duplicates_need_a_policy(folder: Path, events: pd.DataFrame) -> None:
    """Two values of a channel at one time are an error until the user says which counts."""
    table = write(folder, "twice.csv", pd.concat([events, events.iloc[[0]].assign(value=99.0)]))
    assert "duplicates" in complaint("predict", folder / "icu.cndts", table, "--times", "50")
    assert run("predict", folder / "icu.cndts", table, "--times", "50", "--duplicates", "last").exit_code == 0


def test_unknown_channel_at_predict(folder: Path, events: pd.DataFrame) -> None:
    """A channel that was not fitted is named beside the known ones."""
    table = write(folder, "unknown.csv", events.replace({"channel": {"HR": "Pulse"}}))
    for command in (["predict", "--times", "50"], ["evaluate"]):
        line = complaint(command[0], folder / "icu.cndts", table, *command[1:])
        assert "not fitted on: Pulse. It knows " in line
        assert "MAP" in line


def test_nothing_to_learn(folder: Path) -> None:
    """A cut after the last event leaves no targets."""
    line = complaint("fit", folder / "events.csv", "--out", folder / "m.cndts", "--observe", 1000)
    assert "no event of" in line
    assert "--observe" in line


def test_nothing_asked(folder: Path) -> None:
    """A table without blanks needs --times."""
    line = complaint("predict", folder / "icu.cndts", folder / "events.csv")
    assert "leave the values blank that you want forecast, or give --times" in line


def test_options_out_of_range(folder: Path) -> None:
    """Each says what it takes."""
    fit = ("fit", folder / "events.csv", "--out", folder / "m.cndts")
    predict = ("predict", folder / "icu.cndts", folder / "events.csv")
    assert "--validation is a share in [0, 1)" in complaint(*fit, "--validation", 1)
    assert "--set must be NAME=VALUE" in complaint(*fit, "--set", "width")
    assert "there is no model 'rigde' (did you mean 'ridge'?); the known ones are " in complaint(
        *fit, "--model", "rigde"
    )
    assert "--calibration is a share in [0, 1)" in complaint(*fit, "--calibration", 1)
    assert "--interval is a coverage in (0, 1)" in complaint(*predict, "--interval", 1.5)
    assert "--times must be numbers separated by commas" in complaint(*predict, "--times", "noon")
    assert "must end in .csv, .parquet, .json" in complaint(*predict, "--out", folder / "forecast.txt")
    assert "there is no folder" in complaint(*predict, "--out", folder / "no" / "forecast.csv")


def test_wrong_model_file(folder: Path) -> None:
    """A file that `fit` did not write is refused in one line."""
    complaint("predict", folder / "events.csv", folder / "events.csv", "--times", "50")


def test_benchmark_refuses_before_reading(folder: Path) -> None:
    """Protocol, models, seeds, settings and paths are checked first."""
    known = ("benchmark", "t-patchgnn/physionet2012")
    data = ("--data", folder / "no.tar.gz")
    assert "there is no protocol 'x'" in complaint("benchmark", "x", *data)
    assert "needs the data set's files: --data" in complaint(*known)
    assert "there is no file or folder" in complaint(*known, *data)
    assert "--seeds must be whole numbers" in complaint(*known, *data, "--seeds", "zero")
    assert "--set must be MODEL:NAME=VALUE" in complaint(*known, *data, "--set", "width=8")


def test_benchmark_on_a_wrong_archive(folder: Path) -> None:
    """An archive that is none is an error in one line that names the file."""
    (folder / "set-a.tar.gz").write_bytes(b"not an archive")
    line = complaint("benchmark", "t-patchgnn/physionet2012", "--data", folder / "set-a.tar.gz")
    assert "set-a.tar.gz" in line
