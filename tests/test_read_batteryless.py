"""The batteryless sensor: one record a trial, labels out of the model's sight, every reading kept or counted."""

import tarfile
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cndts.datasets import DataWarning, read_batteryless

ROWS = [
    "0,0.272,1.0082,-0.0821,1,-63.5,2.4252,924.25,1",
    "0.5,0.25,1,-0.5,4,-63,4.75,921.75,3",
    "1,0,0,0,1,-60,0,920.25,3",
]


def write(folder, *rows, name="d1p01M", ending="\n"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes("".join(row + ending for row in rows).encode("latin-1"))
    return folder / name


def read(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return read_batteryless(path, return_report=True, **options)


def assert_balanced(panel, report):
    assert report.n_found == report.n_kept + report.n_merged + report.n_left_out
    assert panel.n_events == report.n_kept * len(panel.channels)


def test_a_trial_becomes_a_record(tmp_path):
    panel, report = read(write(tmp_path, *ROWS))

    assert panel.channels == ("frontal", "vertical", "lateral", "antenna", "rssi", "phase", "frequency")
    assert panel.units["rssi"] == "dBm" and panel.time_unit == "s"
    np.testing.assert_array_equal(panel.time, np.repeat([0, 0.5, 1], 7))
    expected = np.array([row.split(",")[1:-1] for row in ROWS], dtype=np.float32)
    np.testing.assert_array_equal(panel.value.reshape(3, 7), expected)
    assert panel.static.loc["d1p01M"].to_dict() == {"Gender": 1, "Room": 1}
    shares = panel.outcomes.loc["d1p01M"].to_dict()
    assert shares == {"sit_on_bed": 1 / 3, "sit_on_chair": 0, "lying": 2 / 3, "ambulating": 0, "activity": 3}
    assert (report.n_files, report.n_found, report.n_kept) == (1, 3, 3)


def test_labels_can_be_a_channel(tmp_path):
    panel, report = read(write(tmp_path, *ROWS), labels="channel")

    assert panel.channels[-1] == "activity"
    assert panel.value[panel.channel == 7].tolist() == [1, 3, 3]
    assert_balanced(panel, report)


def test_names_tell_gender_and_room(tmp_path):
    for name in ("d2p05F", "d1p02M", "README.txt", "d3p01M", "d1p1M", ".d1p09F"):
        write(tmp_path / "deep", *ROWS, name=name)
    panel, report = read(tmp_path)

    assert panel.records.tolist() == ["d1p02M", "d2p05F"]
    assert panel.static["Gender"].tolist() == [1, 0]
    assert panel.static["Room"].tolist() == [1, 2]
    assert set(report.other_files) == {"deep/README.txt", "deep/d3p01M", "deep/d1p1M", "deep/.d1p09F"}


def test_archives_agree_with_folders(tmp_path):
    write(tmp_path / "S1_Dataset", *ROWS)
    with tarfile.open(tmp_path / "S1.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "S1_Dataset", "S1_Dataset")

    assert read(tmp_path / "S1.tar.gz")[0].equals(read(tmp_path / "S1_Dataset")[0])


def test_an_empty_trial_stays(tmp_path):
    panel, report = read(write(tmp_path))

    assert len(panel) == 1 and panel.n_events == 0
    assert panel.outcomes.loc["d1p01M"].isna().all()
    assert report.empty_records == ("d1p01M",)


def test_a_trial_met_twice_counts_once(tmp_path):
    one, two = write(tmp_path / "a", *ROWS), write(tmp_path / "b", *ROWS[:2])
    with pytest.warns(DataWarning, match="2 of 5 readings are left out .* 2 with a trial met before"):
        panel, report = read_batteryless([one, two], return_report=True)

    assert panel.n_events == 21
    assert_balanced(panel, report)


def test_rows_out_of_order_are_sorted(tmp_path):
    panel, report = read(write(tmp_path, *ROWS[::-1]))

    assert panel.time[::7].tolist() == [0, 0.5, 1]
    assert report.noticed == {"a time before the row above": 2}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,2,3", "another number of fields"),
        (ROWS[0] + ",1", "another number of fields"),
        (ROWS[0].replace("0,", "x,", 1), "an unreadable time"),
        ("-" + ROWS[1], "an unreadable time"),
        ("1e30" + ROWS[0][1:], "a time after more than a day"),
        ("86400.025" + ROWS[0][1:], "a time after more than a day"),
        (ROWS[0].replace(",1,", ",0,"), "an antenna other than 1 to 4"),
        (ROWS[0].replace(",1,", ",5,"), "an antenna other than 1 to 4"),
        (ROWS[0].replace(",1,", ",1.5,"), "an antenna other than 1 to 4"),
        (ROWS[0].replace("1.0082", ""), "an unreadable number"),
        (ROWS[0].replace("1.0082", "1e40"), "an unreadable number"),
        (ROWS[0][:-1] + "5", "a label other than 1 to 4"),
        (ROWS[0][:-1] + "1.5", "a label other than 1 to 4"),
        (ROWS[0][:-1] + "\xb9", "a label other than 1 to 4"),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_unusable_rows_are_left_out_and_counted(tmp_path, row, reason, ending):
    panel, report = read(write(tmp_path, *ROWS, row, ending=ending))

    assert report.unforeseen == {reason: 1}
    assert report.n_found == 4
    assert_balanced(panel, report)


def test_a_trial_may_take_a_day(tmp_path):
    panel, report = read(write(tmp_path, *ROWS, "86400" + ROWS[1][3:]))
    assert panel.time[-1] == 86_400 and report.n_left_out == 0


def test_wrong_sources_and_options_are_named(tmp_path):
    write(tmp_path, "x", name="notes.txt")
    with pytest.raises(ValueError, match="wanted trials named like d1p01M, got 'notes.txt'"):
        read_batteryless(tmp_path)
    with pytest.raises(ValueError, match="labels must be one of 'outcomes', 'channel'; got 'both'"):
        read_batteryless(tmp_path, labels="both")
    with pytest.raises(FileNotFoundError):
        read_batteryless(tmp_path / "nowhere")


@settings(max_examples=50)
@given(st.data())
def test_damaged_bytes_give_a_balanced_panel(tmp_path_factory, data):
    content = bytearray("\n".join(ROWS).encode())
    for _ in range(data.draw(st.integers(0, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("trial") / "d1p01M"
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))

    assert_balanced(*read(path, labels=data.draw(st.sampled_from(["outcomes", "channel"]))))


def test_room_one_has_the_published_counts(published):
    panel, report = read(published("sensor_batteryless/S1_Dataset.tar.gz"))
    gaps = np.diff(panel.time[::7])[np.diff(panel.record[::7]) == 0]

    assert (len(panel), report.n_found, report.n_kept) == (60, 52_482, 52_482)
    assert panel.static["Gender"].sum() == 20
    assert (np.median(gaps), gaps.max()) == (pytest.approx(0.05, abs=1e-6), pytest.approx(185, abs=1))
    assert report.other_files == ("S1_Dataset/README.txt",)
    labelled, _ = read(published("sensor_batteryless/S1_Dataset.tar.gz"), labels="channel")
    assert set(labelled.value[labelled.channel == 7].tolist()) == {1, 2, 3, 4}
