"""What comes after a gap, for queries inside it."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from cndts._layers import log_time
from cndts.backbones.nearest_values import NearestValues
from cndts.backbones.record_digest import RecordDigest
from cndts.event_batch import EventBatch
from cndts.memory import HybridMemory, HybridState, Recalled, SeriesFacts


class Neighbours(NamedTuple):
    """The observations of each node next to its record's gap.

    Attributes
    ----------
    nearest : NearestValues
        Of both sides.
    bridge : Tensor of shape (n_records,)
        Length of the gap; 0 where a record has events on one side alone.
    is_back : Tensor of shape (n_records,)
        Whether a record has events after the gap alone; its horizons then count back from the first of them.
    """

    nearest: NearestValues
    bridge: Tensor
    is_back: Tensor

    @classmethod
    def of(cls, before: SeriesFacts, after: SeriesFacts, batch: EventBatch) -> "Neighbours":
        """Neighbours of the nodes of a batch with a later side."""
        unseen = before.value.new_zeros(batch.n_records)
        seen = [unseen.index_fill(0, side.node // batch.n_channels, 1.0) for side in (before, after)]
        is_back = (seen[0] == 0) & (seen[1] > 0)
        nearest = NearestValues.of((before, after), batch.n_records * batch.n_channels)
        return cls(nearest, batch.bridge, is_back)

    def line(self, node: Tensor, horizon: Tensor) -> Tensor:
        """Straight line between the neighbours of nodes at their horizons, both of shape (n_queries,)."""
        value, distance = self.nearest
        to_next = distance[node, 1] + self.ahead(node, horizon)
        since_last = distance[node, 0] + horizon
        share = since_last / (since_last + to_next).clamp(min=1e-9)
        return torch.lerp(value[node, 0], value[node, 1], share)

    def ahead(self, node: Tensor, horizon: Tensor) -> Tensor:
        """Time from each query to the record's first event after the gap, shape (n_queries,)."""
        record = node // (len(self.nearest.value) // len(self.bridge))
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
