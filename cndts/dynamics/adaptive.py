"""torchdiffeq's adaptive solvers on normalised time."""

import torch
from torch import Tensor, nn

from cndts.dynamics._types import SolverStatistics, VectorField
from cndts.dynamics.solver_error import SolverError, broken_rows, is_finite

METHODS = ("dopri5", "dopri8", "bosh3", "adaptive_heun", "fehlberg2")
_REMEDY = "Choose a fixed-step method, or let solver__fallback=True do it."


class _NormalisedField(nn.Module):
    """The field in s = t / duration, so that rows of different duration share the interval [0, 1].

    It counts what torchdiffeq does, and stops a solve that cannot succeed. The names of the callbacks are torchdiffeq's.
    """

    def __init__(self, field: VectorField, duration: Tensor, method: str, limit: int, row_names: Tensor | None) -> None:
        super().__init__()
        self.field = field  # a module here is seen by the adjoint, which needs its parameters
        self.duration = duration
        self.method = method
        self.limit = limit
        self.row_names = row_names
        self.n_evaluations = self.n_accepted = self.n_rejected = 0
        self.latest: tuple[Tensor, Tensor] = (duration, duration)

    def forward(self, s: Tensor, z: Tensor) -> Tensor:
        if self.n_evaluations >= self.limit:
            raise self._error(
                f"{self.limit} evaluations of the field led only to {_percent(s)} of the horizon",
                "Raise solver__max_evaluations, loosen solver__rtol, or choose a fixed-step method.",
            )
        self.n_evaluations += 1
        slope = self.duration * self.field(s * self.duration, z)
        self.latest = z.detach(), slope.detach()
        # torchdiffeq would shrink the step to nothing; its adjoint would even accept such a step.
        if not is_finite(slope):
            raise self._error(f"state or slope is not finite at {_percent(s)} of the horizon", _REMEDY)
        return slope

    def callback_step(self, s: Tensor, z: Tensor, step: Tensor) -> None:
        """Before every step, accepted or not."""
        if not bool(s + step > s):  # NaN too
            raise self._error(f"the step size underflowed at {_percent(s)} of the horizon", _REMEDY)

    def callback_accept_step(self, s: Tensor, z: Tensor, step: Tensor) -> None:
        self.n_accepted += 1

    def callback_reject_step(self, s: Tensor, z: Tensor, step: Tensor) -> None:
        self.n_rejected += 1

    def callback_step_adjoint(self, s: Tensor, parts: tuple[Tensor, ...], step: Tensor) -> None:
        """The same while the adjoint runs backward."""
        self.callback_step(s, parts[1], step)

    def finish(self) -> SolverStatistics:
        """What the solve cost; the adjoint counts from zero again."""
        counted = (self.n_evaluations, self.n_evaluations * len(self.duration), self.n_accepted, self.n_rejected)
        self.n_evaluations = 0
        return SolverStatistics(self.method, len(self.duration), *counted)

    def _error(self, reason: str, remedy: str) -> SolverError:
        rows = _culprits(*self.latest)
        names = rows if self.row_names is None else self.row_names[rows]
        return SolverError(self.method, reason, names.tolist(), len(self.duration), remedy)


def _percent(s: Tensor) -> str:
    return f"{100 * s.item():.3g} %"


def _culprits(state: Tensor, slope: Tensor) -> Tensor:
    """Rows that stopped the solve: those that are not finite, else those that moved fastest for their size."""
    broken = broken_rows(torch.cat([state, slope], dim=1))
    if len(broken):
        return broken
    haste = slope.abs().amax(1) / (1 + state.abs().amax(1))
    return (haste >= haste.max() / 2).nonzero().squeeze(1)


def solve_adaptive(
    field: VectorField,
    z0: Tensor,
    duration: Tensor,
    *,
    method: str = "dopri5",
    rtol: float = 1e-4,
    atol: float = 1e-5,
    adjoint: bool = False,
    max_evaluations: int = 10_000,
    row_names: Tensor | None = None,
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
    max_evaluations : int, default=10000
        Calls of the field, in the solve and again in its adjoint, after which the solve has failed.
    row_names : Tensor of shape (n_rows,), optional
        Numbers by which errors call the rows; by default their positions.

    Returns
    -------
    z1 : Tensor of shape (n_rows, n_state)
        State of each row at its duration.
    statistics : SolverStatistics
        What the solve cost, the adjoint apart.

    Raises
    ------
    SolverError
        If the step size underflows, state or slope stop being finite, or evaluations run out; with the adjoint also in the
        backward pass. Where all is finite, the rows named are those that moved fastest for their size.

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
    durations = duration[:, None].to(z0)
    normalised = _NormalisedField(field, durations, method, max_evaluations, row_names)
    integrate = torchdiffeq.odeint_adjoint if adjoint else torchdiffeq.odeint
    ends = torch.tensor([0.0, 1.0], dtype=z0.dtype, device=z0.device)
    path = integrate(normalised, z0, ends, rtol=rtol, atol=atol, method=method)
    return path[-1], normalised.finish()
