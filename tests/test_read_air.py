"""Beijing multi-site air and UCI air quality: dates put together, missing codes known, every cell counted."""

import io
import tarfile
import warnings

import numpy as np
import pandas as pd
import pytest

from cndts.datasets import DataWarning, read_air_quality, read_beijing_air
from cndts.datasets._air_quality import CHANNELS as ROAD
from cndts.datasets._beijing_air import CHANNELS as CITY

CITY_HEADER = '"No","year","month","day","hour",' + ",".join(f'"{name}"' for name in CITY[:-1][:-1])
CITY_HEADER += ',"wd","WSPM","station"'
ROAD_HEADER = "Date;Time;" + ";".join(ROAD) + ";;"


def hour(year="2013", month="3", day="1", clock="0", wd="NNW", station="Huairou", **values):
    cells = [values.get(name.replace(".", "_"), "NA") for name in CITY[:-2]]
    return ",".join(["1", year, month, day, clock, *cells, f'"{wd}"', values.get("WSPM", "NA"), f'"{station}"'])


def road(date="10/03/2004", clock="18.00.00", values=("2,6", "1360", "150"), rest="1", end=";;"):
    return ";".join([date, clock, *values, *[rest] * (len(ROAD) - len(values))]) + end


def write(folder, header, *rows, name="table.csv", ending="\r\n"):
    (folder / name).write_bytes("".join(each + ending for each in (header, *rows)).encode("latin-1"))
    return folder / name


def read(reader, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        panel, report = reader(path, return_report=True)
    assert report.n_found == report.n_kept + report.n_left_out
    assert panel.n_events == report.n_kept
    return panel, report


class TestBeijing:
    """Twelve stations."""

    def test_dates_stations_and_directions(self, tmp_path):
        rows = [hour(PM2_5="7", TEMP="-2.3"), hour(clock="5", wd="S"), hour(month="4", station="Wanliu", WSPM="1.5")]
        panel, _ = read(read_beijing_air, write(tmp_path, CITY_HEADER, *rows))

        assert panel.channels == CITY and panel.units["PM2.5"] == "µg/m^3"
        assert panel.records.tolist() == ["Huairou", "Wanliu"]
        long = panel.to_long()
        assert long["time"].iloc[-1] == pd.Timestamp("2013-04-01 00:00", tz="Asia/Shanghai")
        assert long["channel"].tolist() == ["PM2.5", "TEMP", "WD", "WD", "WSPM", "WD"]
        assert panel.value.tolist() == [7, pytest.approx(-2.3), 337.5, 180, 1.5, 337.5]
        assert panel.time.tolist() == [0, 0, 0, 5, 744, 744]

    @pytest.mark.parametrize(
        ("bad", "reason", "count"),
        [
            ("1,2", "another number of fields", 1),
            (hour(month="13"), "an unreadable time", 1),
            (hour(month="2", day="30"), "an unreadable time", 1),
            (hour(clock="24"), "an unreadable time", 1),
            (hour(clock="1.5"), "an unreadable time", 1),
            (hour(year="13x"), "an unreadable time", 1),
            (hour(station="NA"), "no station", 1),
            (hour(TEMP="warm", wd="NA"), "an unreadable number", 1),
            (hour(wd="up"), "an unknown wind direction", 1),
        ],
    )
    def test_unusable_rows_and_cells_are_counted(self, tmp_path, bad, reason, count):
        panel, report = read(read_beijing_air, write(tmp_path, CITY_HEADER, hour(), bad))
        assert report.unforeseen == {reason: count}
        assert panel.n_events == 1

    def test_a_table_with_other_columns_is_counted(self, tmp_path):
        write(tmp_path, CITY_HEADER, hour())
        write(tmp_path, CITY_HEADER.replace("TEMP", "TEMPERATURE"), hour(), hour(), name="z.csv")
        _, report = read(read_beijing_air, tmp_path)
        assert report.unforeseen == {"a header of other columns": 2}
        write(tmp_path, "x", "1", name="table.csv")
        with pytest.raises(ValueError, match="wanted tables with the columns year, month"):
            read_beijing_air(tmp_path)

    def test_a_published_station(self, published, tmp_path):
        with tarfile.open(published("sensor_beijing_air/PRSA_Data_20130301-20170228.tar.gz")) as archive:
            member = next(each for each in archive if "Tiantan" in each.name)
            content = archive.extractfile(member).read()
        (tmp_path / "PRSA_Data_Tiantan_20130301-20170228.csv").write_bytes(content)
        panel, report = read(read_beijing_air, tmp_path)
        frame = pd.read_csv(io.BytesIO(content))

        assert panel.records.tolist() == ["Tiantan"] and not report.unforeseen and not report.noticed
        for code, name in enumerate(CITY[:-1]):
            known = frame[name].notna().to_numpy()
            np.testing.assert_array_equal(panel.value[panel.channel == code], frame[name][known].astype("f4"))
            # the table has a row for every hour
            np.testing.assert_array_equal(panel.time[panel.channel == code], np.flatnonzero(known))
        assert (panel.channel == CITY.index("WD")).sum() == frame["wd"].notna().sum()

    @pytest.mark.slow
    def test_the_published_counts(self, published):
        panel, report = read(read_beijing_air, published("sensor_beijing_air/PRSA_Data_20130301-20170228.tar.gz"))
        assert (len(panel), panel.n_events) == (12, 4_975_189) and not report.unforeseen


class TestRoad:
    """One device."""

    @pytest.mark.parametrize("clock", ["18.00.00", "18:00:00"])
    def test_decimal_commas_and_both_clocks(self, tmp_path, clock):
        panel, report = read(
            read_air_quality, write(tmp_path, ROAD_HEADER, road(clock=clock), road("11/03/2004", "0:00:00"))
        )
        assert panel.channels == ROAD and panel.records.tolist() == ["table"]
        assert str(panel.origin) == "2004-03-10 00:00:00"
        assert panel.value[:3].tolist() == [pytest.approx(2.6), 1360, 150]
        assert np.unique(panel.time).tolist() == [18, 24]
        assert report.n_kept == 26

    def test_missing_codes_and_empty_rows(self, tmp_path):
        rows = [road(values=("-200", "-200,0", "-200.5")), ";" * 16, ";" * 16]
        panel, report = read(read_air_quality, write(tmp_path, ROAD_HEADER, *rows))
        assert report.documented == {"the code -200 for missing": 2}
        assert report.noticed == {"a row of separators only": 2}
        assert panel.value[0] == -200.5

    @pytest.mark.parametrize(
        ("bad", "reason"),
        [
            ("1;2", "another number of fields"),
            (road("31/02/2004"), "an unreadable time"),
            (road("2004-03-10"), "an unreadable time"),
            (road(clock="24.00.00"), "an unreadable time"),
            (road(clock=""), "an unreadable time"),
            (road(end=";;7"), "a column that the format does not list"),
            (road(values=("2,,6",)), "an unreadable number"),
        ],
    )
    def test_unusable_rows_and_cells_are_counted(self, tmp_path, bad, reason):
        _, report = read(read_air_quality, write(tmp_path, ROAD_HEADER, road(), bad))
        assert report.unforeseen == {reason: 1}

    def test_files_of_one_name_stay_apart(self, tmp_path):
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            write(tmp_path / folder, ROAD_HEADER, road())
        assert read(read_air_quality, tmp_path)[0].records.tolist() == ["table", "table (2)"]

    def test_another_table_is_named(self, tmp_path):
        with pytest.raises(ValueError, match=r"wanted tables with the columns Date;Time;CO"):
            read_air_quality(write(tmp_path, "x;y", "1;2"))

    def test_the_published_counts(self, published):
        panel, report = read(read_air_quality, published("sensor_airquality_uci/AirQualityUCI.csv"))
        assert report.documented == {"the code -200 for missing": 16_244 + 457}
        assert report.noticed == {"a row of separators only": 114}
        assert report.n_found == 9_357 * 13 and not report.unforeseen
        assert panel.time.max() - panel.time.min() == 9_356
