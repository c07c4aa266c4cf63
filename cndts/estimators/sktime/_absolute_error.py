"""Mean absolute error of aligned forecasts."""

import numpy as np
from numpy.typing import NDArray

from cndts.estimators.sktime._aligned_metric import AlignedMetric
from cndts.metrics import mean_absolute_error
from cndts.targets import Targets


class AlignedAbsoluteError(AlignedMetric):
    """Mean absolute error where truth and forecast meet, see :func:`cndts.metrics.mean_absolute_error`.

    Parameters
    ----------
    average : {"observation", "channel", "record"}, default="observation"
        What the mean runs over: all values alike, or all columns, or all instances.

    Examples
    --------
    >>> import pandas as pd
    >>> from cndts.estimators.sktime import AlignedAbsoluteError
    >>> truth = pd.Series([1.0, 3.0], index=pd.to_datetime(["2024-01-01", "2024-01-04"]))
    >>> forecast = pd.Series(2.0, index=pd.date_range("2024-01-01", periods=4))
    >>> AlignedAbsoluteError()(truth, forecast)
    1.0
    """

    def _score(self, y: Targets, rows: NDArray[np.float64]) -> float:
        return mean_absolute_error(y, rows[:, 0], average=self.average)  # type: ignore[arg-type]
