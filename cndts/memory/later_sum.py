"""Sums over what came later in a series."""

from torch import Tensor

from cndts.event_batch import EventBatch


def later_sum(amount: Tensor, batch: EventBatch) -> Tensor:
    r"""Sum over the later events of the same series in the batch, :math:`\sum_{j > i} a_j`.

    Parameters
    ----------
    amount : Tensor of shape (n_events, n_out)
        What each event adds.
    batch : EventBatch
        The events.

    Returns
    -------
    Tensor of shape (n_events, n_out)

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
    >>> later_sum(torch.tensor([[2.0], [0.5], [1.0]]), batch).flatten().tolist()
    [1.5, 1.0, 0.0]
    """
    # The running sum goes over all series of the batch, and differences of it lose digits: so in double precision.
    total = amount.double().cumsum(0)
    return (total.index_select(0, batch.series_end).index_select(0, batch.series) - total).to(amount.dtype)
