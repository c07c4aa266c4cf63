"""Every backbone behind one interface: it learns, forecasts causally, and comes back from a file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from cndts import Extrapolation, IrregularPanel
from cndts.backbones import BACKBONES, HybridMemoryBackbone
from cndts.benchmarking import make_model
from cndts.datasets import make_oscillators
from cndts.dynamics import Solver
from cndts.estimators import HybridMemoryForecaster, IrregularForecaster
from cndts.persistence import read_model, write_model
from cndts.targets import Targets
from cndts.training import Training

Pair = tuple[IrregularPanel, Targets]
QUICK = Training(epochs=1, members=1, batch_size=8)
every_backbone = pytest.mark.parametrize("name", sorted(BACKBONES))


def small(name: str, **options: Any) -> IrregularForecaster:
    return IrregularForecaster(name, **({"training": QUICK, "width": 8, "random_state": 0} | options))


def decays(n_records: int, seed: int) -> Pair:
    """Two channels of one decay, each record with its own amplitude."""
    rng = np.random.default_rng(seed)
    length = rng.integers(8, 14, n_records)
    record = np.repeat(np.arange(n_records), length)
    time, channel = rng.uniform(0, 8, len(record)), rng.integers(0, 2, len(record))
    time = time[np.lexsort((time, record))]
    value = rng.normal(size=n_records)[record] * np.exp(-time / 5) * np.where(channel == 0, 1, -2)
    offsets = np.concatenate([[0], np.cumsum(length)])
    noise = 0.05 * rng.normal(size=len(record))
    return Extrapolation(observe=6, horizon=2).split(IrregularPanel(offsets, time, channel, value + noise))


def values(model: IrregularForecaster | HybridMemoryForecaster, X: IrregularPanel) -> np.ndarray:
    return np.asarray(model.predict(X))


@pytest.fixture(scope="module")
def pair() -> Pair:
    panel = make_oscillators(16, n_modes=1, n_observations=15, random_state=0)
    return Extrapolation(observe=6, horizon=2).split(panel)


@every_backbone
def test_learns(name: str) -> None:
    """On unseen records every backbone is clearly better than the mean."""
    training = Training(epochs=10, members=1, batch_size=8, learning_rate=1e-2, cut_share=0.5)
    model = small(name, training=training, width=16, dropout=0.0).fit(*decays(64, seed=0))
    assert model.score(*decays(40, seed=1)) > 0.5


@every_backbone
def test_forecasts(name: str, pair: Pair) -> None:
    """One number per query, quantiles that rise, every channel at given times, records without events too."""
    model = small(name).fit(*pair)
    X = pair[0]
    assert values(model, X).shape == pair[1].value.shape
    assert (np.diff(model.predict_quantiles(X, [0.05, 0.5, 0.95])) > 0).all()
    assert model.predict(X, times=[7.0, 9.0]).n_events == len(X) * 2 * 2
    empty = IrregularPanel([0, 0], [], [], [], channels=X.channels, time_unit="s").with_queries([3.0, 9.0])
    assert np.isfinite(values(model, empty)).all()
    assert np.isfinite(values(model, X.with_queries([1e6]))).all()


@every_backbone
def test_later_events_never_change_an_earlier_forecast(name: str, pair: Pair) -> None:
    """A query inside the span is answered as if the record ended there."""
    model, X = small(name).fit(*pair), pair[0][:4]
    asked = X.with_queries([3.0])
    value = np.where(X.time <= 3.0, X.value, -50.0)
    later = IrregularPanel(X.offsets, X.time, X.channel, value, channels=X.channels, time_unit="s").with_queries([3.0])
    np.testing.assert_allclose(values(model, later), values(model, asked), rtol=0, atol=1e-5)


@every_backbone
def test_save_and_load(name: str, pair: Pair, tmp_path: Path) -> None:
    """The file names the backbone; what is loaded says the same."""
    model = small(name, head="gaussian").fit(*pair)
    model.save(tmp_path / "model.cndts")
    assert read_model(tmp_path / "model.cndts", "IrregularForecaster")[0]["params"]["backbone"] == name
    loaded = IrregularForecaster.load(tmp_path / "model.cndts")
    assert np.array_equal(values(loaded, pair[0]), values(model, pair[0]))
    assert np.array_equal(loaded.predict_quantiles(pair[0], [0.2, 0.7]), model.predict_quantiles(pair[0], [0.2, 0.7]))
    assert (loaded.backbone, loaded.head, loaded.width, loaded.solver) == (name, "gaussian", 8, None)


def test_a_solver_comes_back(pair: Pair, tmp_path: Path) -> None:
    """A solver that was given is in the file; one that was not stays the backbone's own."""
    model = small("latent-ode", solver=Solver("midpoint", steps=4)).fit(*pair)
    model.save(tmp_path / "model.cndts")
    loaded = IrregularForecaster.load(tmp_path / "model.cndts")
    assert (loaded.solver.method, loaded.solver.steps) == ("midpoint", 4)
    assert np.array_equal(values(loaded, pair[0]), values(model, pair[0]))


def test_unknown_backbones_are_refused(pair: Pair, tmp_path: Path) -> None:
    """By name, in a constructor and in a file."""
    text = r"backbone must be one of \['gru-d', 'hybrid-memory', 'latent-ode'\]; got 'mamba'"
    with pytest.raises(ValueError, match=text):
        small("mamba").fit(*pair)
    small("gru-d").fit(*pair).save(tmp_path / "model.cndts")
    config, tensors = read_model(tmp_path / "model.cndts", "IrregularForecaster")
    config["parts"]["_built_with"]["backbone"] = "mamba"  # the weights are those of the settings of the fit
    write_model(tmp_path / "model.cndts", "IrregularForecaster", config, tensors)
    with pytest.raises(ValueError, match=text):
        IrregularForecaster.load(tmp_path / "model.cndts")


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("hybrid-memory", {"width": 6}, "width must be a positive multiple of 4; got 6"),
        ("gru-d", {"width": 0}, "width must be 1 or more; got 0"),
        ("gru-d", {"solver": Solver()}, "gru-d solves no differential equation"),
        ("latent-ode", {"solver": Solver("linear")}, "solver__method of latent-ode must be one of .*; got 'linear'"),
        ("latent-ode", {"head": "point"}, "head must be one of .*; got 'point'"),
    ],
)
def test_wrong_settings(pair: Pair, name: str, options: dict[str, Any], text: str) -> None:
    """Settings are checked by fit, and named as the user knows them."""
    with pytest.raises(ValueError, match=text):
        small(name, **options).fit(*pair)


def test_the_default_is_the_hybrid_memory(pair: Pair) -> None:
    """The same seed and width give the very forecasts of HybridMemoryForecaster."""
    options: dict[str, Any] = {"training": QUICK, "width": 8, "random_state": 0}
    model, own = IrregularForecaster(**options).fit(*pair), HybridMemoryForecaster(**options).fit(*pair)
    assert isinstance(model.network_.members[0].backbone, HybridMemoryBackbone)
    assert np.array_equal(values(model, pair[0]), values(own, pair[0]))


def test_parameters(pair: Pair) -> None:
    """Clones and nested names, as scikit-learn wants them; the same seed gives the same forecasts."""
    model = small("gru-d").set_params(training__epochs=2, backbone="latent-ode", solver__method="rk4", solver__steps=3)
    assert (model.backbone, model.training.epochs, model.solver.steps) == ("latent-ode", 2, 3)
    assert clone(model).get_params()["solver__steps"] == 3
    assert np.array_equal(values(model.fit(*pair), pair[0]), values(clone(model).fit(*pair), pair[0]))


@pytest.mark.parametrize("name", ["gru-d", "latent-ode"])
def test_benchmarks_know_them_by_name(name: str) -> None:
    """With the seed of the benchmark."""
    model = make_model(name, random_state=3, training__epochs=2)
    assert isinstance(model, IrregularForecaster)
    assert (model.backbone, model.random_state, model.training.epochs) == (name, 3, 2)
