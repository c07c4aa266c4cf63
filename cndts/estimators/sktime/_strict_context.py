"""Queries inside the observed span, answered from what came before them and not from what they ask for."""

import numpy as np
from numpy.typing import NDArray

from cndts._panel_queries import check_asks
from cndts._ragged import offsets_from_lengths, record_of_row, take
from cndts.panel import IrregularPanel
from cndts.queries import Queries


def strict_context(X: IrregularPanel) -> tuple[IrregularPanel, NDArray[np.int64] | slice]:
    """Give each query at or before the last event of its record a copy of the record that ends before the query.

    A cndts forecaster answers a query from the events at or before it. sktime asks for times of the training series too
    (in-sample forecasts, residuals), where the value itself would then be the answer.

    Parameters
    ----------
    X : IrregularPanel
        Events with queries at any time.

    Returns
    -------
    panel : IrregularPanel
        The records of ``X``, followed by shortened copies; ``X`` itself where every query follows the last event.
    position : ndarray of shape (n_queries,) or slice
        Where each query of ``X`` stands among the queries of ``panel``.

    Examples
    --------
    >>> X = IrregularPanel([0, 2], [0.0, 4.0], [0, 0], [1.0, 9.0], queries=Queries([0, 2], [5.0, 4.0], [0, 0]))
    >>> panel, position = strict_context(X)
    >>> panel.time, panel.offsets, panel.queries.time[position]
    (array([0., 4., 0.]), array([0, 2, 3]), array([5., 4.]))
    """
    queries = check_asks(X)
    record, time = queries.record, queries.time
    inside = np.flatnonzero(time <= X.last_time[record])
    if len(inside) == 0:
        return X, slice(None)
    pairs, copy = np.unique(np.column_stack([record[inside], time[inside]]), axis=0, return_inverse=True)
    owner = record.copy()
    owner[inside] = len(X) + copy.ravel()
    order = np.argsort(owner, kind="stable")
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    offsets = offsets_from_lengths(np.bincount(owner, minlength=len(X) + len(pairs)))
    asked = Queries(offsets, time[order], queries.channel[order])
    return _shortened(X, pairs[:, 0].astype(np.int64), pairs[:, 1], asked), position


def _shortened(
    X: IrregularPanel, record: NDArray[np.int64], end: NDArray[np.float64], queries: Queries
) -> IrregularPanel:
    """All records, then copies of some with their events before a time each."""
    source = np.concatenate([np.arange(len(X)), record])
    limit = np.concatenate([np.full(len(X), np.inf), end])
    offsets, rows = take(X.offsets, source)
    copy = record_of_row(offsets)
    kept = X.time[rows] < limit[copy]
    return IrregularPanel(
        offsets_from_lengths(np.bincount(copy[kept], minlength=len(source))),
        X.time[rows][kept],
        X.channel[rows][kept],
        X.value[rows][kept],
        channels=X.channels,
        time_unit=X.time_unit,
        queries=queries,
    )
