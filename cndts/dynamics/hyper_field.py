"""A learned vector field whose weights vary with time."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cndts.dynamics._time_features import N_TIME_FEATURES, time_features


class HyperField(nn.Module):
    r"""Gated two-layer field whose weights are a function of time, through a small hypernetwork.

    .. math:: f(t, z) = s \tanh(a) \odot \sigma(g), \quad (a, g) = W_2(t)\, \mathrm{SiLU}(W_1(t) z + b_1(t)) + b_2(t), \quad
        W_k(t) = W_k + U_k\, \mathrm{diag}(\alpha_k(t))\, V_k

    The hypernetwork :math:`(\alpha_1, \alpha_2) = \tanh(P\, \mathrm{SiLU}(Q \tau + q) + p)` with
    :math:`\tau = (t / (1 + t), \log(1 + 10 t))` gives ``rank`` numbers a layer, biases move along the same directions
    :math:`U_k`. Ha, Dai and Le, *HyperNetworks*, ICLR 2017, with weights that vary along the depth; continuous depth as in
    Zhang et al., *ANODEV2: A Coupled Neural ODE Framework*, NeurIPS 2019, whose weights obey an ODE of their own where ours
    are a function. The weights of a row are never formed: a layer costs rank (inputs + outputs) products more.
    Every entry of f stays within [-s, s].

    Parameters
    ----------
    width, hidden : int
        Length of the state and of the hidden layer.
    speed : float, default=3.0
        The bound s, in state units per unit of model time.
    rank : int, default=4
        Directions in which the weights of a layer move.

    Examples
    --------
    >>> field = HyperField(width=4, hidden=8)
    >>> field(torch.zeros(2, 1), torch.zeros(2, 4)).shape
    torch.Size([2, 4])
    """

    def __init__(self, width: int, hidden: int, speed: float = 3.0, rank: int = 4) -> None:
        super().__init__()
        self.speed = speed
        self.hyper = nn.Sequential(nn.Linear(N_TIME_FEATURES, 4 * rank), nn.SiLU(), nn.Linear(4 * rank, 2 * rank))
        self.inward = _VaryingLinear(width, hidden, rank)
        self.outward = _VaryingLinear(hidden, 2 * width, rank)

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        """Slope dz/dt at times (n_rows, 1) and states (n_rows, width)."""
        first, second = torch.tanh(self.hyper(time_features(t))).chunk(2, dim=-1)
        direction, gate = self.outward(second, F.silu(self.inward(first, z))).chunk(2, dim=-1)
        return self.speed * torch.tanh(direction) * torch.sigmoid(gate)


class _VaryingLinear(nn.Module):
    """``W z + b + U (alpha * (V z + c))`` with ``alpha`` of shape (n_rows, rank)."""

    def __init__(self, n_in: int, n_out: int, rank: int) -> None:
        super().__init__()
        self.sizes = [n_out, rank]
        self.steady_and_down = nn.Linear(n_in, n_out + rank)  # W and V in one product, which is cheaper than two
        self.up = nn.Parameter(torch.empty(rank, n_out).uniform_(-(rank**-0.5), rank**-0.5))

    def forward(self, alpha: Tensor, z: Tensor) -> Tensor:
        steady, down = self.steady_and_down(z).split(self.sizes, dim=1)
        return torch.addmm(steady, alpha * down, self.up)
