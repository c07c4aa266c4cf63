"""Queries inside the observed span, answered from what was known before them."""

import numpy as np
from numpy.typing import NDArray

from cndts._panel_queries import check_asks
from cndts._ragged import offsets_from_lengths, record_of_row, take
from cndts.panel import IrregularPanel
from cndts.queries import Queries


def causal_context(X: IrregularPanel) -> tuple[IrregularPanel, NDArray[np.int64] | slice]:
    """Give each query a record that holds no later event.

    A record with queries before its last event is repeated, once for each such query time, with its events up to that
    time. Queries after the last event stay with the record as it is.

    Parameters
    ----------
    X : IrregularPanel
        Events with queries at any time.

    Returns
    -------
    panel : IrregularPanel
        The records of ``X``, followed by the shortened ones; ``X`` itself where every query follows the last event.
    position : ndarray of shape (n_queries,) or slice
        Where each query of ``X`` stands among the queries of ``panel``.

    Examples
    --------
    >>> X = IrregularPanel([0, 2], [0.0, 4.0], [0, 0], [1.0, 9.0], queries=Queries([0, 2], [5.0, 3.0], [0, 0]))
    >>> panel, position = causal_context(X)
    >>> panel.time, panel.queries.time[position]
    (array([0., 4., 0.]), array([5., 3.]))
    """
    queries = check_asks(X)
    record = queries.record
    last = np.full(len(X), -np.inf)
    filled = np.diff(X.offsets) > 0
    last[filled] = X.time[X.offsets[1:][filled] - 1]
    is_inside = queries.time < last[record]
    if not is_inside.any():
        return X, slice(None)
    order = np.lexsort((queries.time, record, is_inside))
    is_inside, record, time = is_inside[order], record[order], queries.time[order]
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (record[1:] != record[:-1]) | (time[1:] != time[:-1]) | ~is_inside[:-1]
    first = np.flatnonzero(is_new & is_inside)
    group = np.cumsum(is_new & is_inside) - 1 + len(X)
    owner = np.where(is_inside, group, record)
    lengths = np.bincount(owner, minlength=len(X) + len(first))
    asked = Queries(offsets_from_lengths(lengths), time, queries.channel[order])
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    return _repeated(X, record[first], time[first], asked), position


def _repeated(
    X: IrregularPanel, record: NDArray[np.int64], until: NDArray[np.float64], queries: Queries
) -> IrregularPanel:
    """All records, then copies of some of them with their events up to a time each."""
    source = np.concatenate([np.arange(len(X)), record])
    limit = np.concatenate([np.full(len(X), np.inf), until])
    offsets, picked = take(X.offsets, source)
    copy = record_of_row(offsets)
    kept = X.time[picked] <= limit[copy]
    rows = np.arange(X.n_events)[picked][kept]
    return IrregularPanel(
        offsets_from_lengths(np.bincount(copy[kept], minlength=len(source))),
        X.time[rows],
        X.channel[rows],
        X.value[rows],
        channels=X.channels,
        static=X.static.iloc[source].reset_index(drop=True),
        time_unit=X.time_unit,
        queries=queries,
    )
