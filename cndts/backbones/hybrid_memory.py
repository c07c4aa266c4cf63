"""The hybrid-memory neural ODE."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from cndts.backbones.backbone import Backbone, QueryStates
from cndts.backbones.channel_attention import ChannelAttention
from cndts.backbones.event_encoder import EventEncoder
from cndts.backbones.later_side import LaterSide, Neighbours
from cndts.backbones.nearest_values import NearestValues
from cndts.backbones.neighbour_regression import NeighbourRegression
from cndts.backbones.readout import Readout
from cndts.backbones.record_clock import RecordClock
from cndts.backbones.record_digest import RecordDigest
from cndts.dynamics import Solver
from cndts.event_batch import EventBatch
from cndts.event_chunks import event_chunks
from cndts.memory import HybridMemory, HybridState, Memory, SeriesFacts

_N_HEADS = 4


class EncodedRecords(NamedTuple):
    """Everything that queries of a batch are answered from.

    Attributes
    ----------
    nodes : Tensor of shape (n_records * n_channels, width)
        State of each (record, channel) at the record's last event.
    anchors : Tensor of shape (n_records * n_channels, n_anchors)
        Plain forecasts in standardised units: last value, averages on each time scale, training mean (zero); of a model that
        sees both sides of a gap also the first value and the averages after it.
    elapsed : Tensor of shape (n_records,)
        Time from the first to the last event of each record, as far as they come before the gap.
    neighbours : Neighbours or None
        Observations next to the gap, of a model that sees both sides.
    penalty : Tensor or None
        What the memories add to the training loss.
    nearest : NearestValues or None
        Nearest values of all channels, for the `NeighbourRegression`.
    """

    nodes: Tensor
    anchors: Tensor
    elapsed: Tensor
    neighbours: Neighbours | None = None
    penalty: Tensor | None = None
    nearest: NearestValues | None = None


class HybridMemoryBackbone(Backbone[EncodedRecords]):
    """Events to memories, memories to channel nodes, nodes along an ODE to the queries.

    1. Each event is encoded, together with those at the same time (`EventEncoder`).
    2. It is written to the memories (`HybridMemory`): long-term and working memory of its channel, episodic memory of its record.
    3. One node per (record, channel) reads long-term and working memory, beside a `RecordDigest` of what all channels last
       showed, and nodes of a record exchange by `ChannelAttention`.
    4. In a second round each node reads working and episodic memory again, knowing by now what the other channels showed; the
       long-term memory is written and read once, which keeps the cost linear in events.
    5. A neural ODE carries the node from the last event to each query (`Readout`), where its state is scaled and shifted by
       channel (Perez et al., *FiLM: Visual Reasoning with a General Conditioning Layer*, AAAI 2018, equation 1) and moved by the phase
       of cycles since the record's first event (`RecordClock`).

    With ``two_sided`` the memories also run backwards over what comes after the gap in which a record is asked (``batch.later``),
    by the same weights; a `LaterSide` adds what they hold to the nodes, and the straight line across the gap is one more anchor.
    With ``Memory(regression=True)`` a `NeighbourRegression` is another one.

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
        Heads of every attention; layers of channel attention in the first round (the second round has one). Without layers
        no channel learns of another by attention, in either round.
    dropout : float
        Dropout rate.
    cycles : sequence of float, default=()
        Lengths of the cycles of the `RecordClock` in model time; none leaves it out.
    two_sided : bool, default=False
        Whether to read events after a gap, for interpolation.

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
        cycles: Sequence[float] = (),
        two_sided: bool = False,
    ) -> None:
        super().__init__()
        self.width, self.n_channels = width, n_channels
        n_sides = 2 if two_sided else 1
        self.regression = NeighbourRegression(n_channels, n_sides) if memory.regression else None
        self.n_anchors = (memory.timescales + 2) * n_sides + (1 if memory.regression else 0)
        self.later_side = LaterSide(n_channels, width, dropout) if two_sided else None
        self.chunk, self.has_second_round = memory.chunk, memory.second_round
        self.encoder = EventEncoder(n_channels, width)
        self.memory = HybridMemory(n_channels, width, n_heads, dropout, memory)
        self.channel = nn.Embedding(n_channels, width)
        nn.init.normal_(self.channel.weight, std=0.5)
        self.static = nn.Linear(n_static, width) if n_static else None
        self.digest = RecordDigest(n_channels, width, width, dropout)
        self.unseen = nn.Parameter(torch.zeros(width))
        self.first_round = nn.ModuleList(ChannelAttention(width, n_heads, dropout) for _ in range(n_layers))
        is_exchanging = memory.second_round and n_layers
        self.second_round = ChannelAttention(width, n_heads, dropout) if is_exchanging else nn.Identity()
        self.norm = nn.LayerNorm(width)
        self.dialect = nn.Embedding(n_channels, 2 * width)
        nn.init.normal_(self.dialect.weight, std=0.1)
        self.clock = RecordClock(n_channels, width, cycles) if len(cycles) else None
        self.readout = Readout(width, solver)

    @classmethod
    def build(
        cls,
        n_channels: int,
        n_static: int,
        *,
        width: int,
        dropout: float,
        solver: Solver | None,
        two_sided: bool = False,
    ) -> Self:
        """Make the backbone with default memories and one layer of attention."""
        if width < 1 or width % _N_HEADS:
            raise ValueError(f"width must be a positive multiple of {_N_HEADS}; got {width!r}.")
        return cls(
            n_channels,
            n_static,
            Memory(),
            solver or Solver(),
            width=width,
            n_heads=_N_HEADS,
            n_layers=1,
            dropout=dropout,
            two_sided=two_sided,
        )

    # ---- events to memories --------------------------------------------------------------------

    def write(self, batch: EventBatch) -> HybridState:
        """Memories of a batch's series and records at their last events."""
        if len(batch.value) <= self.chunk:
            return self.memory.write(self.encoder(batch), batch)
        state = self.memory.empty(batch.n_records * batch.n_channels, batch.n_records)
        for chunk in event_chunks(batch, self.chunk):
            if torch.is_grad_enabled():
                state = checkpoint(self.write_on, state, chunk, use_reentrant=False)
            else:
                state = self.write_on(state, chunk)
        return state.rows(batch.series_node)

    def write_on(self, state: HybridState, batch: EventBatch) -> HybridState:
        """Write further events to memories that have a row for every node, and give them back.

        The cost depends on the events of the batch and the size of the state, not on how many events came before.
        """
        before = state.rows(batch.series_node)
        return state.updated(batch.series_node, self.memory.write(self.encoder(batch), batch, before))

    # ---- memories to nodes ---------------------------------------------------------------------

    def encode(self, batch: EventBatch) -> EncodedRecords:
        """Write and read the memories of all records in a batch."""
        if self.later_side is None or batch.later is None:
            return self.nodes(self.write(batch), SeriesFacts.of(batch), batch.static)
        return self._between(self.later_side, batch, batch.later)

    def nodes(self, state: HybridState, facts: SeriesFacts, static: Tensor) -> EncodedRecords:
        """Read memories into nodes.

        Parameters
        ----------
        state : HybridState
            The memories, one row per series.
        facts : SeriesFacts
            Of the same series.
        static : Tensor of shape (n_records, n_static)
            Encoded static features.
        """
        averages = self.memory.averages(state, len(facts.node))
        nodes, penalty = self._exchanged(self._first(state, facts, averages, static)), None
        if self.has_second_round:
            read, penalty = self.memory.recall(state, facts, nodes)
            nodes = self.second_round(nodes + read)
        anchors = self._anchors(averages, facts, len(static))
        elapsed = self._elapsed(facts, len(static))
        nearest = None if self.regression is None else NearestValues.of([facts], len(anchors))
        return EncodedRecords(self.norm(nodes.flatten(0, 1)), anchors, elapsed, penalty=penalty, nearest=nearest)

    def _between(self, later_side: LaterSide, batch: EventBatch, later: EventBatch) -> EncodedRecords:
        """Nodes that know both sides of a gap."""
        (state, facts), (state_after, facts_after) = (
            (self.write(side), SeriesFacts.of(side)) for side in (batch, later)
        )
        averages = self.memory.averages(state, len(facts.node))
        averages_after = self.memory.averages(state_after, len(facts_after.node))
        read_after = self.memory.read(state_after, facts_after)
        nodes = self._first(state, facts, averages, batch.static)
        nodes = self._exchanged(nodes + later_side(read_after, averages_after, facts_after, batch.bridge))
        penalty = None
        if self.has_second_round:
            recalled_after = later_side.recall(self.memory, state_after, facts_after, nodes)
            recalled = self.memory.recall(state, facts, nodes)
            nodes = self.second_round(nodes + recalled.read + recalled_after.read)
            penalty = _total(recalled.penalty, recalled_after.penalty)
        anchors = self._anchors(averages, facts, batch.n_records)
        seen_after = torch.cat([facts_after.value[:, None], averages_after], dim=1)
        after = anchors.new_zeros(len(anchors), seen_after.shape[1]).index_put((facts_after.node,), seen_after)
        neighbours = Neighbours.of(facts, facts_after, batch)
        anchors = torch.cat([anchors, after], dim=1)
        elapsed = self._elapsed(facts, batch.n_records)
        nodes = self.norm(nodes.flatten(0, 1))
        return EncodedRecords(nodes, anchors, elapsed, neighbours, penalty, neighbours.nearest)

    def _first(self, state: HybridState, facts: SeriesFacts, averages: Tensor, static: Tensor) -> Tensor:
        """Nodes before they exchange, shape (n_records, n_channels, width)."""
        return self._place(self.memory.read(state, facts), facts.node, static) + self.digest(
            averages, facts, len(static)
        )

    def _exchanged(self, nodes: Tensor) -> Tensor:
        for layer in self.first_round:
            nodes = layer(nodes)
        return nodes

    def at(
        self, state: EncodedRecords, query_node: Tensor, query_channel: Tensor, query_horizon: Tensor
    ) -> QueryStates:
        """State and anchors at queries."""
        features, statistics = self.readout(state.nodes, query_node, query_horizon)
        scale, shift = self.dialect(query_channel).chunk(2, dim=-1)
        features = features * (1 + scale) + shift
        if self.clock is not None:
            features = features + self.clock(self._since_start(state, query_node, query_horizon), query_channel)
        anchors = state.anchors.index_select(0, query_node)
        if self.later_side is not None:
            anchors = self._with_line(anchors, state.neighbours, query_node, query_horizon)
        if self.regression is not None and state.nearest is not None:
            reach = self._reach(state.neighbours, query_node, query_horizon)
            related = self.regression(state.nearest, query_node, query_channel, reach)
            anchors = torch.cat([anchors, related[:, None]], dim=1)
        return QueryStates(features, anchors, statistics, state.penalty)

    def _elapsed(self, facts: SeriesFacts, n_records: int) -> Tensor:
        """Time from the first to the last event of each record, shape (n_records,)."""
        record = facts.node // self.n_channels
        return facts.age.new_zeros(n_records).scatter_reduce(0, record, facts.span + facts.age, "amax")

    def _since_start(self, state: EncodedRecords, node: Tensor, horizon: Tensor) -> Tensor:
        """Time from the first event of the record to each query, below 0 where all events come after it."""
        record = node // self.n_channels
        if state.neighbours is not None:
            horizon = torch.where(state.neighbours.is_back[record], -horizon, horizon)
        return state.elapsed[record] + horizon

    def _with_line(self, anchors: Tensor, neighbours: Neighbours | None, node: Tensor, horizon: Tensor) -> Tensor:
        """The straight line across the gap before all other anchors; the last value where there is no later side."""
        if neighbours is not None:
            return torch.cat([neighbours.line(node, horizon)[:, None], anchors], dim=1)
        n_later = anchors.shape[1] - 1  # the training mean stands there once
        return torch.nn.functional.pad(torch.cat([anchors[:, :1], anchors], dim=1), (0, n_later))

    def _reach(self, neighbours: Neighbours | None, node: Tensor, horizon: Tensor) -> Tensor:
        """Time from each query to the record's nearest event on each side that is given, shape (n_queries, n_sides)."""
        if neighbours is None:
            return horizon[:, None]
        return torch.stack([horizon, neighbours.ahead(node, horizon)], dim=1)

    def _place(self, read: Tensor, node: Tensor, static: Tensor) -> Tensor:
        """Nodes of shape (n_records, n_channels, width): what was read where there are events, else ``unseen``."""
        nodes = self.unseen.expand(len(static) * self.n_channels, -1).index_put((node,), read)
        nodes = nodes.view(len(static), self.n_channels, -1) + self.channel.weight
        return nodes if self.static is None else nodes + self.static(static)[:, None]

    def _anchors(self, averages: Tensor, facts: SeriesFacts, n_records: int) -> Tensor:
        seen = torch.cat([facts.value[:, None], averages], dim=1)
        anchors = seen.new_zeros(n_records * self.n_channels, seen.shape[1] + 1)
        return anchors.index_put((facts.node,), torch.nn.functional.pad(seen, (0, 1)))


def _total(before: Tensor | None, after: Tensor | None) -> Tensor | None:
    return None if before is None or after is None else before + after
