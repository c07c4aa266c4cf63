"""SktimeForecaster on irregular series, panels and hierarchies, and equal to the native interface."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime", reason='sktime is absent: pip install "cndts[sktime]"')

from sktime.forecasting.base import ForecastingHorizon

from cndts import IrregularPanel
from cndts.datasets import make_icu
from cndts.estimators import ChannelMeanForecaster, HybridMemoryForecaster, LastValueForecaster, RidgeForecaster
from cndts.estimators.sktime import SktimeForecaster, from_sktime, to_sktime
from cndts.estimators.sktime._training_pairs import training_pairs
from cndts.training import Training

START = pd.Timestamp("2024-01-01")


def frame(hours: list[float], *columns: list[float | None], zone: str | None = None) -> pd.DataFrame:
    names = ["HR", "Temp"][: len(columns)]
    index = (START + pd.to_timedelta(hours, unit="h")).tz_localize(zone)
    return pd.DataFrame(dict(zip(names, columns, strict=True)), index=index, dtype=float)


def last_value(**options: object) -> SktimeForecaster:
    return SktimeForecaster(LastValueForecaster(), **options)  # type: ignore[arg-type]


def after(*hours: float) -> ForecastingHorizon:
    return ForecastingHorizon(pd.to_timedelta(hours, unit="h"))


def at(*hours: float) -> ForecastingHorizon:
    return ForecastingHorizon(START + pd.to_timedelta(hours, unit="h"), is_relative=False)


@pytest.fixture
def series() -> pd.DataFrame:
    return frame([0.0, 0.3, 4.0, 9.5], [80.0, 82.0, None, 90.0], [None, 36.5, 37.0, None])


@pytest.fixture
def panel(series: pd.DataFrame) -> pd.DataFrame:
    return pd.concat({"b": series, "a": series.iloc[:2] + 1}, names=["id", "time"])


@pytest.fixture(scope="module")
def tiny() -> HybridMemoryForecaster:
    return HybridMemoryForecaster(width=8, training=Training(epochs=1, members=1), random_state=0)


# ---- what goes in ------------------------------------------------------------------------------


def test_irregular_datetimes(series: pd.DataFrame) -> None:
    """Each column is forecast from its own last value, missing ones included."""
    forecast = last_value().fit(series).predict(at(10.0, 30.25))
    assert forecast.index.tolist() == [START + pd.Timedelta(hours=h) for h in (10.0, 30.25)]
    assert forecast.to_numpy().tolist() == [[90.0, 37.0]] * 2


def test_series_with_a_name_stays_a_series(series: pd.DataFrame) -> None:
    forecast = last_value().fit(series["HR"]).predict(after(1.0))
    assert isinstance(forecast, pd.Series)
    assert (forecast.name, forecast.tolist()) == ("HR", [90.0])


def test_timedelta_horizon_counts_from_the_last_time(series: pd.DataFrame) -> None:
    forecast = last_value().fit(series).predict(after(0.5, 2.0))
    assert forecast.index.tolist() == [START + pd.Timedelta(hours=h) for h in (10.0, 11.5)]


def test_timedelta_horizon_of_a_panel_counts_from_each_instance(panel: pd.DataFrame) -> None:
    """The cutoff of sktime is the latest time of all; ours is that of the instance."""
    forecast = last_value().fit(panel).predict(after(1.0))
    assert forecast.index.tolist() == [("b", START + pd.Timedelta("10.5h")), ("a", START + pd.Timedelta("1.3h"))]
    assert forecast.to_numpy().tolist() == [[90.0, 37.0], [83.0, 37.5]]


def test_timedelta_index() -> None:
    y = pd.Series([1.0, 2.0], index=pd.to_timedelta([0.5, 2.25], unit="h"), name="x")
    forecast = last_value().fit(y).predict(after(1.5))
    assert forecast.index.tolist() == [pd.Timedelta("3.75h")]
    assert forecast.tolist() == [2.0]


def test_time_zones_across_summer_time() -> None:
    y = frame([0.0, 1.0], [1.0, 2.0]).set_axis(
        pd.DatetimeIndex(["2024-03-31 00:30", "2024-03-31 03:30"], tz="Europe/Paris")
    )
    model = last_value(time_unit="min").fit(y)
    assert model._series.panel.time.tolist() == [0.0, 120.0]  # the hour from 2 to 3 did not exist
    assert model.predict(after(1.0)).index[0].isoformat() == "2024-03-31T04:30:00+02:00"


def test_query_times_of_each_instance_cannot(panel: pd.DataFrame) -> None:
    """A horizon by instance is refused by sktime, and one list is answered for all; the native interface takes both."""
    model = last_value().fit(panel)
    wanted = pd.MultiIndex.from_tuples([("b", START + pd.Timedelta("10h")), ("a", START + pd.Timedelta("12h"))])
    for horizon in (wanted, {"b": wanted[:1], "a": wanted[1:]}):
        with pytest.raises(TypeError, match="type of the passed `fh` values is not supported"):
            model.predict(horizon)
    assert len(model.predict(at(10.0, 12.0))) == 4
    native = model.forecaster_.predict(from_sktime(panel), times={"b": at(10.0).to_pandas(), "a": at(12.0).to_pandas()})
    assert native.to_wide()["HR"].tolist() == [90.0, 83.0]


def test_integers_with_gaps_and_periods() -> None:
    counted = last_value().fit(pd.Series([1.0, 2.0, 4.0], index=[1, 2, 9])).predict([1, 3])
    assert (counted.index.tolist(), counted.tolist()) == ([10, 12], [4.0, 4.0])
    months = pd.Series([1.0, 5.0], index=pd.PeriodIndex(["2024-01", "2024-02"], freq="M"))
    assert last_value().fit(months).predict([2]).index.astype(str).tolist() == ["2024-04"]


def test_steps_of_a_regular_series() -> None:
    y = pd.Series([1.0, 2.0, 3.0], index=pd.date_range("2024-01-01", periods=3, freq="D"))
    assert last_value().fit(y, fh=[1, 2]).predict().index.tolist() == [START + pd.Timedelta(days=d) for d in (3, 4)]


def test_hierarchy(series: pd.DataFrame) -> None:
    y = pd.concat({("w1", "x"): series, ("w2", "x"): series * 2}, names=["ward", "bed", "time"])
    forecast = last_value().fit(y).predict(at(12.0))
    assert forecast.index.names == ["ward", "bed", "time"]
    assert forecast["HR"].tolist() == [90.0, 180.0]


def test_list_of_frames(series: pd.DataFrame) -> None:
    forecast = last_value().fit([series, series.iloc[:2]]).predict(at(12.0))
    assert isinstance(forecast, list)
    assert [each["HR"].tolist() for each in forecast] == [[90.0], [82.0]]


# ---- what comes out ----------------------------------------------------------------------------


def test_intervals_and_quantiles(panel: pd.DataFrame) -> None:
    model = last_value().fit(panel)
    bands = model.predict_quantiles(at(12.0), alpha=[0.1, 0.5, 0.9])
    interval = model.predict_interval(at(12.0), coverage=0.8)
    assert bands.columns.tolist() == [(name, level) for name in ("HR", "Temp") for level in (0.1, 0.5, 0.9)]
    assert (np.diff(bands["HR"].to_numpy(), axis=1) >= 0).all()
    np.testing.assert_allclose(interval["HR", 0.8, "lower"], bands["HR", 0.1])
    np.testing.assert_allclose(interval["Temp", 0.8, "upper"], bands["Temp", 0.9])


def test_variance_and_distribution(series: pd.DataFrame) -> None:
    """Both are derived by sktime from the intervals, as those of a normal distribution."""
    model = last_value().fit(series["HR"])
    assert (model.predict_var(after(1.0)).to_numpy() >= 0).all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # asks for skpro, and does without
        assert model.predict_proba(after(1.0)).mean().shape == (1, 1)


def test_a_forecast_rests_on_earlier_values_alone(series: pd.DataFrame) -> None:
    """In-sample times too: the value itself is not its own forecast."""
    model = last_value().fit(series[["HR"]])
    forecast = model.predict(at(0.3, 2.0, 9.5, 9.6))["HR"].tolist()
    assert forecast == [80.0, 82.0, 82.0, 90.0]


def test_residuals(series: pd.DataFrame) -> None:
    y = series["HR"].dropna()
    residual = last_value().fit(y).predict_residuals(y)
    assert residual.tolist()[1:] == [2.0, 8.0]


def test_equal_to_the_native_interface() -> None:
    """The same pairs, the same forecaster, the same queries: the same numbers."""
    y = to_sktime(make_icu(12, random_state=0), origin=START)
    past = y[y.index.get_level_values("time") < START + pd.Timedelta("24h")]
    forecast = SktimeForecaster(RidgeForecaster(), horizon=6.0).fit(past).predict(at(25.0, 30.0))
    native = from_sktime(past)
    grid = RidgeForecaster().fit(*training_pairs(native, 6.0, 4)).predict(native, times=list(forecast.index.levels[-1]))
    np.testing.assert_allclose(forecast.to_numpy().ravel(), grid.value, rtol=1e-6)


# ---- states ------------------------------------------------------------------------------------


def test_pretrain_then_fit_only_reads(panel: pd.DataFrame) -> None:
    """What was learned stays; the series to forecast becomes the context."""
    model = SktimeForecaster(ChannelMeanForecaster()).pretrain(panel)
    mean = model.pretrained_.channel_means_
    forecast = model.fit(frame([0.0, 1.0], [5.0, 5.0], [1.0, 1.0])).predict(after(1.0))
    np.testing.assert_allclose(forecast.to_numpy()[0], mean, rtol=1e-6)
    assert model.clone().fit(panel).forecaster_.channel_means_.tolist() == mean.tolist()
    assert model.get_pretrained_params(deep=False).keys() >= {"pretrained_"}


def test_columns_without_names_go_by_their_order(panel: pd.DataFrame) -> None:
    """As in arrays: the first column is the first channel of what was read before."""
    unnamed = panel.set_axis(range(2), axis="columns")
    model = SktimeForecaster(ChannelMeanForecaster()).pretrain(unnamed)
    forecast = model.fit(unnamed.loc[["a"]]).predict(after(1.0))
    np.testing.assert_allclose(forecast.iloc[0], model.pretrained_.channel_means_, rtol=1e-6)
    assert forecast.columns.tolist() == [0, 1]


def test_fit_without_pretrain_learns(panel: pd.DataFrame) -> None:
    model = SktimeForecaster(ChannelMeanForecaster()).fit(panel)
    again = model.fit(panel + 50)
    assert again.forecaster_.channel_means_[0] > 120


def test_pretraining_twice_learns_from_both(panel: pd.DataFrame) -> None:
    model = SktimeForecaster(ChannelMeanForecaster()).pretrain(panel)
    before = model.pretrained_.channel_means_[0]
    model.pretrain(panel + 100)
    assert before + 25 < model.pretrained_.channel_means_[0] < before + 75


def test_update_reads_more_and_replaces(panel: pd.DataFrame, series: pd.DataFrame) -> None:
    model = last_value().fit(panel)
    later = frame([9.5, 20.0], [None, 60.0], [38.0, None])
    model.update(pd.concat({"b": later, "new": series}, names=["id", "time"]), update_params=False)
    forecast = model.predict(at(21.0))
    assert forecast.index.get_level_values(0).tolist() == ["b", "a", "new"]
    assert forecast.to_numpy().tolist() == [[60.0, 38.0], [83.0, 37.5], [90.0, 37.0]]
    assert model.predict(at(10.0)).loc["b"].to_numpy().tolist() == [[90.0, 38.0]]  # NaN does not erase the 90
    assert model.cutoff[0] == START + pd.Timedelta("20h")


def test_state_is_the_context_not_a_copy_of_the_data(panel: pd.DataFrame) -> None:
    model = last_value().fit(panel)
    assert (model._y is None) != model.get_config()["remember_data"]  # sktime 1.1 insists on the copy
    assert isinstance(model._series.panel, IrregularPanel)


def test_neural_model_pretrains_and_adapts(tiny: HybridMemoryForecaster) -> None:
    y = to_sktime(make_icu(5, random_state=0), origin=START)[["HR", "MAP"]]
    many, one = y.loc[:3], y.loc[[4]]
    model = SktimeForecaster(tiny, adapt_steps=2).pretrain(many, fh=at(30.0, 36.0))
    model.fit(one)
    assert len(model.forecaster_.adapt_results_[0].losses) == 2
    assert not hasattr(model.pretrained_, "adapt_results_")
    bands = model.predict_quantiles(after(1.0, 6.0), alpha=[0.1, 0.9])
    assert (bands["HR", 0.1] < bands["HR", 0.9]).all()


def test_nested_settings(tiny: HybridMemoryForecaster) -> None:
    model = SktimeForecaster(tiny.set_params(dropout=0.2))
    assert model.get_params()["forecaster__width"] == 8
    assert model.clone().set_params(forecaster__width=12).forecaster.width == 12  # type: ignore[union-attr]
    assert tiny.width == 8


def test_exogenous_data_are_ignored(series: pd.DataFrame) -> None:
    y, X = series[["HR"]], series[["Temp"]].fillna(0.0)
    assert last_value().fit(y, X=X).predict(after(1.0), X=X + 5).equals(last_value().fit(y).predict(after(1.0)))


def test_saved_and_loaded_by_sktime(series: pd.DataFrame, tmp_path: Path) -> None:
    """By pickle, which is why files of others are to be read with the native ``load``."""
    from sktime.base import load

    model = last_value().fit(series)
    model.save(tmp_path / "model").close()
    assert load(tmp_path / "model.zip").predict(after(1.0)).equals(model.predict(after(1.0)))


def test_scikit_learn_refuses_adapters(series: pd.DataFrame) -> None:
    """Once this fails, scikit-learn takes them and the page should say so."""
    from sklearn.model_selection import GridSearchCV

    search = GridSearchCV(last_value(), {"n_cuts": [1, 2]}, cv=2)
    with pytest.raises(Exception, match="__sklearn_tags__|score|estimator"):
        search.fit(series, series["HR"])


# ---- errors ------------------------------------------------------------------------------------


def test_errors(series: pd.DataFrame, panel: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"counts steps \(\[1\]\).* has no frequency .*Give durations"):
        last_value().fit(series).predict([1])
    with pytest.raises(TypeError, match="times must be datetimes, as in the series before; got integers"):
        last_value().pretrain(panel).fit(pd.DataFrame({"HR": [1.0], "Temp": [1.0]}, index=[3]))
    with pytest.raises(ValueError, match=r"not fitted on: \['SpO2'\]"):
        last_value().pretrain(panel).fit(series.rename(columns={"HR": "SpO2"}))
    with pytest.raises(TypeError, match="must be a forecaster of cndts.estimators; got str"):
        SktimeForecaster("last").fit(series)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="adapt_steps=3 needs a neural forecaster; got LastValueForecaster"):
        last_value(adapt_steps=3).pretrain(panel).fit(series)
    with pytest.raises(ValueError, match="horizon must be positive; got -1"):
        last_value(horizon=-1).fit(series)
    with pytest.raises(ValueError, match="n_cuts must be 1 or more; got 0"):
        last_value(n_cuts=0).fit(series)
    with pytest.raises(ValueError, match="no known value"):
        last_value().fit(series * np.nan)
    with pytest.raises(TypeError, match="(?i)index"):
        last_value().fit(series.reset_index(drop=True).set_axis([0.5, 1.0, 2.5, 7.0]))


# ---- training pairs ----------------------------------------------------------------------------


def test_pairs_are_cut_between_the_ends() -> None:
    native = IrregularPanel([0, 5], [0.0, 1.0, 2.0, 3.0, 4.0], [0] * 5, [0.0, 1.0, 2.0, 3.0, 4.0])
    X, y = training_pairs(native, horizon=1.0, n_cuts=3)
    assert X.counts.tolist() == [2, 3, 4]
    assert [np.asarray(each).tolist() for each in (y[0], y[1], y[2])] == [[2.0], [3.0], [4.0]]
    assert X.groups is not None
    assert X.groups.tolist() == [0, 0, 0]


def test_pairs_of_single_values_have_no_context() -> None:
    X, y = training_pairs(IrregularPanel([0, 1, 2], [3.0, 5.0], [0, 0], [7.0, 8.0]), None, 4)
    assert (X.n_events, np.asarray(y).tolist()) == (0, [7.0, 8.0])


def test_no_target_is_in_its_context() -> None:
    """Nor is anything later than the target."""
    panel = make_icu(6, random_state=2)
    X, y = training_pairs(panel, 8.0, 4)
    first_target = np.array([y[i].time.min() for i in range(len(y))])
    last_target = np.array([y[i].time.max() for i in range(len(y))])
    assert (X.last_time < first_target).all()
    assert (last_target - first_target).max() <= 8.0
