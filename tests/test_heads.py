"""Heads against scipy's distributions and the definitions of their losses."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from torch import Tensor

from cndts.heads import HEADS, GaussianForecast, GaussianHead, QuantileForecast, QuantileHead
from cndts.heads._anchored_mean import AnchoredMean
from cndts.heads.quantile import LEVELS

WIDTH, N_ANCHORS = 4, 3
levels = st.floats(1e-4, 1 - 1e-4)


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def head_of(kind: str, scale: float = 1.0) -> GaussianHead | QuantileHead:
    torch.manual_seed(0)
    head = HEADS[kind](WIDTH, N_ANCHORS, dropout=0.0).double()
    with torch.no_grad():
        head.mean.layers[-1].weight.mul_(scale)
    return head


def quantile_forecast(scale: float = 1.0) -> QuantileForecast:
    return head_of("quantile", scale)(randn(20, WIDTH), randn(20, N_ANCHORS, seed=1))


# ---- mean --------------------------------------------------------------------------------------------


@torch.no_grad()
def test_mean_is_a_mixture_of_anchors_and_a_correction() -> None:
    """Written out: softmax shares of the anchors plus a correction, both from the normalised state."""
    torch.manual_seed(0)
    module, state, anchors = (
        AnchoredMean(WIDTH, N_ANCHORS, 2, 0.0).double(),
        randn(5, WIDTH),
        randn(5, N_ANCHORS, seed=1),
    )
    mean, more = module(state, anchors)
    out = module.layers(module.norm(state)).numpy()
    share = np.exp(out[:, :3]) / np.exp(out[:, :3]).sum(1, keepdims=True)
    np.testing.assert_allclose(mean.numpy(), (share * anchors.numpy()).sum(1) + out[:, 3])
    np.testing.assert_allclose(more.numpy(), out[:, 4:])


@torch.no_grad()
@pytest.mark.parametrize("kind", HEADS)
def test_an_untrained_head_follows_the_anchors(kind: str) -> None:
    """Before training the mean moves with the anchors, most of all with the first, the last value."""
    head, state = head_of(kind), randn(50, WIDTH)
    anchors = torch.zeros(50, N_ANCHORS).double()
    moved = [head(state, anchors + torch.eye(N_ANCHORS)[i]).mean - head(state, anchors).mean for i in range(N_ANCHORS)]
    assert moved[0].mean() > max(moved[1].mean(), moved[2].mean()) > 0
    torch.testing.assert_close(sum(moved), torch.ones(50).double())


@pytest.mark.parametrize("kind", HEADS)
def test_gradients(kind: str) -> None:
    """Gradients of forecast and loss match finite differences."""
    head, target = head_of(kind), randn(3, seed=2)
    state, anchors = randn(3, WIDTH).requires_grad_(), randn(3, N_ANCHORS, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(head, (state, anchors))
    if kind == "quantile":  # the Gaussian loss holds the mean fixed on purpose
        assert torch.autograd.gradcheck(lambda s, a: head.loss(head(s, a), target), (state, anchors))


# ---- Gaussian ----------------------------------------------------------------------------------------


@given(st.lists(levels, min_size=1, max_size=5))
def test_gaussian_quantiles_equal_scipy(asked: list[float]) -> None:
    """Quantiles are those of the normal distribution, in the order asked."""
    mean, log_std = randn(4), randn(4, seed=1)
    got = head_of("gaussian").quantiles(GaussianForecast(mean, log_std), asked)
    expected = norm.ppf(np.array(asked), mean.numpy()[:, None], log_std.exp().numpy()[:, None])
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-9)


def test_gaussian_loss_equals_scipy() -> None:
    """The loss is the negative log density."""
    mean, log_std, target = randn(50), randn(50, seed=1), randn(50, seed=2)
    expected = -norm.logpdf(target.numpy(), mean.numpy(), log_std.exp().numpy())
    np.testing.assert_allclose(head_of("gaussian").loss(GaussianForecast(mean, log_std), target).numpy(), expected)


def test_gaussian_loss_leaves_the_mean_alone() -> None:
    """The likelihood teaches the spread only."""
    mean, log_std = randn(5).requires_grad_(), randn(5, seed=1).requires_grad_()
    head_of("gaussian").loss(GaussianForecast(mean, log_std), randn(5, seed=2)).sum().backward()
    assert mean.grad is None
    assert log_std.grad is not None
    assert (log_std.grad != 0).all()


def test_gaussian_spread_is_bounded() -> None:
    """Extreme states give neither infinite nor vanishing spread."""
    head = head_of("gaussian", scale=1e4)
    log_std = head(randn(50, WIDTH), randn(50, N_ANCHORS)).log_std
    assert (log_std.min().item(), log_std.max().item()) == (-6, 4)
    assert torch.isfinite(head.loss(GaussianForecast(torch.zeros(50), log_std.float()), torch.full((50,), 1e4))).all()


# ---- quantiles ---------------------------------------------------------------------------------------


@given(st.floats(0.0, 1e3), st.integers(0, 99))
@torch.no_grad()
def test_quantiles_never_cross(scale: float, seed: int) -> None:
    """However wild the weights, quantiles rise with the level."""
    forecast = head_of("quantile", scale)(10 * randn(5, WIDTH, seed=seed), randn(5, N_ANCHORS))
    assert (forecast.at_levels.diff(dim=1) >= 0).all()
    assert forecast.at_levels.shape == (5, len(LEVELS))


def test_pinball_loss_by_definition() -> None:
    """A loop over targets and levels: tau of the error above, 1 - tau of the error below."""
    forecast, target = QuantileForecast(*(part.detach() for part in quantile_forecast())), 3 * randn(20, seed=2)
    loss = head_of("quantile").loss(forecast, target)
    for i in range(20):
        terms = []
        for k, tau in enumerate(LEVELS):
            error = float(target[i] - forecast.at_levels[i, k])
            terms.append(tau * error if error > 0 else (tau - 1) * error)
        assert loss[i].item() == pytest.approx(np.mean(terms), rel=1e-6)


def test_pinball_loss_is_least_at_the_quantiles() -> None:
    """Of a large sample, the quantiles minimise the loss; the levels are what they claim to be."""
    target, true = randn(20_000), torch.from_numpy(norm.ppf(LEVELS))
    head = head_of("quantile")

    def loss(quantiles: Tensor) -> float:
        return head.loss(QuantileForecast(target, quantiles.expand(len(target), -1)), target).mean().item()

    for k in range(len(LEVELS)):
        for shift in (-0.15, 0.15):
            moved = true.clone()
            moved[k] += shift
            assert loss(moved) > loss(true)


@settings(max_examples=50)
@given(st.lists(levels, min_size=2, max_size=6))
@torch.no_grad()
def test_quantiles_rise_with_the_level(asked: list[float]) -> None:
    """At any levels, trained or not, in any order."""
    got = head_of("quantile").quantiles(quantile_forecast(), asked)
    assert (got[:, np.argsort(asked)].diff(dim=1) >= -1e-12).all()


@torch.no_grad()
def test_trained_levels_are_returned_as_they_are() -> None:
    """No interpolation error at the levels that were trained."""
    forecast = quantile_forecast()
    got = head_of("quantile").quantiles(forecast, list(LEVELS))
    torch.testing.assert_close(got, forecast.at_levels, rtol=0, atol=1e-6)
    some = head_of("quantile").quantiles(forecast, [0.9, 0.5])
    torch.testing.assert_close(some, forecast.at_levels[:, [6, 4]], rtol=0, atol=1e-6)


@torch.no_grad()
def test_a_normal_distribution_is_continued_into_its_tails() -> None:
    """Between and beyond trained levels a normal forecast stays normal, as interpolation is in normal scores."""
    mean, std = randn(6)[:, None], randn(6, seed=1).exp()[:, None]
    forecast = QuantileForecast(mean[:, 0], mean + std * torch.from_numpy(norm.ppf(LEVELS)))
    asked = [0.001, 0.01, 0.07, 0.33, 0.5, 0.61, 0.999]
    expected = norm.ppf(asked, mean.numpy(), std.numpy())
    np.testing.assert_allclose(head_of("quantile").quantiles(forecast, asked).numpy(), expected, atol=1e-5)


@torch.no_grad()
def test_single_precision_quantiles() -> None:
    """Levels very near 0 and 1 stay finite in single precision."""
    head = head_of("quantile").float()
    forecast = head(randn(4, WIDTH).float(), randn(4, N_ANCHORS).float())
    got = head.quantiles(forecast, [1e-6, 0.5, 1 - 1e-6])
    assert got.dtype == torch.float32
    assert torch.isfinite(got).all()


# ---- several networks --------------------------------------------------------------------------------


def test_normal_distributions_average_to_the_moments_of_their_mixture() -> None:
    """Mean and variance are those of a draw from either distribution."""
    first = GaussianForecast(randn(50) * 10, randn(50, seed=1))
    second = GaussianForecast(randn(50, seed=2) * 10, randn(50, seed=3))
    both = head_of("gaussian").average([first, second])
    a, b = (norm(f.mean.numpy(), f.log_std.exp().numpy()) for f in (first, second))
    mean = (a.mean() + b.mean()) / 2
    np.testing.assert_allclose(both.mean.numpy(), mean)
    np.testing.assert_allclose(both.log_std.exp().numpy() ** 2, (a.moment(2) + b.moment(2)) / 2 - mean**2)


@torch.no_grad()
@pytest.mark.parametrize("kind", HEADS)
def test_the_average_of_equal_forecasts_is_that_forecast(kind: str) -> None:
    """A network twice says what it says once."""
    head = head_of(kind)
    forecast = head(randn(20, WIDTH), randn(20, N_ANCHORS, seed=1))
    for part, once in zip(head.average([forecast, forecast]), forecast, strict=True):
        torch.testing.assert_close(part, once)


def test_quantiles_average_level_by_level() -> None:
    """Two bands of one width at different places give a band of that width between them."""
    forecast = quantile_forecast()
    moved = QuantileForecast(forecast.mean + 4, forecast.at_levels + 4)
    both = head_of("quantile").average([forecast, moved])
    torch.testing.assert_close(both.mean, forecast.mean + 2)
    torch.testing.assert_close(both.at_levels, forecast.at_levels + 2)
