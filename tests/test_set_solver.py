"""Another solver after fitting, and solves that fail with the names of their records."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from torch import Tensor, nn

from cndts import Extrapolation
from cndts.backbones import Backbone
from cndts.batching import EventStore
from cndts.datasets import make_oscillators
from cndts.dynamics import Solver, SolverError, SolverWarning
from cndts.dynamics.row_names import names_of, rows_named
from cndts.estimators import HybridMemoryForecaster, HybridMemoryInterpolator, IrregularForecaster
from cndts.memory import Memory
from cndts.panel import IrregularPanel
from cndts.targets import Targets
from cndts.training import Training

SMALL = Memory(window=3, timescales=2, contents=2)
SIZES = {"training": Training(members=2, epochs=2), "width": 8, "layers": 1, "random_state": 0}


def pair(n_records: int = 16) -> tuple[IrregularPanel, Targets]:
    panel = make_oscillators(n_records, n_modes=1, n_observations=12, random_state=0)
    return Extrapolation(observe=6, horizon=2).split(panel)


def fitted(solver: Solver | None = None) -> HybridMemoryForecaster:
    return HybridMemoryForecaster(SMALL, solver, **SIZES).fit(*pair())


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fitted model, to be loaded afresh by each test."""
    path = tmp_path_factory.mktemp("model") / "fitted.safetensors"
    fitted().save(path)
    return path


@pytest.fixture
def model(file: Path) -> HybridMemoryForecaster:
    return HybridMemoryForecaster.load(file)


def forecast(model: HybridMemoryForecaster) -> np.ndarray:
    return np.asarray(model.predict(pair()[0]), dtype=np.float64)


# ---- set_solver ----------------------------------------------------------------------------------------


def test_more_steps_approach_the_solution(model: HybridMemoryForecaster) -> None:
    """With each doubling of the steps the midpoint forecast comes nearer to that of dopri5, by about four in the end."""
    model.network_.double()
    for (
        member
    ) in model.network_.members:  # a livelier field than two epochs give, so that errors stand out from rounding
        for parameter in member.backbone.readout.field.parameters():
            parameter.data *= 2
    exact = _double(model.set_solver("dopri5", rtol=1e-9, atol=1e-10))
    errors = [np.abs(_double(model.set_solver("midpoint", steps=n)) - exact).mean() for n in (3, 6, 12, 24)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0] / 10


def test_parameters_set_after_fitting_do_not_reach_the_fitted_model() -> None:
    """``set_params`` is for the next fit, as everywhere in scikit-learn; ``set_solver`` changes this one."""
    model = fitted(Solver(steps=3))
    before = forecast(model)
    model.set_params(solver__method="euler", solver__steps=1)
    np.testing.assert_array_equal(forecast(model), before)
    assert not np.array_equal(forecast(model.set_solver("euler", steps=1)), before)


def _double(model: HybridMemoryForecaster) -> np.ndarray:
    """Forecasts in model units by weights in double precision."""
    X, _ = pair()
    batch = EventStore(X, model.scaling_, model.static_.transform(X.static)).batch(np.arange(len(X)), X.queries)
    parts = {
        name: value.double()
        for name, value in vars(batch).items()
        if torch.is_tensor(value) and value.is_floating_point()
    }
    with torch.no_grad():
        return model.network_(replace(batch, **parts)).forecast.mean.numpy()


def test_forecasts_change_little(model: HybridMemoryForecaster) -> None:
    """Another solver of the same ODE gives nearly, but not exactly, the same forecast; all members change."""
    before, spread = forecast(model), pair()[1].value.std()
    assert model.set_solver("rk4", steps=8) is model
    after = forecast(model)
    assert 0 < np.abs(after - before).max() < 0.05 * spread
    assert {member.backbone.readout.solver.method for member in model.network_.members} == {"rk4"}


def test_what_is_not_given_stays(model: HybridMemoryForecaster) -> None:
    """Settings add up over calls, and the parameter follows without touching an object of the user's."""
    own = Solver("rk4", steps=5)
    model.set_params(solver=own)
    model.set_solver(steps=6)
    assert (own.steps, model.solver.method, model.solver.steps) == (
        5,
        "midpoint",
        6,
    )  # the fitted one goes on, not `own`
    model.set_solver("dopri5")
    assert (model.solver.method, model.solver.steps) == ("dopri5", 6)
    assert clone(model).solver.get_params() == model.solver.get_params()


def test_files_keep_the_solver(model: HybridMemoryForecaster, tmp_path: Path) -> None:
    """A loaded model solves as the saved one."""
    model.set_solver("euler", steps=7).save(tmp_path / "model.safetensors")
    loaded = HybridMemoryForecaster.load(tmp_path / "model.safetensors")
    assert loaded.solver.get_params() == model.solver.get_params()
    np.testing.assert_array_equal(forecast(loaded), forecast(model))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "linear"}, "solver__method cannot change from 'midpoint' to 'linear' after training"),
        ({"method": "direct"}, "cannot change from 'midpoint' to 'direct'"),
        ({"augment": 2}, "solver__augment cannot change from 0 to 2"),
        ({"field": "hyper"}, "solver__field cannot change from 'gated' to 'hyper'"),
        ({"method": "verlet"}, "solver__method must be one of"),
        ({"steps": 0}, "solver__steps must be 1 or more; got 0"),
        ({"stepz": 4}, "Invalid parameter 'stepz'"),
    ],
)
def test_what_is_refused_changes_nothing(model: HybridMemoryForecaster, settings: dict, message: str) -> None:
    """Errors say what is wrong and leave solver and forecasts as they were."""
    before, solver = forecast(model), model.solver.get_params()
    with pytest.raises(ValueError, match=message):
        model.set_solver(**settings)
    assert model.solver.get_params() == solver
    np.testing.assert_array_equal(forecast(model), before)


def test_backbones() -> None:
    """A hybrid memory behind `IrregularForecaster` starts from its own default; GRU-D solves nothing."""
    quick = {"training": Training(members=1, epochs=1), "width": 8, "random_state": 0}
    hybrid = IrregularForecaster("hybrid-memory", **quick).fit(*pair())
    assert hybrid.set_solver(steps=5).solver.get_params() == Solver(steps=5).get_params()
    with pytest.raises(ValueError, match="the backbone 'gru-d' has no read-out whose solver could be changed"):
        IrregularForecaster("gru-d", **quick).fit(*pair()).set_solver(steps=5)
    with pytest.raises(NotFittedError):
        IrregularForecaster("hybrid-memory").set_solver(steps=5)


# ---- failures have names -------------------------------------------------------------------------------


class Broken(nn.Module):
    """A field that is nowhere a number."""

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        return torch.full_like(z, torch.nan) + t * 0


def broken(model: HybridMemoryForecaster, **settings: Any) -> HybridMemoryForecaster:
    for member in model.network_.members:
        member.backbone.readout.field = Broken()
    return model.set_solver(**settings) if settings else model


def stays() -> IrregularPanel:
    """Three records with names."""
    X, _ = pair(3)
    return IrregularPanel(
        X.offsets, X.time, X.channel, X.value, records=["a", "b", "c"], channels=X.channels, time_unit=X.time_unit
    )


def asking(record: str, time: float) -> IrregularPanel:
    X = stays()
    return X.with_queries({record: [time]}, channels=[X.channels[1]])


@pytest.mark.parametrize("method", ["midpoint", "dopri5"])
@pytest.mark.parametrize("time", [2.5, 7.0])
def test_prediction_names_record_and_channel(model: HybridMemoryForecaster, method: str, time: float) -> None:
    """Whether the query lies inside the span, where the record is repeated, or after it."""
    X = asking("c", time)
    with pytest.raises(SolverError, match=rf"row \d+ of 1 \(record c, channel {X.channels[1]}\): ") as caught:
        broken(model, method=method).predict(X)
    assert caught.value.names == (("c", X.channels[1]),)


def test_warnings_name_record_and_channel(model: HybridMemoryForecaster) -> None:
    """A fallback says for whom it stands in."""
    X = asking("b", 7.0)
    with pytest.warns(SolverWarning, match=rf"\(record b, channel {X.channels[1]}\): .* stands in"):
        broken(model, fallback=True).predict(X)


def test_interpolation_names_record_and_channel() -> None:
    """Gaps belong to records too."""
    X = asking("b", 2.5)
    y = Targets(X.queries, np.ones(1, dtype=np.float32), X.records, X.channels)
    training = Training(members=1, epochs=1)
    model = HybridMemoryInterpolator(SMALL, training=training, width=8, layers=1, random_state=0).fit(X, y)
    with pytest.raises(SolverError, match=rf"\(record b, channel {X.channels[1]}\)"):
        broken(model).predict(X)


class BreaksInTraining(HybridMemoryForecaster):
    """Its field is broken from the start."""

    def _backbone(self) -> Backbone:
        backbone = super()._backbone()
        backbone.readout.field = Broken()
        backbone.readout.field.weight = nn.Parameter(torch.zeros(1))
        return backbone


def test_training_names_records_and_channels() -> None:
    """The first batch of a fit, and of an adaptation, says which records broke it; a failed fit is no fit."""
    X, y = pair(4)
    X = IrregularPanel._trusted(X, records=X.records.map(lambda i: f"p{i}"))
    y = Targets(X.queries, y.value, X.records, X.channels)
    model = BreaksInTraining(SMALL, **SIZES)
    with pytest.raises(SolverError, match=r"\(record p\d, channel \w+; record p\d, channel \w+") as caught:
        model.fit(X, y)
    assert {record for record, _ in caught.value.names} <= set(X.records)
    with pytest.raises(NotFittedError):
        model.predict(X)
    good = HybridMemoryForecaster(SMALL, **SIZES).fit(X, y)
    with pytest.raises(SolverError, match=r"\(record p3, channel"):
        broken(good).adapt(X[3:], y[3:], steps=1)


def test_names_end_with_the_block() -> None:
    """Also when it ends by an error; nested blocks come back to the outer names."""
    with rows_named(["a"], ["HR"]):
        with pytest.raises(ZeroDivisionError), rows_named(["b", "c"], ["HR", "Temp"]):
            assert names_of([3]) == (("c", "Temp"),)
            1 / 0  # noqa: B018
        assert names_of([0]) == (("a", "HR"),)
    assert names_of([0]) == ()
    assert str(SolverError("rk4", "it broke", [0], 1, "Do this.")) == "'rk4' failed for row 0 of 1: it broke. Do this."
    with rows_named(list("abcdef"), ["HR"]), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "record e, channel HR; ...)" in str(SolverError("rk4", "it broke", range(6), 9, "Do this."))
