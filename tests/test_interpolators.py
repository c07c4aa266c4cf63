"""Interpolators: both sides of a query, closed forms, and what all of them share."""

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone, is_regressor
from sklearn.exceptions import NotFittedError

from cndts import Interpolation, IrregularPanel, Queries, Targets
from cndts.datasets import make_oscillators
from cndts.estimators import (
    BaseInterpolator,
    BoostedTreesInterpolator,
    LastValueForecaster,
    LinearInterpolationForecaster,
    LinearInterpolator,
    NearestInterpolator,
    OrnsteinUhlenbeckInterpolator,
)
from cndts.estimators._ornstein_uhlenbeck_interpolator import return_to_mean
from cndts.estimators._summary_features import SummaryFeatures
from cndts.estimators._two_sided_features import TwoSidedFeatures, mirrored

INTERPOLATORS = [
    LinearInterpolator(),
    NearestInterpolator(),
    OrnsteinUhlenbeckInterpolator(),
    BoostedTreesInterpolator(max_iter=20, random_state=0),
]
each_interpolator = pytest.mark.parametrize("interpolator", INTERPOLATORS, ids=repr)


def hidden_half(n_records=60, seed=0):
    return Interpolation(0.5, random_state=seed).split(make_oscillators(n_records, random_state=seed))


def one_record(times, values, asked, targets=None):
    """One record of one channel, and targets at the times asked."""
    asked = np.atleast_1d(np.asarray(asked, dtype=float))
    queries = Queries([0, len(asked)], asked, np.zeros(len(asked), dtype=int))
    X = IrregularPanel([0, len(times)], times, np.zeros(len(times), dtype=int), values, channels=["x"], queries=queries)
    return X, Targets(queries, np.zeros(len(asked)) if targets is None else targets, X.records, X.channels)


@pytest.fixture(scope="module")
def data():
    return hidden_half()


@pytest.fixture(scope="module")
def new():
    return hidden_half(20, seed=1)


@pytest.fixture(scope="module")
def fitted(data):
    return {repr(interpolator): clone(interpolator).fit(*data) for interpolator in INTERPOLATORS}


# ---- closed forms ------------------------------------------------------------------------------------

distinct_times = st.lists(st.integers(0, 400).map(lambda t: t / 4), min_size=2, max_size=10, unique=True).map(sorted)


@given(distinct_times, st.floats(-5, 105))
def test_line_equals_numpy(times, at):
    """Inside the span the line, outside the nearest value."""
    values = np.sin(times)
    X, y = one_record(times, values, at, [0.5] if at not in times else None)
    if at in times:
        return
    answer = np.asarray(LinearInterpolator().fit(X, y).predict(X))[0]
    assert answer == pytest.approx(np.interp(at, times, values.astype(np.float32)), abs=1e-5)


@given(distinct_times, st.floats(-5, 105))
def test_nearest_equals_a_search(times, at):
    """The value at the least distance, the earlier one of two."""
    if at in times:
        return
    values = np.arange(len(times), dtype=float)
    X, y = one_record(times, values, at)
    assert np.asarray(NearestInterpolator().fit(X, y).predict(X))[0] == values[np.argmin(np.abs(np.array(times) - at))]


@given(distinct_times, st.floats(-5, 105), st.floats(0.01, 3), st.floats(-2, 2))
def test_without_noise_the_answer_is_that_of_the_whole_process(times, at, rate, mean):
    """Two neighbours tell what Gaussian-process regression from all observations does, as the process is Markov."""
    if np.min(np.abs(np.array(times) - at)) < 1e-3:
        return
    values = np.cos(times).astype(np.float32)
    X, _ = one_record(times, values, at)
    time = np.array(times)
    kernel = np.exp(-rate * np.abs(time[:, None] - time))
    wanted = mean + np.exp(-rate * np.abs(at - time)) @ np.linalg.solve(kernel, values.astype(np.float64) - mean)
    found = return_to_mean(X, np.array([mean]), np.array([rate]), np.zeros(1))[0]
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-7)


@given(st.floats(0.01, 0.99), st.floats(0.01, 3), st.floats(0, 2))
def test_with_noise_the_answer_is_that_of_the_neighbours(at, rate, noise):
    """Regression from two observations with noise on the diagonal; one observation alone shrinks likewise."""
    X, _ = one_record([0.0, 1.0], [2.0, -1.0], [at, 3.0])
    kernel = np.array([[1 + noise, np.exp(-rate)], [np.exp(-rate), 1 + noise]])
    inside = np.exp(-rate * np.array([at, 1 - at])) @ np.linalg.solve(kernel, [2.0, -1.0])
    found = return_to_mean(X, np.zeros(1), np.array([rate]), np.array([noise]))
    np.testing.assert_allclose(found, [inside, -np.exp(-rate * 2) / (1 + noise)], rtol=1e-9)


def test_fit_recovers_rate_and_noise():
    """Observations of a process with noise, asked between two of them, give back what they were drawn with."""
    rng = np.random.default_rng(0)
    n_records, rate, noise = 20_000, 0.5, 0.3
    time = np.array([0.0, 1.0, 2.5])
    process = rng.multivariate_normal(np.zeros(3), np.exp(-rate * np.abs(time[:, None] - time)), n_records)
    seen = process[:, [0, 2]] + np.sqrt(noise) * rng.normal(size=(n_records, 2))
    queries = Queries(np.arange(n_records + 1), np.full(n_records, 1.0), np.zeros(n_records, dtype=int))
    X = IrregularPanel(
        np.arange(n_records + 1) * 2,
        np.tile([0.0, 2.5], n_records),
        np.zeros(2 * n_records, dtype=int),
        seen.ravel(),
        queries=queries,
    )
    model = OrnsteinUhlenbeckInterpolator().fit(X, Targets(queries, process[:, 1], X.records, X.channels))
    assert model.noise_shares_[0] == noise
    assert model.rates_[0] == pytest.approx(rate, rel=0.1)


def test_what_was_never_observed_gets_the_mean(fitted, new):
    """A record without events of the channel."""
    X = new[0]
    empty = IrregularPanel(
        np.zeros(2), [], [], [], channels=X.channels, time_unit=X.time_unit, queries=Queries([0, 1], [1.0], [0])
    )
    for model in fitted.values():
        assert np.asarray(model.predict(empty))[0] == pytest.approx(model.channel_means_[0], abs=1e-6)


# ---- two-sided features ------------------------------------------------------------------------------


def test_mirror_image(new):
    """Twice mirrored is the panel itself; once, what follows a query comes before it."""
    X = new[0]
    twice = mirrored(mirrored(X))
    for name in ("time", "channel", "value", "offsets"):
        np.testing.assert_array_equal(getattr(twice, name), getattr(X, name))
    np.testing.assert_array_equal(twice.queries.time, X.queries.time)
    assert (np.diff(mirrored(X)[3].time) >= 0).all()


def test_features_of_the_mirror_image_change_sides(new):
    """What was before is after, and the other way round."""
    X = new[0]
    forward, backward = TwoSidedFeatures(X, [1.0]), TwoSidedFeatures(mirrored(X), [1.0])
    n_columns = SummaryFeatures(X, [1.0]).own().shape[1]
    np.testing.assert_allclose(forward.own()[:, :n_columns], backward.own()[:, n_columns:], rtol=1e-5)
    np.testing.assert_allclose(
        forward.of_channels([0], slice(None), ["last"])[:, 1], backward.of_channels([0], slice(None), ["last"])[:, 0]
    )
    np.testing.assert_array_equal(forward.horizon, backward.horizon)


@pytest.mark.parametrize("features", ["own", "last", "all"])
def test_every_column_has_a_name(features, data):
    """Trees read as many columns as there are names, each side's own."""
    model = BoostedTreesInterpolator(features, max_iter=2, random_state=0).fit(*data)
    channel = model.channels_in_[0]
    names = model.get_feature_names(channel)
    assert len(set(names)) == len(names) == model._rows(model._summarise(data[0]), 0).design.shape[1]
    assert {"before: last", "after: last"} <= set(names)


def test_trees_learn_from_both_sides():
    """The larger of the neighbours: no straight line, no process, nothing that one side could tell."""
    n_records = 1000
    value = np.random.default_rng(0).normal(size=(n_records, 2))
    queries = Queries(np.arange(n_records + 1), np.ones(n_records), np.zeros(n_records, dtype=int))
    X = IrregularPanel(
        np.arange(n_records + 1) * 2,
        np.tile([0.0, 2.0], n_records),
        np.zeros(2 * n_records, dtype=int),
        value.ravel(),
        queries=queries,
    )
    y = Targets(queries, value.max(axis=1), X.records, X.channels)
    train, test = slice(0, 800), slice(800, None)
    trees = BoostedTreesInterpolator(random_state=0).fit(X[train], y[train])
    process = OrnsteinUhlenbeckInterpolator().fit(X[train], y[train])
    assert trees.score(X[test], y[test]) > 0.95
    assert process.score(X[test], y[test]) < 0.8


# ---- what interpolators share ------------------------------------------------------------------------


@each_interpolator
def test_scikit_learn_rules(interpolator, fitted, data, tmp_path):
    """Parameters survive, an unfitted one says so, a saved one answers the same."""
    model, (X, y) = fitted[repr(interpolator)], data
    assert not is_regressor(model)  # it answers and transforms; on an array it fills
    assert clone(model).get_params() == model.get_params()
    for call in (lambda m: m.predict(X), lambda m: m.predict_quantiles(X, [0.5]), lambda m: m.score(X, y)):
        with pytest.raises(NotFittedError, match=type(model).__name__):
            call(clone(interpolator))
    joblib.dump(model, tmp_path / "model.joblib")
    np.testing.assert_array_equal(joblib.load(tmp_path / "model.joblib").predict(X), model.predict(X))


@each_interpolator
def test_events_on_both_sides_are_read(interpolator, fitted):
    """A later event changes the answer; forecasters promise that it does not, and the class says which is which."""
    model = fitted[repr(interpolator)]
    X, _ = hidden_half(2, seed=5)
    asked = X.with_queries([float(np.median(X.time))])
    later = asked.where(asked.time <= asked.queries.time[0])
    assert (np.asarray(model.predict(later)) != np.asarray(model.predict(asked))).any()
    assert isinstance(model, BaseInterpolator)
    assert type(model).reads_later_events
    assert LinearInterpolationForecaster.reads_later_events
    assert not LastValueForecaster.reads_later_events


@each_interpolator
def test_answers_pass_through_observations(interpolator, fitted, new):
    """At an event the answer is its value, certain; several values at one time are averaged."""
    model, X = fitted[repr(interpolator)], new[0]
    asked = X.with_queries(queries=Queries(X.offsets, X.time, X.channel))
    np.testing.assert_array_equal(model.predict(asked), X.value)
    np.testing.assert_array_equal(model.predict_interval(asked), np.repeat(X.value[:, None], 2, axis=1))
    grid = model.predict(X[0], times=[float(X.time[0])])
    assert X.value[0] in grid.value


def test_ties_are_averaged_where_they_are_asked_for():
    """Two values of a channel at one time are answered by their mean."""
    X, y = one_record([0.0, 1.0, 1.0, 2.0], [0.0, 4.0, 6.0, 0.0], [0.5, 1.0], [2.0, 4.0])
    np.testing.assert_allclose(LinearInterpolator().fit(X, y).predict(X), [2.5, 5.0])


@each_interpolator
def test_targets_that_the_context_holds_teach_nothing(interpolator, fitted, data, new):
    """Fit and score are the same with the observed values among the targets, as some protocols have them."""
    both = []
    for X, y in (data, new):
        order = np.lexsort(
            (np.concatenate([np.ones(X.n_events), np.zeros(len(y.value))]), np.append(X.record, y.record))
        )
        fields = (np.concatenate([getattr(X, name), getattr(y, name)])[order] for name in ("time", "channel", "value"))
        time, channel, value = fields
        queries = Queries(X.offsets + y.offsets, time, channel)
        both.append((X.with_queries(queries=queries), Targets(queries, value, X.records, X.channels)))
    model = clone(interpolator).fit(*both[0])
    np.testing.assert_array_equal(model.predict(new[0]), fitted[repr(interpolator)].predict(new[0]))
    assert model.score(*both[1]) == pytest.approx(model.score(*new), rel=1e-6)
    assert model.score(*new) < 1


def test_refuses_targets_that_are_all_observed(new):
    """Nothing to interpolate is an error of its own, for validation records too."""
    X = new[0].with_queries(queries=Queries(new[0].offsets, new[0].time, new[0].channel))
    y = Targets(X.queries, X.value, X.records, X.channels)
    with pytest.raises(
        ValueError, match=r"targets of y are events of X, so there is nothing to interpolate. Hide some"
    ):
        LinearInterpolator().fit(X, y)
    with pytest.raises(ValueError, match="targets of y_val are events of X_val"):
        LinearInterpolator().fit(*new, X_val=X, y_val=y)
    with pytest.raises(TypeError, match="X must be an IrregularPanel; got list"):
        LinearInterpolator().fit([], y)


@each_interpolator
def test_records_and_queries_do_not_influence_each_other(interpolator, fitted, new):
    """An answer is the same alone, among fewer queries, and in any order of records."""
    model, (X, y) = fitted[repr(interpolator)], new
    together = y.with_values(model.predict(X))
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_allclose(model.predict(X[order]), together[order], rtol=1e-5)
    one = X[4].with_queries(queries=Queries([0, 1], X[4].queries.time[2:3], X[4].queries.channel[2:3]))
    np.testing.assert_allclose(model.predict(one), together[4].value[2:3], rtol=1e-5)


@each_interpolator
def test_shifting_all_times_changes_nothing(interpolator, fitted, new):
    """Only differences of times matter."""
    model, X = fitted[repr(interpolator)], new[0]
    queries = Queries(X.queries.offsets, X.queries.time + 1024.0, X.queries.channel)
    moved = IrregularPanel._trusted(X, time=X.time + 1024.0, queries=queries)
    np.testing.assert_allclose(model.predict(moved), model.predict(X), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("interpolator", INTERPOLATORS[:3], ids=repr)
def test_time_has_no_direction(interpolator, fitted, new):
    """Those without trees answer the mirror image alike."""
    model, X = fitted[repr(interpolator)], new[0]
    np.testing.assert_allclose(model.predict(mirrored(X)), model.predict(X), rtol=1e-4, atol=1e-5)


@each_interpolator
def test_intervals_widen_with_the_distance_to_observations(interpolator, data):
    """Default intervals go by the nearest observation, hold what they promise, and rise with the probability."""
    X, y = data
    model = clone(interpolator).fit(X[:30], y[:30], X_val=X[30:], y_val=y[30:])
    low, high = model.predict_interval(X[30:], coverage=0.8).T
    assert np.mean((low <= y[30:].value) & (y[30:].value <= high)) == pytest.approx(0.8, abs=0.05)
    one = X[30].with_queries([float(X[30].time[-1] + distance) for distance in (0.05, 20.0)])
    width = np.diff(model.predict_interval(one), axis=1).reshape(2, -1)
    assert (width[1] > width[0]).all()


def test_better_on_both_sides_than_on_one(data, new):
    """On smooth courses lines beat the last value."""
    assert LinearInterpolator().fit(*data).score(*new) > LastValueForecaster().fit(*data).score(*new) + 0.1
