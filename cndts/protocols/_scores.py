"""The two averages that protocols score by."""

from __future__ import annotations

from typing import Literal

from numpy.typing import ArrayLike

from cndts.metrics import mean_absolute_error, mean_squared_error
from cndts.targets import Targets


def errors(y: Targets, y_hat: Targets | ArrayLike, average: Literal["observation", "channel"]) -> dict[str, float]:
    """MSE and MAE, as one mean over all targets or as the mean over channels of their means."""
    return {
        "mse": mean_squared_error(y, y_hat, average=average),
        "mae": mean_absolute_error(y, y_hat, average=average),
    }
