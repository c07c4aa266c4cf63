"""Panels become sktime containers and come back unchanged."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("sktime", reason='sktime is absent: pip install "cndts[sktime]"')

from sktime.datatypes import check_raise, convert

from cndts import IrregularPanel
from cndts.datasets import make_icu
from cndts.estimators.sktime import from_sktime, to_sktime

START = pd.Timestamp("2000-01-01")


SECONDS = {"s": 1, "min": 60, "h": 3600, "D": 86400}


@st.composite
def clocked_panels(draw: st.DrawFn) -> IrregularPanel:
    """Times to the second, to the minute as PhysioNet has them, or to the unit, counted in any unit; records may be empty."""
    n_records = draw(st.integers(1, 4))
    unit = draw(st.sampled_from(sorted(SECONDS)))
    step = draw(st.sampled_from([1, 60, SECONDS[unit]]))
    cell = st.tuples(st.integers(0, n_records - 1), st.integers(0, 86400 * 90 // step), st.integers(0, 1))
    cells = sorted(draw(st.sets(cell, min_size=1, max_size=20)))
    record, steps, channel = (np.array(part) for part in zip(*cells, strict=True))
    value = np.arange(len(cells), dtype=np.float32) / 7
    offsets = np.concatenate([[0], np.cumsum(np.bincount(record, minlength=n_records))])
    return IrregularPanel(
        offsets,
        steps * step / SECONDS[unit],
        channel,
        value,
        records=[f"r{i}" for i in range(n_records)],
        channels=["HR", "Temp"],
        time_unit=unit,
    )


@given(clocked_panels())
def test_numbers_to_timedeltas_and_back(panel: IrregularPanel) -> None:
    """Every time, value, record and channel comes back, to the last bit; in between times are whole seconds."""
    frame = to_sktime(panel)
    seconds = np.rint(panel.time * SECONDS[panel.time_unit]).astype(int)
    assert isinstance(frame.index.levels[-1], pd.TimedeltaIndex)
    assert set(frame.index.levels[-1]) - {pd.Timedelta(0)} == set(pd.to_timedelta(seconds, unit="s")) - {
        pd.Timedelta(0)
    }
    assert from_sktime(frame, time_unit=panel.time_unit).equals(panel)


@given(clocked_panels(), st.sampled_from([None, "Europe/Paris"]))
def test_numbers_to_datetimes_and_back(panel: IrregularPanel, zone: str | None) -> None:
    origin = pd.Timestamp("2023-03-25", tz=zone)  # summer time begins a day later
    frame = to_sktime(panel, origin=origin)
    assert from_sktime(frame, time_unit=panel.time_unit, origin=origin).equals(panel)


def test_generated_records_are_valid_containers() -> None:
    frame = to_sktime(make_icu(5, random_state=0))
    check_raise(frame, "pd-multiindex")
    assert from_sktime(frame).n_events == make_icu(5, random_state=0).n_events


def test_calendar_times_stay() -> None:
    time = pd.to_datetime(["2024-03-31 00:30", "2024-03-31 03:10"]).tz_localize("Europe/Paris")
    panel = IrregularPanel.from_wide(pd.DataFrame({"record": ["a", "a"], "time": time, "HR": [1.0, 2.0]}))
    frame = to_sktime(panel)
    assert frame.index.get_level_values("time").tolist() == time.tolist()
    assert from_sktime(frame).equals(panel)


def test_df_list_and_hierarchies() -> None:
    first = pd.DataFrame({"HR": [1.0, 2.0]}, index=START + pd.to_timedelta([0, 90], unit="min"))
    panel = from_sktime([first, first.iloc[:1]])
    assert (panel.counts.tolist(), panel.time.tolist()) == ([2, 1], [0.0, 1.5, 0.0])
    nested = pd.concat({"ward": pd.concat({"x": first, "y": first})}, names=["ward", "bed", "time"])
    assert from_sktime(nested).records.tolist() == ["ward / x", "ward / y"]
    assert from_sktime(convert(nested.droplevel(0), "pd-multiindex", "df-list")).n_events == 4


def test_integers_and_periods_are_steps() -> None:
    counted = from_sktime(pd.Series([1.0, 2.0], index=[3, 7], name="HR"))
    assert (counted.time.tolist(), counted.time_unit) == ([3.0, 7.0], "step")
    monthly = from_sktime(pd.Series([1.0, 2.0], index=pd.PeriodIndex(["2024-01", "2024-03"], freq="M")))
    assert np.diff(monthly.time).tolist() == [2.0]
    back = to_sktime(counted)
    assert back.index.get_level_values("time").tolist() == [3, 7]


def test_times_that_cannot_be_held_are_refused() -> None:
    panel = IrregularPanel([0, 1], [np.nextafter(1.0, 2.0)], [0], [1.0])
    with pytest.raises(ValueError, match="cannot be held exactly in nanoseconds; .*exact=False"):
        to_sktime(panel)
    assert to_sktime(panel, exact=False).index[0][1] == pd.Timedelta("1h")


def test_broken_steps_are_refused() -> None:
    panel = IrregularPanel([0, 1], [0.5], [0], [1.0], time_unit="step")
    with pytest.raises(ValueError, match="must be integers for sktime; got .*0.5"):
        to_sktime(panel)


def test_float_times_are_refused() -> None:
    with pytest.raises(TypeError, match="to_timedelta"):
        from_sktime(pd.Series([1.0], index=[0.5]))
