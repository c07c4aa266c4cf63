"""From panels to packed event batches."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from cndts._ragged import take
from cndts.event_batch import EventBatch
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.scaling import Scaling

# A series that stood still for long does not make the least change infinitely surprising.
_LEAST_VARIANCE = 1e-2


class EventStore:
    """A panel's events in batch order, sorted once, from which batches are cut.

    Parameters
    ----------
    panel : IrregularPanel
        Events, already scaled or not.
    scaling : Scaling
        Turns values and times into model units.
    static : ndarray of shape (n_records, n_static)
        Encoded static features.

    Examples
    --------
    >>> panel = IrregularPanel([0, 3], time=[0.0, 1.0, 3.0], channel=[0, 1, 0], value=[1.0, 5.0, 2.0])
    >>> from cndts.rank_scale import RankScale
    >>> scaling = Scaling(np.zeros(2), np.ones(2), 1.0, RankScale.unknown(2))
    >>> store = EventStore(panel, scaling, np.zeros((1, 0)))
    >>> batch = store.batch(np.array([0]), Queries([0, 1], [5.0], [1]))
    >>> batch.value, batch.age, batch.series_age, batch.query_horizon
    (tensor([1., 2., 5.]), tensor([3., 0., 0.]), tensor([0., 2.]), tensor([2.]))
    """

    def __init__(self, panel: IrregularPanel, scaling: Scaling, static: NDArray) -> None:
        # Events of one channel at one time are ordered by value: the order of equal times then carries no meaning.
        order = np.lexsort((panel.value, panel.time, panel.channel, panel.record))
        visit = _visits(panel)
        self.offsets = panel.offsets
        self.time = panel.time[order]
        self.channel = panel.channel[order].astype(np.int64)
        self.value = scaling.standardise(self.channel, panel.value[order])
        self.score = scaling.score(self.channel, panel.value[order])
        node = panel.record[order] * len(panel.channels) + self.channel
        self.surprise = _surprise(node, self.value)
        self.surprise_mirrored = _surprise(node[::-1], self.value[::-1])[::-1]
        self.visit = visit[order]
        self.n_channels = len(panel.channels)
        self.time_scale = scaling.time_scale
        self.static = static.astype(np.float32)

    def batch(self, records: NDArray[np.int64], queries: Queries) -> EventBatch:
        """All events of some records, with one segment of queries for each of them."""
        return self._pack(records, self._forward(*self._rows(records)), (queries.record, queries.time, queries.channel))

    def cut(
        self,
        records: NDArray[np.int64],
        at: NDArray[np.float64],
        horizon: float,
        thinned: tuple[float, np.random.Generator] | None = None,
    ) -> tuple[EventBatch, Tensor]:
        """Cut records at their own times: context before, queries at the events from there on.

        Parameters
        ----------
        records : ndarray of shape (n,)
            Positions of the records.
        at : ndarray of shape (n,)
            Cut of each record, in the panel's time unit.
        horizon : float
            Events up to ``at + horizon`` become queries.
        thinned : float and Generator, optional
            Each record loses a random share of the events before its cut, at most this one.

        Returns
        -------
        EventBatch, Tensor of shape (n_queries,)
            The batch and the standardised values at its queries.
        """
        rows, record = self._rows(records)
        time, limit = self.time[rows], at[record]
        past = time < limit
        ahead = ~past & (time <= limit + horizon)
        if thinned is not None:
            highest, random = thinned
            past &= random.random(len(rows)) >= random.uniform(0, highest, len(records))[record]
        asked = rows[ahead]
        asking = (record[ahead], self.time[asked], self.channel[asked])
        return self._pack(records, self._forward(rows[past], record[past]), asking), torch.from_numpy(self.value[asked])

    def gaps(
        self, records: NDArray[np.int64], lower: NDArray[np.float64], upper: NDArray[np.float64], queries: Queries
    ) -> EventBatch:
        """Records seen from both sides of a gap.

        Parameters
        ----------
        records : ndarray of shape (n,)
            Positions of the records; a record may come several times, with different gaps.
        lower, upper : ndarray of shape (n,)
            Last time before and first time after each gap; events in between are hidden.
        queries : Queries of n records
            Inside the gaps.

        Returns
        -------
        EventBatch
            Events up to ``lower``; those from ``upper`` on are its ``later``. Where nothing comes before, horizons count
            back from the first later event.
        """
        return self._around(records, *self._rows(records), lower, upper, queries)

    def _around(
        self, records: NDArray, rows: NDArray, record: NDArray, lower: NDArray, upper: NDArray, queries: Queries
    ) -> EventBatch:
        """The events of ``rows`` before and after the gaps."""
        is_before, is_after = self.time[rows] <= lower[record], self.time[rows] >= upper[record]
        later = self._pack(records, self._mirrored(rows[is_after], record[is_after]), _NO_QUERIES)
        asking = (queries.record, queries.time, queries.channel)
        batch = self._pack(records, self._forward(rows[is_before], record[is_before]), asking)
        opened, closed = np.full(len(records), -np.inf), np.full(len(records), np.inf)
        np.maximum.at(opened, record[is_before], self.time[rows[is_before]])
        np.minimum.at(closed, record[is_after], self.time[rows[is_after]])
        bridge = closed - opened
        back = closed[queries.record] - queries.time
        is_back = np.isinf(opened[queries.record]) & np.isfinite(back)
        return replace(
            batch,
            later=later,
            bridge=self._duration(np.where(np.isfinite(bridge), bridge, 0.0)),
            query_horizon=torch.where(torch.from_numpy(is_back), self._duration(back), batch.query_horizon),
        )

    def hidden(
        self,
        records: NDArray[np.int64],
        lower: NDArray[np.float64],
        upper: NDArray[np.float64],
        thinned: tuple[float, np.random.Generator] | None = None,
    ) -> tuple[EventBatch, Tensor]:
        """Hide the events of records in gaps of their own, and ask for them.

        Parameters
        ----------
        records : ndarray of shape (n,)
            Positions of the records.
        lower, upper : ndarray of shape (n,)
            Last time before and first time after each gap.
        thinned : float and Generator, optional
            Leave out this share of the visits outside the gap, at random.

        Returns
        -------
        EventBatch, Tensor of shape (n_queries,)
            As `gaps` gives it, and the standardised values at its queries.
        """
        rows, record = self._rows(records)
        time = self.time[rows]
        is_asked = (time > lower[record]) & (time < upper[record])
        order = np.lexsort((time[is_asked], record[is_asked]))
        asked, owner = rows[is_asked][order], record[is_asked][order]
        offsets = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(records)))])
        kept = np.ones(len(rows), dtype=bool)
        if thinned is not None:
            share, random = thinned
            draw = random.random((len(records), self.visit[rows].max(initial=0) + 1))
            kept = draw[record, self.visit[rows]] >= share
        queries = Queries(offsets, self.time[asked], self.channel[asked])
        return self._around(records, rows[kept], record[kept], lower, upper, queries), torch.from_numpy(
            self.value[asked]
        )

    def _forward(self, rows: NDArray, record: NDArray) -> "_Events":
        return self._events(rows, record, self.time[rows], self.surprise[rows], self.visit[rows])

    def _mirrored(self, rows: NDArray, record: NDArray) -> "_Events":
        """The same events with time running backwards: each series in reverse."""
        start, end, series = _segments(record * self.n_channels + self.channel[rows])
        flip = (start + end)[series] - np.arange(len(rows)) if len(rows) else np.zeros(0, dtype=np.int64)
        rows, record = rows[flip], record[flip]
        latest = np.zeros(record.max(initial=-1) + 1, dtype=np.int64)
        np.maximum.at(latest, record, self.visit[rows])
        return self._events(
            rows, record, -self.time[rows], self.surprise_mirrored[rows], latest[record] - self.visit[rows]
        )

    def _events(self, rows: NDArray, record: NDArray, time: NDArray, surprise: NDArray, visit: NDArray) -> "_Events":
        return _Events(record, time, self.channel[rows], self.value[rows], self.score[rows], surprise, visit)

    def _rows(self, records: NDArray[np.int64]) -> tuple[NDArray, NDArray]:
        offsets, picked = take(self.offsets, records)
        rows = np.arange(picked.start, picked.stop) if isinstance(picked, slice) else picked
        return rows, np.repeat(np.arange(len(records)), np.diff(offsets))

    def _pack(self, records: NDArray, events: "_Events", queries: tuple[NDArray, NDArray, NDArray]) -> EventBatch:
        record, time, channel, value = events.record, events.time, events.channel, events.value
        query_record, query_time, query_channel = queries
        last_time = np.full(len(records), -np.inf)
        np.maximum.at(last_time, record, time)
        visit, visit_record = _numbered(events.visit, record, len(records))
        visit_age = np.zeros(len(visit_record))
        visit_age[visit] = last_time[record] - time
        start, end, series = _segments(record * self.n_channels + channel)
        is_first = np.zeros(len(time), dtype=bool)
        is_first[start] = True
        known = np.isfinite(last_time[query_record])
        horizon = np.where(known, query_time - np.where(known, last_time[query_record], 0.0), 0.0)
        return EventBatch(
            n_records=len(records),
            n_channels=self.n_channels,
            n_visits=len(visit_record),
            value=torch.from_numpy(value),
            score=_real(events.score),
            change=_real(_differences(value, is_first)),
            gap=self._duration(_differences(time, is_first)),
            is_first=_real(is_first),
            surprise=_real(events.surprise),
            age=self._duration(time[end][series] - time),
            channel=_whole(channel),
            series=_whole(series),
            visit=_whole(visit),
            series_node=_whole(record[start] * self.n_channels + channel[start]),
            series_channel=_whole(channel[start]),
            series_count=_real(end - start + 1),
            series_end=_whole(end),
            series_age=self._duration(last_time[record[start]] - time[end]),
            series_span=self._duration(time[end] - time[start]),
            visit_record=_whole(visit_record),
            visit_age=self._duration(visit_age),
            record_gap=torch.zeros(len(records)),
            bridge=torch.zeros(len(records)),
            query_node=_whole(query_record * self.n_channels + query_channel),
            query_channel=_whole(query_channel),
            query_horizon=self._duration(horizon),
            static=torch.from_numpy(self.static[records]),
        )

    def _duration(self, time: NDArray[np.float64]) -> Tensor:
        return _real(time / self.time_scale)


class _Events(NamedTuple):
    """Events of a batch by record, channel and time, each part of shape (n_events,)."""

    record: NDArray[np.int64]
    time: NDArray[np.float64]
    channel: NDArray[np.int64]
    value: NDArray[np.float32]
    score: NDArray[np.float32]
    surprise: NDArray[np.float32]
    visit: NDArray[np.int64]


_NO_QUERIES = (np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=np.int64))


def _visits(panel: IrregularPanel) -> NDArray[np.int64]:
    """Rank of each event's time stamp within its record."""
    record, time = panel.record, panel.time
    is_new = np.ones(len(time), dtype=bool)
    is_new[1:] = (time[1:] != time[:-1]) | (record[1:] != record[:-1])
    seen = np.concatenate([[0], np.cumsum(is_new)])
    return seen[1:] - 1 - seen[panel.offsets][record]


def _numbered(rank: NDArray, record: NDArray, n_records: int) -> tuple[NDArray, NDArray]:
    """Visit of each event among those that the batch holds events of, and the record of each visit."""
    count = np.zeros(n_records, dtype=np.int64)
    np.maximum.at(count, record, rank + 1)
    place = (np.cumsum(count) - count)[record] + rank
    is_held = np.zeros(count.sum(), dtype=bool)
    is_held[place] = True
    return (np.cumsum(is_held) - 1)[place], np.repeat(np.arange(n_records), count)[is_held]


def _segments(node: NDArray[np.int64]) -> tuple[NDArray, NDArray, NDArray]:
    """First row, last row of each run of equal nodes, and the run that each row belongs to."""
    is_start = np.ones(len(node), dtype=bool)
    is_start[1:] = node[1:] != node[:-1]
    start = np.flatnonzero(is_start)
    end = np.append(start[1:], len(node)) - 1 if len(node) else start
    return start, end, np.cumsum(is_start) - 1


def _surprise(node: NDArray[np.int64], value: NDArray[np.float32]) -> NDArray[np.float32]:
    """Distance of each value from the mean of its series before it, in deviations of its series before it.

    One pseudo-observation of the training mean and deviation, 0 and 1, comes before the first event.
    """
    start, _, series = _segments(node)
    place = np.arange(len(node)) - start[series] if len(node) else np.zeros(0)
    total, square = (_sum_before(value.astype(np.float64) ** power, series) for power in (1, 2))
    mean = total / (place + 1)
    variance = np.maximum((square + 1) / (place + 1) - mean**2, _LEAST_VARIANCE)
    return (np.abs(value - mean) / np.sqrt(variance)).astype(np.float32)


def _sum_before(value: NDArray[np.float64], series: NDArray) -> NDArray[np.float64]:
    """Sum over the earlier events of the series, each added up on its own: an extreme value costs no other series digits."""
    return pd.Series(value).groupby(series).cumsum().to_numpy() - value


def _differences(values: NDArray, is_first: NDArray[np.bool_]) -> NDArray:
    steps = np.diff(values, prepend=values[:1])
    steps[is_first] = 0
    return steps


def _real(array: NDArray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def _whole(array: NDArray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.int64))
