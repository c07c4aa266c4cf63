"""Where a value stands among the training values of its channel."""

from __future__ import annotations

from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cndts.transforms._channel_scaler import ChannelScaler
from cndts.transforms._fitted_channels import segments


class ChannelQuantileTransformer(ChannelScaler):
    r"""Map each channel onto a uniform or normal distribution: what counts is where a value stands among the training values.

    Between the fitted quantiles the map is linear, beyond the extremes it goes on with the mean slope of the whole range, so that it can be
    undone everywhere (scikit-learn's clips there). See `ChannelScaler` for what scaling a panel means for targets.

    Parameters
    ----------
    n_quantiles : int, default=101
        Quantiles of the training values that are kept, at most as many as there are different values; 2 or more.
    output_distribution : {"normal", "uniform"}, default="normal"
        The distribution that training values get: standard normal, or uniform on 0 to 1.

    Attributes
    ----------
    knots_ : list of (ndarray, ndarray)
        For each channel rising values and what they become; empty for a channel without training values.

    Examples
    --------
    >>> from cndts import IrregularPanel
    >>> panel = IrregularPanel([0, 5], range(5), [0] * 5, [7.2, 7.3, 7.4, 7.5, 735.0], channels=["pH"])
    >>> scaler = ChannelQuantileTransformer(5, "uniform").fit(panel)
    >>> scaler.transform(panel).value.round(2)
    array([0.1, 0.3, 0.5, 0.7, 0.9], dtype=float32)
    """

    def __init__(self, n_quantiles: int = 101, output_distribution: Literal["normal", "uniform"] = "normal") -> None:
        self.n_quantiles = n_quantiles
        self.output_distribution = output_distribution

    def _measure(self, channel: NDArray[np.int32], value: NDArray[np.float64], n_channels: int) -> None:
        if self.n_quantiles < 2:
            raise ValueError(f"n_quantiles must be 2 or more; got {self.n_quantiles!r}.")
        if self.output_distribution not in ("normal", "uniform"):
            raise ValueError(f'output_distribution must be "normal" or "uniform"; got {self.output_distribution!r}.')
        self.knots_ = [self._knots(own) for own in segments(channel, value, n_channels)]

    def _knots(self, ordered: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if not len(ordered):
            return ordered, ordered
        n_knots = min(self.n_quantiles, len(ordered))
        level = (np.arange(n_knots) + 0.5) / n_knots
        row = np.rint(np.linspace(0, len(ordered) - 1, n_knots)).astype(np.int64)
        values, which = np.unique(ordered[row], return_inverse=True)
        # a value that several quantiles share gets the middle of their levels
        level = np.bincount(which, level) / np.bincount(which)
        if self.output_distribution == "normal":
            level = np.array([NormalDist().inv_cdf(each) for each in level])
        return values, level

    def _forward(self, channel: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._mapped(channel, value, self.knots_)

    def _backward(self, channel: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._mapped(channel, value, [(levels, values) for values, levels in self.knots_])

    def _mapped(self, channel: NDArray, value: NDArray, knots: list[tuple[NDArray, NDArray]]) -> NDArray[np.float64]:
        mapped = np.array(value, dtype=np.float64)
        for at in np.unique(channel):
            own = channel == at
            x, y = knots[at]
            mapped[own] = _through(x, y, mapped[own])
        return mapped


def _through(x: NDArray[np.float64], y: NDArray[np.float64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """The line through the knots, continued with its mean slope; slope 1 through a single knot."""
    if not len(x):
        return value
    slope = (y[-1] - y[0]) / (x[-1] - x[0]) if len(x) > 1 else 1.0
    beyond = np.minimum(value - x[0], 0.0) + np.maximum(value - x[-1], 0.0)
    return np.interp(value, x, y) + slope * beyond
