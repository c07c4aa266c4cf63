"""Share of aligned values inside their intervals."""

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.estimators.sktime._aligned_metric import AlignedMetric
from cndts.metrics import interval_coverage
from cndts.targets import Targets


class AlignedCoverage(AlignedMetric):
    """Share of the truth inside the interval forecast for it, see :func:`cndts.metrics.interval_coverage`.

    Parameters
    ----------
    coverage : float, default=0.9
        Nominal coverage of the interval that is asked for; the score should come close to it.
    average : {"observation", "channel", "record"}, default="observation"
        What the mean runs over: all values alike, or all columns, or all instances.

    Examples
    --------
    >>> import pandas as pd
    >>> from cndts.estimators.sktime import AlignedCoverage
    >>> truth = pd.DataFrame({"HR": [1.0, 9.0]}, index=pd.to_datetime(["2024-01-01", "2024-01-02"]))
    >>> forecast = pd.DataFrame({("HR", 0.9, "lower"): 0.0, ("HR", 0.9, "upper"): 2.0}, index=truth.index)
    >>> AlignedCoverage()(truth, forecast)
    0.5
    """

    _tags: ClassVar[dict[str, Any]] = {
        "scitype:y_pred": "pred_interval",
        "lower_is_better": False,
        "reserved_params": ["average", "coverage"],
    }

    def __init__(self, coverage: float = 0.9, average: str = "observation") -> None:
        self.coverage = coverage
        super().__init__(average=average)

    def evaluate(self, y_true: Any, y_pred: pd.DataFrame, **kwargs: Any) -> float:
        """Score intervals; see `AlignedMetric.evaluate`.

        Parameters
        ----------
        y_true : Series or DataFrame
            Truth, NaN where nothing was observed.
        y_pred : DataFrame
            Columns ``(variable, coverage, "lower" or "upper")``.
        **kwargs
            Ignored.

        Returns
        -------
        float
        """
        names = y_pred.columns.get_level_values(0).unique()
        bounds = pd.MultiIndex.from_product([names, [self.coverage], ["lower", "upper"]])
        if not bounds.isin(y_pred.columns).all():
            raise ValueError(
                f"the forecast has no interval of coverage {self.coverage}; ask for predict_interval(coverage={self.coverage})."
            )
        return super().evaluate(y_true, y_pred[bounds], **kwargs)

    def _score(self, y: Targets, rows: NDArray[np.float64]) -> float:
        return interval_coverage(y, rows, average=self.average)  # type: ignore[arg-type]
