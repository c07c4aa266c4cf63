"""Aligned metrics meet truth and forecast by index, and average as cndts does."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime", reason='sktime is absent: pip install "cndts[sktime]"')

from sktime.performance_metrics.forecasting import MeanAbsoluteError, MeanSquaredError
from sktime.performance_metrics.forecasting.probabilistic import EmpiricalCoverage, PinballLoss

from cndts.estimators.sktime import (
    AlignedAbsoluteError,
    AlignedCoverage,
    AlignedCRPS,
    AlignedPinballLoss,
    AlignedSquaredError,
)

START = pd.Timestamp("2024-01-01")
RNG = np.random.default_rng(0)


def index_of(hours: list[float]) -> pd.DatetimeIndex:
    return START + pd.to_timedelta(hours, unit="h")


@pytest.fixture
def truth() -> pd.DataFrame:
    first = pd.DataFrame({"HR": [1.0, 2.0], "Temp": [np.nan, 5.0]}, index=index_of([0.5, 3.0]))
    second = pd.DataFrame({"HR": [7.0], "Temp": [8.0]}, index=index_of([1.25]))
    return pd.concat({"a": first, "b": second}, names=["id", "time"])


@pytest.fixture
def forecast() -> pd.DataFrame:
    """Every instance at the times of all, the second one first."""
    each = pd.DataFrame({"HR": [0.0, 0.0, 0.0], "Temp": [1.0, 1.0, 1.0]}, index=index_of([0.5, 1.25, 3.0]))
    return pd.concat({"b": each, "a": each}, names=["id", "time"])


def test_by_hand(truth: pd.DataFrame, forecast: pd.DataFrame) -> None:
    """Errors: HR 1, 2, 7; Temp 4, 7."""
    assert AlignedAbsoluteError()(truth, forecast) == pytest.approx(21 / 5)
    assert AlignedSquaredError()(truth, forecast) == pytest.approx((1 + 4 + 49 + 16 + 49) / 5)
    assert AlignedAbsoluteError("channel")(truth, forecast) == pytest.approx((10 / 3 + 11 / 2) / 2)
    assert AlignedAbsoluteError("record")(truth, forecast) == pytest.approx((7 / 3 + 14 / 2) / 2)


def test_the_order_of_rows_does_not_matter(truth: pd.DataFrame, forecast: pd.DataFrame) -> None:
    shuffled = forecast.sample(frac=1, random_state=1)
    assert AlignedAbsoluteError()(truth, shuffled) == AlignedAbsoluteError()(truth, forecast)


def test_equal_to_sktime_on_equal_rows() -> None:
    index = index_of([0.0, 0.7, 3.1, 8.0])
    y = pd.DataFrame({"HR": RNG.normal(size=4)}, index=index)
    alpha = [0.1, 0.5, 0.9]
    bands = pd.DataFrame(np.sort(RNG.normal(size=(4, 3)), axis=1), index=index)
    bands.columns = pd.MultiIndex.from_product([["HR"], alpha])
    point = bands[("HR", 0.5)].to_frame("HR")
    interval = pd.DataFrame({("HR", 0.8, "lower"): bands["HR", 0.1], ("HR", 0.8, "upper"): bands["HR", 0.9]})
    assert AlignedAbsoluteError()(y, point) == pytest.approx(MeanAbsoluteError()(y, point), rel=1e-6)
    assert AlignedSquaredError()(y, point) == pytest.approx(MeanSquaredError()(y, point), rel=1e-6)
    assert AlignedPinballLoss(alpha)(y, bands) == pytest.approx(PinballLoss(alpha=alpha)(y, bands), rel=1e-6)
    assert AlignedCoverage(0.8)(y, interval) == pytest.approx(EmpiricalCoverage(coverage=0.8)(y, interval))


def test_crps_is_twice_the_pinball_loss_at_even_levels() -> None:
    alpha = [0.125, 0.375, 0.625, 0.875]
    y = pd.DataFrame({"HR": [0.3, 2.0]}, index=index_of([0.0, 0.7]))
    bands = pd.DataFrame([[0.0, 1.0, 2.0, 3.0]] * 2, index=y.index)
    bands.columns = pd.MultiIndex.from_product([["HR"], alpha])
    assert AlignedCRPS(alpha)(y, bands) == pytest.approx(2 * AlignedPinballLoss(alpha)(y, bands), rel=1e-6)


def test_a_value_without_forecast_is_an_error(truth: pd.DataFrame, forecast: pd.DataFrame) -> None:
    """Else leaving a hard time out would raise the score."""
    with pytest.raises(ValueError, match="1 of 5 true values have no forecast; the first is 'HR' at .*00:30"):
        AlignedAbsoluteError()(truth, forecast.drop(index=("a", index_of([0.5])[0])))
    forecast.loc[("a", index_of([3.0])[0]), "Temp"] = np.nan
    with pytest.raises(ValueError, match="'Temp'"):
        AlignedAbsoluteError()(truth, forecast)


def test_what_cannot_be_scored(truth: pd.DataFrame, forecast: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="no known value"):
        AlignedAbsoluteError()(truth * np.nan, forecast)
    with pytest.raises(ValueError, match="twice"):
        AlignedAbsoluteError()(truth, pd.concat([forecast, forecast]))
    with pytest.raises(ValueError, match="2 columns, the forecast 1"):
        AlignedAbsoluteError()(truth, forecast[["HR"]])
    with pytest.raises(ValueError, match=r"ask for predict_quantiles\(alpha=\[0.3\]\)"):
        AlignedPinballLoss([0.3])(truth, pd.DataFrame({("HR", 0.5): [1.0]}, index=truth.index[:1]))
    with pytest.raises(ValueError, match="coverage=0.9"):
        AlignedCoverage()(truth, pd.DataFrame({("HR", 0.5, "lower"): [1.0]}, index=truth.index[:1]))
