"""A temporal splitter that cuts at a time, not at a number of rows."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sktime.split.base import BaseSplitter

from cndts.estimators.sktime._named_parts import NamedParts
from cndts.estimators.sktime._series import instance_codes, time_level

Time = pd.Timestamp | pd.Timedelta | pd.Period | str | int
Duration = pd.Timedelta | str | int


class TimeCutSplitter(NamedParts, BaseSplitter):
    """Train before a time, test from it on, in every instance.

    sktime's own temporal splitters count rows or look up exact labels, and ask for a frequency; this one does neither, so
    that irregular series, and panels whose instances have times of their own, go through ``evaluate`` and
    ``ForecastingBenchmark``. One cut gives one fold.

    Parameters
    ----------
    cuts : time, duration, or sequence of such
        Where to cut: a time like those of the index, or a duration after the first time of each instance. Durations are
        timedeltas, also as text (``"24h"``); on an index of timedeltas they are times unless ``since="first"``. On an index of
        integers or periods an integer is a time, or with ``since="first"`` a number of steps.
    horizon : duration, optional
        Length of the test window; up to the end by default.
    since : {"auto", "first"}, default="auto"
        ``"first"`` counts cuts from the first time of each instance. ``"auto"`` does so where a cut is a duration and the
        index holds calendar times.

    Notes
    -----
    A row is tested if ``cut <= time <= cut + horizon``, as in `cndts.Extrapolation`. An instance without a row before the
    cut is left out of the test too, as sktime could not forecast it. ``fh`` is None: ``evaluate`` asks for the test times.

    Examples
    --------
    >>> import pandas as pd
    >>> from cndts.estimators.sktime import TimeCutSplitter
    >>> time = pd.to_datetime(["2024-01-01 00:10", "2024-01-01 07:30", "2024-01-02 01:00", "2024-01-02 05:00"])
    >>> splitter = TimeCutSplitter("24h", horizon="2h")
    >>> [(train.tolist(), test.tolist()) for train, test in splitter.split(pd.Series([1.0, 2.0, 3.0, 4.0], index=time))]
    [([0, 1], [2])]
    """

    _tags: ClassVar[dict[str, Any]] = {
        "authors": "cndts developers",
        "maintainers": "cndts developers",
        "split_hierarchical": True,
        "split_series_uses": "iloc",
    }

    def __init__(
        self, cuts: Time | Duration | Sequence[Time | Duration], horizon: Duration | None = None, since: str = "auto"
    ) -> None:
        self.cuts = cuts
        self.horizon = horizon
        self.since = since
        super().__init__()
        self.fh = None  # sktime 1.1 would put 1 here

    def get_n_splits(self, y: Any = None) -> int:
        """Number of folds: one for each cut.

        Parameters
        ----------
        y : ignored

        Returns
        -------
        int
        """
        return len(self._cuts())

    def _split(self, y: pd.Index) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        if self.since not in ("auto", "first"):
            raise ValueError(f'since must be "auto" or "first"; got {self.since!r}.')
        code, _ = instance_codes(y)
        times = time_level(y)
        for cut in self._cuts():
            yield self._fold(code, times, cut)

    def _fold(
        self, code: NDArray[np.int64], times: pd.Index, cut: Time | Duration
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        start = self._start(code, times, cut)
        is_train, is_test = np.asarray(times < start), np.asarray(times >= start)
        if self.horizon is not None:
            is_test &= np.asarray(times <= start + _duration(self.horizon, times))
        has_train = np.bincount(code, is_train, minlength=int(code.max(initial=-1)) + 1) > 0
        is_test &= has_train[code]
        if not is_train.any() or not is_test.any():
            raise ValueError(
                f"the cut {cut!r} leaves {int(is_train.sum())} rows to train on and {int(is_test.sum())} to test, of "
                f"{len(times)} from {times.min()} to {times.max()}. Cut inside that span; durations count from the first time "
                "of each instance."
            )
        return np.flatnonzero(is_train), np.flatnonzero(is_test)

    def _start(self, code: NDArray[np.int64], times: pd.Index, cut: Time | Duration) -> Any:
        """Where the test of each row's instance starts: one time, or one for each row."""
        calendar = isinstance(times, pd.DatetimeIndex)
        elapsed = _as_timedelta(cut) if calendar else None
        if self.since == "auto" and elapsed is None:
            return _time(cut, times)
        order = np.lexsort((times.asi8 if hasattr(times, "asi8") else times.to_numpy(), code))
        first = order[np.concatenate([[0], np.cumsum(np.bincount(code))[:-1]])]
        return times[first][code] + (_duration(cut, times) if elapsed is None else elapsed)

    def _cuts(self) -> list[Time | Duration]:
        is_one = isinstance(self.cuts, str) or not isinstance(self.cuts, (Sequence, np.ndarray, pd.Index))
        return [self.cuts] if is_one else list(self.cuts)  # type: ignore[list-item, arg-type]

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Settings that sktime's conformance tests run with.

        Parameters
        ----------
        parameter_set : str
            Ignored.

        Returns
        -------
        list of dict
        """
        return [{"cuts": "5D"}, {"cuts": ["4D", "6D"], "horizon": "3D", "since": "first"}]


def _as_timedelta(cut: object) -> pd.Timedelta | None:
    """The duration that a cut of calendar times means; None if it is a time."""
    if isinstance(cut, (pd.Timedelta, np.timedelta64)):
        return pd.Timedelta(cut)
    if isinstance(cut, str):
        try:
            return pd.Timedelta(cut)
        except ValueError:
            return None
    return None


def _time(cut: Any, times: pd.Index) -> Any:
    """A time comparable with the index."""
    if isinstance(times, pd.DatetimeIndex):
        if isinstance(cut, (int, float, np.integer)):
            raise TypeError(f"cuts of calendar times are times or durations ('24h'); got the number {cut!r}.")
        stamp = pd.Timestamp(cut)
        return stamp.tz_localize(times.tz) if stamp.tz is None and times.tz is not None else stamp
    if isinstance(times, pd.TimedeltaIndex):
        return _duration(cut, times)
    if isinstance(times, pd.PeriodIndex):
        return pd.Period(cut, freq=times.freqstr) if isinstance(cut, str) else cut
    return cut


def _duration(length: Any, times: pd.Index) -> Any:
    """A duration that can be added to the index."""
    if isinstance(times, (pd.DatetimeIndex, pd.TimedeltaIndex)):
        if isinstance(length, (int, float, np.integer)):
            raise TypeError(f"durations of {type(times).__name__} are timedeltas ('24h'); got the number {length!r}.")
        return pd.Timedelta(length)
    return length
