"""A vector field that also adds up what its motion should cost in training."""

import torch
from torch import Tensor, nn

from cndts.dynamics._types import VectorField


class PenalisedField(nn.Module):
    r"""Field with one more state: the running integral of kinetic energy and Jacobian norm.

    .. math:: \dot p = \frac{1}{d} \left(\lambda_K \lVert f(t, z) \rVert^2
        + \lambda_J \lVert \epsilon^\top \nabla_z f(t, z) \rVert^2\right), \qquad p(0) = 0

    Finlay et al., *How to train your neural ODE: the world of Jacobian and kinetic regularization*, ICML 2020, who also
    integrate both beside the state. With independent signs :math:`\epsilon` of mean zero and variance one,
    :math:`E \lVert \epsilon^\top J \rVert^2 = \lVert J \rVert_F^2` (Hutchinson, 1989); they are drawn once and kept for the
    solve, so that an adaptive method sees a smooth equation. Dividing by the length d of the state lets a weight mean the
    same at every width.

    Parameters
    ----------
    field : callable
        ``field(t, z)`` with z of shape (n_rows, d); rows never mix.
    kinetic, jacobian : float
        The weights.
    sign : Tensor of shape (n_rows, d)
        The signs, one vector a row.

    Examples
    --------
    The field f = -z moves z = 2 with energy 4, and its Jacobian has norm 1:

    >>> field = PenalisedField(lambda t, z: -z, kinetic=1.0, jacobian=0.1, sign=torch.ones(1, 1))
    >>> [round(slope, 6) for slope in field(torch.zeros(1, 1), torch.tensor([[2.0, 0.0]]))[0].tolist()]
    [-2.0, 4.1]
    """

    def __init__(self, field: VectorField, kinetic: float, jacobian: float, sign: Tensor) -> None:
        super().__init__()
        self.field = field  # a module here is seen by the adjoint, which needs its parameters
        self.kinetic = kinetic
        self.jacobian = jacobian
        self.sign = sign

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        """Slope of (z, p), shape (n_rows, d + 1)."""
        state = z[:, :-1]
        if not self.jacobian:
            slope = self.field(t, state)
            return torch.cat([slope, self.kinetic * _mean_square(slope)], dim=1)
        wants_gradient = torch.is_grad_enabled()
        with torch.enable_grad():  # a solve by the adjoint runs without gradients, and still needs this derivative
            state = state if wants_gradient and state.requires_grad else state.detach().requires_grad_()
            slope = self.field(t, state)
            (product,) = torch.autograd.grad(slope, state, self.sign, create_graph=wants_gradient, retain_graph=True)
        rate = self.kinetic * _mean_square(slope) + self.jacobian * _mean_square(product)
        return torch.cat([slope, rate], dim=1)


def random_signs(like: Tensor) -> Tensor:
    """Independent entries -1 or +1 with the shape and precision of ``like``."""
    return torch.empty_like(like).bernoulli_(0.5).mul_(2).sub_(1)


def _mean_square(x: Tensor) -> Tensor:
    return x.square().mean(dim=1, keepdim=True)
