"""Training batches of whole records with their outcomes."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from cndts.event_batch import EventBatch
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.scaling import Scaling
from cndts.targets import Targets
from cndts.training.record_network import RecordLesson, RecordNetwork
from cndts.training.samples import EARLIEST, LATEST, Sample, Samples


class RecordSample(NamedTuple):
    """A batch with its lesson, weights of shape (n_records,) and ids of its records."""

    batch: EventBatch
    lesson: RecordLesson
    weight: Tensor
    records: pd.Index


class RecordSamples:
    """Training or validation records with outcomes, ready to be drawn: whole, or cut at random times.

    A record that is cut has the outcome of the whole record, and the events after the cut are asked for.

    Parameters
    ----------
    X : IrregularPanel of n_records
        The records.
    target : ndarray of n_records
        What a head's loss takes, one row a record.
    weight : ndarray of shape (n_records,)
        Weights of the records; only their ratios count.
    scaling : Scaling
        Model units.
    static : ndarray of shape (n_records, n_static)
        Encoded static features.
    channel_balance : float
        As in `Samples`.
    """

    def __init__(
        self,
        X: IrregularPanel,
        target: NDArray,
        weight: NDArray,
        scaling: Scaling,
        static: NDArray,
        channel_balance: float,
    ) -> None:
        queries = Queries(np.zeros(len(X) + 1, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=np.int32))
        X, nothing = (
            X.with_queries(queries=queries),
            Targets(queries, np.zeros(0, dtype=np.float32), X.records, X.channels),
        )
        # Half a record is asked for at most: what comes later than that says little about what came before.
        self.events = Samples(X, nothing, scaling, static, channel_balance, horizon=scaling.time_scale / 2)
        self.n_records, self.channels = len(X), X.channels
        self.target = torch.from_numpy(target)
        self.weight = torch.from_numpy((weight / max(float(weight.mean()), 1e-12)).astype(np.float32))

    def ordered(self, batch_size: int) -> Iterator[RecordSample]:
        """All whole records in order."""
        for first in range(0, self.n_records, batch_size):
            records = np.arange(first, min(first + batch_size, self.n_records))
            yield self._labelled(self.events.as_given(records), records)

    def shuffled(self, batch_size: int, cut_share: float, random: np.random.Generator) -> Iterator[RecordSample]:
        """One pass over all records in random order, a share of the batches cut at random times."""
        order = random.permutation(self.n_records)
        n_batches = max(1, self.n_records // batch_size)  # a short last batch would have noisy gradients
        for records in np.array_split(order, n_batches):
            if random.random() >= cut_share:
                sample = self.events.as_given(records)
            else:
                sample = self.events.cut(records, random.uniform(EARLIEST, LATEST, size=len(records)))
            yield self._labelled(sample, records)

    def _labelled(self, sample: Sample, records: NDArray[np.int64]) -> RecordSample:
        lesson = RecordLesson(self.target[records], sample.value, sample.weight)
        return RecordSample(sample.batch, lesson, self.weight[records], sample.records)


@torch.no_grad()
def record_score(network: RecordNetwork, samples: RecordSamples, batch_size: int) -> float:
    """Weighted mean over validation records of the head's loss, below zero: the higher the better."""
    network.eval()
    device = next(network.parameters()).device
    total = 0.0
    for sample in samples.ordered(batch_size):
        outcome = network(sample.batch.to(device)).outcome
        loss = network.head.loss(outcome, sample.lesson.target.to(device)).cpu()
        total += float((sample.weight * loss).sum())
    return -total / max(samples.n_records, 1)
