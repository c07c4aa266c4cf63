"""SktimeImputer fills what is missing, and nothing else."""

import warnings

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime", reason='sktime is absent: pip install "cndts[sktime]"')

from cndts.datasets import make_oscillators
from cndts.estimators import HybridMemoryInterpolator, LastValueForecaster, LinearInterpolator, NearestInterpolator
from cndts.estimators.sktime import SktimeImputer, to_sktime
from cndts.training import Training

HOURS = pd.to_timedelta([0.0, 1.0, 4.0, 5.0, 9.0], unit="h")


@pytest.fixture
def series() -> pd.DataFrame:
    return pd.DataFrame(
        {"x": [0.1, np.nan, 8.1, np.nan, 3.0], "y": [np.nan, 2.0, np.nan, 2.0, np.nan]},
        index=pd.Timestamp("2024-01-01") + HOURS,
    )


def test_line_by_hand(series: pd.DataFrame) -> None:
    filled = SktimeImputer(LinearInterpolator()).fit_transform(series)
    assert filled["x"].tolist() == pytest.approx([0.1, 2.1, 8.1, 7.08, 3.0])
    assert filled["y"].tolist() == [2.0] * 5


def test_observed_values_stay_to_the_last_bit(series: pd.DataFrame) -> None:
    """They do not pass through float32."""
    filled = SktimeImputer(NearestInterpolator()).fit_transform(series)
    assert (filled["x"][series["x"].notna()] == series["x"].dropna()).all()
    assert filled.index.equals(series.index)


@pytest.mark.parametrize("index", [HOURS, pd.Index([0, 1, 4, 5, 9]), pd.PeriodIndex(["2024-01"], freq="M")[[0] * 5]])
def test_other_indices(series: pd.DataFrame, index: pd.Index) -> None:
    if isinstance(index, pd.PeriodIndex):
        index = index + np.array([0, 1, 4, 5, 9])
    filled = SktimeImputer(LinearInterpolator()).fit_transform(series.set_axis(index))
    assert filled["x"].tolist() == pytest.approx([0.1, 2.1, 8.1, 7.08, 3.0])


def test_panels_and_hierarchies(series: pd.DataFrame) -> None:
    """Instances do not lend each other values between which to draw a line."""
    panel = pd.concat({"b": series, "a": series * 10}, names=["id", "time"])
    filled = SktimeImputer(LinearInterpolator()).fit_transform(panel)
    assert filled.index.equals(panel.index)
    np.testing.assert_allclose(filled.loc["a"], filled.loc["b"] * 10, rtol=1e-6)
    nested = pd.concat({"w": panel}, names=["ward"])
    np.testing.assert_allclose(SktimeImputer(LinearInterpolator()).fit_transform(nested), filled)


def test_a_forecaster_fills_from_the_past(series: pd.DataFrame) -> None:
    filled = SktimeImputer(LastValueForecaster()).fit_transform(series)
    assert filled["x"].tolist() == pytest.approx([0.1, 0.1, 8.1, 8.1, 3.0])


def test_fitted_on_one_series_fills_another(series: pd.DataFrame) -> None:
    model = SktimeImputer(LinearInterpolator()).fit(series)
    other = series.set_axis(series.index + pd.Timedelta("400D"))
    np.testing.assert_allclose(model.transform(other), model.transform(series))


def test_neural_interpolator() -> None:
    X = to_sktime(make_oscillators(12, random_state=0), exact=False)
    model = HybridMemoryInterpolator(width=8, training=Training(epochs=1, members=1), random_state=0)
    holes = X.mask(np.random.default_rng(0).random(X.shape) < 0.2)
    filled = SktimeImputer(model).fit(X).transform(holes)
    assert not filled.isna().to_numpy().any()
    seen = holes.notna().to_numpy()
    assert (filled.to_numpy()[seen] == holes.to_numpy()[seen]).all()


def test_in_a_pipeline(series: pd.DataFrame) -> None:
    """Before a forecaster of sktime that takes no missing values."""
    from sktime.forecasting.trend import TrendForecaster

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # what sktime 1.3 will change about remember_data
        model = SktimeImputer(LinearInterpolator()) * TrendForecaster()
        forecast = model.fit(series[["x"]]).predict(series.index[-1:] + pd.Timedelta("1h"))
    assert np.isfinite(forecast.to_numpy()).all()


def test_wrong_interpolator(series: pd.DataFrame) -> None:
    with pytest.raises(TypeError, match="interpolator or forecaster of cndts.estimators; got str"):
        SktimeImputer("linear").fit(series)  # type: ignore[arg-type]
