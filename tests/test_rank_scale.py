"""Rank scores of values among their channel's training values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cndts.rank_scale import RankScale

BOUND = np.sqrt(3)
values = st.lists(st.integers(-50, 50).map(lambda n: n / 4), min_size=1, max_size=60)


def scores(scale: RankScale, channel: int, value: list[float]) -> np.ndarray:
    return scale.score(np.full(len(value), channel), np.asarray(value))


@given(values, values, values)
def test_scores_rise_with_the_value_and_ignore_other_channels(
    own: list[float], other: list[float], asked: list[float]
) -> None:
    """Scores are monotone, bounded, and the same whatever other channels hold."""
    alone = RankScale.fit(np.zeros(len(own), int), np.array(own), 1)
    channel = np.repeat([1, 0], [len(own), len(other)])
    among = RankScale.fit(channel, np.array(own + other), 3)
    asked = sorted(asked)
    score = scores(alone, 0, asked)
    assert (np.diff(score) >= 0).all() and (np.abs(score) <= BOUND + 1e-6).all()
    np.testing.assert_array_equal(scores(among, 1, asked), score)


def test_scores_are_the_empirical_distribution() -> None:
    """Among many distinct values the score is the share below, to a knot's width."""
    value = np.random.default_rng(0).lognormal(size=5000)
    scale = RankScale.fit(np.zeros(5000, int), value, 1)
    asked = np.quantile(value, [0.013, 0.2, 0.5, 0.77, 0.999])
    expected = 2 * BOUND * ((value < asked[:, None]).mean(axis=1) - 0.5)
    np.testing.assert_allclose(scores(scale, 0, list(asked)), expected, atol=2 * BOUND * 6e-3)


def test_an_outlier_does_not_squeeze_the_rest() -> None:
    """One mistyped value leaves the scores of all others nearly where they were."""
    value = np.linspace(7.0, 7.8, 1000)
    clean = RankScale.fit(np.zeros(1000, int), value, 1)
    spoilt = RankScale.fit(np.zeros(1001, int), np.append(value, 735.0), 1)
    asked = [7.1, 7.3, 7.5]
    np.testing.assert_allclose(scores(spoilt, 0, asked), scores(clean, 0, asked), atol=0.02)


def test_ties_and_ends() -> None:
    """A value that fills much of the channel stands in its middle; beyond the ends the score stays at the bound."""
    scale = RankScale.fit(np.zeros(100, int), np.repeat([0.0, 1.0], 50), 1)
    low, high, below, above = scores(scale, 0, [0.0, 1.0, -9.0, 9.0])
    assert (below, above) == (pytest.approx(-BOUND), pytest.approx(BOUND))
    assert low == pytest.approx(-high, abs=0.05)
    assert low == pytest.approx(-BOUND / 2, abs=0.05)


def test_a_constant_channel_scores_nothing_at_its_constant() -> None:
    """The only known value is neither high nor low."""
    scale = RankScale.fit(np.zeros(9, int), np.full(9, 3.0), 1)
    assert scores(scale, 0, [3.0])[0] == 0


def test_channels_never_seen_score_zero() -> None:
    """Without training values there is no rank."""
    scale = RankScale.fit(np.ones(4, int), np.arange(4.0), 3)
    assert scores(scale, 0, [-5.0, 5.0]).tolist() == scores(scale, 2, [-5.0, 5.0]).tolist() == [0, 0]


def test_no_values_at_all() -> None:
    """An empty training set gives scores of zero."""
    scale = RankScale.fit(np.zeros(0, int), np.zeros(0), 2)
    assert scores(scale, 1, [4.0]).tolist() == [0]


# ---- extremes ----------------------------------------------------------------------------------------


def test_extremes_are_pulled_to_the_bulk_and_the_rest_is_untouched() -> None:
    """One mistyped value moves to the width of the bulk above it; a heavy tail within that width stays."""
    value = np.append(np.random.default_rng(0).normal(7.4, 0.1, 999), 735.0)
    channel = np.zeros(1000, int)
    clipped = RankScale.fit(channel, value, 1).without_extremes(channel, value)
    low, high = np.quantile(value, [0.01, 0.99])
    np.testing.assert_array_equal(clipped[:-1], value[:-1])
    assert clipped[-1] == pytest.approx(high + (high - low), abs=0.05)


def test_rare_spikes_over_a_constant_are_kept() -> None:
    """Where the bulk has no width, nothing tells an extreme from a value."""
    value = np.array([0.0] * 500 + [5.0])
    channel = np.zeros(501, int)
    np.testing.assert_array_equal(RankScale.fit(channel, value, 1).without_extremes(channel, value), value)
