"""What the protocols of Latent ODE on PhysioNet 2012 share: records, scale, and the average by stay and variable."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cndts.metrics import mean_absolute_error, mean_squared_error
from cndts.panel import IrregularPanel
from cndts.protocols._mtan import on_grid, split_records
from cndts.protocols._scales import min_and_max
from cndts.protocols._t_patchgnn import check_panel, with_static_events
from cndts.targets import Targets
from cndts.tasks import RecordSplit

PATIENTS = (
    "The test patients differ: the authors' record order is that of a directory listing, ours is that of the ids."
)


def scaled_stays(panel: IrregularPanel) -> tuple[IrregularPanel, RecordSplit, NDArray[np.float64], NDArray[np.float64]]:
    """41 variables on a grid of 0.016 h, scaled by ``(x - min) / max`` over all stays; and who is in which part."""
    check_panel(panel)
    events = with_static_events(on_grid(panel))
    offset, scale = min_and_max(events)
    return events.scale_values(offset, scale), split_records(panel.records), offset, scale


def errors_by_stay_and_variable(y: Targets, y_hat: Targets | ArrayLike) -> dict[str, float]:
    """The published mean, in which a variable without a value counts as an error of 0, and plain means.

    Parameters
    ----------
    y : Targets
        True values.
    y_hat : Targets or array-like of shape (n_targets,)
        Predictions.

    Returns
    -------
    dict
        ``mse`` and ``mae`` by stay and variable: means within each, 0 where there is no value, over all stays and all
        variables; ``mse_by_value`` and ``mae_by_value`` over all values alike.
    """
    guess = y.with_values(np.asarray(y_hat, dtype=np.float32))
    error = y.value.astype(np.float64) - guess.value
    n_cells = len(y) * len(y.channels)
    cell = y.record * len(y.channels) + y.channel
    known = ~np.isnan(y.value)
    count = np.maximum(np.bincount(cell[known], minlength=n_cells), 1)

    def mean(loss: NDArray[np.float64]) -> float:
        total = np.bincount(cell[known], loss[known], minlength=n_cells)
        return float((total / count).mean()) if n_cells else float("nan")

    return {
        "mse": mean(error**2),
        "mae": mean(np.abs(error)),
        "mse_by_value": mean_squared_error(y, guess, average="observation"),
        "mae_by_value": mean_absolute_error(y, guess, average="observation"),
    }
