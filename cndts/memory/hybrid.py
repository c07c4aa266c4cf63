"""Working, long-term and episodic memory side by side."""

from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn

from cndts._layers import log_time
from cndts.event_batch import EventBatch
from cndts.memory.clearing import ClearingMemory
from cndts.memory.compressed import CompressedMemory
from cndts.memory.episodic import EpisodicMemory, EpisodicState
from cndts.memory.gates import ReadGate
from cndts.memory.legendre import LegendreMemory
from cndts.memory.long_term import LongTermMemory
from cndts.memory.oscillating import OscillatingMemory
from cndts.memory.settings import Memory, check_memory
from cndts.memory.working import WorkingMemory, WorkingState


class SeriesFacts(NamedTuple):
    """What is known of each series beside its memories, as tensors of shape (n_series,).

    Attributes
    ----------
    node : Tensor
        ``record * n_channels + channel``.
    count : Tensor
        Events so far.
    age, span : Tensor
        Time from the last event of the series to the last event of the record; time from its first to its last event.
    value, score, change : Tensor
        Of the last event.
    """

    node: Tensor
    count: Tensor  # type: ignore[assignment]  # hides tuple.count, which nobody asks a record of tensors
    age: Tensor
    span: Tensor
    value: Tensor
    score: Tensor
    change: Tensor

    @classmethod
    def of(cls, batch: EventBatch) -> Self:
        """Facts at the last events of a batch that holds whole histories."""
        last = (part.index_select(0, batch.series_end) for part in (batch.value, batch.score, batch.change))
        return cls(batch.series_node, batch.series_count, batch.series_age, batch.series_span, *last)


class HybridState(NamedTuple):
    """States of the memories; None for a memory that is left out.

    Attributes
    ----------
    compressed : CompressedState, or that of another long-term memory, or None
        One row per series.
    working : WorkingState or None
        One row per series.
    episodic : EpisodicState or None
        One row per record.
    """

    compressed: Any
    working: WorkingState | None
    episodic: EpisodicState | None

    def rows(self, series: Tensor) -> Self:
        """Some series, with all records."""
        return self._replace(compressed=_select(self.compressed, series), working=_select(self.working, series))

    def updated(self, series: Tensor, newer: Self) -> Self:
        """Some series replaced, and all records."""
        return self._replace(
            compressed=_put(self.compressed, series, newer.compressed),
            working=_put(self.working, series, newer.working),
            episodic=newer.episodic,
        )


class Recalled(NamedTuple):
    """What the second read gives.

    Attributes
    ----------
    read : Tensor of shape (n_records, n_channels, width)
        For the nodes.
    penalty : Tensor or None
        A scalar that is added to the training loss; None in evaluation.
    """

    read: Tensor
    penalty: Tensor | None


class HybridMemory(nn.Module):
    """The memories of a record and the gates that join them.

    Parameters
    ----------
    n_channels, width, n_heads : int
        Channels, length of an encoded event, heads of the attention over slots.
    dropout : float
        Dropout rate.
    settings : Memory
        Sizes, and which parts are there.

    Raises
    ------
    ValueError
        If the settings are wrong, or name a long-term memory that does not exist.

    Examples
    --------
    >>> memory = HybridMemory(3, 8, 2, 0.0, Memory(window=0))
    >>> memory.working is None, memory.n_averages
    (True, 6)
    """

    def __init__(self, n_channels: int, width: int, n_heads: int, dropout: float, settings: Memory) -> None:
        super().__init__()
        check_memory(settings)
        gates = {"write_gate": settings.write_gate, "forget_gate": settings.forget_gate}
        self.n_averages = settings.timescales
        self.compressed, self.working, self.episodic = None, None, None
        kind = _long_term(settings.long_term)
        if settings.timescales:
            self.compressed = kind.build(n_channels, width, settings)
            self.compressed_read = nn.Linear(self.compressed.n_features, width)
        if settings.window:
            self.working = WorkingMemory(settings.window, width, n_heads, dropout, **gates)
        if settings.episodic_slots:
            self.episodic = EpisodicMemory(n_channels, settings.episodic_slots, width, n_heads, **gates)
        self.lengths = nn.Linear(3, width)
        n_first = (self.compressed is not None) + (self.working is not None)
        n_second = (self.working is not None) + (self.episodic is not None)
        self.first_gate = ReadGate(width, n_first, settings.read_gate and n_first > 0)
        self.second_gate = ReadGate(width, n_second, settings.read_gate and settings.second_round and n_second > 0)

    # ---- write ---------------------------------------------------------------------------------

    def empty(self, n_series: int, n_records: int) -> HybridState:
        """State before any event."""
        return HybridState(
            None if self.compressed is None else self.compressed.empty(n_series),
            None if self.working is None else self.working.empty(n_series),
            None if self.episodic is None else self.episodic.empty(n_records),
        )

    def write(self, encoded: Tensor, batch: EventBatch, before: HybridState | None = None) -> HybridState:
        """Write encoded events of shape (n_events, width) to all memories, on top of the batch's series and records before."""
        before = before or HybridState(None, None, None)
        return HybridState(
            None if self.compressed is None else self.compressed.write(encoded, batch, before.compressed),
            None if self.working is None else self.working.write(encoded, batch, before.working),
            None if self.episodic is None else self.episodic.write(encoded, batch, before.episodic),
        )

    # ---- read ----------------------------------------------------------------------------------

    def averages(self, state: HybridState, n_series: int) -> Tensor:
        """Averages of the values on each time scale, shape (n_series, n_averages)."""
        if self.compressed is None or state.compressed is None:
            return self.lengths.weight.new_zeros(n_series, 0)
        return self.compressed.averages(state.compressed)

    def read(self, state: HybridState, facts: SeriesFacts) -> Tensor:
        """First read of long-term and working memory, shape (n_series, width)."""
        known = self.lengths(torch.stack([facts.count.log1p(), log_time(facts.age), log_time(facts.span)], dim=-1))
        reads = []
        if self.compressed is not None and state.compressed is not None:
            reads.append(self.compressed_read(self.compressed.read(state.compressed)))
        if self.working is not None and state.working is not None:
            reads.append(self.working.read(state.working, facts.age))
        return known + self.first_gate(known + sum(reads), reads) if reads else known

    def recall(self, state: HybridState, facts: SeriesFacts, nodes: Tensor) -> Recalled:
        """Second read of the bounded memories by nodes that know of each other.

        Parameters
        ----------
        state : HybridState
            The memories.
        facts : SeriesFacts
            Of the series.
        nodes : Tensor of shape (n_records, n_channels, width)
            What each node knows.

        Returns
        -------
        Recalled
        """
        reads, penalty = [], None
        if self.working is not None and state.working is not None:
            asked = nodes.flatten(0, 1).index_select(0, facts.node)
            read = self.working.recall(state.working, facts.age, asked)
            reads.append(torch.zeros_like(nodes.flatten(0, 1)).index_add(0, facts.node, read).view_as(nodes))
        if self.episodic is not None and state.episodic is not None:
            read, share = self.episodic.recall(state.episodic, nodes)
            reads.append(read)
            penalty = self.episodic.consolidation(state.episodic, share) if self.training else None
        return Recalled(self.second_gate(nodes, reads) if reads else torch.zeros_like(nodes), penalty)


LONG_TERM: dict[str, type[LongTermMemory]] = {
    "decay": CompressedMemory,
    "clearing": ClearingMemory,
    "oscillating": OscillatingMemory,
    "legendre": LegendreMemory,
}


def _long_term(name: str) -> type[LongTermMemory]:
    if name not in LONG_TERM:
        raise ValueError(f"memory__long_term must be one of {', '.join(map(repr, LONG_TERM))}; got {name!r}.")
    return LONG_TERM[name]


def _select(state: Any, rows: Tensor) -> Any:
    return None if state is None else type(state)(*(part.index_select(0, rows) for part in state))


def _put(state: Any, rows: Tensor, newer: Any) -> Any:
    if state is None or newer is None:
        return None
    return type(state)(*(part.index_copy(0, rows, new) for part, new in zip(state, newer, strict=True)))
