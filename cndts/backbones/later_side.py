"""What comes after a gap, for queries inside it."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from cndts._layers import log_time
from cndts.backbones.record_digest import RecordDigest
from cndts.event_batch import EventBatch
from cndts.memory import HybridMemory, HybridState, Recalled, SeriesFacts

# Where a channel was not observed on one side, the other side decides: its distance is that of no event at all.
_NEVER = 1e4


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

    def line(self, node: Tensor, horizon: Tensor) -> Tensor:
        """Straight line between the neighbours of nodes at their horizons, both of shape (n_queries,)."""
        to_next = self.distance[node, 1] + self.ahead(node, horizon)
        since_last = self.distance[node, 0] + horizon
        share = since_last / (since_last + to_next).clamp(min=1e-9)
        return torch.lerp(self.value[node, 0], self.value[node, 1], share)

    def ahead(self, node: Tensor, horizon: Tensor) -> Tensor:
        """Time from each query to the record's first event after the gap, shape (n_queries,)."""
        record = node // (len(self.value) // len(self.bridge))
        return torch.where(self.is_back[record], horizon, (self.bridge[record] - horizon).clamp(min=0))


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
    212
    """

    def __init__(self, n_channels: int, width: int, dropout: float) -> None:
        super().__init__()
        self.read = nn.Linear(width, width)
        self.recalled = nn.Linear(width, width)
        self.digest = RecordDigest(n_channels, width, width, dropout)
        self.bridge = nn.Linear(2, width)

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
