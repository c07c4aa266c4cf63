"""Short-term working memory: the last events of each series, exactly."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from cndts._layers import Dropout, log_time, two_layers
from cndts.event_batch import EventBatch
from cndts.memory.gates import ForgetGate, WriteGate
from cndts.memory.slot_attention import SlotAttention
from cndts.memory.store import MemoryStore

_N_FACTS = 4


class WorkingState(NamedTuple):
    """The last events of each series, the newest first.

    Attributes
    ----------
    encoded : Tensor of shape (n_series, n_slots, width)
        The encoded events; 0 in empty slots.
    facts : Tensor of shape (n_series, n_slots, 4)
        Value, its rank score, time to the last event of the series, gap before the event; 0 in empty slots.
    gates : Tensor of shape (n_series, n_slots, 2)
        Log weight from the write gate, pace from the forget gate.
    is_held : Tensor of shape (n_series, n_slots)
        Whether the slot holds an event.
    """

    encoded: Tensor
    facts: Tensor
    gates: Tensor
    is_held: Tensor


class WorkingMemory(MemoryStore[WorkingState]):
    r"""Window over the last ``n_slots`` events of each series, read as a whole and re-read by attention.

    The window holds its events exactly, whatever the gates say. In attention the score of a slot is
    :math:`q^\top k_i / \sqrt{d} + g(u_i) - \phi(u_i) a_i`: the write gate raises or lowers an event, the forget gate lets it
    fade with its age :math:`a_i`.

    Parameters
    ----------
    n_slots : int
        Events kept per series.
    width : int
        Length of an encoded event and of what is read.
    n_heads : int
        Heads of the attention in ``recall``.
    dropout : float
        Applied to what is read.
    write_gate, forget_gate : bool
        Whether the gates are learned; without the forget gate no slot fades.

    Examples
    --------
    >>> WorkingMemory(n_slots=6, width=8, n_heads=2, dropout=0.0).n_slots
    6
    """

    def __init__(
        self,
        n_slots: int,
        width: int,
        n_heads: int,
        dropout: float,
        *,
        write_gate: bool = True,
        forget_gate: bool = True,
    ) -> None:
        super().__init__()
        self.n_slots, self.width = n_slots, width
        self.write_gate, self.forget_gate = WriteGate(width, 1, write_gate), ForgetGate(width, 1, forget_gate)
        self.summary = two_layers(_N_FACTS * n_slots, width, width, dropout)
        self.norm = nn.LayerNorm(width)
        self.attention = SlotAttention(width, width + _N_FACTS, n_heads)
        self.dropout = Dropout(dropout)

    def empty(self, n_rows: int) -> WorkingState:
        """Windows without events."""
        like = self.norm.weight
        return WorkingState(
            like.new_zeros(n_rows, self.n_slots, self.width),
            like.new_zeros(n_rows, self.n_slots, _N_FACTS),
            like.new_zeros(n_rows, self.n_slots, 2),
            torch.zeros(n_rows, self.n_slots, dtype=torch.bool, device=like.device),
        )

    def write(self, encoded: Tensor, batch: EventBatch, before: WorkingState | None = None) -> WorkingState:
        """Keep the newest events of each series."""
        back = torch.arange(self.n_slots, device=batch.series_end.device)
        n_new = batch.series_end - batch.series_start + 1
        is_new = back < n_new[:, None]
        row = batch.series_end[:, None] - back * is_new
        facts = torch.stack([batch.value, batch.score, batch.age, batch.gap], dim=-1)
        gates = torch.cat([self.write_gate(encoded), self.forget_gate(encoded)], dim=-1)
        events, facts, gates = (_take(part, row, is_new) for part in (encoded, facts, gates))
        window = WorkingState(events, facts, gates, is_new)
        return window if before is None else self._behind(window, before, n_new, batch)

    def _behind(self, window: WorkingState, before: WorkingState, n_new: Tensor, batch: EventBatch) -> WorkingState:
        """The new events, and behind them as many of the older ones as there is room for."""
        first = batch.series_start
        waited = batch.gap.index_select(0, first) + batch.age.index_select(0, first)
        older = before.facts + torch.nn.functional.pad(waited[:, None, None], (2, 1))
        older = older * before.is_held[..., None]
        slot = (torch.arange(self.n_slots, device=n_new.device) - n_new[:, None]).clamp(min=0)

        def fill(new: Tensor, old: Tensor) -> Tensor:
            moved = old.gather(1, slot.view(*slot.shape, *[1] * (old.ndim - 2)).expand_as(old))
            return torch.where(window.is_held.view(*slot.shape, *[1] * (old.ndim - 2)), new, moved)

        parts = (before.encoded, older, before.gates, before.is_held)
        return WorkingState(*(fill(new, old) for new, old in zip(window, parts, strict=True)))

    def read(self, state: WorkingState, since: Tensor) -> Tensor:
        """Summary of the window, shape (n_series, width).

        Parameters
        ----------
        state : WorkingState
            The windows.
        since : Tensor of shape (n_series,)
            Time from the last event of the series to the last event of the record.
        """
        return self.summary(self._facts(state, since).flatten(1))

    def recall(self, state: WorkingState, since: Tensor, asked: Tensor) -> Tensor:
        """Attention from each series' node over its slots.

        Parameters
        ----------
        state : WorkingState
            The windows.
        since : Tensor of shape (n_series,)
            As in ``read``.
        asked : Tensor of shape (n_series, width)
            What the nodes know by now.

        Returns
        -------
        Tensor of shape (n_series, width)
        """
        slots = torch.cat([state.encoded, self._facts(state, since)], dim=-1)
        bias = state.gates[..., 0]
        if self.forget_gate.layer is not None:
            bias = bias - state.gates[..., 1] * (state.facts[..., 2] + since[:, None])
        bias = bias.masked_fill(~state.is_held, -torch.inf)
        read, _ = self.attention(self.norm(asked)[:, None], slots, bias)
        return self.dropout(read[:, 0])

    def _facts(self, state: WorkingState, since: Tensor) -> Tensor:
        value, score, age, gap = state.facts.unbind(-1)
        facts = torch.stack([value, score, log_time(age + since[:, None]), log_time(gap)], dim=-1)
        return facts * state.is_held[..., None]


def _take(rows: Tensor, row: Tensor, is_held: Tensor) -> Tensor:
    """Rows of events as slots, 0 where no event is held."""
    return rows.index_select(0, row.flatten()).unflatten(0, row.shape) * is_held[..., None]
