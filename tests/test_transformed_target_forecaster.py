"""A forecaster behind scalers: context and targets are scaled alike, and forecasts come back in the units of the data."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from cndts import Extrapolation
from cndts.datasets import make_icu
from cndts.estimators import ChannelMeanForecaster, LastValueForecaster, RidgeForecaster, TransformedTargetForecaster
from cndts.transforms import (
    ChannelLogTransformer,
    ChannelQuantileTransformer,
    ChannelStandardScaler,
    GapStatistics,
    GridResampler,
    TimeFeatures,
    ValueClipper,
)


@pytest.fixture(scope="module")
def data():
    X, y = Extrapolation(observe=24, horizon=24).split(make_icu(60, random_state=0))
    return X[:40], y[:40], X[40:], y[40:]


def test_the_mean_of_logarithms_comes_back_as_geometric_mean(data):
    X, y, X_test, y_test = data
    model = TransformedTargetForecaster(ChannelMeanForecaster(), ChannelLogTransformer()).fit(X, y)
    forecast = model.predict(X_test)

    for channel in range(len(X.channels)):
        expected = np.exp(np.log(y.value[y.channel == channel]).mean())
        np.testing.assert_allclose(forecast.value[y_test.channel == channel], expected, rtol=1e-4)


def test_a_forecaster_that_scaling_does_not_change_gives_the_same(data):
    """Where a channel was observed before, the last value is the last value, and intervals have the same width."""
    X, y, X_test, _ = data
    plain = LastValueForecaster().fit(X, y)
    scaled = TransformedTargetForecaster(LastValueForecaster(), ChannelStandardScaler()).fit(X, y)

    close = np.isclose(scaled.predict(X_test).value, plain.predict(X_test).value, rtol=1e-4)
    widths = [np.diff(model.predict_interval(X_test), axis=1)[:, 0] for model in (plain, scaled)]
    assert close.mean() > 0.95
    assert np.isclose(*widths, rtol=0.02).mean() > 0.9
    assert scaled.score(X_test, data[3]) == pytest.approx(plain.score(X_test, data[3]), abs=0.02)


def test_quantiles_rise_and_frame_the_median(data):
    X, y, X_test, _ = data
    model = TransformedTargetForecaster(RidgeForecaster(), ChannelQuantileTransformer()).fit(X, y)
    bands = model.predict_quantiles(X_test, [0.9, 0.1, 0.5])

    assert (bands[:, 1] <= bands[:, 2]).all()
    assert (bands[:, 2] <= bands[:, 0]).all()
    np.testing.assert_allclose(bands[:, [1, 0]], model.predict_interval(X_test, 0.8), rtol=1e-5)
    assert np.abs(bands - X.value.mean()).max() < 1e4, "in the units of the data"


def test_whole_pipelines_stand_before_a_forecaster(data):
    X, y, X_test, y_test = data
    steps = make_pipeline(
        ValueClipper(),
        GridResampler(0.5, how="last"),
        TimeFeatures(),
        ChannelLogTransformer(["Lactate"]),
        ChannelStandardScaler(),
    )
    model = TransformedTargetForecaster(RidgeForecaster(), steps).fit(X, y, X_val=X_test, y_val=y_test)

    assert model.score(X_test, y_test) > 0.1
    assert model.predict(X_test, times=[30.0]).channels == X.channels
    assert "day_sin" in model.forecaster_.channels_in_


def test_steps_that_keep_the_units_work_in_plain_pipelines(data):
    X, y, X_test, y_test = data
    model = make_pipeline(ValueClipper(), TimeFeatures(), RidgeForecaster()).fit(X, y)

    assert model.score(X_test, y_test) > 0.1


def test_settings_inside_are_searched(data):
    X, y, *_ = data
    model = TransformedTargetForecaster(RidgeForecaster(), ChannelStandardScaler())
    search = GridSearchCV(model, {"transformer": [ChannelStandardScaler(), ChannelLogTransformer()]}, cv=2).fit(X, y)

    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_nothing_given_is_changed(data):
    X, y, *_ = data
    forecaster, transformer = LastValueForecaster(), ChannelStandardScaler()
    model = clone(TransformedTargetForecaster(forecaster, transformer))
    model.fit(X, y)

    assert not hasattr(transformer, "channels_in_")
    assert not hasattr(forecaster, "channels_in_")
    assert isinstance(TransformedTargetForecaster().fit(X, y).forecaster_, RidgeForecaster)


def test_a_transformer_that_gives_no_panel_is_refused(data):
    X, y, *_ = data
    with pytest.raises(
        TypeError, match="must give a panel with the queries it was given; got ndarray from GapStatistics"
    ):
        TransformedTargetForecaster(LastValueForecaster(), GapStatistics()).fit(X, y)


def test_saved_and_loaded_it_forecasts_the_same(data, tmp_path):
    X, y, X_test, _ = data
    steps = make_pipeline(ValueClipper(), TimeFeatures({"day": 24.0}), ChannelQuantileTransformer(11))
    model = TransformedTargetForecaster(LastValueForecaster(), steps).fit(X, y)
    model.save(tmp_path / "model")
    loaded = TransformedTargetForecaster.load(tmp_path / "model")

    np.testing.assert_array_equal(loaded.predict(X_test).value, model.predict(X_test).value)
    np.testing.assert_array_equal(loaded.predict_interval(X_test), model.predict_interval(X_test))


def test_distributions_are_in_the_units_of_the_data(data):
    X, y, X_test, _ = data
    model = TransformedTargetForecaster(LastValueForecaster(), ChannelLogTransformer()).fit(X, y)
    median = model.predict_distribution(X_test).quantile([0.5])

    np.testing.assert_allclose(median.ravel(), model.predict_quantiles(X_test, [0.5]).ravel(), rtol=1e-3)
