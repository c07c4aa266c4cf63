"""WFDB records: each signal at its own rate, invalid samples known, annotations as events, damage told."""

import warnings

import numpy as np
import pytest

from cndts.datasets import DataWarning, read_wfdb
from cndts.datasets._wfdb_annotations import read_annotations

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


@pytest.mark.parametrize("fs", [None, 4, 360.5])
def test_annotations_agree_with_the_package(tmp_path, fs):
    """Short and long steps, notes, descriptions of every kind; wfdb is the reference for files that are whole."""
    rng = np.random.default_rng(0)
    samples = np.cumsum(rng.integers(1, [2, 2000, 10**9], (200, 3)).ravel())
    n = len(samples)
    quietly(
        wfdb.wrann,
        "100",
        "atr",
        samples,
        symbol=rng.choice(["N", "V", "+", "~", '"'], n).tolist(),
        subtype=rng.integers(0, 5, n),
        chan=rng.integers(0, 3, n),
        num=rng.integers(0, 3, n),
        aux_note=rng.choice(["", "(N", "(AFIB", "## time resolution: 9"], n).tolist(),
        fs=fs,
        write_dir=str(tmp_path),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = wfdb.rdann(str(tmp_path / "100"), "atr", return_label_elements=["label_store"])
    got, codes, rate = read_annotations((tmp_path / "100.atr").read_bytes())
    np.testing.assert_array_equal(got, expected.sample)
    np.testing.assert_array_equal(codes, expected.label_store)
    assert rate == expected.fs == fs


@pytest.mark.parametrize("damage", [lambda content: content[:-2], lambda content: content + b"\0\0\1\0"])
def test_damaged_annotations_are_told_and_the_signals_stay(tmp_path, damage):
    write(tmp_path)
    quietly(wfdb.wrann, "100", "atr", np.array([1, 3]), symbol=["N", "V"], fs=4, write_dir=str(tmp_path))
    content = (tmp_path / "100.atr").read_bytes()
    (tmp_path / "100.atr").write_bytes(damage(content))
    panel, report = read(tmp_path, annotations="atr")
    assert panel.channels == ("HR", "SpO2") and panel.n_events == 7
    assert report.unforeseen == {"an annotation file that cannot be read": 1} and "100.atr" in report.other_files[0]


def test_annotations_outside_the_record_are_left_out(tmp_path):
    """The first step is one back, the last goes beyond the four samples of the record."""
    write(tmp_path)
    words = [59 << 10, 0xFFFF, 0xFFFF, 1 << 10, 1 << 10 | 1, 5 << 10 | 4, 1 << 10 | 1, 0]
    (tmp_path / "100.atr").write_bytes(np.array(words, "<u2").tobytes())
    panel, report = read(tmp_path, annotations="atr")
    assert of_channel(panel, "atr") == ([0, 1], [1, 5])
    assert report.unforeseen == {"an annotation outside its record": 2}


def test_several_records_and_rates(tmp_path):
    write(tmp_path / "p1")
    write(tmp_path, "200", values=((7.0, 8.0),), fs=1 / 60)
    panel, _ = read(tmp_path)
    assert panel.records.tolist() == ["200", "p1/100"]
    assert panel[0].time.tolist() == [0, 60]


def write_frames(folder, name, *signals, fs=4, start=""):
    """A record from (name, unit, samples of each frame) of each signal, in hundredths."""
    lines = [f"{name} {len(signals)} {fs} {len(signals[0][2])}{start}"]
    for label, unit, frames in signals:
        several = f"x{len(frames[0])}" if len(frames[0]) > 1 else ""
        lines.append(f"{name}.dat 16{several} 100(0)/{unit} 16 0 0 0 0 {label}")
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n")
    frames = [
        round(100 * value) for frame in zip(*(signal[2] for signal in signals), strict=True) for value in sum(frame, ())
    ]
    (folder / f"{name}.dat").write_bytes(np.array(frames, "<i2").tobytes())


def of_channel(panel, name):
    chosen = panel.channel == panel.channels.index(name)
    return panel.time[chosen].tolist(), panel.value[chosen].tolist()


def test_signals_of_one_record_keep_their_own_rates(tmp_path):
    write_frames(tmp_path, "200", ("HR", "bpm", [(1,), (2,)]), ("ECG", "mV", [(3, 4, 5), (6, 7, 8)]), fs=2)
    panel, report = read(tmp_path)
    assert of_channel(panel, "HR") == ([0, 0.5], [1, 2])
    times, values = of_channel(panel, "ECG")
    np.testing.assert_allclose(times, np.arange(6) / 6)
    assert values == [3, 4, 5, 6, 7, 8] and report.n_found == 8


def test_signals_of_the_same_name_get_a_number(tmp_path):
    write_frames(tmp_path, "200", *(("ECG", "mV", [(each,)]) for each in (1, 2, 3)))
    panel, _ = read(tmp_path)
    assert panel.channels == ("ECG", "ECG (2)", "ECG (3)") and panel.value.tolist() == [1, 2, 3]


def test_the_first_unit_holds_and_others_are_counted(tmp_path):
    write_frames(tmp_path, "a", ("HR", "bpm", [(60,)]))
    write_frames(tmp_path, "b", ("HR", "1/min", [(61,)]))
    write_frames(tmp_path, "c", ("HR", "bpm", [(62,)]))
    panel, report = read(tmp_path)
    assert panel.units == {"HR": "bpm"} and panel.value.tolist() == [60, 61, 62]
    assert report.noticed == {"a unit that differs from the first record's": 1}


@pytest.mark.parametrize(
    ("header", "start"),
    [(" 10:20:30 01/02/2023", "2023-02-01T10:20:30"), (" 10:20:30", "10:20:30"), ("", "")],
)
def test_the_start_is_told_where_the_header_tells_it(tmp_path, header, start):
    write_frames(tmp_path, "a", ("HR", "bpm", [(60,)]), start=header)
    write_frames(tmp_path, "b", ("HR", "bpm", [(60,)]), start=" 11:00:00")
    assert read(tmp_path)[0].static["Start"].tolist() == [start, "11:00:00"]
    alone = read(tmp_path / "a")[0].static
    assert "Start" in alone if start else "Start" not in alone


def write_segments(folder, *lines, frames=8):
    """A record of four seconds: two segments with other signals, and a second of nothing between them."""
    write_frames(folder, "s1", ("HR", "bpm", [(60,), (61,)]), ("ECG", "mV", [(1, 2), (3, 4)]), fs=2)
    write_frames(folder, "s2", ("ECG", "mV", [(5, 6), (7, 8), (9, 9.5), (9, 9)]), fs=2)
    (folder / "all.hea").write_text("\n".join((f"all/{len(lines)} 2 2 {frames} 08:00:00", *lines)) + "\n")


def test_segments_become_one_record(tmp_path):
    write_segments(tmp_path, "s1 2", "~ 2", "s2 4")
    panel, report = read(tmp_path)
    assert panel.records.tolist() == ["all"]
    assert of_channel(panel, "HR") == ([0, 0.5], [60, 61])
    assert of_channel(panel, "ECG") == (
        [0, 0.25, 0.5, 0.75, *np.arange(2, 4, 0.25)],
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 9.5, 9, 9],
    )
    assert report.n_found == 14 and report.documented == {}
    assert panel.static["Start"].tolist() == ["08:00:00"]


def test_a_segment_can_be_read_as_a_record_of_its_own(tmp_path):
    write_segments(tmp_path, "s1 2", "~ 2", "s2 4")
    panel, _ = read(tmp_path / "s2")
    assert panel.records.tolist() == ["s2"] and of_channel(panel, "ECG")[0][0] == 0


def test_layouts_and_long_gaps_hold_no_samples(tmp_path):
    write_segments(tmp_path, "layout 0", "s1 2", "~ 1000000000000", "s2 4", frames=10**12 + 6)
    (tmp_path / "layout.hea").write_text("layout 2 2 0\n~ 0 100/bpm 0 0 0 0 0 HR\n~ 0x2 100/mV 0 0 0 0 0 ECG\n")
    panel, report = read(tmp_path)
    assert report.n_found == 14 and panel.records.tolist() == ["all"]
    assert of_channel(panel, "ECG")[0][4] == (10**12 + 2) / 2


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["s1 2", "~ 1", "s2 4"], "the segments have 7 frames, the header promises 8"),
        (["s1 3", "~ 1", "s2 4"], "the segment s1 has 2 frames at 2 Hz, the header promises 3 at 2 Hz"),
        (["s1 2", "~ 2", "s9 4"], "s9"),
    ],
)
def test_segments_that_do_not_fit_are_told(tmp_path, lines, reason):
    write_segments(tmp_path, *lines)
    write(tmp_path, "100")
    panel, report = read(tmp_path)
    assert "100" in panel.records and "all" not in panel.records
    assert report.unforeseen == {"a record that cannot be read": 1} and reason in report.other_files[0]


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
