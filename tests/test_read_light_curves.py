"""Light curves: tables of many objects and of one, with and without names, bands as channels, errors beside them."""

import warnings

import numpy as np
import pytest

from cndts.datasets import DataWarning, read_light_curves

PLASTICC = [
    "object_id,mjd,passband,flux,flux_err,detected",
    "615,59750.4229,2,-544.8,3.6,1",
    "615,59750.4306,1,-816.4,5.5,1",
    "13,59800,2,1.5,0.25,0",
]


def write(folder, *rows, name="curves.csv", ending="\n"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes("".join(row + ending for row in rows).encode("latin-1"))
    return folder / name


def read(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        panel, report = read_light_curves(path, return_report=True, **options)
    assert report.n_found == report.n_kept + report.n_left_out
    return panel, report


def events(panel):
    return panel.to_long().to_numpy().tolist()


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_many_objects_in_one_table(tmp_path, ending):
    panel, report = read(write(tmp_path, *PLASTICC, ending=ending), bands={"1": "g", "2": "r"})

    assert panel.records.tolist() == ["13", "615"]
    assert panel.channels == ("g", "g error", "r", "r error") and panel.time_unit == "D"
    assert events(panel)[:2] == [["13", 59800.0, "r", 1.5], ["13", 59800.0, "r error", 0.25]]
    assert panel[1].time.tolist() == [59750.4229] * 2 + [59750.4306] * 2
    assert (report.n_found, report.n_kept) == (3, 3)


def test_errors_can_stay_out(tmp_path):
    panel, _ = read(write(tmp_path, *PLASTICC), errors="drop")
    assert panel.channels == ("1", "2") and panel.n_events == 3


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        (["MJD band mag magerr", "5 g 18.5 0.25", "6 r 17 0.5"], {}),
        (["# a survey", "# mjd  band  mag  magerr", "5  g 18.5  0.25", " 6 r 17 0.5"], {}),
        (["MJD|band|mag|magerr", "5|g|18.5|0.25", "6|r|17|0.5"], {}),
        (["mjd\tband\tmag\tmagerr", "5\tg\t18.5\t0.25", "6\tr\t17\t0.5"], {}),
        (["when,colour,m,sigma", "5,g,18.5,0.25", "6,r,17,0.5"],
         {"columns": {"time": "when", "band": "colour", "value": "m", "error": "sigma"}}),
        (["5,g,18.5,0.25", "6,r,17,0.5"], {"columns": ("time", "band", "value", "error")}),
        (["# no names", "5,x,g,18.5,0.25", "6,y,r,17,0.5"], {"columns": ["time", None, "band", "value", "error"]}),
    ],
)  # fmt: skip
def test_one_object_a_file_in_any_dialect(tmp_path, rows, options):
    panel, _ = read(write(tmp_path, *rows, name="star-7.dat"), **options)
    assert events(panel) == [
        ["star-7", 5, "g", 18.5],
        ["star-7", 5, "g error", 0.25],
        ["star-7", 6, "r", 17],
        ["star-7", 6, "r error", 0.5],
    ]


def test_a_table_without_bands_is_one_channel(tmp_path):
    panel, _ = read(write(tmp_path, "2450000.5 15.1 0.01", name="ogle.dat"), columns=("time", "value", "error"))
    assert panel.channels == ("value", "value error")


def test_magnitudes_that_stand_for_no_detection(tmp_path):
    rows = ["mjd,band,mag,magerr", "1,g,99.999,99", "2,g,-99,0.1", "3,g,20,-1", "4,g,21,0.5"]
    panel, report = read(write(tmp_path, *rows))
    assert panel.units["g"] == "mag" and panel.value.tolist() == [20, 21, 0.5]
    assert report.documented == {"a magnitude beyond 90, which stands for no detection": 2}
    assert report.noticed == {"a value without a usable error": 1}


def test_fluxes_beyond_90_stay(tmp_path):
    assert read(write(tmp_path, "mjd,band,flux", "1,g,150"))[0].value.tolist() == [150]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("615,1", "another number of fields"),
        ("615,soon,2,1,1,1", "an unreadable time"),
        ("615,1,2,bright,1,1", "an unreadable number"),
        ("615,1,2,,1,1", "an unreadable number"),
        ("615,1,,5,1,1", "no band"),
    ],
)
def test_unusable_rows_are_left_out_and_counted(tmp_path, bad, reason):
    with pytest.warns(DataWarning, match=f"1 of 4 measurements are left out .* 1 with {reason}"):
        _, report = read_light_curves(write(tmp_path, *PLASTICC, bad), return_report=True)
    assert report.unforeseen == {reason: 1}


def test_the_table_of_objects(tmp_path):
    table = write(tmp_path / "about", "object_id,hostgal_photoz,target,name", "615,0.5,92,a", "99,1,6,b")
    panel, _ = read(write(tmp_path / "data", *PLASTICC), objects=table)
    assert panel.static.loc["615", "hostgal_photoz"] == 0.5 and np.isnan(panel.static.loc["13", "hostgal_photoz"])
    assert panel.outcomes.loc["615", "target"] == 92
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read(tmp_path / "data", objects=tmp_path / "nothing.csv")
    with pytest.raises(ValueError, match="wanted one of the columns object_id"):
        read(tmp_path / "data", objects=write(tmp_path / "about", "a,b", "1,2", name="x.csv"))


def test_empty_files_and_order(tmp_path):
    write(tmp_path, "mjd,mag", "2,20", "1,21", "1,22", name="a.csv")
    write(tmp_path, "mjd,mag", name="b.csv")
    panel, report = read(tmp_path)
    assert panel.records.tolist() == ["a", "b"] and panel.value.tolist() == [21, 22, 20]
    assert report.empty_records == ("b",)
    assert report.noticed == {"a time before the row above": 1}


def test_wrong_sources_and_columns_are_named(tmp_path):
    path = write(tmp_path, "some,text", "1,2")
    with pytest.raises(ValueError, match="wanted tables with a time and a value"):
        read_light_curves(path)
    with pytest.raises(ValueError, match="columns must give each role at most once"):
        read_light_curves(path, columns=("time", "flux"))
