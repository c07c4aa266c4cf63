"""Exported programs answer as the estimator does, on batches of any size."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from cndts import Extrapolation, IrregularPanel, Queries, Targets
from cndts.datasets import make_icu
from cndts.dynamics import Solver
from cndts.estimators import (
    DecayToMeanForecaster,
    HybridMemoryForecaster,
    HybridMemoryInterpolator,
    IrregularForecaster,
)
from cndts.export import ExportableForecast, batch_tensors, export_forecaster
from cndts.memory import Memory
from cndts.training import Training

LEVELS = [0.1, 0.5, 0.9]
Pair = tuple[IrregularPanel, Targets]


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Extrapolation(observe=24, horizon=12).split(make_icu(16, density=0.4, random_state=0))


def fitted(pair: Pair, members: int = 1, **settings: object) -> HybridMemoryForecaster:
    training = Training(epochs=1, members=members)
    memory = Memory(timescales=2, window=3, contents=4, episodic_slots=4, cycles=(5.0,))
    options = {"width": 8, "layers": 1, "memory": memory, "training": training, "random_state": 0}
    return HybridMemoryForecaster(**{**options, **settings}).fit(*pair)


def assert_same(program: object, model: HybridMemoryForecaster, X: IrregularPanel) -> None:
    tensors, position = batch_tensors(model, X)
    with torch.no_grad():
        mean, quantiles = program(tensors)  # type: ignore[operator]
    np.testing.assert_allclose(mean.numpy()[position], model._predict(X), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(quantiles.numpy()[position], model.predict_quantiles(X, LEVELS), rtol=1e-4, atol=1e-4)


def later(X: IrregularPanel, hours: float) -> IrregularPanel:
    """The same questions so much later."""
    asked = X.queries
    assert asked is not None
    return X.with_queries(queries=Queries(asked.offsets, asked.time + hours, asked.channel))


def test_a_program_answers_as_the_model(pair: Pair, tmp_path: Path) -> None:
    """Traced with some records, written, read and run on others: more, fewer, one, empty ones, and questions inside the span."""
    X, _ = pair
    model = fitted(pair, solver=Solver("midpoint", steps=1))
    export_forecaster(model, X[:6], tmp_path / "model.pt2", levels=LEVELS)
    extra = {"cndts.json": ""}
    program = torch.export.load(tmp_path / "model.pt2", extra_files=extra).module()
    about = json.loads(extra["cndts.json"])
    assert about["channels"] == list(X.channels)
    assert (about["levels"], about["furthest"], about["time_unit"]) == (LEVELS, 1.25, "h")
    for panel in (X, X[3:7], X[9:10]):
        assert_same(program, model, panel)
    lone = IrregularPanel([0, 1], [3.0], [2], [18.0], channels=X.channels, time_unit="h", static=X.static.iloc[:1])
    assert_same(program, model, lone.with_queries(times=[9.0], channels=["RespRate"]))
    inside = later(X[:5], -12.0)
    assert_same(program, model, inside)
    shortened = X.where(np.asarray(X.record) != 2)[:6]
    assert np.diff(shortened.offsets).min() == 0
    assert_same(program, model, shortened)
    far, _ = batch_tensors(model, later(X[:3], 500.0))
    with torch.no_grad():
        mean, quantiles = program(far)
    assert torch.isnan(mean).all()
    assert torch.isnan(quantiles).all()


@pytest.mark.parametrize(
    "settings",
    [
        {"solver": Solver("rk4", steps=2, augment=2), "head": "gaussian", "members": 2},
        {"solver": Solver("midpoint", dense=False)},
        {"solver": Solver("direct"), "memory": Memory(timescales=0, window=2, episodic_slots=0)},
        {"solver": Solver("linear"), "memory": Memory(timescales=3, window=0, long_term="oscillating")},
        {
            "solver": Solver("euler"),
            "memory": Memory(timescales=3, contents=2, long_term="legendre", second_round=False),
        },
    ],
    ids=lambda settings: settings["solver"].method + str(settings["solver"].dense),
)
def test_the_module_answers_as_the_model(pair: Pair, settings: dict) -> None:
    """What is traced is the same whatever the solver, the head and the memories, also far ahead."""
    model = fitted(pair, **settings)
    module = ExportableForecast(model, LEVELS, furthest=40.0)
    assert_same(module, model, pair[0])
    assert_same(module, model, later(pair[0][:4], 100.0))


@pytest.mark.parametrize(
    "method", [pytest.param("direct", marks=pytest.mark.slow), pytest.param("linear", marks=pytest.mark.slow), "rk4"]
)
def test_programs_of_other_solvers(pair: Pair, method: str) -> None:
    """They can be traced too."""
    model = fitted(pair, solver=Solver(method))
    program = export_forecaster(model, pair[0], levels=LEVELS, furthest=3.0).module()
    assert_same(program, model, pair[0])
    assert_same(program, model, later(pair[0][:3], 10.0))


def test_the_model_stays_as_it_is(pair: Pair) -> None:
    """Replaced methods are those of a copy."""
    model = fitted(pair)
    before = model.predict(pair[0]).value.copy()
    ExportableForecast(model, LEVELS)
    np.testing.assert_array_equal(model.predict(pair[0]).value, before)
    assert all("forward" not in vars(part) and "write" not in vars(part) for part in model.network_.modules())


def test_errors(pair: Pair) -> None:
    """Each says what can be exported."""
    X, y = pair
    model = fitted(pair)
    for wrong in (
        DecayToMeanForecaster().fit(X, y),
        HybridMemoryForecaster(),
        HybridMemoryInterpolator(width=8, training=Training(epochs=1, members=1)).fit(X, y),
        IrregularForecaster("gru-d", width=8, training=Training(epochs=1, members=1)).fit(X, y),
    ):
        with pytest.raises(TypeError, match=f"hybrid-memory backbone can be exported.*got {type(wrong).__name__}"):
            export_forecaster(wrong, X)
    with pytest.raises(ValueError, match=r"levels must lie strictly between 0 and 1; got \[0.0\]"):
        export_forecaster(model, X, levels=[0.0])
    with pytest.raises(ValueError, match="furthest must lie between 1.25 and 250 training horizons; got 1"):
        export_forecaster(model, X, furthest=1)
    with pytest.raises(ValueError, match="X is too small to trace with: n_queries is 1, and 3 are needed"):
        export_forecaster(model, X[:4].with_queries(times={X.records[0]: [30.0]}, channels=["HR"]))
    with pytest.raises(ValueError, match="has no queries, so there is nothing to predict"):
        batch_tensors(model, X.without_queries())
    model.set_solver("dopri5")
    with pytest.raises(
        ValueError, match=r"the solver 'dopri5' chooses its own. Call model.set_solver\('rk4', steps=6\) first"
    ):
        export_forecaster(model, X)
