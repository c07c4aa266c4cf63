"""What every backbone promises."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cndts.backbones import BACKBONES, Backbone
from cndts.batching import EventStore
from cndts.event_batch import EventBatch
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling

N_CHANNELS, WIDTH = 3, 8
CHANNELS = [f"c{i}" for i in range(N_CHANNELS)]
EXACT: dict[str, Any] = {"rtol": 0, "atol": 1e-9}

every_backbone = pytest.mark.parametrize("name", sorted(BACKBONES))


def panel_of(lengths: list[int], seed: int = 0) -> IrregularPanel:
    """Random events on a grid of times, so that some are simultaneous."""
    rng = np.random.default_rng(seed)
    record = np.repeat(np.arange(len(lengths)), lengths)
    time = rng.integers(0, 40, size=len(record)) / 4
    order = np.lexsort((time, record))
    channel, value = rng.integers(0, N_CHANNELS, size=len(record)), rng.normal(size=len(record))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return IrregularPanel(offsets, time[order], channel, value, channels=CHANNELS)


def batch_of(panel: IrregularPanel, times: list[float], records: list[int] | None = None) -> EventBatch:
    """Every channel at these times; static features tell the records apart."""
    scaling = Scaling(np.zeros(3), np.ones(3), 4.0, RankScale.unknown(3))
    static = np.stack([np.arange(len(panel)) / 10, np.ones(len(panel))], axis=1)
    at = np.arange(len(panel)) if records is None else np.array(records)
    queries = panel.with_queries(times).queries
    assert queries is not None
    return EventStore(panel, scaling, static).batch(at, queries[at]).to(dtype=torch.float64)


def backbone(name: str) -> Backbone:
    torch.manual_seed(0)
    module = BACKBONES[name].build(N_CHANNELS, 2, width=WIDTH, dropout=0.3, solver=None)
    return module.double().eval()


@torch.no_grad()
def answers(module: Backbone, batch: EventBatch) -> Tensor:
    """Features and anchors side by side."""
    said = module(batch)
    return torch.cat([said.features, said.anchors], dim=1)


@every_backbone
def test_shapes(name: str) -> None:
    """A state and some anchors at each query, with the cost of getting there; no penalty outside training."""
    module, batch = backbone(name), batch_of(panel_of([12, 0, 5]), [11.0, 15.0])
    said = module(batch)
    assert said.features.shape == (18, module.width) == (18, WIDTH)
    assert said.anchors.shape == (18, module.n_anchors)
    assert (said.penalty, said.statistics.n_evaluations >= 0) == (None, True)
    assert torch.isfinite(said.features).all()
    nothing = module(batch_of(panel_of([4, 0]), []))
    assert (nothing.features.shape, nothing.anchors.shape) == ((0, WIDTH), (0, module.n_anchors))


@every_backbone
def test_records_do_not_mix(name: str) -> None:
    """Alone, in any company and in any order a record has the same answers."""
    module, panel = backbone(name), panel_of([12, 0, 1, 30, 7])
    times = [11.0, 13.0, 40.0]
    together = answers(module, batch_of(panel, times)).unflatten(0, (5, -1))
    for record in range(5):
        torch.testing.assert_close(answers(module, batch_of(panel, times, [record])), together[record], **EXACT)
    order = [3, 1, 4, 0, 2, 3]
    found = answers(module, batch_of(panel, times, order)).unflatten(0, (6, -1))
    torch.testing.assert_close(found, together[order], **EXACT)


@every_backbone
@settings(max_examples=8)
@given(order=st.permutations(range(20)))
def test_order_of_simultaneous_events(name: str, order: list[int]) -> None:
    """Rows of one time may come in any order."""
    panel, module = panel_of([20]), backbone(name)
    rows = np.lexsort((order, panel.time))
    shuffled = IrregularPanel(panel.offsets, panel.time, panel.channel[rows], panel.value[rows], channels=CHANNELS)
    found, expected = (answers(module, batch_of(p, [11.0])) for p in (shuffled, panel))
    torch.testing.assert_close(found, expected, **EXACT)


@every_backbone
@pytest.mark.parametrize("shift", [-3.25, 1e6])
def test_time_shift(name: str, shift: float) -> None:
    """Moving records and questions in time changes nothing."""
    panel, module = panel_of([12, 0, 20]), backbone(name)
    moved = IrregularPanel(panel.offsets, panel.time + shift, panel.channel, panel.value, channels=CHANNELS)
    expected = answers(module, batch_of(panel, [11.0, 15.0]))
    found = answers(module, batch_of(moved, [11.0 + shift, 15.0 + shift]))
    torch.testing.assert_close(found, expected, **EXACT)


@every_backbone
def test_queries_do_not_disturb_each_other(name: str) -> None:
    """Order, repeats and company of the queries have no effect."""
    module, panel = backbone(name), panel_of([12, 3])
    times, channel = np.array([11.0, 90.0, 11.0, 12.0, 10.0]), np.array([0, 2, 0, 1, 0])
    scaling = Scaling(np.zeros(3), np.ones(3), 4.0, RankScale.unknown(3))
    store = EventStore(panel, scaling, np.ones((2, 2)))

    def ask(record: list[int], queries: Queries) -> Tensor:
        return answers(module, store.batch(np.array(record), queries).to(dtype=torch.float64))

    together = ask([0, 1], Queries([0, 4, 5], times, channel))
    torch.testing.assert_close(together[0], together[2], **EXACT)
    for row, record in enumerate([0, 0, 0, 0, 1]):
        one = ask([record], Queries([0, 1], times[[row]], channel[[row]]))
        torch.testing.assert_close(one[0], together[row], **EXACT)


@every_backbone
def test_the_past_counts(name: str) -> None:
    """The promises above are not kept by ignoring events: the earliest and the latest reach an answer."""
    module, panel = backbone(name), panel_of([20])
    before = answers(module, batch_of(panel, [12.0]))
    for row in (0, 19):
        value = panel.value.copy()
        value[row] += 3
        changed = IrregularPanel(panel.offsets, panel.time, panel.channel, value, channels=CHANNELS)
        assert (answers(module, batch_of(changed, [12.0])) - before).abs().max() > 1e-7


@every_backbone
def test_a_state_answers_again(name: str) -> None:
    """What ``encode`` returns is all that ``at`` needs, for other queries than those of the batch too."""
    module, panel = backbone(name), panel_of([12, 5])
    first, second = batch_of(panel, [11.0]), batch_of(panel, [14.0, 20.0])
    with torch.no_grad():
        said = module.at(module.encode(first), second.query_node, second.query_channel, second.query_horizon)
    torch.testing.assert_close(torch.cat([said.features, said.anchors], dim=1), answers(module, second), **EXACT)


@every_backbone
def test_gradients(name: str) -> None:
    """Gradients by all parameters match finite differences in double precision."""
    module = backbone(name)
    batch = batch_of(panel_of([5, 0, 2]), [10.0, 12.0])
    with torch.no_grad():
        for parameter in module.parameters():  # away from the kinks of zero weights
            parameter.add_(0.05 * torch.randn_like(parameter))
    names, weights = zip(*module.named_parameters(), strict=True)

    def run(*weights: Tensor) -> tuple[Tensor, Tensor]:
        said = torch.func.functional_call(module, dict(zip(names, weights, strict=True)), (batch,))
        return said.features, said.anchors

    assert torch.autograd.gradcheck(run, weights, fast_mode=True)


@every_backbone
def test_every_parameter_is_used(name: str) -> None:
    """A loss on answers and penalty reaches every parameter; none is there for show."""
    module = backbone(name).train()
    for _ in range(10):  # what is dropped differs from time to time
        said = module(batch_of(panel_of([12, 0, 20]), [11.0, 12.0]))
        loss = said.features.square().sum() + said.anchors.square().sum()
        (loss if said.penalty is None else loss + said.penalty).backward()
    idle = [label for label, p in module.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    # A key's bias moves all scores of a softmax alike.
    assert [label for label in idle if not label.endswith("key.bias")] == []
