"""Sums over the known targets of every record and channel: all that averages and resamples need."""

import numpy as np
from numpy.typing import NDArray

from cndts.targets import Targets


def record_channel_sums(y: Targets, loss: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of a loss of shape (n_targets,) over known targets, shape (n_records, n_channels)."""
    known = ~np.isnan(y.value)
    shape = (len(y), len(y.channels))
    cell = np.ravel_multi_index((y.record[known], y.channel[known].astype(np.int64)), shape) if known.any() else []
    total = np.bincount(np.asarray(cell, dtype=np.int64), loss[known], minlength=shape[0] * shape[1])
    return total.astype(np.float64).reshape(shape)


def record_channel_counts(y: Targets) -> NDArray[np.float64]:
    """Number of known targets, shape (n_records, n_channels)."""
    return record_channel_sums(y, np.ones(len(y.value)))


def ratio(total: NDArray[np.float64], count: NDArray[np.float64]) -> NDArray[np.float64]:
    """``total / count``, NaN where the count is zero."""
    return np.divide(total, count, out=np.full(np.shape(total), np.nan), where=np.asarray(count) > 0)
