"""Checks that predictions belong to the targets they are compared with."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cndts.targets import Targets


def truth_of(y: Targets) -> NDArray[np.float64]:
    """True values, shape (n_targets,)."""
    if not isinstance(y, Targets):
        raise TypeError(f"y must be Targets, as a task's split gives them; got {type(y).__name__}.")
    return np.asarray(y, dtype=np.float64)


def points_of(y: Targets, y_hat: Targets | ArrayLike, name: str = "y_hat") -> NDArray[np.float64]:
    """Predictions in the order of the targets, shape (n_targets,), finite wherever the target is known."""
    return _checked(y, y_hat, name, ndim=1)


def rows_of(y: Targets, rows: ArrayLike, name: str) -> NDArray[np.float64]:
    """Several numbers per target, shape (n_targets, k), finite wherever the target is known."""
    return _checked(y, rows, name, ndim=2)


def _checked(y: Targets, predicted: Targets | ArrayLike, name: str, ndim: int) -> NDArray[np.float64]:
    known = ~np.isnan(truth_of(y))
    if isinstance(predicted, Targets):
        _check_queries(y, predicted, name)
    values = np.asarray(predicted, dtype=np.float64)
    if values.ndim != ndim or len(values) != len(known):
        wanted = f"({len(known)},)" if ndim == 1 else f"({len(known)}, k)"
        raise ValueError(f"{name} must have shape {wanted}, one row per target; got shape {values.shape}.")
    if ndim == 2 and values.shape[1] == 0:
        raise ValueError(f"{name} must have at least one column; got shape {values.shape}.")
    finite = np.isfinite(values) if ndim == 1 else np.isfinite(values).all(axis=1)
    wrong = known & ~finite
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"{name} is not finite at {wrong.sum()} of {known.sum()} known targets, the first is record "
            f"{y.records[y.record[row]]!r}, time {y.time[row]:g}, channel {y.channels[y.channel[row]]!r}. "
            "A prediction is needed at every known target."
        )
    return values


def _check_queries(y: Targets, y_hat: Targets, name: str) -> None:
    same = y_hat.queries is y.queries or (
        np.array_equal(y_hat.offsets, y.offsets)
        and np.array_equal(y_hat.time, y.time)
        and np.array_equal(y_hat.channel, y.channel)
    )
    if not (same and y_hat.channels == y.channels and y_hat.records.equals(y.records)):
        raise ValueError(
            f"{name} does not answer the queries of y: records, times or channels differ ({y_hat!r} against {y!r}). "
            "Predict from the X that came with y, sliced alike."
        )
