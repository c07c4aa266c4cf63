"""Distributions given by some of their quantiles."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cndts.distributions._forecast_distribution import Floats, ForecastDistribution
from cndts.distributions._score_scales import SCALES
from cndts.queries import Queries

# Rows that are worked on at once, which bounds memory.
_ROWS = 8192


class QuantileDistribution(ForecastDistribution):
    r"""A distribution for each query through quantiles at some levels, in one piece between each two of them.

    With ``between="normal"`` a quantile is linear in the normal score :math:`\Phi^{-1}(\tau)` between two levels: each piece
    is a piece of a normal distribution. Beyond the outermost levels, where nothing was learned, the outermost pieces go on:
    **tails are normal by assumption**, as wide as the last two levels say, see ``known_levels``. With ``between="uniform"``
    a quantile is linear in :math:`\tau`, the levels reach from 0 to 1, and nothing lies beyond the extremes.

    Mean and CRPS are exact for this distribution, not sums over levels. The mean need not be what ``predict`` says, which
    a model learns by itself.

    Parameters
    ----------
    levels : array-like of shape (n_levels,)
        Rising probabilities; at least two.
    values : array-like of shape (n_targets, n_levels)
        Quantiles at these levels, never falling along a row; equal ones are an atom.
    queries : Queries
        What was asked.
    records : pandas.Index of length n_records
        Record identifiers.
    channels : sequence of str
        Channel names that ``queries.channel`` points into.
    between : {"normal", "uniform"}, default="normal"
        How quantiles run between the levels.

    Raises
    ------
    ValueError
        If levels do not rise or do not suit ``between``, or if a row falls.

    Examples
    --------
    >>> queries = Queries([0, 1], [5.0], [0])
    >>> skewed = QuantileDistribution([0.1, 0.5, 0.9], [[0.0, 1.0, 4.0]], queries, pd.Index(["a"]), ["x"])
    >>> skewed.quantile([0.1, 0.5, 0.9, 0.99]).round(2), skewed.mean.round(2)
    (array([[0.  , 1.  , 4.  , 6.45]]), array([1.62]))
    >>> skewed.cdf([4.0]).round(2)
    array([0.9])
    """

    def __init__(
        self,
        levels: ArrayLike,
        values: ArrayLike,
        queries: Queries,
        records: pd.Index,
        channels: Sequence[str],
        between: Literal["normal", "uniform"] = "normal",
    ) -> None:
        super().__init__(queries, records, channels)
        if between not in SCALES:
            raise ValueError(f"between must be one of {sorted(SCALES)}; got {between!r}.")
        self.between, self._scale = between, SCALES[between]
        self.levels = _checked_levels(levels, between)
        self.values = _checked_values(values, queries.n_queries, len(self.levels))
        inner = self._scale.score(self.levels[1:-1])
        self._edges = np.concatenate([[self._scale.least], inner, [self._scale.most]])
        tau = self._scale.probability(self._edges)
        self._mass = np.diff(tau)
        self._first = np.diff(self._scale.first(self._edges))
        self._second = np.diff(self._scale.second(self._edges))
        self._tilt = np.diff(tau**2 - tau)

    @property
    def known_levels(self) -> tuple[float, float]:
        """The outermost levels that were given; beyond them lies an assumption."""
        return float(self.levels[0]), float(self.levels[-1])

    @property
    def mean(self) -> Floats:
        """Expected value of each query, shape (n_targets,)."""
        return self._by_rows(lambda start, slope, values: start @ self._mass + slope @ self._first)

    def _invert(self, probability: Floats) -> Floats:
        score = self._scale.score(probability)
        piece = np.searchsorted(self._edges[1:-1], score, side="right")

        def read(start: Floats, slope: Floats, values: Floats, score: Floats, piece: NDArray[np.intp]) -> Floats:
            return np.take_along_axis(start, piece, 1) + np.take_along_axis(slope, piece, 1) * score

        return self._by_rows(read, score, piece)

    def _cdf(self, value: Floats) -> Floats:
        return self._by_rows(lambda *parts: self._scale.probability(self._score_of(*parts)[0]) + 0 * parts[-1], value)

    def _crps(self, truth: Floats) -> Floats:
        r""":math:`E|X - y| - \tfrac12 E|X - X'|` (Gneiting and Raftery, JASA 2007, equation 21), piece by piece."""

        def score(start: Floats, slope: Floats, values: Floats, truth: Floats) -> Floats:
            at, piece = self._score_of(start, slope, values, truth)
            edge = self._edges[piece]
            below_at, below_edge = self._scale.probability(at), self._scale.probability(edge)
            whole = start * self._mass + slope * self._first
            passed = np.concatenate([np.zeros((len(whole), 1)), whole.cumsum(axis=1)], axis=1)
            row = np.arange(len(truth))
            first = self._scale.first(at) - self._scale.first(edge)
            under = passed[row, piece] + start[row, piece] * (below_at - below_edge) + slope[row, piece] * first
            distance = truth * (2 * below_at - 1) + passed[:, -1] - 2 * under
            return distance - (start @ self._tilt + slope @ self._second)

        return self._by_rows(score, truth)

    def _score_of(self, start: Floats, slope: Floats, values: Floats, value: Floats) -> tuple[Floats, Floats]:
        """Score up to which each row lies at or below its value, and the piece that it falls in."""
        piece = (values[:, 1:-1] <= value[:, None]).sum(axis=1)
        row = np.arange(len(value))
        a, b = start[row, piece], slope[row, piece]
        low, high = self._edges[piece], self._edges[piece + 1]
        atom = np.where(value >= a, high, low)
        return np.clip(np.where(b > 0, (value - a) / np.where(b > 0, b, 1.0), atom), low, high), piece

    def _by_rows(self, read: Callable[..., Floats], *parts: NDArray[Any]) -> Floats:
        """Apply ``read`` to intercepts, slopes and values of some rows at a time, with the same rows of ``parts``."""
        known = self._scale.score(self.levels)
        found = []
        for first in range(0, max(len(self.values), 1), _ROWS):
            rows = slice(first, first + _ROWS)
            values = self.values[rows]
            slope = np.diff(values, axis=1) / np.diff(known)
            found.append(read(values[:, :-1] - slope * known[:-1], slope, values, *(part[rows] for part in parts)))
        return np.concatenate(found)


def _checked_levels(levels: ArrayLike, between: str) -> Floats:
    tau = np.asarray(levels, dtype=np.float64)
    rises = tau.ndim == 1 and len(tau) >= 2 and bool((np.diff(tau) > 0).all())
    if between == "normal" and not (rises and tau[0] > 0 and tau[-1] < 1):
        raise ValueError(f"levels must be two or more, rise, and lie strictly between 0 and 1; got {levels!r}.")
    if between == "uniform" and not (rises and tau[0] == 0 and tau[-1] == 1):
        raise ValueError(f"levels must rise from 0 to 1 where quantiles are linear between them; got {levels!r}.")
    return tau


def _checked_values(values: ArrayLike, n_queries: int, n_levels: int) -> Floats:
    rows = np.asarray(values, dtype=np.float64)
    if rows.shape != (n_queries, n_levels):
        raise ValueError(
            f"values must have shape ({n_queries}, {n_levels}), one row per query and one column per level; got {rows.shape}."
        )
    falls = ~(np.diff(rows, axis=1) >= 0).all(axis=1)
    if falls.any():
        row = int(np.flatnonzero(falls)[0])
        raise ValueError(
            f"values must not fall along a row, and be numbers; row {row} is {rows[row]}. Sort its quantiles."
        )
    return rows
