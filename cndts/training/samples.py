"""Training batches: records as given, or cut at random times."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from cndts._ragged import offsets_from_lengths, take
from cndts.batching import EventStore
from cndts.event_batch import EventBatch
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.scaling import Scaling
from cndts.targets import Targets

# A channel with fewer targets than this weighs no more per target: weights beyond that are learned by heart.
_MIN_COUNT = 1000
# Random cuts fall into this part of a record's span: some context must come before, some targets after.
EARLIEST, LATEST = 0.125, 0.85
# Of the context of a cut record at most this share is left out: what was measured when is partly chance.
THINNING = 0.4


class Sample(NamedTuple):
    """A batch with what is to be predicted: standardised values and weights of shape (n_queries,), and ids of the records."""

    batch: EventBatch
    value: Tensor
    weight: Tensor
    records: pd.Index


class Samples:
    """Training or validation records, ready to be drawn.

    Where all targets follow their record's context, records are drawn as given or cut at random times. Where some lie
    inside the observed span (an interpolation task), the events after them must not be seen, and records are always
    cut: context before, later events asked.

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
        Targets of a channel with n targets weigh max(n, 1000)^-channel_balance.
    horizon : float, optional
        How far after a cut events are asked for; by default as far as the targets reach.
    """

    def __init__(
        self,
        X: IrregularPanel,
        y: Targets,
        scaling: Scaling,
        static: NDArray,
        channel_balance: float,
        horizon: float | None = None,
    ) -> None:
        y = known_targets(y)
        self.targets, self.n_records = y, len(X)
        self.records, self.channels = X.records, X.channels
        self.value = scaling.standardise(y.channel, y.value)
        lesson = y.channel if len(y.channel) else X.channel
        self.weight = channel_weights(lesson, len(X.channels), channel_balance)
        self.given = EventStore(X, scaling, static)
        whole = joined(X, y)
        self.whole = EventStore(whole, scaling, static)
        self.start, self.length = _spans(whole)
        self.targets_follow = _targets_follow_context(X, y)
        reach = _reach(y) if self.targets_follow else float(np.quantile(self.length, 0.95)) / 2
        self.horizon = reach if horizon is None else horizon

    def ordered(self, batch_size: int) -> Iterator[Sample]:
        """All records in order: as given, or cut in the middle where targets lie inside the span."""
        for first in range(0, self.n_records, batch_size):
            records = np.arange(first, min(first + batch_size, self.n_records))
            yield self.as_given(records) if self.targets_follow else self.cut(records, np.full(len(records), 0.5))

    def shuffled(self, batch_size: int, cut_share: float, random: np.random.Generator) -> Iterator[Sample]:
        """One pass over all records in random order, a share of the batches cut at random times and thinned."""
        order = random.permutation(self.n_records)
        n_batches = max(1, self.n_records // batch_size)  # a short last batch would have noisy gradients
        for records in np.array_split(order, n_batches):
            if self.targets_follow and random.random() >= cut_share:
                yield self.as_given(records)
            else:
                yield self.cut(records, random.uniform(EARLIEST, LATEST, size=len(records)), random)

    def as_given(self, records: NDArray[np.int64]) -> Sample:
        """Some records with the targets they came with."""
        offsets, rows = take(self.targets.offsets, records)
        queries = Queries(offsets, self.targets.time[rows], self.targets.channel[rows])
        batch = self.given.batch(records, queries)
        weight = self.weight[batch.query_channel]
        return Sample(batch, torch.from_numpy(self.value[rows]), weight, self.records[records])

    def cut(
        self, records: NDArray[np.int64], part: NDArray[np.float64], random: np.random.Generator | None = None
    ) -> Sample:
        """Some records up to the given parts of their spans, asked for the events that follow; thinned at random if wanted."""
        at = self.start[records] + part * self.length[records]
        thinned = None if random is None else (THINNING, random)
        batch, value = self.whole.cut(records, at, self.horizon, thinned)
        return Sample(batch, value, self.weight[batch.query_channel], self.records[records])


def known_targets(y: Targets) -> Targets:
    """Targets without NaN."""
    known = ~np.isnan(y.value)
    if known.all():
        return y
    counts = np.concatenate([[0], np.cumsum(known)])
    queries = Queries(counts[y.offsets], y.time[known], y.channel[known])
    return Targets(queries, y.value[known], y.records, y.channels)


def channel_weights(channel: NDArray, n_channels: int, balance: float) -> Tensor:
    """Weight by channel, 1 on average over targets; 0 for channels that are never asked for."""
    count = np.bincount(channel, minlength=n_channels).astype(np.float64)
    weight = np.where(count > 0, np.maximum(count, _MIN_COUNT) ** -balance, 0.0)
    return torch.from_numpy((weight * count.sum() / max((weight * count).sum(), 1e-12)).astype(np.float32))


def _targets_follow_context(X: IrregularPanel, y: Targets) -> bool:
    filled = np.diff(X.offsets) > 0
    last = np.full(len(X), -np.inf)
    last[filled] = X.time[X.offsets[1:][filled] - 1]
    return bool((y.time >= last[y.record]).all())


def joined(X: IrregularPanel, y: Targets) -> IrregularPanel:
    """Context and targets as one panel."""
    record = np.concatenate([X.record, y.record])
    time = np.concatenate([X.time, y.time])
    order = np.lexsort((time, record))
    return IrregularPanel(
        offsets_from_lengths(np.bincount(record, minlength=len(X))),
        time[order],
        np.concatenate([X.channel, y.channel])[order],
        np.concatenate([X.value, y.value])[order],
        channels=X.channels,
        time_unit=X.time_unit,
    )


def _spans(whole: IrregularPanel) -> tuple[NDArray, NDArray]:
    """First time and length of each record."""
    filled = np.diff(whole.offsets) > 0
    start, length = np.zeros(len(whole)), np.zeros(len(whole))
    start[filled] = whole.time[whole.offsets[:-1][filled]]
    length[filled] = whole.time[whole.offsets[1:][filled] - 1] - start[filled]
    return start, length


def _reach(y: Targets) -> float:
    """How far the targets of a record lie apart, in all but the longest records."""
    asked = np.diff(y.offsets) > 0
    last, first = np.full(len(y), -np.inf), np.full(len(y), np.inf)
    np.maximum.at(last, y.record, y.time)
    np.minimum.at(first, y.record, y.time)
    return float(np.quantile((last - first)[asked], 0.95)) if asked.any() else 0.0
