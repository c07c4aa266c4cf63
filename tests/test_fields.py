"""What every learned field owes its solver, and what each of them is."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cndts.backbones.readout import Readout
from cndts.dynamics import FIELDS, ConcatSquashField, HyperField, Solver, solve_adaptive, solve_fixed_step

NAMES = sorted(FIELDS)
WIDTH = 3


def field(name: str, seed: int = 0, **options: float) -> nn.Module:
    torch.manual_seed(seed)
    return FIELDS[name](WIDTH, 2 * WIDTH, **options).double()


def points(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    t = torch.rand(n, 1, generator=generator, dtype=torch.float64)
    return t, torch.randn(n, WIDTH, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_slopes_keep_their_bound(name: str) -> None:
    """Whatever weights, states and times are, every entry of the slope stays within the speed limit."""
    module, (t, z) = field(name, speed=1.5), points(300)
    for weight in module.parameters():
        weight.mul_(30)
    slope = module(1000 * t, 1000 * z)
    assert slope.abs().max() <= 1.5
    assert slope.abs().max() > 1.0


@pytest.mark.parametrize("name", NAMES)
def test_gradients(name: str) -> None:
    """Fields are smooth: first and second derivatives by time, state and weights match finite differences."""
    module, (t, z) = field(name), points(2)
    names, weights = zip(*module.named_parameters(), strict=True)

    def slope(t: Tensor, z: Tensor, *weights: Tensor) -> Tensor:
        return torch.func.functional_call(module, dict(zip(names, weights, strict=True)), (t, z))

    inputs = (t.requires_grad_(), z.requires_grad_(), *weights)
    assert torch.autograd.gradcheck(slope, inputs, fast_mode=True)
    assert torch.autograd.gradgradcheck(slope, inputs, fast_mode=True)


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_rows_are_apart_and_time_counts(name: str) -> None:
    """Each row has its own slope, and another one at another time."""
    module, (t, z) = field(name), points(5)
    together = module(t, z)
    for row in range(5):
        torch.testing.assert_close(module(t[[row]], z[[row]])[0], together[row], rtol=0, atol=1e-14)
    assert (module(t + 0.5, z) - together).abs().amax(dim=1).min() > 1e-3


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_fixed_steps_find_the_solution(name: str) -> None:
    """Fixed steps and error control agree on where a field leads."""
    module, (_, z) = field(name), points(4)
    fine = solve_fixed_step(module, z, torch.linspace(0, 1, 41, dtype=torch.float64), "rk4").state[-1]
    adaptive, _ = solve_adaptive(module, z, torch.ones(4).double(), rtol=1e-10, atol=1e-11)
    torch.testing.assert_close(fine, adaptive, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("augment", [0, 2])
def test_a_read_out_trains_with_any_field(name: str, augment: int) -> None:
    """Every weight of every field receives a gradient."""
    torch.manual_seed(0)
    readout = Readout(WIDTH, Solver(field=name, augment=augment))
    state, _ = readout(torch.randn(4, WIDTH), torch.tensor([0, 3, 3]), torch.tensor([0.2, 0.9, 1.1]))
    state.square().sum().backward()
    assert all(weight.grad.abs().max() > 0 for weight in readout.parameters())


def test_concat_squash_by_hand() -> None:
    """The formula of the docstring, entry by entry."""
    module, (t, z) = field("time"), points(4)
    assert isinstance(module, ConcatSquashField)
    tau = torch.cat([t / (1 + t), torch.log(1 + 10 * t)], dim=1)

    def layer(part: nn.Module, x: Tensor) -> Tensor:
        gate = torch.sigmoid(tau @ part.gate.weight.T + part.gate.bias)
        return (x @ part.layer.weight.T + part.layer.bias) * gate + tau @ part.shift.weight.T

    expected = 3 * torch.tanh(layer(module.outward, F.silu(layer(module.inward, z))))
    torch.testing.assert_close(module(t, z), expected)


def test_hyper_field_forms_weights_by_hand() -> None:
    """Forming every row's weight matrices gives what the low-rank products give."""
    module, (t, z) = field("hyper"), points(4)
    assert isinstance(module, HyperField)
    alpha = torch.tanh(module.hyper(torch.cat([t / (1 + t), torch.log(1 + 10 * t)], dim=1)))

    def layer(part: nn.Module, alpha: Tensor, x: Tensor) -> Tensor:
        n_out = part.up.shape[1]
        (steady, down), (b, c) = (p.split([n_out, len(part.up)]) for p in part.steady_and_down.parameters())
        weight = steady + part.up.T @ torch.diag(alpha) @ down
        return weight @ x + b + part.up.T @ (alpha * c)

    for row in range(4):
        hidden = F.silu(layer(module.inward, alpha[row, :4], z[row]))
        direction, gate = layer(module.outward, alpha[row, 4:], hidden).chunk(2)
        expected = 3 * torch.tanh(direction) * torch.sigmoid(gate)
        torch.testing.assert_close(module(t, z)[row], expected)


def test_a_field_is_chosen_by_name() -> None:
    """The setting names the class."""
    for name, kind in FIELDS.items():
        assert type(Readout(4, Solver(field=name)).field) is kind
