"""Ticks: instants, zones and prices as published; every row is kept, merged or counted."""

import datetime
import tarfile
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cndts.datasets import DataWarning, read_ticks
from cndts.datasets._decimals import read_decimals

NAME = "20140501_eurusd_tick_quote.csv"


def write(folder, *rows, name=NAME, ending="\r\n"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(row + ending for row in rows).encode("latin-1"))
    return path


def read(path, **options):
    return read_ticks(path, return_report=True, **options)


def read_quietly(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return read(path, **options)


def stamps(panel):
    return [stamp.isoformat() for stamp in panel.to_long()["time"]]


def wide(panel):
    """Rows of numbers, one column a channel."""
    return panel.value.reshape(-1, len(panel.channels)).tolist()


def assert_balanced(report):
    assert report.n_found == report.n_kept + report.n_merged + report.n_left_out


# ---- the layout of LEAN and OANDA ----------------------------------------------------------------


def test_a_day_of_quotes(tmp_path):
    panel, report = read(write(tmp_path, "292,1.38676,1.38686", "86399999,1.5,1.75"))

    assert panel.records.tolist() == ["eurusd 2014-05-01"]
    assert panel.channels == ("bid", "ask", "mid")
    np.testing.assert_array_equal(wide(panel), np.float32([[1.38676, 1.38686, 1.38681], [1.5, 1.75, 1.625]]))
    assert stamps(panel)[::3] == ["2014-05-01T00:00:00.292000+00:00", "2014-05-01T23:59:59.999000+00:00"]
    assert panel.static.loc["eurusd 2014-05-01", "Symbol"] == "eurusd"
    assert panel.groups.tolist() == ["2014-05-01"]
    assert (report.n_found, report.n_kept, report.n_left_out, report.noticed) == (2, 2, 0, {})


@pytest.mark.parametrize(
    ("written", "unit", "microseconds"),
    [("292.125", "ms", 292_125), ("0.5", "s", 500_000), ("17", "us", 17), ("1500000.25", "ms", 1_500_000_250)],
)
def test_fractions_of_any_unit(tmp_path, written, unit, microseconds):
    panel, _ = read(write(tmp_path, f"{written},1,2"), time_format=unit)

    exact = pd.Timestamp("2014-05-01", tz="UTC") + pd.Timedelta(microseconds, "us")
    assert panel.to_long()["time"][0] == exact


def test_nanoseconds_within_a_day(tmp_path):
    panel, _ = read(write(tmp_path, "1000000001,1,2"), time_format="ns")

    assert panel.to_long()["time"][0].nanosecond == 1


@pytest.mark.parametrize(
    ("zone", "day", "utc"),
    [
        ("UTC", "20140501", "2014-05-01T00:00:01"),
        ("America/New_York", "20140501", "2014-05-01T04:00:01"),
        ("America/New_York", "20140102", "2014-01-02T05:00:01"),
        ("Asia/Tokyo", "20140501", "2014-04-30T15:00:01"),
    ],
)
def test_midnight_is_where_the_zone_says(tmp_path, zone, day, utc):
    panel, _ = read(write(tmp_path, "1000,1,2", name=f"{day}_x_quote.csv"), time_zone=zone)
    stamp = panel.to_long()["time"][0]

    assert stamp.tz_convert("UTC").tz_localize(None).isoformat() == utc
    assert str(panel.origin.tz) == zone
    assert panel.time[0] == 1.0


def test_elapsed_time_runs_on_when_clocks_change(tmp_path):
    hours = [f"{hour * 3_600_000},1,2" for hour in range(5)]
    panel, _ = read(write(tmp_path, *hours, name="20140309_x_quote.csv"), time_zone="America/New_York", mid=False)

    assert (np.diff(panel.time[::2]) == 3600).all()
    assert [stamp[11:13] for stamp in stamps(panel)[::2]] == ["00", "01", "03", "04", "05"]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("UTC", "20140309", 24),
        ("America/New_York", "20140309", 23),
        ("America/New_York", "20141102", 25),
        ("America/New_York", "20141103", 24),
        ("America/Sao_Paulo", "20181103", 24),
        ("America/Sao_Paulo", "20181104", 23),
    ],
)
@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_times_since_midnight_end_with_the_day(tmp_path, zone, day, hours, unit):
    """A day of 23 or 25 hours where clocks change, also if they do at midnight."""
    last = hours * 3600 * {"s": 1, "ms": 10**3, "us": 10**6}[unit]
    rows = [f"{last - 1},1,2", f"{last - 0.5},1,2", f"{last},1,2", f"{last + 1},1,2", f"{10**6 * last},1,2"]
    path = write(tmp_path, *rows, name=f"{day}_x_quote.csv")
    panel, report = read_quietly(path, time_zone=zone, time_format=unit, mid=False)

    assert report.unforeseen == {"a time outside the day": 3}
    assert panel.n_events == 4
    assert_balanced(report)


@pytest.mark.parametrize("year", ["0001", "0950", "1699", "2200", "9999"])
def test_years_that_nanoseconds_do_not_reach(tmp_path, year):
    """They would wrap around to other years."""
    path = write(tmp_path, f"{year}1231 10:00:00,1,2", "20140501 10:00:00,1,2", name="x.csv")
    panel, report = read_quietly(path, time_format="%Y%m%d %H:%M:%S")
    assert panel.records.tolist() == ["x 2014-05-01"] and report.unforeseen == {"an unreadable time": 1}
    with pytest.raises(ValueError, match=f"date must be a day .* from 1700 to 2199; got '{year}-12-31'"):
        read_ticks(path, date=f"{year}-12-31")
    with pytest.raises(ValueError, match="does not say which day"):
        read_ticks(write(tmp_path, "1,1,2", name=f"{year}1231_x.csv"))


def test_records_by_day_and_by_symbol(tmp_path):
    for day, symbol in [("20140502", "nzdusd"), ("20140502", "eurusd"), ("20140501", "eurusd")]:
        write(tmp_path / "oanda" / symbol, "1000,1,2", "2000,1,2", name=f"{day}_{symbol}_tick_quote.csv")
    by_day, _ = read(tmp_path)
    by_symbol, report = read(tmp_path, by="symbol")

    assert by_day.records.tolist() == ["eurusd 2014-05-01", "eurusd 2014-05-02", "nzdusd 2014-05-02"]
    assert by_day.groups.tolist() == ["2014-05-01", "2014-05-02", "2014-05-02"]
    assert by_day.first_time.tolist() == [1, 86401, 86401]
    assert by_symbol.records.tolist() == ["eurusd", "nzdusd"]
    assert by_symbol.counts.tolist() == [12, 6]
    assert by_symbol.groups is None
    np.testing.assert_array_equal(np.sort(by_symbol.time), np.sort(by_day.time))
    assert (report.n_files, report.n_records) == (3, 2)


def test_every_packing_gives_the_same_panel(tmp_path):
    path = write(tmp_path / "in", "292,1.38676,1.38686")
    with zipfile.ZipFile(tmp_path / "20140501_quote.zip", "w") as archive:
        archive.write(path, NAME)
    with tarfile.open(tmp_path / "all.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "in", "oanda")
    panel = read_ticks(path)

    for other in (tmp_path / "in", tmp_path / "20140501_quote.zip", tmp_path / "all.tar.gz", [path]):
        assert read_ticks(other).equals(panel)


# ---- other layouts -------------------------------------------------------------------------------


@pytest.mark.parametrize(("unit", "factor"), [("epoch_s", 1), ("epoch_ms", 10**3), ("epoch_us", 10**6)])
def test_seconds_since_1970(tmp_path, unit, factor):
    start = 1_400_000_000
    rows = [f"{start * factor},100", f"{(start + 86_400) * factor},101"]
    panel, _ = read(write(tmp_path, *rows, name="btc.csv"), columns=("time", "price"), time_format=unit)

    assert panel.records.tolist() == ["btc 2014-05-13", "btc 2014-05-14"]
    assert panel.origin == pd.Timestamp("2014-05-13", tz="UTC")
    assert panel.to_long()["time"][0] == pd.Timestamp(start, unit="s", tz="UTC")


def test_microseconds_since_1970_are_exact(tmp_path):
    written = 1_700_000_000_123_457
    panel, _ = read(write(tmp_path, f"{written},1"), columns=("time", "price"), time_format="epoch_us")

    assert panel.to_long()["time"][0].value // 1000 == written


def test_formatted_times_with_symbols_in_the_rows(tmp_path):
    rows = ["EUR/USD,20140501 00:00:00.292,1.25,1.5", "NZD/USD,20140501 12:00:00.5,0.5,0.75"]
    panel, _ = read(
        write(tmp_path, *rows, name="ticks.csv"),
        columns=("symbol", "time", "bid", "ask"),
        time_format="%Y%m%d %H:%M:%S.%f",
    )

    assert panel.records.tolist() == ["EUR/USD 2014-05-01", "NZD/USD 2014-05-01"]
    assert stamps(panel)[0] == "2014-05-01T00:00:00.292000+00:00"
    assert panel.static["Symbol"].tolist() == ["EUR/USD", "NZD/USD"]


def test_the_local_day_counts(tmp_path):
    panel, _ = read(
        write(tmp_path, "2014-05-01 23:30:00,1,2", "2014-05-02 00:30:00,1,2", name="x.csv"),
        time_format="%Y-%m-%d %H:%M:%S",
        time_zone="Asia/Tokyo",
    )

    assert panel.records.tolist() == ["x 2014-05-01", "x 2014-05-02"]
    assert panel.first_time.tolist() == [84600, 88200]


def test_local_times_that_do_not_exist_or_exist_twice(tmp_path):
    rows = ["2014-03-09 01:30:00,1,2", "2014-03-09 02:30:00,1,2", "2014-11-02 01:30:00,1,2", "rubbish,1,2"]
    panel, report = read_quietly(
        write(tmp_path, *rows), time_format="%Y-%m-%d %H:%M:%S", time_zone="America/New_York", mid=False
    )

    assert panel.n_events == 2
    assert report.unforeseen == {"an unreadable time": 1, "a local time that does not exist or exists twice": 2}
    assert_balanced(report)


def test_other_columns_separators_and_headers(tmp_path):
    path = write(tmp_path, "Time;Price;Side;Size", "5;60000.25;B;0.5", "6;60000.5;S;", name="2014-05-01.csv")
    panel, report = read(path, columns=("time", "price", None, "size"), separator=";", symbol="btc")

    assert panel.channels == ("price", "size")
    assert panel.records.tolist() == ["btc 2014-05-01"]
    assert panel.value.tolist() == [60000.25, 0.5, 60000.5]
    assert report.noticed == {"a header line": 1}
    assert report.n_found == report.n_kept == 2


def test_the_date_can_be_given(tmp_path):
    path = write(tmp_path, "5,1,2", name="eurusd.csv")
    with pytest.raises(ValueError, match=r"'eurusd.csv' does not say which day .*pass date=\"2014-05-01\""):
        read_ticks(path)
    for date in ("2014-05-01", datetime.date(2014, 5, 1)):
        assert read_ticks(path, date=date).records.tolist() == ["eurusd 2014-05-01"]


# ---- defects -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "bids"),
    [("last", [1, 4, 5]), ("first", [1, 2, 5]), ("mean", [1, 3, 5]), ("keep", [1, 2, 3, 4, 5])],
)
def test_rows_of_the_same_instant(tmp_path, policy, bids):
    path = write(tmp_path, "1,1,9", "2,2,9", "2,3,9", "2,4,9", "3,5,9")
    panel, report = read(path, duplicates=policy, mid=False)

    assert [row[0] for row in wide(panel)] == bids
    assert report.noticed["the time of the row above"] == 2
    assert report.n_merged == 5 - len(bids)
    assert_balanced(report)


def test_an_empty_side_gives_way_to_a_number_of_the_same_instant(tmp_path):
    path = write(tmp_path, "2,1,", "2,,4", "2,3,")
    results = {policy: read(path, duplicates=policy)[0] for policy in ("last", "first", "mean")}

    assert {policy: panel.value.tolist() for policy, panel in results.items()} == {
        "last": [3, 4, 3.5],
        "first": [1, 4, 2.5],
        "mean": [2, 4, 3],
    }


def test_rows_of_the_same_instant_can_be_refused(tmp_path):
    with pytest.raises(ValueError, match=r"eurusd has more than one row at 2014-05-01 00:00:00.002000 UTC \(1 such"):
        read_ticks(write(tmp_path, "2,1,2", "2,1,3"), duplicates="error")


@pytest.mark.parametrize("policy", ["keep", "drop"])
def test_crossed_quotes(tmp_path, policy):
    panel, report = read(write(tmp_path, "1,1.5,1", "2,1,1", "3,1,1.5"), crossed=policy, mid=False)
    counts = report.noticed if policy == "keep" else report.documented

    assert len(panel.value) == (6 if policy == "keep" else 4)
    assert counts["crossed prices (bid above ask)"] == 1
    assert report.noticed["equal bid and ask"] == 1
    assert_balanced(report)


def test_rows_out_of_order_are_sorted(tmp_path):
    panel, report = read(write(tmp_path, "3,3,9", "1,1,9", "2,2,9"), mid=False)

    assert [row[0] for row in wide(panel)] == [1, 2, 3]
    assert report.noticed == {"a time before the row above": 1}


def test_basis_points_from_the_first_mid(tmp_path):
    panel, report = read(write(tmp_path, "1,60000,60002", "2,60003.01,60005", "3,0,1"), prices="bp")

    reference = panel.static["Reference"].iloc[0]
    assert reference == 60001
    expected = [1e4 * np.log(price / 60001) for price in (60000, 60002, 60001, 60003.01, 60005, 60004.005)]
    np.testing.assert_allclose(panel.value, expected, rtol=1e-6, atol=1e-9)
    assert set(panel.units.values()) == {"bp"}
    assert report.documented == {"a price that is not above zero": 1}
    assert_balanced(report)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("5,1", "another number of fields"),
        ("5,1,2,3", "another number of fields"),
        ("x,1,2", "an unreadable time"),
        (",1,2", "an unreadable time"),
        ("-5,1,2", "an unreadable time"),
        ("1e300,1,2", "a time outside the day"),
        ("nan,1,2", "an unreadable time"),
        ("5,1.2.3,2", "an unreadable number"),
        ("5,1,1e39", "an unreadable number"),
        ("5,inf,2", "an unreadable number"),
        ("5,1,1\xb2", "an unreadable number"),
        ("5,,", "no number at all"),
        ("5," + "1" * 5000 + ",2", "an unreadable number"),
    ],
)
def test_unusable_rows_are_left_out_and_counted(tmp_path, row, reason):
    path = write(tmp_path, "1,1,2", row, "9,1,2")
    with pytest.warns(DataWarning, match=rf"1 of 3 rows are left out .*: 1 with {reason}"):
        panel, report = read(path)

    assert panel.time.tolist() == [0.001] * 3 + [0.009] * 3
    assert report.unforeseen == {reason: 1}
    assert_balanced(report)


@pytest.mark.parametrize("row", [' 5 , "1" ,2 ', "5.,+1,2.0", "0.5e1,.1e1,002"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "\n\n"])
def test_unusual_but_clear_rows_are_read(tmp_path, row, ending):
    panel, report = read(write(tmp_path, row, ending=ending))

    assert panel.time.tolist() == [0.005] * 3
    assert panel.value.tolist() == [1, 2, 1.5]
    assert report.n_left_out == 0


def test_a_day_without_quotes_is_an_empty_record(tmp_path):
    write(tmp_path, "1,1,2")
    write(tmp_path, name="20140502_eurusd_tick_quote.csv")
    write(tmp_path, "no ticks", name="readme.txt")
    panel, report = read(tmp_path)

    assert panel.counts.tolist() == [3, 0]
    assert report.empty_records == ("eurusd 2014-05-02",)
    assert report.other_files == ("readme.txt",)


def test_wrong_sources_and_options_are_named(tmp_path):
    path = write(tmp_path, "1,1,2")
    (tmp_path / "empty").mkdir()
    cases = [
        (tmp_path / "empty", {}, r"wanted tick files \(.csv or .txt\), got no files"),
        (path, {"columns": ("bid", "ask")}, 'columns must hold "time" and at least one channel'),
        (path, {"columns": ("time", "bid", "bid")}, "each once"),
        (path, {"columns": ("time", "bid", "ask", "mid")}, "give the last another name, or None"),
        (path, {"time_format": "minutes"}, "time_format must be one of s, ms, us, ns, epoch_s.*; got 'minutes'"),
        (path, {"time_zone": "Mars/Olympus"}, 'time_zone must be a name such as "UTC"'),
        (path, {"separator": ", "}, "separator must be one character"),
        (path, {"date": "someday"}, "date must be a day"),
        (path, {"by": "hour"}, "by must be one of 'day', 'symbol'; got 'hour'"),
        (path, {"duplicates": "sum"}, "duplicates must be one of"),
        (path, {"crossed": "fix"}, "crossed must be one of 'keep', 'drop'"),
        (path, {"prices": "log"}, "prices must be one of 'quoted', 'bp'"),
    ]
    for source, options, message in cases:
        with pytest.raises(ValueError, match=message):
            read_ticks(source, **options)
    with pytest.raises(FileNotFoundError):
        read_ticks(tmp_path / "nowhere")


@settings(max_examples=80)
@given(st.data())
def test_damaged_bytes_give_a_balanced_report(tmp_path_factory, data):
    numbers = st.floats(0, 1e6).map(lambda number: f"{number:.5f}")
    rows = data.draw(st.lists(st.tuples(numbers, numbers, numbers).map(",".join), min_size=1, max_size=6))
    content = bytearray("\n".join(rows).encode())
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("ticks") / NAME
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    duplicates, crossed = (
        data.draw(st.sampled_from(["last", "mean", "keep"])),
        data.draw(st.sampled_from(["keep", "drop"])),
    )
    panel, report = read_quietly(
        path, duplicates=duplicates, crossed=crossed, prices=data.draw(st.sampled_from(["quoted", "bp"]))
    )

    assert_balanced(report)
    assert np.isfinite(panel.value).all()


@given(st.lists(st.one_of(st.decimals(allow_nan=False, allow_infinity=False, places=5), st.integers(), st.floats())))
def test_decimals_equal_float(numbers):
    fields = [str(number).encode() for number in numbers]
    end = np.cumsum([len(field) + 1 for field in fields]) - 1 if fields else np.zeros(0, dtype=int)
    begin = end - [len(field) for field in fields]
    got = read_decimals(b",".join(fields), begin.astype(int), end.astype(int))
    expected = np.array([float(number) for number in numbers])

    np.testing.assert_array_equal(got, np.where(np.isfinite(expected), expected, np.nan))


# ---- the published files -------------------------------------------------------------------------


OANDA = "fx_ticks_oanda/oanda_eurusd_nzdusd_tick_quotes_20140501-20140515.tar.gz"


def test_the_sample_has_the_published_counts(published):
    panel, report = read(published(OANDA), duplicates="keep")
    by_symbol = pd.Series(panel.counts // 3).groupby(panel.static["Symbol"].to_numpy()).sum()

    assert (report.n_files, report.n_found, report.n_kept) == (26, 990_602, 990_602)
    assert by_symbol.to_dict() == {"eurusd": 532_903, "nzdusd": 457_699}
    assert report.noticed == {"the time of the row above": 11_537}
    assert panel.origin == pd.Timestamp("2014-05-01", tz="UTC")
    days = pd.DatetimeIndex(panel.groups)
    assert set(days.day_of_week) == {0, 1, 2, 3, 4, 6}
    sundays = days.day_of_week == 6
    assert ((panel.first_time[sundays] % 86_400) >= 20 * 3600).all()
    eurusd = panel.value[(panel.record < 13) & (panel.channel == 2)]
    assert 1.36 < eurusd.min() < eurusd.max() < 1.40


def test_the_sample_agrees_with_a_plain_reading(published):
    panel, _ = read(published(OANDA), duplicates="keep", mid=False)
    with tarfile.open(published(OANDA)) as archive:
        member = archive.getmember("oanda/nzdusd/20140506_nzdusd_tick_quote.csv")
        plain = pd.read_csv(archive.extractfile(member), header=None)
    record = panel[[int(panel.records.get_loc("nzdusd 2014-05-06"))]]

    np.testing.assert_array_equal(record.time[::2], (5 * 86_400_000 + plain[0]) / 1000)
    np.testing.assert_array_equal(record.value.reshape(-1, 2), plain[[1, 2]].to_numpy(np.float32))


def test_a_busy_day(tmp_path):
    rng = np.random.default_rng(0)
    ms = np.sort(rng.integers(0, 86_400_000, 200_000))
    bid = 1.38 + 0.01 * rng.standard_normal(len(ms))
    rows = [f"{time},{price:.5f},{price + 0.0001:.5f}" for time, price in zip(ms.tolist(), bid.tolist(), strict=True)]
    panel, report = read(write(tmp_path, *rows))

    assert report.n_found == 200_000
    assert panel.n_events == 3 * report.n_kept
