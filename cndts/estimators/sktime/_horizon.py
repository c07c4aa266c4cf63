"""sktime's forecasting horizons as times of every instance."""

from typing import Any

import numpy as np
import pandas as pd
from sktime.forecasting.base import ForecastingHorizon

from cndts.estimators.sktime._clock import Clock
from cndts.estimators.sktime._series import Series


def labels_of(fh: ForecastingHorizon, series: Series, cutoff: pd.Index) -> list[pd.Index]:
    """Time labels to forecast, one index for each instance.

    An absolute horizon is the same for all; a relative one counts from the last time of each instance.

    Raises
    ------
    ValueError
        If the horizon is a number of steps and the series has no frequency.
    """
    if not fh.is_relative:
        return [fh.to_pandas()] * len(series.instances)
    steps = fh.to_pandas()
    if isinstance(steps, pd.TimedeltaIndex) and series.clock.kind != "integers":
        return [steps + last for last in series.last]
    return [_absolute(fh, last, cutoff) for last in series.last]


def length_of(fh: ForecastingHorizon | None, series: Series, from_last: bool) -> float | None:
    """How far ahead a horizon reaches, in the time unit of the series; None where it does not tell.

    An absolute horizon is measured from the last time of the series, or from its own first time.
    """
    if fh is None or len(fh) == 0:
        return None
    labels = fh.to_pandas()
    if fh.is_relative:
        steps = labels[-1]
        reach = series.clock.length(steps) if isinstance(steps, pd.Timedelta) else int(steps) * _typical_gap(series)
    else:
        time = series.clock.read(labels)
        start = series.clock.read(series.last).max() if from_last else time.min()
        reach = float(time.max() - start)
    return reach if reach > 0 else None


def _absolute(fh: ForecastingHorizon, last: Any, cutoff: pd.Index) -> pd.Index:
    frequency = getattr(cutoff, "freq", None) or fh.freq
    try:
        if frequency is not None:
            fh = ForecastingHorizon(fh.to_pandas(), is_relative=True, freq=frequency)
        start = pd.DatetimeIndex([last], freq=frequency) if isinstance(last, pd.Timestamp) else pd.Index([last])
        return fh.to_absolute_index(start)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"the horizon counts steps ({list(fh.to_pandas())}), and the series at hand has no frequency to count them in "
            f"({type(cutoff).__name__} ending at {last}). Give durations, ForecastingHorizon(pandas.to_timedelta(...)), or "
            "absolute times, ForecastingHorizon(index, is_relative=False)."
        ) from error


def _typical_gap(series: Series) -> float:
    gap = np.diff(series.panel.time)
    gap = gap[gap > 0]  # steps to the next record fall, and simultaneous values make no step
    return float(np.median(gap)) if len(gap) else 1.0


def horizon_length(clock: Clock, horizon: object) -> float:
    """A duration that a user gave.

    Raises
    ------
    ValueError
        If it is not positive.
    """
    length = clock.length(horizon)
    if not length > 0:
        raise ValueError(
            f"horizon must be positive; got {horizon!r}. Give a Timedelta or a number of {clock.time_unit!r}."
        )
    return length
