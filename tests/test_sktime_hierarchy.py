"""Hierarchies of three levels above the time: learned from, updated, forecast, evaluated and scored as a whole."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime", reason='sktime is absent: pip install "cndts[sktime]"')

from sktime.forecasting.base import ForecastingHorizon
from sktime.forecasting.model_evaluation import evaluate

from cndts.datasets import make_icu
from cndts.estimators import ChannelMeanForecaster, DecayToMeanForecaster, LastValueForecaster
from cndts.estimators.sktime import (
    AlignedAbsoluteError,
    AlignedCoverage,
    AlignedCRPS,
    SktimeForecaster,
    TimeCutSplitter,
    to_sktime,
)

START = pd.Timestamp("2024-01-01")
LEVELS = ["hospital", "ward", "bed", "time"]
BEDS = [
    ("north", "a", 1),
    ("north", "a", 2),
    ("north", "b", 1),
    ("south", "a", 1),
    ("south", "a", 7),
    ("south", "c", 3),
]


@pytest.fixture(scope="module")
def flat() -> pd.DataFrame:
    """Six records in one level."""
    return to_sktime(make_icu(6, random_state=0), origin=START)[["HR", "MAP"]]


@pytest.fixture(scope="module")
def nested(flat: pd.DataFrame) -> pd.DataFrame:
    """The same records, each in a bed of a ward of a hospital."""
    return pd.concat({bed: flat.loc[i] for i, bed in enumerate(BEDS)}, names=LEVELS)


def before(y: pd.DataFrame, hours: float) -> pd.DataFrame:
    return y[y.index.get_level_values("time") < START + pd.to_timedelta(hours, unit="h")]


def of(y: pd.DataFrame, *beds: tuple[str, str, int]) -> pd.DataFrame:
    return y[y.index.droplevel("time").isin(beds)]


def after(*hours: float) -> ForecastingHorizon:
    return ForecastingHorizon(pd.to_timedelta(hours, unit="h"))


def test_pretrain_then_fit(flat: pd.DataFrame, nested: pd.DataFrame) -> None:
    """What is learned is what the flat panel teaches; the beds of one hospital are forecast."""
    model = SktimeForecaster(DecayToMeanForecaster()).pretrain(nested, fh=after(6.0))
    same = SktimeForecaster(DecayToMeanForecaster()).pretrain(flat, fh=after(6.0))
    np.testing.assert_array_equal(model.pretrained_.rates_, same.pretrained_.rates_)
    forecast = model.fit(before(nested.loc[["north"]], 24)).predict(after(1.0, 6.0))
    assert forecast.index.names == LEVELS
    assert forecast.index.droplevel("time").unique().tolist() == BEDS[:3]
    np.testing.assert_array_equal(forecast, same.fit(before(flat.loc[:2], 24)).predict(after(1.0, 6.0)))


def test_update_reads_old_and_new_beds(nested: pd.DataFrame) -> None:
    """A bed in the same place goes on; another bed of a known ward begins."""
    known = before(of(nested, *BEDS[:4], BEDS[5]), 24)
    model = SktimeForecaster(LastValueForecaster()).fit(known)
    model.update(of(nested, BEDS[0], BEDS[4]), update_params=False)
    forecast = model.predict(after(1.0))
    assert set(forecast.index.droplevel("time")) == set(BEDS)
    for bed, seen in [(BEDS[0], nested), (BEDS[4], nested), (BEDS[2], known)]:
        np.testing.assert_allclose(of(forecast, bed).iloc[0], of(seen, bed).ffill().iloc[-1], rtol=1e-6)


def test_quantiles_and_intervals(flat: pd.DataFrame, nested: pd.DataFrame) -> None:
    """Rows are those of the point forecast, numbers those of the flat panel."""
    model, same = (SktimeForecaster(LastValueForecaster()).fit(before(y, 24)) for y in (nested, flat))
    bands = model.predict_quantiles(after(2.0), alpha=[0.1, 0.9])
    assert bands.index.equals(model.predict(after(2.0)).index)
    np.testing.assert_array_equal(bands, same.predict_quantiles(after(2.0), alpha=[0.1, 0.9]))
    interval = model.predict_interval(after(2.0), coverage=0.8)
    np.testing.assert_allclose(interval["MAP", 0.8, "upper"], bands["MAP", 0.9])


def test_evaluate(flat: pd.DataFrame, nested: pd.DataFrame) -> None:
    """Cut at one time of all beds; the scores are those of the flat panel."""
    scoring = [AlignedAbsoluteError("record"), AlignedCRPS(), AlignedCoverage()]
    cuts = TimeCutSplitter(START + pd.Timedelta("24h"), horizon="6h")
    results = [
        evaluate(SktimeForecaster(ChannelMeanForecaster()), cuts, y, scoring=scoring, error_score="raise").iloc[0]
        for y in (nested, flat)
    ]
    for metric in ("AlignedAbsoluteError", "AlignedCRPS", "AlignedCoverage"):
        assert results[0][f"test_{metric}"] == pytest.approx(results[1][f"test_{metric}"], rel=1e-6)


def test_metrics_meet_beds_by_their_whole_name(nested: pd.DataFrame) -> None:
    """Bed 1 of one ward is not bed 1 of another; each bed counts once under "record"."""
    rows = nested.groupby(level=LEVELS[:3]).head(2).index
    truth = pd.DataFrame(0.0, index=rows, columns=nested.columns)
    wrong = {bed: float(i) for i, bed in enumerate(BEDS)}
    forecast = truth + np.array([wrong[bed] for bed in truth.index.droplevel("time")])[:, None]
    shuffled = forecast.sample(frac=1, random_state=0)
    assert AlignedAbsoluteError("record")(truth, shuffled) == pytest.approx(np.mean(list(wrong.values())))
    with pytest.raises(ValueError, match="have no forecast"):
        AlignedAbsoluteError()(truth, forecast.drop(index=BEDS[2]))
