"""Metrics against scikit-learn, scoringrules, scipy, loops, and their own laws."""

import numpy as np
import pandas as pd
import pytest
import scoringrules
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn.base import BaseEstimator
from sklearn.model_selection import cross_val_score

from cndts import IrregularPanel, Queries, Targets
from cndts.metrics import (
    by_distance,
    by_horizon,
    channel_means,
    channel_table,
    crps,
    error_scorer,
    gap_widths,
    interval_coverage,
    interval_width,
    mean_absolute_error,
    mean_skill,
    mean_squared_error,
    negative_log_likelihood,
    pinball_loss,
    root_mean_squared_error,
)

AVERAGES = ["observation", "channel", "record"]
numbers = st.floats(-100, 100, width=32)


def targets(lengths, channel, value, n_channels=3) -> Targets:
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    queries = Queries(offsets, np.arange(len(value), dtype=float), np.asarray(channel))
    names = [f"c{i}" for i in range(n_channels)]
    return Targets(queries, value, pd.Index([f"r{i}" for i in range(len(lengths))]), names)


@st.composite
def forecasts(draw, with_gaps=True):
    """Targets, some of them not known, and predictions for them."""
    lengths = draw(st.lists(st.integers(0, 6), min_size=1, max_size=5))
    n_targets = sum(lengths)
    channel = draw(arrays(np.int32, n_targets, elements=st.integers(0, 2)))
    value = draw(arrays(np.float32, n_targets, elements=numbers))
    if with_gaps:
        value = np.where(draw(arrays(bool, n_targets)), np.float32("nan"), value)
    return targets(lengths, channel, value), draw(arrays(np.float64, n_targets, elements=numbers))


def loop(y, loss, average):
    """Averages as a reader would compute them by hand."""
    groups: dict[int, list[float]] = {}
    keys = {"observation": np.zeros(len(y.value), int), "channel": y.channel, "record": y.record}[average]
    for key, value, each in zip(keys.tolist(), y.value.tolist(), loss.tolist(), strict=True):
        if not np.isnan(value):
            groups.setdefault(key, []).append(each)
    return np.mean([np.mean(group) for group in groups.values()]) if groups else np.nan


# ---- point forecasts ---------------------------------------------------------------------------------


@given(forecasts(), st.sampled_from(AVERAGES))
def test_errors_equal_the_loop(forecast, average):
    """All averages, gaps included; no known target gives NaN."""
    y, y_hat = forecast
    difference = y.value.astype(float) - y_hat
    expected = loop(y, difference**2, average)
    np.testing.assert_allclose(mean_squared_error(y, y_hat, average=average), expected)
    np.testing.assert_allclose(root_mean_squared_error(y, y_hat, average=average), np.sqrt(expected))
    np.testing.assert_allclose(mean_absolute_error(y, y_hat, average=average), loop(y, abs(difference), average))


@given(forecasts(with_gaps=False))
def test_observation_average_is_that_of_scikit_learn(forecast):
    """Without gaps the micro average is scikit-learn's."""
    y, y_hat = forecast
    if len(y.value):
        pairs = [
            (mean_squared_error, sklearn.metrics.mean_squared_error),
            (mean_absolute_error, sklearn.metrics.mean_absolute_error),
            (root_mean_squared_error, sklearn.metrics.root_mean_squared_error),
        ]
        for ours, theirs in pairs:
            np.testing.assert_allclose(ours(y, y_hat, average="observation"), theirs(y.value, y_hat), atol=1e-12)


@given(forecasts(), st.sampled_from(AVERAGES), st.randoms(use_true_random=False))
def test_order_of_records_does_not_matter(forecast, average, random):
    """Shuffled records score the same."""
    y, y_hat = forecast
    order = random.sample(range(len(y)), len(y))
    shuffled = y.with_values(y_hat)[order]
    np.testing.assert_allclose(
        mean_squared_error(y[order], shuffled, average=average),
        mean_squared_error(y, y.with_values(y_hat), average=average),
    )


@given(forecasts())
def test_macro_is_micro_for_one_channel(forecast):
    """With a single channel the averages over channels and observations agree."""
    y, y_hat = forecast
    only = Targets(Queries(y.offsets, y.time, np.zeros_like(y.channel)), y.value, y.records, y.channels)
    np.testing.assert_allclose(
        mean_absolute_error(only, y_hat, average="channel"), mean_absolute_error(only, y_hat, average="observation")
    )


def test_the_three_averages_differ():
    """A worked example: errors 1, 1 in channel 0 of record 0, and 4 in channel 1 of record 1."""
    y = targets([2, 1, 0], [0, 0, 1], [0.0, 0.0, 0.0])
    scores = [mean_absolute_error(y, [1.0, 1.0, 4.0], average=average) for average in AVERAGES]
    assert scores == [2.0, 2.5, 2.5]
    y = targets([1, 2, 0], [0, 0, 1], [0.0, 0.0, 0.0])
    scores = [mean_absolute_error(y, [1.0, 1.0, 4.0], average=average) for average in AVERAGES]
    assert scores == [2.0, 2.5, 1.75]


def test_predictions_must_answer_the_queries():
    """Predictions of other records, of wrong length, or not finite are refused with the place."""
    y = targets([2, 1], [0, 1, 1], [1.0, np.nan, 3.0])
    other = targets([1, 2], [0, 1, 1], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="y_hat does not answer the queries of y: records, times or channels differ"):
        mean_squared_error(y, other, average="channel")
    with pytest.raises(ValueError, match=r"y_hat must have shape \(3,\), one row per target; got shape \(2,\)"):
        mean_squared_error(y, [1.0, 2.0], average="channel")
    with pytest.raises(
        ValueError, match=r"not finite at 1 of 2 known targets, the first is record 'r1', time 2, channel 'c1'"
    ):
        mean_squared_error(y, [1.0, np.nan, np.inf], average="channel")
    assert mean_squared_error(y, [1.0, np.nan, 3.0], average="channel") == 0
    with pytest.raises(TypeError, match="y must be Targets, as a task's split gives them; got ndarray"):
        mean_squared_error(np.zeros(3), np.zeros(3), average="channel")


def test_average_is_always_spelled_out():
    """There is no default, and a misspelt rule is refused."""
    y = targets([1], [0], [1.0])
    with pytest.raises(TypeError, match="average"):
        mean_squared_error(y, [1.0])
    with pytest.raises(ValueError, match='average must be "observation", "channel" or "record"; got \'macro\''):
        mean_squared_error(y, [1.0], average="macro")


# ---- probabilistic forecasts -------------------------------------------------------------------------


@given(forecasts(), st.sampled_from(AVERAGES), st.data())
def test_normal_scores_equal_scipy_and_scoringrules(forecast, average, data):
    """Log density of scipy, CRPS of scoringrules."""
    y, mean = forecast
    std = data.draw(arrays(np.float64, len(mean), elements=st.floats(0.01, 50)))
    truth = y.value.astype(float)
    nll = loop(y, -stats.norm.logpdf(truth, mean, std), average)
    np.testing.assert_allclose(negative_log_likelihood(y, mean, std, average=average), nll)
    expected = loop(y, np.asarray(scoringrules.crps_normal(truth, mean, std)), average) if len(truth) else np.nan
    np.testing.assert_allclose(crps(y, mean=mean, std=std, average=average), expected, atol=1e-9)


@given(forecasts(with_gaps=False), st.integers(1, 6), st.data())
def test_sample_crps_equals_scoringrules(forecast, n_samples, data):
    """The empirical distribution's score; repeated samples and a single one included."""
    y, _ = forecast
    samples = data.draw(arrays(np.float64, (len(y.value), n_samples), elements=numbers))
    if len(y.value):
        expected = np.mean(scoringrules.crps_ensemble(y.value.astype(float), samples, estimator="nrg"))
        score = crps(y, samples=samples, average="observation")
        np.testing.assert_allclose(score, expected, atol=1e-9)
        assert score >= -1e-12


@given(forecasts(with_gaps=False), st.integers(1, 9), st.data())
def test_quantile_scores_equal_scoringrules(forecast, n_levels, data):
    """With the levels (i - 0.5) / k the score is twice the mean pinball loss; pinball loss is scikit-learn's."""
    y, _ = forecast
    levels = (np.arange(n_levels) + 0.5) / n_levels
    quantiles = np.sort(data.draw(arrays(np.float64, (len(y.value), n_levels), elements=numbers)), axis=1)
    if len(y.value):
        expected = np.mean(scoringrules.crps_quantile(y.value.astype(float), quantiles, levels))
        score = crps(y, quantiles=quantiles, levels=levels, average="observation")
        np.testing.assert_allclose(score, expected, atol=1e-9)
        np.testing.assert_allclose(2 * pinball_loss(y, quantiles, levels, average="observation"), expected, atol=1e-9)
        np.testing.assert_allclose(
            pinball_loss(y, quantiles[:, 0], levels[0], average="observation"),
            sklearn.metrics.mean_pinball_loss(y.value, quantiles[:, 0], alpha=levels[0]),
            atol=1e-9,
        )


@given(numbers, st.floats(-5, 5), st.floats(0.1, 5))
def test_quantile_crps_converges_to_the_closed_form(centre, shift, std):
    """The finer the levels, the closer to the normal's own score: within one per cent of std at 2,000."""
    y = targets([1], [0], [centre + shift])
    exact = crps(y, mean=[centre], std=[std], average="observation")
    gaps = []
    for n_levels in (20, 2000):
        levels = (np.arange(n_levels) + 0.5) / n_levels
        quantiles = stats.norm.ppf(levels, centre, std)[None]
        gaps.append(abs(crps(y, quantiles=quantiles, levels=levels, average="observation") - exact))
    assert gaps[1] < 0.01 * std
    assert gaps[1] <= gaps[0] + 1e-9


def test_uneven_levels_weigh_by_what_they_stand_for():
    """A crowd of levels in one place does not outweigh the others."""
    y = targets([1], [0], [0.0])
    levels = np.concatenate([np.linspace(0.001, 0.5, 500), np.linspace(0.51, 0.999, 50)])
    score = crps(y, quantiles=stats.norm.ppf(levels)[None], levels=levels, average="observation")
    assert score == pytest.approx(crps(y, mean=[0.0], std=[1.0], average="observation"), rel=0.01)


@given(forecasts(), st.sampled_from(AVERAGES))
def test_a_certain_forecast_has_crps_equal_to_its_error(forecast, average):
    """CRPS generalises the absolute error."""
    y, y_hat = forecast
    error = mean_absolute_error(y, y_hat, average=average)
    np.testing.assert_allclose(crps(y, samples=np.repeat(y_hat[:, None], 3, axis=1), average=average), error, atol=1e-9)
    np.testing.assert_allclose(crps(y, quantiles=y_hat[:, None], levels=[0.5], average=average), error, atol=1e-9)


def test_interval_coverage_and_width():
    """Ends count as inside; unknown targets do not count, nor need an interval."""
    y = targets([3, 1], [0, 0, 1, 1], [1.0, 2.0, 5.0, np.nan])
    interval = [[1.0, 2.0], [0.0, 1.0], [4.0, 8.0], [np.nan, np.nan]]
    assert interval_coverage(y, interval, average="observation") == pytest.approx(2 / 3)
    assert interval_coverage(y, interval, average="channel") == 0.75
    assert interval_width(y, interval, average="observation") == 2.0
    assert interval_width(y, interval, average="channel") == 2.5


def test_coverage_of_a_true_model_is_nominal():
    """A nine-in-ten interval of the true distribution covers nine in ten."""
    value = np.random.default_rng(0).normal(size=20_000)
    y = targets([20_000], np.zeros(20_000, int), value)
    ends = np.tile(stats.norm.ppf([0.05, 0.95]), (20_000, 1))
    assert interval_coverage(y, ends, average="observation") == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda y: crps(y, average="record"),
            TypeError,
            "crps needs one of: mean and std, quantiles and levels, samples",
        ),
        (lambda y: crps(y, mean=[0.0], average="record"), TypeError, "crps needs one of"),
        (lambda y: crps(y, mean=[0.0], std=[1.0], samples=[[0.0]], average="record"), TypeError, "crps needs one of"),
        (
            lambda y: crps(y, mean=[0.0], std=[0.0], average="record"),
            ValueError,
            "std must be above zero; got 0 in row 0",
        ),
        (
            lambda y: pinball_loss(y, [0.0], 1.0, average="record"),
            ValueError,
            "levels must rise and lie between 0 and 1",
        ),
        (lambda y: pinball_loss(y, [[0, 1]], [0.5, 0.1], average="record"), ValueError, "levels must rise"),
        (lambda y: pinball_loss(y, [[0, 1]], [0.5], average="record"), ValueError, "has 2 columns for 1 levels"),
        (
            lambda y: interval_width(y, [[0, 1, 2]], average="record"),
            ValueError,
            "two columns, lower and upper end; got 3",
        ),
        (
            lambda y: interval_width(y, [[1, 0]], average="record"),
            ValueError,
            "lower end above its upper end in 1 rows",
        ),
        (lambda y: crps(y, samples=[[]], average="record"), ValueError, "samples must have at least one column"),
    ],
)
def test_probabilistic_scores_refuse(call, error, text):
    """What cannot be scored is named."""
    with pytest.raises(error, match=text):
        call(targets([1], [0], [1.0]))


# ---- tables ------------------------------------------------------------------------------------------


@given(forecasts())
def test_channel_table_adds_up(forecast):
    """Count-weighted rows give the micro average, plain means the macro average."""
    y, y_hat = forecast
    table = channel_table(y, y_hat)
    known = table[table["count"] > 0]
    assert table["count"].sum() == (~np.isnan(y.value)).sum()
    if len(known):
        micro = (known["mse"] * known["count"]).sum() / known["count"].sum()
        np.testing.assert_allclose(micro, mean_squared_error(y, y_hat, average="observation"))
    np.testing.assert_allclose(table["mse"].mean(), mean_squared_error(y, y_hat, average="channel"))
    np.testing.assert_allclose(table["mae"].mean(), mean_absolute_error(y, y_hat, average="channel"))


def test_skill_is_r2_when_the_mean_is_that_of_the_targets():
    """Against the targets' own mean, skill is scikit-learn's R squared."""
    rng = np.random.default_rng(0)
    y = targets([50, 50], rng.integers(0, 3, 100), rng.normal(size=100))
    y_hat = y.value + rng.normal(size=100)
    table = channel_table(y, y_hat, means=channel_means(y))
    expected = [sklearn.metrics.r2_score(y.value[y.channel == c], y_hat[y.channel == c]) for c in range(3)]
    np.testing.assert_allclose(table["skill"], expected, rtol=1e-5)
    assert mean_skill(y, y_hat, means=channel_means(y), min_targets=1) == pytest.approx(np.mean(expected), rel=1e-5)


def test_mean_skill_leaves_out_rare_and_constant_channels():
    """Only channels with enough targets, and a reference that errs, count."""
    y = targets([7], [0, 0, 0, 1, 2, 2, 2], [0.0, 1.0, 2.0, 9.0, 4.0, 4.0, 4.0])
    perfect_but_rare = y.value.copy()
    perfect_but_rare[3] = -100
    assert mean_skill(y, perfect_but_rare, means=[1.0, 0.0, 4.0], min_targets=3) == 1.0
    assert np.isnan(channel_table(y, y.value, means=[1.0, 0.0, 4.0]).loc["c2", "skill"])
    assert np.isnan(mean_skill(y, y, means=[1.0, 0.0, 4.0]))


def test_channel_means_of_panels_and_targets():
    """Values of all sources count alike; unknown ones do not."""
    panel = IrregularPanel([0, 2], [0.0, 1.0], [0, 1], [1.0, 10.0], channels=["c0", "c1", "c2"])
    y = targets([3], [0, 1, 1], [3.0, 20.0, np.nan])
    np.testing.assert_allclose(channel_means(panel, y), [2.0, 15.0, np.nan])
    with pytest.raises(ValueError, match="all sources need the same channels"):
        channel_means(panel, targets([0], [], [], n_channels=1))
    with pytest.raises(TypeError, match="at least one panel or Targets"):
        channel_means()


def test_means_need_one_entry_per_channel():
    """Means of other channels would give a wrong skill silently."""
    with pytest.raises(ValueError, match=r"means must hold one number per channel \(3\); got shape \(2,\)"):
        channel_table(targets([1], [0], [1.0]), [1.0], means=[0.0, 1.0])


def test_horizon_bands():
    """Bands hold their left edge, the last one both; a time per record shifts the bands."""
    y = targets([3, 2], [0] * 5, [0.0] * 5)  # times 0, 1, 2 and 3, 4
    y_hat = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    table = by_horizon(y, y_hat, bands=[0, 1, 3], average="observation")
    assert table.index.tolist() == ["[0, 1)", "[1, 3]"]
    assert table["count"].tolist() == [1, 3]
    assert table["mae"].tolist() == [1.0, 3.0]
    table = by_horizon(y, y_hat, bands=[0, 1, 3], average="observation", since=[0.0, 3.0])
    assert table["count"].tolist() == [2, 3]
    assert table["mse"].tolist() == [(1 + 16) / 2, (4 + 9 + 25) / 3]
    empty = by_horizon(y, y_hat, bands=[10, 11], average="channel")
    assert empty["count"].tolist() == [0]
    assert np.isnan(empty["mse"].item())
    with pytest.raises(ValueError, match="bands must be two or more rising edges"):
        by_horizon(y, y_hat, bands=[1, 0], average="channel")


def test_distance_bands():
    """Any distance makes bands; the last one may be open, unknown distances are left out, one a target is needed."""
    y = targets([3, 2], [0] * 5, [0.0] * 5)
    y_hat, distance = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), [0.5, np.inf, 2.0, np.nan, 0.0]
    table = by_distance(y, y_hat, distance, bands=[0, 1, np.inf], average="observation")
    assert table.index.tolist() == ["[0, 1)", "[1, inf]"]
    assert table["count"].tolist() == [2, 2]
    assert table["mae"].tolist() == [3.0, 2.5]
    with pytest.raises(ValueError, match=r"distance must hold one number a target \(5\); got shape \(2,\)"):
        by_distance(y, y_hat, [0.0, 1.0], bands=[0, 1], average="channel")


@given(seed=st.integers(0, 99))
def test_gap_widths(seed):
    """Between the nearest observations of the channel on both sides, one by one; 0 at an observation, infinite at an open side."""
    rng = np.random.default_rng(seed)
    record, asked = np.sort(rng.integers(0, 3, 25)), np.sort(rng.integers(0, 3, 20))
    time = rng.integers(0, 12, 25).astype(float)
    order = np.lexsort((time, record))
    queries = Queries(
        np.searchsorted(asked, np.arange(4)), rng.integers(0, 12, 20).astype(float), rng.integers(0, 2, 20)
    )
    offsets, channel = np.searchsorted(record, np.arange(4)), rng.integers(0, 2, 25)
    X = IrregularPanel(offsets, time[order], channel, np.zeros(25), channels=["a", "b"], queries=queries)
    expected = []
    for owner, at, wanted in zip(queries.record, queries.time, queries.channel, strict=True):
        own = X.time[(X.record == owner) & (X.channel == wanted)]
        after, before = own[own > at].min(initial=np.inf), own[own < at].max(initial=-np.inf)
        expected.append(0.0 if at in own else after - before)
    np.testing.assert_array_equal(gap_widths(X), expected)
    with pytest.raises(ValueError, match="X has no queries"):
        gap_widths(IrregularPanel([0, 1], [0.0], [0], [1.0]))


# ---- scikit-learn ------------------------------------------------------------------------------------


class Constant(BaseEstimator):
    """Predicts the mean training target."""

    def fit(self, X, y):
        self.mean_ = np.nanmean(np.asarray(y))
        return self

    def predict(self, X):
        return Targets(X.queries, np.full(X.queries.n_queries, self.mean_), X.records, X.channels)


@pytest.mark.parametrize("metric", ["mae", "mse", "rmse"])
def test_scorer_in_cross_validation(metric):
    """scikit-learn slices, fits and scores by record; higher is better."""
    y = targets([2, 3, 1, 2], [0, 1, 0, 0, 1, 2, 2, 0], np.arange(8.0))
    X = IrregularPanel(np.zeros(5), [], [], [], records=y.records, channels=y.channels, queries=y.queries)
    scores = cross_val_score(
        Constant(), X, y, cv=2, scoring=error_scorer(metric, average="channel"), error_score="raise"
    )
    model = Constant().fit(X[2:], y[2:])
    functions = {"mae": mean_absolute_error, "mse": mean_squared_error, "rmse": root_mean_squared_error}
    assert scores[0] == pytest.approx(-functions[metric](y[:2], model.predict(X[:2]), average="channel"))
    assert (scores < 0).all()


def test_unknown_scorer():
    """The known names are listed."""
    with pytest.raises(ValueError, match="metric must be one of mae, mse, rmse; got 'crps'"):
        error_scorer("crps", average="channel")
