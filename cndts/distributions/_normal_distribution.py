"""Normal distributions at queries."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from cndts.distributions._forecast_distribution import Floats, ForecastDistribution
from cndts.queries import Queries


class NormalDistribution(ForecastDistribution):
    """A normal distribution for each query.

    Parameters
    ----------
    mean, std : array-like of shape (n_targets,)
        Expected values and standard deviations; where a deviation is 0 the value is certain.
    queries : Queries
        What was asked.
    records : pandas.Index of length n_records
        Record identifiers.
    channels : sequence of str
        Channel names that ``queries.channel`` points into.

    Examples
    --------
    >>> queries = Queries([0, 1], [5.0], [0])
    >>> normal = NormalDistribution([10.0], [2.0], queries, pd.Index(["a"]), ["x"])
    >>> normal.interval(0.95).round(2), normal.cdf(10.0)
    (array([[ 6.08, 13.92]]), array([0.5]))
    """

    def __init__(
        self, mean: ArrayLike, std: ArrayLike, queries: Queries, records: pd.Index, channels: Sequence[str]
    ) -> None:
        super().__init__(queries, records, channels)
        self._mean = self._one_each(mean, "mean")
        self.std = self._one_each(std, "std")
        if not (self.std >= 0).all():
            raise ValueError(f"std must be 0 or more; got {self.std[~(self.std >= 0)][0]!r}.")

    @property
    def mean(self) -> Floats:
        """Expected value of each query, shape (n_targets,)."""
        return self._mean

    def _invert(self, probability: Floats) -> Floats:
        return self._mean[:, None] + self.std[:, None] * ndtri(probability)

    def _cdf(self, value: Floats) -> Floats:
        return ndtr(self._standard(value))

    def _crps(self, truth: Floats) -> Floats:
        """Gneiting and Raftery (JASA 2007), equation 21."""
        certain = self.std == 0
        z = np.where(certain, 0.0, self._standard(truth))
        density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
        spread = self.std * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi))
        return np.where(certain, np.abs(truth - self._mean), spread)

    def _standard(self, value: Floats) -> Floats:
        """Distance from the mean in deviations; infinite on either side of a certain value, which is not above itself."""
        certain = np.where(value >= self._mean, np.inf, -np.inf) + 0 * value
        return np.where(self.std == 0, certain, (value - self._mean) / np.where(self.std == 0, 1.0, self.std))
