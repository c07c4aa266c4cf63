"""sktime's evaluate and ForecastingBenchmark run over irregular panels, with models of both sides."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime", reason='sktime is absent: pip install "cndts[sktime]"')

from sklearn.model_selection import KFold
from sktime import __version__ as SKTIME_VERSION
from sktime.benchmarking.forecasting import ForecastingBenchmark
from sktime.forecasting.arps_dca import ArpsExponential
from sktime.forecasting.croston import Croston
from sktime.forecasting.model_evaluation import evaluate
from sktime.forecasting.naive import NaiveForecaster
from sktime.forecasting.trend import PolynomialTrendForecaster, SplineTrendForecaster, TrendForecaster
from sktime.split import InstanceSplitter

from cndts.datasets import make_icu
from cndts.estimators import DecayToMeanForecaster, HybridMemoryForecaster, LastValueForecaster
from cndts.estimators.sktime import (
    AlignedAbsoluteError,
    AlignedCoverage,
    AlignedCRPS,
    AlignedPinballLoss,
    AlignedSquaredError,
    PanelForecastingDataset,
    SktimeForecaster,
    TimeCutSplitter,
    to_sktime,
)
from cndts.training import Training

CUT = "2000-01-02"


@pytest.fixture(scope="module")
def heart_rate() -> PanelForecastingDataset:
    return PanelForecastingDataset(make_icu(8, random_state=0), channels=["HR"])


def ours() -> dict[str, Any]:
    tiny = HybridMemoryForecaster(width=8, training=Training(epochs=1, members=1), random_state=0)
    models = {"hybrid-memory": tiny, "decay-to-mean": DecayToMeanForecaster(), "last-value": LastValueForecaster()}
    return {name: SktimeForecaster(model) for name, model in models.items()}


def compared(models: dict[str, Any], theirs: dict[str, Any], data: PanelForecastingDataset, scorers: list[Any]) -> Any:
    """Trained on some records, tested on the second day of others: one row a model."""
    # sktime 1.1 passes cv_global's forecasters an argument that they do not take, its own too
    instances = None if SKTIME_VERSION.startswith("1.1.") else InstanceSplitter(KFold(2))
    benchmark = ForecastingBenchmark()
    cuts = TimeCutSplitter(CUT, horizon="6h")
    benchmark.add_task(data, cuts, scorers, cv_global=instances, task_id="second day", error_score="raise")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # what sktime 1.3 will change about remember_data
        for name, kind in theirs.items():
            benchmark.add_estimator(kind(), name)
        for name, model in models.items():
            benchmark.add_estimator(model, name)
        return benchmark.run().set_index("model_id")


# sktime 1.1 takes the deviation of a single score
@pytest.mark.filterwarnings("ignore:Degrees of freedom:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
def test_benchmark_of_both_sides(
    heart_rate: PanelForecastingDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours beside two of sktime's that are of different kinds: a line through the times, and smoothed values."""
    monkeypatch.chdir(tmp_path)
    theirs = {"trend": TrendForecaster, "smoothing": lambda: Croston(smoothing=0.5)}
    results = compared(ours(), theirs, heart_rate, [AlignedAbsoluteError(), AlignedSquaredError()])
    error = results["AlignedAbsoluteError_mean"]
    assert set(error.index) == {*ours(), *theirs}
    assert np.isfinite(error).all()
    assert error["decay-to-mean"] < error["smoothing"] < error["trend"]


@pytest.mark.filterwarnings("ignore:Degrees of freedom:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
def test_benchmark_of_distributions(
    heart_rate: PanelForecastingDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CRPS, pinball loss and coverage of ours, and of the one kind in sktime that says quantiles at irregular times."""
    monkeypatch.chdir(tmp_path)
    # the benchmark keeps the time of point forecasts, and fails where no score asks for one
    scorers = [AlignedAbsoluteError(), AlignedCRPS(), AlignedPinballLoss(), AlignedCoverage()]
    results = compared(ours(), {"decline": ArpsExponential}, heart_rate, scorers)
    crps, coverage = results["AlignedCRPS_mean"], results["AlignedCoverage_mean"]
    assert np.isfinite(crps).all()
    assert crps["decay-to-mean"] < crps["last-value"] < crps["decline"]
    assert results["AlignedPinballLoss_mean"].to_numpy(float) == pytest.approx(crps.to_numpy(float) / 2, rel=0.05)
    assert coverage[["decay-to-mean", "last-value"]].between(0.8, 1.0).all()
    assert coverage["decline"] < 0.8  # of 90 %


def test_what_sktimes_own_make_of_irregular_times(heart_rate: PanelForecastingDataset) -> None:
    """Trends read the times, Croston the order of the values; others want a frequency. None of these says quantiles."""
    y = heart_rate.load("y")
    past, future = (part.loc[0] for part in next(TimeCutSplitter(CUT, horizon="6h").split_series(y)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # what sktime 1.3 will change about remember_data
        for kind in (TrendForecaster, PolynomialTrendForecaster, SplineTrendForecaster, Croston):
            model = kind().fit(past)
            assert np.isfinite(model.predict(future.index).to_numpy()).all()
            with pytest.raises(NotImplementedError, match="quantile predictions"):
                model.predict_quantiles(future.index, alpha=[0.1, 0.9])
        with pytest.raises(Exception, match="freq"):
            NaiveForecaster().fit(past).predict(future.index)


def test_all_metrics_in_evaluate(heart_rate: PanelForecastingDataset) -> None:
    metrics = [AlignedAbsoluteError(), AlignedPinballLoss(), AlignedCRPS(), AlignedCoverage()]
    results = evaluate(
        SktimeForecaster(LastValueForecaster()),
        TimeCutSplitter(CUT),
        heart_rate.load("y"),
        scoring=metrics,
        error_score="raise",
    ).iloc[0]
    assert 0 <= results["test_AlignedCoverage"] <= 1
    assert results["test_AlignedCRPS"] <= 1.05 * results["test_AlignedAbsoluteError"]
    assert results["test_AlignedPinballLoss"] == pytest.approx(results["test_AlignedCRPS"] / 2, rel=0.05)


def test_quantile_metrics_share_their_levels(heart_rate: PanelForecastingDataset) -> None:
    """With other levels for each, evaluate makes two columns of one name and trips over them; aligned or not."""
    metrics = [AlignedPinballLoss([0.25, 0.75]), AlignedCRPS([0.1, 0.5, 0.9])]
    with pytest.raises(ValueError, match="duplicate labels|predict_quantiles"):
        evaluate(
            SktimeForecaster(LastValueForecaster()),
            TimeCutSplitter(CUT),
            heart_rate.load("y"),
            scoring=metrics,
            error_score="raise",
        )


def test_evaluate_needs_datetimes() -> None:
    """Times that are timedeltas can be no absolute horizon to sktime, which takes them for durations."""
    y = to_sktime(make_icu(4, random_state=0))[["HR"]]
    with pytest.raises(TypeError, match="not compatible with `is_relative=False`"):
        evaluate(
            SktimeForecaster(LastValueForecaster()),
            TimeCutSplitter("24h", horizon="6h"),
            y,
            scoring=AlignedAbsoluteError(),
            error_score="raise",
        )


@pytest.mark.parametrize("strategy", ["refit", "update", "no-update_params"])
def test_growing_windows(strategy: str) -> None:
    """One irregular series, two cuts; updates replace what they overlap."""
    y = to_sktime(make_icu(1, random_state=0), origin=pd.Timestamp(CUT)).loc[0, ["HR", "MAP"]]
    cuts = TimeCutSplitter(["12h", "30h"], horizon="6h")
    results = evaluate(
        SktimeForecaster(LastValueForecaster()),
        cuts,
        y,
        strategy=strategy,
        scoring=AlignedAbsoluteError(),
        error_score="raise",
    )
    for (train, test), error in zip(cuts.split_series(y), results["test_AlignedAbsoluteError"], strict=True):
        last = train.ffill().iloc[-1]
        assert error == pytest.approx(np.nanmean(np.abs((test - last).to_numpy())), rel=1e-5)


def test_score_equals_the_native_metric(heart_rate: PanelForecastingDataset) -> None:
    """The aligned error of the adapter is that of the wrapped forecaster at the records' own times."""
    y = heart_rate.load("y")
    ((train, test),) = TimeCutSplitter(CUT, horizon="12h").split_series(y)
    model = SktimeForecaster(LastValueForecaster()).fit(train)
    fh = test.index.get_level_values(-1).unique().sort_values()
    aligned = AlignedAbsoluteError()(test, model.predict(fh))
    own = test.groupby(level=0)["HR"].apply(lambda each: (each - train["HR"].loc[each.name].iloc[-1]).abs())
    assert aligned == pytest.approx(own.mean(), rel=1e-5)


def test_dataset_reads_when_asked() -> None:
    calls = []
    dataset = PanelForecastingDataset(lambda: calls.append(1) or make_icu(2, random_state=0))  # type: ignore[func-returns-value]
    assert calls == []
    assert dataset.load("y").shape[1] == 8
    assert calls == [1]
    assert dataset.load("X") is None


def test_sktimes_own_splitters_and_metrics_fail(heart_rate: PanelForecastingDataset) -> None:
    """Why there are others; once this fails, sktime can do it and the page should say so."""
    from sktime.performance_metrics.forecasting import MeanAbsoluteError
    from sktime.split import ExpandingWindowSplitter

    y, model = heart_rate.load("y"), SktimeForecaster(LastValueForecaster())
    with pytest.raises(Exception, match="counts steps|freq"):
        cuts = ExpandingWindowSplitter(fh=[1], initial_window=10, step_length=1000)
        evaluate(model, cuts, y, scoring=AlignedAbsoluteError(), error_score="raise")
    with pytest.raises(ValueError, match="same number of rows"):
        evaluate(model, TimeCutSplitter(CUT), y, scoring=MeanAbsoluteError(), error_score="raise")
