"""Datetimes and timedeltas: counted as numbers, handed back exactly."""

import datetime as dt
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cndts._panel_time import move_origin, to_ticks
from cndts.panel import IrregularPanel

UNITS = ["ns", "us", "ms", "s", "min", "h", "D"]
ZONES = [None, "UTC", "Europe/Paris", "America/Sao_Paulo", "+05:45"]
# Reach in each resolution up to which float64 is exact whatever the time unit.
REACH = {"s": 10**10, "ms": 10**13, "us": 10**15, "ns": 10**15}


def frame_of(times) -> pd.DataFrame:
    return pd.DataFrame({"record": 0, "time": times, "channel": "x", "value": np.arange(len(times), dtype=np.float32)})


def sorted_times(times) -> list:
    return pd.Series(times).sort_values(kind="stable").tolist()


@settings(max_examples=40)
@given(st.data(), st.sampled_from(list(REACH)), st.sampled_from(ZONES), st.sampled_from(UNITS))
def test_datetimes_come_back_exactly(data, resolution: str, zone: str | None, unit: str):
    """Any resolution, zone and time unit: same instants, same dtype."""
    ticks = data.draw(st.lists(st.integers(0, REACH[resolution] // 2), min_size=1, max_size=8))
    times = pd.DatetimeIndex(np.array(ticks).astype(f"M8[{resolution}]"))
    times = times if zone is None else times.tz_localize("UTC").tz_convert(zone)
    panel = IrregularPanel.from_long(frame_of(times), time_unit=unit, duplicates="keep")
    back = panel.to_long()["time"]
    assert back.tolist() == sorted_times(times)
    assert back.dtype == times.dtype
    assert panel.origin == times.min()
    assert panel.time_unit == unit
    assert panel.time[0] == 0


@settings(max_examples=40)
@given(st.data(), st.sampled_from(list(REACH)), st.sampled_from(UNITS))
def test_timedeltas_come_back_exactly(data, resolution: str, unit: str):
    """Elapsed time keeps its dtype and counts from zero."""
    reach = REACH[resolution]
    ticks = data.draw(st.lists(st.integers(-reach, reach), min_size=1, max_size=8))
    times = pd.TimedeltaIndex(np.array(ticks).astype(f"m8[{resolution}]"))
    panel = IrregularPanel.from_long(frame_of(times), time_unit=unit, duplicates="keep")
    back = panel.to_long()["time"]
    assert back.tolist() == sorted_times(times)
    assert back.dtype == times.dtype
    assert panel.origin == pd.Timedelta(0)


@settings(max_examples=40)
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=8))
def test_numbers_come_back_as_they_are(times: list[float]):
    """No unit, no origin, no rounding."""
    panel = IrregularPanel.from_long(frame_of(times), duplicates="keep")
    assert panel.to_long()["time"].tolist() == sorted_times(times)
    assert panel.origin is None


@settings(max_examples=40)
@given(st.lists(st.integers(0, 30 * 365 * 86400), min_size=1, max_size=8))
def test_whole_seconds_kept_as_nanoseconds_come_back_over_decades(seconds: list[int]):
    """float64 hours cannot resolve single nanoseconds over years, but tells whole microseconds apart."""
    times = pd.DatetimeIndex(np.array(seconds).astype("M8[s]").astype("M8[ns]"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        panel = IrregularPanel.from_long(frame_of(times), duplicates="keep")
    assert panel.to_long()["time"].tolist() == sorted_times(times)


def test_nanoseconds_over_years_warn():
    """What float64 cannot hold is said, with its size."""
    times = pd.DatetimeIndex(["2000-01-01", "2020-01-01 00:00:00.000000001"]).as_unit("ns")
    with pytest.warns(UserWarning, match=r"times are rounded by up to 1 ns: .* Give an origin= nearer"):
        IrregularPanel.from_long(frame_of(times))
    with pytest.warns(UserWarning, match=r"integer times beyond 2\*\*53 lose digits"):
        IrregularPanel.from_long(frame_of([2**60 + 1]))


def test_hours_across_summer_time_are_elapsed_hours():
    """The night of the change has 23 or 25 hours; instants that read the same stay apart."""
    spring = pd.DatetimeIndex(["2024-03-30 12:00", "2024-03-31 12:00"]).tz_localize("Europe/Paris")
    assert IrregularPanel.from_long(frame_of(spring)).time.tolist() == [0, 23]
    autumn = pd.DatetimeIndex(["2024-10-27 00:30", "2024-10-27 01:30"]).tz_localize("UTC").tz_convert("Europe/Paris")
    panel = IrregularPanel.from_long(frame_of(autumn))
    assert panel.time.tolist() == [0, 1]
    assert panel.to_long()["time"].tolist() == autumn.tolist()


def test_the_origin_can_be_chosen():
    """Earlier, later, in another zone of the same kind; numbers count from it too."""
    times = pd.DatetimeIndex(["2024-01-01 06:00", "2024-01-01 18:00"]).tz_localize("UTC")
    origin = pd.Timestamp("2024-01-01 13:00", tz="Europe/Paris")
    panel = IrregularPanel.from_long(frame_of(times), origin=origin)
    assert panel.time.tolist() == [-6, 6]
    assert panel.to_long()["time"].tolist() == times.tolist()
    numbers = IrregularPanel.from_long(frame_of([1.0, 2.5]), origin=pd.Timestamp("2024-01-01"))
    assert numbers.to_long()["time"].tolist() == [pd.Timestamp("2024-01-01 01:00"), pd.Timestamp("2024-01-01 02:30")]
    precise = IrregularPanel.from_long(frame_of([0.0001]), origin=pd.Timestamp("2024-01-01").as_unit("s"))
    assert precise.to_long()["time"].tolist() == [pd.Timestamp("2024-01-01 00:00:00.360")]


def test_python_objects_are_times():
    """datetime, date and timedelta objects, and numbers in object columns."""
    for times, hours in (
        ([dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, 6)], [0, 6]),
        ([dt.date(2024, 1, 1), dt.date(2024, 1, 2)], [0, 24]),
        ([dt.timedelta(hours=1), dt.timedelta(hours=2)], [1, 2]),
        ([1, 2.5], [1, 2.5]),
    ):
        panel = IrregularPanel.from_long(frame_of(pd.Series(times, dtype=object)))
        assert panel.time.tolist() == hours


def test_wide_tables_keep_datetimes():
    """The time column of a wide table is the same clock."""
    times = pd.DatetimeIndex(["2024-01-01 06:00", "2024-01-01 18:00:00.000001"]).tz_localize("Asia/Kathmandu")
    wide = pd.DataFrame({"record": "a", "time": times, "x": [1.0, 2.0]})
    back = IrregularPanel.from_wide(wide).to_wide()
    assert back["time"].tolist() == times.tolist()
    assert back["time"].dtype == wide["time"].dtype


def test_queries_by_calendar():
    """Timestamps, elapsed timedeltas and numbers name the same query."""
    times = pd.DatetimeIndex(["2024-01-01 06:00", "2024-01-01 18:00"]).tz_localize("UTC")
    panel = IrregularPanel.from_long(frame_of(times))
    for asked in (
        pd.Timestamp("2024-01-02 07:00", tz="Europe/Paris"),
        [dt.datetime(2024, 1, 2, 6, tzinfo=dt.UTC)],
        pd.DatetimeIndex(["2024-01-02 06:00"], tz="UTC"),
        pd.Timedelta(24, "h"),
        {0: [pd.Timestamp("2024-01-02 06:00", tz="UTC")]},
        pd.DataFrame({"record": [0], "time": [pd.Timestamp("2024-01-02 06:00", tz="UTC")]}),
        24.0,
    ):
        assert panel.with_queries(asked).queries.time.tolist() == [24]
    with pytest.raises(ValueError, match=r"without a time zone cannot be counted from the origin .* in the zone UTC"):
        panel.with_queries([pd.Timestamp("2024-01-02")])
    elapsed = IrregularPanel.from_long(frame_of(pd.to_timedelta([1, 2], "h")))
    assert elapsed.with_queries(pd.Timedelta("1D")).queries.time.tolist() == [24]
    with pytest.raises(ValueError, match="got calendar times .* counts elapsed h without an origin"):
        elapsed.with_queries(pd.Timestamp("2024-01-02"))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"time_unit": "step"}, r"need a time_unit of fixed length, one of \['ns', .*\]; got 'step'"),
        ({"origin": pd.Timestamp("2024-01-01", tz="UTC")}, r"times without a time zone cannot be counted from"),
        ({"origin": pd.Timedelta(0)}, r"got calendar times"),
    ],
)
def test_clocks_that_do_not_fit(arguments, text):
    """Units of unknown length and mixed zones."""
    with pytest.raises(ValueError, match=text):
        IrregularPanel.from_long(frame_of(pd.to_datetime(["2024-01-01"])), **arguments)


def test_mixed_zones_in_one_column():
    """Each row in another zone is no one clock, unless converted first."""
    stamps = [pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2024-01-01", tz="Europe/Paris")]
    with pytest.raises(ValueError, match=r"mixes what cannot be one kind of time .*utc=True"):
        IrregularPanel.from_long(frame_of(pd.Series(stamps, dtype=object)))


def test_times_out_of_reach():
    """Nanoseconds that overflow say so instead of wrapping round."""
    times = pd.DatetimeIndex(["1700-01-01", "2250-01-01"]).as_unit("ns")
    with pytest.raises(ValueError, match=r"times reach too far from the origin .* use dt.as_unit\('us'\)"):
        IrregularPanel.from_long(frame_of(times))
    far = pd.DatetimeIndex(np.array(["0900-01-01", "2900-01-01"], dtype="M8[s]"))
    assert IrregularPanel.from_long(frame_of(far)).to_long()["time"].tolist() == far.tolist()


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**12), max_size=5))
def test_another_origin_names_the_same_instants(old: int, new: int, ticks: list[int]):
    """Moving the origin loses no microsecond."""
    first, second = (pd.Timestamp(np.datetime64(at, "us")) for at in (old, new))
    hours = np.array(ticks) / 3.6e9
    moved = move_origin(hours, "h", first, second)
    assert (to_ticks(moved, "h", "us") + new).tolist() == [old + tick for tick in ticks]


@settings(max_examples=40)
@given(st.lists(st.integers(0, 10**14), min_size=2, max_size=6, unique=True), st.integers(1, 5))
def test_concat_keeps_instants(ticks: list[int], cut: int):
    """Panels that were read apart have other origins, and join on one clock."""
    assume(cut < len(ticks))
    times = pd.DatetimeIndex(np.array(ticks).astype("M8[us]")).tz_localize("UTC")
    parts = [IrregularPanel.from_long(frame_of(part)).with_queries(part[0]) for part in (times[:cut], times[cut:])]
    both = IrregularPanel.concat(parts, ignore_records=True)
    events = both.to_long().dropna()["time"].tolist()
    assert events == sorted_times(times[:cut]) + sorted_times(times[cut:])
    assert both.origin == times[:cut].min()
    assert both.to_long().loc[lambda frame: frame["value"].isna(), "time"].tolist() == [times[0], times[cut]]
