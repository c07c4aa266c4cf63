"""A learned vector field that is bounded and smooth."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cndts._layers import log_time


class GatedField(nn.Module):
    r"""Gated two-layer field with time as an input.

    .. math:: f(t, z) = s \, \tanh(a) \odot \sigma(g), \qquad (a, g) = W_2\, \mathrm{SiLU}(W_1 (z, t, \log(1 + 10 t)))

    Every entry of f stays within [-s, s] and all parts are smooth, so that explicit methods with few steps are safe and
    the state moves at most s per unit of time.

    Parameters
    ----------
    width, hidden : int
        Length of the state and of the hidden layer.
    speed : float, default=3.0
        The bound s, in state units per unit of model time.

    Examples
    --------
    >>> field = GatedField(width=4, hidden=8)
    >>> field(torch.zeros(2, 1), torch.zeros(2, 4)).shape
    torch.Size([2, 4])
    """

    def __init__(self, width: int, hidden: int, speed: float = 3.0) -> None:
        super().__init__()
        self.speed = speed
        self.inward = nn.Linear(width + 2, hidden)
        self.outward = nn.Linear(hidden, 2 * width)

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        """Slope dz/dt at times (n_rows, 1) and states (n_rows, width)."""
        hidden = F.silu(self.inward(torch.cat([z, t, log_time(t)], dim=-1)))
        direction, gate = self.outward(hidden).chunk(2, dim=-1)
        return self.speed * torch.tanh(direction) * torch.sigmoid(gate)
