"""A linear ODE, solved exactly."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_FASTEST, _SLOWEST = 0.1, 10.0
_GOLDEN = (math.sqrt(5) - 1) / 2
# Later times count as this one: floats no longer resolve the angle there, and further on it would be infinite.
_LATEST = 1e9


class LinearFlow(nn.Module):
    r"""Linear ODE whose solution is known at every time.

    .. math:: \dot z = A\,(z - z^*), \qquad A = \mathrm{diag}(B_1, B_2, \ldots), \qquad
        B_k = \begin{pmatrix} -\lambda_k & -\omega_k \\ \omega_k & -\lambda_k \end{pmatrix},
        \qquad z(t) = z_0 + (e^{A t} - I)(z_0 - z^*),

    with the rotation :math:`e^{B_k t} = e^{-\lambda_k t} \left(\begin{smallmatrix} \cos \omega_k t & -\sin \omega_k t \\
    \sin \omega_k t & \cos \omega_k t \end{smallmatrix}\right)`: the real form of a diagonal complex A, as in Gu et al., *On
    the Parameterization and Initialization of Diagonal State Space Models*, NeurIPS 2022, section 3. All
    :math:`\lambda_k > 0`, so every state comes to rest, at :math:`z^* = W z_0 + c`. Pairs are neighbouring entries; of an odd
    number the last one decays without turning. There are no steps: cost and accuracy are the same at every horizon.

    Parameters
    ----------
    width : int
        Length of the state.

    Examples
    --------
    >>> flow = LinearFlow(width=3)
    >>> z0 = torch.ones(2, 3)
    >>> bool((flow(z0, torch.tensor([1]), torch.tensor([0.0])) == z0[1]).all())
    True
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        n_blocks, n_turning = (width + 1) // 2, width // 2
        timescales = torch.logspace(math.log10(_FASTEST), math.log10(_SLOWEST), n_blocks)
        self.log_decay = nn.Parameter(-timescales.log())
        # Spread over 0..2 pi without a relation to the decays.
        self.frequency = nn.Parameter(2 * math.pi * (_GOLDEN * torch.arange(n_turning)).frac())
        self.rest = nn.Linear(width, width)

    def forward(self, z0: Tensor, row: Tensor, t: Tensor) -> Tensor:
        """State of rows at times, as `DenseSolution.at` gives it.

        Parameters
        ----------
        z0 : Tensor of shape (n_rows, width)
            State at time 0.
        row, t : Tensor of shape (n_queries,)
            Row and time of each query.

        Returns
        -------
        Tensor of shape (n_queries, width)
        """
        gap = (z0 - self.rest(z0)).index_select(0, row)
        return z0.index_select(0, row) + (self._propagated(gap, t.clamp(max=_LATEST)[:, None]) - gap)

    def generator(self) -> Tensor:
        """The matrix A, shape (width, width)."""
        blocks = torch.diag_embed(-self.log_decay.exp()[:, None].expand(-1, 2))
        turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]]).to(blocks)
        width = self.rest.in_features
        return torch.block_diag(*(blocks + self._turning()[:, None, None] * turn))[:width, :width]

    def _turning(self) -> Tensor:
        """Frequencies of all blocks, zero for one that stands alone."""
        return F.pad(self.frequency, (0, len(self.log_decay) - len(self.frequency)))

    def _propagated(self, z: Tensor, t: Tensor) -> Tensor:
        """``expm(A t) z`` by row."""
        width = z.shape[1]
        x, y = F.pad(z, (0, width % 2)).unflatten(1, (-1, 2)).unbind(2)
        left, angle = torch.exp(-self.log_decay.exp() * t), self._turning() * t
        cos, sin = left * torch.cos(angle), left * torch.sin(angle)
        return torch.stack([cos * x - sin * y, sin * x + cos * y], dim=2).flatten(1)[:, :width]
