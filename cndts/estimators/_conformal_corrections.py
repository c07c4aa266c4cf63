"""Finite-sample corrections of quantiles, by channel and horizon band."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Ints = NDArray[np.integer]

POOLS = ("cell", "channel", "all", "none")


class ConformalCorrections:
    r"""How far each quantile has to move so that it holds on new records, for every channel and horizon band.

    At a level :math:`\tau \ge 1/2` the error of a target is :math:`E = y - \hat q_\tau`, below it is
    :math:`E = \hat q_\tau - y`, and the correction is its conformal quantile at :math:`\max(\tau, 1 - \tau)`. With K exchangeable
    units, unit k with :math:`N_k` targets, that is the quantile of

    .. math:: \sum_{k=1}^K \sum_{i=1}^{N_k} \frac{1}{(K + 1) N_k} \delta_{E_{ki}} + \frac{1}{K + 1} \delta_\infty,

    Lee, Barber and Willett, *Distribution-free inference with hierarchical data*, 2023. Where every target is a unit of its own this is
    the quantile at rank :math:`\lceil (n + 1) \tau \rceil` of Romano, Patterson and Candès, *Conformalized Quantile
    Regression*, NeurIPS 2019, theorem 2 (both ends corrected apart).

    Parameters
    ----------
    levels : sequence of float
        Rising levels of the quantiles.
    n_bands : int
        Horizon bands with equal numbers of targets; targets without a horizon have one more.
    min_count : int
        Fewest units of a cell. Smaller cells, and those too small for a level, use their channel in all bands; channels too
        small use all targets, in units of each channel's scale. Where those are too few for a level, the correction is infinite.

    Attributes
    ----------
    band_edges : ndarray of shape (n_bands - 1,)
        Horizons that separate the bands.
    shift : ndarray of shape (n_channels, n_bands + 1, n_levels)
        What is added to the quantiles, in channel units.
    units : ndarray of shape (n_channels, n_bands + 1)
        Exchangeable units of each cell.
    pool : ndarray of shape (n_channels, n_bands + 1, n_levels)
        Where each correction comes from, as a position in ``POOLS``.

    Examples
    --------
    Nine records of one target: the next one is below the largest with probability 9/10.

    >>> error = np.arange(9.0)
    >>> one = np.zeros(9, dtype=int)
    >>> found = ConformalCorrections([0.1, 0.9], n_bands=1, min_count=1)
    >>> found.fit(error, np.zeros((9, 2)), one, np.ones(9), np.arange(9), scale=[1.0]).shift[0, 0]
    array([0., 8.])
    """

    def __init__(self, levels: Sequence[float] | Floats, n_bands: int, min_count: int) -> None:
        self.levels = np.asarray(levels, dtype=np.float64)
        self.n_bands, self.min_count = n_bands, min_count

    def fit(
        self, target: Floats, quantiles: Floats, channel: Ints, reach: Floats, unit: Ints, scale: Floats
    ) -> ConformalCorrections:
        """Measure the errors of quantiles.

        Parameters
        ----------
        target : ndarray of shape (n_targets,)
            True values.
        quantiles : ndarray of shape (n_targets, n_levels)
            Predicted ones.
        channel, unit : ndarray of int, shape (n_targets,)
            Channel position, and exchangeable unit of each target.
        reach : ndarray of shape (n_targets,)
            Horizons; NaN where there is none.
        scale : array-like of shape (n_channels,)
            Unit in which channels are comparable.
        """
        scale = np.asarray(scale, dtype=np.float64)
        finite = reach[np.isfinite(reach)]
        inner = np.linspace(0, 1, self.n_bands + 1)[1:-1]
        self.band_edges = np.quantile(finite, inner) if len(finite) else np.zeros(len(inner))
        above = self.levels >= 0.5
        error = (target[:, None] - quantiles) * np.where(above, 1.0, -1.0)
        cell = channel * (self.n_bands + 1) + self._band(reach)
        n_cells = len(scale) * (self.n_bands + 1)
        shape = (len(scale), self.n_bands + 1, len(self.levels))
        by_cell, units = self._by_group(error, cell, unit, n_cells)
        by_channel, channel_units = self._by_group(error, channel.astype(np.int64), unit, len(scale))
        everywhere, _ = self._by_group(error / scale[channel][:, None], np.zeros_like(cell), unit, 1)
        own = np.where(units[:, None] < self.min_count, np.inf, by_cell).reshape(shape)
        channels = np.where(channel_units[:, None] < self.min_count, np.inf, by_channel)[:, None].repeat(shape[1], 1)
        pooled = np.broadcast_to(everywhere * scale[:, None], (len(scale), len(self.levels)))[:, None].repeat(
            shape[1], 1
        )
        choice = np.stack([own, channels, pooled])
        self.pool = np.where(np.isfinite(choice).any(0), np.isfinite(choice).argmax(0), len(choice))
        best = np.take_along_axis(choice, np.minimum(self.pool, 2)[None], 0)[0]
        self.shift = best * np.where(above, 1.0, -1.0)
        self.units = units.reshape(shape[:2])
        return self

    def shifts(self, channel: Ints, reach: Floats, levels: Floats) -> Floats:
        """What to add to quantiles at any levels, shape (n_queries, n_levels).

        Between two levels it runs linearly in the normal score; beyond the outermost it stays.
        """
        score, known = ndtri(levels), ndtri(self.levels)
        right = np.clip(np.searchsorted(known, score), 1, max(len(known) - 1, 1))
        left = right - 1
        right = np.minimum(right, len(known) - 1)
        width = np.where(right > left, known[right] - known[left], 1.0)
        part = np.clip((score - known[left]) / width, 0.0, 1.0)
        # a level that was fitted takes its own correction exactly, also beside an infinite one
        part = np.where(
            np.abs(score - known[left]) < 1e-9, 0.0, np.where(np.abs(score - known[right]) < 1e-9, 1.0, part)
        )
        own = self.shift[channel, self._band(reach)]
        with np.errstate(invalid="ignore"):
            between = own[:, left] + part * (own[:, right] - own[:, left])
        between = np.where(np.isnan(between) | np.isinf(own[:, right]), own[:, right], between)
        return np.where(part == 0, own[:, left], np.where(part == 1, own[:, right], between))

    def table(self, channels: Sequence[str]) -> pd.DataFrame:
        """One row per channel and band: horizons, exchangeable units, and where the outermost corrections come from."""
        edges = np.concatenate([[0.0], self.band_edges, [np.inf], [np.nan]])
        rows = [
            (name, edges[band] if band < self.n_bands else np.nan, edges[band + 1], int(self.units[c, band]), pool)
            for c, name in enumerate(channels)
            for band in range(self.n_bands + 1)
            for pool in [POOLS[int(self.pool[c, band].max())]]
        ]
        return pd.DataFrame(rows, columns=["channel", "from", "to", "units", "pool"])

    def _band(self, reach: Floats) -> Ints:
        return np.where(np.isnan(reach), self.n_bands, np.searchsorted(self.band_edges, reach)).astype(np.int64)

    def _by_group(self, error: Floats, group: Ints, unit: Ints, n_groups: int) -> tuple[Floats, Ints]:
        """Conformal quantiles of the errors of each group, shape (n_groups, n_levels), and how many units it has."""
        member, place = np.unique(np.stack([group, unit]), axis=1, return_inverse=True)
        place = place.ravel()
        units = np.bincount(member[0], minlength=n_groups)
        weight = 1 / ((units[group] + 1) * np.bincount(place)[place]) if len(group) else np.zeros(0)
        wanted = np.maximum(self.levels, 1 - self.levels)
        found = np.full((n_groups, len(self.levels)), np.inf)
        for k, level in enumerate(wanted):
            order = np.lexsort((error[:, k], group))
            passed = np.cumsum(weight[order])
            start = np.searchsorted(group[order], np.arange(n_groups))
            before = np.concatenate([[0.0], passed])[start]
            # the first error at which the weights reach the level; rounding must not push it one further
            reached = passed - before[group[order]] >= level - 1e-9
            rows = np.flatnonzero(reached)
            groups, first = np.unique(group[order][rows], return_index=True)
            found[groups, k] = error[order[rows[first]], k]
        return found, units
