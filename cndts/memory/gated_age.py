"""Time as a forget gate counts it."""

from torch import Tensor

from cndts.event_batch import EventBatch
from cndts.memory.later_sum import later_sum


def gated_age(pace: Tensor, batch: EventBatch) -> Tensor:
    r"""Gated time from each event to the last event of its series in the batch, :math:`\sum_{j \ge i} \phi_j (t_{j+1} - t_j)`.

    Parameters
    ----------
    pace : Tensor of shape (n_events, n_clocks)
        How fast each clock runs from the event to the next one of its series.
    batch : EventBatch
        The events.

    Returns
    -------
    Tensor of shape (n_events, n_clocks)

    Examples
    --------
    >>> import numpy as np, torch
    >>> from cndts.batching import EventStore
    >>> from cndts.panel import IrregularPanel
    >>> from cndts.queries import Queries
    >>> from cndts.rank_scale import RankScale
    >>> from cndts.scaling import Scaling
    >>> panel = IrregularPanel([0, 3], time=[0.0, 1.0, 4.0], channel=[0, 0, 0], value=[0.0, 0.0, 0.0])
    >>> store = EventStore(panel, Scaling(np.zeros(1), np.ones(1), 1.0, RankScale.unknown(1)), np.zeros((1, 0)))
    >>> batch = store.batch(np.array([0]), Queries([0, 0], [], []))
    >>> gated_age(torch.tensor([[2.0], [0.5], [1.0]]), batch).flatten().tolist()
    [3.5, 1.5, 0.0]
    """
    since = batch.gap.index_fill(0, batch.series_start, 0.0)  # a series' first event waited for no event of the batch
    return later_sum(pace.roll(1, 0) * since[:, None], batch)
