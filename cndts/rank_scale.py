"""Where a value stands among the training values of its channel."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_N_KNOTS = 101
# A uniform variable on [-1/2, 1/2] times this has unit variance.
_UNIT = np.sqrt(12.0)


@dataclass(frozen=True, eq=False)
class RankScale:
    """Empirical distribution function of each channel, as a bounded score of unit variance.

    A single mistyped value (pH 735) makes the standard deviation of its channel useless and squeezes all true values
    together. Ranks do not care: they show a network what trees see.

    Parameters
    ----------
    knots : ndarray of shape (n_channels, n_knots)
        Evenly spaced empirical quantiles, from the minimum to the maximum; NaN for a channel never seen.

    Examples
    --------
    >>> scale = RankScale.fit(np.zeros(5, dtype=int), np.array([7.2, 7.3, 7.4, 7.5, 735.0]), n_channels=1)
    >>> scale.score(np.zeros(3, dtype=int), np.array([7.2, 7.4, 900.0])).round(2)
    array([-1.52,  0.  ,  1.73], dtype=float32)
    """

    knots: NDArray[np.float64]

    @classmethod
    def fit(cls, channel: NDArray, value: NDArray, n_channels: int) -> "RankScale":
        """Measure training values: channels and values of shape (n,)."""
        order = np.lexsort((value, channel))
        ordered = value[order].astype(np.float64)
        count = np.bincount(channel, minlength=n_channels)
        first = np.concatenate([[0], np.cumsum(count)])[:-1]
        share = np.linspace(0, 1, _N_KNOTS)
        row = first[:, None] + np.rint(share * np.maximum(count[:, None] - 1, 0)).astype(np.int64)
        knots = ordered[np.minimum(row, max(len(ordered) - 1, 0))] if len(ordered) else np.zeros(row.shape)
        return cls(np.where(count[:, None] > 0, knots, np.nan))

    @classmethod
    def unknown(cls, n_channels: int) -> "RankScale":
        """Channels of which nothing was seen: every score is 0."""
        return cls(np.full((n_channels, _N_KNOTS), np.nan))

    def without_extremes(self, channel: NDArray, value: NDArray) -> NDArray[np.float64]:
        """Values of shape (n,) clipped to the range of the middle 98 % of training values, thrice as wide.

        Where the middle values are all alike (rare spikes over a constant), nothing is clipped.
        """
        low, high = self.knots[channel, 1], self.knots[channel, -2]
        width = np.where(high > low, high - low, np.inf)
        return np.clip(value, low - width, high + width)

    def score(self, channel: NDArray, value: NDArray) -> NDArray[np.float32]:
        """Scores in [-1.73, 1.73] of values of shape (n,), linear between knots; 0 for a channel never seen."""
        _, n_knots = self.knots.shape
        keys = self._keys
        wanted = channel + 1j * value.astype(np.float64)
        start = channel.astype(np.int64) * n_knots
        below = np.clip(np.searchsorted(keys, wanted, side="left") - start, 0, n_knots)
        up_to = np.clip(np.searchsorted(keys, wanted, side="right") - start, 0, n_knots)
        left = np.clip(below - 1, 0, n_knots - 2)
        low, high = self.knots[channel, left], self.knots[channel, left + 1]
        part = np.clip((value - low) / np.where(high > low, high - low, 1.0), 0, 1)
        # A value that several knots share stands in their middle.
        place = np.where(up_to > below, (below + up_to - 1) / 2, left + part)
        return np.nan_to_num(_UNIT * (place / (n_knots - 1) - 0.5) + 0 * low).astype(np.float32)

    @cached_property
    def _keys(self) -> NDArray[np.complex128]:
        """Channel and knot as one sorted list: numpy orders complex numbers by real, then imaginary part."""
        return (np.arange(len(self.knots))[:, None] + 1j * np.nan_to_num(self.knots)).ravel()
