"""Per-channel standardisation and the unit in which a model counts time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cndts.panel import IrregularPanel
from cndts.rank_scale import RankScale
from cndts.targets import Targets

# No value counts as further out than this many deviations: one mistyped number would rule the gradient of its batch.
_FARTHEST = 30.0


@dataclass(frozen=True, eq=False)
class Scaling:
    """Statistics of the training records that turn raw values and times into a model's own units.

    Parameters
    ----------
    mean, std : ndarray of shape (n_channels,)
        Per channel, of its bulk (`RankScale.without_extremes`); mean 0 and std 1 for a channel never seen, std 0 for one
        that never varied.
    time_scale : float
        Panel time that counts as one unit.
    ranks : RankScale
        Where a value stands among its channel's training values.
    span : float, default=0.0
        Time from the first event of a record to its last event or target: the median of the training records. Where it is 0, models
        have no clock of the calendar.

    Examples
    --------
    >>> panel = IrregularPanel([0, 2], time=[0.0, 6.0], channel=[0, 0], value=[70.0, 90.0], channels=["HR", "Temp"])
    >>> scaling = Scaling.fit(panel, None)
    >>> scaling.mean, scaling.std, scaling.time_scale, scaling.span
    (array([80.,  0.]), array([10.,  1.]), 6.0, 6.0)
    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    time_scale: float
    ranks: RankScale
    span: float = 0.0

    @classmethod
    def fit(cls, X: IrregularPanel, y: Targets | None) -> "Scaling":
        """Measure training records: their context and, where given, their targets.

        Parameters
        ----------
        X : IrregularPanel
            Training context with queries (the longest horizon sets the time scale; without queries the span does).
        y : Targets or None
            Training targets; NaN is skipped.

        Returns
        -------
        Scaling
        """
        channel, value = X.channel, X.value.astype(np.float64)
        if y is not None:
            known = ~np.isnan(y.value)
            channel = np.concatenate([channel, y.channel[known]])
            value = np.concatenate([value, y.value[known].astype(np.float64)])
        ranks = RankScale.fit(channel, value, len(X.channels))
        mean, std = _moments(channel, ranks.without_extremes(channel, value), len(X.channels))
        return cls(mean, std, _time_scale(X), ranks, _span(X))

    def standardise(self, channel: NDArray, value: NDArray) -> NDArray[np.float32]:
        """Values of shape (n,) in standard deviations from their channel's mean, at most 30 to either side.

        Where the channel never varied, the plain difference.
        """
        unit = np.where(self.std > 0, self.std, 1.0)
        return np.clip((value - self.mean[channel]) / unit[channel], -_FARTHEST, _FARTHEST).astype(np.float32)

    def score(self, channel: NDArray, value: NDArray) -> NDArray[np.float32]:
        """Rank scores of values of shape (n,), which no outlier can squeeze together."""
        return self.ranks.score(channel, value)

    def restore(self, channel: NDArray, value: NDArray) -> NDArray[np.float64]:
        """Back to the units of the data; ``value`` may have further axes after the first.

        A channel that never varied in training is given its constant: any other number would be noise.
        """
        shape = (-1,) + (1,) * (value.ndim - 1)
        return value * self.std[channel].reshape(shape) + self.mean[channel].reshape(shape)


def _moments(channel: NDArray, value: NDArray, n_channels: int) -> tuple[NDArray, NDArray]:
    """Mean and standard deviation by channel in two passes, so that a large mean does not cost precision."""
    count = np.maximum(np.bincount(channel, minlength=n_channels), 1)
    mean = np.bincount(channel, value, minlength=n_channels) / count
    variance = np.bincount(channel, (value - mean[channel]) ** 2, minlength=n_channels) / count
    # A spread below float32 resolution is rounding noise: dividing by it would blow noise up to unit size.
    constant = variance <= (1e-6 * np.maximum(np.abs(mean), 1e-12)) ** 2
    seen = np.bincount(channel, minlength=n_channels) > 0
    return mean, np.where(constant, np.where(seen, 0.0, 1.0), np.sqrt(variance))


def _time_scale(X: IrregularPanel) -> float:
    filled = np.diff(X.offsets) > 0
    last = np.full(len(X), np.nan)
    last[filled] = X.time[X.offsets[1:][filled] - 1]
    if X.queries is not None and X.queries.n_queries:
        distance = np.abs(X.queries.time - last[X.queries.record])
        distance = distance[np.isfinite(distance)]
    else:
        distance = last[filled] - X.time[X.offsets[:-1][filled]]
    longest = float(distance.max(initial=0.0))
    return longest if longest > 0 else 1.0


def _span(X: IrregularPanel) -> float:
    filled = np.diff(X.offsets) > 0
    if not filled.any():
        return 0.0
    first, last = np.zeros(len(X)), np.full(len(X), -np.inf)
    first[filled], last[filled] = X.time[X.offsets[:-1][filled]], X.time[X.offsets[1:][filled] - 1]
    if X.queries is not None:
        np.maximum.at(last, X.queries.record, X.queries.time)
    return float(np.median((last - first)[filled]))
