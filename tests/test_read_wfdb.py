"""WFDB records: each signal at its own rate, invalid samples known, annotations as events, damage told."""

import warnings

import numpy as np
import pytest

from cndts.datasets import DataWarning, read_wfdb

wfdb = pytest.importorskip("wfdb", reason='reading WFDB records needs wfdb: pip install "cndts[wfdb]"')


def quietly(call, *arguments, **options):
    """A call of wfdb, which warns about the pandas that it uses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        call(*arguments, **options)


def write(folder, name="100", values=((1.0, 2.0, np.nan, -1.0), (0.5, 0.25, 0.75, 1.0)), fs=4, **options):
    folder.mkdir(parents=True, exist_ok=True)
    signals = np.array(values).T
    names = ["HR", "SpO2"][: signals.shape[1]]
    quietly(
        wfdb.wrsamp,
        name,
        fs=fs,
        units=["bpm", "%"][: signals.shape[1]],
        sig_name=names,
        p_signal=signals,
        fmt=["16"] * signals.shape[1],
        adc_gain=[100.0] * signals.shape[1],
        baseline=[0] * signals.shape[1],
        write_dir=str(folder),
        **options,
    )
    return folder


def read(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        panel, report = read_wfdb(path, return_report=True, **options)
    assert report.n_found == report.n_kept + report.n_left_out
    assert panel.n_events == report.n_kept
    return panel, report


def test_samples_become_events(tmp_path):
    panel, report = read(write(tmp_path))

    assert panel.records.tolist() == ["100"] and panel.channels == ("HR", "SpO2")
    assert panel.units == {"HR": "bpm", "SpO2": "%"} and panel.time_unit == "s"
    assert panel.time[panel.channel == 0].tolist() == [0, 0.25, 0.75]
    assert panel.value[panel.channel == 0].tolist() == [1, 2, -1]
    assert panel.value[panel.channel == 1].tolist() == [0.5, 0.25, 0.75, 1]
    assert report.documented == {"a sample marked invalid": 1}


def test_annotations_become_a_channel(tmp_path):
    write(tmp_path)
    quietly(wfdb.wrann, "100", "atr", np.array([1, 3]), symbol=["N", "V"], fs=4, write_dir=str(tmp_path))
    panel, _ = read(tmp_path / "100", annotations="atr")
    marks = panel.channel == panel.channels.index("atr")
    assert panel.time[marks].tolist() == [0.25, 0.75] and panel.value[marks].tolist() == [1, 5]
    assert read(tmp_path / "100", annotations="qrs")[0].channels == ("HR", "SpO2")


def test_several_records_and_rates(tmp_path):
    write(tmp_path / "p1")
    write(tmp_path, "200", values=((7.0, 8.0),), fs=1 / 60)
    panel, _ = read(tmp_path)
    assert panel.records.tolist() == ["200", "p1/100"]
    assert panel[0].time.tolist() == [0, 60]


@pytest.mark.parametrize("damage", ["header", "short", "huge", "absent", "words"])
def test_damaged_records_are_left_out_and_told(tmp_path, damage):
    write(tmp_path)
    write(tmp_path, "200")
    header, data = tmp_path / "200.hea", tmp_path / "200.dat"
    if damage == "header":
        header.write_bytes(b"\xff\xfe\x00")
    elif damage == "short":
        data.write_bytes(data.read_bytes()[:3])
    elif damage == "huge":
        header.write_text(
            header.read_text().replace(" 4\n", f" {10**12}\n", 1).replace("200 2 4 4", f"200 2 4 {10**12}")
        )
    elif damage == "absent":
        data.unlink()
    else:
        header.write_text("200 two 4 4\n")
    with pytest.warns(DataWarning, match="1 of 9 samples are left out .* 1 with a record that cannot be read"):
        panel, report = read_wfdb(tmp_path, return_report=True)
    assert panel.records.tolist() == ["100"]
    assert "200.hea" in report.other_files[0]
    with pytest.raises(ValueError, match=r"no WFDB record can be read: .*200\.hea"):
        read_wfdb(tmp_path / "200")


def test_wrong_sources_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no record"):
        read_wfdb(tmp_path / "300")
    with pytest.raises(ValueError, match="wanted WFDB headers"):
        read_wfdb(tmp_path)
