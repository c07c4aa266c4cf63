"""Forgetting by a power of time, at a pace that a gate sets."""

from typing import NamedTuple

import torch
from torch import Tensor

from cndts._layers import log_time
from cndts.event_batch import EventBatch


class PowerFading(NamedTuple):
    r"""How far each record has faded: a clock by record, and what it takes from the strength of events.

    The clock of a record runs from its first event at the pace of a forget gate, :math:`\Phi(t) = \int \phi\,dt`. The strength of an event at
    :math:`t_i` falls by :math:`\rho \log \frac{1 + 10 \Phi(t)}{1 + 10 \Phi(t_i)}`, so its odds of being read fall by a power of time, as in Wixted
    and Ebbesen, *On the Form of Forgetting*, Psychological Science 1991: a record ten times as long costs a constant and not ten times as much. What
    falls is common to all events of a record, which leaves their order as it is.

    Attributes
    ----------
    lost : Tensor of shape (n_visits,)
        Strength lost from each visit of the batch to the last one of its record.
    pace : Tensor of shape (n_records,)
        Pace after the last visit; 1 before any.
    elapsed : Tensor of shape (n_records,), float64
        The clock at the last visit.
    lost_before : Tensor of shape (n_records,)
        Strength lost since the last visit before the batch.
    """

    lost: Tensor
    pace: Tensor
    elapsed: Tensor
    lost_before: Tensor


def power_fading(
    pace: Tensor, power: Tensor, batch: EventBatch, pace_before: Tensor, elapsed_before: Tensor
) -> PowerFading:
    """Advance the clocks over a batch.

    Parameters
    ----------
    pace : Tensor of shape (n_events,)
        Of the forget gate at each event; simultaneous events are averaged.
    power : Tensor
        The exponent, a scalar.
    batch : EventBatch
        The events.
    pace_before, elapsed_before : Tensor of shape (n_records,)
        Those that the events before the batch left behind.

    Returns
    -------
    PowerFading

    Examples
    --------
    >>> import numpy as np
    >>> from cndts.batching import EventStore
    >>> from cndts.panel import IrregularPanel
    >>> from cndts.queries import Queries
    >>> from cndts.rank_scale import RankScale
    >>> from cndts.scaling import Scaling
    >>> panel = IrregularPanel([0, 2], time=[0.0, 0.9], channel=[0, 0], value=[0.0, 0.0])
    >>> store = EventStore(panel, Scaling(np.zeros(1), np.ones(1), 1.0, RankScale.unknown(1)), np.zeros((1, 0)))
    >>> batch = store.batch(np.array([0]), Queries([0, 0], [], []))
    >>> faded = power_fading(torch.ones(2), torch.tensor(1.0), batch, torch.ones(1), torch.zeros(1))
    >>> [round(lost, 4) for lost in faded.lost.tolist()]  # log 10
    [2.3026, 0.0]
    """
    total = pace.new_zeros(batch.n_visits).index_add(0, batch.visit, pace)
    by_visit = total / pace.new_zeros(batch.n_visits).index_add(0, batch.visit, torch.ones_like(batch.value))
    if not batch.n_visits:
        return PowerFading(by_visit, pace_before, elapsed_before, torch.zeros_like(pace_before))
    first, last, is_seen = visit_range(batch)
    is_last = torch.arange(batch.n_visits, device=last.device) == last.index_select(0, batch.visit_record)
    ahead = (batch.visit_age - batch.visit_age.roll(-1)).masked_fill(is_last, 0.0)
    # The running sum goes over all records of the batch, hence in double precision.
    spent = (by_visit * ahead).double()
    passed = spent.cumsum(0) - spent
    start = elapsed_before.double() + pace_before * batch.record_gap - passed[first]
    clock = start.index_select(0, batch.visit_record) + passed
    elapsed = torch.where(is_seen, clock[last], elapsed_before.double())
    fallen = power * log_time(elapsed)
    lost = fallen.index_select(0, batch.visit_record) - power * log_time(clock)
    return PowerFading(
        lost.to(pace.dtype),
        torch.where(is_seen, by_visit[last], pace_before.to(pace.dtype)),
        elapsed,
        (fallen - power * log_time(elapsed_before.double())).to(pace.dtype),
    )


def visit_range(batch: EventBatch) -> tuple[Tensor, Tensor, Tensor]:
    """First and last visit of each record, and whether it has any; some visit of the batch where it has none."""
    n_visits = torch.zeros_like(batch.record_gap, dtype=torch.long)
    n_visits = n_visits.index_add(0, batch.visit_record, torch.ones_like(batch.visit_record))
    end = n_visits.cumsum(0)
    return (end - n_visits).clamp(max=batch.n_visits - 1), (end - 1).clamp(min=0), n_visits > 0
