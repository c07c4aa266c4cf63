"""sktime's evaluate and ForecastingBenchmark run over irregular panels, with models of both sides."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime", reason='sktime is absent: pip install "cndts[sktime]"')

from sklearn.model_selection import KFold
from sktime import __version__ as SKTIME_VERSION
from sktime.benchmarking.forecasting import ForecastingBenchmark
from sktime.forecasting.model_evaluation import evaluate
from sktime.forecasting.trend import PolynomialTrendForecaster, TrendForecaster
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


# sktime 1.1 takes the deviation of a single score
@pytest.mark.filterwarnings("ignore:Degrees of freedom:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
def test_benchmark_of_both_sides(
    heart_rate: PanelForecastingDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trained on some records, tested on the second day of others."""
    monkeypatch.chdir(tmp_path)
    tiny = HybridMemoryForecaster(width=8, training=Training(epochs=1, members=1), random_state=0)
    ours = {"hybrid-memory": tiny, "decay-to-mean": DecayToMeanForecaster(), "last-value": LastValueForecaster()}
    models = {name: SktimeForecaster(model) for name, model in ours.items()}
    task = TimeCutSplitter(CUT, horizon="6h"), [AlignedAbsoluteError(), AlignedSquaredError()]
    benchmark = ForecastingBenchmark()
    # sktime 1.1 passes cv_global's forecasters an argument that they do not take, its own too
    instances = None if SKTIME_VERSION.startswith("1.1.") else InstanceSplitter(KFold(2))
    benchmark.add_task(heart_rate, *task, cv_global=instances, task_id="second day")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # what sktime 1.3 will change about remember_data
        models |= {"trend": TrendForecaster(), "parabola": PolynomialTrendForecaster(degree=2)}
        for name, model in models.items():
            benchmark.add_estimator(model, name)
        results = benchmark.run().set_index("model_id")
    error = results["AlignedAbsoluteError_mean"]
    assert set(error.index) == set(models)
    assert np.isfinite(error).all()
    assert error["decay-to-mean"] < error["trend"] < error["parabola"]


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
