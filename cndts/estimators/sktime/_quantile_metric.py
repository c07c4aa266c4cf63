"""What metrics of quantiles share: the levels that sktime asks a forecaster for."""

from collections.abc import Sequence
from typing import Any, ClassVar

import pandas as pd

from cndts.estimators.sktime._aligned_metric import AlignedMetric

TENTHS = (0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95)


class QuantileMetric(AlignedMetric):
    """An aligned metric of what ``predict_quantiles(alpha=alpha)`` gives."""

    _tags: ClassVar[dict[str, Any]] = {
        "scitype:y_pred": "pred_quantiles",
        "reserved_params": ["average", "alpha"],
    }

    def __init__(self, alpha: Sequence[float], average: str) -> None:
        self.alpha = alpha
        super().__init__(average=average)

    def evaluate(self, y_true: Any, y_pred: pd.DataFrame, **kwargs: Any) -> float:
        """Score quantiles; see `AlignedMetric.evaluate`.

        Parameters
        ----------
        y_true : Series or DataFrame
            Truth, NaN where nothing was observed.
        y_pred : DataFrame
            Columns ``(variable, level)``; levels beyond ``alpha`` are ignored.
        **kwargs
            Ignored.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If a level is missing, or as in `AlignedMetric.evaluate`.
        """
        names = y_pred.columns.get_level_values(0).unique()
        wanted = pd.MultiIndex.from_product([names, self.alpha])
        missing = wanted[~wanted.isin(y_pred.columns)]
        if len(missing):
            raise ValueError(
                f"the forecast has no quantile {missing[0][1]} of {missing[0][0]!r}; ask for "
                f"predict_quantiles(alpha={list(self.alpha)})."
            )
        return super().evaluate(y_true, y_pred[wanted], **kwargs)
