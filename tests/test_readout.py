"""The ODE from the last event to the queries, at every horizon and whatever else is asked."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from cndts.backbones.readout import Readout
from cndts.dynamics import Solver, solve_adaptive
from cndts.dynamics.horizon_grid import FURTHEST, REACH, further_step_ends, step_ends

FIXED = ["euler", "midpoint", "rk4"]
WIDTH = 4


def readout(method: str = "midpoint", steps: int = 3, **options: Any) -> Readout:
    torch.manual_seed(0)
    return Readout(WIDTH, Solver(method, steps=steps, **options)).double()


def nodes(n: int = 6) -> Tensor:
    return torch.randn(n, WIDTH, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def questions() -> tuple[Tensor, Tensor]:
    """Nodes and horizons: repeated, unsorted, near and beyond the reach."""
    node = torch.tensor([3, 0, 3, 3, 5, 0, 1, 1])
    return node, torch.tensor([0.2, 2.9, 0.0, 1.1, 0.5, 0.01, 1.3, 7.0]).double()


def exact(module: Readout, node: Tensor, horizon: Tensor) -> Tensor:
    state, _ = solve_adaptive(module.field, nodes()[node], horizon, rtol=1e-11, atol=1e-12)
    return state


@pytest.mark.parametrize("method", [*FIXED, "direct", "linear"])
def test_a_forecast_does_not_depend_on_what_else_is_asked(method: str) -> None:
    """Each query alone, and after others were added, has the answer that it has among all."""
    module, (node, horizon) = readout(method), questions()
    together, _ = module(nodes(), node, horizon)
    for query in range(len(node)):
        alone, _ = module(nodes(), node[[query]], horizon[[query]])
        torch.testing.assert_close(alone[0], together[query], rtol=0, atol=1e-14)


@pytest.mark.parametrize("method", FIXED)
def test_further_horizons_change_nothing(method: str) -> None:
    """Asking the same nodes further ahead leaves the near answers exactly as they were."""
    module, (node, horizon) = readout(method), questions()
    before, _ = module(nodes(), node, horizon)
    after, _ = module(nodes(), torch.cat([node, node]), torch.cat([horizon, horizon + 20]))
    torch.testing.assert_close(after[: len(node)], before, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 2), ("rk4", 4)])
@pytest.mark.parametrize("range_", [(0.0, 1.2), (1.3, 6.0)], ids=["within reach", "beyond reach"])
@torch.no_grad()
def test_steps_converge_to_the_ode(method: str, order: int, range_: tuple[float, float]) -> None:
    """With more steps the answer approaches the true solution at the method's order, near and far."""
    node, horizon = torch.arange(6), torch.linspace(*range_, 6, dtype=torch.float64)
    n_steps, expected = [20, 40, 80], exact(readout(), node, horizon)
    errors = [(readout(method, steps)(nodes(), node, horizon)[0] - expected).abs().max().item() for steps in n_steps]
    assert -np.polyfit(np.log(n_steps), np.log(errors), 1)[0] == pytest.approx(order, abs=0.15 * order + 0.2)


def test_adaptive_equals_fine_fixed_steps() -> None:
    """Both kinds of solver answer the same question."""
    node, horizon = questions()
    fine, _ = readout("rk4", 60)(nodes(), node, horizon)
    adaptive, statistics = readout("dopri5", rtol=1e-9, atol=1e-10)(nodes(), node, horizon)
    torch.testing.assert_close(adaptive, fine, rtol=0, atol=1e-6)
    assert statistics.n_rows == len(node)


def test_direct_decodes_state_and_horizon() -> None:
    """Without an ODE the state gets a correction that knows the horizon; nothing is integrated."""
    module, (node, horizon) = readout("direct"), questions()
    state, statistics = module(nodes(), node, horizon)
    start = nodes()[node]
    facts = torch.cat([start, horizon[:, None], torch.log(1 + 10 * horizon)[:, None]], dim=1)
    torch.testing.assert_close(state, start + module.decoder(facts))
    assert statistics[:4] == ("direct", len(node), 0, 0)


@pytest.mark.parametrize("method", [*FIXED, "dopri5", "linear"])
def test_at_the_last_event_the_state_is_the_node(method: str) -> None:
    """Horizon zero, or a query just before the last event, returns the node itself."""
    horizon = torch.tensor([0.0, -0.3, 0.0]).double()
    state, _ = readout(method)(nodes(), torch.tensor([0, 4, 4]), horizon)
    torch.testing.assert_close(state, nodes()[[0, 4, 4]])


@pytest.mark.parametrize("method", [*FIXED, "dopri5", "direct", "linear"])
def test_nothing_asked(method: str) -> None:
    """No queries give no states."""
    state, _ = readout(method)(nodes(), torch.zeros(0, dtype=torch.long), torch.zeros(0).double())
    assert state.shape == (0, WIDTH)


# ---- one solve per query -----------------------------------------------------------------------------


@pytest.mark.parametrize("method", FIXED)
def test_solving_per_query_is_as_independent(method: str) -> None:
    """Each query alone has the answer that it has among others, near and far."""
    module, (node, horizon) = readout(method, dense=False), questions()
    together, _ = module(nodes(), node, horizon)
    for query in range(len(node)):
        alone, _ = module(nodes(), node[[query]], horizon[[query]])
        torch.testing.assert_close(alone[0], together[query], rtol=0, atol=1e-14)


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 2), ("rk4", 4)])
@torch.no_grad()
def test_solving_per_query_agrees_with_the_dense_solve(method: str, order: int) -> None:
    """The two ways approach each other at the order of the method, within the reach and beyond."""
    node, horizon = torch.arange(6), torch.tensor([0.1, 0.4, 0.8, 1.2, 2.0, 4.0]).double()
    n_steps, gaps = [20, 40, 80], []
    for steps in n_steps:
        dense, _ = readout(method, steps)(nodes(), node, horizon)
        own, _ = readout(method, steps, dense=False)(nodes(), node, horizon)
        gaps.append((dense - own).abs().max().item())
    assert gaps[-1] > 0
    assert -np.polyfit(np.log(n_steps), np.log(gaps), 1)[0] == pytest.approx(order, abs=0.15 * order + 0.2)


@torch.no_grad()
def test_own_steps_are_finer_for_near_queries() -> None:
    """That is what solving per query is for."""
    node, horizon = torch.arange(6), torch.full((6,), 0.05).double()
    error = [(readout(dense=dense)(nodes(), node, horizon)[0] - exact(readout(), node, horizon)).abs().max()
             for dense in (True, False)]  # fmt: skip
    assert error[1] < error[0] / 2


# ---- far horizons ------------------------------------------------------------------------------------


@given(steps=st.integers(1, 12), nearer=st.floats(0, 1e7), further=st.floats(0, 1e7))
def test_further_steps_only_append(steps: int, nearer: float, further: float) -> None:
    """A later end keeps the knots of an earlier one; steps join, grow, cover the horizon, and are capped."""
    nearer, further = sorted((nearer, further))
    less, more = further_step_ends(steps, nearer), further_step_ends(steps, further)
    assert torch.equal(more[: len(less)], less)
    assert more[0] == step_ends(steps)[-1] == REACH
    assert (more.diff().diff() > 0).all()
    assert more[-1] >= min(further, FURTHEST) - 1e-9
    assert 1 <= len(more) - 1 <= 8 * steps
    assert len(more) == 2 or more[-2] < further


@pytest.mark.parametrize("method", ["midpoint", "direct", "linear"])
@pytest.mark.parametrize("dense", [True, False])
@torch.no_grad()
def test_a_million_units_ahead(method: str, dense: bool) -> None:
    """The furthest query costs a bounded number of steps, has a finite answer, and leaves the others alone."""
    module, (node, horizon) = readout(method, dense=dense), questions()
    horizon = torch.cat([horizon, torch.tensor([99.0, 249.0])])
    node = torch.cat([node, torch.tensor([2, 4])])
    before, _ = module(nodes(), node, horizon)
    far = torch.tensor([1e6, 1e30, torch.finfo(torch.float32).max]).double()
    node, horizon = torch.cat([node, node[:3]]), torch.cat([horizon, far])
    after, statistics = module(nodes(), node, horizon)
    torch.testing.assert_close(after[: len(before)], before, rtol=0, atol=1e-8)
    assert statistics.n_evaluations <= 2 * (3 + 24) + 2
    single, _ = module.float()(nodes().float(), node, horizon.float())
    assert torch.isfinite(single).all()
    if method != "linear":
        held, _ = module.double()(nodes(), node[:3], torch.full((3,), FURTHEST).double())
        torch.testing.assert_close(after[-3:], held, rtol=0, atol=1e-8)


# ---- settings after training -------------------------------------------------------------------------


def test_names_of_the_default_weights() -> None:
    """Models saved by earlier versions load."""
    names = {f"field.{layer}.{part}" for layer in ("inward", "outward") for part in ("weight", "bias")}
    assert set(readout().state_dict()) == names


@torch.no_grad()
def test_set_solver_keeps_the_weights() -> None:
    """Another method or finer steps solve the same ODE."""
    module, (node, horizon) = readout(), questions()
    for solver in (Solver("rk4", steps=9), Solver("dopri5", rtol=1e-7), Solver("euler", dense=False), Solver()):
        expected = Readout(WIDTH, solver).double()
        expected.load_state_dict(module.state_dict())
        module.set_solver(solver)
        torch.testing.assert_close(module(nodes(), node, horizon)[0], expected(nodes(), node, horizon)[0])


def test_set_solver_refuses_other_weights() -> None:
    """What needs training is refused, by name, and the old settings stay."""
    module = readout()
    for options, name, new in (
        ({"method": "linear"}, "method", "linear"),
        ({"method": "direct"}, "method", "direct"),
        ({"field": "hyper"}, "field", "hyper"),
        ({"augment": 2}, "augment", 2),
    ):
        with pytest.raises(ValueError, match=rf"solver__{name} cannot change from .* to {new!r} after training"):
            module.set_solver(Solver(**options))
    with pytest.raises(ValueError, match="solver__steps must be 1 or more; got -2"):
        module.set_solver(Solver(steps=-2))
    with pytest.raises(ValueError, match="solver__method cannot change from 'linear' to 'rk4'"):
        readout("linear").set_solver(Solver("rk4"))
    assert module.solver.get_params() == Solver().get_params()


@pytest.mark.parametrize("method", ["midpoint", "dopri5", "linear", "direct"])
@torch.no_grad()
def test_path_is_the_forecast_over_time(method: str) -> None:
    """The path of a node goes through its forecasts."""
    module, t = readout(method, rtol=1e-9, atol=1e-9), torch.tensor([0.0, 0.3, 2.0]).double()
    path = module.path(nodes(), t)
    assert path.shape == (6, 3, WIDTH)
    for k in range(3):
        state, _ = module(nodes(), torch.arange(6), t[[k]].expand(6))
        torch.testing.assert_close(path[:, k], state, rtol=0, atol=1e-7)


# ---- augmentation ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "dense"), [("rk4", True), ("rk4", False), ("dopri5", True)])
def test_augmentation_is_a_wider_solve(method: str, dense: bool) -> None:
    """The answer is the first entries of a solve that started with zeros appended."""
    module, (node, horizon) = readout(method, steps=40, dense=dense, augment=3, rtol=1e-9, atol=1e-9), questions()
    state, _ = module(nodes(), node, horizon)
    start = torch.nn.functional.pad(nodes(), (0, 3))
    wide, _ = solve_adaptive(module.field, start[node], horizon, rtol=1e-11, atol=1e-12)
    assert state.shape == (len(node), WIDTH)
    torch.testing.assert_close(state, wide[:, :WIDTH], rtol=0, atol=1e-5)


# ---- statistics --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "dense"), [("rk4", True), ("rk4", False), ("dopri5", True)])
def test_evaluations_by_node(method: str, dense: bool) -> None:
    """Each node's share of the work is told; shares add up, and what was not asked cost nothing."""
    module, (node, horizon) = readout(method, dense=dense), questions()
    _, statistics = module(nodes(), node, horizon)
    spent = statistics.row_evaluations
    assert spent.sum() == statistics.n_row_evaluations
    assert spent[[2, 4]].tolist() == [0, 0]
    assert (spent[[0, 1, 3, 5]] > 0).all()
    if method == "rk4" and dense:  # node 5 is asked within the reach alone, node 3 too; 0 and 1 beyond
        assert spent[3] == spent[5] < min(spent[0], spent[1])


@pytest.mark.parametrize("method", FIXED)
@pytest.mark.parametrize("furthest", [0.5, 9.0])
def test_statistics_count_calls(method: str, furthest: float) -> None:
    """Calls and rows of the field are those that happened, within the reach and beyond; each asked node is one row."""
    module, counted = readout(method), []
    module.field.register_forward_hook(lambda field, inputs, slope: counted.append(len(slope)))
    _, statistics = module(nodes(), torch.tensor([2, 2, 5]), torch.tensor([0.1, furthest, 0.2]).double())
    assert statistics[:4] == (method, 2, len(counted), sum(counted))
    assert statistics.penalty is None


@pytest.mark.parametrize("method", [*FIXED, "dopri5", "direct", "linear"])
def test_gradients(method: str) -> None:
    """Gradients by node match finite differences, within the reach and beyond."""
    module, start = readout(method, rtol=1e-10, atol=1e-12), nodes(3).requires_grad_()
    node, horizon = torch.tensor([0, 2, 2]), torch.tensor([0.4, 2.0, 0.7]).double()
    assert torch.autograd.gradcheck(lambda z: module(z, node, horizon)[0], (start,), fast_mode=True)


def test_errors() -> None:
    """A solver that cannot run is refused when the network is built."""
    with pytest.raises(ValueError, match="solver__method must be one of .*'direct', 'linear', 'euler'.*; got 'rk5'"):
        readout("rk5")
    with pytest.raises(ValueError, match="solver__steps must be 1 or more; got 0"):
        readout("rk4", 0)
    with pytest.raises(ValueError, match=r"solver__field must be one of \('gated', 'time', 'hyper'\); got 'mlp'"):
        readout(field="mlp")
    for name in ("augment", "kinetic", "jacobian"):
        with pytest.raises(ValueError, match=f"solver__{name} must be 0 or more; got -1"):
            readout(**{name: -1})
        with pytest.raises(ValueError, match=f"solver__{name} needs a learned field, which method 'linear' has not"):
            readout("linear", **{name: 1})
    with pytest.raises(ValueError, match="solver__max_evaluations must be 1 or more; got 0"):
        readout("dopri5", max_evaluations=0)
