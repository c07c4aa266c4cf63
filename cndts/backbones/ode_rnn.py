"""ODE-RNN: a gated recurrent unit whose state obeys a differential equation between visits."""

import torch
from torch import Tensor, nn

from cndts.backbones.autonomous_field import AutonomousField
from cndts.backbones.visit_loop import VisitLoop
from cndts.backbones.visit_table import VisitTable, visit_bounds, visit_gaps
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
        """Mean and spread at the first visit of each record, shape (n_records, 2 width); 0 without visits."""
        table, gap = VisitTable.of(batch), visit_gaps(batch)
        inputs = self.inward(torch.cat([table.value, table.observed.to(table.value)], dim=1))
        span = batch.visit_age.index_select(0, visit_bounds(batch)[0].index_select(0, batch.visit_record))
        n_steps = torch.ceil(gap * _STEPS_PER_SPAN / span.clamp(min=torch.finfo(span.dtype).tiny)).clamp(min=1)
        start = inputs.new_zeros(batch.n_records, 2 * self.width)
        loop = VisitLoop(batch.visit_record, batch.n_records, backward=True)
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
