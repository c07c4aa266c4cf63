"""A solve that fails says so, names its rows, or falls back when that was asked for."""

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cndts.backbones.readout import Readout
from cndts.dynamics import Solver, SolverError, SolverStatistics, SolverWarning, solve_adaptive
from cndts.dynamics.solver_error import broken_rows, is_finite, named

WIDTH = 2
NODE, HORIZON = torch.tensor([3, 0, 3, 5]), torch.tensor([0.2, 2.0, 1.5, 1.0]).double()


class Explosion(nn.Module):
    """dz/dt = rate z^2: from z0 > 0 the state is infinite at t = 1 / (rate z0); below zero it calms down."""

    def __init__(self) -> None:
        super().__init__()
        self.rate = nn.Parameter(torch.ones((), dtype=torch.float64))

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        return self.rate * z.square()


def readout(method: str, **options: Any) -> Readout:
    module = Readout(WIDTH, Solver(method, **options)).double().eval()
    module.field = Explosion()
    return module


def nodes(*wild: int) -> Tensor:
    """Calm everywhere but at the given nodes."""
    state = torch.full((6, WIDTH), -1.0, dtype=torch.float64)
    state[list(wild)] = 2.0
    return state


# ---- finding out -------------------------------------------------------------------------------------


def test_is_finite_looks_at_every_entry() -> None:
    """One bad entry is found, infinities that cancel too, and a sum that overflows is no failure."""
    big = torch.finfo(torch.float32).max
    assert is_finite(torch.tensor([[big, big], [big, 0.0]]))
    assert is_finite(torch.zeros(0, 3))
    for bad in ([torch.nan, 0], [torch.inf, 0], [torch.inf, -torch.inf]):
        state = torch.tensor([[0.0, 1.0], bad])
        assert not is_finite(state)
        assert broken_rows(state).tolist() == [1]


def test_message() -> None:
    """Rows are named once, in order, and all are in the attribute."""
    error = SolverError("dopri5", "it broke", [9, 3, 3, 1, 2, 4, 5], 40, "Do this.")
    assert str(error) == "'dopri5' failed for rows 1, 2, 3, 4, 5 and 1 more of 40: it broke. Do this."
    assert error.rows == (1, 2, 3, 4, 5, 9)
    assert named([7]) == "row 7"


def test_totals() -> None:
    """Counts of two solves add up; what was asked is that of the first."""
    total = SolverStatistics("rk4", 3, 1, 2, 3, 4).plus(SolverStatistics("rk4", 1, 10, 20, 30, 40))
    assert total == SolverStatistics("rk4", 3, 11, 22, 33, 44)


# ---- adaptive methods --------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["dopri5", "bosh3"])
def test_step_size_underflow_names_the_rows(method: str) -> None:
    """A state that reaches infinity within its horizon stops the solve, and its row is known."""
    with pytest.raises(
        SolverError, match=r"failed for row 2 of 4: (the step size underflowed|.*not finite) at 2[45]"
    ) as caught:
        z0 = torch.tensor([[-1.0], [0.1], [2.0], [0.0]]).double()
        solve_adaptive(Explosion(), z0, torch.full((4,), 2.0).double(), method=method, rtol=1e-6)
    assert caught.value.rows == (2,)
    assert isinstance(caught.value, FloatingPointError)


def test_a_field_that_is_not_finite_names_its_rows() -> None:
    """NaN in the slope of one row is that row's failure."""

    def field(t: Tensor, z: Tensor) -> Tensor:
        return torch.where((z > 0.5) & (t > 0.3), torch.nan, 1.0) * torch.ones_like(z)

    with pytest.raises(SolverError, match="row 1 of 3: state or slope is not finite at .* Choose a fixed-step method"):
        solve_adaptive(field, torch.tensor([[0.0], [0.4], [-3.0]]), torch.tensor([0.4, 1.0, 1.0]))


def test_too_many_evaluations() -> None:
    """The limit holds to the call, and the row that asks for small steps is named."""
    rate = torch.tensor([[1.0], [500.0]]).double()
    field = Explosion()
    calls: list[int] = []
    field.register_forward_hook(lambda *_: calls.append(1))

    def oscillator(t: Tensor, z: Tensor) -> Tensor:
        return torch.cos(rate * t) * rate + 0 * field(t, z)

    arguments = (oscillator, torch.zeros(2, 1).double(), torch.ones(2).double())
    with pytest.raises(
        SolverError, match=r"row 1 of 2: 50 evaluations .* to [\d.]+ % .* Raise solver__max_eval"
    ) as caught:
        solve_adaptive(*arguments, max_evaluations=50)
    assert caught.value.rows == (1,)
    assert len(calls) == 50
    _, statistics = solve_adaptive(*arguments)
    solve_adaptive(*arguments, max_evaluations=statistics.n_evaluations)
    with pytest.raises(SolverError):
        solve_adaptive(*arguments, max_evaluations=statistics.n_evaluations - 1)


def test_the_adjoint_fails_as_clearly() -> None:
    """A backward solve that cannot go on names its rows too, and counts its own evaluations."""
    field = Explosion()
    z0 = torch.full((3, 1), -1.0).double().requires_grad_()
    arguments = {"adjoint": True, "row_names": torch.tensor([10, 20, 30])}
    z1, statistics = solve_adaptive(field, z0, torch.ones(3).double(), **arguments)
    field.forward = lambda t, z: torch.nan * field.rate * z
    with pytest.raises(SolverError, match="rows 10, 20, 30 of 3: state or slope is not finite"):
        z1.sum().backward()
    field, calls = Explosion(), []
    field.register_forward_hook(lambda *_: calls.append(1))
    z1, statistics = solve_adaptive(field, z0, torch.ones(3).double(), **arguments)
    z1.sum().backward()
    back = len(calls) - statistics.n_evaluations
    limit = max(back, statistics.n_evaluations)
    z1, _ = solve_adaptive(field, z0, torch.ones(3).double(), max_evaluations=limit, **arguments)
    z1.sum().backward()
    z1, _ = solve_adaptive(field, z0, torch.ones(3).double(), max_evaluations=back - 1, **arguments)
    with pytest.raises(SolverError, match=f"of 3: {back - 1} evaluations of the field led only to"):
        z1.sum().backward()


def test_readout_names_nodes() -> None:
    """The rows of the error are nodes, each of them once."""
    with pytest.raises(SolverError, match="'dopri5' failed for row 3 of 4") as caught:
        readout("dopri5")(nodes(3), NODE, HORIZON)
    assert caught.value.rows == (3,)


def test_adaptive_falls_back_to_fixed_steps() -> None:
    """With a warning that says why; every row gets the answer of 'rk4'."""
    start = nodes(3)
    start[3] = 1.0  # infinite at t = 1, which steps of rk4 survive
    with pytest.warns(SolverWarning, match="'dopri5' failed for row 3 of 4: .* Solved by 'rk4' instead"):
        state, statistics = readout("dopri5", fallback=True)(start, NODE, HORIZON)
    torch.testing.assert_close(state, readout("rk4")(start, NODE, HORIZON)[0])
    assert torch.isfinite(state).all()
    assert statistics.method == "rk4"


# ---- fixed steps, and what is not finite ---------------------------------------------------------------


def broken(method: str = "midpoint", **options: Any) -> Readout:
    """A read-out whose field is infinite for states above one."""
    module = readout(method, **options)

    def field(t: Tensor, z: Tensor) -> Tensor:
        return torch.where(z > 1, torch.inf, -z)

    module.field.forward = field
    return module


@pytest.mark.parametrize("dense", [True, False])
def test_fixed_steps_raise_instead_of_answering_nan(dense: bool) -> None:
    """A state that became infinite is no forecast."""
    with pytest.raises(
        SolverError, match="failed for row 3 of 3: the state became infinite or not a number. Look"
    ) as caught:
        broken(dense=dense)(nodes(3), NODE, HORIZON)
    assert caught.value.rows == (3,)


def test_fixed_steps_fall_back_to_the_last_event() -> None:
    """Nodes that failed keep their state, with a warning; the others are as they would be alone."""
    with pytest.warns(SolverWarning, match="row 3 of 3: .* The state at the last event stands in"):
        state, _ = broken(fallback=True)(nodes(3), NODE, HORIZON)
    torch.testing.assert_close(state[[0, 2]], nodes(3)[[3, 3]])
    calm, _ = broken()(nodes(), NODE, HORIZON)
    torch.testing.assert_close(state[[1, 3]], calm[[1, 3]])


def test_training_does_not_go_on_with_a_broken_solve() -> None:
    """Its gradients would be no numbers, so there is no fallback in training."""
    with pytest.raises(SolverError, match="row 3 of 3"):
        broken(fallback=True).train()(nodes(3), NODE, HORIZON)


@pytest.mark.parametrize("method", ["midpoint", "linear", "direct"])
@pytest.mark.parametrize("fallback", [False, True])
def test_nodes_that_are_broken_before_the_solve(method: str, fallback: bool) -> None:
    """Prediction refuses them, even with a fallback; in training the loss will say what happened."""
    module = Readout(WIDTH, Solver(method, fallback=fallback)).double().eval()
    start = nodes()
    start[5, 0] = torch.nan
    with pytest.raises(SolverError, match="row 5 of 3: the state at the last event is already infinite or not"):
        module(start, NODE, HORIZON)
    state, _ = module.train()(start, NODE, HORIZON)
    assert broken_rows(state).tolist() == [3]
    state, _ = module.eval()(start, NODE[:3], HORIZON[:3])  # a node that nobody asks for harms nobody
    assert torch.isfinite(state).all()


@pytest.mark.parametrize("method", ["midpoint", "dopri5", "linear", "direct"])
def test_all_is_well(method: str) -> None:
    """No warning and no error where nothing fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        state, _ = Readout(WIDTH, Solver(method, fallback=True)).double().eval()(nodes(3), NODE, HORIZON)
    assert torch.isfinite(state).all()
