"""Events of each record and channel in order of time, and what a query may read of them."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cndts._panel_queries import check_asks
from cndts.panel import IrregularPanel

Index = NDArray[np.int64]


def events_until(X: IrregularPanel) -> Index:
    """For each query, the flat position after the last event of its record at or before the query time.

    Examples
    --------
    >>> from cndts.queries import Queries
    >>> queries = Queries([0, 3], [0.5, 2.0, 9.0], [0, 0, 0])
    >>> events_until(IrregularPanel([0, 3], [1.0, 2.0, 3.0], [0, 0, 0], [5.0, 6.0, 7.0], queries=queries))
    array([0, 2, 3])
    """
    queries = check_asks(X)
    times = np.unique(X.time)
    width = len(times) + 1
    event_key = X.record * width + np.searchsorted(times, X.time)
    query_key = queries.record * width + np.searchsorted(times, queries.time, side="right")
    return np.searchsorted(event_key, query_key).astype(np.int64)


def horizons(X: IrregularPanel) -> NDArray[np.float64]:
    """Query time minus time of the last event a query may read, shape (n_queries,); NaN where there is none.

    Examples
    --------
    >>> from cndts.queries import Queries
    >>> queries = Queries([0, 3], [0.5, 2.5, 9.0], [0, 0, 0])
    >>> horizons(IrregularPanel([0, 2], [1.0, 2.0], [0, 0], [5.0, 6.0], queries=queries))
    array([nan, 0.5, 7. ])
    """
    queries = check_asks(X)
    until = events_until(X)
    horizon = np.full(queries.n_queries, np.nan)
    has_context = until > X.offsets[queries.record]
    horizon[has_context] = queries.time[has_context] - X.time[until[has_context] - 1]
    return horizon


@dataclass(frozen=True)
class ChannelHistories:
    """Events sorted by record, channel and time; values of one channel at one time are averaged.

    Attributes
    ----------
    key : ndarray of shape (n_rows,)
        ``(record * n_channels + channel) * stride + position``, rising; ``position`` is that of the (first) event in
        the panel, so that one binary search finds the last row of any channel before any event of the record.
    rank : ndarray of shape (n_rows,)
        0 for the first row of its record and channel, 1 for the second, ...
    time, value : ndarray of shape (n_rows,)
        Time and value of each row.
    n_channels, stride : int
        What ``key`` is made with.
    """

    key: Index
    rank: Index
    time: NDArray[np.float64]
    value: NDArray[np.float64]
    n_channels: int
    stride: int

    @classmethod
    def of(cls, X: IrregularPanel) -> Self:
        """Sort the events of a panel."""
        group = X.record * len(X.channels) + X.channel
        order = np.argsort(group, kind="stable")
        group, time = group[order], X.time[order]
        is_new = np.ones(len(group), dtype=bool)
        is_new[1:] = (group[1:] != group[:-1]) | (time[1:] != time[:-1])
        first = np.flatnonzero(is_new)
        value = _tied_means(X.value[order].astype(np.float64), first)
        group, stride = group[first], max(X.n_events, 1)
        return cls(group * stride + order[first], _ranks(group), time[first], value, len(X.channels), stride)

    def last(self, record: Index, channel: NDArray[np.integer], until: Index) -> Index:
        """Last row of a record's channel among the panel's events before position ``until``; -1 where there is none.

        Arguments broadcast.
        """
        group = record * self.n_channels + channel
        row = np.searchsorted(self.key, group * self.stride + until) - 1
        found = (row >= 0) & (self.key[np.maximum(row, 0)] >= group * self.stride) if len(self.key) else row >= 0
        return np.where(found, row, -1)

    def next(self, record: Index, channel: NDArray[np.integer], until: Index) -> Index:
        """First row of a record's channel among the panel's events from position ``until`` on; -1 if there is none."""
        group = record * self.n_channels + channel
        row = np.searchsorted(self.key, group * self.stride + until)
        inside = np.minimum(row, len(self.key) - 1)
        found = (row < len(self.key)) & (self.key[inside] < (group + 1) * self.stride) if len(self.key) else row < 0
        return np.where(found, row, -1)

    def first(self, row: Index) -> Index:
        """First row of the record and channel that each row belongs to; -1 stays -1."""
        return np.where(row >= 0, row - self.rank[row], -1) if len(self.rank) else row

    def previous(self, row: Index) -> Index:
        """The row before, in the same record and channel; -1 where there is none."""
        return np.where((row >= 0) & (self.rank[row] > 0), row - 1, -1) if len(self.rank) else row

    def time_of(self, row: Index) -> NDArray[np.float64]:
        """Time of each row, NaN for row -1."""
        return _or_nan(self.time, row)

    def value_of(self, row: Index) -> NDArray[np.float64]:
        """Value of each row, NaN for row -1."""
        return _or_nan(self.value, row)


def _or_nan(array: NDArray[np.float64], row: Index) -> NDArray[np.float64]:
    if len(array) == 0:
        return np.full(row.shape, np.nan)
    return np.where(row >= 0, array[row], np.nan)


def _tied_means(value: NDArray[np.float64], first: Index) -> NDArray[np.float64]:
    if len(first) == len(value):
        return value
    return np.add.reduceat(value, first) / np.diff(first, append=len(value))


def _ranks(group: Index) -> Index:
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    return np.arange(len(group)) - np.repeat(starts, np.diff(starts, append=len(group)))
