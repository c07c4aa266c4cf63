"""Explicit Runge-Kutta methods with fixed steps for batches of independent rows.

The three methods are those of Hairer, Nørsett and Wanner, *Solving Ordinary Differential Equations I* (1993): Euler
(I.7.3), the midpoint rule of Runge (II.1.2) and the classical fourth-order method of Kutta (table II.1.2). Steps may differ by
row, nothing depends on tensor values, and so a solve can be exported and compiled.
"""

import torch
from torch import Tensor

from cndts.dynamics._types import SolverStatistics, VectorField
from cndts.dynamics.dense_solution import DenseSolution


def euler_step(field: VectorField, t: Tensor, z: Tensor, f: Tensor, h: Tensor) -> Tensor:
    """One step of order 1; ``f`` is ``field(t, z)``."""
    return z + h * f


def midpoint_step(field: VectorField, t: Tensor, z: Tensor, f: Tensor, h: Tensor) -> Tensor:
    """One step of order 2; ``f`` is ``field(t, z)``."""
    return z + h * field(t + h / 2, z + h / 2 * f)


def rk4_step(field: VectorField, t: Tensor, z: Tensor, f: Tensor, h: Tensor) -> Tensor:
    """One step of order 4; ``f`` is ``field(t, z)``."""
    f2 = field(t + h / 2, z + h / 2 * f)
    f3 = field(t + h / 2, z + h / 2 * f2)
    f4 = field(t + h, z + h * f3)
    return z + h / 6 * (f + 2 * f2 + 2 * f3 + f4)


METHODS = {"euler": euler_step, "midpoint": midpoint_step, "rk4": rk4_step}
_STAGES = {"euler": 1, "midpoint": 2, "rk4": 4}


def solve_fixed_step(field: VectorField, z0: Tensor, knots: Tensor, method: str = "midpoint") -> DenseSolution:
    """Solve dz/dt = field(t, z) with one step from each knot to the next.

    Parameters
    ----------
    field : callable
        ``field(t, z)`` with t of shape (n_rows, 1) and z of shape (n_rows, n_state).
    z0 : Tensor of shape (n_rows, n_state)
        State at the first knot.
    knots : Tensor of shape (n_knots,) or (n_rows, n_knots)
        Times at which steps start and end, rising; at least two.
    method : {"euler", "midpoint", "rk4"}, default="midpoint"
        Order 1, 2 or 4.

    Returns
    -------
    DenseSolution
        Continuous between the first and the last knot.

    Raises
    ------
    ValueError
        If the method is unknown, or the knots do not fit the rows. States are not checked, so that a solve can be
        compiled; `Readout` does.

    Examples
    --------
    Exponential decay over one unit of time in ten steps:

    >>> knots = torch.linspace(0, 1, 11)
    >>> solution = solve_fixed_step(lambda t, z: -z, torch.ones(1, 1), knots, "rk4")
    >>> round(solution.at(torch.tensor([0]), torch.tensor([1.0])).item(), 5)
    0.36788
    >>> solution.statistics.n_evaluations
    41
    """
    times = _times_by_row(z0, knots, method)
    step = METHODS[method]
    z, states, slopes = z0, [z0], [field(times[:, :1], z0)]
    for k in range(times.shape[1] - 1):
        t = times[:, k : k + 1]
        z = step(field, t, z, slopes[-1], times[:, k + 1 : k + 2] - t)
        states.append(z)
        slopes.append(field(times[:, k + 1 : k + 2], z))
    statistics = _statistics(method, len(z0), times.shape[1] - 1, n_more=1)
    return DenseSolution(knots, torch.stack(states), torch.stack(slopes), statistics)


def solve_to_end(
    field: VectorField, z0: Tensor, knots: Tensor, method: str = "midpoint"
) -> tuple[Tensor, SolverStatistics]:
    """Solve as `solve_fixed_step` does, and keep the state at the last knot alone.

    Parameters
    ----------
    field : callable
        ``field(t, z)`` with t of shape (n_rows, 1) and z of shape (n_rows, n_state).
    z0 : Tensor of shape (n_rows, n_state)
        State at the first knot.
    knots : Tensor of shape (n_knots,) or (n_rows, n_knots)
        Times at which steps start and end, rising or equal; at least two.
    method : {"euler", "midpoint", "rk4"}, default="midpoint"
        Order 1, 2 or 4.

    Returns
    -------
    z1 : Tensor of shape (n_rows, n_state)
        State at the last knot.
    statistics : SolverStatistics
        What the solve cost: one evaluation less than with dense output.

    Raises
    ------
    ValueError
        If the method is unknown, or the knots do not fit the rows.

    Examples
    --------
    Two rows with their own ends:

    >>> knots = torch.tensor([[0.0, 0.5, 1.0], [0.0, 0.1, 0.2]])
    >>> z1, statistics = solve_to_end(lambda t, z: -z, torch.ones(2, 1), knots, "rk4")
    >>> [round(z, 3) for z in z1[:, 0].tolist()], statistics.n_evaluations
    ([0.368, 0.819], 8)
    """
    times = _times_by_row(z0, knots, method)
    step, z = METHODS[method], z0
    for k in range(times.shape[1] - 1):
        t = times[:, k : k + 1]
        z = step(field, t, z, field(t, z), times[:, k + 1 : k + 2] - t)
    return z, _statistics(method, len(z0), times.shape[1] - 1)


def _times_by_row(z0: Tensor, knots: Tensor, method: str) -> Tensor:
    if method not in METHODS:
        raise ValueError(f"method must be one of {sorted(METHODS)}; got {method!r}.")
    if knots.shape[-1] < 2 or (knots.ndim == 2 and len(knots) != len(z0)) or knots.ndim > 2:
        raise ValueError(
            f"knots need shape (n_knots,) or ({len(z0)}, n_knots) with two knots or more; got {tuple(knots.shape)}."
        )
    return knots.expand(len(z0), -1)


def _statistics(method: str, n_rows: int, n_steps: int, n_more: int = 0) -> SolverStatistics:
    n_evaluations = _STAGES[method] * n_steps + n_more
    return SolverStatistics(method, n_rows, n_evaluations, n_evaluations * n_rows, n_accepted=n_steps)
