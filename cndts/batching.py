"""From panels to packed event batches."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cndts._ragged import take
from cndts.event_batch import EventBatch
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.scaling import Scaling


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
        visit, self.n_visits = _visits(panel)
        self.offsets = panel.offsets
        self.time = panel.time[order]
        self.channel = panel.channel[order].astype(np.int64)
        self.value = scaling.standardise(self.channel, panel.value[order])
        self.score = scaling.score(self.channel, panel.value[order])
        self.visit = visit[order]
        self.n_channels = len(panel.channels)
        self.time_scale = scaling.time_scale
        self.static = static.astype(np.float32)

    def batch(self, records: NDArray[np.int64], queries: Queries) -> EventBatch:
        """All events of some records, with one segment of queries for each of them."""
        rows, record = self._rows(records)
        return self._pack(records, rows, record, queries.record, queries.time, queries.channel)

    def cut(self, records: NDArray[np.int64], at: NDArray[np.float64], horizon: float) -> tuple[EventBatch, Tensor]:
        """Cut records at their own times: context before, queries at the events from there on.

        Parameters
        ----------
        records : ndarray of shape (n,)
            Positions of the records.
        at : ndarray of shape (n,)
            Cut of each record, in the panel's time unit.
        horizon : float
            Events up to ``at + horizon`` become queries.

        Returns
        -------
        EventBatch, Tensor of shape (n_queries,)
            The batch and the standardised values at its queries.
        """
        rows, record = self._rows(records)
        time, limit = self.time[rows], at[record]
        past = time < limit
        ahead = ~past & (time <= limit + horizon)
        asked = rows[ahead]
        batch = self._pack(records, rows[past], record[past], record[ahead], self.time[asked], self.channel[asked])
        return batch, torch.from_numpy(self.value[asked])

    def _rows(self, records: NDArray[np.int64]) -> tuple[NDArray, NDArray]:
        offsets, picked = take(self.offsets, records)
        rows = np.arange(picked.start, picked.stop) if isinstance(picked, slice) else picked
        return rows, np.repeat(np.arange(len(records)), np.diff(offsets))

    def _pack(
        self,
        records: NDArray,
        rows: NDArray,
        record: NDArray,
        query_record: NDArray,
        query_time: NDArray,
        query_channel: NDArray,
    ) -> EventBatch:
        time, channel, value = self.time[rows], self.channel[rows], self.value[rows]
        last_time = np.full(len(records), -np.inf)
        np.maximum.at(last_time, record, time)
        first_visit = np.concatenate([[0], np.cumsum(self.n_visits[records])])
        start, end, series = _segments(record * self.n_channels + channel)
        is_first = np.zeros(len(rows), dtype=bool)
        is_first[start] = True
        known = np.isfinite(last_time[query_record])
        horizon = np.where(known, query_time - np.where(known, last_time[query_record], 0.0), 0.0)
        return EventBatch(
            n_records=len(records),
            n_channels=self.n_channels,
            n_visits=int(first_visit[-1]),
            value=torch.from_numpy(value),
            score=torch.from_numpy(self.score[rows]),
            change=_real(_differences(value, is_first)),
            gap=self._duration(_differences(time, is_first)),
            is_first=_real(is_first),
            age=self._duration(time[end][series] - time),
            channel=_whole(channel),
            series=_whole(series),
            visit=_whole(first_visit[record] + self.visit[rows]),
            series_node=_whole(record[start] * self.n_channels + channel[start]),
            series_channel=_whole(channel[start]),
            series_count=_real(end - start + 1),
            series_end=_whole(end),
            series_age=self._duration(last_time[record[start]] - time[end]),
            series_span=self._duration(time[end] - time[start]),
            query_node=_whole(query_record * self.n_channels + query_channel),
            query_channel=_whole(query_channel),
            query_horizon=self._duration(horizon),
            static=torch.from_numpy(self.static[records]),
        )

    def _duration(self, time: NDArray[np.float64]) -> Tensor:
        return _real(time / self.time_scale)


def _visits(panel: IrregularPanel) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rank of each event's time stamp within its record, and the number of time stamps of each record."""
    record, time = panel.record, panel.time
    is_new = np.ones(len(time), dtype=bool)
    is_new[1:] = (time[1:] != time[:-1]) | (record[1:] != record[:-1])
    seen = np.concatenate([[0], np.cumsum(is_new)])
    before = seen[panel.offsets]
    return seen[1:] - 1 - before[record], np.diff(before)


def _segments(node: NDArray[np.int64]) -> tuple[NDArray, NDArray, NDArray]:
    """First row, last row of each run of equal nodes, and the run that each row belongs to."""
    is_start = np.ones(len(node), dtype=bool)
    is_start[1:] = node[1:] != node[:-1]
    start = np.flatnonzero(is_start)
    end = np.append(start[1:], len(node)) - 1 if len(node) else start
    return start, end, np.cumsum(is_start) - 1


def _differences(values: NDArray, is_first: NDArray[np.bool_]) -> NDArray:
    steps = np.diff(values, prepend=values[:1])
    steps[is_first] = 0
    return steps


def _real(array: NDArray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def _whole(array: NDArray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.int64))
