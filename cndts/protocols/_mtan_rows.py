"""Rows of a record: which of them are hidden, and errors in batches of records."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cndts.metrics import mean_squared_error
from cndts.panel import IrregularPanel
from cndts.targets import Targets
from cndts.tasks._random import record_keys, shuffled_within, uniform

_BATCH = 32


def hidden_events(records: IrregularPanel | Targets, observed: float, random_state: int) -> NDArray[np.bool_]:
    """Which events, or targets, lie in a hidden row; all those of one record and time form a row.

    Parameters
    ----------
    records : IrregularPanel or Targets
        Whole records, sorted by time within each.
    observed : float
        Of ``n`` rows, ``floor(observed * n)`` stay visible.
    random_state : int
        The draw depends on it, on the record's id and on the number of rows.

    Returns
    -------
    ndarray of bool, shape (n_events,)
    """
    record, time = records.record, records.time
    is_new = np.ones(len(time), dtype=bool)
    is_new[1:] = (record[1:] != record[:-1]) | (time[1:] != time[:-1])
    row, owner = np.cumsum(is_new) - 1, record[is_new]
    n_rows = np.bincount(owner, minlength=len(records))
    place = np.arange(len(owner)) - (np.cumsum(n_rows) - n_rows)[owner]
    keys = record_keys(records.records, random_state)
    order = shuffled_within(owner, uniform(keys[owner], place + 1), len(records))
    is_hidden = np.empty(len(owner), dtype=bool)
    is_hidden[order] = place >= np.floor(observed * n_rows)[owner]
    return is_hidden[row]


def batched_mean_squared_error(y: Targets, y_hat: Targets) -> float:
    """Mean over the values of 32 consecutive records, then over these batches, weighted by their records."""
    total, count = 0.0, 0
    for first in range(0, len(y), _BATCH):
        batch = slice(first, first + _BATCH)
        error = mean_squared_error(y[batch], y_hat[batch], average="observation")
        if not np.isnan(error):
            total, count = total + error * len(y[batch]), count + len(y[batch])
    return total / count if count else float("nan")
