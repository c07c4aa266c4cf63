"""Events of a batch laid out as visits: one row a time stamp of a record, one column a channel."""

from typing import NamedTuple

import torch
from torch import Tensor

from cndts.event_batch import EventBatch


class VisitTable(NamedTuple):
    """What recurrent models read: all channels of a record at each of its visits.

    Attributes
    ----------
    value : Tensor of shape (n_visits, n_channels)
        Standardised values, the mean where a channel has several at one time; 0 where it is not observed.
    observed : Tensor of shape (n_visits, n_channels)
        Whether the channel is observed at the visit.
    """

    value: Tensor
    observed: Tensor

    @classmethod
    def of(cls, batch: EventBatch) -> "VisitTable":
        """Lay out the events of a batch; rows are sorted by record and time, as ``batch.visit_record`` is.

        Examples
        --------
        >>> import numpy as np
        >>> from cndts.batching import EventStore
        >>> from cndts.panel import IrregularPanel
        >>> from cndts.queries import Queries
        >>> from cndts.rank_scale import RankScale
        >>> from cndts.scaling import Scaling
        >>> panel = IrregularPanel([0, 3], time=[0.0, 0.0, 3.0], channel=[0, 1, 0], value=[1.0, 5.0, 2.0])
        >>> scaling = Scaling(np.zeros(2), np.ones(2), 1.0, RankScale.unknown(2))
        >>> batch = EventStore(panel, scaling, np.zeros((1, 0))).batch(np.array([0]), Queries([0, 0], [], []))
        >>> VisitTable.of(batch).value
        tensor([[1., 5.],
                [2., 0.]])
        """
        shape = (batch.n_visits, batch.n_channels)
        place = batch.visit * batch.n_channels + batch.channel
        empty = batch.value.new_zeros(batch.n_visits * batch.n_channels)
        total = empty.index_add(0, place, batch.value)
        count = empty.index_add(0, place, torch.ones_like(batch.value))
        return cls((total / count.clamp(min=1)).view(shape), (count > 0).view(shape))


def visit_gaps(batch: EventBatch) -> Tensor:
    """Model time from each visit to the next one of its record, 0 at the last: shape (n_visits,)."""
    return batch.visit_age - torch.where(batch.visit_age > 0, batch.visit_age.roll(-1), 0.0)


def visit_bounds(batch: EventBatch) -> tuple[Tensor, Tensor]:
    """First and last visit of each record, shapes (n_records,); the last is before the first where there are none."""
    count = torch.bincount(batch.visit_record, minlength=batch.n_records)
    end = count.cumsum(0)
    return end - count, end - 1


def spans(batch: EventBatch) -> Tensor:
    """Model time from the first to the last event of each record, 0 where there are none: shape (n_records,)."""
    first, last = visit_bounds(batch)
    filled = (last >= first).nonzero().squeeze(1)
    return batch.visit_age.new_zeros(batch.n_records).index_copy(0, filled, batch.visit_age[first[filled]])


def comes_later(batch: EventBatch) -> Tensor:
    """Whether a record has events after its gap and none before it: shape (n_records,)."""
    is_empty = torch.bincount(batch.visit_record, minlength=batch.n_records) == 0
    if batch.later is None:
        return torch.zeros_like(is_empty)
    return is_empty & (torch.bincount(batch.later.visit_record, minlength=batch.n_records) > 0)


def last_observed(observed: Tensor) -> Tensor:
    """Visit at or before each visit at which the channel was last observed, in any record; -1 where there is none."""
    row = torch.arange(len(observed), device=observed.device)[:, None]
    seen = torch.where(observed, row, -1)
    return seen.cummax(dim=0).values if len(seen) else seen
