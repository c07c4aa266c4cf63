"""ODE-RNN: a gated recurrent unit whose state obeys a differential equation between visits."""

import torch
from torch import Tensor, nn

from cndts.backbones.autonomous_field import AutonomousField
from cndts.backbones.visit_loop import VisitLoop
from cndts.backbones.visit_table import VisitTable, spans, visit_gaps
from cndts.event_batch import EventBatch

# The longest Euler step is this part of the record's span, as in the authors' code.
_STEPS_PER_SPAN = 50


class OdeRnn(nn.Module):
    r"""Recognition network of Rubanova, Chen and Duvenaud, *Latent Ordinary Differential Equations for Irregularly-Sampled
    Time Series*, NeurIPS 2019: algorithm 1 (ODE-RNN), run backward in time as in section 3.2, with the gated unit of their code.

    The state is a mean :math:`y` and a spread :math:`s \ge 0`. Between visits :math:`dy/dt = f(y)` is solved by Euler's method from the later
    to the earlier one, and :math:`s` stays. At a visit with values :math:`x` and mask :math:`m`

    .. math:: u = \sigma(G_u(y, s, x, m)), \quad r = \sigma(G_r(y, s, x, m)), \quad
        (\tilde y, \tilde s) = G(r \odot y, r \odot s, x, m),

    .. math:: y \leftarrow (1 - u) \odot \tilde y + u \odot y, \qquad s \leftarrow (1 - u) \odot |\tilde s| + u \odot s,

    where each G has one hidden layer with tanh.

    Parameters
    ----------
    n_channels, width, hidden : int
        Channels, length of the mean, and of all hidden layers.

    Examples
    --------
    >>> sum(p.numel() for p in OdeRnn(n_channels=3, width=4, hidden=8).parameters())
    652
    """

    def __init__(self, n_channels: int, width: int, hidden: int) -> None:
        super().__init__()
        self.width, self.hidden = width, hidden
        self.field = AutonomousField(width, hidden)
        self.inward = nn.Linear(2 * n_channels, 3 * hidden)  # x and m into the hidden layers of u, r and the candidate
        self.to_gates = nn.Linear(2 * width, 2 * hidden, bias=False)
        self.to_candidate = nn.Linear(2 * width, hidden, bias=False)
        self.update, self.reset = nn.Linear(hidden, width), nn.Linear(hidden, width)
        self.candidate = nn.Linear(hidden, 2 * width)

    def forward(self, batch: EventBatch) -> Tensor:
        """Mean and spread at the first visit of each record, shape (n_records, 2 width); 0 without visits.

        Where the batch has a later side, the records are read as if there were no gap between the sides.
        """
        span, state = spans(batch), batch.value.new_zeros(batch.n_records, 2 * self.width)
        if batch.later is None:
            return self._read(batch, state, visit_gaps(batch), span, backward=True)
        span = span + batch.bridge + spans(batch.later)
        # The later side is mirrored, so that its last event comes first; the gap before a visit there is that after it.
        gap = visit_gaps(batch.later).roll(1)
        state = self._read(batch.later, state, gap, span, backward=False)
        is_last = batch.visit_age == 0
        gap = torch.where(is_last, batch.bridge.index_select(0, batch.visit_record), visit_gaps(batch))
        return self._read(batch, state, gap, span, backward=True)

    def _read(self, batch: EventBatch, start: Tensor, gap: Tensor, span: Tensor, *, backward: bool) -> Tensor:
        """State after all visits; ``gap`` is the time to each visit from the one that is read before it."""
        table, span = VisitTable.of(batch), span.index_select(0, batch.visit_record)
        inputs = self.inward(torch.cat([table.value, table.observed.to(table.value)], dim=1))
        n_steps = torch.ceil(gap * _STEPS_PER_SPAN / span.clamp(min=torch.finfo(span.dtype).tiny)).clamp(min=1)
        loop = VisitLoop(batch.visit_record, batch.n_records, backward=backward)
        return loop.run(self._cell, start, (gap / n_steps)[:, None], n_steps[:, None], inputs)

    def _cell(self, state: Tensor, step: Tensor, n_steps: Tensor, inputs: Tensor) -> Tensor:
        mean, spread = state.chunk(2, dim=1)
        for k in range(int(n_steps.max())):
            mean = mean - torch.where(k < n_steps, step, 0.0) * self.field(step, mean)
        to_gates, to_candidate = inputs.tensor_split([2 * self.hidden], dim=1)
        gates = (to_gates + self.to_gates(torch.cat([mean, spread], dim=1))).tanh()
        update, reset = (
            layer(half).sigmoid() for layer, half in zip((self.update, self.reset), gates.chunk(2, 1), strict=True)
        )
        shown = torch.cat([reset * mean, reset * spread], dim=1)
        new_mean, new_spread = self.candidate((to_candidate + self.to_candidate(shown)).tanh()).chunk(2, dim=1)
        return torch.cat([torch.lerp(new_mean, mean, update), torch.lerp(new_spread.abs(), spread, update)], dim=1)
