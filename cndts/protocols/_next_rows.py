"""Forecasting the rows that follow a cut: a row is all that a record holds at one time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cndts._ragged import record_of_row
from cndts.panel import IrregularPanel
from cndts.targets import Targets
from cndts.tasks._context import context_and_targets


def next_rows(
    panel: IrregularPanel,
    observe: float,
    n_rows: int,
    empty_rows: tuple[NDArray[np.int64], NDArray[np.float64]] | None = None,
) -> tuple[IrregularPanel, Targets]:
    """Events up to ``observe`` (included) as context, those of the next rows as targets.

    Parameters
    ----------
    panel : IrregularPanel
        Whole records.
    observe : float
        Where the context ends, in the panel's time unit.
    n_rows : int
        How many rows after the cut are asked for; fewer where a record has fewer.
    empty_rows : tuple of (ndarray, ndarray), optional
        Offsets by record and times of all rows, those without values included, where such rows count.
    """
    offsets, time = _rows(panel) if empty_rows is None else empty_rows
    owner = record_of_row(offsets)
    seen = np.bincount(owner[time <= observe], minlength=len(panel))
    stop = np.minimum(offsets[:-1] + seen + n_rows, offsets[1:]) - 1
    has_next = stop >= offsets[:-1] + seen
    last = np.where(has_next, time[np.maximum(stop, 0)] if len(time) else -np.inf, -np.inf)
    after = panel.time > observe
    return context_and_targets(panel, ~after, after & (panel.time <= last[panel.record]))


def _rows(panel: IrregularPanel) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Offsets by record and times of the rows that hold a value."""
    record, time = panel.record, panel.time
    is_new = np.ones(len(time), dtype=bool)
    is_new[1:] = (record[1:] != record[:-1]) | (time[1:] != time[:-1])
    counts = np.bincount(record[is_new], minlength=len(panel))
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), time[is_new]
