"""Few-shot adaptation: what changes, what stays, and what is refused."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from torch import Tensor, nn

from cndts import Extrapolation, Interpolation
from cndts.datasets import make_oscillators
from cndts.dynamics import SolverStatistics
from cndts.estimators import HybridMemoryForecaster, HybridMemoryInterpolator, IrregularForecaster
from cndts.heads import GaussianForecast
from cndts.memory import Memory
from cndts.panel import IrregularPanel
from cndts.training import NetworkOutput, Sample, Training, adapt_network

QUICK = Training(members=2, epochs=1)
SMALL = Memory(window=3, timescales=2, contents=2)
CUT = Extrapolation(observe=6, horizon=2)


def oscillators(n_records: int, seed: int = 0) -> IrregularPanel:
    return make_oscillators(n_records, n_modes=1, n_observations=12, random_state=seed)


def shifted(n_records: int, seed: int) -> IrregularPanel:
    """Records of a station whose instruments read three units more."""
    panel = oscillators(n_records, seed)
    ones = np.ones(len(panel.channels))
    return panel.scale_values(-3 * ones, ones)


def weights(model: HybridMemoryForecaster) -> list[Tensor]:
    return [value.clone() for value in model.network_.state_dict().values()]


def same(a: list[Tensor], b: list[Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.fixture(scope="module")
def model() -> HybridMemoryForecaster:
    return HybridMemoryForecaster(SMALL, training=QUICK, width=8, layers=1, random_state=0).fit(
        *CUT.split(oscillators(30))
    )


# ---- what changes and what stays -----------------------------------------------------------------------


@pytest.mark.parametrize("with_targets", [False, True])
def test_a_copy_learns_and_the_model_stays(model: HybridMemoryForecaster, with_targets: bool) -> None:
    """The adapted copy is better on unseen records of the new kind; the model keeps every weight."""
    before, (unseen, truth) = weights(model), CUT.split(shifted(40, 2))
    lesson = CUT.split(shifted(12, 1)) if with_targets else (shifted(12, 1),)
    adapted = model.adapt(*lesson, steps=60, learning_rate=1e-2, pull=0.0, prior_records=0.0)
    assert same(before, weights(model))
    errors = [np.mean((np.asarray(m.predict(unseen)) - truth.value) ** 2) for m in (model, adapted)]
    assert errors[1] < 0.7 * errors[0]
    assert type(adapted) is type(model)
    assert adapted.scaling_.mean.tolist() == model.scaling_.mean.tolist()
    assert all(len(result.losses) == 60 and result.distance > 0 for result in adapted.adapt_results_)
    assert not adapted.network_.training


def test_the_seed_decides(model: HybridMemoryForecaster) -> None:
    """The same seed gives the same weights, another one others, and torch's own generator is left alone."""
    panel = oscillators(4, 1)
    torch.manual_seed(3)
    state = torch.random.get_rng_state()
    first, again, other = (weights(model.adapt(panel, steps=2, random_state=seed)) for seed in (1, 1, 2))
    assert torch.equal(state, torch.random.get_rng_state())
    assert same(first, again)
    assert not same(first, other)
    assert same(weights(model.adapt(panel, steps=2)), weights(model.adapt(panel, steps=2, random_state=0)))


def test_pull(model: HybridMemoryForecaster) -> None:
    """The stronger the pull the shorter the way, and hardly any at all where it is very strong."""
    panel = oscillators(4, 1)

    def way(pull: float) -> float:
        return model.adapt(panel, steps=15, learning_rate=1e-2, pull=pull).adapt_results_[0].distance

    free, held, fixed = way(0.0), way(100.0), way(1e8)
    assert fixed < 1e-4 * free
    assert 2 * fixed < held < 0.7 * free


def test_more_records_go_further(model: HybridMemoryForecaster) -> None:
    """With n records the weights end n / (n + prior_records) of the way, exactly, and all the way with 0."""
    panel = make_oscillators(8, random_state=3)
    options = {"steps": 5, "learning_rate": 1e-2, "pull": 0.0, "random_state": 0}

    def ways(prior_records: float) -> list[Tensor]:
        adapted = model.adapt(panel, prior_records=prior_records, **options).network_.state_dict()
        return [adapted[name] - fitted for name, fitted in model.network_.state_dict().items()]

    for part, whole in zip(ways(24.0), ways(0.0), strict=True):
        torch.testing.assert_close(part, whole * len(panel) / (len(panel) + 24.0), rtol=1e-3, atol=1e-6)
    assert max(float(way.abs().max()) for way in ways(24.0)) > 1e-3
    assert max(float(way.abs().max()) for way in ways(1e9)) < 1e-6


def test_parts(model: HybridMemoryForecaster) -> None:
    """Only the named parts move; the others can be trained again afterwards."""
    adapted = model.adapt(oscillators(4, 1), steps=2, parts=("head", "backbone.readout"))
    old, new = model.network_.state_dict(), adapted.network_.state_dict()
    moved = {name.split(".", 2)[2] for name in old if not torch.equal(old[name], new[name])}
    assert moved
    assert all(name.startswith(("head.", "backbone.readout.")) for name in moved)
    assert all(parameter.requires_grad for parameter in adapted.network_.parameters())


def test_files(model: HybridMemoryForecaster, tmp_path: Path) -> None:
    """An adapted model is saved and loaded like any other, and can be adapted again then."""
    adapted = model.adapt(oscillators(4, 1), steps=2)
    X, _ = CUT.split(oscillators(5, 2))
    adapted.save(tmp_path / "adapted.safetensors")
    loaded = HybridMemoryForecaster.load(tmp_path / "adapted.safetensors")
    np.testing.assert_array_equal(loaded.predict(X), adapted.predict(X))
    assert not np.array_equal(model.predict(X), adapted.predict(X))
    assert len(loaded.adapt(oscillators(4, 1), steps=1, random_state=0).adapt_results_) == 2


def test_events_alone_are_asked_up_to_the_horizon_of_training(model: HybridMemoryForecaster) -> None:
    """Without targets the queries of the panel are ignored, and channels may be missing or in another order."""
    X, _ = CUT.split(oscillators(5, 1))
    turned = X.with_channels(X.channels[::-1])
    plain = X.without_queries()
    found = [weights(model.adapt(panel, steps=2)) for panel in (X, turned, plain)]
    assert same(found[0], found[2])
    assert same(found[1], found[2])
    assert model._samples_without_targets(X).horizon == model.scaling_.time_scale


@pytest.mark.parametrize("backbone", ["gru-d", "latent-ode"])
def test_other_backbones(backbone: str) -> None:
    """What is trained by `fit` is adapted too."""
    X, y = CUT.split(oscillators(12))
    fitted = IrregularForecaster(backbone, training=Training(members=1, epochs=1), width=8, random_state=0).fit(X, y)
    adapted = fitted.adapt(oscillators(3, 1), steps=2)
    assert not np.array_equal(adapted.predict(X), fitted.predict(X))


def test_interpolator() -> None:
    """Gaps of the records' own events teach, and given targets do."""
    task = Interpolation(observed=0.5, random_state=0)
    X, y = task.split(oscillators(12))
    fitted = HybridMemoryInterpolator(
        SMALL, training=Training(members=1, epochs=1), width=8, layers=1, random_state=0
    ).fit(X, y)
    for lesson in ((oscillators(3, 1),), task.split(oscillators(3, 1))):
        adapted = fitted.adapt(*lesson, steps=2)
        assert not np.array_equal(adapted.predict(X), fitted.predict(X))


# ---- partial_fit ---------------------------------------------------------------------------------------


def test_partial_fit_fits_first_and_adapts_from_then_on() -> None:
    """It returns self, and the second call goes on from where the first ended."""
    X, y = CUT.split(oscillators(12))
    new = HybridMemoryForecaster(SMALL, training=QUICK, width=8, layers=1, random_state=0)
    with pytest.raises(NotFittedError):
        new.partial_fit(X)
    assert new.partial_fit(X, y) is new
    network, expected = new.network_, new.adapt(oscillators(3, 1))
    assert new.partial_fit(oscillators(3, 1)) is new
    assert new.network_ is not network
    assert same(weights(new), weights(expected))
    assert len(new.fit_results_) == len(new.adapt_results_) == 2


# ---- the step ------------------------------------------------------------------------------------------


class Slope(nn.Module):
    """Its loss falls with ``at`` for ever."""

    def __init__(self, sample: Sample) -> None:
        super().__init__()
        self.at, self.sample = nn.Parameter(torch.tensor([2.0])), sample

    def forward(self, batch: object) -> NetworkOutput:
        return NetworkOutput(GaussianForecast(self.at, self.at), SolverStatistics("none", 0, 0, 0))

    def loss(self, output: NetworkOutput, *_: object) -> Tensor:
        return -7 * output.forecast.mean.sum()


class Endless(NamedTuple):
    """The same batch again and again."""

    sample: Sample
    channels: tuple[str, ...]
    n_records: int = 1

    def shuffled(self, *_: object) -> list[Sample]:
        return [self.sample]


@pytest.mark.parametrize("pull", [4.0, 25.0])
def test_rest_of_the_pull(model: HybridMemoryForecaster, pull: float) -> None:
    """Driven one way by Adam, a weight rests 1 / pull from where it started: x = (x + rate) / (1 + rate pull)."""
    sample = next(model._samples_without_targets(oscillators(2)).shuffled(2, 1.0, np.random.default_rng(0)))
    options = {"batch_size": 2, "cut_share": 1.0, "averaging": 0.9, "absolute_weight": 1.0, "device": "cpu", "seed": 0}
    network = Slope(sample)
    result = adapt_network(network, Endless(sample, ("a", "b")), steps=400, learning_rate=0.05, pull=pull, **options)
    assert network.at.item() - 2 == pytest.approx(1 / pull, rel=1e-3)
    assert result.distance == pytest.approx(1 / pull, rel=1e-3)


# ---- what is refused -----------------------------------------------------------------------------------


def test_not_fitted() -> None:
    """There is nothing to go on from."""
    with pytest.raises(NotFittedError):
        HybridMemoryForecaster().adapt(oscillators(3))


def test_other_channels_and_times(model: HybridMemoryForecaster) -> None:
    """Channels are those of the fit, times in its unit."""
    panel = oscillators(3)
    with pytest.raises(ValueError, match=r"channels that the forecaster was not fitted on: \['new'\]"):
        model.adapt(panel.with_channels([*panel.channels, "new"]))
    with pytest.raises(ValueError, match="X has times in 'min', the forecaster was fitted on times in"):
        model.adapt(IrregularPanel._trusted(panel, time_unit="min"))
    with pytest.raises(TypeError, match="X must be an IrregularPanel; got list"):
        model.adapt([1, 2])


def test_nothing_to_learn(model: HybridMemoryForecaster) -> None:
    """Records without events, events far beyond the horizon, no records, no known target."""
    known = {"channels": model.channels_in_, "time_unit": "s"}
    with pytest.raises(
        ValueError, match=r"nothing to learn from: 200 draws of the 2 records left no event to be asked for. A record"
    ):
        model.adapt(IrregularPanel([0, 0, 0], [], [], [], **known))
    with pytest.raises(ValueError, match=r"by events at most \S+ \(the horizon\) after a cut"):
        model.adapt(IrregularPanel([0, 2], [0.0, 1e6], [0, 0], [1.0, 1.0], **known))
    with pytest.raises(ValueError, match="X has no records"):
        model.adapt(oscillators(3)[:0])
    X, y = CUT.split(oscillators(3))
    with pytest.raises(ValueError, match="y holds no known value"):
        model.adapt(X, y.with_values(np.full(len(y.value), np.nan)))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"steps": 0}, "steps must be 1 or more; got 0"),
        ({"batch_size": 0}, "batch_size must be 1 or more; got 0"),
        ({"learning_rate": 0.0}, "learning_rate must be a positive number; got 0.0"),
        ({"pull": -1.0}, "pull must be 0 or more, and finite; got -1.0"),
        (
            {"prior_records": -1.0},
            "prior_records must be 0 or more, and finite; got -1.0. Try 50, or 0 to go all the way",
        ),
        ({"pull": math.inf}, "pull must be 0 or more, and finite; got inf"),
        ({"parts": ("tail",)}, r"no parts \['tail'\]; choose from \['backbone', 'backbone.channel', .*'head'"),
        ({"parts": ()}, "choose from"),
    ],
)
def test_settings(model: HybridMemoryForecaster, setting: dict, message: str) -> None:
    """Settings out of range are named."""
    with pytest.raises(ValueError, match=message):
        model.adapt(oscillators(3), **{"steps": 1, **setting})
