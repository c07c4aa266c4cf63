"""Damaged WFDB records: left out and told, or read; what the damage spared is as it was written down by hand."""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import reader_damage as damage

from cndts.datasets import DataWarning, read_wfdb

wfdb = pytest.importorskip("wfdb", reason='reading WFDB records needs wfdb: pip install "cndts[wfdb]"')


FILES = ["100.hea", "100.dat", "100.atr"]
HEADER = b"100 2 4 6\n", b"100.dat 16 100.0(0)/bpm 16 0 100 0 0 HR\n100.dat 16 100.0(0)/% 16 0 50 0 0 SpO2\n"
STORED = np.array([[100, 50], [200, 25], [-32768, 75], [-100, 100], [300, 0], [400, 10]], "<i2")
HR = [(0, 1), (0.25, 2), (0.75, -1), (1, 3), (1.25, 4)]  # the third sample is the code for invalid
SPO2 = [(0.25 * place, percent) for place, percent in enumerate((0.5, 0.25, 0.75, 1, 0, 0.1))]
BEATS = [(0.25, 1), (0.75, 5), (1.25, 1)]
INTACT = {"HR": HR, "SpO2": SPO2, "atr": BEATS}


@pytest.fixture
def valid(tmp_path: Path) -> dict[str, bytes]:
    """The files of a record; a second one lies beside it and stays whole."""
    files = {"100.hea": b"".join(HEADER), "100.dat": STORED.tobytes()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of wfdb about the pandas that it uses
        samples = np.array([1, 3, 5])
        wfdb.wrann("100", "atr", samples, symbol=["N", "V", "N"], fs=4, write_dir=os.fspath(tmp_path))
    files["100.atr"] = (tmp_path / "100.atr").read_bytes()
    for name, content in files.items():
        (tmp_path / name.replace("100", "200")).write_bytes(
            content.replace(b"100.dat", b"200.dat").replace(b"100 2", b"200 2")
        )
    return files


def events(panel, record: str) -> dict[str, list[tuple[float, float]]]:
    """Times and values of each channel of a record."""
    chosen = panel[[int(panel.records.get_loc(record))]]
    found: dict[str, list[tuple[float, float]]] = {}
    for channel, when, value in zip(chosen.channel, chosen.time.tolist(), chosen.value.tolist(), strict=True):
        found.setdefault(panel.channels[channel], []).append((when, pytest.approx(value, abs=1e-6)))
    return found


def check(folder: Path, valid: dict[str, bytes], file: str, content: bytes) -> None:
    for name, kept in valid.items():
        (folder / name).write_bytes(content if name == file else kept)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        panel, report = read_wfdb(folder, annotations="atr", return_report=True)
    assert {each.category for each in told} <= {DataWarning}
    assert report.n_found == report.n_kept + report.n_left_out
    assert panel.n_events == report.n_kept
    assert np.isfinite(panel.time).all() and np.isfinite(panel.value).all() and (panel.time >= 0).all()
    assert bool(told) == bool(report.n_unforeseen)
    assert events(panel, "200") == INTACT
    if "100" not in panel.records:
        assert report.unforeseen == {"a record that cannot be read": 1} and file != "100.atr"
        assert any("100.hea" in reason for reason in report.other_files) and content != valid[file]
        return
    found = events(panel, "100")
    if file == "100.dat":
        n_spared = len(os.path.commonprefix([content, valid[file]])) // 4 * 0.25  # s; a frame has four bytes
        assert found["atr"] == BEATS
        for name in ("HR", "SpO2"):
            assert [each for each in found.get(name, []) if each[0] < n_spared] == [
                each for each in INTACT[name] if each[0] < n_spared
            ]
    elif file == "100.atr":
        assert {name: each for name, each in found.items() if name != "atr"} == {"HR": HR, "SpO2": SPO2}
    if content == valid[file]:
        assert found == INTACT


def check_damaged(folder: Path, valid: dict[str, bytes], file: str, kind: str, count: int) -> None:
    parts = HEADER if file == "100.hea" else (b"", valid[file])
    for content in (valid[file], *damage.damages(*parts, kind, file, count)):
        with damage.alarm(content):
            check(folder, valid, file, content)


each_file = pytest.mark.parametrize("file", FILES)


@damage.each_kind
@each_file
def test_damaged_records_are_told_or_read(tmp_path: Path, valid: dict[str, bytes], file: str, kind: str) -> None:
    check_damaged(tmp_path, valid, file, kind, 12)


@pytest.mark.slow
@damage.each_kind
@each_file
def test_much_damaged_records_are_told_or_read(tmp_path: Path, valid: dict[str, bytes], file: str, kind: str) -> None:
    check_damaged(tmp_path, valid, file, kind, 300)
