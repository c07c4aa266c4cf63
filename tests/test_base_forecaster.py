"""What every baseline forecaster promises, and what the base class refuses."""

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, KFold, cross_validate

from cndts.estimators import (
    BoostedTreesForecaster,
    ChannelMeanForecaster,
    DecayToMeanForecaster,
    LastValueForecaster,
    LinearInterpolationForecaster,
    RidgeForecaster,
)
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.targets import Targets
from cndts.tasks import Extrapolation

CHANNELS = ("HR", "Lactate", "Temp")
FORECASTERS = [
    ChannelMeanForecaster(),
    LastValueForecaster(),
    DecayToMeanForecaster(),
    LinearInterpolationForecaster(),
    LinearInterpolationForecaster("damped-trend"),
    RidgeForecaster(),
    RidgeForecaster(features="all"),
    BoostedTreesForecaster(max_iter=5, random_state=0),
]
# linear interpolation reads both sides of a query, all others only the past
CAUSAL = [forecaster for forecaster in FORECASTERS if not isinstance(forecaster, LinearInterpolationForecaster)]

each_forecaster = pytest.mark.parametrize("forecaster", FORECASTERS, ids=repr)


def draw_panel(n_records=30, n_events=25, seed=0, unobserved=()):
    """Random walks of three channels over 48 hours, with a numeric and a text column that never change."""
    rng = np.random.default_rng(seed)
    time = np.sort(rng.uniform(0, 48, (n_records, n_events)), axis=1).ravel()
    channel = rng.choice([c for c in range(3) if c not in unobserved], n_records * n_events)
    level = np.repeat(rng.normal(size=n_records), n_events) + 10 * channel
    return IrregularPanel(
        np.arange(n_records + 1) * n_events,
        time,
        channel,
        level + 0.1 * np.cumsum(rng.normal(size=len(time))),
        records=[f"r{i}" for i in range(n_records)],
        channels=CHANNELS,
        static=pd.DataFrame({"age": rng.uniform(20, 90, n_records), "ward": "A"}, [f"r{i}" for i in range(n_records)]),
    )


def split(panel):
    return Extrapolation(observe=24, horizon=24).split(panel)


def shifted(X, by):
    queries = Queries(X.queries.offsets, X.queries.time + by, X.queries.channel)
    return IrregularPanel._trusted(X, time=X.time + by, queries=queries)


def with_events(X, record, time, channel, value):
    """The panel with more events."""
    value = np.broadcast_to(value, np.shape(time))
    order = np.lexsort((np.append(X.time, time), np.append(X.record, record)))
    lengths = np.bincount(np.append(X.record, record), minlength=len(X))
    return IrregularPanel._trusted(
        X,
        offsets=np.append(0, np.cumsum(lengths)),
        time=np.append(X.time, time)[order],
        channel=np.append(X.channel, channel).astype(np.int32)[order],
        value=np.append(X.value, value).astype(np.float32)[order],
    )


@pytest.fixture(scope="module")
def data():
    return split(draw_panel())


@pytest.fixture(scope="module")
def new():
    return split(draw_panel(12, seed=1))


@pytest.fixture(scope="module")
def fitted(data):
    return {repr(forecaster): clone(forecaster).fit(*data) for forecaster in FORECASTERS}


# ---- scikit-learn's rules ------------------------------------------------------------------------


@each_forecaster
def test_parameters_survive_clone_and_fit(forecaster, data):
    """The constructor stores, fit changes no parameter, a clone is unfitted."""
    model = clone(forecaster)
    before = model.get_params()

    assert model.fit(*data) is model
    assert model.get_params() == before
    assert not hasattr(clone(model), "channels_in_")
    assert type(model)(**before).get_params() == before


@each_forecaster
def test_fitted_attributes(forecaster, fitted):
    """Channels and counts are known under scikit-learn's names too."""
    model = fitted[repr(forecaster)]

    assert model.channels_in_ == CHANNELS
    assert list(model.feature_names_in_) == list(CHANNELS)
    assert (model.n_channels_in_, model.n_features_in_, model.n_records_in_) == (3, 3, 30)
    assert is_regressor(model)
    assert model.__sklearn_tags__().input_tags.two_d_array


@each_forecaster
def test_unfitted_forecaster_says_so(forecaster, data):
    """Every way to predict raises scikit-learn's error before fit."""
    X, y = data
    for call in (
        lambda model: model.predict(X),
        lambda model: model.predict(X, times=[30.0]),
        lambda model: model.predict_quantiles(X, [0.5]),
        lambda model: model.predict_interval(X),
        lambda model: model.score(X, y),
    ):
        with pytest.raises(NotFittedError, match=type(forecaster).__name__):
            call(clone(forecaster))


@each_forecaster
def test_saved_with_joblib(forecaster, fitted, new, tmp_path):
    """A forecaster read back from disk forecasts the same, quantiles included."""
    model, X = fitted[repr(forecaster)], new[0]
    joblib.dump(model, tmp_path / "model.joblib")
    restored = joblib.load(tmp_path / "model.joblib")

    np.testing.assert_array_equal(restored.predict(X), model.predict(X))
    np.testing.assert_array_equal(restored.predict_interval(X), model.predict_interval(X))


@each_forecaster
def test_fitting_twice_gives_the_same(forecaster, fitted, data, new):
    """Fit forgets what it learned before."""
    again = clone(forecaster).fit(*split(draw_panel(8, seed=9))).fit(*data)
    np.testing.assert_array_equal(again.predict(new[0]), fitted[repr(forecaster)].predict(new[0]))


def test_cross_validate_with_its_own_and_a_given_scorer(data):
    """Folds slice panel and targets; the default score is the forecaster's."""
    X, y = data
    folds = KFold(3)
    error = make_scorer(lambda y, y_hat: float(np.mean((np.asarray(y) - np.asarray(y_hat)) ** 2)))
    own = cross_validate(LastValueForecaster(), X, y, cv=folds)["test_score"]
    given = cross_validate(LastValueForecaster(), X, y, cv=folds, scoring=error)["test_score"]

    for (train, test), score, mse in zip(folds.split(X), own, given, strict=True):
        model = LastValueForecaster().fit(X[train], y[train])
        assert score == pytest.approx(model.score(X[test], y[test]))
        assert mse == pytest.approx(np.mean((np.asarray(y[test]) - np.asarray(model.predict(X[test]))) ** 2))


def test_grid_search(data):
    """A search over parameters refits the best forecaster."""
    search = GridSearchCV(LinearInterpolationForecaster(), {"extrapolation": ["last", "damped-trend"]}, cv=2).fit(*data)

    assert search.best_score_ == max(search.cv_results_["mean_test_score"])
    assert len(search.predict(data[0])) == 30


# ---- what predictions look like --------------------------------------------------------------------


@each_forecaster
def test_predictions_are_aligned_with_the_queries(forecaster, fitted, new):
    """Targets come back with the queries, records and channels that were asked."""
    X = new[0]
    y_hat = fitted[repr(forecaster)].predict(X)

    assert isinstance(y_hat, Targets)
    assert y_hat.queries is X.queries
    assert y_hat.records.equals(X.records)
    assert y_hat.channels == X.channels
    assert np.isfinite(y_hat.value).all()


@each_forecaster
def test_predictions_at_times_equal_those_at_queries(forecaster, fitted, new):
    """``times=`` asks for every channel of every record, sorted by time, then in the order of channels."""
    model, X = fitted[repr(forecaster)], new[0]
    grid = model.predict(X, times=[36.0, 30.0, 36.0])

    assert isinstance(grid, IrregularPanel)
    assert grid.queries is None
    assert grid.records.equals(X.records)
    np.testing.assert_array_equal(grid.time, np.tile(np.repeat([30.0, 36.0], 3), len(X)))
    np.testing.assert_array_equal(grid.channel, np.tile([0, 1, 2], 2 * len(X)))
    asked = X.with_queries([30.0, 36.0])
    np.testing.assert_array_equal(grid.value, model.predict(asked))


def test_times_of_each_record(fitted, new):
    """A mapping asks every record for times of its own."""
    grid = fitted["LastValueForecaster()"].predict(new[0], times={"r3": [40.0, 30.0], "r5": [33.0]})

    np.testing.assert_array_equal(grid.counts[[3, 5]], [6, 3])
    assert grid.n_events == 9
    np.testing.assert_array_equal(grid[3].time, np.repeat([30.0, 40.0], 3))


@each_forecaster
def test_quantiles_rise(forecaster, fitted, new):
    """Columns follow the order asked for, and rise with the probability."""
    model, X = fitted[repr(forecaster)], new[0]
    rising = model.predict_quantiles(X, [0.05, 0.25, 0.5, 0.75, 0.95])

    assert rising.shape == (X.queries.n_queries, 5)
    assert (np.diff(rising, axis=1) >= 0).all()
    np.testing.assert_array_equal(model.predict_quantiles(X, [0.95, 0.05]), rising[:, [4, 0]])
    np.testing.assert_allclose(model.predict_interval(X, coverage=0.5), rising[:, [1, 3]])


@each_forecaster
def test_intervals_cover_the_calibration_records(forecaster, data, new):
    """With validation records given, their residuals set the width of the intervals."""
    X, y = data
    model = clone(forecaster).fit(*new, X_val=X, y_val=y)
    low, high = model.predict_interval(X, coverage=0.8).T
    target = np.asarray(y)

    assert np.mean((low <= target) & (target <= high)) == pytest.approx(0.8, abs=0.05)


def test_score_is_the_mean_skill_over_channels(data, new):
    """1 minus the ratio of squared errors of forecast and training mean, channels weighted alike."""
    X, y = new
    model = LastValueForecaster().fit(*data)
    y_hat, target = np.asarray(model.predict(X)), np.asarray(y)
    skills = []
    for channel in range(3):
        own, mean = y.channel == channel, np.mean(np.asarray(data[1])[data[1].channel == channel], dtype=float)
        skills.append(1 - np.mean((target - y_hat)[own] ** 2) / np.mean((target[own] - mean) ** 2))

    assert model.score(X, y) == pytest.approx(np.mean(skills), rel=1e-4)
    assert ChannelMeanForecaster().fit(*data).score(*data) == pytest.approx(0, abs=1e-6)


def test_score_without_anything_to_score_is_nan(data, new):
    """No known target leaves no channel."""
    X, y = new
    assert np.isnan(LastValueForecaster().fit(*data).score(X, y.with_values(np.full(len(y.value), np.nan))))


# ---- properties ------------------------------------------------------------------------------------


@each_forecaster
def test_records_do_not_influence_each_other(forecaster, fitted, new):
    """A forecast is the same alone, in a subset, and in any order of records."""
    model, (X, y) = fitted[repr(forecaster)], new
    together = y.with_values(model.predict(X))
    order = np.random.default_rng(0).permutation(len(X))

    np.testing.assert_allclose(model.predict(X[order]), together[order], rtol=1e-6)
    np.testing.assert_allclose(model.predict(X[4]), together[4], rtol=1e-6)
    np.testing.assert_allclose(model.predict_interval(X[4]), model.predict_interval(X)[_rows(y, 4)], rtol=1e-6)


@each_forecaster
def test_events_of_other_records_change_nothing(forecaster, fitted, new):
    """Observations appended to one record leave the forecasts of the others alone."""
    model, X = fitted[repr(forecaster)], new[0]
    more = with_events(X, [2, 2, 7], [23.5, 60.0, 23.9], [0, 1, 2], [500.0, -500.0, 0.0])
    others = ~np.isin(X.queries.record, [2, 7])

    np.testing.assert_array_equal(np.asarray(model.predict(more))[others], np.asarray(model.predict(X))[others])


@pytest.mark.parametrize("forecaster", CAUSAL, ids=repr)
def test_later_events_change_nothing(forecaster, fitted, new):
    """An event after a query is not read; one at or before it is."""
    model, X = fitted[repr(forecaster)], new[0].with_queries([30.0, 36.0])
    every = np.arange(len(X))
    later = with_events(X, np.repeat(every, 2), np.tile([36.5, 50.0], len(X)), np.tile([0, 2], len(X)), 1e3)

    np.testing.assert_array_equal(model.predict(later), model.predict(X))
    np.testing.assert_array_equal(model.predict_interval(later), model.predict_interval(X))
    between = with_events(X, every, np.full(len(X), 33.0), np.zeros(len(X)), 3.0)
    early = X.queries.time == 30.0
    np.testing.assert_array_equal(np.asarray(model.predict(between))[early], np.asarray(model.predict(X))[early])
    if not isinstance(model, ChannelMeanForecaster):
        assert (np.asarray(model.predict(between)) != np.asarray(model.predict(X))).any()


@each_forecaster
def test_shifting_all_times_changes_nothing(forecaster, fitted, data, new):
    """Only differences of times matter, in fitting and in predicting."""
    X, model = new[0], fitted[repr(forecaster)]
    by = 1024.0  # keeps the spacing of float64 times nearly exact
    moved = clone(forecaster).fit(shifted(data[0], by), _shifted_targets(data, by))

    np.testing.assert_allclose(model.predict(shifted(X, by)), model.predict(X), rtol=1e-4)
    np.testing.assert_allclose(moved.predict(X), model.predict(X), rtol=1e-3)


@each_forecaster
def test_the_unit_of_time_does_not_matter(forecaster, fitted, data, new):
    """Hours or quarters of an hour give the same forecast."""
    faster = [_rescaled(X, y, 4.0) for X, y in (data, new)]
    model = clone(forecaster).fit(*faster[0])

    np.testing.assert_allclose(model.predict(faster[1][0]), fitted[repr(forecaster)].predict(new[0]), rtol=1e-3)


@each_forecaster
def test_order_of_simultaneous_events_does_not_matter(forecaster, fitted, new):
    """Rows of one time may come in any order, even of one channel."""
    X = new[0]
    time, channel, value = [20.0] * 3, [1, 1, 0], [4.0, 8.0, 2.0]
    forward = with_events(X, [3, 3, 3], time, channel, value)
    backward = with_events(X, [3, 3, 3], time, channel[::-1], value[::-1])
    model = fitted[repr(forecaster)]

    np.testing.assert_allclose(model.predict(backward), model.predict(forward), rtol=1e-6)


# ---- channels --------------------------------------------------------------------------------------


@each_forecaster
def test_channels_are_matched_by_name(forecaster, fitted, new):
    """Another order of channels gives the same forecasts, numbered as the panel numbers them."""
    model, X = fitted[repr(forecaster)], new[0]
    renamed = X.with_channels(["Temp", "HR", "Lactate"])
    y_hat = model.predict(renamed)

    np.testing.assert_array_equal(y_hat, model.predict(X))
    assert y_hat.channels == ("Temp", "HR", "Lactate")


@each_forecaster
def test_missing_channels_are_fine(forecaster, fitted):
    """A panel that never had a channel is one that did not observe it."""
    model = fitted[repr(forecaster)]
    X = draw_panel(5, seed=3)
    lacking = X.where(X.channel != 2)
    asked = lacking.with_queries([30.0], ["HR", "Lactate"])

    np.testing.assert_array_equal(model.predict(asked.with_channels(["HR", "Lactate"])), model.predict(asked))


# ---- borders ---------------------------------------------------------------------------------------


@each_forecaster
def test_empty_panel(forecaster, fitted, data):
    """Nothing in, nothing out; but nothing to fit is an error."""
    model, (X, y) = fitted[repr(forecaster)], data

    assert len(model.predict(X[:0])) == 0
    assert model.predict(X[:0], times=[30.0]).n_events == 0
    assert model.predict_quantiles(X[:0], [0.1, 0.9]).shape == (0, 2)
    with pytest.raises(ValueError, match="X has no records; got an empty panel"):
        clone(forecaster).fit(X[:0], y[:0])


@each_forecaster
def test_record_without_context_gets_the_mean(forecaster, fitted, new):
    """No event before the query leaves the channel's training mean."""
    model, X = fitted[repr(forecaster)], new[0][:2]
    empty = X.where(X.record != 1).with_queries([30.0])
    y_hat = model.predict(empty)

    np.testing.assert_allclose(y_hat[1], model.channel_means_, rtol=1e-6)
    assert np.isfinite(model.predict_interval(empty)).all()


@each_forecaster
def test_panel_without_any_event_can_be_fitted(forecaster, new):
    """With targets but no context the mean is all there is."""
    X, y = new
    model = clone(forecaster).fit(X.where(np.zeros(X.n_events, dtype=bool)), y)
    np.testing.assert_allclose(
        model.predict(X.where(np.zeros(X.n_events, dtype=bool)))[0], model.channel_means_[y[0].channel]
    )


@each_forecaster
def test_one_record_can_be_fitted(forecaster, data, new):
    """One record is little, but legal."""
    X, y = data
    assert np.isfinite(np.asarray(clone(forecaster).fit(X[:1], y[:1]).predict(new[0]))).all()


@each_forecaster
def test_unknown_targets_are_left_out(forecaster, data, new):
    """NaN targets in training equal queries that were never asked."""
    X, y = data
    known = np.arange(len(y.value)) % 3 > 0
    lengths = np.bincount(y.record[known], minlength=len(y))
    queries = Queries(np.append(0, np.cumsum(lengths)), y.time[known], y.channel[known])
    fewer = clone(forecaster).fit(
        X.with_queries(queries=queries), Targets(queries, y.value[known], X.records, X.channels)
    )
    with_nan = clone(forecaster).fit(X, y.with_values(np.where(known, y.value, np.nan)))

    np.testing.assert_array_equal(with_nan.predict(new[0]), fewer.predict(new[0]))


def test_channel_never_seen_in_training():
    """Without target or value a channel answers with its last value, else 0."""
    X, y = split(draw_panel(unobserved=[2]))
    model = LastValueForecaster().fit(X, y)
    grid = model.predict(with_events(X, [0], [23.9], [2], [37.0]), times=[30.0])

    np.testing.assert_array_equal(grid.value[grid.channel == 2][:2], [37.0, 0.0])
    assert model.score(X, y) == pytest.approx(model.score(X.with_channels(CHANNELS), y))


def _rows(y, record):
    return slice(y.offsets[record], y.offsets[record + 1])


def _shifted_targets(data, by):
    X, y = data
    return Targets(shifted(X, by).queries, y.value, y.records, y.channels)


def _rescaled(X, y, factor):
    queries = Queries(y.offsets, y.time * factor, y.channel)
    return IrregularPanel._trusted(X, time=X.time * factor, queries=queries), Targets(
        queries, y.value, y.records, y.channels
    )
