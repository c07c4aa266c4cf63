"""The exact linear flow against scipy's matrix exponential."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from torch import Tensor

from cndts.backbones.readout import Readout
from cndts.dynamics import LinearFlow, Solver, solve_adaptive


def flow(width: int, seed: int = 0) -> LinearFlow:
    torch.manual_seed(seed)
    module = LinearFlow(width).double()
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return module


def starts(n: int, width: int) -> Tensor:
    return torch.randn(n, width, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("width", [1, 2, 5, 6])
@torch.no_grad()
def test_equals_the_matrix_exponential(width: int) -> None:
    """dz/dt = A z + b, written as one homogeneous system of width + 1, has the solution that scipy computes."""
    module, z0 = flow(width), starts(3, width)
    a, row, t = module.generator(), torch.tensor([0, 2, 2, 1]), torch.tensor([0.1, 0.0, 1.7, 25.0]).double()
    b = -module.rest(z0) @ a.T
    state = module(z0, row, t)
    for query, (r, at) in enumerate(zip(row.tolist(), t.tolist(), strict=True)):
        system = np.zeros((width + 1, width + 1))
        system[:width, :width], system[:width, width] = a.numpy(), b[r].numpy()
        expected = (expm(system * at) @ np.append(z0[r].numpy(), 1.0))[:width]
        np.testing.assert_allclose(state[query].numpy(), expected, rtol=1e-10, atol=1e-12)


@torch.no_grad()
def test_equals_an_adaptive_solve() -> None:
    """The closed form is the solution that steps approach."""
    module, z0 = flow(4), starts(3, 4)
    a, rest, t = module.generator(), module.rest(z0), torch.tensor([0.5, 1.0, 3.0]).double()
    stepped, _ = solve_adaptive(lambda s, z: (z - rest) @ a.T, z0, t, rtol=1e-10, atol=1e-11)
    torch.testing.assert_close(module(z0, torch.arange(3), t), stepped, rtol=0, atol=1e-7)


@settings(max_examples=20)
@given(seed=st.integers(0, 20), scale=st.floats(0.1, 20))
@torch.no_grad()
def test_stable_whatever_the_weights(seed: int, scale: float) -> None:
    """All eigenvalues have a negative real part, the distance from rest never grows, and it ends there."""
    module, z0 = flow(6, seed), starts(4, 6)
    module.log_decay.copy_((scale * module.log_decay).clamp(-12, 12))
    module.frequency.mul_(scale)
    assert torch.linalg.eigvals(module.generator()).real.max() < 0
    row = torch.arange(4)
    distance = [
        torch.linalg.norm(module(z0, row, torch.full((4,), t).double()) - module.rest(z0), dim=1)
        for t in (0.0, 0.3, 4.0, 50.0, 1e12)
    ]
    for earlier, later in pairwise(distance):
        assert (later <= earlier + 1e-9).all()
    assert distance[-1].max() < 1e-9


@torch.no_grad()
def test_solutions_compose() -> None:
    """Waiting twice is waiting for the sum, as long as the rest stays where it was."""
    module, z0 = flow(5), starts(2, 5)
    module.rest.weight.zero_()
    row = torch.arange(2)
    halfway = module(z0, row, torch.tensor([0.4, 1.0]).double())
    torch.testing.assert_close(
        module(halfway, row, torch.tensor([0.7, 0.2]).double()), module(z0, row, torch.tensor([1.1, 1.2]).double())
    )


def test_gradients() -> None:
    """By state, time and weights."""
    module, z0 = flow(3), starts(2, 3).requires_grad_()
    t = torch.tensor([0.3, 0.0, 2.0]).double().requires_grad_()
    names, weights = zip(*module.named_parameters(), strict=True)

    def state(z0: Tensor, t: Tensor, *weights: Tensor) -> Tensor:
        arguments = (z0, torch.tensor([0, 1, 1]), t)
        return torch.func.functional_call(module, dict(zip(names, weights, strict=True)), arguments)

    assert torch.autograd.gradcheck(state, (z0, t, *weights), fast_mode=True)


@torch.no_grad()
def test_read_out_without_steps() -> None:
    """The read-out passes node and horizon on, evaluates no field, and comes to rest far ahead."""
    torch.manual_seed(0)
    module, nodes = Readout(5, Solver("linear")).double(), starts(4, 5)
    node, horizon = torch.tensor([3, 0, 0]), torch.tensor([0.4, 2.0, 1e6]).double()
    state, statistics = module(nodes, node, horizon)
    torch.testing.assert_close(state, module.flow(nodes, node, horizon))
    torch.testing.assert_close(state[2], module.flow.rest(nodes)[0])
    assert statistics[:4] == ("linear", 3, 0, 0)
    assert statistics.row_evaluations.tolist() == [0, 0, 0, 0]
