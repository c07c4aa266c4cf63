"""What comes after a gap, for queries inside it."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from cndts._layers import log_time, two_layers
from cndts.backbones.record_digest import RecordDigest
from cndts.event_batch import EventBatch
from cndts.memory import HybridMemory, HybridState, Recalled, SeriesFacts

# Where a channel was not observed on one side, the other side decides: its distance is that of no event at all.
_NEVER = 1e4
# Features of values stay within so many deviations.
_FAR = 10.0
_N_FACTS = 9


class Neighbours(NamedTuple):
    """The observations of each node next to its record's gap.

    Attributes
    ----------
    value : Tensor of shape (n_nodes, 2)
        Last value before the gap, first value after it; 0 where there is none.
    distance : Tensor of shape (n_nodes, 2)
        Time from the former to the record's last event before the gap, and from the record's first event after it to the latter.
    bridge : Tensor of shape (n_records,)
        Length of the gap; 0 where a record has events on one side alone.
    is_back : Tensor of shape (n_records,)
        Whether a record has events after the gap alone; its horizons then count back from the first of them.
    """

    value: Tensor
    distance: Tensor
    bridge: Tensor
    is_back: Tensor

    @classmethod
    def of(cls, before: SeriesFacts, after: SeriesFacts, batch: EventBatch) -> "Neighbours":
        """Neighbours of the nodes of a batch with a later side."""
        n_nodes = batch.n_records * batch.n_channels
        nothing = before.value.new_zeros(n_nodes)
        value = [nothing.index_copy(0, side.node, side.value) for side in (before, after)]
        distance = [(nothing + _NEVER).index_copy(0, side.node, side.age) for side in (before, after)]
        seen = [
            nothing.new_zeros(batch.n_records).index_fill(0, side.node // batch.n_channels, 1.0)
            for side in (before, after)
        ]
        is_back = (seen[0] == 0) & (seen[1] > 0)
        return cls(torch.stack(value, dim=1), torch.stack(distance, dim=1), batch.bridge, is_back)

    def around(self, node: Tensor, horizon: Tensor) -> "Around":
        """The neighbours of queries, from their nodes and horizons, both of shape (n_queries,)."""
        record = node // (len(self.value) // len(self.bridge))
        is_back, bridge = self.is_back[record], self.bridge[record]
        ahead = torch.where(is_back, horizon, (bridge - horizon).clamp(min=0))
        distance = self.distance.index_select(0, node) + torch.stack([horizon, ahead], dim=1)
        return Around(self.value.index_select(0, node), distance)


class Around(NamedTuple):
    """The observations of a query's channel on both sides of it, as tensors of shape (n_queries, 2).

    Attributes
    ----------
    value : Tensor
        The last one before and the first one after; 0 where there is none.
    distance : Tensor
        Time from the former to the query and from the query to the latter; very long where there is none.
    """

    value: Tensor
    distance: Tensor

    @property
    def share(self) -> Tensor:
        """Where the query stands between the two, from 0 to 1, shape (n_queries,)."""
        return self.distance[:, 0] / self.distance.sum(dim=1).clamp(min=1e-9)

    @property
    def line(self) -> Tensor:
        """Straight line between the two, shape (n_queries,)."""
        return torch.lerp(self.value[:, 0], self.value[:, 1], self.share)

    @property
    def facts(self) -> Tensor:
        """All of this as features of the order of 1, shape (n_queries, 9)."""
        seen = (self.distance < _NEVER).to(self.value)
        near = log_time(self.distance.clamp(max=_NEVER)) * seen
        value = self.value.clamp(-_FAR, _FAR)
        more = torch.stack([self.share, self.line.clamp(-_FAR, _FAR), value[:, 1] - value[:, 0]], dim=1)
        return torch.cat([value, near, seen, more], dim=1)


class LaterSide(nn.Module):
    """Adds what the memories hold of the time after a gap to the nodes of a record.

    Encoder and memories are those of the side before, run backwards in time; what is read is added by layers of its own.

    Parameters
    ----------
    n_channels, width : int
        Channels, length of a node.
    dropout : float
        Dropout rate.

    Examples
    --------
    >>> sum(p.numel() for p in LaterSide(n_channels=3, width=4, dropout=0.0).parameters())
    360
    """

    def __init__(self, n_channels: int, width: int, dropout: float) -> None:
        super().__init__()
        self.read = nn.Linear(width, width)
        self.recalled = nn.Linear(width, width)
        self.digest = RecordDigest(n_channels, width, width, dropout)
        self.bridge = nn.Linear(2, width)
        self.place = two_layers(_N_FACTS + width, 2 * width, width, dropout)

    def forward(self, read: Tensor, averages: Tensor, facts: SeriesFacts, bridge: Tensor) -> Tensor:
        """What is added to nodes at first, shape (n_records, n_channels, width).

        Parameters
        ----------
        read : Tensor of shape (n_series, width)
            First read of the later side's memories.
        averages : Tensor of shape (n_series, n_timescales)
            Their averages.
        facts : SeriesFacts
            Of the later side's series.
        bridge : Tensor of shape (n_records,)
            Length of the gap.
        """
        n_records, n_channels = len(bridge), self.digest.n_channels
        nodes = read.new_zeros(n_records * n_channels, read.shape[1]).index_add(0, facts.node, self.read(read))
        span = self.bridge(torch.stack([log_time(bridge), (bridge > 0).to(bridge)], dim=-1))
        return nodes.view(n_records, n_channels, -1) + self.digest(averages, facts, n_records) + span[:, None]

    def recall(self, memory: HybridMemory, state: HybridState, facts: SeriesFacts, nodes: Tensor) -> Recalled:
        """What is added in the second round."""
        recalled = memory.recall(state, facts, nodes)
        return recalled._replace(read=self.recalled(recalled.read))

    def placed(self, around: Around, channel: Tensor) -> Tensor:
        """What is added to queries, shape (n_queries, width): their place between the neighbours, read as their channel does.

        Nodes know both sides in logarithms of time and of their own; where exactly between the neighbours a query stands, and what a channel
        does between two unequal values, is told here.

        Parameters
        ----------
        around : Around of n_queries
            The neighbours.
        channel : Tensor of shape (n_queries, width)
            Embedded channels of the queries.
        """
        return self.place(torch.cat([around.facts, channel], dim=1))
