"""Short-term working memory: the last events of each series, exactly."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from cndts._layers import Dropout, log_time, two_layers
from cndts.event_batch import EventBatch


class WorkingState(NamedTuple):
    """The last events of each series, the newest first.

    Attributes
    ----------
    row : Tensor of shape (n_series, n_slots)
        Row of the event in the batch (the newest event where a slot is empty).
    is_held : Tensor of shape (n_series, n_slots)
        Whether the slot holds an event.
    facts : Tensor of shape (n_series, n_slots, 4)
        Value, its rank score, log age at the record's last event, log gap; 0 in empty slots.
    """

    row: Tensor
    is_held: Tensor
    facts: Tensor


class WorkingMemory(nn.Module):
    """Window over the last ``n_slots`` events of each series, read as a whole and re-read by attention.

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

    Examples
    --------
    >>> WorkingMemory(n_slots=6, width=8, n_heads=2, dropout=0.0).n_slots
    6
    """

    def __init__(self, n_slots: int, width: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_slots, self.n_heads = n_slots, n_heads
        self.summary = two_layers(4 * n_slots, width, width, dropout)
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width + 4, width, bias=False)  # a bias would be the same for all slots
        self.content = nn.Linear(width + 4, width)
        self.out = nn.Linear(width, width)
        self.dropout = Dropout(dropout)

    def write(self, batch: EventBatch) -> WorkingState:
        """Keep the newest events of each series."""
        back = torch.arange(self.n_slots, device=batch.series_end.device)
        is_held = back < batch.series_count[:, None]
        row = batch.series_end[:, None] - back * is_held
        age = batch.age[row] + batch.series_age[:, None]
        facts = torch.stack([batch.value[row], batch.score[row], log_time(age), log_time(batch.gap[row])], dim=-1)
        return WorkingState(row, is_held, facts * is_held[..., None])

    def read(self, state: WorkingState) -> Tensor:
        """Summary of the window, shape (n_series, width)."""
        return self.summary(state.facts.flatten(1))

    def recall(self, state: WorkingState, encoded: Tensor, asked: Tensor) -> Tensor:
        """Attention from each series' node over its slots.

        Parameters
        ----------
        state : WorkingState
            The windows.
        encoded : Tensor of shape (n_events, width)
            Encoded events of the batch.
        asked : Tensor of shape (n_series, width)
            What the nodes know by now.

        Returns
        -------
        Tensor of shape (n_series, width)
        """
        events = encoded.index_select(0, state.row.flatten()).unflatten(0, state.row.shape)
        slots = torch.cat([events, state.facts], dim=-1)
        heads = (self.n_heads, self.query.out_features // self.n_heads)
        query = self.query(self.norm(asked)).unflatten(-1, heads)
        # Keys and contents are linear in the slots, q (K s) = (q K) s and sum a (V s) = V (sum a s): so the matrices meet
        # one row per series and head instead of one per slot.
        key, content = self.key.weight.unflatten(0, heads), self.content.weight.unflatten(0, heads)
        score = torch.einsum("shk,hkf->shf", query, key) @ slots.transpose(1, 2) / heads[1] ** 0.5
        share = score.masked_fill(~state.is_held[:, None], -torch.inf).softmax(dim=-1)
        read = torch.einsum("shf,hkf->shk", share @ slots, content).flatten(1) + self.content.bias
        return self.dropout(self.out(read))
