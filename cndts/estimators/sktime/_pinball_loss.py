"""Pinball loss of aligned quantiles."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cndts.estimators.sktime._quantile_metric import TENTHS, QuantileMetric
from cndts.metrics import pinball_loss
from cndts.targets import Targets


class AlignedPinballLoss(QuantileMetric):
    """Pinball loss where truth and forecast meet, see :func:`cndts.metrics.pinball_loss`.

    Parameters
    ----------
    alpha : sequence of float, default=(0.05, 0.15, ..., 0.95)
        Levels, rising; the loss is their mean. Give all metrics of quantiles in one ``evaluate`` the same levels; sktime mixes
        their columns up otherwise.
    average : {"observation", "channel", "record"}, default="observation"
        What the mean runs over: all values alike, or all columns, or all instances.

    Examples
    --------
    >>> import pandas as pd
    >>> from cndts.estimators.sktime import AlignedPinballLoss
    >>> truth = pd.DataFrame({"HR": [1.0]}, index=pd.to_datetime(["2024-01-01"]))
    >>> forecast = pd.DataFrame({("HR", 0.75): [3.0, 9.0]}, index=pd.to_datetime(["2024-01-01", "2024-01-02"]))
    >>> AlignedPinballLoss(alpha=[0.75])(truth, forecast)
    0.5
    """

    def __init__(self, alpha: Sequence[float] = TENTHS, average: str = "observation") -> None:
        super().__init__(alpha=alpha, average=average)

    def _score(self, y: Targets, rows: NDArray[np.float64]) -> float:
        return pinball_loss(y, rows, list(self.alpha), average=self.average)  # type: ignore[arg-type]
