"""torchdiffeq's adaptive solvers on normalised time."""

import torch
from torch import Tensor, nn

from cndts.dynamics._types import SolverStatistics, VectorField

METHODS = ("dopri5", "dopri8", "bosh3", "adaptive_heun", "fehlberg2")


class _NormalisedField(nn.Module):
    """The field in s = t / duration, so that rows of different duration share the interval [0, 1]."""

    def __init__(self, field: VectorField, duration: Tensor) -> None:
        super().__init__()
        self.field = field  # a module here is seen by the adjoint, which needs its parameters
        self.duration = duration
        self.n_evaluations = 0

    def forward(self, s: Tensor, z: Tensor) -> Tensor:
        self.n_evaluations += 1
        return self.duration * self.field(s * self.duration, z)


def solve_adaptive(
    field: VectorField,
    z0: Tensor,
    duration: Tensor,
    *,
    method: str = "dopri5",
    rtol: float = 1e-4,
    atol: float = 1e-5,
    adjoint: bool = False,
) -> tuple[Tensor, SolverStatistics]:
    r"""Solve each row from 0 to its own duration with error control.

    Parameters
    ----------
    field : callable
        ``field(t, z)`` with t of shape (n_rows, 1) and z of shape (n_rows, n_state).
    z0 : Tensor of shape (n_rows, n_state)
        State at time 0.
    duration : Tensor of shape (n_rows,)
        Where each row ends; zero returns ``z0``.
    method : str, default="dopri5"
        An adaptive method of torchdiffeq.
    rtol, atol : float
        Tolerances on the error of a step, measured over the whole batch.
    adjoint : bool, default=False
        Gradients by the adjoint equation: memory that does not grow with the number of steps. The field must then be
        an ``nn.Module``.

    Returns
    -------
    z1 : Tensor of shape (n_rows, n_state)
        State of each row at its duration.
    statistics : SolverStatistics
        What the solve cost.

    Notes
    -----
    With :math:`s = t / T` a row of duration T obeys :math:`dz/ds = T f(s T, z)` on [0, 1], so that one call serves all
    rows. The adjoint is that of Chen et al., *Neural Ordinary Differential Equations*, NeurIPS 2018, equation 4. The
    step size is chosen for the batch as a whole: a row's result depends on its batch mates within the tolerance.

    Examples
    --------
    >>> z1, statistics = solve_adaptive(lambda t, z: -z, torch.ones(2, 1), torch.tensor([1.0, 0.0]), rtol=1e-6)
    >>> [round(z, 4) for z in z1[:, 0].tolist()]
    [0.3679, 1.0]
    """
    import torchdiffeq  # its import costs half a second, and the default solver does without it

    if method not in METHODS:
        raise ValueError(f"method must be one of {METHODS}; got {method!r}.")
    if adjoint and not isinstance(field, nn.Module):
        raise TypeError(f"the adjoint needs the field as a torch module; got {type(field).__name__}. Pass a module.")
    if len(z0) == 0:
        return z0, SolverStatistics(method, 0, 0, 0)
    normalised = _NormalisedField(field, duration[:, None].to(z0))
    integrate = torchdiffeq.odeint_adjoint if adjoint else torchdiffeq.odeint
    ends = torch.tensor([0.0, 1.0], dtype=z0.dtype, device=z0.device)
    path = integrate(normalised, z0, ends, rtol=rtol, atol=atol, method=method)
    calls = normalised.n_evaluations
    return path[-1], SolverStatistics(method, len(z0), calls, calls * len(z0))
