"""What distributions at the queries of a panel have in common."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cndts.metrics._average import Average, average_loss
from cndts.metrics._predictions import points_of
from cndts.queries import Queries
from cndts.targets import Targets

Floats = NDArray[np.float64]


class ForecastDistribution(ABC):
    """One distribution for each query of a panel, in the order of its queries.

    Queries are told apart: what one query turns out to be says nothing of another here, also within one record.

    Parameters
    ----------
    queries : Queries
        What was asked.
    records : pandas.Index of length n_records
        Record identifiers.
    channels : sequence of str
        Channel names that ``queries.channel`` points into.
    """

    def __init__(self, queries: Queries, records: pd.Index, channels: Sequence[str]) -> None:
        self.queries = queries
        self.records = records
        self.channels = tuple(channels)

    @property
    @abstractmethod
    def mean(self) -> Floats:
        """Expected value of each query, shape (n_targets,)."""

    @property
    def median(self) -> Floats:
        """Quantile at one half, shape (n_targets,)."""
        return self.quantile(0.5)[:, 0]

    def quantile(self, levels: ArrayLike) -> Floats:
        """Quantiles of every query.

        Parameters
        ----------
        levels : float or array-like of shape (n_levels,)
            Probabilities strictly between 0 and 1.

        Returns
        -------
        ndarray of shape (n_targets, n_levels)
        """
        tau = np.atleast_1d(np.asarray(levels, dtype=np.float64))
        if tau.ndim != 1 or not ((tau > 0) & (tau < 1)).all():
            raise ValueError(f"levels must lie strictly between 0 and 1; got {levels!r}. Use [0.1, 0.5, 0.9].")
        return self._invert(np.broadcast_to(tau, (self.queries.n_queries, len(tau))))

    def interval(self, coverage: float = 0.9) -> Floats:
        """Central interval of every query.

        Parameters
        ----------
        coverage : float, default=0.9
            Probability strictly between 0 and 1.

        Returns
        -------
        ndarray of shape (n_targets, 2)
            Lower and upper bound.
        """
        if not 0 < coverage < 1:
            raise ValueError(f"coverage must lie strictly between 0 and 1; got {coverage!r}. Use 0.9 for 90 %.")
        return self.quantile([(1 - coverage) / 2, (1 + coverage) / 2])

    def cdf(self, value: Targets | ArrayLike) -> Floats:
        """Probability of at most a value, for every query.

        Parameters
        ----------
        value : Targets, float or array-like of shape (n_targets,)
            One value for all queries, or one for each of them; NaN gives NaN.

        Returns
        -------
        ndarray of shape (n_targets,)
        """
        return self._cdf(self._one_each(value, "value"))

    def sample(self, n: int = 1, random_state: int | np.random.RandomState | None = None) -> Floats:
        """Independent draws for every query.

        Parameters
        ----------
        n : int, default=1
            Draws a query.
        random_state : int, RandomState or None, default=None
            Seed.

        Returns
        -------
        ndarray of shape (n_targets, n)
        """
        from sklearn.utils import check_random_state

        if n < 1:
            raise ValueError(f"n must be 1 or more; got {n!r}.")
        draw = check_random_state(random_state).random_sample((self.queries.n_queries, n))
        return self._invert(np.clip(draw, np.finfo(np.float64).tiny, None))

    def crps(self, y: Targets, *, average: Average) -> float:
        r"""Continuous ranked probability score, :math:`\int (F(x) - 1[x \ge y])^2\,dx`, in closed form.

        Parameters
        ----------
        y : Targets
            True values at the same queries; NaN where not known.
        average : {"observation", "channel", "record"}
            What the mean runs over, see :mod:`cndts.metrics`.

        Returns
        -------
        float
            In the unit of the values.
        """
        points_of(y, Targets(self.queries, self.mean, self.records, self.channels), "the distribution's mean")
        return average_loss(self._crps(np.asarray(y, dtype=np.float64)), y, average)

    @abstractmethod
    def _invert(self, probability: Floats) -> Floats:
        """Quantiles at probabilities of shape (n_targets, k), row by row."""

    @abstractmethod
    def _cdf(self, value: Floats) -> Floats:
        """Probability of at most each value, shape (n_targets,)."""

    @abstractmethod
    def _crps(self, truth: Floats) -> Floats:
        """Score at each truth, shape (n_targets,)."""

    def _one_each(self, value: Targets | ArrayLike, what: str) -> Floats:
        values = np.asarray(value, dtype=np.float64)
        if values.ndim == 0:
            return np.full(self.queries.n_queries, float(values))
        if values.shape != (self.queries.n_queries,):
            raise ValueError(
                f"{what} must be one number, or one for each of the {self.queries.n_queries} queries; got shape {values.shape}."
            )
        return values

    def __len__(self) -> int:
        return len(self.queries)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} records, {self.queries.n_queries} queries)"
