"""The forecaster as scikit-learn and users meet it."""

import copy
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

from cndts import Extrapolation, Interpolation, IrregularPanel
from cndts.datasets import make_oscillators
from cndts.dynamics import Solver
from cndts.estimators import HybridMemoryForecaster, LastValueForecaster
from cndts.estimators._alignment import check_training_pair
from cndts.estimators._neural_forecaster import _hold_out
from cndts.memory import Memory
from cndts.metrics import mean_squared_error
from cndts.persistence import write_model
from cndts.scaling import Scaling
from cndts.targets import Targets
from cndts.training import Ensemble, Samples, Training, validation_score

PERIOD = 4.0
LEARNING = Training(epochs=25, batch_size=8, learning_rate=1e-2)
Pair = tuple[IrregularPanel, Targets]


def sines(n_records: int = 40, seed: int = 0, static: bool = False) -> IrregularPanel:
    """Two channels of one oscillation, seen at irregular times; the phase differs between records."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 2 * np.pi, n_records)
    time = np.sort(rng.uniform(0, 8, (n_records, 40)), axis=1)
    channel = rng.integers(0, 2, time.shape)
    value = np.sin(2 * np.pi * time / PERIOD + phase[:, None] + channel) + 5 * channel
    table = pd.DataFrame({"phase": np.where(phase < np.pi, "early", "late"), "age": 10 * phase}) if static else None
    offsets = 40 * np.arange(n_records + 1)
    return IrregularPanel(offsets, time.ravel(), channel.ravel(), value.ravel(), channels=["sin", "cos"], static=table)


def task(panel: IrregularPanel) -> Pair:
    return Extrapolation(observe=6, horizon=2).split(panel)


def small(**options: Any) -> HybridMemoryForecaster:
    """A model that fits in a moment."""
    given: dict[str, Any] = {
        "training": Training(epochs=1, batch_size=16),
        "width": 4,
        "layers": 1,
        "random_state": 0,
    } | options
    return HybridMemoryForecaster(**given)


def values(model: HybridMemoryForecaster, X: IrregularPanel) -> np.ndarray:
    return np.asarray(model.predict(X))


@pytest.fixture(scope="module")
def pair() -> Pair:
    return task(sines())


@pytest.fixture(scope="module")
def fitted(pair: Pair) -> HybridMemoryForecaster:
    return small(memory=Memory(timescales=3), training=LEARNING, width=16, dropout=0.0).fit(*pair)


def test_targets_inside_the_span_are_learned_causally() -> None:
    """Fitted and asked on an interpolation task, a forecast still rests on earlier events alone."""
    X, y = Interpolation(observed=0.7, random_state=0).split(sines(30))
    model = small(training=Training(epochs=2, batch_size=8)).fit(X, y)
    forecast = values(model, X)
    assert np.isfinite(forecast).all()
    half = X.where(X.time <= 4.0)
    early = X.queries.time <= 4.0
    np.testing.assert_allclose(values(model, half)[early], forecast[early], atol=1e-5)


def test_more_records_than_a_block(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    """Records are predicted in blocks; the seams do not show."""
    X, _ = pair
    many = X[np.arange(300) % len(X)]
    np.testing.assert_allclose(values(fitted, many).reshape(-1)[: X.queries.n_queries], values(fitted, X), atol=1e-5)
    tail = many[256:]
    np.testing.assert_allclose(values(fitted, many)[-tail.queries.n_queries :], values(fitted, tail), atol=1e-5)


# ---- what it learns ----------------------------------------------------------------------------------


def test_it_beats_the_last_value(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    """On unseen oscillations the error is a fraction of that of the last value."""
    X, y = task(sines(seed=1))
    plain = LastValueForecaster().fit(*pair)
    ours, theirs = (mean_squared_error(y, m.predict(X), average="channel") for m in (fitted, plain))
    assert ours < 0.3 * theirs
    assert fitted.score(X, y) > 0.4


def test_intervals_are_calibrated(fitted: HybridMemoryForecaster) -> None:
    """The interval holds about as many targets as it should, and is no wider for asking for less."""
    X, y = task(sines(seed=1))
    wide, narrow = fitted.predict_interval(X, 0.9), fitted.predict_interval(X, 0.5)
    inside = [np.mean((band[:, 0] <= y.value) & (y.value <= band[:, 1])) for band in (wide, narrow)]
    assert 0.7 < inside[0] <= 1
    assert inside[1] < inside[0]
    assert (np.diff(narrow) < np.diff(wide)).all()


def test_quantiles_in_any_order(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    """One column per level as asked, rising with the level."""
    levels = [0.9, 0.01, 0.5, 0.3, 0.9]
    bands = fitted.predict_quantiles(pair[0], levels)
    assert bands.shape == (len(pair[1].value), 5)
    assert (np.diff(bands[:, np.argsort(levels)]) >= 0).all()
    for column, level in enumerate(levels):
        np.testing.assert_array_equal(fitted.predict_quantiles(pair[0], [level])[:, 0], bands[:, column])


def test_predict_at_times(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    """A panel of every channel at the times, equal to asking by queries."""
    grid = fitted.predict(pair[0], times=[7.0, 3.0])
    assert isinstance(grid, IrregularPanel)
    assert grid.n_events == 40 * 2 * 2
    assert grid.time[:4].tolist() == [3, 3, 7, 7]
    asked = pair[0].with_queries([3.0, 7.0])
    order = np.lexsort((asked.queries.channel, asked.queries.time, asked.queries.record))
    np.testing.assert_allclose(grid.value, values(fitted, asked)[order], atol=1e-5)


# ---- scikit-learn ------------------------------------------------------------------------------------


def test_parameters() -> None:
    """Clones and nested names work, also where a group of settings was left at its default."""
    model = HybridMemoryForecaster(memory=Memory(window=3), width=8)
    copy = clone(model)
    assert (copy.memory.window, copy.width, copy.solver) == (3, 8, None)
    assert copy.memory is not model.memory
    assert model.get_params()["memory__window"] == 3
    model.set_params(memory__window=4, solver__steps=5, training__epochs=6, width=12)
    assert (model.memory.window, model.solver.steps, model.training.epochs, model.width) == (4, 5, 6, 12)
    assert (model.solver.method, copy.memory.window) == ("midpoint", 3)
    assert model.set_params(memory=None, memory__window=9).memory.window == 9
    with pytest.raises(ValueError, match="Invalid parameter 'wind' for estimator Memory"):
        HybridMemoryForecaster().set_params(memory__wind=3)


def test_grid_search(pair: Pair) -> None:
    """A search reaches into the settings and refits the best."""
    grid = {"training__learning_rate": [1e-7, 2e-2], "memory__window": np.array([2])}
    search = GridSearchCV(small(training=Training(epochs=4, batch_size=8)), grid, cv=2).fit(*pair)
    assert search.best_params_ == {"training__learning_rate": 2e-2, "memory__window": 2}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(pair[0]).value.shape == pair[1].value.shape


def test_same_state_same_model(pair: Pair) -> None:
    """random_state decides everything, in whatever form it comes."""
    first, again, other = (values(small(random_state=state).fit(*pair), pair[0]) for state in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)
    by_generator = [values(small(random_state=np.random.RandomState(3)).fit(*pair), pair[0]) for _ in range(2)]
    assert np.array_equal(by_generator[0], by_generator[1])
    assert np.isfinite(values(small(random_state=None).fit(*pair), pair[0])).all()


def test_global_generators_are_left_alone(pair: Pair, tmp_path: Path) -> None:
    """Neither fit nor save nor load draws from the generators of the caller."""
    states = torch.random.get_rng_state(), np.random.get_state()[1]
    model = small().fit(*pair)
    model.save(tmp_path / "model.cndts")
    values(HybridMemoryForecaster.load(tmp_path / "model.cndts"), pair[0])
    assert torch.equal(states[0], torch.random.get_rng_state())
    assert np.array_equal(states[1], np.random.get_state()[1])


def test_joblib(fitted: HybridMemoryForecaster, pair: Pair, tmp_path: Path) -> None:
    """A fitted model travels to worker processes."""
    joblib.dump(fitted, tmp_path / "model.joblib")
    copy = joblib.load(tmp_path / "model.joblib")
    assert np.array_equal(values(copy, pair[0]), values(fitted, pair[0]))
    assert copy.get_params()["width"] == 16


def test_not_fitted(pair: Pair, tmp_path: Path) -> None:
    """Nothing works before fit, and nothing is written."""
    for call in (lambda m: m.predict(pair[0]), lambda m: m.save(tmp_path / "model.cndts")):
        with pytest.raises(NotFittedError, match="HybridMemoryForecaster instance is not fitted yet"):
            call(HybridMemoryForecaster())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"head": "point"}, r"head must be one of \['gaussian', 'quantile'\]; got 'point'"),
        ({"width": 6}, "width must be a positive multiple of 4; got 6"),
        ({"width": 0}, "width must be a positive multiple of 4; got 0"),
        ({"solver": Solver("heun")}, "solver__method must be one of .*'midpoint'.*; got 'heun'"),
        ({"dropout": 1.0}, "dropout must be 0 or more and below 1; got 1.0"),
    ],
)
def test_wrong_settings(pair: Pair, options: dict[str, object], text: str) -> None:
    """Settings are checked by fit, and named as the user knows them."""
    with pytest.raises(ValueError, match=text):
        small(**options).fit(*pair)


# ---- unusual records ---------------------------------------------------------------------------------


def test_record_without_context(fitted: HybridMemoryForecaster) -> None:
    """It has a forecast, the same at all times, near the training mean."""
    X = IrregularPanel([0, 0], [], [], [], channels=["sin", "cos"]).with_queries([0.0, 7.0, 1e6])
    for channel, mean in enumerate([0.0, 5.0]):
        answer = values(fitted, X)[X.queries.channel == channel]
        assert answer.shape == (3,)
        assert np.ptp(answer) == 0
        assert answer[0] == pytest.approx(mean, abs=1.5)
    assert np.isfinite(fitted.predict_quantiles(X, [0.1, 0.9])).all()


def test_only_records_without_context() -> None:
    """A model can be fitted to targets alone."""
    X, y = Extrapolation(observe=0, horizon=8).split(sines(12))
    assert X.n_events == 0
    assert np.isfinite(values(small().fit(X, y), X)).all()


def test_nothing_asked(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    """No records, or no queries, give empty answers of the right shape."""
    for X in (pair[0][:0], pair[0].with_queries([])):
        assert fitted.predict(X).value.shape == (0,)
        assert fitted.predict_quantiles(X, [0.1, 0.5, 0.9]).shape == (0, 3)
        assert fitted.predict_interval(X).shape == (0, 2)
    assert fitted.predict(pair[0][:0], times=[7.0]).n_events == 0


def test_channels_are_matched_by_name(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    """Another order and missing channels are fine; unknown ones are an error."""
    X = pair[0]
    swapped = X.without_queries().with_channels(["cos", "sin"]).with_queries([7.0])
    table = fitted.predict(swapped).to_frame().set_index(["record", "channel"])["value"]
    expected = fitted.predict(X.with_queries([7.0])).to_frame().set_index(["record", "channel"])["value"]
    pd.testing.assert_series_equal(table.sort_index(), expected.sort_index(), atol=1e-5, rtol=0)
    only = IrregularPanel([0, 2], [0.0, 1.0], [0, 0], [5.0, 5.5], channels=["cos"]).with_queries([2.0])
    assert np.isfinite(values(fitted, only)).all()
    other = IrregularPanel([0, 1], [0.0], [0], [1.0], channels=["tan"]).with_queries([2.0])
    with pytest.raises(ValueError, match=r"channels that the forecaster was not fitted on: \['tan'\]. Known channels"):
        fitted.predict(other)


def test_far_horizons_stay_finite(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    """Fifty times the training horizon is no error."""
    assert np.isfinite(values(fitted, pair[0].with_queries([106.0]))).all()


# ---- static features ---------------------------------------------------------------------------------


def test_static_features_change_the_forecast(tmp_path: Path) -> None:
    """Each column counts, is needed at predict, and survives a file."""
    X, y = task(sines(static=True))
    model = small(width=8).fit(X, y)
    before = values(model, X)
    for column, value in (("phase", "late"), ("age", 99.0)):
        other = X.with_static(X.static.assign(**{column: value}))
        assert np.abs(values(model, other) - before).max() > 1e-4
    with pytest.raises(ValueError, match=r"static table lacks the columns \['age'\]"):
        model.predict(X.with_static(X.static[["phase"]]))
    model.save(tmp_path / "model.cndts")
    assert np.array_equal(values(HybridMemoryForecaster.load(tmp_path / "model.cndts"), X), before)


# ---- files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", ["quantile", "gaussian"])
def test_save_and_load(pair: Pair, tmp_path: Path, head: str) -> None:
    """A loaded model says exactly the same, and has the same settings."""
    settings = {"memory": Memory(window=np.int64(2), timescales=2), "solver": Solver("rk4", steps=2), "head": head}
    model = small(**settings, dropout=0.1).fit(*pair)
    model.save(tmp_path / "model.cndts")
    loaded = HybridMemoryForecaster.load(tmp_path / "model.cndts")
    assert np.array_equal(values(loaded, pair[0]), values(model, pair[0]))
    assert np.array_equal(loaded.predict_quantiles(pair[0], [0.2, 0.7]), model.predict_quantiles(pair[0], [0.2, 0.7]))
    assert loaded.score(*pair) == model.score(*pair)
    plain = {name: value for name, value in model.get_params().items() if not hasattr(value, "get_params")}
    assert {name: loaded.get_params()[name] for name in plain} == plain | {"random_state": None}
    for name in ("channels_in_", "n_features_in_", "n_records_in_", "time_unit_in_"):
        assert getattr(loaded, name) == getattr(model, name)
    loaded.save(tmp_path / "again.cndts")
    assert np.array_equal(
        values(HybridMemoryForecaster.load(tmp_path / "again.cndts"), pair[0]), values(model, pair[0])
    )


def test_load_errors(tmp_path: Path) -> None:
    """The class is checked; the rest of what can be wrong with a file is tested in test_persistence.py."""
    write_model(tmp_path / "model.cndts", "OtherForecaster", {}, {})
    text = "holds a OtherForecaster; load it with OtherForecaster.load, not HybridMemoryForecaster.load"
    with pytest.raises(ValueError, match=text):
        HybridMemoryForecaster.load(tmp_path / "model.cndts")
    with pytest.raises(FileNotFoundError, match="no model file at"):
        HybridMemoryForecaster.load(tmp_path / "other.cndts")


# ---- variants ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", ["quantile", "gaussian"])
@pytest.mark.parametrize(
    "solver", [Solver("euler"), Solver("rk4", steps=1), Solver("dopri5", adjoint=True), Solver("direct")]
)
def test_solvers_and_heads(pair: Pair, solver: Solver, head: str) -> None:
    """Every kind fits, forecasts and orders its quantiles."""
    model = small(solver=solver, head=head).fit(*pair)
    assert np.isfinite(values(model, pair[0])).all()
    assert (np.diff(model.predict_quantiles(pair[0], [0.05, 0.5, 0.95])) > 0).all()


def test_gaussian_head_learns(pair: Pair) -> None:
    """The Gaussian head forecasts better than the mean as well."""
    model = small(head="gaussian", training=LEARNING, width=16, dropout=0.0).fit(*pair)
    assert model.score(*task(sines(seed=1))) > 0.3


def test_oscillators_of_the_library() -> None:
    """The generated oscillators run through as well, with a time unit that comes back."""
    X, y = task(make_oscillators(16, random_state=0))
    model = small().fit(X, y)
    assert (model.time_unit_in_, model.scaling_.time_scale > 0) == ("s", True)
    with pytest.raises(ValueError, match="X has times in 'h', the forecaster was fitted on times in 's'"):
        model.predict(IrregularPanel([0, 1], [0.0], [0], [1.0]).with_queries([1.0]))


# ---- validation records ------------------------------------------------------------------------------


def test_given_validation_records_choose_the_epoch(pair: Pair) -> None:
    """All training records are used, and the score is that of the weights kept, on the records given."""
    X_val, y_val = task(sines(20, seed=2))
    model = small(training=Training(epochs=3, batch_size=8, learning_rate=1e-2)).fit(*pair, X_val=X_val, y_val=y_val)
    static = model.static_.transform(X_val.static)
    samples = Samples(X_val, y_val, model.scaling_, static, 0.5)
    for member, result in zip(model.network_.members, model.fit_results_, strict=True):
        assert validation_score(member, samples, 8) == pytest.approx(result.best_score, abs=1e-6)
    assert np.array_equal(model.scaling_.mean, Scaling.fit(*pair).mean)
    with pytest.raises(ValueError, match="X_val and y_val go together; got only .?X_val"):
        small().fit(*pair, X_val=X_val)


def test_the_forecast_is_the_average_of_the_members(pair: Pair) -> None:
    """Members differ by their seed alone, one member is the ensemble of itself, and both come back from a file."""
    one, two = (small(training=Training(epochs=1, members=n)).fit(*pair) for n in (1, 2))
    X = pair[0]
    alone = [copy.deepcopy(two) for _ in range(2)]
    for model, member in zip(alone, two.network_.members, strict=True):
        model.network_ = Ensemble([member])
    first, second = (values(model, X) for model in alone)
    assert len(one.fit_results_) == 1 and len(two.fit_results_) == 2
    np.testing.assert_array_equal(first, values(one, X))
    assert not np.allclose(first, second)
    np.testing.assert_allclose(values(two, X), (first + second) / 2, rtol=1e-5)
    with pytest.raises(ValueError, match="training__members must be 1 or more; got 0"):
        small(training=Training(members=0)).fit(*pair)


def test_no_validation(pair: Pair) -> None:
    """A fraction of 0 trains on everything and keeps the last weights."""
    model = small(training=Training(epochs=2, validation_fraction=0)).fit(*pair)
    for result in model.fit_results_:
        assert result.best_epoch == result.n_epochs == 2
        assert np.isnan(result.best_score)
    assert np.array_equal(model.scaling_.mean, Scaling.fit(*pair).mean)


def test_groups_stay_together(pair: Pair) -> None:
    """Records of a group are either all trained on or all held out."""
    X, y = pair
    groups = np.array([f"g{i % 13}" for i in range(len(X))])
    kept, y_kept, held, y_held = _hold_out(X.with_groups(groups), y, 0.3, np.random.RandomState(0))
    assert held is not None
    assert len(set(held.groups)) == 3
    assert set(kept.groups).isdisjoint(held.groups)
    assert sorted([*kept.records, *held.records]) == sorted(X.records)
    assert (y_kept.records.equals(kept.records), y_held.records.equals(held.records)) == (True, True)


@pytest.mark.parametrize(("fraction", "n_held"), [(0.1, 4), (0.02, None), (0, None)])
def test_hold_out_size(pair: Pair, fraction: float, n_held: int | None) -> None:
    """The fraction is rounded down; where it is less than a record, all are trained on."""
    kept, _, held, _ = _hold_out(*pair, fraction, np.random.RandomState(0))
    assert (None if held is None else len(held)) == n_held
    assert len(kept) == 40 - (n_held or 0)


def test_hold_out_takes_records_with_targets(pair: Pair) -> None:
    """Records that ask for nothing cannot judge an epoch, and holding them out must not empty the training part."""
    X, y = pair
    silent = np.ones(len(y.value), dtype=bool)
    silent[: y.offsets[10]] = False  # only the first ten records keep their targets
    X, y = check_training_pair(X, y.with_values(np.where(silent, np.nan, y.value)))
    kept, y_kept, held, y_held = _hold_out(X, y, 0.2, np.random.RandomState(0))
    assert (len(kept), len(held)) == (38, 2)
    assert (np.diff(y_held.offsets) > 0).all() and len(y_kept.value) > 0
