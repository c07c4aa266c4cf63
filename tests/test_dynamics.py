"""Solvers against closed forms, against other solvers, and by the slope of their error."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import Tensor, nn

from cndts.dynamics import GatedField, SolverStatistics, VectorField, solve_adaptive, solve_fixed_step, solve_to_end
from cndts.dynamics.adaptive import METHODS as ADAPTIVE
from cndts.dynamics.dense_solution import DenseSolution

ORDER = {"euler": 1, "midpoint": 2, "rk4": 4}
END = 2.0


class Problem(NamedTuple):
    """An initial value problem of several rows with its closed form."""

    field: VectorField
    z0: Tensor
    exact: Callable[[Tensor], Tensor]  # times (n_rows, 1) -> states (n_rows, n_state)


def decay() -> Problem:
    rate, z0 = torch.tensor([[0.3], [1.0], [2.5]]).double(), torch.tensor([[1.0], [-2.0], [0.5]]).double()
    return Problem(lambda t, z: -rate * z, z0, lambda t: z0 * torch.exp(-rate * t))


def oscillator() -> Problem:
    w = torch.tensor([[0.5], [1.0], [2.0]]).double()
    z0 = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]]).double()

    def field(t: Tensor, z: Tensor) -> Tensor:
        return torch.cat([z[:, 1:], -w.square() * z[:, :1]], dim=1)

    def exact(t: Tensor) -> Tensor:
        x, v = z0[:, :1], z0[:, 1:]
        cos, sin = torch.cos(w * t), torch.sin(w * t)
        return torch.cat([x * cos + v / w * sin, v * cos - x * w * sin], dim=1)

    return Problem(field, z0, exact)


def forced() -> Problem:
    """Time enters the field: dz/dt = z cos(w t)."""
    w, z0 = torch.tensor([[0.5], [1.0], [2.0]]).double(), torch.tensor([[1.0], [2.0], [-1.0]]).double()
    return Problem(lambda t, z: z * torch.cos(w * t), z0, lambda t: z0 * torch.exp(torch.sin(w * t) / w))


PROBLEMS = [decay, oscillator, forced]


def common_knots(n_steps: int) -> Tensor:
    return torch.linspace(0, END, n_steps + 1, dtype=torch.float64)


def knots_by_row(n_steps: int) -> Tensor:
    """Every row has its own end, and steps that grow at its own pace."""
    part = torch.linspace(0, 1, n_steps + 1, dtype=torch.float64)
    return torch.stack([END * part, 1.5 * part ** (4 / 3), 0.7 * (part + part**2) / 2])


def slope(n_steps: list[int], errors: list[float]) -> float:
    return float(-np.polyfit(np.log(n_steps), np.log(errors), 1)[0])


def gated_field(width: int = 3, seed: int = 0) -> GatedField:
    torch.manual_seed(seed)
    return GatedField(width, 2 * width).double()


# ---- fixed steps -------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize(
    ("method", "n_steps", "tolerance"), [("euler", 400, 8e-2), ("midpoint", 200, 1e-3), ("rk4", 100, 1e-6)]
)
def test_closed_form(problem: Callable[[], Problem], method: str, n_steps: int, tolerance: float) -> None:
    """Many small steps reach the closed form at any time."""
    field, z0, exact = problem()
    solution = solve_fixed_step(field, z0, common_knots(n_steps), method)
    for t in torch.linspace(0, END, 7, dtype=torch.float64):
        at = solution.at(torch.arange(3), t.expand(3))
        torch.testing.assert_close(at, exact(t), rtol=0, atol=tolerance)


@pytest.mark.parametrize("knots", [common_knots, knots_by_row])
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("method", ORDER)
def test_order_at_the_end(method: str, problem: Callable[[], Problem], knots: Callable[[int], Tensor]) -> None:
    """Halving the steps divides the error by 2 to the order, with common and with own knots."""
    field, z0, exact = problem()
    n_steps, errors = [32, 64, 128, 256], []
    for n in n_steps:
        at = knots(n)
        solution = solve_fixed_step(field, z0, at, method)
        end = at[..., -1:].expand(3, 1)
        errors.append(float((solution.state[-1] - exact(end)).abs().max()))
    assert slope(n_steps, errors) == pytest.approx(ORDER[method], abs=0.2)


@pytest.mark.parametrize("knots", [common_knots, knots_by_row])
@pytest.mark.parametrize("method", ORDER)
def test_order_between_knots(method: str, knots: Callable[[int], Tensor]) -> None:
    """The dense solution is as accurate as the method wherever it is read."""
    field, z0, exact = oscillator()
    part = torch.rand(50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    n_steps, errors = [32, 64, 128, 256], []
    for n in n_steps:
        at = knots(n)
        solution = solve_fixed_step(field, z0, at, method)
        t = part[:, None] * at[..., -1].expand(3)
        state = torch.stack([solution.at(torch.arange(3), row) for row in t])
        errors.append(float((state - torch.stack([exact(row[:, None]) for row in t])).abs().max()))
    assert slope(n_steps, errors) == pytest.approx(ORDER[method], abs=0.2)


@pytest.mark.parametrize("method", ORDER)
def test_knots_by_row_equal_separate_solves(method: str) -> None:
    """One solve with a list of knots per row gives what a solve of each row alone gives."""
    knots = knots_by_row(5)
    z0 = torch.randn(3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    field, t = gated_field(), torch.linspace(0, 0.7, 9, dtype=torch.float64)
    together = solve_fixed_step(field, z0, knots, method)
    for row in range(3):
        alone = solve_fixed_step(field, z0[row : row + 1], knots[row], method)
        expected = alone.at(torch.zeros(9, dtype=torch.long), t)
        torch.testing.assert_close(together.at(torch.full((9,), row), t), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("knots", [common_knots, knots_by_row])
@pytest.mark.parametrize("method", ORDER)
def test_the_end_alone_equals_the_dense_end(method: str, knots: Callable[[int], Tensor]) -> None:
    """Keeping the last state only changes nothing about it."""
    z0, field = torch.randn(3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64), gated_field()
    end, _ = solve_to_end(field, z0, knots(4), method)
    assert torch.equal(end, solve_fixed_step(field, z0, knots(4), method).state[-1])


@pytest.mark.parametrize("method", ORDER)
def test_rows_do_not_mix(method: str) -> None:
    """A broken row leaves the others as they were."""
    z0, field = torch.randn(4, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64), gated_field()
    rows, t = torch.tensor([0, 1, 3]), torch.tensor([0.4, 1.0, 1.9]).double()
    expected = solve_fixed_step(field, z0, common_knots(3), method).at(rows, t)
    z0[2] = torch.nan
    torch.testing.assert_close(solve_fixed_step(field, z0, common_knots(3), method).at(rows, t), expected)


def test_dense_solution_is_smooth_and_stops_at_its_ends() -> None:
    """State and slope are continuous over a knot; outside the knots the nearest end answers."""
    field, z0, _ = oscillator()
    solution = solve_fixed_step(field, z0, common_knots(4), "rk4")
    knot, rows = solution.knots[2], torch.arange(3)
    for near in (knot - 1e-9, knot + 1e-9):
        t = near.expand(3).clone().requires_grad_()
        state = solution.at(rows, t)
        torch.testing.assert_close(state, solution.state[2], atol=1e-7, rtol=0)
        (velocity,) = torch.autograd.grad(state[:, 0].sum(), t)
        torch.testing.assert_close(velocity, solution.slope[2, :, 0], atol=1e-6, rtol=0)
    outside = torch.tensor([-1.0, END + 5, END]).double()
    expected = torch.stack([solution.state[0, 0], solution.state[-1, 1], solution.state[-1, 2]])
    torch.testing.assert_close(solution.at(rows, outside), expected)


def test_dense_solution_reproduces_cubics() -> None:
    """Four facts about a step fix a cubic, so a cubic comes back exactly, also over knots that coincide."""
    knots = torch.tensor([[0.0, 1.0, 4.0], [2.0, 2.0, 3.0]]).double()
    t = knots.T[:, :, None]
    cubic = DenseSolution(knots, t**3 - 2 * t, 3 * t**2 - 2, SolverStatistics("exact", 2, 0, 0))
    row, at = torch.tensor([0, 0, 1, 1]), torch.tensor([0.3, 3.1, 2.0, 2.9]).double()
    torch.testing.assert_close(cubic.at(row, at)[:, 0], at**3 - 2 * at)


# ---- the learned field -------------------------------------------------------------------------------


def test_gated_field_is_bounded() -> None:
    """Whatever weights and states are, the slope keeps its bound, and so the state its speed limit."""
    field, generator = gated_field(), torch.Generator().manual_seed(3)
    field.speed = 1.5
    with torch.no_grad():
        for weight in field.parameters():
            weight.mul_(50)
    z = 1000 * torch.randn(200, 3, generator=generator, dtype=torch.float64)
    t = 100 * torch.rand(200, 1, generator=generator, dtype=torch.float64)
    assert field(t, z).abs().max() <= 1.5
    assert field(t, z).abs().max() > 1.0
    for method in ORDER:
        travelled = (solve_fixed_step(field, z, common_knots(7), method).state[-1] - z).abs()
        assert travelled.max() <= 1.5 * END + 1e-9


def test_gated_field_knows_the_time() -> None:
    """The field is not autonomous."""
    field, z = gated_field(), torch.ones(2, 3, dtype=torch.float64)
    early, late = field(torch.tensor([[0.0], [1.0]]).double(), z)
    assert not torch.allclose(early, late)


# ---- gradients ---------------------------------------------------------------------------------------


def test_gradients_of_the_field() -> None:
    """Analytic gradients of the field match finite differences."""
    field, generator = gated_field(), torch.Generator().manual_seed(4)
    t = torch.rand(2, 1, generator=generator, dtype=torch.float64).requires_grad_()
    z = torch.randn(2, 3, generator=generator, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(field, (t, z))


@pytest.mark.parametrize("method", ORDER)
def test_gradients_of_a_solve(method: str) -> None:
    """Gradients by start, weights, knots and reading times match finite differences."""
    field, generator = gated_field(2), torch.Generator().manual_seed(5)
    names, weights = zip(*field.named_parameters(), strict=True)

    def read(z0: Tensor, knots: Tensor, t: Tensor, *weights: Tensor) -> Tensor:
        def called(t: Tensor, z: Tensor) -> Tensor:
            return torch.func.functional_call(field, dict(zip(names, weights, strict=True)), (t, z))

        return solve_fixed_step(called, z0, knots, method).at(torch.tensor([0, 1, 1]), t)

    z0 = torch.randn(2, 2, generator=generator, dtype=torch.float64).requires_grad_()
    knots = torch.tensor([0.1, 0.5, 1.5]).double().requires_grad_()
    t = torch.tensor([0.2, 0.7, 1.2]).double().requires_grad_()
    assert torch.autograd.gradcheck(read, (z0, knots, t, *weights), fast_mode=True)


def gradients(adjoint: bool) -> list[Tensor]:
    field, generator = gated_field(), torch.Generator().manual_seed(6)
    z0 = torch.randn(4, 3, generator=generator, dtype=torch.float64).requires_grad_()
    duration = torch.tensor([0.5, 1.0, 0.0, 2.0]).double()
    z1, _ = solve_adaptive(field, z0, duration, rtol=1e-8, atol=1e-10, adjoint=adjoint)
    return list(torch.autograd.grad(z1.square().sum(), [z0, *field.parameters()]))


def test_adjoint_equals_direct_gradients() -> None:
    """Backpropagation through the steps and the adjoint equation agree."""
    for direct, adjoint in zip(gradients(adjoint=False), gradients(adjoint=True), strict=True):
        torch.testing.assert_close(adjoint, direct, rtol=1e-5, atol=1e-7)


# ---- adaptive steps ----------------------------------------------------------------------------------


def pendulum(t: Tensor, z: Tensor) -> Tensor:
    return torch.cat([z[:, 1:], -torch.sin(z[:, :1]) - 0.1 * t * z[:, 1:]], dim=1)


@pytest.mark.parametrize("method", ADAPTIVE)
def test_adaptive_equals_scipy(method: str) -> None:
    """Rows of different duration end where scipy's solver ends each of them."""
    z0 = torch.tensor([[1.0, 0.0], [1.5, -1.0], [0.0, 1.0], [1.0, 1.0]]).double()
    duration = torch.tensor([0.5, 4.0, 2.0, 0.0]).double()
    rtol, atol = (1e-9, 1e-5) if method in ("dopri5", "dopri8") else (1e-5, 2e-2)
    z1, _ = solve_adaptive(pendulum, z0, duration, method=method, rtol=rtol, atol=rtol)
    for row in range(3):

        def numpy_field(t: float, z: np.ndarray) -> np.ndarray:
            return pendulum(torch.tensor([[t]]).double(), torch.from_numpy(z)[None])[0].numpy()

        expected = solve_ivp(numpy_field, (0, float(duration[row])), z0[row].numpy(), rtol=1e-11, atol=1e-12).y[:, -1]
        np.testing.assert_allclose(z1[row].numpy(), expected, atol=atol, rtol=0)
    torch.testing.assert_close(z1[3], z0[3])


def test_tolerance_buys_accuracy() -> None:
    """Tighter tolerances cost evaluations and give smaller errors."""
    field, z0, exact = oscillator()
    end = torch.full((3, 1), END).double()
    errors, calls = [], []
    for tolerance in (1e-3, 1e-6, 1e-9):
        z1, statistics = solve_adaptive(field, z0, end[:, 0], rtol=tolerance, atol=tolerance)
        errors.append(float((z1 - exact(end)).abs().max()))
        calls.append(statistics.n_evaluations)
    assert errors[0] > 10 * errors[1] > 100 * errors[2]
    assert calls[0] < calls[1] < calls[2]


def test_adaptive_without_rows() -> None:
    """Nothing to solve is no error."""
    z1, statistics = solve_adaptive(pendulum, torch.zeros(0, 2), torch.zeros(0))
    assert z1.shape == (0, 2)
    assert statistics == SolverStatistics("dopri5", 0, 0, 0)


# ---- statistics --------------------------------------------------------------------------------------


class Counted(nn.Module):
    """A field that counts for itself how often and on how many rows it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.calls, self.rows = 0, 0

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        self.calls, self.rows = self.calls + 1, self.rows + len(z)
        assert t.shape == (len(z), 1)
        return -z


@pytest.mark.parametrize(("method", "calls"), [("euler", 6), ("midpoint", 11), ("rk4", 21)])
@pytest.mark.parametrize("knots", [common_knots, knots_by_row])
def test_statistics_count_fixed_steps(method: str, calls: int, knots: Callable[[int], Tensor]) -> None:
    """Evaluations are those that happened: the stages of five steps and the slope at the end."""
    field = Counted()
    _, _, _, statistics = vars(solve_fixed_step(field, torch.ones(3, 2).double(), knots(5), method)).values()
    assert statistics == SolverStatistics(method, 3, field.calls, field.rows, n_accepted=5)
    assert field.calls == calls


@pytest.mark.parametrize("method", ORDER)
def test_statistics_count_solves_to_the_end(method: str) -> None:
    """Without dense output the slope at the end is not evaluated."""
    field, dense = Counted(), Counted()
    _, statistics = solve_to_end(field, torch.ones(3, 2).double(), knots_by_row(5), method)
    solve_fixed_step(dense, torch.ones(3, 2).double(), knots_by_row(5), method)
    assert statistics == SolverStatistics(method, 3, field.calls, field.rows, n_accepted=5)
    assert field.calls == dense.calls - 1


@pytest.mark.parametrize("method", ADAPTIVE)
def test_statistics_count_adaptive_steps(method: str) -> None:
    """Evaluations are those that happened, rejected steps included."""
    field = Counted()
    _, statistics = solve_adaptive(field, torch.ones(3, 2), torch.tensor([1.0, 2.0, 30.0]), method=method)
    assert statistics[:4] == (method, 3, field.calls, field.rows)
    assert field.calls > 10


def kick(t: Tensor, z: Tensor) -> Tensor:
    """A field that rests until t = 1 and then moves at once."""
    return torch.sigmoid(200 * (t - 1)).expand_as(z)


@pytest.mark.parametrize(("method", "stages"), [("dopri5", 6), ("bosh3", 3), ("adaptive_heun", 1)])
def test_rejected_steps_are_counted(method: str, stages: int) -> None:
    """A surprise costs rejected steps; every step, taken or not, costs its stages, and choosing the first one two calls."""
    for field, is_surprise in ((kick, True), (lambda t, z: 1 - 0.01 * z, False)):
        _, statistics = solve_adaptive(field, torch.zeros(2, 1).double(), torch.tensor([1.5, 2.0]), method=method)
        n_steps = statistics.n_accepted + statistics.n_rejected
        assert statistics.n_evaluations == 2 + stages * n_steps
        assert (statistics.n_rejected > 0) == is_surprise
        assert statistics.n_accepted > 0


# ---- errors ------------------------------------------------------------------------------------------


def test_errors() -> None:
    """Wrong methods and knots are named, with what would be right."""
    z0 = torch.ones(3, 1)
    with pytest.raises(ValueError, match=r"method must be one of \['euler', 'midpoint', 'rk4'\]; got 'heun'"):
        solve_fixed_step(pendulum, z0, torch.tensor([0.0, 1.0]), "heun")
    for knots in (torch.zeros(1), torch.zeros(2, 5), torch.zeros(3, 1), torch.zeros(3, 2, 2)):
        shape = ", ".join(map(str, knots.shape)) + ("," if knots.ndim == 1 else "")
        for solve in (solve_fixed_step, solve_to_end):
            with pytest.raises(
                ValueError, match=rf"knots need shape \(n_knots,\) or \(3, n_knots\) .* got \({shape}\)"
            ):
                solve(pendulum, z0, knots)
    with pytest.raises(ValueError, match="method must be one of .*'dopri5'.*; got 'rk4'"):
        solve_adaptive(pendulum, z0, torch.ones(3), method="rk4")
    with pytest.raises(TypeError, match="the adjoint needs the field as a torch module; got function. Pass a module"):
        solve_adaptive(pendulum, z0, torch.ones(3), adjoint=True)


def test_single_precision_stays() -> None:
    """Solvers compute in the precision of the state."""
    z0, knots = torch.ones(2, 1), torch.tensor([0.0, 0.5, 1.0])
    near = solve_fixed_step(lambda t, z: -z, z0, knots, "rk4").at(torch.tensor([0, 1]), torch.tensor([1.0, 0.25]))
    far, _ = solve_adaptive(lambda t, z: -z, z0, torch.tensor([1.0, 0.25]))
    assert near.dtype == far.dtype == torch.float32
    for state in (near, far):
        torch.testing.assert_close(state[:, 0], torch.tensor([math.exp(-1), math.exp(-0.25)]), rtol=1e-3, atol=0)
