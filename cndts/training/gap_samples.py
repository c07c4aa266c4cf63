"""Training batches for interpolation: records seen from both sides of a gap."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from cndts._ragged import offsets_from_lengths, take
from cndts.batching import EventStore
from cndts.event_batch import EventBatch
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.scaling import Scaling
from cndts.targets import Targets
from cndts.training.samples import Sample, channel_weights, joined, known_targets

# Gaps of a record that count for the validation score: more would cost more than the training.
_GAPS_PER_RECORD = 2
# Visits in a gap that is cut: most are short, as if visits were hidden one by one, some span up to a quarter of the record.
_SHORT_SHARE, _LONGEST_PART = 0.7, 0.25


@dataclass(frozen=True, eq=False)
class Gaps:
    """Times between two neighbouring visits of a record in which something is asked.

    Parameters
    ----------
    record : ndarray of shape (n_gaps,)
        Positions of the records, rising.
    lower, upper : ndarray of shape (n_gaps,)
        Times of the visits around; -inf before the first, inf after the last.
    queries : Queries of n_gaps
        What is asked in each.
    row : ndarray of shape (n_queries,)
        Where each of them stands among the queries that were given.
    """

    record: NDArray[np.int64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    queries: Queries
    row: NDArray[np.int64]

    @classmethod
    def of(cls, X: IrregularPanel, queries: Queries) -> "Gaps":
        """Sort queries of a panel into the gaps between its visits.

        Examples
        --------
        >>> X = IrregularPanel([0, 2], [1.0, 4.0], [0, 0], [5.0, 7.0])
        >>> gaps = Gaps.of(X, Queries([0, 3], [2.0, 9.0, 3.0], [0, 0, 0]))
        >>> gaps.lower, gaps.upper, gaps.queries.time, gaps.row
        (array([1., 4.]), array([ 4., inf]), array([2., 3., 9.]), array([0, 2, 1]))
        """
        record = queries.record
        # Records one after the other, so that one search serves all.
        n_before = np.searchsorted(_keys(X.record, X.time), _keys(record, queries.time), side="right")
        order = np.lexsort((queries.time, n_before, record))
        record, n_before = record[order], n_before[order]
        is_new = np.ones(len(order), dtype=bool)
        is_new[1:] = (record[1:] != record[:-1]) | (n_before[1:] != n_before[:-1])
        first = np.flatnonzero(is_new)
        owner, before = record[first], n_before[first]
        lengths = np.diff(np.append(first, len(order)))
        asked = Queries(offsets_from_lengths(lengths), queries.time[order], queries.channel[order])
        time = np.append(X.time, np.nan)
        lower = np.where(before > X.offsets[owner], time[before - 1], -np.inf)
        upper = np.where(before < X.offsets[owner + 1], time[np.minimum(before, X.n_events)], np.inf)
        return cls(owner, lower, upper, asked, order)

    def batch(self, store: EventStore, picked: NDArray[np.int64]) -> EventBatch:
        """Some of the gaps, with what is asked in them."""
        return store.gaps(self.record[picked], self.lower[picked], self.upper[picked], self.queries[picked])


def _keys(record: NDArray[np.int64], time: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Numbers that numpy orders by record, then by time."""
    return record + 1j * time


class GapSamples:
    """Training or validation records of an interpolation task, ready to be drawn.

    A share of the steps hides visits of context and targets together, at random places and for random lengths, and thins the rest
    of the record as much as the task does; the other steps ask for given targets between their neighbours.

    Parameters
    ----------
    X : IrregularPanel
        Context with queries.
    y : Targets
        Values at the queries; NaN is left out. Without any, the events alone are the lesson: weights count them.
    scaling : Scaling
        Model units.
    static : ndarray of shape (n_records, n_static)
        Encoded static features.
    channel_balance : float
        As for `Samples`.
    """

    def __init__(
        self, X: IrregularPanel, y: Targets, scaling: Scaling, static: NDArray, channel_balance: float
    ) -> None:
        y = known_targets(y)
        self.n_records = len(X)
        self.records, self.channels = X.records, X.channels
        self.gaps = Gaps.of(X, y.queries)
        self.value = scaling.standardise(y.channel, y.value)[self.gaps.row]
        lesson = y.channel if len(y.channel) else X.channel
        self.weight = channel_weights(lesson, len(X.channels), channel_balance)
        self.given = EventStore(X, scaling, static)
        whole = joined(X, y)
        self.whole = EventStore(whole, scaling, static)
        self.visit_offsets, self.visit_time = _visit_times(whole)
        self.thinning = 1 - len(_visit_times(X)[1]) / max(len(self.visit_time), 1)
        self.first_gap = np.searchsorted(self.gaps.record, np.arange(len(X) + 1))

    def ordered(self, batch_size: int) -> Iterator[Sample]:
        """A few gaps of every record, evenly spread, in order."""
        count = np.diff(self.first_gap)
        taken = np.minimum(count, _GAPS_PER_RECORD)
        record = np.repeat(np.arange(self.n_records), taken)
        place = np.arange(len(record)) - np.repeat(np.cumsum(taken) - taken, taken)
        picked = self.first_gap[record] + (2 * place + 1) * count[record] // (2 * taken[record])
        for first in range(0, len(picked), batch_size):
            yield self._given(picked[first : first + batch_size])

    def shuffled(self, batch_size: int, cut_share: float, random: np.random.Generator) -> Iterator[Sample]:
        """One pass over all records in random order, one gap of each."""
        order = random.permutation(self.n_records)
        for records in np.array_split(order, max(1, self.n_records // batch_size)):
            if random.random() < cut_share:
                yield self._cut(records, random)
            else:
                count = np.diff(self.first_gap)[records]
                drawn = self.first_gap[records] + (random.random(len(records)) * count).astype(np.int64)
                yield self._given(drawn[count > 0])

    def _given(self, picked: NDArray[np.int64]) -> Sample:
        batch = self.gaps.batch(self.given, picked)
        _, rows = take(self.gaps.queries.offsets, picked)
        weight = self.weight[batch.query_channel]
        return Sample(batch, torch.from_numpy(self.value[rows]), weight, self.records[self.gaps.record[picked]])

    def _cut(self, records: NDArray[np.int64], random: np.random.Generator) -> Sample:
        n_visits = np.diff(self.visit_offsets)[records]
        records, n_visits = records[n_visits > 0], n_visits[n_visits > 0]
        longest = np.maximum(1, (_LONGEST_PART * n_visits).astype(np.int64))
        is_short = random.random(len(records)) < _SHORT_SHARE
        length = np.where(is_short, random.geometric(0.5, len(records)), random.integers(1, longest + 1))
        start = (random.random(len(records)) * n_visits).astype(np.int64)
        end = np.minimum(start + length, n_visits)
        base = self.visit_offsets[records]
        lower = np.where(start > 0, self.visit_time[base + np.maximum(start, 1) - 1], -np.inf)
        upper = np.where(end < n_visits, self.visit_time[base + np.minimum(end, n_visits - 1)], np.inf)
        thinned = (self.thinning, random) if self.thinning > 0 else None
        batch, value = self.whole.hidden(records, lower, upper, thinned)
        return Sample(batch, value, self.weight[batch.query_channel], self.records[records])


def _visit_times(panel: IrregularPanel) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Distinct times of each record: offsets and times."""
    record, time = panel.record, panel.time
    is_new = np.ones(len(time), dtype=bool)
    is_new[1:] = (time[1:] != time[:-1]) | (record[1:] != record[:-1])
    return offsets_from_lengths(np.bincount(record[is_new], minlength=len(panel))), time[is_new]
