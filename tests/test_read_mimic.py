"""MIMIC extracts: the long and the wide layout of the field, masks and codes read as meant."""

import warnings

import numpy as np
import pytest

from cndts.datasets import DataWarning, read_mimic

LONG = ",UNIQUE_ID,LABEL_CODE,TIME_STAMP,VALUENUM,MEAN,STD,VALUENORM"
WIDE = "hadm_id,time_stamp,Value_label_0,Mask_label_0,Value_label_5,Mask_label_5"


def write(folder, *rows, name="complete_tensor.csv"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(rows), encoding="latin-1")
    return folder / name


def read(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        panel, report = read_mimic(path, return_report=True, **options)
    assert report.n_found == report.n_kept + report.n_left_out
    assert panel.n_events == report.n_kept
    return panel, report


def test_the_long_layout(tmp_path):
    path = write(tmp_path, LONG, "0,8,3,4,88.0,80.0,8.0,1.0", "1,7,3,2,72,80,8,-1", "2,8,1,0,1.5,1,1,0.5")
    panel, _ = read(path, labels={3: "HR"})

    assert panel.records.tolist() == [7, 8] and panel.time_unit == "h"
    assert panel.channels == ("label 1", "HR")
    assert (panel.time.tolist(), panel.channel.tolist(), panel.value.tolist()) == ([1, 0, 2], [1, 0, 1], [72, 1.5, 88])
    assert read(path, values="VALUENORM")[0].value.tolist() == [-1, 0.5, 1]
    assert read(path, hours=0.1)[0].time.tolist() == [pytest.approx(0.2), 0, pytest.approx(0.4)]


@pytest.mark.parametrize(("yes", "no"), [("1", "0"), ("1.0", "0.0"), ("True", "False")])
def test_the_wide_layout_believes_the_mask(tmp_path, yes, no):
    path = write(tmp_path, WIDE, f"9,30,0.0,{yes},0.0,{no}", f"9,90,4,{yes},-2.5,{yes}", f"4,0,0,{no},7,{no}")
    panel, report = read(path)

    assert panel.records.tolist() == [4, 9] and panel.channels == ("label 0", "label 5")
    assert (panel.time.tolist(), panel.value.tolist()) == ([0.5, 1.5, 1.5], [0, 4, -2.5])
    assert report.empty_records == ("4",)
    assert report.noticed == {"a number where the mask says that there is none": 1}


@pytest.mark.parametrize("keys", ["HADM_ID,TIME_STAMP", "ID,Time"])
def test_the_wide_layout_of_mimic_iii(tmp_path, keys):
    """The same scripts name admission and time otherwise there, and number the rows."""
    path = write(tmp_path, f",{keys},Value_label_0,Mask_label_0", "0,9,30,4.0,1", "1,9,90,0.0,0")
    panel, report = read(path)
    assert (panel.records.tolist(), panel.time.tolist(), panel.value.tolist()) == ([9], [0.5], [4.0])
    assert report.n_left_out == 0


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("1,2", "another number of fields"),
        ("0,x,3,4,88,80,8,1", "an unreadable admission"),
        ("0,7.5,3,4,88,80,8,1", "an unreadable admission"),
        ("0,7,3,,88,80,8,1", "an unreadable time"),
        ("0,7,HR,4,88,80,8,1", "an unreadable label"),
        ("0,7,3,4,high,80,8,1", "an unreadable number"),
    ],
)
def test_unusable_rows_are_left_out_and_counted(tmp_path, bad, reason):
    path = write(tmp_path, LONG, "0,7,3,4,88,80,8,1", bad)
    with pytest.warns(DataWarning, match=f"1 of 2 values are left out .* 1 with {reason}"):
        panel, report = read_mimic(path, return_report=True)
    assert report.unforeseen == {reason: 1} and panel.n_events == 1


def test_masks_that_are_none_are_counted(tmp_path):
    _, report = read(write(tmp_path, WIDE, "9,30,5,2,6,1", "9,31,x,1,6,1"))
    assert report.unforeseen == {"a mask other than 0 or 1": 1, "an unreadable number": 1}


def test_tables_beside_the_events(tmp_path):
    path = write(tmp_path / "data", LONG, "0,7,3,4,88,80,8,1", "0,8,3,4,88,80,8,1")
    others = ["1,99,0", "2,8.5,0", "3,1e300,0", "4,-8,0", "5,eight,0"]
    tags = write(tmp_path / "about", ",UNIQUE_ID,Value", "0,7,1", *others, name="complete_death_tags.csv")
    panel, report = read(path, outcomes=tags)
    assert report.unforeseen == {"an unreadable admission in the static table or the outcomes": 4}
    panel, report = read(path, outcomes=tags, static=tags)
    assert report.n_unforeseen == 8
    assert panel.outcomes.columns.tolist() == ["Value"]
    assert panel.outcomes.loc[7, "Value"] == 1 and np.isnan(panel.outcomes.loc[8, "Value"])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["0,7,1,5", "1,8,0"], "cannot be read as a table"),
        (["0,7,1", "1,8"], "cannot be read as a table .line 3: 2 cells in place of the 3"),
        (['0,7,"1', '1,8,0"'], "a quoted cell runs over several lines"),
        (["0,7,1", "1,7,0"], "more than one row for '7'"),
        (["0,7,1", "1,8,0", "2,7.0,0"], "more than one row for the admission 7, written in several ways"),
    ],
)
def test_damaged_tables_beside_the_events_are_told(tmp_path, rows, message):
    path = write(tmp_path / "data", LONG, "0,7,3,4,88,80,8,1")
    tags = write(tmp_path / "about", ",UNIQUE_ID,Value", *rows, name="complete_death_tags.csv")
    with pytest.raises(ValueError, match=rf"complete_death_tags\.csv .*{message}"):
        read_mimic(path, outcomes=tags)


def test_words_for_no_number_are_no_text(tmp_path):
    path = write(tmp_path / "data", LONG, "0,7,3,4,88,80,8,1", "0,8,3,4,88,80,8,1")
    tags = write(tmp_path / "about", "UNIQUE_ID,Value,Word", "7,NA,a", "8,1.5,null", name="static.csv")
    table = read(path, static=tags)[0].static
    assert np.isnan(table.loc[7, "Value"]) and table["Value"].dtype == float
    assert table.loc[7, "Word"] == "a" and table["Word"].isna().tolist() == [False, True]


def test_wrong_sources_and_options_are_named(tmp_path):
    path = write(tmp_path / "one", LONG, "0,7,3,4,88,80,8,1")
    other = write(tmp_path / "two", WIDE, "9,30,5,1,6,1", name="full_dataset.csv")
    with pytest.raises(ValueError, match="got extracts of both layouts"):
        read_mimic([path, other])
    with pytest.raises(ValueError, match="wanted extracts with the columns UNIQUE_ID"):
        read_mimic(write(tmp_path / "three", "a,b", "1,2"))
    with pytest.raises(ValueError, match="hours must be above zero; got -1"):
        read_mimic(path, hours=-1)
    with pytest.raises(ValueError, match="labels must give every variable a name of its own"):
        read_mimic(write(tmp_path / "one", LONG, "0,7,3,4,1,1,1,1", "0,7,4,4,1,1,1,1"), labels={3: "HR", 4: "HR"})
