"""Records without queries as batches of bounded size."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.batching import EventStore
from cndts.event_batch import EventBatch
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.scaling import Scaling
from cndts.static_features import StaticEncoding

# Records are read together until their events reach this number, which bounds memory.
_EVENTS_PER_BATCH = 50_000


def record_batches(
    panel: IrregularPanel, scaling: Scaling, static: StaticEncoding
) -> Iterator[tuple[pd.Index, EventBatch]]:
    """Ids and events of all records of a panel, some records at a time, in order.

    Examples
    --------
    >>> panel = IrregularPanel([0, 1, 3], [0.0, 0.0, 1.0], [0, 0, 0], [5.0, 6.0, 7.0])
    >>> batches = record_batches(panel, Scaling.fit(panel, None), StaticEncoding.fit(panel.static))
    >>> [(len(records), len(batch.value)) for records, batch in batches]
    [(2, 3)]
    """
    store = EventStore(panel, scaling, static.transform(panel.static))
    for records in _blocks(panel):
        nothing = Queries(np.zeros(len(records) + 1, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=np.int32))
        yield panel.records[records], store.batch(records, nothing)


def _blocks(panel: IrregularPanel) -> Iterator[NDArray[np.int64]]:
    """Records that are read together."""
    rows = np.cumsum(np.diff(panel.offsets) + 1)
    bounds = np.flatnonzero(np.diff(rows // _EVENTS_PER_BATCH, prepend=-1, append=np.inf))
    for first, end in pairwise(bounds):
        yield np.arange(first, end)
