"""Six real data sets as records to forecast and to fill: what is added to those of the ablation."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cndts import Extrapolation, Interpolation, IrregularPanel, Targets
from cndts.datasets import read_beijing_air, read_physionet2019, read_ticks
from cndts.tasks import RecordSplit

sys.path.append(str(Path(__file__).resolve().parents[1] / "ablation"))

from tasks import TASKS, Parts, forecasts, moments, windows

OBSERVED = 0.5
KEPT_QUOTES, KEPT_HOURS = 0.2, 0.1


class Field(NamedTuple):
    """A data set, cut and scaled, and the edges of the horizons, and of the gaps, that errors are reported by."""

    parts: Callable[[list[str]], Parts]
    observe: float
    bands: Sequence[float]
    gaps: Sequence[float]
    unit: str


def physionet2019(paths: list[str]) -> Parts:
    """Twelve hours of vital signs and laboratory values after the first day, where a stay lasts that long.

    60 % of the patients train, 20 % choose, 20 % test.
    """
    return forecasts(read_physionet2019(paths).with_outcomes(None), observe=24, horizon=12)


def fx(paths: list[str]) -> Parts:
    """Moves of the mid price over five minutes after ten, in basis points from the last price before the cut.

    One quote in five, drawn with seed 0, of two currency pairs side by side. Windows follow each other without overlap. The first
    days train, those after them choose, the last ones test. Forecasting no move is what the last value says.
    """
    ticks = read_ticks(paths, prices="bp")
    quotes = windows(by_day(ticks), length=900, stride=900)
    thinned = quotes.where(np.random.default_rng(0).random(quotes.n_events) < KEPT_QUOTES)
    return chronological(moves(thinned, cut=600), np.unique(thinned.groups, return_inverse=True)[1], 600, 300)


def beijing(paths: list[str]) -> Parts:
    """A day of air and weather after a week of it, of which one value in ten is known.

    Eight days follow each other without overlap at each of twelve stations. The first 60 % of the four years train, the next 20 %
    choose, the last 20 % test: stations of one city on one day are no strangers. Wind directions, which wrap around, are left out.
    """
    hourly = read_beijing_air(paths)
    numbers = [name for name in hourly.channels if name != "WD"]
    hourly = hourly.where(np.isin(np.array(hourly.channels)[hourly.channel], numbers)).with_channels(numbers)
    sparse = hourly.where(np.random.default_rng(0).random(hourly.n_events) < KEPT_HOURS)
    week = windows(sparse, length=192, stride=192)
    return chronological(week, np.array([float(str(name).rsplit(" ", 1)[1]) for name in week.records]), 168, 24)


FIELDS = {
    "physionet2012": Field(TASKS["physionet2012"], 24, (0, 3, 6, 12, 24), (1.5, 3, 6, 12), "h"),
    "physionet2019": Field(physionet2019, 24, (0, 3, 6, 12), (1.5, 3, 6, 12), "h"),
    "ushcn": Field(TASKS["ushcn"], 365, (0, 7, 14, 30), (7, 14, 30), "D"),
    "fx": Field(fx, 600, (0, 30, 60, 120, 300), (5, 15, 60), "s"),
    "batteryless": Field(TASKS["batteryless"], 60, (0, 1, 2, 5), (0.5, 1, 2), "s"),
    "beijing": Field(beijing, 168, (0, 3, 6, 12, 24), (6, 12, 24, 48), "h"),
}


def interpolation(parts: Parts) -> Parts:
    """The same records, whole: half of the events are hidden and asked for."""
    task = Interpolation(observed=OBSERVED, random_state=0)
    return Parts(*(task.split(whole(X, y)) for X, y in parts))


def whole(X: IrregularPanel, y: Targets) -> IrregularPanel:
    """Context and targets as events of one record again."""
    record = np.concatenate([X.record, y.record])
    time = np.concatenate([X.time, y.time])
    order = np.lexsort((time, record))
    return IrregularPanel(
        np.searchsorted(record[order], np.arange(len(X) + 1)),
        time[order],
        np.concatenate([X.channel, y.channel])[order],
        np.concatenate([X.value, y.value])[order],
        records=X.records,
        channels=X.channels,
        static=X.static,
        time_unit=X.time_unit,
        groups=X.groups,
    )


def some(part: tuple[IrregularPanel, Targets], limit: int | None) -> tuple[IrregularPanel, Targets]:
    """At most so many records, drawn with seed 0, in their order."""
    X, y = part
    if limit is None or limit >= len(X):
        return part
    rows = np.sort(np.random.default_rng(0).choice(len(X), limit, replace=False))
    return X[rows], y[rows]


def by_day(ticks: IrregularPanel) -> IrregularPanel:
    """Mid prices of all symbols of a day as channels of one record, in seconds since the first midnight."""
    symbols = sorted(ticks.static["Symbol"].unique())
    days = sorted(set(ticks.groups))
    is_mid = ticks.channel == ticks.channels.index("mid")
    mid = ticks.where(is_mid)
    symbol = np.searchsorted(symbols, ticks.static["Symbol"].to_numpy())[mid.record]
    day = np.searchsorted(days, np.asarray(ticks.groups))[mid.record]
    order = np.lexsort((symbol, mid.time, day))
    return IrregularPanel(
        np.searchsorted(day[order], np.arange(len(days) + 1)),
        mid.time[order],
        symbol[order],
        mid.value[order],
        records=[str(day) for day in days],
        channels=symbols,
        time_unit=ticks.time_unit,
    )


def moves(panel: IrregularPanel, cut: float) -> IrregularPanel:
    """Values minus the last one of their record and channel before the cut; channels without one are left out."""
    last = np.full((len(panel), len(panel.channels)), np.nan)
    before = panel.time < cut
    last[panel.record[before], panel.channel[before]] = panel.value[before]
    value = panel.value - last[panel.record, panel.channel]
    kept = ~np.isnan(value)
    return IrregularPanel._trusted(panel.where(kept), value=value[kept].astype(np.float32))


def chronological(panel: IrregularPanel, when: NDArray, observe: float, horizon: float) -> Parts:
    """Split by time instead of by group, then as the ablation does: deviations of the training records."""
    task = Extrapolation(observe, horizon)
    X, y = task.split(panel)
    asked = np.flatnonzero((np.diff(y.offsets) > 0) & (np.diff(X.offsets) > 0))
    panel, when = panel[asked], when[asked]
    moments_of_time = np.unique(when)
    first, second = (moments_of_time[int(share * len(moments_of_time))] for share in (0.6, 0.8))
    ids = (when < first, (when >= first) & (when < second), when >= second)
    parts = RecordSplit(*(panel.records[part] for part in ids)).apply(panel)
    mean, deviation = moments(parts[0])
    return Parts(*(task.split(part.scale_values(mean, deviation)) for part in parts))
