"""The hybrid-memory neural ODE."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from cndts._layers import log_time
from cndts.backbones.channel_attention import ChannelAttention
from cndts.backbones.event_encoder import EventEncoder
from cndts.backbones.readout import Readout
from cndts.backbones.record_digest import RecordDigest
from cndts.dynamics import Solver, SolverStatistics
from cndts.event_batch import EventBatch
from cndts.memory import CompressedMemory, Memory, WorkingMemory


class EncodedRecords(NamedTuple):
    """Everything that queries of a batch are answered from.

    Attributes
    ----------
    nodes : Tensor of shape (n_records * n_channels, width)
        State of each (record, channel) at the record's last event.
    anchors : Tensor of shape (n_records * n_channels, n_anchors)
        Plain forecasts in standardised units: last value, averages on each time scale, training mean (zero).
    """

    nodes: Tensor
    anchors: Tensor


class HybridMemoryBackbone(nn.Module):
    """Events to memories, memories to channel nodes, nodes along an ODE to the queries.

    1. Each event is encoded, together with those at the same time (`EventEncoder`).
    2. Every series writes its long-term `CompressedMemory` and its short-term `WorkingMemory`.
    3. One node per (record, channel) reads both, beside a `RecordDigest` of what all channels last showed, and nodes of a
       record exchange by `ChannelAttention`.
    4. In a second round each node re-reads its working memory, knowing by now what the other channels showed; the
       compressed memory is written and read once, which keeps the cost linear in events.
    5. A neural ODE carries the node from the last event to each query (`Readout`).

    Parameters
    ----------
    n_channels, n_static : int
        Channels, and length of the encoded static features.
    memory : Memory
        Sizes of the memories.
    solver : Solver
        How the state travels.
    width : int
        Length of all vectors.
    n_heads, n_layers : int
        Heads of every attention; layers of channel attention in the first round (the second round has one).
    dropout : float
        Dropout rate.

    Examples
    --------
    >>> backbone = HybridMemoryBackbone(3, 0, Memory(timescales=4), Solver(), width=8, n_heads=2, n_layers=1, dropout=0.0)
    >>> backbone.n_anchors
    6
    """

    def __init__(
        self,
        n_channels: int,
        n_static: int,
        memory: Memory,
        solver: Solver,
        *,
        width: int,
        n_heads: int,
        n_layers: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.width = width
        self.n_anchors = memory.timescales + 2
        self.encoder = EventEncoder(n_channels, width)
        self.compressed = CompressedMemory(
            n_channels, width, memory.timescales, memory.contents, memory.shortest, memory.longest
        )
        self.working = WorkingMemory(memory.window, width, n_heads, dropout)
        self.channel = nn.Embedding(n_channels, width)
        nn.init.normal_(self.channel.weight, std=0.5)
        self.static = nn.Linear(n_static, width) if n_static else None
        self.digest = RecordDigest(n_channels, width, width, dropout)
        self.unseen = nn.Parameter(torch.zeros(width))
        self.read = nn.Linear(self.compressed.n_features + width + 3, width)
        self.first_round = nn.ModuleList(ChannelAttention(width, n_heads, dropout) for _ in range(n_layers))
        self.second_round = ChannelAttention(width, n_heads, dropout)
        self.norm = nn.LayerNorm(width)
        self.readout = Readout(width, solver)

    def forward(self, batch: EventBatch) -> tuple[Tensor, Tensor, SolverStatistics]:
        """State and anchors at the batch's queries, shapes (n_queries, width) and (n_queries, n_anchors)."""
        encoded = self.encode(batch)
        state, statistics = self.readout(encoded.nodes, batch.query_node, batch.query_horizon)
        return state, encoded.anchors.index_select(0, batch.query_node), statistics

    def encode(self, batch: EventBatch) -> EncodedRecords:
        """Write and read the memories of all records in a batch."""
        events = self.encoder(batch)
        compressed, working = self.compressed.write(events, batch), self.working.write(batch)
        lengths = torch.stack([batch.series_count.log1p(), log_time(batch.series_age), log_time(batch.series_span)], -1)
        read = self.read(torch.cat([self.compressed.read(compressed), self.working.read(working), lengths], dim=-1))
        averages = self.compressed.averages(compressed)
        nodes = self._place(read, batch) + self.digest(averages, batch)
        for layer in self.first_round:
            nodes = layer(nodes)
        flat = nodes.flatten(0, 1)
        recalled = self.working.recall(working, events, flat.index_select(0, batch.series_node))
        nodes = self.second_round(flat.index_add(0, batch.series_node, recalled).view_as(nodes))
        return EncodedRecords(self.norm(nodes.flatten(0, 1)), self._anchors(averages, batch))

    def _place(self, read: Tensor, batch: EventBatch) -> Tensor:
        """Nodes of shape (n_records, n_channels, width): what was read where there are events, else ``unseen``."""
        nodes = self.unseen.expand(batch.n_records * batch.n_channels, -1)
        nodes = nodes.index_put((batch.series_node,), read)
        nodes = nodes.view(batch.n_records, batch.n_channels, -1) + self.channel.weight
        return nodes if self.static is None else nodes + self.static(batch.static)[:, None]

    def _anchors(self, averages: Tensor, batch: EventBatch) -> Tensor:
        seen = torch.cat([batch.value[batch.series_end, None], averages], dim=1)
        anchors = seen.new_zeros(batch.n_records * batch.n_channels, self.n_anchors)
        return anchors.index_put((batch.series_node,), torch.nn.functional.pad(seen, (0, 1)))
