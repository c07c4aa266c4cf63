"""Split-conformal calibration: ranks by hand, coverage on records that are exchangeable, fallbacks, and what it is wrapped around."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.frozen import FrozenEstimator

from cndts import Interpolation, IrregularPanel, Queries, Targets
from cndts.datasets import make_oscillators
from cndts.estimators import (
    BaseForecaster,
    ChannelMeanForecaster,
    ConformalForecaster,
    HybridMemoryForecaster,
    LastValueForecaster,
    LinearInterpolator,
)
from cndts.estimators._conformal_corrections import ConformalCorrections
from cndts.metrics import interval_coverage

LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95)


class Overconfident(BaseForecaster):
    """Says 0 with an interval that is much too narrow, and knows nothing of channels and horizons."""

    def _fit(self, X: IrregularPanel, y: Targets, X_val: object, y_val: object) -> None:
        """Nothing to learn."""

    def _predict(self, X: IrregularPanel) -> NDArray:
        return np.zeros(X.queries.n_queries)

    def _predict_quantiles(self, X: IrregularPanel, quantiles: NDArray) -> NDArray:
        return np.zeros((X.queries.n_queries, 1)) + 0.1 * (quantiles - 0.5)


def noisy(n_records: int, seed: int, *, shared: float = 0.0, n_targets: int = 4) -> tuple[IrregularPanel, Targets]:
    """Two channels with noise of their own size that grows with the horizon; ``shared`` of it is common to a record."""
    random = np.random.default_rng(seed)
    horizon = random.uniform(0.5, 8, (n_records, n_targets))
    channel = random.integers(0, 2, (n_records, n_targets))
    noise = random.normal(size=(n_records, n_targets)) * np.sqrt(1 - shared)
    noise += random.normal(size=(n_records, 1)) * np.sqrt(shared)
    value = noise * np.where(channel == 0, 1.0, 20.0) * horizon
    offsets = np.arange(n_records + 1)
    order = np.argsort(horizon, axis=1)
    horizon, channel, value = (np.take_along_axis(part, order, 1).ravel() for part in (horizon, channel, value))
    queries = Queries(offsets * n_targets, horizon, channel)
    X = IrregularPanel(
        offsets,
        np.zeros(n_records),
        np.zeros(n_records, dtype=int),
        np.zeros(n_records),
        channels=["a", "b"],
        queries=queries,
    )
    return X, Targets(queries, value, X.records, X.channels)


# ---- ranks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [19, 20, 57, 200])
def test_ranks_of_the_paper(n: int) -> None:
    """With one target a record, ends move to the errors of rank ceil((n + 1) level)."""
    error = np.random.default_rng(n).normal(size=n)
    zeros = np.zeros(n, dtype=int)
    found = ConformalCorrections(LEVELS, n_bands=1, min_count=1)
    found.fit(error, np.zeros((n, len(LEVELS))), zeros, np.ones(n), np.arange(n), scale=np.ones(1))
    for k, level in enumerate(LEVELS):
        rank = math.ceil((n + 1) * max(level, 1 - level) - 1e-9)
        wanted = np.sort(error)[rank - 1] if level >= 0.5 else -np.sort(-error)[rank - 1]
        assert found.shift[0, 0, k] == pytest.approx(wanted)


def test_records_count_and_not_their_targets() -> None:
    """A record with a thousand targets weighs as much as one with a single target: equation of Lee, Barber and Willett."""
    error = np.concatenate([np.full(1000, 5.0), np.arange(9.0) / 10])
    unit = np.concatenate([np.zeros(1000, dtype=int), np.arange(1, 10)])
    zeros = np.zeros(len(error), dtype=int)
    found = ConformalCorrections([0.5, 0.8, 0.9], n_bands=1, min_count=1)
    found.fit(error, np.zeros((len(error), 3)), zeros, np.ones(len(error)), unit, scale=np.ones(1))
    # ten records and the one to come: nine elevenths are reached by the nine small errors
    assert found.shift[0, 0].tolist() == [0.5, 0.8, 5.0]
    found.fit(error, np.zeros((len(error), 3)), zeros, np.ones(len(error)), np.arange(len(error)), scale=np.ones(1))
    assert found.shift[0, 0].tolist() == [5.0, 5.0, 5.0]


@pytest.mark.parametrize(("n", "is_finite"), [(18, False), (19, True)])
def test_too_few_records_make_infinite_intervals(n: int, is_finite: bool) -> None:
    """A 90 % interval needs 19 records for each end; other levels stay finite, and so does the distribution."""
    X, y = noisy(60, 0)
    model = ConformalForecaster(Overconfident().fit(X, y)).calibrate(X[:n], y[:n])
    interval = model.predict_interval(X, 0.9)
    assert np.isfinite(interval).all() == is_finite
    assert np.isfinite(model.predict_interval(X, 0.5)).all()
    dist = model.predict_distribution(X)
    assert np.isfinite(dist.mean).all()
    np.testing.assert_allclose(dist.interval(0.5), model.predict_interval(X, 0.5))
    with pytest.raises(ValueError, match="fewer than two levels have finite quantiles"):
        ConformalForecaster(Overconfident().fit(X, y)).calibrate(X[:1], y[:1]).predict_distribution(X)


# ---- coverage ----------------------------------------------------------------------------------------


def test_every_channel_and_band_holds_its_share() -> None:
    """Noise that differs by channel and horizon, and a forecaster that knows nothing of it."""
    X, y = noisy(3000, 1)
    X_new, y_new = noisy(3000, 2)
    model = ConformalForecaster(Overconfident(), random_state=0).fit(X, y)
    before = interval_coverage(y_new, model.forecaster_.predict_interval(X_new, 0.9), average="observation")
    assert before < 0.1
    interval = model.predict_interval(X_new, 0.9)
    inside = (interval[:, 0] <= y_new.value) & (y_new.value <= interval[:, 1])
    edges = model.corrections_.band_edges
    cell = y_new.channel * 4 + np.searchsorted(edges, y_new.time)
    share = np.bincount(cell, inside) / np.bincount(cell)
    assert share.min() > 0.85
    assert share.max() < 0.96
    pooled = ConformalForecaster(Overconfident(), n_bands=1, min_count=10**6, random_state=0).fit(X, y)
    wide = pooled.predict_interval(X_new, 0.9)
    inside = (wide[:, 0] <= y_new.value) & (y_new.value <= wide[:, 1])
    worst = np.bincount(cell, inside) / np.bincount(cell)
    assert worst.min() < 0.8, "without cells the far horizons are not covered"


@pytest.mark.slow
def test_promise_over_calibration_sets() -> None:
    """Targets of a record share their noise: counting records keeps the promise on average over small calibration sets,
    counting targets falls short.
    """
    n = 30
    hits: dict[str, list[float]] = {"record": [], "target": []}
    for seed in range(400):
        X, y = noisy(n, seed, shared=0.95, n_targets=8)
        X_new, y_new = noisy(40, 10_000 + seed, shared=0.95, n_targets=8)
        fitted = ChannelMeanForecaster().fit(X, y)
        for count, found in hits.items():
            model = ConformalForecaster(fitted, levels=(0.1, 0.9), n_bands=1, min_count=10**6, count=count).calibrate(
                X, y
            )
            found.append(interval_coverage(y_new, model.predict_interval(X_new, 0.8), average="record"))
    assert np.mean(hits["record"]) > 0.8
    assert np.mean(hits["target"]) < np.mean(hits["record"])


def test_groups_are_calibrated_as_one() -> None:
    """Stays of one patient count once, and are split together."""
    X, y = noisy(200, 3)
    X = X.with_groups(np.arange(200) // 4)
    y = Targets(X.queries, y.value, X.records, X.channels)
    model = ConformalForecaster(Overconfident(), calibration_fraction=0.3, random_state=0).fit(X, y)
    held = model.calibration_records_
    assert len(held) == 60
    assert len(np.unique(held // 4)) == 15
    assert model.corrections_.units.max() <= 15


# ---- quantiles ---------------------------------------------------------------------------------------


def test_quantiles_never_cross_and_keep_their_order() -> None:
    """Sorted along levels, whatever the order in which they are asked; levels between two run between them."""
    X, y = noisy(400, 4)
    model = ConformalForecaster(Overconfident(), levels=LEVELS, random_state=0).fit(X, y)
    asked = [0.9, 0.05, 0.3, 0.95, 0.5, 0.97, 0.01]
    found = model.predict_quantiles(X, asked)
    assert (np.diff(found[:, np.argsort(asked)], axis=1) >= 0).all()
    shift = model.corrections_.shifts(y.channel, y.time, np.array([0.05, 0.07, 0.1]))
    assert (np.sort(shift, axis=1)[:, 1] == shift[:, 1]).all()
    np.testing.assert_array_equal(model.predict(X).value, model.forecaster_.predict(X).value)
    assert model.sample(X, 5, random_state=0).shape == (len(y.value), 5)


def test_small_cells_fall_back() -> None:
    """A cell that is too small uses its channel, a channel that is too small uses all, in units of its scale."""
    X, y = noisy(400, 5)
    rare = np.flatnonzero(y.channel == 1)[5:]
    value = y.value.copy()
    value[rare] = np.nan
    y = y.with_values(value)
    model = ConformalForecaster(Overconfident().fit(X, y), min_count=150, levels=LEVELS).calibrate(X, y)
    cells = model.cells()
    assert list(cells.columns) == ["channel", "from", "to", "units", "pool"]
    assert set(cells.loc[cells["channel"] == "b", "pool"]) == {"all"}
    assert set(cells.loc[cells["channel"] == "a", "pool"]) <= {"cell", "channel"}
    assert cells.loc[cells["channel"] == "b", "units"].sum() <= 5
    scale = model.channel_scales_
    wide = model.corrections_.shift[1, 0] / scale[1]
    error = y.value / scale[y.channel]
    assert wide[-1] >= np.nanquantile(error, 0.9)


def test_an_interpolator_keeps_what_it_knows() -> None:
    """Observed values stay certain, bands go by the distance to the neighbours, and observed targets do not calibrate."""
    X, y = Interpolation(observed=0.5, random_state=0).split(make_oscillators(60, random_state=0))
    fitted = LinearInterpolator().fit(X[:30], y[:30])
    model = ConformalForecaster(fitted, min_count=20).calibrate(X[30:], y[30:])
    assert model.reads_later_events
    assert not ConformalForecaster().reads_later_events
    first = X.offsets[:-1]
    seen = X.with_queries(queries=Queries(np.arange(len(X) + 1), X.time[first], X.channel[first]))
    np.testing.assert_allclose(
        model.predict_interval(seen, 0.9), np.repeat(X.value[first][:, None], 2, axis=1), rtol=1e-6
    )
    with pytest.raises(ValueError, match="no target is left to calibrate on: 60 records with 60 targets"):
        model.calibrate(seen, Targets(seen.queries, X.value[first], X.records, X.channels))
    before = interval_coverage(y[30:], fitted.predict_interval(X[30:], 0.9), average="record")
    after = interval_coverage(y[30:], model.predict_interval(X[30:], 0.9), average="record")
    assert after > max(before, 0.9)


# ---- as an estimator ---------------------------------------------------------------------------------


def test_fit_and_calibrate_agree() -> None:
    """Fitting is fitting a clone to some records and calibrating on the others; the given forecaster stays as it is."""
    X, y = noisy(300, 6)
    given = LastValueForecaster()
    settings = {"levels": (0.1, 0.9), "n_bands": 1, "min_count": 1}
    model = ConformalForecaster(given, **settings, random_state=1).fit(X, y)
    held = model.calibration_records_
    kept = np.setdiff1d(np.arange(300), held)
    assert len(held) == 60
    assert not hasattr(given, "channels_in_")
    by_hand = ConformalForecaster(LastValueForecaster().fit(X[kept], y[kept]), **settings).calibrate(X[held], y[held])
    np.testing.assert_allclose(model.predict_interval(X, 0.8), by_hand.predict_interval(X, 0.8))
    again = model.corrections_.shift.copy()
    model.calibrate(X, y)
    assert not np.array_equal(again, model.corrections_.shift)
    assert clone(model).get_params()["random_state"] == 1


def test_channels_are_aligned_by_name() -> None:
    """Calibration records may list channels in another order; unknown ones are refused."""
    X, y = noisy(200, 7)
    fitted = ChannelMeanForecaster().fit(X, y)
    turned = X.with_channels(("b", "a"))
    y_turned = Targets(turned.queries, y.value, turned.records, turned.channels)
    plain, other = (ConformalForecaster(fitted).calibrate(*pair) for pair in ((X, y), (turned, y_turned)))
    np.testing.assert_allclose(plain.predict_interval(X, 0.8), other.predict_interval(X, 0.8))
    with pytest.raises(ValueError, match="channels that the forecaster was not fitted on"):
        ConformalForecaster(fitted).calibrate(*(part for part in _renamed(X, y)))


def _renamed(X: IrregularPanel, y: Targets) -> tuple[IrregularPanel, Targets]:
    other = IrregularPanel(X.offsets, X.time, X.channel, X.value, channels=["a", "c"], queries=X.queries)
    return other, Targets(other.queries, y.value, other.records, other.channels)


def test_a_table_is_calibrated_too() -> None:
    """Plain arrays pass through as for every forecaster."""
    random = np.random.default_rng(0)
    table = random.normal(size=(2000, 5)).cumsum(axis=1)
    model = ConformalForecaster(LastValueForecaster(), random_state=0).fit(table[:, :4], table[:, 4])
    interval = model.predict_interval(table[:, :4], 0.9)
    assert 0.85 < np.mean((interval[:, 0] <= table[:, 4]) & (table[:, 4] <= interval[:, 1])) < 0.97


def test_the_file_holds_the_forecaster_once(tmp_path: Path) -> None:
    """Saved and loaded, also around a forecaster that was fitted before."""
    X, y = noisy(150, 8)
    model = ConformalForecaster(LastValueForecaster().fit(X, y), levels=LEVELS).calibrate(X, y)
    model.save(tmp_path / "model.cndts")
    loaded = ConformalForecaster.load(tmp_path / "model.cndts")
    np.testing.assert_array_equal(loaded.predict_quantiles(X, LEVELS), model.predict_quantiles(X, LEVELS))
    pd.testing.assert_frame_equal(loaded.cells(), model.cells())
    assert not hasattr(loaded.forecaster, "channels_in_")
    with pytest.raises(ValueError, match="holds a ConformalForecaster; load it with ConformalForecaster.load"):
        LastValueForecaster.load(tmp_path / "model.cndts")


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"levels": (0.5,)}, r"levels must be two or more that rise strictly between 0 and 1; got \(0.5,\)"),
        ({"levels": (0.9, 0.1)}, "levels must be two or more that rise"),
        ({"n_bands": 0}, "n_bands must be 1 or more; got 0"),
        ({"min_count": 0}, "min_count must be 1 or more; got 0"),
        ({"count": "patient"}, "count must be 'record' or 'target'; got 'patient'"),
        ({"calibration_fraction": 1.0}, "calibration_fraction must lie between 0 and 1; got 1.0"),
    ],
)
def test_settings_are_checked(settings: dict, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        ConformalForecaster(LastValueForecaster(), **settings).fit(*noisy(20, 0))


def test_errors() -> None:
    X, y = noisy(20, 0)
    with pytest.raises(ValueError, match="X has 1 records with targets, too few to calibrate on 0.2 of them"):
        ConformalForecaster(LastValueForecaster()).fit(X[:1], y[:1])
    with pytest.raises(ValueError, match="calibrate needs a fitted forecaster; got None"):
        ConformalForecaster().calibrate(X, y)
    with pytest.raises(ValueError, match="LastValueForecaster instance is not fitted yet"):
        ConformalForecaster(LastValueForecaster()).calibrate(X, y)
    with pytest.raises(ValueError, match="not fitted yet"):
        ConformalForecaster(LastValueForecaster()).predict_interval(X)
    assert isinstance(clone(ConformalForecaster()), ConformalForecaster)
    assert ConformalForecaster(HybridMemoryForecaster(width=8)).get_params()["forecaster__width"] == 8


def test_a_frozen_forecaster_is_only_calibrated() -> None:
    """Its forecasts stay as they were; what is frozen must be a forecaster."""
    X, y = noisy(60, 0)
    fitted = ChannelMeanForecaster().fit(X[:30], y[:30])
    model = ConformalForecaster(FrozenEstimator(fitted), calibration_fraction=0.5, random_state=0).fit(X[30:], y[30:])
    np.testing.assert_array_equal(model.predict(X).value, fitted.predict(X).value)
    assert len(model.calibration_records_) == 15
    with pytest.raises(TypeError, match="forecaster must be a forecaster or interpolator of cndts; got DummyRegressor"):
        ConformalForecaster(FrozenEstimator(DummyRegressor())).fit(X, y)
