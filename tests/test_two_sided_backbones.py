"""Backbones that read both sides of a gap: what each of them promises, and the estimator around them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cndts import Interpolation, IrregularPanel
from cndts.backbones import (
    TWO_SIDED_BACKBONES,
    Backbone,
    LatentOdeBackbone,
    QueryStates,
    TwoSidedBackbone,
    TwoSidedGruDBackbone,
)
from cndts.batching import EventStore
from cndts.benchmarking import make_model
from cndts.dynamics import Solver, SolverStatistics
from cndts.estimators import HybridMemoryInterpolator, IrregularInterpolator, LinearInterpolator
from cndts.event_batch import EventBatch
from cndts.queries import Queries
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling
from cndts.targets import Targets
from cndts.training import Training

N_CHANNELS, WIDTH = 3, 8
EXACT: dict[str, Any] = {"rtol": 0, "atol": 1e-9}
every_backbone = pytest.mark.parametrize("name", sorted(TWO_SIDED_BACKBONES))


def panel_of(lengths: list[int], seed: int = 0) -> IrregularPanel:
    """Random events between 0 and 10, some of them simultaneous."""
    rng = np.random.default_rng(seed)
    record = np.repeat(np.arange(len(lengths)), lengths)
    time = rng.integers(0, 40, size=len(record)) / 4
    order = np.lexsort((time, record))
    channel, value = rng.integers(0, N_CHANNELS, size=len(record)), rng.normal(size=len(record))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return IrregularPanel(offsets, time[order], channel, value, channels=[f"c{i}" for i in range(N_CHANNELS)])


def store_of(panel: IrregularPanel) -> EventStore:
    static = np.stack([np.arange(len(panel)) / 10, np.ones(len(panel))], axis=1)
    return EventStore(panel, Scaling(np.zeros(3), np.ones(3), 4.0, RankScale.unknown(3)), static)


def gap(
    panel: IrregularPanel, lower: float, upper: float, at: list[float], records: list[int] | None = None
) -> EventBatch:
    """Every channel at these times in one gap of some records."""
    picked = np.arange(len(panel)) if records is None else np.array(records)
    n, asked = len(picked), np.repeat(at, N_CHANNELS)
    channel = np.tile(np.arange(N_CHANNELS), len(at))
    queries = Queries(np.arange(n + 1) * len(asked), np.tile(asked, n), np.tile(channel, n))
    batch = store_of(panel).gaps(picked, np.full(n, lower), np.full(n, upper), queries)
    return batch.to(dtype=torch.float64)


def backbone(name: str, **options: Any) -> Backbone:
    torch.manual_seed(0)
    given: dict[str, Any] = {"width": WIDTH, "dropout": 0.3, "solver": None} | options
    return TWO_SIDED_BACKBONES[name](N_CHANNELS, 2, **given).double().eval()


@torch.no_grad()
def answers(module: Backbone, batch: EventBatch) -> Tensor:
    said = module(batch)
    return torch.cat([said.features, said.anchors], dim=1)


# ---- promises ----------------------------------------------------------------------------------------


@every_backbone
def test_records_do_not_mix(name: str) -> None:
    """Alone and in any company a record has the same answers, also with events on one side or none."""
    module, panel = backbone(name), panel_of([12, 0, 1, 30, 2])
    together = answers(module, gap(panel, 4.0, 6.0, [4.5, 5.5])).unflatten(0, (5, -1))
    assert torch.isfinite(together).all()
    for record in range(5):
        alone = answers(module, gap(panel, 4.0, 6.0, [4.5, 5.5], [record]))
        torch.testing.assert_close(alone, together[record], **EXACT)


@every_backbone
@pytest.mark.parametrize("shift", [-3.25, 1e6])
def test_time_shift(name: str, shift: float) -> None:
    """Moving records and questions in time changes nothing."""
    panel, module = panel_of([12, 0, 20]), backbone(name)
    moved = IrregularPanel(panel.offsets, panel.time + shift, panel.channel, panel.value, channels=panel.channels)
    found = answers(module, gap(moved, 4.0 + shift, 6.0 + shift, [4.5 + shift, 5.5 + shift]))
    torch.testing.assert_close(found, answers(module, gap(panel, 4.0, 6.0, [4.5, 5.5])), **EXACT)


@every_backbone
@pytest.mark.parametrize("row", [0, -1])
def test_both_sides_count(name: str, row: int) -> None:
    """The first event of the record reaches the answer, and so does the last, which comes after the gap."""
    module, panel = backbone(name), panel_of([20])
    value = panel.value.copy()
    value[row] += 3
    changed = IrregularPanel(panel.offsets, panel.time, panel.channel, value, channels=panel.channels)
    found, before = (answers(module, gap(some, 4.0, 6.0, [5.0])) for some in (changed, panel))
    assert (found - before).abs().max() > 1e-7


@every_backbone
def test_what_is_hidden_does_not_count(name: str) -> None:
    """Events inside the gap change nothing."""
    module, panel = backbone(name), panel_of([40])
    value = np.where((panel.time > 4.0) & (panel.time < 6.0), 100.0, panel.value)
    assert (value == 100.0).any()
    changed = IrregularPanel(panel.offsets, panel.time, panel.channel, value, channels=panel.channels)
    found, before = (answers(module, gap(some, 4.0, 6.0, [5.0])) for some in (changed, panel))
    torch.testing.assert_close(found, before, rtol=0, atol=0)


class Penalised(Backbone[tuple[Tensor]]):
    """Answers nothing, at a price by each way that a backbone may name one."""

    def __init__(self, price: float) -> None:
        super().__init__()
        self.price, self.width, self.n_anchors = price, 1, 1

    @classmethod
    def build(cls, n_channels: int, n_static: int, *, width: int, dropout: float, solver: Solver | None) -> "Penalised":
        raise NotImplementedError("made by hand")

    def encode(self, batch: EventBatch) -> tuple[Tensor]:
        return (batch.value,)

    def at(self, state: tuple[Tensor], query_node: Tensor, query_channel: Tensor, query_horizon: Tensor) -> QueryStates:
        nothing, price = query_horizon.new_zeros(len(query_node), 1), query_horizon.new_tensor(self.price)
        return QueryStates(nothing, nothing, SolverStatistics("rk4", 1, 1, 1, penalty=10 * price), price)


def test_the_penalties_of_both_sides_reach_the_loss() -> None:
    """Those of the answers and those of the solves."""
    module, batch = TwoSidedBackbone(N_CHANNELS, Penalised(1.0), Penalised(2.0)), gap(panel_of([20]), 4.0, 6.0, [4.5])
    said = module(batch)
    assert said.penalty is not None
    assert said.statistics.penalty is not None
    assert float(said.penalty + said.statistics.penalty) == 1 + 2 + 10 + 20


@every_backbone
def test_gradients(name: str) -> None:
    """Gradients by all parameters match finite differences in double precision."""
    module, batch = backbone(name), gap(panel_of([7, 0, 3]), 4.0, 6.0, [4.5])
    with torch.no_grad():
        for parameter in module.parameters():  # away from the kinks of zero weights
            parameter.add_(0.05 * torch.randn_like(parameter))
    names, weights = zip(*module.named_parameters(), strict=True)

    def run(*weights: Tensor) -> tuple[Tensor, Tensor]:
        said = torch.func.functional_call(module, dict(zip(names, weights, strict=True)), (batch,))
        return said.features, said.anchors

    assert torch.autograd.gradcheck(run, weights, fast_mode=True)


# ---- GRU-D -------------------------------------------------------------------------------------------


@torch.no_grad()
def test_gru_d_in_a_mirror() -> None:
    """With the two networks exchanged a record that runs backward is answered as it was, anchors exchanged."""
    module, panel = backbone("gru-d"), panel_of([25])
    mirrored = IrregularPanel(
        panel.offsets, -panel.time[::-1], panel.channel[::-1], panel.value[::-1], channels=panel.channels
    )
    expected = module(gap(panel, 4.0, 6.0, [4.5]))
    assert isinstance(module, TwoSidedGruDBackbone)
    module.before, module.after = module.after, module.before
    found = module(gap(mirrored, -6.0, -4.0, [-4.5]))
    torch.testing.assert_close(found.features, expected.features, **EXACT)
    torch.testing.assert_close(found.anchors, expected.anchors[:, [2, 3, 0, 1]], **EXACT)


@torch.no_grad()
def test_gru_d_without_a_later_side_is_a_forecast() -> None:
    """After the last event the network of the other side knows an empty record; before the first one the other way round."""
    module, panel = backbone("gru-d"), panel_of([25])
    batch = gap(panel, 10.0, np.inf, [11.0])
    nothing = gap(panel_of([0]), 10.0, np.inf, [11.0])
    ahead = module.before(batch)
    silent = module.after.at(
        module.after.encode(nothing), batch.query_node, batch.query_channel, torch.zeros(3).double()
    )
    torch.testing.assert_close(module(batch).features, ahead.features + silent.features, **EXACT)
    early = gap(panel, -np.inf, 0.0, [-1.0])
    behind = module.after.at(
        module.after.encode(early.later), early.query_node, early.query_channel, early.query_horizon
    )
    torch.testing.assert_close(module(early).anchors[:, 2:], behind.anchors, **EXACT)


# ---- latent ODE --------------------------------------------------------------------------------------


@torch.no_grad()
def test_latent_ode_sees_no_seam() -> None:
    """Where the gap hides nothing, two sides are read as the whole record is: same posterior, same trajectory."""
    module, panel = backbone("latent-ode"), panel_of([30, 8])
    panel = panel.where((panel.time <= 4.0) | (panel.time >= 6.0))
    parted = gap(panel, 4.0, 6.0, [4.75])
    whole = store_of(panel).batch(np.arange(2), Queries([0, 0, 0], [], [])).to(dtype=torch.float64)
    assert isinstance(module, LatentOdeBackbone)
    found, expected = module.encode(parted), module.encode(whole)
    torch.testing.assert_close(found.mean, expected.mean, **EXACT)
    torch.testing.assert_close(found.std, expected.std, **EXACT)
    last = np.array([panel.time[panel.record == r].max() for r in range(2)])
    back = torch.from_numpy((4.75 - last) / 4.0).repeat_interleave(
        3
    )  # time from the last event of all, which is negative
    at_once, _ = module._solve(expected, parted.query_node, back)
    in_gap, _ = module._solve(found, parted.query_node, parted.query_horizon)
    torch.testing.assert_close(in_gap, at_once, rtol=0, atol=1e-4)  # the knots differ


@torch.no_grad()
def test_latent_ode_is_held_before_the_first_event() -> None:
    module, panel = backbone("latent-ode"), panel_of([9])
    found = module(gap(panel, -np.inf, 0.0, [-3.0, -1.0, 0.0]))
    torch.testing.assert_close(found.features[:3], found.features[3:6], **EXACT)


# ---- the estimator -----------------------------------------------------------------------------------


def waves(n_records: int, seed: int) -> tuple[IrregularPanel, Targets]:
    """One oscillation a record, of which three events in five are hidden."""
    rng = np.random.default_rng(seed)
    time = np.sort(rng.uniform(0, 8, (n_records, 30)), axis=1)
    value = np.sin(2 * np.pi * time / 4 + rng.uniform(0, 2 * np.pi, n_records)[:, None])
    panel = IrregularPanel(30 * np.arange(n_records + 1), time.ravel(), np.zeros(time.size, dtype=int), value.ravel())
    return Interpolation(observed=0.4, random_state=seed).split(panel)


def decays(n_records: int, seed: int) -> tuple[IrregularPanel, Targets]:
    """One decay a record with an amplitude of its own, of which half of the events are hidden."""
    rng = np.random.default_rng(seed)
    time = np.sort(rng.uniform(0, 8, (n_records, 12)), axis=1)
    value = rng.normal(size=(n_records, 1)) * np.exp(-time / 5)
    panel = IrregularPanel(12 * np.arange(n_records + 1), time.ravel(), np.zeros(time.size, dtype=int), value.ravel())
    return Interpolation(observed=0.5, random_state=seed).split(panel)


def test_gru_d_learns_waves() -> None:
    """On unseen records it is better than straight lines."""
    lessons = Training(epochs=60, members=1, batch_size=16, learning_rate=1e-2, averaging=0.9)
    model = IrregularInterpolator("gru-d", training=lessons, width=16, dropout=0.0, random_state=0).fit(*waves(64, 0))
    assert model.score(*waves(40, 1)) > LinearInterpolator().fit(*waves(64, 0)).score(*waves(40, 1))


def test_latent_ode_learns_decays() -> None:
    """On unseen records it is clearly better than the mean; waves take it many more steps."""
    lessons = Training(epochs=15, members=1, batch_size=8, learning_rate=1e-2, averaging=0.9)
    model = IrregularInterpolator("latent-ode", training=lessons, width=16, dropout=0.0, random_state=0).fit(
        *decays(64, 0)
    )
    assert model.score(*decays(40, 1)) > 0.5


@every_backbone
def test_files(name: str, tmp_path: Path) -> None:
    """A saved model answers as before, intervals included."""
    X, y = waves(12, 0)
    quick = Training(epochs=1, members=2, batch_size=8)
    model = IrregularInterpolator(name, training=quick, width=8, random_state=0).fit(X, y)
    model.save(tmp_path / "model.cndts")
    loaded = IrregularInterpolator.load(tmp_path / "model.cndts")
    np.testing.assert_array_equal(loaded.predict(X).value, model.predict(X).value)
    np.testing.assert_array_equal(loaded.predict_quantiles(X, [0.1, 0.9]), model.predict_quantiles(X, [0.1, 0.9]))


def test_hybrid_memory_is_the_interpolator_of_that_name() -> None:
    X, y = waves(12, 0)
    options: dict[str, Any] = {"training": Training(epochs=1, members=1), "width": 8, "random_state": 0}
    general, own = IrregularInterpolator(**options).fit(X, y), HybridMemoryInterpolator(**options).fit(X, y)
    np.testing.assert_array_equal(general.predict(X).value, own.predict(X).value)


def test_names_and_errors() -> None:
    assert make_model("gru-d-interpolator").backbone == "gru-d"
    assert make_model("latent-ode-interpolator").backbone == "latent-ode"
    X, y = waves(4, 0)
    with pytest.raises(
        ValueError, match="backbone must be one of .*'gru-d', 'hybrid-memory', 'latent-ode'.*; got 'gru'"
    ):
        IrregularInterpolator("gru").fit(X, y)
    with pytest.raises(ValueError, match="gru-d solves no differential equation"):
        IrregularInterpolator("gru-d", solver=Solver()).fit(X, y)
