"""UCI localization data: a record a sequence, timestamps to the last digit, tags as channels, activities as labels."""

import warnings

import numpy as np
import pytest

from cndts.datasets import DataWarning, read_human_activity
from cndts.datasets._human_activity import ACTIVITIES, CHANNELS, TAGS

START = 633790226051280329
DATE = "27.05.2009 14:03:25:127"
LEFT, _, CHEST, BELT = TAGS


def row(sequence="A01", tag=LEFT, ticks=START, place="4.06,1.89,0.51", activity="walking"):
    return f"{sequence},{tag},{ticks},{DATE},{place},{activity}"


def write(folder, *rows, ending="\n", name="ConfLongDemo_JSI.txt"):
    (folder / name).write_bytes("".join(each + ending for each in rows).encode("latin-1"))
    return folder


def read(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return read_human_activity(path, return_report=True, **options)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_readings_become_three_events(tmp_path, ending):
    rows = [row(), row(tag=BELT, ticks=START + 1, place="-1.5,2,0", activity="lying"), row("B03", CHEST)]
    panel, report = read(write(tmp_path, *rows, ending=ending))

    assert panel.channels == CHANNELS and panel.units["belt_z"] == "m" and panel.time_unit == "s"
    assert panel.records.tolist() == ["A01", "B03"]
    names = [panel.channels[code] for code in panel.channel]
    assert names == [f"{place}_{axis}" for place in ("ankle_left", "belt", "chest") for axis in "xyz"]
    # one count of the timestamp is 100 ns, which float64 could not tell at its size
    assert panel.time.tolist() == [0] * 3 + [1e-7] * 3 + [0] * 3
    assert panel.value[3:6].tolist() == [-1.5, 2, 0]
    assert panel.static.to_dict("list") == {"Person": ["A", "B"], "Repetition": [1, 3]}
    assert panel.groups.tolist() == ["A", "B"]
    assert panel.outcomes.loc["A01", ["walking", "lying", "activity"]].tolist() == [0.5, 0.5, 1]
    assert (report.n_found, report.n_kept) == (3, 3)


def test_activities_can_be_a_channel(tmp_path):
    rows = [row(ticks=START + i, activity=name) for i, name in enumerate(ACTIVITIES)]
    panel, _ = read(write(tmp_path, *rows), labels="channel")
    assert panel.channels[-1] == "activity"
    assert panel.value[panel.channel == 12].tolist() == list(range(1, 12))


def test_order_and_ties_are_noticed(tmp_path):
    panel, report = read(write(tmp_path, row(ticks=START + 5), row(), row(place="0,0,0")))
    assert panel.time[::3].tolist() == [0, 0, 5e-7]
    assert panel.value[3:6].tolist() == [0, 0, 0]
    assert report.noticed == {"a time before the row above": 1, "the time of the row above": 1}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("A01,1,2", "another number of fields"),
        (row("F01"), "an unreadable sequence name"),
        (row("A06"), "an unreadable sequence name"),
        (row(tag="010-000-024-034"), "an unknown tag"),
        (row(ticks="63379022605128032x"), "an unreadable time"),
        (row(ticks="-5"), "an unreadable time"),
        (row(place="1,x,3"), "an unreadable number"),
        (row(place="1,,3"), "an unreadable number"),
        (row(activity="flying"), "an unknown activity"),
        (row(activity="w\xe4lking"), "an unknown activity"),
    ],
)
def test_unusable_rows_are_left_out_and_counted(tmp_path, bad, reason):
    write(tmp_path, row(), bad)
    with pytest.warns(DataWarning, match=f"1 of 2 readings are left out .* 1 with {reason}"):
        panel, report = read_human_activity(tmp_path, return_report=True)
    assert report.unforeseen == {reason: 1}
    assert panel.n_events == 3


def test_other_files_are_listed_and_wrong_ones_named(tmp_path):
    write(tmp_path, "some notes", name="README.txt")
    with pytest.raises(ValueError, match=r"wanted rows such as A01,.* got 'README.txt'"):
        read_human_activity(tmp_path)
    write(tmp_path, row())
    assert read(tmp_path)[1].other_files == ("README.txt",)
    with pytest.raises(ValueError, match="labels must be one of"):
        read_human_activity(tmp_path, labels="none")


def test_splits_by_person_are_possible(tmp_path):
    panel, _ = read(write(tmp_path, *[row(f"{person}0{i}") for person in "ABCDE" for i in range(1, 6)]))
    assert np.unique(panel.groups).tolist() == list("ABCDE") and len(panel) == 25
