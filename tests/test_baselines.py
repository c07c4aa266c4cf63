"""Each baseline against a closed form or a case small enough to work out by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor

import cndts.estimators
from cndts.estimators import (
    BoostedTreesForecaster,
    BoostedTreesInterpolator,
    ChannelMeanForecaster,
    DecayToMeanForecaster,
    LastValueForecaster,
    LinearInterpolationForecaster,
    RidgeForecaster,
    _boosted_trees_forecaster,
)
from cndts.estimators._channel_search import search_by_channel
from cndts.estimators._residual_quantiles import ResidualQuantiles
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.targets import Targets

TABULAR = [RidgeForecaster(), RidgeForecaster(features="all"), BoostedTreesForecaster(random_state=0)]


def one_channel(context, asked):
    """A panel and targets of one channel from a list of (times, values) of each record."""
    times, values = zip(*context, strict=True)
    query_times, targets = zip(*asked, strict=True)
    offsets, query_offsets = np.cumsum([0, *map(len, times)]), np.cumsum([0, *map(len, query_times)])
    query_time = np.concatenate(query_times)
    queries = Queries(query_offsets, query_time, np.zeros(len(query_time), dtype=int))
    time = np.concatenate(times)
    X = IrregularPanel(
        offsets, time, np.zeros(len(time), dtype=int), np.concatenate(values), channels=["x"], queries=queries
    )
    return X, Targets(queries, np.concatenate(targets), X.records, X.channels)


def two_channels(n_records=300, seed=0):
    """Channel ``echo`` follows what ``driver`` was last; both are seen three times before the query at 4."""
    rng = np.random.default_rng(seed)
    driver, echo = rng.normal(size=(2, n_records, 3))
    value = np.stack([driver, echo], axis=-1).ravel()
    X = IrregularPanel(
        np.arange(n_records + 1) * 6,
        np.tile(np.repeat([1.0, 2.0, 3.0], 2), n_records),
        np.tile([0, 1], 3 * n_records),
        value,
        channels=["driver", "echo"],
    ).with_queries([4.0])
    target = np.column_stack([driver.mean(axis=1), 2 * driver[:, -1] + 5]).ravel()
    return X, Targets(X.queries, target, X.records, X.channels)


# ---- last value, mean, decay -----------------------------------------------------------------------


def test_last_value_and_mean():
    """The latest value at or before the query, the mean of the training targets."""
    X, y = one_channel([([0, 2, 5], [1, 2, 9]), ([], [])], [([3, 2, -1, 7], [0, 0, 0, 4]), ([1], [6])])

    np.testing.assert_array_equal(LastValueForecaster().fit(X, y).predict(X), [2, 2, 2, 9, 2])
    np.testing.assert_array_equal(ChannelMeanForecaster().fit(X, y).predict(X), np.full(5, 2.0))


def test_mean_of_context_where_no_target_is_known():
    """A channel that is never a target has the mean of its context values."""
    X, _ = two_channels(3)
    only_echo = X.with_queries([4.0], ["echo"])
    model = ChannelMeanForecaster().fit(only_echo, Targets(only_echo.queries, np.arange(3.0), X.records, X.channels))

    assert model.channel_means_[0] == pytest.approx(X.value[X.channel == 0].mean(), rel=1e-5)


@given(st.floats(0.01, 10.0), st.integers(0, 2**31))
def test_decay_recovers_its_rate(rate, seed):
    """Targets that decay exactly are fitted exactly."""
    rng = np.random.default_rng(seed)
    last = rng.normal(size=20)
    last -= last.mean()
    age = 0.5 / rate
    X, y = one_channel(
        [([0], [x]) for x in last], [([age, 2 * age], [x * np.exp(-0.5), x * np.exp(-1.0)]) for x in last]
    )
    model = DecayToMeanForecaster().fit(X, y)

    assert model.rates_[0] == pytest.approx(rate, rel=1e-3)
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-3, atol=1e-6)


def test_decay_lies_between_last_value_and_mean():
    """Young values persist, old ones are forgotten."""
    X, y = one_channel([([0], [8.0]), ([0], [-8.0])], [([1], [4.0]), ([1], [-4.0])])
    model = DecayToMeanForecaster().fit(X, y)

    np.testing.assert_allclose(model.predict(X.with_queries([0.0, 1000.0])), [8, 0, -8, 0], atol=1e-5)


def test_search_finds_a_minimum_for_every_channel():
    """Each channel its own; a channel without targets gets the lower bound."""
    wanted, channel = np.array([0.02, 3.0, 700.0]), np.array([0, 1, 2])
    found = search_by_channel(lambda x: np.log(x / wanted), channel, 4, 1e-3, 1e3)

    np.testing.assert_allclose(found, [*wanted, 1e-3], rtol=1e-2)


# ---- linear interpolation --------------------------------------------------------------------------


@given(st.lists(st.floats(0, 100), min_size=2, max_size=10, unique=True), st.floats(-5, 105))
def test_interpolation_equals_numpy(times, at):
    """Inside the span the line, outside the nearest value: what numpy.interp computes."""
    times = np.sort(times)
    values = np.sin(times)
    X, y = one_channel([(times, values)], [([at], [0.0])])

    forecast = np.asarray(LinearInterpolationForecaster().fit(X, y).predict(X))[0]
    assert forecast == pytest.approx(np.interp(at, times, values.astype(np.float32)), abs=1e-5)


def test_damped_trend_has_its_closed_form():
    """The slope of the last two values, levelling off with the given time constant."""
    X, y = one_channel([([0, 1, 3], [9, 1, 5])], [([4, 1e9], [0, 0])])
    model = LinearInterpolationForecaster("damped-trend", damping_time=2.0).fit(X, y)

    np.testing.assert_allclose(model.predict(X), [5 + 2 * 2 * (1 - np.exp(-0.5)), 5 + 2 * 2], rtol=1e-6)


def test_fitted_damping_minimises_the_error():
    """Targets of a trend with a known time constant give it back."""
    rng = np.random.default_rng(0)
    start, slope, age = rng.normal(size=(3, 40))
    age = 1 + age**2
    target = start + slope + slope * 3.0 * (1 - np.exp(-age / 3.0))
    context = [([0, 1], [x, x + s]) for x, s in zip(start, slope, strict=True)]
    X, y = one_channel(context, [([1 + a], [t]) for a, t in zip(age, target, strict=True)])

    assert LinearInterpolationForecaster("damped-trend").fit(X, y).damping_times_[0] == pytest.approx(3.0, rel=1e-2)


def test_interpolation_parameters_are_checked_in_fit():
    """Errors say what was got and what is possible."""
    X, y = one_channel([([0], [1])], [([1], [1])])
    with pytest.raises(ValueError, match="extrapolation must be 'last' or 'damped-trend'; got 'linear'"):
        LinearInterpolationForecaster("linear").fit(X, y)
    with pytest.raises(ValueError, match=r"damping_time must be positive \(time units\) or None; got -1.0"):
        LinearInterpolationForecaster("damped-trend", damping_time=-1.0).fit(X, y)


# ---- ridge and trees -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", TABULAR[1:], ids=repr)
def test_other_channels_are_read(model):
    """A channel that follows another one can only be forecast from that other one."""
    model.fit(*two_channels())
    X, y = two_channels(200, seed=1)
    echo = y.channel == 1
    error = np.mean((np.asarray(y) - np.asarray(model.predict(X)))[echo] ** 2)

    assert error < 0.3 * np.var(np.asarray(y)[echo])


def test_own_features_do_not_read_other_channels():
    """With features of the own channel alone, the driver's values change nothing for the echo."""
    X, y = two_channels(50)
    model = RidgeForecaster(features="own").fit(X, y)
    moved = IrregularPanel._trusted(X, value=np.where(X.channel == 0, -X.value, X.value))
    echo = y.channel == 1

    np.testing.assert_array_equal(np.asarray(model.predict(moved))[echo], np.asarray(model.predict(X))[echo])


@pytest.mark.parametrize("model", TABULAR, ids=repr)
def test_feature_names(model):
    """One name for every column that the model of a channel reads."""
    X, y = two_channels(30)
    names = model.fit(X, y).get_feature_names("echo")

    assert len(names) == len(set(names)) == model._rows(model._summarise(X), 1).design.shape[1]
    assert ("driver: last" in names) == (model.features != "own")
    assert ("driver: age" in names) == (model.features == "all")
    assert not any(name.startswith("echo: ") for name in names)
    with pytest.raises(ValueError, match="unknown channel 'Sodium'; the forecaster was fitted on"):
        model.get_feature_names("Sodium")


@pytest.mark.parametrize("model", [*TABULAR, BoostedTreesInterpolator(random_state=0)], ids=repr)
def test_categories_are_read(model):
    """A category that decides the targets decides forecasts; one that was not fitted is none of them, and the column must be there."""
    X, y = two_channels(300)
    ward = pd.Series(np.where(np.arange(300) % 2, "north", "south"))
    X = X.with_static(pd.DataFrame({"ward": ward}))
    y = Targets(X.queries, np.asarray(y) + 20 * (ward == "north").to_numpy()[y.record], X.records, X.channels)
    model = clone(model).fit(X, y)
    north, south, new, unknown = (
        model.predict(X.with_static(pd.DataFrame({"ward": [name] * 300}))).value
        for name in ("north", "south", "new", None)
    )

    assert (north - south).min() > 10
    np.testing.assert_array_equal(new, unknown)
    with pytest.raises(ValueError, match=r"static table lacks the columns \['ward'\].*Add them"):
        model.predict(X.with_static(pd.DataFrame(index=X.records)))
    assert [name for name in model.get_feature_names("echo") if "static" in name][-2:] == [
        f"{'before: ' if isinstance(model, BoostedTreesInterpolator) else ''}static: ward = {name}"
        for name in ("north", "south")
    ]


def test_ridge_stays_in_the_range_of_the_targets():
    """A wild observation cannot carry a forecast beyond what was seen."""
    X, y = two_channels(100)
    model = RidgeForecaster().fit(X, y)
    wild = IrregularPanel._trusted(X, value=(X.value * 1e4).astype(np.float32))
    correction = (np.asarray(model.predict(wild)) - model._anchor(wild)) / model.channel_scales_[y.channel]
    trained = model._remainder(X, y)

    assert trained.min() - 1e-2 <= correction.min() and correction.max() <= trained.max() + 1e-2


@pytest.mark.parametrize("features", ["some", None])
def test_features_are_checked_in_fit(features):
    """The two possible values are named."""
    with pytest.raises(ValueError, match=r"features must be one of \['own', 'last', 'all'\]; got"):
        RidgeForecaster(features).fit(*two_channels(5))


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error"])
def test_trees_stop_on_the_records_given(loss):
    """The rounds in use have the least loss on the validation records, counting none at all."""
    X, y = two_channels(200)
    X_val, y_val = two_channels(60, seed=1)
    model = BoostedTreesForecaster(loss=loss, max_iter=40, random_state=0).fit(X, y, X_val=X_val, y_val=y_val)
    power = 2 if loss == "squared_error" else 1
    for channel, shortened in model.models_.items():
        rows = model._rows(model._summarise(X_val), channel, model._remainder(X_val, y_val))
        losses = [np.mean(np.abs(rows.target - shortened.constant) ** power)]
        losses += [
            np.mean(np.abs(rows.target - stage) ** power) for stage in shortened.boosting.staged_predict(rows.design)
        ]
        assert shortened.n_rounds == np.argmin(losses)
        assert np.mean(np.abs(rows.target - shortened.predict(rows.design)) ** power) == pytest.approx(min(losses))


def test_trees_hold_out_records_without_validation_records():
    """A share of the records, drawn by the random state, decides; fits repeat exactly."""
    X, y = two_channels(100)
    model, again = (BoostedTreesForecaster(max_iter=20, random_state=3).fit(X, y) for _ in range(2))
    other = BoostedTreesForecaster(max_iter=20, random_state=4).fit(X, y)

    assert len(model.held_out_records_) == 15
    np.testing.assert_array_equal(model.predict(X), again.predict(X))
    assert not np.array_equal(model.held_out_records_, other.held_out_records_)
    assert len(BoostedTreesForecaster(max_iter=5).fit(X, y, X_val=X[:20], y_val=y[:20]).held_out_records_) == 0


def test_trees_without_a_fit_on_given_rows(monkeypatch):
    """scikit-learn before 1.7 has no X_val: the rounds in use are the same."""
    X, y = two_channels(100)
    expected = BoostedTreesForecaster(max_iter=30, random_state=0).fit(X, y)
    monkeypatch.setattr(_boosted_trees_forecaster, "signature", lambda _: type("", (), {"parameters": {}}))
    model = BoostedTreesForecaster(max_iter=30, random_state=0).fit(X, y)

    assert model.n_rounds_ == expected.n_rounds_
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))


def test_trees_defaults_are_passed_on():
    """Every setting reaches scikit-learn's estimator under the same name."""
    X, y = two_channels(40)
    settings = {"learning_rate": 0.3, "max_iter": 3, "max_leaf_nodes": 4, "min_samples_leaf": 7, "max_features": 0.5}
    boosting = BoostedTreesForecaster(**settings, l2_regularization=2.0).fit(X, y).models_[0].boosting

    assert isinstance(boosting, HistGradientBoostingRegressor)
    assert settings.items() <= boosting.get_params().items()
    assert boosting.l2_regularization == 2.0


def test_trees_parameters_are_checked_in_fit():
    """Errors say what was got and what is possible."""
    X, y = two_channels(5)
    with pytest.raises(ValueError, match="loss must be 'squared_error' or 'absolute_error'; got 'gamma'"):
        BoostedTreesForecaster(loss="gamma").fit(X, y)
    with pytest.raises(ValueError, match="validation_fraction must lie between 0 and 1; got 2"):
        BoostedTreesForecaster(validation_fraction=2).fit(X, y)


# ---- residual quantiles ----------------------------------------------------------------------------


def test_quantiles_equal_numpy_in_each_cell():
    """Channel and horizon band have their own residuals where there are enough."""
    rng = np.random.default_rng(0)
    channel, horizon = rng.integers(0, 2, 4000), rng.uniform(0, 4, 4000)
    residual = rng.normal(size=4000) * (1 + channel) * (1 + horizon)
    quantiles = ResidualQuantiles(n_bands=4).fit(residual, channel, horizon, [1.0, 2.0])
    edges = np.quantile(horizon, [0.25, 0.5, 0.75])
    cell = (channel == 1) & (horizon > edges[1]) & (horizon <= edges[2])

    got = quantiles.predict([1], [(edges[1] + edges[2]) / 2], [0.1, 0.5, 0.9])[0]
    np.testing.assert_allclose(got, np.quantile(residual[cell], [0.1, 0.5, 0.9]), rtol=0.02, atol=0.02)


def test_rare_channels_borrow_from_all():
    """A channel with few residuals has the spread of the others in its own unit."""
    rng = np.random.default_rng(0)
    residual = np.append(rng.normal(size=1000), 0.0)
    channel = np.append(np.zeros(1000, dtype=int), 1)
    quantiles = ResidualQuantiles().fit(residual, channel, np.ones(1001), [1.0, 10.0])
    common, rare, unseen = quantiles.predict([0, 1, 1], [1.0, 1.0, np.nan], [0.2])[:, 0]

    assert rare == pytest.approx(10 * common, rel=0.01)
    assert unseen == pytest.approx(rare, rel=0.01)


@given(st.lists(st.floats(0.001, 0.999), min_size=2, max_size=8))
def test_quantiles_never_cross(levels):
    """A higher probability has a higher quantile, whatever the levels."""
    rng = np.random.default_rng(1)
    quantiles = ResidualQuantiles().fit(
        rng.normal(size=300), rng.integers(0, 3, 300), rng.uniform(size=300), np.ones(3)
    )
    table = quantiles.predict([0, 1, 2], [0.1, np.nan, 9.0], np.sort(levels))

    assert (np.diff(table, axis=1) >= 0).all()


# ---- the package -----------------------------------------------------------------------------------


def test_exports_exist():
    """Names in ``__all__`` resolve to classes of the same name, other names do not."""
    for name in set(cndts.estimators.__all__) - {"HybridMemoryForecaster"}:
        assert getattr(cndts.estimators, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = cndts.estimators.Nothing
