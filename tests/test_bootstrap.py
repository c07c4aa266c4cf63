"""Paired bootstrap over records, against loops and known answers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cndts import Queries, Targets
from cndts.metrics import _bootstrap as bootstrap
from cndts.metrics import (
    channel_means,
    channel_table,
    mean_absolute_error,
    mean_skill,
    mean_squared_error,
    paired_bootstrap,
    paired_bootstrap_by_channel,
)

AVERAGES = ["observation", "channel", "record"]


def forecasts(n_records=60, seed=0, n_channels=3, gaps=True):
    """Targets with gaps and two models, the first of them better."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 12, n_records)
    n_targets = lengths.sum()
    queries = Queries(
        np.concatenate([[0], np.cumsum(lengths)]), np.zeros(n_targets), rng.integers(n_channels, size=n_targets)
    )
    value = rng.normal(size=n_targets)
    noise = rng.normal(size=(2, n_targets)) * np.array([[0.5], [0.7]])
    if gaps:
        value[rng.random(n_targets) < 0.1] = np.nan
    y = Targets(queries, value, pd.RangeIndex(n_records), [f"c{i}" for i in range(n_channels)])
    filled = np.nan_to_num(value)
    return y, filled + noise[0], filled + noise[1]


def resampled(y, rng, n_resamples):
    """Record draws as the library makes them, for the loop."""
    return rng.integers(len(y), size=(n_resamples, len(y)))


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("metric", ["mae", "mse"])
def test_equals_scoring_every_resample(metric, average):
    """Weighted sums give what scoring the drawn records one resample at a time gives."""
    y, a, b = forecasts()
    score = {"mae": mean_absolute_error, "mse": mean_squared_error}[metric]
    found = paired_bootstrap(y, a, b, metric=metric, average=average, n_resamples=40, random_state=3)

    draws = []
    for drawn in resampled(y, np.random.default_rng(3), 40):
        part = Targets(y.queries[drawn], y[drawn].value, pd.RangeIndex(len(drawn)), y.channels)
        rows = np.concatenate([np.arange(y.offsets[i], y.offsets[i + 1]) for i in drawn])
        draws.append(score(part, a[rows], average=average) - score(part, b[rows], average=average))
    assert found.difference == pytest.approx(score(y, a, average=average) - score(y, b, average=average))
    np.testing.assert_allclose([found.low, found.high], np.percentile(draws, [2.5, 97.5]))
    assert found.share == np.mean(np.array(draws) < 0)


def test_skill_equals_scoring_every_resample():
    """Skill likewise, with the channels chosen once by their number of targets."""
    y, a, b = forecasts()
    means = np.array([0.1, -0.2, 0.3])
    enough = int(channel_table(y, a)["count"].nlargest(2).iloc[-1])
    found = paired_bootstrap(y, a, b, metric="skill", means=means, min_targets=enough, n_resamples=40, random_state=3)
    chosen = (channel_table(y, a)["count"] >= enough).to_numpy()
    assert chosen.sum() == 2
    draws = []
    for drawn in resampled(y, np.random.default_rng(3), 40):
        part = Targets(y.queries[drawn], y[drawn].value, pd.RangeIndex(len(drawn)), y.channels)
        rows = np.concatenate([np.arange(y.offsets[i], y.offsets[i + 1]) for i in drawn])
        skills = [channel_table(part, model[rows], means=means)["skill"][chosen].mean() for model in (a, b)]
        draws.append(skills[0] - skills[1])
    expected = mean_skill(y, a, means=means, min_targets=enough) - mean_skill(y, b, means=means, min_targets=enough)
    assert found.difference == pytest.approx(expected)
    np.testing.assert_allclose([found.low, found.high], np.percentile(draws, [2.5, 97.5]))
    assert found.share == np.mean(np.array(draws) > 0)
    assert found.difference > 0


def test_each_channel_equals_its_own_bootstrap():
    """The table's rows are bootstraps of the channel alone."""
    y, a, b = forecasts()
    table = paired_bootstrap_by_channel(y, a, b, metric="mse", n_resamples=50, random_state=1)
    for channel, name in enumerate(y.channels):
        only = y.with_values(np.where(y.channel == channel, y.value, np.nan))
        alone = paired_bootstrap(only, a, b, metric="mse", average="observation", n_resamples=50, random_state=1)
        np.testing.assert_allclose(
            table.loc[name, ["difference", "low", "high", "share"]].astype(float),
            [alone.difference, alone.low, alone.high, alone.share],
        )
        assert table.loc[name, "count"] == (~np.isnan(only.value)).sum()
    skill = paired_bootstrap_by_channel(y, a, b, metric="skill", means=channel_means(y))
    expected = channel_table(y, a, means=channel_means(y)) - channel_table(y, b, means=channel_means(y))
    np.testing.assert_allclose(skill["difference"], expected["skill"])


@given(st.integers(0, 20), st.sampled_from(AVERAGES))
def test_exchanging_the_models_changes_the_sign(seed, average):
    """Difference and interval turn around, on the same draws."""
    y, a, b = forecasts(n_records=20, seed=seed)
    there = paired_bootstrap(y, a, b, average=average, n_resamples=30)
    back = paired_bootstrap(y, b, a, average=average, n_resamples=30)
    np.testing.assert_allclose([there.difference, there.low, there.high], [-back.difference, -back.high, -back.low])
    assert there.share == pytest.approx(1 - back.share)


def test_a_model_does_not_differ_from_itself():
    """Identical predictions: zero, everywhere, and not called different."""
    y, a, _ = forecasts()
    same = paired_bootstrap(y, a, a)
    assert (same.difference, same.low, same.high, same.share) == (0, 0, 0, 0)
    assert not same.excludes_zero


def test_several_seeds_average_their_errors():
    """Seeds enter with the mean of their losses, however they are handed over."""
    y, a, b = forecasts()
    expected = np.mean([mean_absolute_error(y, seed, average="channel") for seed in (a, b)])
    expected -= mean_absolute_error(y, b, average="channel")
    as_list = paired_bootstrap(y, [a, b], b)
    assert as_list.difference == pytest.approx(expected)
    as_rows = paired_bootstrap(y, np.stack([a, b]), [b, b, b])
    assert (as_rows.difference, as_rows.low) == pytest.approx((as_list.difference, as_list.low))
    assert paired_bootstrap(y, [y.with_values(a), y.with_values(b)], y.with_values(b)).difference == pytest.approx(
        expected
    )
    assert paired_bootstrap(y, a.tolist(), b).difference == paired_bootstrap(y, a, b).difference


def test_chunks_do_not_change_the_draws(monkeypatch):
    """Memory is bounded without touching the result."""
    y, a, b = forecasts()
    whole = paired_bootstrap(y, a, b, n_resamples=100)
    monkeypatch.setattr(bootstrap, "_WEIGHTS_AT_ONCE", 7 * len(y))
    parts = paired_bootstrap(y, a, b, n_resamples=100)
    assert (whole.low, whole.high, whole.share) == pytest.approx((parts.low, parts.high, parts.share))


def test_interval_covers_the_true_difference():
    """Over repeated tests the interval holds the true difference about 95 times in 100."""
    covered = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        queries = Queries(np.arange(81), np.zeros(80), np.zeros(80, int))
        y = Targets(queries, rng.normal(size=80), pd.RangeIndex(80), ["c"])
        found = paired_bootstrap(
            y, y.value + rng.normal(1.0, 0.2, 80), y.value + rng.normal(0.9, 0.2, 80), n_resamples=200
        )
        covered.append(found.low <= 0.1 <= found.high)
    assert 0.89 <= np.mean(covered) <= 0.99


def test_channels_without_targets_are_nan():
    """A channel that is never asked for has no difference; nothing at all known gives NaN."""
    y, a, b = forecasts(n_channels=2)
    y = Targets(y.queries, y.value, y.records, ["c0", "c1", "never"])
    table = paired_bootstrap_by_channel(y, a, b, n_resamples=10)
    assert table.loc["never", "count"] == 0
    assert table.loc["never"].drop("count").isna().all()
    nothing = paired_bootstrap(y.with_values(np.full(len(a), np.nan)), a, b, n_resamples=10)
    assert np.isnan([nothing.difference, nothing.low, nothing.high, nothing.share]).all()


def test_refusals():
    """What is missing is named."""
    y, a, b = forecasts()
    with pytest.raises(ValueError, match=r"skill compares with the channels' training means; give means=channel_means"):
        paired_bootstrap(y, a, b, metric="skill")
    with pytest.raises(ValueError, match='metric must be "mae", "mse" or "skill"; got \'rmse\''):
        paired_bootstrap(y, a, b, metric="rmse")
    with pytest.raises(ValueError, match='average must be "observation", "channel" or "record"'):
        paired_bootstrap(y, a, b, average="macro")
    with pytest.raises(ValueError, match=r"y_hat_b must have shape"):
        paired_bootstrap(y, a, b[:-1])
    with pytest.raises(ValueError, match="needs records and resamples; got 0 records"):
        paired_bootstrap(y[:0], [], [])
