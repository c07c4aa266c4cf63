"""The ODE from the last event to the queries, at every horizon and whatever else is asked."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cndts.backbones.readout import Readout
from cndts.dynamics import Solver, SolverStatistics, solve_adaptive

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


@pytest.mark.parametrize("method", [*FIXED, "direct"])
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
    assert statistics == SolverStatistics("direct", len(node), 0, 0)


@pytest.mark.parametrize("method", [*FIXED, "dopri5"])
def test_at_the_last_event_the_state_is_the_node(method: str) -> None:
    """Horizon zero, or a query just before the last event, returns the node itself."""
    horizon = torch.tensor([0.0, -0.3, 0.0]).double()
    state, _ = readout(method)(nodes(), torch.tensor([0, 4, 4]), horizon)
    torch.testing.assert_close(state, nodes()[[0, 4, 4]])


@pytest.mark.parametrize("method", [*FIXED, "dopri5", "direct"])
def test_nothing_asked(method: str) -> None:
    """No queries give no states."""
    state, _ = readout(method)(nodes(), torch.zeros(0, dtype=torch.long), torch.zeros(0).double())
    assert state.shape == (0, WIDTH)


@pytest.mark.parametrize("method", FIXED)
@pytest.mark.parametrize("furthest", [0.5, 9.0])
def test_statistics_count_calls(method: str, furthest: float) -> None:
    """Calls and rows of the field are those that happened, within the reach and beyond; each asked node is one row."""
    module, counted = readout(method), []
    module.field.register_forward_hook(lambda field, inputs, slope: counted.append(len(slope)))
    _, statistics = module(nodes(), torch.tensor([2, 2, 5]), torch.tensor([0.1, furthest, 0.2]).double())
    assert statistics == SolverStatistics(method, 2, len(counted), sum(counted))


@pytest.mark.parametrize("method", [*FIXED, "dopri5", "direct"])
def test_gradients(method: str) -> None:
    """Gradients by node match finite differences, within the reach and beyond."""
    module, start = readout(method, rtol=1e-10, atol=1e-12), nodes(3).requires_grad_()
    node, horizon = torch.tensor([0, 2, 2]), torch.tensor([0.4, 2.0, 0.7]).double()
    assert torch.autograd.gradcheck(lambda z: module(z, node, horizon)[0], (start,), fast_mode=True)


def test_errors() -> None:
    """A solver that cannot run is refused when the network is built."""
    with pytest.raises(ValueError, match="solver__method must be one of .*'direct', 'euler'.*'dopri5'.*; got 'rk5'"):
        readout("rk5")
    with pytest.raises(ValueError, match="solver__steps must be 1 or more; got 0"):
        readout("rk4", 0)
