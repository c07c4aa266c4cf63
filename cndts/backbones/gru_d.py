"""GRU-D: a gated recurrent unit whose inputs and state decay while nothing is observed."""

from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from cndts._layers import Dropout, log_time
from cndts.backbones.backbone import QueryStates
from cndts.backbones.stepped_backbone import SteppedBackbone, Visit
from cndts.backbones.visit_loop import VisitLoop
from cndts.backbones.visit_table import VisitTable, last_observed, visit_bounds
from cndts.dynamics import Solver, SolverStatistics
from cndts.event_batch import EventBatch


class GruDState(NamedTuple):
    """What GRU-D keeps of each record at its last visit; its size does not depend on the number of visits.

    Attributes
    ----------
    hidden : Tensor of shape (n_records, width)
        Recurrent state.
    value : Tensor of shape (n_records, n_channels)
        Last value of each channel, standardised; 0, the training mean, where there is none.
    is_seen : Tensor of shape (n_records, n_channels)
        Whether the channel was ever observed.
    age : Tensor of shape (n_records, n_channels)
        Time since then; since the first visit where there is none.
    static : Tensor of shape (n_records, n_static)
        Encoded static features.
    """

    hidden: Tensor
    value: Tensor
    is_seen: Tensor
    age: Tensor
    static: Tensor


class GruDBackbone(SteppedBackbone[GruDState]):
    r"""GRU-D of Che, Purushotham, Cho, Sontag and Liu, *Recurrent Neural Networks for Multivariate Time Series with Missing
    Values*, Scientific Reports 8:6085, 2018, section "GRU-D: model with trainable decays".

    At each visit every channel has a value :math:`x`, a mask :math:`m` (1 where it is observed) and the time
    :math:`\delta` since it was last observed before. Two decays are learned, per channel for the inputs (:math:`W_{\gamma x}` is
    diagonal) and from all channels for the state:

    .. math:: \gamma = \exp(-\max(0, W_\gamma \delta + b_\gamma)), \qquad
        \hat x = m x + (1 - m) \left(\gamma_x x' + (1 - \gamma_x) \tilde x\right), \qquad \hat h = \gamma_h \odot h,

    with the last value :math:`x'` and the training mean :math:`\tilde x`, which is 0 for standardised values. Then

    .. math:: r &= \sigma(W_r \hat x + U_r \hat h + V_r m + b_r), &\quad
        z &= \sigma(W_z \hat x + U_z \hat h + V_z m + b_z), \\
        \tilde h &= \tanh(W \hat x + U (r \odot \hat h) + V m + b), &\quad
        h &= (1 - z) \odot \hat h + z \odot \tilde h.

    The paper classifies whole records; a forecast needs the state at a later time. Nothing is observed on the way, so state
    and last values decay to the query time by the same two decays. They, the age of the queried channel, its embedding and the
    static features give the features; the decayed last value and the mean are the anchors.

    Parameters
    ----------
    n_channels, n_static : int
        Channels, and length of the encoded static features.
    width : int
        Length of the recurrent state.
    dropout : float
        Applied to the state that is read at a query.

    Notes
    -----
    Where it departs from the paper: the time stamps of a record are its visits, there is no grid; dropout on the state that
    is read replaces dropout in the recurrence and batch normalisation; input decays start at 0.5 per unit of model time.

    Examples
    --------
    >>> backbone = GruDBackbone(n_channels=3, n_static=0, width=8, dropout=0.0)
    >>> state = backbone.start(torch.zeros(1, 0))
    >>> heart_rate = Visit(torch.zeros(1), torch.tensor([[1.5, 0.0, 0.0]]), torch.tensor([[True, False, False]]))
    >>> backbone.step(state, heart_rate).value
    tensor([[1.5000, 0.0000, 0.0000]])
    """

    n_anchors = 2

    def __init__(self, n_channels: int, n_static: int, *, width: int, dropout: float) -> None:
        super().__init__()
        self.width = width
        self.n_channels = n_channels
        self.input_decay = nn.Parameter(torch.full((n_channels,), 0.5))
        self.input_decay_bias = nn.Parameter(torch.zeros(n_channels))
        self.state_decay = nn.Linear(n_channels, width)
        self.inward = nn.Linear(2 * n_channels, 3 * width)  # W and V of z, r and the candidate
        self.gates = nn.Linear(width, 2 * width, bias=False)  # U of z and r
        self.candidate = nn.Linear(width, width, bias=False)
        self.read = nn.Linear(width + 3 + n_static, width)
        self.channel = nn.Embedding(n_channels, width)
        nn.init.normal_(self.channel.weight, std=0.5)
        self.dropout = Dropout(dropout)

    @classmethod
    def build(cls, n_channels: int, n_static: int, *, width: int, dropout: float, solver: Solver | None) -> Self:
        """Make the backbone; there is no equation to solve, so ``solver`` must be None."""
        if solver is not None:
            raise ValueError(f"gru-d solves no differential equation; got solver={solver!r}. Leave it at None.")
        return cls(n_channels, n_static, width=width, dropout=dropout)

    def encode(self, batch: EventBatch) -> GruDState:
        """Run through the visits of all records, forward in time."""
        table, first, last = VisitTable.of(batch), *visit_bounds(batch)
        seen = last_observed(table.observed)
        before = torch.cat([torch.full_like(seen[:1], -1), seen[:-1]])
        value, age, _ = _recalled(table.value, batch.visit_age, before, first.index_select(0, batch.visit_record))
        age = age - batch.visit_age[:, None]
        inputs = self._inputs(table.value, table.observed, value, age)
        start = self.start(batch.static)
        loop = VisitLoop(batch.visit_record, batch.n_records)
        hidden = loop.run(self._cell, start.hidden, self._state_decay(age), inputs)
        filled = (last >= first).nonzero().squeeze(1)  # records without visits stay as they started
        value, age, is_seen = _recalled(table.value, batch.visit_age, seen[last[filled]], first[filled])
        return GruDState(
            hidden,
            start.value.index_copy(0, filled, value),
            start.is_seen.index_copy(0, filled, is_seen),
            start.age.index_copy(0, filled, age),
            batch.static,
        )

    def start(self, static: Tensor) -> GruDState:
        """State before any event, from encoded static features of shape (n_records, n_static)."""
        empty = static.new_zeros(len(static), self.n_channels)
        return GruDState(static.new_zeros(len(static), self.width), empty, empty > 0, empty, static)

    def step(self, state: GruDState, visit: Visit) -> GruDState:
        """State after one more visit of every record."""
        age = state.age + visit.gap[:, None]
        inputs = self._inputs(visit.value, visit.observed, state.value, age)
        return GruDState(
            self._cell(state.hidden, self._state_decay(age), inputs),
            torch.where(visit.observed, visit.value, state.value),
            state.is_seen | visit.observed,
            torch.where(visit.observed, 0.0, age),
            state.static,
        )

    def at(self, state: GruDState, query_node: Tensor, query_channel: Tensor, query_horizon: Tensor) -> QueryStates:
        """Answer queries from the decayed state and last values."""
        record = torch.div(query_node, self.n_channels, rounding_mode="floor")
        later = query_horizon.clamp(min=0)
        # The decay of the state is linear in the ages before max and exp, and a horizon adds to all of them alike.
        rate, more = self.state_decay(state.age), self.state_decay.weight.sum(1)
        hidden = torch.exp(-(rate.index_select(0, record) + later[:, None] * more).clamp(min=0))
        hidden = hidden * state.hidden.index_select(0, record)
        value, age = state.value.flatten()[query_node], state.age.flatten()[query_node] + later
        slope, bias = self.input_decay[query_channel], self.input_decay_bias[query_channel]
        value = torch.exp(-(slope * age + bias).clamp(min=0)) * value
        facts = torch.stack([value, log_time(age), state.is_seen.flatten()[query_node].to(value)], dim=1)
        known = torch.cat([self.dropout(hidden), facts, state.static.index_select(0, record)], dim=1)
        features = self.read(known) + self.channel(query_channel)
        anchors = torch.stack([value, torch.zeros_like(value)], dim=1)
        return QueryStates(features, anchors, SolverStatistics("decay", len(query_node), 0, 0))

    def _inputs(self, value: Tensor, observed: Tensor, last: Tensor, age: Tensor) -> Tensor:
        """What does not depend on the state of the gates' and the candidate's arguments, shape (n_visits, 3 width)."""
        decay = torch.exp(-(self.input_decay * age + self.input_decay_bias).clamp(min=0))
        filled = torch.where(observed, value, decay * last)
        return self.inward(torch.cat([filled, observed.to(filled)], dim=1))

    def _state_decay(self, age: Tensor) -> Tensor:
        return torch.exp(-self.state_decay(age).clamp(min=0))

    def _cell(self, hidden: Tensor, decay: Tensor, inputs: Tensor) -> Tensor:
        to_gates, to_candidate = inputs.tensor_split([2 * self.width], dim=1)
        hidden = decay * hidden
        update, reset = torch.addmm(to_gates, hidden, self.gates.weight.t()).sigmoid().chunk(2, dim=1)
        candidate = torch.addmm(to_candidate, reset * hidden, self.candidate.weight.t()).tanh()
        return torch.lerp(hidden, candidate, update)


def _recalled(value: Tensor, visit_age: Tensor, seen: Tensor, first: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Last value, its age at the record's last event, and whether there is one, of rows whose record begins at ``first``."""
    is_seen = seen >= first[:, None]
    row = torch.where(is_seen, seen, first[:, None])
    age = visit_age.index_select(0, row.flatten()).view_as(row)
    return torch.where(is_seen, value.gather(0, row), 0.0), age, is_seen
