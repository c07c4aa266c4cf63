"""Scorers for scikit-learn's model selection."""

from __future__ import annotations

from collections.abc import Callable

from cndts.metrics._average import Average
from cndts.metrics._point import mean_absolute_error, mean_squared_error, root_mean_squared_error

_ERRORS = {"mae": mean_absolute_error, "mse": mean_squared_error, "rmse": root_mean_squared_error}


def error_scorer(metric: str, *, average: Average) -> Callable[..., float]:
    """A scorer for ``cross_val_score`` and ``GridSearchCV``: the negative error, so that higher is better.

    The estimators' own ``score`` is their mean skill, which needs no scorer.

    Parameters
    ----------
    metric : {"mae", "mse", "rmse"}
        The error.
    average : {"observation", "channel", "record"}
        What the mean runs over, see :mod:`cndts.metrics`.

    Returns
    -------
    callable
        ``scorer(estimator, X, y)``, as scikit-learn wants it.

    Examples
    --------
    >>> error_scorer("mae", average="channel")
    make_scorer(mean_absolute_error, greater_is_better=False, ..., average=channel)
    """
    from sklearn.metrics import make_scorer

    if metric not in _ERRORS:
        raise ValueError(f"metric must be one of {', '.join(_ERRORS)}; got {metric!r}.")
    return make_scorer(_ERRORS[metric], greater_is_better=False, average=average)
