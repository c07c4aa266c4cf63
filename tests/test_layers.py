"""Small shared layers."""

import math

import pytest
import torch

from cndts._layers import Dropout, log_time


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.5, 0.9, 0.999])
def test_dropout_keeps_the_mean(rate: float) -> None:
    """A share of the entries is zero, the rest is scaled up so that the mean stays."""
    torch.manual_seed(0)
    x = torch.full((300, 333), 2.0)
    dropped = Dropout(rate)(x)
    kept = dropped != 0
    share = min(round(256 * rate), 255) / 256
    assert kept.double().mean().item() == pytest.approx(1 - share, abs=0.005)
    torch.testing.assert_close(dropped[kept], torch.full_like(dropped[kept], 2 / (1 - share)))
    rows, columns = kept.double().mean(1), kept.double().mean(0)
    assert rows.std() < 1.5 * math.sqrt(share * (1 - share) / 333)
    assert columns.std() < 1.5 * math.sqrt(share * (1 - share) / 300)


def test_dropout_passes_on_in_evaluation() -> None:
    """Evaluation and rate zero return the input itself; the seed decides what is dropped, also its gradient."""
    x = torch.randn(5, 7, requires_grad=True)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x
    torch.manual_seed(1)
    first = Dropout(0.5)(x)
    torch.manual_seed(1)
    assert torch.equal(Dropout(0.5)(x), first)
    first.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, 2.0 * (first != 0))


@pytest.mark.parametrize("rate", [-0.1, 1.0, 2.0])
def test_dropout_rates(rate: float) -> None:
    """Dropping everything, or less than nothing, is refused."""
    with pytest.raises(ValueError, match=f"dropout must be at least 0 and below 1; got {rate}"):
        Dropout(rate)


def test_log_time() -> None:
    """Zero at zero and before, rising ever more slowly."""
    scaled = log_time(torch.tensor([-1.0, 0.0, 0.1, 10.0]))
    torch.testing.assert_close(scaled, torch.tensor([0.0, 0.0, math.log(2), math.log(101)]))
