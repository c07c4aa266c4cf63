"""Training batches from records that do not fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cndts.panel import IrregularPanel
from cndts.parquet_panel import ParquetPanel
from cndts.training.gap_samples import GapSamples
from cndts.training.samples import Samples


class StreamedSamples:
    """Records on disk, drawn in pools: random shards are read together, their records shuffled and cut into batches.

    In memory lies one pool at a time. An epoch begins at random shards, so that one which is shorter than a pass draws
    others each time.

    Parameters
    ----------
    source : ParquetPanel
        Where the records lie.
    is_used : ndarray of bool, shape (n_records,)
        Which of them are drawn.
    prepare : callable
        Makes `Samples` or `GapSamples` of the records of a pool; None where nothing in them can be learned.
    n_records : int
        Records an epoch.
    pool_events : int
        Shards are read together until they hold this many events.

    Attributes
    ----------
    channels : tuple of str
        Channel names.
    """

    def __init__(
        self,
        source: ParquetPanel,
        is_used: NDArray[np.bool_],
        prepare: Callable[[IrregularPanel], Samples | GapSamples | None],
        *,
        n_records: int,
        pool_events: int,
    ) -> None:
        self.source, self.is_used, self.prepare = source, is_used, prepare
        self.n_records, self.pool_events = n_records, pool_events
        self.channels = source.channels

    def shuffled(self, batch_size: int, cut_share: float, random: np.random.Generator) -> Iterator[Any]:
        """One epoch: as many batches as its records fill."""
        left = max(1, self.n_records // batch_size)
        while True:
            before = left
            for pool in self.pools(random):
                for sample in self._batches(pool, batch_size, cut_share, random):
                    yield sample
                    left -= 1
                    if left == 0:
                        return
            if left == before:
                raise ValueError(
                    "a whole pass over the records on disk gave nothing to learn; check the times of the task."
                )

    def _batches(
        self, pool: IrregularPanel, batch_size: int, cut_share: float, random: np.random.Generator
    ) -> Iterator[Any]:
        """What a pool holds is let go with its last batch, before the next pool is prepared."""
        samples = self.prepare(pool)
        if samples is not None:
            yield from samples.shuffled(batch_size, cut_share, random)

    def pools(self, random: np.random.Generator) -> Iterator[IrregularPanel]:
        """All records that are used, in random order of their shards, a pool at a time."""
        source = self.source
        shard_events = np.bincount(source.shard_of_record, source.counts * self.is_used, source.n_shards)
        parts: list[IrregularPanel] = []
        n_events = 0
        for number in random.permutation(np.unique(source.shard_of_record[self.is_used])):
            parts.append(source.shard(number)[self.is_used[source.shard_of_record == number]])
            n_events += int(shard_events[number])
            if n_events >= self.pool_events:
                yield IrregularPanel.concat(parts)
                parts, n_events = [], 0
        if parts:
            yield IrregularPanel.concat(parts)
