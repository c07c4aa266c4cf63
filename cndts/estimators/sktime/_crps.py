"""Continuous ranked probability score of aligned quantiles."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cndts.estimators.sktime._quantile_metric import TENTHS, QuantileMetric
from cndts.metrics import crps
from cndts.targets import Targets


class AlignedCRPS(QuantileMetric):
    """Continuous ranked probability score from quantiles where truth and forecast meet, see :func:`cndts.metrics.crps`.

    It asks for quantiles, which every probabilistic forecaster of sktime has, where sktime's own ``CRPS`` asks for
    distributions. A few levels lose most of the tails.

    Parameters
    ----------
    alpha : sequence of float, default=(0.05, 0.15, ..., 0.95)
        Levels, rising. Give all metrics of quantiles in one ``evaluate`` the same levels; sktime mixes their columns up otherwise.
    average : {"observation", "channel", "record"}, default="observation"
        What the mean runs over: all values alike, or all columns, or all instances.

    Examples
    --------
    >>> import pandas as pd
    >>> from cndts.estimators.sktime import AlignedCRPS
    >>> truth = pd.DataFrame({"HR": [1.0]}, index=pd.to_datetime(["2024-01-01"]))
    >>> forecast = pd.DataFrame({("HR", 0.25): [3.0], ("HR", 0.75): [3.0]}, index=truth.index)
    >>> AlignedCRPS(alpha=[0.25, 0.75])(truth, forecast)
    2.0
    """

    def __init__(self, alpha: Sequence[float] = TENTHS, average: str = "observation") -> None:
        super().__init__(alpha=alpha, average=average)

    def _score(self, y: Targets, rows: NDArray[np.float64]) -> float:
        return crps(y, quantiles=rows, levels=list(self.alpha), average=self.average)  # type: ignore[arg-type]
