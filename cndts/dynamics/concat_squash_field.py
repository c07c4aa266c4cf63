"""A learned vector field whose layers are gated and shifted by the time."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cndts.dynamics._time_features import N_TIME_FEATURES, time_features


class _ConcatSquash(nn.Module):
    """Linear layer, gated and shifted by the time: ``(W z + b) * sigmoid(G tau + c) + H tau``."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.layer = nn.Linear(n_in, n_out)
        self.gate = nn.Linear(N_TIME_FEATURES, n_out)
        self.shift = nn.Linear(N_TIME_FEATURES, n_out, bias=False)

    def forward(self, tau: Tensor, z: Tensor) -> Tensor:
        return torch.addcmul(self.shift(tau), self.layer(z), torch.sigmoid(self.gate(tau)))


class ConcatSquashField(nn.Module):
    r"""Time-conditional two-layer field: every layer is gated and shifted by the time.

    .. math:: f(t, z) = s \tanh(L_2(\mathrm{SiLU}(L_1(z)))), \qquad
        L_k(z) = (W_k z + b_k) \odot \sigma(G_k \tau + c_k) + H_k \tau, \qquad \tau = (t / (1 + t), \log(1 + 10 t))

    The layer :math:`L` is the "concat-squash" of Grathwohl et al., *FFJORD: Free-form Continuous Dynamics for Scalable
    Reversible Generative Models*, ICLR 2019 (as in the code published with it). The time multiplies what the state says,
    where in `GatedField` it only adds to it. Every entry of f stays within [-s, s].

    Parameters
    ----------
    width, hidden : int
        Length of the state and of the hidden layer.
    speed : float, default=3.0
        The bound s, in state units per unit of model time.

    Examples
    --------
    >>> field = ConcatSquashField(width=4, hidden=8)
    >>> field(torch.zeros(2, 1), torch.zeros(2, 4)).shape
    torch.Size([2, 4])
    """

    def __init__(self, width: int, hidden: int, speed: float = 3.0) -> None:
        super().__init__()
        self.speed = speed
        self.inward = _ConcatSquash(width, hidden)
        self.outward = _ConcatSquash(hidden, width)

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        """Slope dz/dt at times (n_rows, 1) and states (n_rows, width)."""
        tau = time_features(t)
        return self.speed * torch.tanh(self.outward(tau, F.silu(self.inward(tau, z))))
