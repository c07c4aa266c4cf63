"""PhysioNet 2019: every measured cell an event, labels by hour and by record, everything else counted."""

import io
import tarfile
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest

from cndts.datasets import DataWarning, read_physionet2019, read_physionet_style
from cndts.datasets._physionet2019_format import CHANNELS, STATICS, UNITS

HEADER = "|".join((*CHANNELS, *STATICS, "ICULOS", "SepsisLabel"))


def row(hour, label="0", age="70", **values):
    cells = [values.get(name, "NaN") for name in CHANNELS]
    return "|".join([*cells, age, "1", "NaN", "NaN", "-3.5", str(hour), label])


def write(folder, *rows, name="p000001.psv", header=HEADER, ending="\n"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes("".join(each + ending for each in (header, *rows)).encode("latin-1"))
    return folder / name


def read(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return read_physionet2019(path, return_report=True, **options)


def assert_balanced(panel, report):
    assert report.n_found == report.n_kept + report.n_merged + report.n_left_out
    assert panel.n_events == report.n_kept


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_measured_cells_become_events(tmp_path, ending):
    panel, report = read(write(tmp_path, row(3, HR="80", Temp="36.6"), row(5, BaseExcess="-2.5"), ending=ending))

    assert panel.channels == CHANNELS and panel.time_unit == "h" and panel.units["pH"] == "pH"
    assert panel.to_long()[["time", "channel", "value"]].values.tolist() == [
        [3.0, "HR", 80.0],
        [3.0, "Temp", pytest.approx(36.6)],
        [5.0, "BaseExcess", -2.5],
    ]
    static = panel.static.loc["p000001"]
    assert static[["Age", "Gender", "HospAdmTime"]].tolist() == [70, 1, -3.5]
    assert np.isnan(static["Unit1"])
    assert (report.n_found, report.n_kept) == (3, 3)


def test_the_documented_channels_and_units_are_those_of_the_panel():
    text = " ".join(read_physionet2019.__doc__.split())
    listed = text.partition("*Channels.* ")[2].partition(". *Known")[0]
    groups = [group.strip(", ").split(" (") for group in listed.split(")") if group]
    assert {name: unit for names, unit in groups for name in names.split(", ")} == UNITS


def test_labels_of_record_and_hour(tmp_path):
    write(tmp_path, row(1, HR="80"), row(2, "1"), row(3, "1"), name="p000002.psv")
    write(tmp_path, row(1, HR="80"))
    panel, _ = read(tmp_path)
    assert panel.records.tolist() == ["p000001", "p000002"]
    assert panel.outcomes["Sepsis"].tolist() == [0, 1]
    assert panel.outcomes["SepsisTime"].tolist()[1] == 2 and np.isnan(panel.outcomes["SepsisTime"].iloc[0])

    hourly, report = read(tmp_path, labels="channel")
    label = hourly.channel == hourly.channels.index("SepsisLabel")
    assert hourly.value[label].tolist() == [0, 0, 1, 1]
    assert_balanced(hourly, report)


def test_a_file_without_labels_has_no_outcome(tmp_path):
    panel, _ = read(write(tmp_path, "80|1", header="HR|ICULOS"))
    assert panel.outcomes["Sepsis"].isna().all() and panel.n_events == 1


@pytest.mark.parametrize(
    ("bad", "reason", "count"),
    [
        ("1|2|3", "another number of fields", 1),
        (row("x", HR="80"), "an unreadable time", 1),
        (row("-1", HR="80"), "an unreadable time", 1),
        (row("NaN"), "an unreadable time", 1),
        (row(2, HR="eighty", Temp="1e40"), "an unreadable number", 2),
    ],
)
def test_unusable_rows_and_cells_are_counted(tmp_path, bad, reason, count):
    path = write(tmp_path, row(1, HR="80"), bad)
    with pytest.warns(DataWarning, match=f"{count} of {count + 1} values are left out .* {count} with {reason}"):
        panel, report = read_physionet2019(path, return_report=True)
    assert report.unforeseen == {reason: count}
    assert_balanced(panel, report)


@pytest.mark.parametrize("label", ["0.5", "-7", "2", "1e9", "sepsis"])
@pytest.mark.parametrize("labels", ["outcomes", "channel"])
def test_labels_other_than_0_and_1_are_left_out(tmp_path, label, labels):
    path = write(tmp_path, row(1, label, HR="80"), row(2, "1", HR="81"), row(3, "NaN", HR="82"), row(4, label))
    panel, report = read(path, labels=labels)

    assert panel.value[panel.channel == 0].tolist() == [80, 81, 82]
    assert panel.outcomes.loc["p000001"].tolist() == [1, 2]
    assert report.unforeseen == {"a label other than 0 or 1": 2}
    assert report.n_found == (6 if labels == "channel" else 5)
    assert_balanced(panel, report)


def test_a_record_with_strange_labels_only_has_no_outcome(tmp_path):
    panel, _ = read(write(tmp_path, row(1, "0.5", HR="80"), row(2, "-7")))
    assert panel.outcomes.isna().all(axis=None)


@pytest.mark.parametrize(("hour", "is_kept"), [("8784", True), ("8785", False), ("999999999", False), ("1e30", False)])
def test_stays_end_within_a_year(tmp_path, hour, is_kept):
    panel, report = read(write(tmp_path, row(1, HR="80"), row(hour, HR="81", Temp="36")))

    assert panel.n_events == (3 if is_kept else 1)
    assert report.unforeseen == ({} if is_kept else {"a time after more than a year": 1})
    assert_balanced(panel, report)


def test_unknown_and_repeated_columns_are_counted(tmp_path):
    panel, report = read(write(tmp_path, "80|3|90|1|7", header="HR|Mystery|HR|ICULOS|"))
    assert panel.value.tolist() == [80]
    assert report.unforeseen == {"a column that the format does not list": 3}
    assert_balanced(panel, report)


def test_files_without_header_and_second_files_are_counted(tmp_path):
    write(tmp_path / "a", row(1, HR="80"), row(2, HR="81"))
    write(tmp_path / "b", row(1, HR="99"))
    write(tmp_path / "b", row(1, HR="99"), row(2), name="p000009.psv", header="no header")
    panel, report = read(tmp_path)

    assert panel.value.tolist() == [80, 81]
    assert report.unforeseen == {"a record met before": 1, "no header that names ICULOS": 3}
    assert_balanced(panel, report)


def test_order_empty_records_and_changing_descriptors(tmp_path):
    write(tmp_path, row(2, HR="82"), row(1, HR="81", age="71"), row(1, HR="80"))
    write(tmp_path, name="p000003.psv")
    panel, report = read(tmp_path)

    assert panel.time.tolist() == [1, 1, 2] and panel.value.tolist() == [81, 80, 82]
    assert panel.static.loc["p000001", "Age"] == 70
    assert report.empty_records == ("p000003",)
    assert report.noticed == {
        "a time before the row above": 1,
        "the time of the row above": 1,
        "a descriptor that changes within its record": 1,
    }


def test_archives_agree_with_folders(tmp_path):
    write(tmp_path / "training", row(1, HR="80"))
    with tarfile.open(tmp_path / "set.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "training", "training")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.write(tmp_path / "training" / "p000001.psv", "training/p000001.psv")
    folder = read(tmp_path / "training")[0]
    assert folder.equals(read(tmp_path / "set.tar.gz")[0])
    assert folder.equals(read(tmp_path / "set.zip")[0])


def test_wrong_sources_are_named(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match=r"wanted files named .psv .* got 'notes.txt'"):
        read_physionet2019(tmp_path)
    with pytest.raises(ValueError, match="labels must be one of 'outcomes', 'channel'; got 'hours'"):
        read_physionet2019(tmp_path, labels="hours")


def test_the_published_records(published):
    path = published("physionet2019/training_setB_p100001-p102000.tar.gz")
    panel, report = read(path)

    assert (len(panel), report.n_found, report.n_kept) == (2000, 495_641, 495_641)
    assert panel.outcomes["Sepsis"].sum() == 118
    assert not report.unforeseen
    with tarfile.open(path) as archive:
        member = next(each for each in archive if each.name.endswith("p100500.psv"))
        frame = pd.read_csv(io.BytesIO(archive.extractfile(member).read()), sep="|")
    place = panel.records.get_loc("p100500")
    expected = frame[list(CHANNELS)].to_numpy(dtype=np.float32)
    rows, columns = np.nonzero(~np.isnan(expected))
    np.testing.assert_array_equal(panel[place : place + 1].time, frame["ICULOS"].to_numpy()[rows])
    np.testing.assert_array_equal(panel[place : place + 1].channel, columns)
    np.testing.assert_array_equal(panel[place : place + 1].value, expected[rows, columns])


@pytest.mark.parametrize(
    ("name", "unit", "low", "high"),
    [
        ("FiO2", "fraction", 0.21, 1.0),
        ("Lactate", "mmol/L", 0.5, 4.0),
        ("Magnesium", "mg/dL", 1.6, 2.6),
    ],
)
def test_units_are_those_of_the_numbers(published, name, unit, low, high):
    """The bounds hold for a median of patients in that unit, and not in the one that the publisher states."""
    panel, _ = read(published("physionet2019/training_setB_p100001-p102000.tar.gz"))
    assert panel.units[name] == unit
    assert low < np.median(panel.value[panel.channel == CHANNELS.index(name)]) < high


@pytest.mark.slow
def test_the_general_reader_agrees(published):
    path = published("physionet2019/training_setB_p100001-p102000.tar.gz")
    panel = read(path)[0]
    general = read_physionet_style(
        path, layout="wide", columns=["ICULOS", *CHANNELS, *STATICS], static=STATICS, duplicates="keep"
    )
    assert general.with_channels(panel.channels).to_long().equals(panel.to_long())
