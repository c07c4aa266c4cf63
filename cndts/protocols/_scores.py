"""What most protocols score by."""

from __future__ import annotations

from numpy.typing import ArrayLike

from cndts.metrics import mean_absolute_error, mean_squared_error
from cndts.metrics._average import Average
from cndts.targets import Targets


def errors(y: Targets, y_hat: Targets | ArrayLike, average: Average) -> dict[str, float]:
    """MSE and MAE under one rule of averaging."""
    return {
        "mse": mean_squared_error(y, y_hat, average=average),
        "mae": mean_absolute_error(y, y_hat, average=average),
    }
