"""Kinetic energy and Jacobian norm along a solve, and what they do to training."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cndts.backbones.readout import Readout
from cndts.dynamics import FIELDS, PenalisedField, Solver, SolverStatistics, solve_adaptive, solve_fixed_step
from cndts.dynamics.horizon_grid import REACH
from cndts.dynamics.penalised_field import random_signs
from cndts.training.network import Network, NetworkOutput

WIDTH = 4


class Matrix(nn.Module):
    """The field f = A z, whose Jacobian is A everywhere."""

    def __init__(self, a: Tensor) -> None:
        super().__init__()
        self.a = nn.Parameter(a)

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        return z @ self.a.T


def readout(method: str = "midpoint", **options: Any) -> Readout:
    torch.manual_seed(0)
    return Readout(WIDTH, Solver(method, **options)).double()


def nodes(n: int = 6) -> Tensor:
    return torch.randn(n, WIDTH, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


QUESTIONS = torch.tensor([3, 0, 3, 5]), torch.tensor([0.2, 1.1, 0.5, 2.0]).double()


# ---- what is integrated ------------------------------------------------------------------------------


def test_signs_have_mean_zero_and_variance_one() -> None:
    """Each entry is -1 or 1, as Hutchinson's estimate wants."""
    torch.manual_seed(0)
    signs = random_signs(torch.zeros(2000, 3))
    assert set(signs.flatten().tolist()) == {-1.0, 1.0}
    assert signs.mean(dim=0).abs().max() < 0.1
    assert (signs.T @ signs / 2000 - torch.eye(3)).abs().max() < 0.1


def test_hutchinson_estimates_the_frobenius_norm() -> None:
    """Over many rows the mean rate is the norm of the matrix, and the state moves as without a penalty."""
    torch.manual_seed(0)
    a, n = torch.randn(3, 3).double(), 20_000
    z = torch.randn(n, 3).double()
    field = PenalisedField(Matrix(a), kinetic=0.0, jacobian=2.0, sign=random_signs(z))
    slope = field(torch.zeros(n, 1), torch.cat([z, torch.ones(n, 1)], dim=1)).detach()
    torch.testing.assert_close(slope[:, :3], z @ a.T)
    assert slope[:, 3].mean().item() == pytest.approx(2 * a.square().sum().item() / 3, rel=0.03)


def test_kinetic_energy_of_exponential_decay() -> None:
    """For dz/dt = -z the integral of z^2 is z0^2 (1 - exp(-2 T)) / 2, and the Jacobian adds T."""
    z0, duration = torch.tensor([[2.0], [1.0]]).double(), torch.tensor([0.5, 3.0]).double()
    field = PenalisedField(lambda t, z: -z, kinetic=1.0, jacobian=0.1, sign=torch.ones(2, 1).double())
    end, _ = solve_adaptive(field, nn.functional.pad(z0, (0, 1)), duration, rtol=1e-10, atol=1e-12)
    energy = z0[:, 0] ** 2 * (1 - torch.exp(-2 * duration)) / 2
    torch.testing.assert_close(end[:, 1], energy + 0.1 * duration, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", FIELDS)
def test_rate_equals_the_explicit_jacobian(name: str) -> None:
    """Row by row, against torch's full Jacobian."""
    torch.manual_seed(0)
    module, z, t = FIELDS[name](3, 6).double(), torch.randn(4, 3).double(), torch.rand(4, 1).double()
    sign = random_signs(z)
    slope = PenalisedField(module, 0.5, 0.25, sign)(t, nn.functional.pad(z, (0, 1)))
    for row in range(4):
        f = module(t[[row]], z[[row]])[0]
        jacobian = torch.func.jacrev(lambda z, t=t[[row]]: module(t, z[None])[0])(z[row])
        expected = 0.5 * f.square().mean() + 0.25 * (sign[row] @ jacobian).square().mean()
        torch.testing.assert_close(slope[row, 3], expected)


# ---- in the read-out ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "dense"), [("midpoint", True), ("rk4", False), ("dopri5", True)])
def test_a_penalty_leaves_the_forecast_alone(method: str, dense: bool) -> None:
    """The state is the one without a penalty; only the loss hears of it, and only in training."""
    options = {"dense": dense, "rtol": 1e-9, "atol": 1e-9}
    plain, penalised = readout(method, **options), readout(method, kinetic=0.1, jacobian=0.1, **options)
    state, statistics = penalised(nodes(), *QUESTIONS)
    torch.testing.assert_close(state, plain(nodes(), *QUESTIONS)[0], rtol=0, atol=1e-8)
    assert statistics.penalty is not None
    assert statistics.penalty.ndim == 0
    assert statistics.penalty > 0
    assert plain(nodes(), *QUESTIONS)[1].penalty is None
    with torch.no_grad():
        assert penalised(nodes(), *QUESTIONS)[1].penalty is None
    assert penalised.eval()(nodes(), *QUESTIONS)[1].penalty is None


def test_penalty_is_the_mean_energy_to_the_reach() -> None:
    """With dense output every asked node counts once, from 0 to the reach, by a quadrature of our own."""
    module = readout("rk4", steps=60, kinetic=0.7)
    _, statistics = module(nodes(), *QUESTIONS)
    asked, grid = nodes()[[0, 3, 5]], torch.linspace(0, REACH, 2001, dtype=torch.float64)
    solution = solve_fixed_step(module.field, asked, grid, "rk4")
    energy = torch.trapezoid(solution.slope.square().mean(dim=2), grid, dim=0)
    assert statistics.penalty.item() == pytest.approx(0.7 * energy.mean().item(), rel=1e-6)


@pytest.mark.parametrize("method", ["midpoint", "dopri5"])
def test_penalty_of_nothing(method: str) -> None:
    """No queries cost nothing."""
    none = torch.zeros(0, dtype=torch.long), torch.zeros(0).double()
    _, statistics = readout(method, kinetic=1.0)(nodes(), *none)
    assert statistics.penalty == 0


def gradients(adjoint: bool, **options: Any) -> list[Tensor]:
    module = readout("dopri5", adjoint=adjoint, rtol=1e-9, atol=1e-10, **options)
    start = nodes().requires_grad_()
    torch.manual_seed(2)  # of the signs
    state, statistics = module(start, *QUESTIONS)
    loss = state.square().sum() + (0 if statistics.penalty is None else statistics.penalty)
    return list(torch.autograd.grad(loss, [start, *module.parameters()]))


@pytest.mark.parametrize(
    "options",
    [
        {"field": "gated"},
        {"field": "time", "augment": 2},
        {"field": "hyper", "kinetic": 0.3},
        {"field": "gated", "kinetic": 0.3, "jacobian": 0.2},
    ],
    ids=str,
)
def test_adjoint_equals_direct_gradients(options: dict[str, Any]) -> None:
    """In float64 both ways agree for every field, with augmentation and with penalties."""
    for direct, adjoint in zip(gradients(False, **options), gradients(True, **options), strict=True):
        torch.testing.assert_close(adjoint, direct, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("options", [{"kinetic": 0.5}, {"jacobian": 0.5}], ids=str)
def test_gradients_of_the_penalty(options: dict[str, float]) -> None:
    """By node, against finite differences."""
    module = readout("midpoint", **options)

    def penalty(start: Tensor) -> Tensor:
        torch.manual_seed(3)
        return module(start, *QUESTIONS)[1].penalty

    assert torch.autograd.gradcheck(penalty, (nodes().requires_grad_(),), fast_mode=True)


# ---- in training -------------------------------------------------------------------------------------


class NoHead(nn.Module):
    def loss(self, forecast: Any, target: Tensor) -> Tensor:
        return torch.zeros_like(target)


def test_loss_adds_the_penalty() -> None:
    """What the solver asks for is part of the loss, as a plain sum."""
    network = Network(nn.Identity(), NoHead())  # type: ignore[arg-type]
    forecast, target = SimpleNamespace(mean=torch.tensor([1.0, 3.0])), torch.tensor([0.0, 3.0])
    losses = [
        network.loss(
            NetworkOutput(forecast, SolverStatistics("rk4", 2, 5, 10), penalty), target, torch.ones(2), 0.0
        ).item()
        for penalty in (None, torch.tensor(0.25))
    ]
    assert losses == [0.5, 0.75]


@pytest.mark.parametrize("name", ["kinetic", "jacobian"])
def test_training_against_the_penalty_calms_the_field(name: str) -> None:
    """Descending on the penalty alone lowers what it names."""
    module = readout(**{name: 1.0})
    optimiser = torch.optim.Adam(module.parameters(), lr=0.05)
    values = []
    for _ in range(40):
        penalty = module(nodes(), *QUESTIONS)[1].penalty
        optimiser.zero_grad()
        penalty.backward()
        optimiser.step()
        values.append(penalty.item())
    assert values[-1] < 0.2 * values[0]
