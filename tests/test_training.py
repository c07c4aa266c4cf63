"""Fitting: what it improves, which weights it keeps, when it stops."""

import math
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from skorch.callbacks import Callback
from skorch.net import NeuralNet
from torch import Tensor, nn

from cndts import Extrapolation
from cndts.backbones import HybridMemoryBackbone
from cndts.datasets import make_oscillators
from cndts.dynamics import Solver, SolverStatistics
from cndts.estimators import HybridMemoryForecaster
from cndts.event_batch import EventBatch
from cndts.heads import GaussianForecast, QuantileHead
from cndts.memory import Memory
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling
from cndts.targets import Targets
from cndts.training import Ensemble, FitResult, Network, NetworkOutput, Samples, Training, fit_network, validation_score

Weights = dict[str, Tensor]


def network(seed: int = 0) -> Network:
    torch.manual_seed(seed)
    memory = Memory(window=3, timescales=2, contents=2)
    backbone = HybridMemoryBackbone(2, 0, memory, Solver(), width=8, n_heads=2, n_layers=1, dropout=0.1)
    return Network(backbone, QuantileHead(8, backbone.n_anchors, 0.1))


def oscillators(n_records: int = 24, seed: int = 0) -> Samples:
    panel = make_oscillators(n_records, n_modes=1, n_observations=15, random_state=seed)
    X, y = Extrapolation(observe=6, horizon=2).split(panel)
    return Samples(X, y, Scaling.fit(X, y), np.zeros((len(X), 0)), 0.5)


def weights(module: nn.Module) -> Weights:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def same(a: Weights, b: Weights) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


class Recorder(Callback):
    """Notes the weights after each step, and the averaged ones after each epoch."""

    def __init__(self) -> None:
        self.after_step: list[Weights] = []
        self.after_epoch: list[Weights] = []

    def on_batch_end(self, net: NeuralNet, training: bool = False, **kwargs: object) -> None:
        if training:
            self.after_step.append(weights(net.module_))

    def on_epoch_end(self, net: NeuralNet, **kwargs: object) -> None:
        self.after_epoch.append(weights(dict(net.callbacks_)["average"].module))


def fit(
    module: Network,
    training: Training,
    validation: Samples | None = None,
    seed: int = 0,
    recorder: Callback | None = None,
) -> FitResult:
    callbacks = [recorder] if recorder else None
    return fit_network(module, oscillators(), validation, training, device="cpu", seed=seed, callbacks=callbacks)


def scripted(monkeypatch: pytest.MonkeyPatch, scores: list[float]) -> None:
    """Let validation score as told."""
    told: Iterator[float] = iter(scores)
    module = sys.modules["cndts.training.validation_score"]  # the package has a function of that name
    monkeypatch.setattr(module, "validation_score", lambda *_: next(told))


# ---- fitting -----------------------------------------------------------------------------------------


def test_fitting_learns() -> None:
    """The loss falls, and unseen records are forecast better."""
    module, unseen = network(), oscillators(40, seed=1)
    before = validation_score(module, unseen, 40)
    result = fit(module, Training(epochs=12, batch_size=6, learning_rate=1e-2, cut_share=0), unseen)
    losses = [row["train_loss"] for row in result.history]
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])
    assert result.best_score > before + 0.3
    assert validation_score(module, unseen, 40) == pytest.approx(result.best_score, abs=1e-6)


@pytest.mark.parametrize("decay", [0.0, 0.3, 0.99])
def test_average_equals_the_recursion(decay: float) -> None:
    """Without validation the network ends with the exponential average of its weights, warmed up."""
    module, recorder = network(), Recorder()
    result = fit(module, Training(epochs=3, batch_size=8, averaging=decay), recorder=recorder)
    assert len(recorder.after_step) == 9
    expected = recorder.after_step[0]
    for k, stepped in enumerate(recorder.after_step[1:], start=1):
        d = min(decay, (1 + k) / (10 + k))
        expected = {name: d * expected[name] + (1 - d) * stepped[name] for name in expected}
    for name, value in module.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=1e-5, atol=1e-6)
    assert (result.n_epochs, result.best_epoch) == (3, 3)
    assert math.isnan(result.best_score)
    assert not module.training


def test_weights_of_the_best_epoch_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever comes later, the weights are those of the epoch with the best score."""
    scripted(monkeypatch, [0.1, 0.5, -1.0, 0.4])
    module, recorder = network(), Recorder()
    result = fit(module, Training(epochs=4, batch_size=12), oscillators(4), recorder=recorder)
    assert (result.n_epochs, result.best_epoch, result.best_score) == (4, 2, 0.5)
    assert [row["valid_score"] for row in result.history] == [0.1, 0.5, -1.0, 0.4]
    assert same(weights(module), recorder.after_epoch[1])
    assert not same(weights(module), recorder.after_epoch[3])


def test_without_anything_to_score_the_last_epoch_is_kept() -> None:
    """Validation records without targets prefer no epoch."""
    X, y = Extrapolation(observe=6, horizon=0).split(make_oscillators(3, random_state=0))
    nothing = Samples(X, y, Scaling(np.zeros(2), np.ones(2), 1.0, RankScale.unknown(2)), np.zeros((3, 0)), 0.5)
    module, recorder = network(), Recorder()
    result = fit(module, Training(epochs=3, batch_size=12), nothing, recorder=recorder)
    assert result.best_epoch == 3
    assert same(weights(module), recorder.after_epoch[2])


def test_patience(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Training stops silently after so many epochs without a better score, and not before."""
    scores = [0.1, 0.2, 0.15, 0.3, 0.1, 0.2, 0.25, 0.9]
    scripted(monkeypatch, scores)
    result = fit(network(), Training(epochs=8, batch_size=24, patience=3), oscillators(4))
    assert (result.n_epochs, result.best_epoch, result.best_score) == (7, 4, 0.3)
    scripted(monkeypatch, scores)
    result = fit(network(), Training(epochs=8, batch_size=24), oscillators(4))
    assert (result.n_epochs, result.best_epoch) == (8, 8)
    assert capsys.readouterr().out == ""


def test_divergence_is_an_error() -> None:
    """A loss that is no number ends the training with the reason and the remedy."""
    with pytest.raises(
        FloatingPointError, match="diverged: the loss became nan in epoch [12]. Lower training__learning_rate"
    ):
        fit(network(), Training(epochs=2, batch_size=4, learning_rate=1e30))


def test_seeds() -> None:
    """The same seed gives the same weights, another one others; generators of the caller are left alone."""
    training = Training(epochs=2, batch_size=8)
    first, again, other = network(), network(), network()
    torch.manual_seed(5)
    states = torch.random.get_rng_state(), np.random.get_state()[1]
    fit(first, training)
    assert torch.equal(states[0], torch.random.get_rng_state())
    assert np.array_equal(states[1], np.random.get_state()[1])
    torch.rand(3)
    fit(again, training)
    fit(other, training, seed=1)
    assert same(weights(first), weights(again))
    assert not same(weights(first), weights(other))


@pytest.mark.parametrize(("batch_size", "epochs"), [(1, 84), (24, 100), (None, 100)])
def test_default_epochs_make_enough_steps(batch_size: int | None, epochs: int) -> None:
    """About 2000 steps in 20 to 100 epochs."""

    class Stop(Callback):
        def on_epoch_begin(self, net: NeuralNet, **kwargs: object) -> None:
            self.planned = net.max_epochs
            raise KeyboardInterrupt

    stop = Stop()
    with pytest.raises(KeyboardInterrupt, match=rf"interrupted in epoch \d of {epochs}"):
        fit(network(), Training(batch_size=batch_size), recorder=stop)
    assert stop.planned == epochs == min(100, max(20, math.ceil(2000 / (24 // (batch_size or 8)))))


@pytest.mark.parametrize("error", [KeyboardInterrupt, FloatingPointError])
def test_half_a_fit_is_no_fit(monkeypatch: pytest.MonkeyPatch, error: type[BaseException]) -> None:
    """Ctrl-C, or a failure, in the second epoch of the second member leaves nothing to predict with, not even an earlier fit."""
    X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(9, n_observations=12, random_state=0))
    memory = Memory(window=3, timescales=2, contents=2)
    training = Training(members=2, epochs=2, batch_size=9)
    model = HybridMemoryForecaster(memory, training=training, width=8, layers=1, random_state=0).fit(X, y)
    told: Iterator[float | None] = iter([0.0, 0.0, 0.0, None])

    def interrupted(*_: object) -> float:
        value = next(told)
        if value is None:
            raise error("in the middle")
        return value

    monkeypatch.setattr(sys.modules["cndts.training.validation_score"], "validation_score", interrupted)
    with pytest.raises(error):
        model.fit(X, y, X_val=X, y_val=y)
    assert not [name for name in vars(model) if name.endswith("_")]
    with pytest.raises(NotFittedError):
        model.predict(X)
    monkeypatch.undo()
    model.fit(X, y).predict(X)


@torch.no_grad()
def test_ensemble_adds_up_its_members() -> None:
    """Forecasts are averaged; every count, the cost of each node and the penalties are sums."""
    batch, *_ = next(oscillators(3).ordered(3))
    members = [network(seed).eval() for seed in (0, 1, 2)]
    single = [member(batch) for member in members]
    together = Ensemble(members)(batch)
    torch.testing.assert_close(together.forecast.mean, sum(output.forecast.mean for output in single) / 3)
    for name in ("n_evaluations", "n_row_evaluations", "n_accepted", "n_rejected"):
        assert getattr(together.statistics, name) == sum(getattr(output.statistics, name) for output in single)
    assert together.statistics.n_accepted > 0
    assert together.statistics.n_rows == single[0].statistics.n_rows
    assert torch.equal(together.statistics.row_evaluations, 3 * single[0].statistics.row_evaluations)
    assert int(together.statistics.row_evaluations.sum()) == together.statistics.n_row_evaluations
    assert together.penalty is together.statistics.penalty is None


class Penalised(nn.Module):
    """Asks for a penalty."""

    def __init__(self, penalty: float) -> None:
        super().__init__()
        self.head, self.penalty = QuantileHead(2, 1, 0.0), torch.tensor(penalty)

    def forward(self, batch: EventBatch) -> NetworkOutput:
        forecast = self.head(torch.zeros(1, 2), torch.zeros(1, 1))
        return NetworkOutput(forecast, SolverStatistics("rk4", 1, 4, 4, penalty=self.penalty), 2 * self.penalty)


@torch.no_grad()
def test_ensemble_adds_up_penalties() -> None:
    """Those of the solves, and those of the loss."""
    together = Ensemble([Penalised(1.0), Penalised(0.5)])(None)
    assert (together.statistics.penalty.item(), together.penalty.item()) == (1.5, 3.0)
    assert together.statistics.row_evaluations is None


@torch.no_grad()
def test_loss_by_definition() -> None:
    """Weighted mean of squared plus absolute error plus the head's own loss; no targets, no loss."""
    module = network().double()
    target, mean, weight = torch.randn(5).double(), torch.randn(5).double(), torch.tensor([1.0, 0, 2, 1, 3]).double()
    forecast = module.head(torch.randn(5, 8).double(), torch.randn(5, 4).double())._replace(mean=mean)
    own = module.head.loss(forecast, target)
    terms = [
        float(weight[i] * ((mean[i] - target[i]) ** 2 + 0.7 * (mean[i] - target[i]).abs() + own[i])) for i in range(5)
    ]
    output = NetworkOutput(forecast, SolverStatistics("euler", 0, 0, 0))
    assert module.loss(output, target, weight, 0.7).item() == pytest.approx(sum(terms) / 7)
    assert module.loss(output, target, torch.zeros(5).double(), 0.7).item() == 0


# ---- validation --------------------------------------------------------------------------------------


class PlusOne(nn.Module):
    """Forecasts one plus a tenth of the channel's position."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Parameter(torch.ones(()))

    def forward(self, batch: EventBatch) -> NetworkOutput:
        mean = self.one + 0.1 * batch.query_channel
        return NetworkOutput(GaussianForecast(mean, mean), SolverStatistics("none", 0, 0, 0))


def asked(counts: list[int], values: list[np.ndarray]) -> Samples:
    """One record, with so many targets per channel."""
    channel = np.repeat(np.arange(len(counts)), counts)
    queries = Queries([0, len(channel)], np.arange(len(channel)) / 100, channel)
    names = [f"c{i}" for i in range(len(counts))]
    X = IrregularPanel([0, 0], [], [], [], channels=names, queries=queries)
    scaling = Scaling(np.zeros(len(counts)), np.ones(len(counts)), 1.0, RankScale.unknown(len(counts)))
    return Samples(X, Targets(queries, np.concatenate(values), X.records, X.channels), scaling, np.zeros((1, 0)), 0.5)


def skill(values: np.ndarray, forecast: float) -> float:
    squared = np.mean((forecast - values) ** 2) / np.mean(values**2)
    absolute = np.mean(np.abs(forecast - values)) / np.mean(np.abs(values))
    return 1 - 0.5 * (squared + absolute)


def test_validation_score_by_definition() -> None:
    """Mean over channels of the skill against the training mean, in squared and absolute error."""
    rng = np.random.default_rng(0)
    values = [rng.normal(1, size=n) for n in (150, 400)]
    expected = (skill(values[0], 1.0) + skill(values[1], 1.1)) / 2
    assert validation_score(PlusOne(), asked([150, 400], values), 64) == pytest.approx(expected, abs=1e-5)


def test_rare_channels_cannot_swing_the_score() -> None:
    """Below 100 targets a channel does not count, however wrong it is, unless there are only such channels."""
    rng = np.random.default_rng(0)
    common, rare = rng.normal(1, size=150), np.full(99, 1e4)
    alone = validation_score(PlusOne(), asked([150], [common]), 64)
    assert validation_score(PlusOne(), asked([150, 99], [common, rare]), 64) == alone
    few = [rng.normal(1, size=n) for n in (30, 99)]
    expected = (skill(few[0], 1.0) + skill(few[1], 1.1)) / 2
    assert validation_score(PlusOne(), asked([30, 99], few), 64) == pytest.approx(expected, abs=1e-5)


def test_score_of_nothing() -> None:
    """Without targets, or with targets that all equal the training mean, there is no score."""
    assert math.isnan(validation_score(PlusOne(), asked([0, 0], [np.zeros(0)]), 64))
    assert math.isnan(validation_score(PlusOne(), asked([120], [np.zeros(120)]), 64))
