"""What a stream must remember of each channel to turn further events into a batch."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from cndts.event_batch import EventBatch
from cndts.memory import SeriesFacts
from cndts.scaling import Scaling

# As in `cndts.batching`: a series that stood still does not make the least change infinitely surprising.
_LEAST_VARIANCE = 1e-2
_COUNT, _FIRST, _LAST, _VALUE, _SCORE, _CHANGE, _TOTAL, _SQUARE = range(8)


@dataclass(frozen=True, eq=False)
class Ledger:
    """Running facts of one record's channels, in float64 and of constant size; never written in place.

    Times are absolute and in the panel's unit; what leaves in a batch is relative and in the model's unit.

    Parameters
    ----------
    table : ndarray of shape (8, n_channels)
        Count, first and last time, last value, score and change, sum of values and of squares; values standardised.
    last_time : float
        Of the record; NaN without events.

    Examples
    --------
    >>> from cndts.rank_scale import RankScale
    >>> scaling = Scaling(np.zeros(2), np.ones(2), 4.0, RankScale.unknown(2))
    >>> ledger = Ledger.empty(2)
    >>> ledger, _ = ledger.advanced(np.array([8.0]), np.array([1]), np.array([3.0], dtype=np.float32), scaling)
    >>> ledger, batch = ledger.advanced(np.array([10.0]), np.array([1]), np.array([5.0], dtype=np.float32), scaling)
    >>> batch.gap, batch.change, batch.is_first, ledger.facts(4.0).count
    (tensor([0.5000]), tensor([2.]), tensor([0.]), tensor([2.]))
    """

    table: NDArray[np.float64]
    last_time: float

    @classmethod
    def empty(cls, n_channels: int) -> Self:
        """Facts before any event."""
        return cls(np.zeros((8, n_channels)), float("nan"))

    @property
    def n_events(self) -> int:
        """Events written so far."""
        return int(self.table[_COUNT].sum())

    def facts(self, time_scale: float) -> SeriesFacts:
        """Facts of the channels that were seen."""
        seen = np.flatnonzero(self.table[_COUNT])
        known = self.table[:, seen]
        numbers = np.empty((6, len(seen)), dtype=np.float32)
        numbers[0] = known[_COUNT]
        numbers[1] = (self.last_time - known[_LAST]) / time_scale
        numbers[2] = (known[_LAST] - known[_FIRST]) / time_scale
        numbers[3:] = known[_VALUE : _CHANGE + 1]
        return SeriesFacts(torch.from_numpy(seen), *torch.from_numpy(numbers).unbind(0))

    def advanced(
        self, time: NDArray[np.float64], channel: NDArray[np.int64], value: NDArray[np.float32], scaling: Scaling
    ) -> tuple["Ledger", EventBatch]:
        """Take in further events.

        Parameters
        ----------
        time, channel, value : ndarray of shape (n_events,), at least one
            In the order of time, from the last event on; whole visits; in the units of the panel.
        scaling : Scaling
            Units of the model.

        Returns
        -------
        Ledger, EventBatch
            Facts after these events, and the events as a batch that goes on from the events before.
        """
        is_new = np.empty(len(time), dtype=bool)
        is_new[0] = True
        np.not_equal(time[1:], time[:-1], out=is_new[1:])
        order = np.lexsort((value, time, channel))
        visit, visit_time = (np.cumsum(is_new) - 1)[order], time[is_new]
        time, channel, value = time[order], channel[order], value[order]
        standard, score = scaling.standardise(channel, value), scaling.score(channel, value)

        is_start = np.empty(len(channel), dtype=bool)
        is_start[0] = True
        np.not_equal(channel[1:], channel[:-1], out=is_start[1:])
        start = np.flatnonzero(is_start)
        end, series = np.append(start[1:], len(channel)) - 1, np.cumsum(is_start) - 1
        own = channel[start]
        before = self.table[:, own]

        is_first = np.zeros(len(channel), dtype=bool)
        is_first[start] = before[_COUNT] == 0
        earlier = np.empty((2, len(channel)))
        earlier[0, 1:], earlier[1, 1:] = standard[:-1], time[:-1]
        earlier[:, start] = before[[_VALUE, _LAST]]
        change = np.where(is_first, 0.0, standard - earlier[0].astype(np.float32))
        gap = np.where(is_first, 0.0, time - earlier[1])

        powers = np.stack([standard, np.square(standard, dtype=np.float64)]).astype(np.float64)
        running = np.cumsum(powers, axis=1)
        base = before[_TOTAL:] - (running - powers)[:, start]
        total, square = running - powers + base[:, series]
        place = np.arange(len(channel)) + (before[_COUNT] - start)[series]
        mean = total / (place + 1)
        deviation = np.sqrt(np.maximum((square + 1) / (place + 1) - mean**2, _LEAST_VARIANCE))

        last = float(visit_time[-1])
        by_event = np.empty((7, len(channel)), dtype=np.float32)
        by_event[0], by_event[1], by_event[2] = standard, score, change
        by_event[3] = gap / scaling.time_scale
        by_event[4] = is_first
        by_event[5] = np.abs(standard - mean) / deviation
        by_event[6] = (time[end][series] - time) / scaling.time_scale
        values, scores, changes, gaps, firsts, surprises, ages = torch.from_numpy(by_event).unbind(0)
        record_gap = 0.0 if np.isnan(self.last_time) else (float(visit_time[0]) - self.last_time) / scaling.time_scale
        nothing, none = torch.zeros(len(start)), torch.zeros(0, dtype=torch.int64)
        own_channel = torch.from_numpy(own)
        batch = EventBatch(
            n_records=1,
            n_channels=self.table.shape[1],
            n_visits=len(visit_time),
            value=values,
            score=scores,
            change=changes,
            gap=gaps,
            is_first=firsts,
            surprise=surprises,
            age=ages,
            channel=torch.from_numpy(channel),
            series=torch.from_numpy(series),
            visit=torch.from_numpy(visit),
            series_node=own_channel,
            series_channel=own_channel,
            series_count=nothing,
            series_end=torch.from_numpy(end),
            series_age=nothing,
            series_span=nothing,
            visit_record=torch.zeros(len(visit_time), dtype=torch.int64),
            visit_age=torch.from_numpy(((last - visit_time) / scaling.time_scale).astype(np.float32)),
            record_gap=torch.tensor([record_gap]),
            bridge=torch.zeros(1),
            query_node=none,
            query_channel=none,
            query_horizon=torch.zeros(0),
            static=torch.zeros(1, 0),
        )

        after = self.table.copy()
        after[_COUNT, own] += end - start + 1
        after[_FIRST, own] = np.where(before[_COUNT] == 0, time[start], before[_FIRST])
        after[_LAST, own] = time[end]
        after[_VALUE, own], after[_SCORE, own], after[_CHANGE, own] = standard[end], score[end], change[end]
        after[_TOTAL:, own] = running[:, end] + base
        return Ledger(after, last), batch
