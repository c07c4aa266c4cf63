"""Times of a pandas index as numbers of a unit."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._panel_time import NANOSECONDS, Origin, read_times

_KINDS = {
    pd.DatetimeIndex: "datetimes",
    pd.TimedeltaIndex: "timedeltas",
    pd.PeriodIndex: "periods",
}


@dataclass(frozen=True)
class Clock:
    """How the time level of an sktime container is counted.

    Parameters
    ----------
    kind : {"datetimes", "timedeltas", "periods", "integers"}
        Type of the index. Periods and integers are counted in steps.
    time_unit : str
        Unit of the numbers; ``"step"`` for periods and integers.
    origin : Timestamp, Timedelta or None
        What the numbers count from.
    frequency : str or None
        Of periods.
    """

    kind: str
    time_unit: str
    origin: Origin
    frequency: str | None = None

    @classmethod
    def of(cls, index: pd.Index, time_unit: str) -> Self:
        """The clock of an index; datetimes are counted from the earliest."""
        kind = _kind(index)
        if isinstance(index, pd.DatetimeIndex):
            start = index.min() if len(index) else pd.Timestamp(0, tz=index.tz)
            return cls(kind, time_unit, start.as_unit(index.unit))
        if isinstance(index, pd.TimedeltaIndex):
            return cls(kind, time_unit, pd.Timedelta(0).as_unit(index.unit))
        return cls(kind, "step", None, index.freqstr if isinstance(index, pd.PeriodIndex) else None)

    def read(self, index: pd.Index) -> NDArray[np.float64]:
        """Numbers of ``time_unit`` since the origin, shape (n_times,)."""
        kind = _kind(index)
        if kind != self.kind:
            raise TypeError(
                f"times must be {self.kind}, as in the series before; got {kind} ({type(index).__name__}). "
                "Give all series and absolute horizons the same type of index."
            )
        if kind == "integers":
            return np.asarray(index, dtype=np.float64)
        if isinstance(index, pd.PeriodIndex):
            return _ordinals(index, self.frequency)
        return read_times(pd.Series(index), self.time_unit, self.origin, "row {}".format)[0]

    def length(self, step: object) -> float:
        """A duration in ``time_unit``: a Timedelta or a number."""
        if not isinstance(step, (pd.Timedelta, np.timedelta64)):
            return float(step)  # type: ignore[arg-type]
        if self.origin is None:
            raise TypeError(
                f"the series has {self.kind}, which a Timedelta cannot measure; got {step!r}. Give a number."
            )
        return pd.Timedelta(step).to_timedelta64() / np.timedelta64(NANOSECONDS[self.time_unit], "ns")


def _kind(index: pd.Index) -> str:
    for form, kind in _KINDS.items():
        if isinstance(index, form):
            return kind
    if index.dtype.kind in "iu":
        return "integers"
    raise TypeError(
        f"sktime's times are datetimes, timedeltas, periods or integers; got {type(index).__name__} of {index.dtype}. "
        "Turn numbers of hours into pandas.to_timedelta(hours, unit='h')."
    )


def _ordinals(index: pd.PeriodIndex, frequency: str | None) -> NDArray[np.float64]:
    return (index if index.freqstr == frequency else index.asfreq(frequency)).asi8.astype(np.float64)
