"""Heads, pooling, network and samples of whole records, against their definitions."""

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import log_loss
from torch import Tensor

from cndts import IrregularPanel
from cndts.backbones import HybridMemoryBackbone
from cndts.backbones.record_pooling import RecordPooling
from cndts.dynamics import Solver
from cndts.estimators._held_out import held_out
from cndts.heads import ClassHead, GaussianHead, QuantileHead, RecordRegressionHead
from cndts.memory import Memory
from cndts.scaling import Scaling
from cndts.training import Network, RecordEnsemble, RecordLesson, RecordNetwork, RecordSamples, record_score

WIDTH = 8


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def records(n_records: int = 6, n_events: int = 8, seed: int = 0) -> IrregularPanel:
    """Two channels at irregular times; records start at their own number."""
    rng = np.random.default_rng(seed)
    time = np.arange(n_records)[:, None] + np.sort(rng.uniform(0, 10, (n_records, n_events)), axis=1)
    channel, value = rng.integers(0, 2, time.shape), rng.normal(size=time.shape)
    offsets = n_events * np.arange(n_records + 1)
    return IrregularPanel(offsets, time.ravel(), channel.ravel(), value.ravel(), channels=["a", "b"])


def samples(panel: IrregularPanel, weight: list[float] | None = None) -> RecordSamples:
    given = np.ones(len(panel)) if weight is None else np.asarray(weight)
    scaling = Scaling.fit(panel, None)
    return RecordSamples(panel, np.arange(len(panel)) % 2, given, scaling, np.zeros((len(panel), 0)), 0.5)


def network(forecast_weight: float = 0.5, dropout: float = 0.0) -> RecordNetwork:
    torch.manual_seed(0)
    memory = Memory(timescales=2, window=2, episodic_slots=2)
    backbone = HybridMemoryBackbone(2, 0, memory, Solver(), width=WIDTH, n_heads=2, n_layers=1, dropout=dropout)
    forecaster = Network(backbone, QuantileHead(WIDTH, backbone.n_anchors, dropout))
    pooling = RecordPooling(WIDTH, 0, 2, dropout)
    # in training the gates draw noise
    return RecordNetwork(forecaster, pooling, ClassHead(WIDTH, 2, dropout), forecast_weight).eval()


class TestClassHead:
    """Cross entropy and mixtures."""

    @torch.no_grad()
    def test_loss_is_cross_entropy(self) -> None:
        head, target = ClassHead(WIDTH, 3, 0.0), torch.tensor([0, 2, 1, 1])
        outcome = head(randn(4, WIDTH))
        assert head.loss(outcome, target).shape == (4,)
        probability = head.probabilities(outcome).double().numpy()
        expected = log_loss(target.numpy(), probability / probability.sum(axis=1, keepdims=True))
        assert float(head.loss(outcome, target).mean()) == pytest.approx(expected, rel=1e-5)

    @torch.no_grad()
    def test_labels_have_each_their_own_cross_entropy(self) -> None:
        head, target = ClassHead(WIDTH, 3, 0.0, several=True), torch.tensor([[0, 1, 1], [1, 0, 0]])
        vector = randn(2, WIDTH)
        logit, outcome = head.layers(head.norm(vector)), head(vector)
        expected = F.binary_cross_entropy_with_logits(logit, target.float(), reduction="none").mean(1)
        torch.testing.assert_close(head.loss(outcome, target), expected)
        torch.testing.assert_close(head.probabilities(outcome), logit.sigmoid())

    @torch.no_grad()
    @pytest.mark.parametrize("several", [False, True])
    def test_average_is_the_mixture(self, several: bool) -> None:
        head = ClassHead(WIDTH, 3, 0.0, several)
        first, second = head(randn(4, WIDTH)), head(randn(4, WIDTH, seed=1))
        mixture = (head.probabilities(first) + head.probabilities(second)) / 2
        torch.testing.assert_close(head.probabilities(head.average([first, second])), mixture)


class TestRecordRegressionHead:
    """One distribution an output."""

    @torch.no_grad()
    @pytest.mark.parametrize("kind", [GaussianHead, QuantileHead])
    def test_loss_is_the_mean_over_outputs(self, kind: type) -> None:
        head = RecordRegressionHead(WIDTH, 2, 0.0, kind, absolute_weight=3.0)
        numbers, target = head(randn(5, WIDTH)), randn(5, 2, seed=1)
        error = head.means(numbers) - target
        parts = [
            one.loss(forecast, target[:, k])
            for k, (one, forecast) in enumerate(zip(head.heads, numbers.outputs, strict=True))
        ]
        expected = (error.square() + 3 * error.abs() + torch.stack(parts, dim=1)).mean(1)
        torch.testing.assert_close(head.loss(numbers, target), expected)

    @torch.no_grad()
    def test_average_and_quantiles_are_those_of_the_heads(self) -> None:
        head = RecordRegressionHead(WIDTH, 2, 0.0)
        one, other = head(randn(5, WIDTH)), head(randn(5, WIDTH, seed=1))
        torch.testing.assert_close(head.means(head.average([one, other])), (head.means(one) + head.means(other)) / 2)
        levels = [0.05, 0.5, 0.95]
        torch.testing.assert_close(head.quantiles(one, levels)[:, 1], head.heads[1].quantiles(one.outputs[1], levels))


class TestRecordPooling:
    """Attention written out."""

    @torch.no_grad()
    def test_answers_by_definition(self) -> None:
        pooling = RecordPooling(WIDTH, 1, 2, 0.0)
        nodes, static = randn(3 * 4, WIDTH), randn(3, 1, seed=1)
        key, value = pooling.key_value(nodes).chunk(2, dim=-1)
        for record in range(3):
            rows = slice(4 * record, 4 * record + 4)
            share = (key[rows] @ pooling.questions.T / WIDTH**0.5).exp()
            answers = (share / share.sum(0)).T @ value[rows]
            whole = torch.cat([answers.flatten(), nodes[rows].mean(0), static[record]])
            torch.testing.assert_close(pooling(nodes, static)[record], pooling.outward(whole))

    @torch.no_grad()
    def test_order_of_channels_does_not_matter(self) -> None:
        pooling, nodes = RecordPooling(WIDTH, 0, 2, 0.0), randn(4, WIDTH)
        nothing = torch.zeros(1, 0)
        torch.testing.assert_close(pooling(nodes, nothing), pooling(nodes.flip(0), nothing))


class TestRecordNetwork:
    """Loss of outcomes and forecasts."""

    def test_loss_adds_the_forecasts(self) -> None:
        model = network(forecast_weight=0.5)
        batch, lesson, weight, _ = next(iter(samples(records()).shuffled(6, 1.0, np.random.default_rng(0))))
        output = model(batch)
        outcomes = (weight * model.head.loss(output.outcome, lesson.target)).mean()
        forecasts = model.forecaster.loss(output.forecast, lesson.value, lesson.weight, 2.0)
        torch.testing.assert_close(model.loss(output, lesson, weight, 2.0), outcomes + 0.5 * forecasts)

    def test_forecasts_are_those_of_the_forecaster(self) -> None:
        model = network()
        batch = next(iter(samples(records()).shuffled(6, 1.0, np.random.default_rng(0)))).batch
        torch.testing.assert_close(model(batch).forecast.forecast.mean, model.forecaster(batch).forecast.mean)

    @pytest.mark.parametrize(("forecast_weight", "cut_share"), [(0.0, 1.0), (0.5, 0.0)])
    def test_no_forecasts_where_none_are_wanted(self, forecast_weight: float, cut_share: float) -> None:
        model = network(forecast_weight)
        batch = next(iter(samples(records()).shuffled(6, cut_share, np.random.default_rng(0)))).batch
        assert model(batch).forecast is None

    def test_weights_say_which_records_teach(self) -> None:
        """A record without weight leaves the loss as it is, whatever its class."""
        model = network(forecast_weight=0.0)
        batch, lesson, _, _ = next(iter(samples(records()).ordered(6)))
        output, weight = model(batch), torch.tensor([1.0, 0, 1, 1, 1, 1])
        other = RecordLesson(torch.tensor([0, 0, 0, 1, 0, 1]), lesson.value, lesson.weight)
        assert model.loss(output, lesson, weight, 2.0) == model.loss(output, other, weight, 2.0)
        assert model.loss(output, lesson, torch.ones(6), 2.0) != model.loss(output, other, torch.ones(6), 2.0)

    def test_ensemble_averages_probabilities(self) -> None:
        torch.manual_seed(1)
        other = RecordNetwork(network().forecaster, RecordPooling(WIDTH, 0, 2, 0.0), ClassHead(WIDTH, 2, 0.0), 0)
        members = [network(), other.eval()]
        batch = next(iter(samples(records()).ordered(6))).batch
        with torch.no_grad():
            each = [member(batch).outcome.log_probability.exp() for member in members]
            together = RecordEnsemble(members)(batch).log_probability.exp()
        torch.testing.assert_close(together, (each[0] + each[1]) / 2)


class TestRecordSamples:
    """Whole records in order, cut ones with the label of the whole."""

    def test_whole_records_in_order(self) -> None:
        panel = records()
        drawn = list(samples(panel, [1, 2, 3, 1, 2, 3]).ordered(4))
        assert [len(sample.records) for sample in drawn] == [4, 2]
        assert sum(len(sample.batch.value) for sample in drawn) == panel.n_events
        assert torch.cat([sample.lesson.target for sample in drawn]).tolist() == [0, 1, 0, 1, 0, 1]
        assert torch.cat([sample.weight for sample in drawn]).tolist() == [0.5, 1, 1.5, 0.5, 1, 1.5]

    def test_cut_records_keep_their_outcome_and_ask_for_what_follows(self) -> None:
        panel = records()
        for sample in samples(panel).shuffled(3, 1.0, np.random.default_rng(0)):
            positions = panel.records.get_indexer(sample.records)
            assert sample.lesson.target.tolist() == (positions % 2).tolist()
            assert len(sample.batch.value) < 8 * 3 and len(sample.batch.query_node) > 0
            assert len(sample.lesson.value) == len(sample.lesson.weight) == len(sample.batch.query_node)

    def test_score_is_the_weighted_loss(self) -> None:
        model, given = network(), samples(records(), [1, 2, 3, 1, 2, 3])
        whole = next(iter(given.ordered(6)))
        with torch.no_grad():
            loss = model.head.loss(model(whole.batch).outcome, whole.lesson.target)
        expected = -np.average(loss.numpy(), weights=[1, 2, 3, 1, 2, 3])
        assert record_score(model, given, 4) == pytest.approx(expected, rel=1e-5)


class TestHeldOut:
    """Which records select the epoch."""

    def test_groups_stay_together(self) -> None:
        groups = np.repeat(np.arange(10), 3)
        held = held_out(np.arange(30), groups, 0.25, np.random.RandomState(0))
        assert len(held) == 6 and all(np.isin(np.flatnonzero(groups == group), held).all() for group in groups[held])

    def test_classes_in_proportion(self) -> None:
        strata = np.repeat([0, 1], [80, 20])
        held = held_out(np.arange(100), None, 0.1, np.random.RandomState(0), strata)
        assert np.bincount(strata[held]).tolist() == [8, 2]

    def test_a_class_of_one_does_not_stop_it(self) -> None:
        strata = np.repeat([0, 1], [19, 1])
        assert len(held_out(np.arange(20), None, 0.2, np.random.RandomState(0), strata)) == 4

    def test_a_share_below_one_record_holds_out_none(self) -> None:
        assert len(held_out(np.arange(9), None, 0.1, np.random.RandomState(0))) == 0


def test_records_are_named_by_their_ids() -> None:
    panel = records(3)
    named = IrregularPanel(
        panel.offsets, panel.time, panel.channel, panel.value, channels=panel.channels, records=pd.Index(list("xyz"))
    )
    assert list(next(iter(samples(named).ordered(3))).records) == list("xyz")
