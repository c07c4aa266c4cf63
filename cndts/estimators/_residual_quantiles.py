"""Empirical quantiles of forecast residuals by channel and horizon."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

_LEVELS = np.linspace(0.0, 1.0, 401)


class ResidualQuantiles:
    """Quantiles of residuals, one table row for each channel and horizon band.

    Bands hold equal numbers of residuals over all channels; a query without context has a band of its own. A cell with
    fewer than ``min_count`` residuals uses those of its channel in all bands, and a channel with fewer uses those of
    all channels, each in units of its channel's scale.

    Parameters
    ----------
    n_bands : int, default=4
        Number of horizon bands.
    min_count : int, default=50
        Fewest residuals that a table row is estimated from, where there are more to fall back on.

    Attributes
    ----------
    band_edges_ : ndarray of shape (n_bands - 1,)
        Horizons that separate the bands.
    table_ : ndarray of shape (n_channels, n_bands + 1, 401)
        Residual quantiles in channel units at evenly spaced probabilities; the last band is "no context".

    Examples
    --------
    >>> residual = np.linspace(-1.0, 1.0, 101)
    >>> zeros = np.zeros(101, dtype=int)
    >>> quantiles = ResidualQuantiles().fit(residual, zeros, np.linspace(0, 8, 101), scale=[1.0])
    >>> quantiles.predict([0], [4.0], [0.1, 0.5, 0.9]).round(2)
    array([[-0.8,  0. ,  0.8]])
    """

    def __init__(self, n_bands: int = 4, min_count: int = 50) -> None:
        self.n_bands = n_bands
        self.min_count = min_count

    def fit(self, residual: ArrayLike, channel: ArrayLike, horizon: ArrayLike, scale: ArrayLike) -> Self:
        """Tabulate the quantiles.

        Parameters
        ----------
        residual : array-like of shape (n_targets,)
            Target minus forecast.
        channel : array-like of shape (n_targets,)
            Channel position of each residual.
        horizon : array-like of shape (n_targets,)
            Query time minus last context time; NaN without context.
        scale : array-like of shape (n_channels,)
            Positive unit of each channel, in which channels are comparable.
        """
        residual, channel = np.asarray(residual, dtype=np.float64), np.asarray(channel)
        horizon, scale = np.asarray(horizon, dtype=np.float64), np.asarray(scale, dtype=np.float64)
        finite = horizon[np.isfinite(horizon)]
        inner = np.linspace(0, 1, self.n_bands + 1)[1:-1]
        self.band_edges_ = np.quantile(finite, inner) if len(finite) else np.zeros(len(inner))
        n_channels, n_rows = len(scale), self.n_bands + 1
        standard = residual / scale[channel]
        everywhere, _ = _quantile_table(standard, np.zeros(len(residual), dtype=np.int64), 1)
        by_channel, count = _quantile_table(standard, channel, n_channels)
        by_channel = np.where((count < self.min_count)[:, None], everywhere, by_channel)
        cells, count = _quantile_table(standard, channel * n_rows + self._band(horizon), n_channels * n_rows)
        cells = np.where((count < self.min_count)[:, None], np.repeat(by_channel, n_rows, axis=0), cells)
        self.table_ = cells.reshape(n_channels, n_rows, -1) * scale[:, None, None]
        return self

    def predict(self, channel: ArrayLike, horizon: ArrayLike, quantiles: ArrayLike) -> NDArray[np.float64]:
        """Residual quantiles of queries.

        Parameters
        ----------
        channel, horizon : array-like of shape (n_queries,)
            As in ``fit``.
        quantiles : array-like of shape (n_quantiles,)
            Probabilities between 0 and 1.

        Returns
        -------
        ndarray of shape (n_queries, n_quantiles)
        """
        place = np.asarray(quantiles, dtype=np.float64) * (len(_LEVELS) - 1)
        low = np.minimum(place.astype(np.int64), len(_LEVELS) - 2)
        table = self.table_[..., low] + (place - low) * (self.table_[..., low + 1] - self.table_[..., low])
        return table[np.asarray(channel), self._band(np.asarray(horizon, dtype=np.float64))]

    def _band(self, horizon: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.where(np.isnan(horizon), self.n_bands, np.searchsorted(self.band_edges_, horizon)).astype(np.int64)


def _quantile_table(
    value: NDArray[np.float64], group: NDArray[np.int64], n_groups: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Quantiles of the values of each group at ``_LEVELS`` (zeros for an empty group), and how many there are."""
    count = np.bincount(group, minlength=n_groups)
    ordered = value[np.lexsort((value, group))]
    if len(ordered) == 0:
        return np.zeros((n_groups, len(_LEVELS))), count
    start = np.cumsum(count) - count
    place = _LEVELS * np.maximum(count - 1, 0)[:, None]
    low = place.astype(np.int64)
    high = np.minimum(low + 1, np.maximum(count - 1, 0)[:, None])
    below, above = (ordered[np.minimum(start[:, None] + k, len(ordered) - 1)] for k in (low, high))
    return np.where(count[:, None] > 0, below + (place - low) * (above - below), 0.0), count
