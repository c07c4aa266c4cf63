"""From rows with a number for each channel to the events of a panel."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._ragged import offsets_from_lengths
from cndts.panel import IrregularPanel

BAD_FIELDS = "another number of fields"
BAD_TIME = "an unreadable time"
BAD_NUMBER = "an unreadable number"
UNSORTED, SHARED = "a time before the row above", "the time of the row above"


def panel_of_rows(
    record: NDArray[np.int64],
    time: NDArray[np.float64],
    value: NDArray[np.float64],
    *,
    records: pd.Index,
    noticed: Counter[str] | None = None,
    **about: Any,
) -> IrregularPanel:
    """A panel with one event for each number of each row.

    Parameters
    ----------
    record : ndarray of shape (n_rows,)
        Position in ``records``.
    time : ndarray of shape (n_rows,)
    value : ndarray of shape (n_rows, n_channels)
        NaN where there is no event.
    records : Index
    noticed : Counter, optional
        Rows out of order and rows that share a time are counted here; rows of one time keep their order.
    **about
        Further arguments of :class:`~cndts.IrregularPanel`.

    Examples
    --------
    >>> panel = panel_of_rows(np.array([0, 0]), np.array([2.0, 1.0]), np.array([[5.0, np.nan], [3.0, 4.0]]),
    ...                       records=pd.Index(["a"]), channels=("x", "y"), time_unit="h")
    >>> panel.time.tolist(), panel.channel.tolist(), panel.value.tolist()
    ([1.0, 1.0, 2.0], [0, 1, 0], [3.0, 4.0, 5.0])
    """
    same = record[1:] == record[:-1]
    step = np.diff(time)
    if noticed is not None:
        noticed[UNSORTED] += int((same & (step < 0)).sum())
        noticed[SHARED] += int((same & (step == 0)).sum())
    if (record[1:] < record[:-1]).any() or (same & (step < 0)).any():
        order = np.lexsort((time, record))
        record, time, value = record[order], time[order], value[order]
    n_rows, n_channels = value.shape
    known = ~np.isnan(value).ravel()
    owner = np.repeat(record, n_channels)[known]
    return IrregularPanel(
        offsets_from_lengths(np.bincount(owner, minlength=len(records))),
        np.repeat(time, n_channels)[known],
        np.tile(np.arange(n_channels), n_rows)[known],
        value.ravel()[known],
        records=records,
        **about,
    )


def panel_of_events(
    record: NDArray[np.int64],
    time: NDArray[np.float64],
    channel: NDArray[np.int64],
    value: NDArray[np.float64],
    *,
    records: pd.Index,
    noticed: Counter[str] | None = None,
    **about: Any,
) -> IrregularPanel:
    """A panel of events in the order of their files; those of one record and time keep their order.

    Parameters
    ----------
    record, time, channel, value : ndarray of shape (n_events,)
    records : Index
    noticed : Counter, optional
        Events out of order are counted here.
    **about
        Further arguments of :class:`~cndts.IrregularPanel`.
    """
    same = record[1:] == record[:-1]
    unsorted = same & (np.diff(time) < 0)
    if noticed is not None:
        noticed[UNSORTED] += int(unsorted.sum())
    if (record[1:] < record[:-1]).any() or unsorted.any():
        order = np.lexsort((time, record))
        record, time, channel, value = record[order], time[order], channel[order], value[order]
    offsets = offsets_from_lengths(np.bincount(record, minlength=len(records)))
    return IrregularPanel(offsets, time, channel, value, records=records, **about)


def descriptors(
    record: NDArray[np.int64], value: NDArray[np.float64], n_records: int
) -> tuple[NDArray[np.float64], int]:
    """First number of each column in each record, and how many later numbers differ from it.

    Parameters
    ----------
    record : ndarray of shape (n_rows,)
    value : ndarray of shape (n_rows, n_columns)
    n_records : int

    Examples
    --------
    >>> descriptors(np.array([0, 0, 1]), np.array([[np.nan], [3.0], [4.0]]), 3)
    (array([[ 3.],
           [ 4.],
           [nan]]), 0)
    """
    first = np.full((n_records, value.shape[1]), np.nan)
    for column in range(value.shape[1]):
        known = np.flatnonzero(~np.isnan(value[:, column]))[::-1]
        first[record[known], column] = value[known, column]
    with np.errstate(invalid="ignore"):
        differ = np.abs(value - first[record]) > 0
    return first, int(differ.sum())
