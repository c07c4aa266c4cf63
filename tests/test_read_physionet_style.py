"""One text file a record: long and wide tables, any separator, clocks and dates, and agreement with the special readers."""

import warnings

import numpy as np
import pandas as pd
import pytest

from cndts.datasets import DataWarning, read_physionet2012, read_physionet2019, read_physionet_style
from cndts.datasets._physionet2012_format import STATICS


def write(folder, name, *rows, ending="\n"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes("".join(row + ending for row in rows).encode("latin-1"))
    return folder


def read(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        panel, report = read_physionet_style(path, return_report=True, **options)
    assert report.n_found == report.n_kept + report.n_merged + report.n_left_out
    assert panel.n_events == report.n_kept
    return panel, report


def events(panel):
    return panel.to_long().to_numpy().tolist()


def test_long_tables(tmp_path):
    write(tmp_path / "b", "two.txt", "t;what;how much", "1,5;Na;140", "0;K;4,5", "0;K;5,5")
    write(tmp_path, "one.csv", "hour,name,number,comment", "3,HR,80,fine", "3,age,61,")
    panel, report = read(tmp_path, decimal=",", static=["age"], units={"K": "mmol/L", "x": "y"})

    # the second file uses decimal commas, the first has none
    assert events(panel) == [["one", 3, "HR", 80], ["two", 0, "K", 5], ["two", 1.5, "Na", 140]]
    assert panel.channels == ("HR", "K", "Na") and panel.units == {"K": "mmol/L"}
    assert panel.static["age"].tolist()[0] == 61 and np.isnan(panel.static["age"].iloc[1])
    assert (report.n_found, report.n_merged, report.documented) == (5, 1, {"a static descriptor": 1})
    assert report.noticed == {"a time before the row above": 1}


def test_wide_tables_keep_the_order_of_columns(tmp_path):
    write(tmp_path, "a.psv", "t|z|y|x", "1|1|NaN|3", "2||-7|missing")
    panel, _ = read(tmp_path, layout="wide", missing=["missing"])
    assert panel.channels == ("z", "y", "x")
    assert events(panel) == [["a", 1, "z", 1], ["a", 1, "x", 3], ["a", 2, "y", -7]]
    chosen, report = read(tmp_path, layout="wide", missing=["missing"], columns=["t", "x", "z"], ignore=["z"])
    assert chosen.channels == ("x",) and report.documented == {"a channel to ignore": 2}


def test_numbers_that_mean_missing_are_documented(tmp_path):
    write(tmp_path, "a.csv", "t,x,y", "1,-99,5", "2,-99.0,-9.9")
    panel, report = read(tmp_path, layout="wide", missing=[-99])
    assert panel.value.tolist() == [5, pytest.approx(-9.9)]
    assert report.documented == {"a code for missing": 2}


def test_clocks(tmp_path):
    write(tmp_path, "a.csv", "Time,Parameter,Value", "00:07,HR,73", "47:30:30,HR,74", "-00:30,HR,75", "0:60,HR,1")
    panel, report = read(tmp_path, time_format="clock", time_unit="min")
    assert panel.time.tolist() == [-30, 7, 47 * 60 + 30.5]
    assert report.unforeseen == {"an unreadable time": 1}


@pytest.mark.parametrize(("time_format", "zone"), [("%d.%m.%Y %H:%M", ""), ("%d.%m.%Y %H:%M%z", "+0200")])
def test_dates_count_from_the_first_midnight(tmp_path, time_format, zone):
    write(tmp_path, "a.csv", "when,x", f"03.04.2024 14:30{zone},1", f"02.04.2024 06:00{zone},2", f"nonsense{zone},3")
    panel, report = read(tmp_path, layout="wide", time_format=time_format)
    hours = [4, 36.5] if zone else [6, 38.5]
    assert panel.time.tolist() == hours
    assert panel.origin == pd.Timestamp("2024-04-02", tz="UTC" if zone else None)
    assert report.unforeseen == {"an unreadable time": 1}


@pytest.mark.parametrize("other", ["01.01.0024", "31.12.1699", "01.01.2200", "31.12.9999"])
def test_years_that_some_versions_of_pandas_cannot_read_are_left_out(tmp_path, other):
    write(tmp_path, "a.csv", "when,x", "01.01.1700 06:00,2", f"{other} 12:00,1", "31.12.2199 00:00,3")
    panel, report = read(tmp_path, layout="wide", time_format="%d.%m.%Y %H:%M", time_unit="D")
    assert panel.time.tolist() == [0.25, (np.datetime64("2199-12-31") - np.datetime64("1700-01-01")).astype(float)]
    assert report.unforeseen == {"an unreadable time": 1}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("1,HR", "another number of fields"),
        ("soon,HR,1", "an unreadable time"),
        ("inf,HR,1", "an unreadable time"),
        ("1,,5", "no channel name"),
        ("1,HR,fast", "an unreadable number"),
        ("1,HR,inf", "an unreadable number"),
    ],
)
def test_unusable_rows_are_left_out_and_counted(tmp_path, bad, reason):
    write(tmp_path, "a.csv", "t,c,v", "1,HR,80", bad)
    with pytest.warns(DataWarning, match=f"1 of 2 values are left out .* 1 with {reason}"):
        panel, report = read_physionet_style(tmp_path, return_report=True)
    assert report.unforeseen == {reason: 1} and panel.value.tolist() == [80]


def test_names_of_records_and_files(tmp_path):
    write(tmp_path, "bed_1_vitals.csv", "t,c,v", "1,HR,80")
    write(tmp_path, "bed_2_vitals.csv", "t,c,v")
    write(tmp_path, "bed_3_notes.csv", "t,c,v", "1,HR,80")
    write(tmp_path / "again", "bed_1_vitals.csv", "t,c,v", "1,HR,90")
    write(tmp_path, "bed_4_vitals.csv", "one column", "1")
    panel, report = read(tmp_path, record=r"bed_(\d+)_vitals\.csv")
    assert panel.records.tolist() == ["1", "2"]
    assert report.empty_records == ("2",)
    assert set(report.other_files) == {"bed_3_notes.csv", "bed_4_vitals.csv"}
    assert report.unforeseen == {"a record met before": 1, "a header without the columns wanted": 2}


def test_repeated_values_follow_the_policy(tmp_path):
    write(tmp_path, "a.csv", "t,c,v", "1,HR,80", "1,HR,90")
    assert read(tmp_path, duplicates="keep")[0].value.tolist() == [80, 90]
    assert read(tmp_path, duplicates="last")[0].value.tolist() == [90]
    with pytest.raises(ValueError, match="repeats the channel 'HR' at time 1"):
        read_physionet_style(tmp_path, duplicates="error")


def test_physionet_2012_reads_alike(tmp_path):
    rows = ["Time,Parameter,Value", "00:00,RecordID,132539", "00:00,Age,54", "00:00,Gender,0", "00:00,ICUType,4"]
    rows += ["00:00,Weight,70.5", "00:07,HR,73", "00:07,HR,75", "00:37,Temp,35.1", "00:37,pH,-1"]
    write(tmp_path, "132539.txt", *rows)
    special = read_physionet2012(tmp_path, cache=False)
    general, _ = read(tmp_path, time_format="clock", missing=[-1.0], static=STATICS, ignore=["RecordID"])
    assert events(general.with_channels(special.channels)) == [["132539", *event[1:]] for event in events(special)]
    assert general.static["Age"].tolist() == special.static["Age"].tolist()


def test_physionet_2019_reads_alike(tmp_path):
    write(tmp_path, "p000001.psv", "HR|Temp|Age|ICULOS|SepsisLabel", "80|NaN|61|2|0", "NaN|36.9|61|3|1")
    special = read_physionet2019(tmp_path)
    options = {"layout": "wide", "columns": ["ICULOS", "HR", "Temp", "Age"], "static": ["Age"]}
    assert events(read(tmp_path, **options)[0]) == events(special)


def test_wrong_options_are_named(tmp_path):
    write(tmp_path, "a.csv", "t,c,v", "1,HR,80")
    for options, message in [
        ({"layout": "tall"}, "layout must be one of 'long', 'wide'; got 'tall'"),
        ({"columns": ["t", "c"]}, "columns must name time, channel and value, each once"),
        ({"time_format": "hours"}, "time_format must be"),
        ({"time_format": "clock", "time_unit": "weeks"}, "time_unit must be one of s, min, h, D"),
        ({"record": "(.*"}, "record must be a regular expression"),
        ({"record": ".*"}, "record must have a group"),
        ({"pattern": "*.xyz"}, "wanted files called '\\*.xyz'"),
        ({"columns": ["a", "b", "c"]}, "wanted files called"),
    ]:
        with pytest.raises(ValueError, match=message):
            read_physionet_style(tmp_path, **options)
    with pytest.raises(TypeError, match="static must be a sequence of names; got the single string 'age'"):
        read_physionet_style(tmp_path, static="age")
