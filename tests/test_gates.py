"""Gates against their formulas, at the start of training and after it."""

import math

import pytest
import torch
from torch import Tensor, nn

from cndts.memory import ClearingGate, ForgetGate, ReadGate, WriteGate

WIDTH = 4


def randomised(gate: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in gate.parameters():
            weight.copy_(2 * torch.randn(weight.shape, generator=generator))
    return gate.double()


def events(n: int = 5) -> Tensor:
    return torch.randn(n, WIDTH, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def linear(gate: nn.Module, row: Tensor) -> list[float]:
    weight, bias = gate.layer.weight.tolist(), gate.layer.bias.tolist()
    return [
        sum(w * u for w, u in zip(line, row.tolist(), strict=True)) + b for line, b in zip(weight, bias, strict=True)
    ]


def test_write_gate() -> None:
    """Log weights are 3 tanh(g / 3), by event and output."""
    gate = randomised(WriteGate(WIDTH, 2))
    for row, found in zip(events(), gate(events()), strict=True):
        assert found.tolist() == pytest.approx([3 * math.tanh(g / 3) for g in linear(gate, row)])


def test_write_gate_is_bounded() -> None:
    """However large the encoding, an event weighs between e^-3 and e^3; near 0 the gate is the plain linear layer."""
    gate = randomised(WriteGate(WIDTH, 2))
    assert gate(1e9 * events()).abs().max() <= 3
    with torch.no_grad():
        gate.layer.bias.zero_()
    torch.testing.assert_close(gate(1e-3 * events()), gate.layer(1e-3 * events()), rtol=1e-4, atol=0)


def test_clearing_gate() -> None:
    """The share that is kept is a logistic function that starts near 99 %, and differs between events."""
    gate = randomised(ClearingGate(WIDTH, 2))
    kept = 1 / (1 + (events() @ gate.layer.weight.T + gate.layer.bias).exp())
    torch.testing.assert_close(gate(events()).neg().exp(), kept)
    assert gate(1e9 * events()).min() >= 0
    torch.manual_seed(0)
    fresh, nothing = ClearingGate(WIDTH, 2), torch.zeros(1, WIDTH)
    torch.testing.assert_close(fresh(nothing), torch.full((1, 2), math.log1p(math.exp(-5))))
    assert len(fresh(events().float()).unique()) == 10


def test_forget_gate() -> None:
    """Paces are twice the logistic function, between 0 and 2."""
    gate = randomised(ForgetGate(WIDTH, 3))
    for row, found in zip(events(), gate(events()), strict=True):
        assert found.tolist() == pytest.approx([2 / (1 + math.exp(-g)) for g in linear(gate, row)])
    assert gate(1e9 * events()).min() >= 0
    assert gate(1e9 * events()).max() <= 2


def test_read_gate_equals_the_loop() -> None:
    """Each memory's answer is scaled by what the asking node knows, and the answers are added."""
    gate = randomised(ReadGate(WIDTH, 3))
    known, reads = events(), [events() * k for k in (1.0, -2.0, 0.5)]
    found = gate(known, reads)
    for row in range(len(known)):
        openings = [2 / (1 + math.exp(-g)) for g in linear(gate, known[row])]
        expected = sum(opening * read[row] for opening, read in zip(openings, reads, strict=True))
        torch.testing.assert_close(found[row], expected)
    nodes = known[:4].view(2, 2, WIDTH)
    torch.testing.assert_close(gate(nodes, [read[:4].view(2, 2, WIDTH) for read in reads]).flatten(0, 1), found[:4])


def test_gates_start_open() -> None:
    """Before training forgetting runs at the memory's own rate and reading takes in everything."""
    assert torch.equal(ForgetGate(WIDTH, 2)(events().float()), torch.ones(5, 2))
    assert torch.equal(ReadGate(WIDTH, 2).opening(events().float()), torch.ones(5, 2))


def test_disabled_gates() -> None:
    """Without parameters they let everything pass."""
    for gate in (WriteGate(WIDTH, 2, False), ForgetGate(WIDTH, 2, False), ReadGate(WIDTH, 2, False)):
        assert list(gate.parameters()) == []
    known = events()
    assert torch.equal(WriteGate(WIDTH, 2, False)(known), torch.zeros(5, 2).double())
    assert torch.equal(ForgetGate(WIDTH, 2, False)(known), torch.ones(5, 2).double())
    assert torch.equal(ClearingGate(WIDTH, 2, False)(known), torch.zeros(5, 2).double())
    assert torch.equal(ReadGate(WIDTH, 2, False)(known, [known, 2 * known]), 3 * known)


@pytest.mark.parametrize("kind", [WriteGate, ForgetGate, ClearingGate])
def test_gradients(kind: type[nn.Module]) -> None:
    """Gradients by events and weights match finite differences."""
    gate = randomised(kind(WIDTH, 2))

    def run(encoded: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return torch.func.functional_call(gate, {"layer.weight": weight, "layer.bias": bias}, (encoded,))

    assert torch.autograd.gradcheck(run, (events().requires_grad_(), gate.layer.weight, gate.layer.bias))


def test_too_many_answers() -> None:
    """A gate refuses another number of answers than it was made for."""
    with pytest.raises(ValueError, match="argument 2 is longer"):
        ReadGate(WIDTH, 2)(torch.ones(1, WIDTH), [torch.ones(1, WIDTH)] * 3)
