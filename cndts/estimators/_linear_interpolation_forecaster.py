"""Straight lines between observations, and a choice of how to go on after the last one."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from cndts._panel_histories import ChannelHistories, Index
from cndts._panel_neighbours import ChannelNeighbours
from cndts._panel_queries import check_asks
from cndts.estimators._base import BaseForecaster
from cndts.estimators._channel_search import search_by_channel
from cndts.panel import IrregularPanel
from cndts.targets import Targets

_DECADES = 1e4


class LinearInterpolationForecaster(BaseForecaster):
    r"""Interpolate a channel linearly between the observations around a query.

    Unlike the other forecasters, this one reads events *after* a query where the panel has them. Before the first observation it answers with the first value, and for a channel that the record
    never observes with the channel's mean. Values of one channel at one time are averaged.

    Parameters
    ----------
    extrapolation : {"last", "damped-trend"}, default="last"
        What follows the last observation: its value, or the line through the last two observations, levelling off.
    damping_time : float, optional
        Time constant of the levelling in time units, for ``"damped-trend"``; None fits one to each channel.

    Attributes
    ----------
    damping_times_ : ndarray of shape (n_channels,)
        Time constants in use (only for ``"damped-trend"``); near zero where no training target tells them.

    Notes
    -----
    The damped trend of Gardner and McKenzie (1985) in continuous time: with the slope :math:`s` between the last two
    observations, age :math:`a` of the last one and time constant :math:`\tau`,

    .. math:: \hat{x} = x^\mathrm{last} + s \tau (1 - e^{-a / \tau}).

    See Also
    --------
    LinearInterpolator : for gaps inside the span; its intervals go by the distance to the neighbours.

    Examples
    --------
    >>> from cndts.queries import Queries
    >>> queries = Queries([0, 2], [1.0, 5.0], [0, 0])
    >>> X = IrregularPanel([0, 2], [0.0, 2.0], [0, 0], [1.0, 3.0], channels=["x"], queries=queries)
    >>> y = Targets(queries, [2.0, 3.0], X.records, X.channels)
    >>> np.asarray(LinearInterpolationForecaster().fit(X, y).predict(X))
    array([2., 3.], dtype=float32)
    >>> trend = LinearInterpolationForecaster(extrapolation="damped-trend", damping_time=1.0).fit(X, y)
    >>> np.asarray(trend.predict(X)).round(2)
    array([2.  , 3.95], dtype=float32)
    """

    reads_later_events: ClassVar[bool] = True
    reads_static: ClassVar[bool] = False

    def __init__(
        self, extrapolation: Literal["last", "damped-trend"] = "last", *, damping_time: float | None = None
    ) -> None:
        self.extrapolation = extrapolation
        self.damping_time = damping_time

    def _fit(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None) -> None:
        if self.extrapolation not in ("last", "damped-trend"):
            raise ValueError(f"extrapolation must be 'last' or 'damped-trend'; got {self.extrapolation!r}.")
        if self.damping_time is not None and not self.damping_time > 0:
            raise ValueError(f"damping_time must be positive (time units) or None; got {self.damping_time!r}.")
        if self.extrapolation == "damped-trend":
            self.damping_times_ = self._fit_damping(X, y)

    def _fit_damping(self, X: IrregularPanel, y: Targets) -> NDArray[np.float64]:
        if self.damping_time is not None:
            return np.full(self.n_channels_in_, float(self.damping_time))
        found = ChannelNeighbours.of(X)
        histories, before = found.histories, found.before
        beyond = (found.after < 0) & (histories.previous(before) >= 0)
        before, channel = before[beyond], y.channel[beyond]
        age, slope = y.time[beyond] - histories.time_of(before), _slope(histories, before)
        target = y.value[beyond] - histories.value_of(before)
        typical = float(np.median(age[age > 0])) if (age > 0).any() else 1.0
        return search_by_channel(
            lambda damping: target - slope * _levelling(age, damping),
            channel,
            self.n_channels_in_,
            typical / _DECADES,
            typical * _DECADES,
        )

    def _predict(self, X: IrregularPanel) -> NDArray[np.float64]:
        channel, found = check_asks(X).channel, ChannelNeighbours.of(X)
        forecast = found.line
        if self.extrapolation == "damped-trend":
            trend = self._trend(found.histories, found.before, found.age, channel)
            forecast += np.where(found.after < 0, trend, 0.0)
        return np.where(np.isnan(forecast), self.channel_means_[channel], forecast)

    def _trend(
        self, histories: ChannelHistories, before: Index, age: NDArray[np.float64], channel: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        return np.nan_to_num(_slope(histories, before) * _levelling(age, self.damping_times_[channel]))


def _slope(histories: ChannelHistories, row: Index) -> NDArray[np.float64]:
    previous = histories.previous(row)
    rise = histories.value_of(row) - histories.value_of(previous)
    return rise / (histories.time_of(row) - histories.time_of(previous))


def _levelling(age: NDArray[np.float64], damping: NDArray[np.float64]) -> NDArray[np.float64]:
    return -damping * np.expm1(-age / damping)
