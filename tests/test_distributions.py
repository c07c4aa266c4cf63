"""Distributions at queries: closed forms against integrals and scoringrules, tails, atoms, and what estimators make of them."""

import numpy as np
import pandas as pd
import pytest
import scoringrules
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from cndts import Extrapolation, Interpolation, Queries, Targets
from cndts.datasets import make_oscillators
from cndts.distributions import NormalDistribution, QuantileDistribution
from cndts.estimators import DecayToMeanForecaster, HybridMemoryForecaster, LinearInterpolator
from cndts.training import Training

LEVELS = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])


def asked(n: int) -> tuple[Queries, pd.Index, list[str]]:
    return Queries([0, n], np.arange(n, dtype=float), np.zeros(n, dtype=int)), pd.Index(["a"]), ["x"]


def targets(values: list[float]) -> Targets:
    queries, records, channels = asked(len(values))
    return Targets(queries, values, records, channels)


steps = st.lists(st.floats(0, 5), min_size=len(LEVELS), max_size=len(LEVELS)).filter(lambda s: sum(s[1:]) > 0.1)


@settings(max_examples=40)
@given(steps, st.floats(-10, 10), st.sampled_from(["normal", "uniform"]))
def test_mean_and_crps_are_the_integrals(rises: list[float], truth: float, between: str) -> None:
    """Mean is the integral of the quantile function, CRPS that of twice the pinball loss, also with atoms."""
    levels = LEVELS if between == "normal" else np.concatenate([[0.0], LEVELS[1:-1], [1.0]])
    values = np.cumsum(rises) - 4.0
    dist = QuantileDistribution(levels, values[None], *asked(1), between)
    tau = (np.arange(20_000) + 0.5) / 20_000
    quantile = dist.quantile(tau)[0]
    assert dist.mean[0] == pytest.approx(quantile.mean(), abs=5e-3)
    pinball = np.maximum(tau * (truth - quantile), (tau - 1) * (truth - quantile))
    assert dist.crps(targets([truth]), average="observation") == pytest.approx(2 * pinball.mean(), abs=5e-3)


@settings(max_examples=40)
@given(steps, st.sampled_from(["normal", "uniform"]))
def test_cdf_undoes_the_quantile_function(rises: list[float], between: str) -> None:
    """At most a quantile lies as much as its level, more only in an atom."""
    levels = LEVELS if between == "normal" else np.concatenate([[0.0], LEVELS[1:-1], [1.0]])
    dist = QuantileDistribution(levels, np.cumsum(rises)[None], *asked(1), between)
    for tau in (0.003, 0.1, 0.33, 0.5, 0.9, 0.996):
        value = dist.quantile(tau)[0, 0]
        assert dist.cdf(value + 1e-6)[0] >= tau - 1e-9
        assert dist.cdf(value - 1e-6)[0] <= tau + 1e-9


def test_quantiles_of_a_normal_make_that_normal() -> None:
    """Between the knots and in both tails the distribution is the normal one it came from."""
    values = norm.ppf(LEVELS, 3.0, 2.0)
    dist, exact = QuantileDistribution(LEVELS, values[None], *asked(1)), NormalDistribution([3.0], [2.0], *asked(1))
    tau = [1e-6, 0.001, 0.3, 0.999, 1 - 1e-6]
    np.testing.assert_allclose(dist.quantile(tau), exact.quantile(tau), rtol=1e-9)
    np.testing.assert_allclose(dist.quantile(tau)[0], norm.ppf(tau, 3.0, 2.0), rtol=1e-9)
    for truth in (-9.0, 2.5, 3.0, 20.0):
        y = targets([truth])
        assert dist.crps(y, average="observation") == pytest.approx(scoringrules.crps_normal(truth, 3.0, 2.0))
        assert exact.crps(y, average="observation") == pytest.approx(scoringrules.crps_normal(truth, 3.0, 2.0))
        assert dist.cdf(truth)[0] == pytest.approx(norm.cdf(truth, 3.0, 2.0))
    assert dist.known_levels == (0.025, 0.975)


def test_an_empirical_distribution_ends_at_its_extremes() -> None:
    """Uniform between knots: nothing lies outside, and the score is the integral over the distribution function."""
    dist = QuantileDistribution([0.0, 0.5, 1.0], [[0.0, 1.0, 4.0]], *asked(1), "uniform")
    np.testing.assert_allclose(dist.quantile([1e-9, 0.25, 0.75])[0], [0.0, 0.5, 2.5], atol=1e-6)
    assert (dist.cdf(-0.1)[0], dist.cdf(1.0)[0], dist.cdf(4.1)[0]) == (0.0, 0.5, 1.0)
    assert dist.mean[0] == pytest.approx(1.5)
    wanted = quad(lambda x: (dist.cdf(x)[0] - (x >= 2.0)) ** 2, -1, 5, points=[0, 1, 2, 4], limit=200)[0]
    assert dist.crps(targets([2.0]), average="observation") == pytest.approx(wanted, abs=1e-8)


def test_certain_values() -> None:
    """Where nothing is uncertain the score is the absolute error and the distribution a step."""
    for dist in (
        NormalDistribution([2.0], [0.0], *asked(1)),
        QuantileDistribution(LEVELS, np.full((1, len(LEVELS)), 2.0), *asked(1)),
    ):
        assert (dist.cdf(1.999)[0], dist.cdf(2.0)[0]) == (0.0, 1.0)
        assert dist.crps(targets([5.0]), average="observation") == pytest.approx(3.0)
        assert dist.interval(0.9).tolist() == [[2.0, 2.0]]
        assert dist.mean.tolist() == [2.0]


def test_draws_follow_the_distribution() -> None:
    """Shares of draws below quantiles are their levels; seeds repeat; rows are apart."""
    dist = QuantileDistribution(LEVELS, [np.arange(7.0), 10 + np.arange(7.0) ** 2], *asked(2))
    draws = dist.sample(20_000, random_state=0)
    assert draws.shape == (2, 20_000)
    for row in range(2):
        below = [(draws[row] <= value).mean() for value in dist.values[row]]
        np.testing.assert_allclose(below, LEVELS, atol=0.012)
    np.testing.assert_array_equal(draws, dist.sample(20_000, random_state=0))
    assert abs(np.corrcoef(draws)[0, 1]) < 0.03


def test_many_rows_are_worked_on_in_pieces() -> None:
    """Rows do not know of each other, however many there are."""
    n = 20_000
    values = np.sort(np.random.default_rng(0).normal(size=(n, len(LEVELS))), axis=1)
    whole = QuantileDistribution(LEVELS, values, *asked(n))
    part = QuantileDistribution(LEVELS, values[-3:], *asked(3))
    np.testing.assert_array_equal(whole.mean[-3:], part.mean)
    np.testing.assert_array_equal(whole.cdf(0.3)[-3:], part.cdf(0.3))


def test_unknown_targets_do_not_count() -> None:
    """NaN is skipped by the score and gives NaN in the distribution function; other queries are refused."""
    dist = NormalDistribution([0.0, 0.0], [1.0, 1.0], *asked(2))
    known = NormalDistribution([0.0], [1.0], *asked(1)).crps(targets([0.5]), average="observation")
    assert dist.crps(targets([0.5, np.nan]), average="observation") == pytest.approx(known)
    assert np.isnan(dist.cdf([np.nan, 0.0])[0])
    with pytest.raises(ValueError, match="the distribution's mean"):
        dist.crps(targets([0.5]), average="observation")


@pytest.mark.parametrize(
    ("levels", "values", "between", "text"),
    [
        ([0.5], [[1.0]], "normal", r"levels must be two or more, rise, and lie strictly between 0 and 1; got \[0.5\]"),
        ([0.0, 0.5], [[1.0, 2.0]], "normal", "strictly between 0 and 1"),
        ([0.1, 0.9], [[1.0, 2.0]], "uniform", "levels must rise from 0 to 1"),
        ([0.1, 0.9], [[2.0, 1.0]], "normal", r"values must not fall along a row, and be numbers; row 0 is \[2. 1.\]"),
        ([0.1, 0.9], [[np.nan, 1.0]], "normal", "must not fall along a row, and be numbers"),
        ([0.1, 0.9], [[1.0, 2.0, 3.0]], "normal", r"values must have shape \(1, 2\).*got \(1, 3\)"),
        ([0.1, 0.9], [[1.0, 2.0]], "cubic", r"between must be one of \['normal', 'uniform'\]; got 'cubic'"),
    ],
)
def test_errors(levels: list[float], values: list[list[float]], between: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        QuantileDistribution(levels, values, *asked(1), between)  # type: ignore[arg-type]


def test_errors_of_what_is_asked() -> None:
    dist = NormalDistribution([0.0], [1.0], *asked(1))
    for levels in (0.0, [0.5, 1.0]):
        with pytest.raises(ValueError, match="levels must lie strictly between 0 and 1; got"):
            dist.quantile(levels)
    with pytest.raises(ValueError, match="coverage must lie strictly between 0 and 1; got 1"):
        dist.interval(1)
    with pytest.raises(ValueError, match="n must be 1 or more; got 0"):
        dist.sample(0)
    with pytest.raises(
        ValueError, match=r"value must be one number, or one for each of the 1 queries; got shape \(2,\)"
    ):
        dist.cdf([1.0, 2.0])
    with pytest.raises(ValueError, match="std must be 0 or more; got"):
        NormalDistribution([0.0], [-1.0], *asked(1))


# ---- what estimators say -----------------------------------------------------------------------------


@pytest.mark.parametrize("head", ["quantile", "gaussian"])
def test_distribution_of_a_network_has_its_quantiles(head: str) -> None:
    """Whatever the head, at any level, and in the units of the data."""
    X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(20, random_state=0))
    model = HybridMemoryForecaster(head=head, width=8, training=Training(epochs=1, members=2), random_state=0).fit(X, y)
    dist = model.predict_distribution(X)
    assert isinstance(dist, NormalDistribution if head == "gaussian" else QuantileDistribution)
    levels = [0.004, 0.1, 0.42, 0.5, 0.975]
    np.testing.assert_allclose(dist.quantile(levels), model.predict_quantiles(X, levels), rtol=1e-4, atol=1e-5)
    if head == "gaussian":
        np.testing.assert_allclose(dist.mean, np.asarray(model.predict(X)), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(model.sample(X, 3, random_state=1), dist.sample(3, random_state=1))


def test_distribution_of_a_baseline_has_its_quantiles() -> None:
    """Empirical residuals around the point forecast, met exactly; queries keep the panel's own channels."""
    X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(40, random_state=0))
    model = DecayToMeanForecaster().fit(X, y)
    turned = X.with_channels(X.channels[::-1])
    levels = [0.001, 0.025, 0.3, 0.97]
    for panel in (X, turned):
        dist = model.predict_distribution(panel)
        np.testing.assert_allclose(dist.quantile(levels), model.predict_quantiles(panel, levels), atol=1e-9)
        assert dist.channels == panel.channels
    assert dist.crps(Targets(turned.queries, y.value, y.records, turned.channels), average="channel") > 0


def test_observed_values_are_certain_for_an_interpolator() -> None:
    """Where the record holds the value there is nothing to guess."""
    X, y = Interpolation(observed=0.5, random_state=0).split(make_oscillators(20, random_state=0))
    model = LinearInterpolator().fit(X, y)
    first = X.offsets[:-1]
    queries = Queries(np.arange(len(X) + 1), X.time[first], X.channel[first])
    dist = model.predict_distribution(X.with_queries(queries=queries))
    np.testing.assert_allclose(dist.interval(0.99), np.repeat(X.value[first][:, None], 2, axis=1), rtol=1e-6)
