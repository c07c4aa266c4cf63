"""What the network promises: nothing leaks between times, records or row orders, and cost is linear in events."""

import math
import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import silu
from torch.utils.flop_counter import FlopCounterMode

from cndts import Extrapolation, IrregularPanel
from cndts.backbones import HybridMemoryBackbone
from cndts.backbones.event_encoder import EventEncoder
from cndts.backbones.record_digest import RecordDigest
from cndts.batching import EventStore
from cndts.dynamics import Solver
from cndts.estimators import HybridMemoryForecaster
from cndts.estimators import _neural_forecaster as module_of_forecaster
from cndts.event_batch import EventBatch
from cndts.event_chunks import event_chunks
from cndts.memory import LONG_TERM, Memory, SeriesFacts
from cndts.queries import Queries
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling
from cndts.training import Training

N_CHANNELS = 3
CHANNELS = [f"c{i}" for i in range(N_CHANNELS)]
RANKS = RankScale(np.array([[-2.0, 0.0, 1.0], [-1.0, 0.0, 3.0], [-1.0, 1.0, 1.0]]))
TOLERANCE: dict[str, Any] = {"rtol": 0, "atol": 1e-5}  # single precision: sums of another batch run in another order


def panel_of(lengths: list[int], seed: int = 0) -> IrregularPanel:
    """Random events on a grid of times, so that some are simultaneous."""
    rng = np.random.default_rng(seed)
    record = np.repeat(np.arange(len(lengths)), lengths)
    time = rng.integers(0, 40, size=len(record)) / 4
    order = np.lexsort((time, record))
    channel, value = rng.integers(0, N_CHANNELS, size=len(record)), rng.normal(size=len(record))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return IrregularPanel(offsets, time[order], channel, value, channels=CHANNELS)


def changed(panel: IrregularPanel, **arrays: np.ndarray) -> IrregularPanel:
    stored = {name: getattr(panel, name) for name in ("offsets", "time", "channel", "value")} | arrays
    return IrregularPanel(**stored, channels=CHANNELS, records=panel.records, queries=panel.queries)


def forecast(model: HybridMemoryForecaster, panel: IrregularPanel, times: list[float] | None = None) -> np.ndarray:
    """Every channel of every record, or the panel's own queries."""
    X = panel if times is None else panel.with_queries(times)
    return np.asarray(model.predict(X))


def backbone(method: str = "midpoint", memory: dict[str, Any] | None = None, **options: Any) -> HybridMemoryBackbone:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"width": 8, "n_heads": 2, "n_layers": 1, "dropout": 0.3, "cycles": [1.5]} | options
    settings = Memory(**({"window": 2, "timescales": 2, "contents": 2, "episodic_slots": 3} | (memory or {})))
    module = HybridMemoryBackbone(N_CHANNELS, 0, settings, Solver(method), **sizes)
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if "gate" in name:  # as after training: forget and read gates start at 0
                weight.copy_(torch.randn(weight.shape) / 2)
    return module.eval()


def batch_of(panel: IrregularPanel, times: list[float]) -> EventBatch:
    store = EventStore(panel, Scaling(np.zeros(3), np.ones(3), 4.0, RANKS), np.zeros((len(panel), 0)))
    queries = panel.with_queries(times).queries
    assert queries is not None
    return store.batch(np.arange(len(panel)), queries)


@pytest.fixture(scope="module")
def model() -> HybridMemoryForecaster:
    """A forecaster with some weights; what is promised holds for any."""
    X, y = Extrapolation(observe=7, horizon=3).split(panel_of([30] * 12))
    settings = (
        Memory(window=3, timescales=3, contents=3, cycles=(4.0,)),
        Solver(),
        Training(epochs=3, batch_size=4, learning_rate=1e-2),
    )
    return HybridMemoryForecaster(*settings, width=8, layers=1, random_state=0).fit(X, y)


# ---- promises of a forecast --------------------------------------------------------------------------


@settings(max_examples=15)
@given(seed=st.integers(0, 99), at=st.integers(0, 44))
def test_later_events_never_change_an_earlier_forecast(model: HybridMemoryForecaster, seed: int, at: int) -> None:
    """A query is answered as if nothing after its time had been observed."""
    panel, t = panel_of([12, 0, 1, 20], seed), at / 4
    early = panel.time <= t
    offsets = np.concatenate([[0], np.cumsum(np.bincount(panel.record[early], minlength=4))])
    past = changed(
        panel, offsets=offsets, time=panel.time[early], channel=panel.channel[early], value=panel.value[early]
    )
    expected = forecast(model, past, [t])
    np.testing.assert_allclose(forecast(model, panel, [t]), expected, **TOLERANCE)
    together = panel.with_queries([t, t + 1, t - 1, 99.0])
    found = np.asarray(model.predict(together))[together.queries.time == t]
    np.testing.assert_allclose(found, expected, **TOLERANCE)
    later = changed(panel, value=np.where(early, panel.value, -50.0).astype(np.float32))
    np.testing.assert_allclose(forecast(model, later, [t]), expected, **TOLERANCE)


def test_forecasts_depend_on_the_past(model: HybridMemoryForecaster) -> None:
    """The promise above is not kept by ignoring events: earlier ones of any age and channel count."""
    panel = panel_of([30])
    before = forecast(model, panel, [12.0])
    for row in (0, 15, 29):
        value = panel.value.copy()
        value[row] += 3
        assert np.abs(forecast(model, changed(panel, value=value), [12.0]) - before).max() > 1e-4


def test_a_forecast_does_not_depend_on_batch_mates(
    model: HybridMemoryForecaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alone, in any company, in any order and in any number of batches a record has the same forecast."""
    panel = panel_of([12, 0, 1, 20, 7]).with_queries([3.0, 11.0, 30.0])
    together = forecast(model, panel).reshape(5, -1)
    alone = np.stack([forecast(model, panel[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(alone, together, **TOLERANCE)
    order = [3, 1, 4, 0, 2]
    np.testing.assert_allclose(forecast(model, panel[order]).reshape(5, -1), together[order], **TOLERANCE)
    for rows in (1, 25):
        monkeypatch.setattr(module_of_forecaster, "_ROWS_PER_BATCH", rows)
        np.testing.assert_allclose(forecast(model, panel).reshape(5, -1), together, **TOLERANCE)


@settings(max_examples=15)
@given(order=st.permutations(range(20)))
def test_order_of_simultaneous_events(model: HybridMemoryForecaster, order: list[int]) -> None:
    """Rows of one time may come in any order."""
    panel = panel_of([20])
    rows = np.lexsort((order, panel.time))
    shuffled = changed(panel, channel=panel.channel[rows], value=panel.value[rows])
    assert np.array_equal(forecast(model, shuffled, [5.0, 12.0]), forecast(model, panel, [5.0, 12.0]))


@pytest.mark.parametrize("shift", [-3.25, 1e6, 1e6 + 0.1])
def test_time_shift(model: HybridMemoryForecaster, shift: float) -> None:
    """Moving records and questions in time changes nothing."""
    panel = panel_of([12, 0, 20])
    moved = changed(panel, time=panel.time + shift)
    found = forecast(model, moved, [6.0 + shift, 15.0 + shift])
    np.testing.assert_allclose(found, forecast(model, panel, [6.0, 15.0]), **TOLERANCE)


def test_queries_do_not_disturb_each_other(model: HybridMemoryForecaster) -> None:
    """Order, repeats and company of the queries have no effect, inside the observed span and beyond."""
    panel = panel_of([12, 3])
    times, channel = np.array([11.0, 2.0, 90.0, 2.0, 10.0, 5.0]), np.array([0, 1, 2, 1, 0, 0])
    queries = Queries([0, 4, 6], times, channel)
    answers = forecast(model, panel.with_queries(queries=queries))
    assert answers[1] == pytest.approx(answers[3], abs=1e-5)
    for row, record in enumerate([0, 0, 0, 0, 1, 1]):
        one = Queries([0, 1], times[[row]], channel[[row]])
        assert forecast(model, panel[[record]].with_queries(queries=one))[0] == pytest.approx(answers[row], abs=1e-5)


# ---- the backbone ------------------------------------------------------------------------------------


@torch.no_grad()
def test_anchors_are_plain_forecasts() -> None:
    """Last value, averages, and zero; nothing but zeros where a channel was not observed."""
    panel = IrregularPanel([0, 3, 3], [0.0, 1.0, 2.0], [0, 2, 0], [4.0, -1.0, 6.0], channels=CHANNELS)
    anchors = backbone().encode(batch_of(panel, [3.0])).anchors
    assert anchors.shape == (6, 4)
    assert anchors[:, 0].tolist() == [6, 0, -1, 0, 0, 0]
    assert ((anchors[0, 1:3] > 4) & (anchors[0, 1:3] <= 6 + 1e-5)).all()
    assert anchors[2, 1:3].tolist() == pytest.approx([-1, -1])
    assert (anchors[:, 3] == 0).all()
    assert (anchors[[1, 3, 4, 5]] == 0).all()


@torch.no_grad()
def test_channels_exchange_within_a_record_only() -> None:
    """What one channel shows reaches all nodes of its record, also unobserved ones, and no other record."""
    panel = panel_of([9, 9])
    value = panel.value.copy()
    value[panel.offsets[1] - 1] += 2
    nodes = [backbone().encode(batch_of(p, [30.0])).nodes for p in (panel, changed(panel, value=value))]
    moved = (nodes[0] - nodes[1]).abs().sum(1)
    assert (moved[:N_CHANNELS] > 1e-4).all()
    assert (moved[N_CHANNELS:] < 1e-6).all()


@torch.no_grad()
def test_encoder_equals_the_loop() -> None:
    """An event sees itself and the average over the events of its record and time, and nothing else."""
    batch = batch_of(panel_of([20, 0, 15]), [12.0])
    torch.manual_seed(0)
    encoder = EventEncoder(N_CHANNELS, 4)
    encoded = encoder(batch)
    own = []
    for row in range(len(batch.value)):
        gap = math.log1p(10 * batch.gap[row])
        known = [batch.value[row], batch.score[row], batch.change[row], gap, batch.is_first[row]]
        facts = torch.tensor([float(fact) for fact in known])
        own.append(silu(encoder.inward(facts) + encoder.channel.weight[batch.channel[row]]))
    assert batch.n_visits < len(own)
    for row, visit in enumerate(batch.visit.tolist()):
        company = torch.stack([own[other] for other in (batch.visit == visit).nonzero()]).mean(0)
        torch.testing.assert_close(encoded[row], silu(encoder.outward(own[row] + encoder.mixing(company))))


@torch.no_grad()
def test_digest_equals_the_loop() -> None:
    """Last value, score, change, averages, freshness, count and presence of each channel, zero where there is none."""
    batch = batch_of(panel_of([9, 0, 2]), [12.0])
    torch.manual_seed(0)
    digest = RecordDigest(N_CHANNELS, hidden=8, width=4, dropout=0.5).eval()
    averages = torch.randn(len(batch.series_node), 5)
    table = torch.zeros(3, N_CHANNELS, 8)
    for series, node in enumerate(batch.series_node.tolist()):
        own = batch.series == series
        last, score, change = (part[own][-1].item() for part in (batch.value, batch.score, batch.change))
        level = [averages[series].mean().item(), averages[series, -1].item()]
        seen = [math.exp(-4 * batch.series_age[series]), math.log1p(int(own.sum())) / 3, 1.0]
        facts = [last, score, change, *level, *seen]
        table[node // N_CHANNELS, node % N_CHANNELS] = torch.tensor(facts)
    found = digest(averages, SeriesFacts.of(batch), 3)
    torch.testing.assert_close(found, digest.layers(table.flatten(1)).view(3, N_CHANNELS, 4))


def test_gradients_of_the_backbone() -> None:
    """Gradients by parameters of every part match finite differences in double precision."""
    module = backbone().double()
    with torch.no_grad():
        module.unseen.normal_()
    batch = batch_of(panel_of([5, 0, 2]), [4.0, 12.0, 40.0]).to(dtype=torch.float64)
    parts = ["unseen", "encoder.channel.weight", "encoder.inward.bias", "digest.layers.0.weight"]
    parts += [f"memory.compressed.{name}" for name in ("write_gate.layer.weight", "forget_gate.layer.weight")]
    parts += ["memory.compressed_read.bias", "memory.lengths.weight"]
    parts += [
        f"memory.working.{name}" for name in ("attention.key.weight", "summary.0.weight", "forget_gate.layer.bias")
    ]
    parts += [
        f"memory.episodic.{name}" for name in ("salience.weight", "surprise", "log_power", "forget_gate.layer.weight")
    ]
    parts += ["memory.first_gate.layer.weight", "memory.second_gate.layer.weight"]
    parts += ["first_round.0.out.bias", "readout.field.inward.bias", "readout.field.outward.weight"]
    named = dict(module.named_parameters())

    def run(*weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        said = torch.func.functional_call(module, dict(zip(parts, weights, strict=True)), (batch,))
        return said.features, said.anchors

    assert torch.autograd.gradcheck(run, tuple(named[part] for part in parts), fast_mode=True)


@pytest.mark.parametrize("long_term", LONG_TERM)
def test_every_parameter_is_used(long_term: str) -> None:
    """A loss on the state and the anchors reaches every parameter; none is there for show."""
    module = backbone(n_layers=2, memory={"long_term": long_term})
    state, anchors, *_ = module(batch_of(panel_of([12, 0, 20]), [4.0, 12.0]))
    (state.square().sum() + anchors.square().sum()).backward()
    assert [name for name, p in module.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


# ---- memories side by side ---------------------------------------------------------------------------

GATES = ("write_gate", "read_gate", "forget_gate")
CHOICES = [{size: 0} for size in ("window", "timescales", "episodic_slots")]
CHOICES += [{gate: False} for gate in GATES]
CHOICES += [{"second_round": False}, {"window": 0, "timescales": 0, "episodic_slots": 0}]
CHOICES += [{"long_term": name} for name in LONG_TERM]


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_every_part_can_be_left_out(choice: dict[str, Any]) -> None:
    """Without a memory, a gate or a round the model answers all the same, and no unused weight is left behind."""
    module = backbone(memory=choice)
    answers = module(batch_of(panel_of([12, 0, 20]), [4.0, 12.0]))
    assert answers.features.shape == (18, 8)
    assert answers.anchors.shape == (18, module.n_anchors)
    assert torch.isfinite(answers.features).all()
    (answers.features.square().sum() + answers.anchors.square().sum()).backward()
    idle = {name for name, p in module.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0}
    unread = (
        "memory.working.norm",
        "memory.working.attention",
        "memory.working.write_gate",
        "memory.working.forget_gate",
    )
    if choice == {"second_round": False}:  # the second read alone asks the working memory by content
        idle = {name for name in idle if not name.startswith((*unread, "memory.episodic"))}
    if not {"window", "timescales", "episodic_slots"} - choice.keys():  # what is encoded is written nowhere
        idle = {name for name in idle if not name.startswith("encoder")}
    assert idle == set()


@torch.no_grad()
def test_first_read_equals_its_formula() -> None:
    """Lengths of the series, and beside them both reads, each as far as its gate opens."""
    memory, batch = backbone().memory, batch_of(panel_of([12, 0, 5]), [12.0])
    encoded, facts = torch.randn(len(batch.value), 8), SeriesFacts.of(batch)
    state = memory.write(encoded, batch)
    times = [torch.log1p(batch.series_count), *(torch.log1p(10 * t) for t in (batch.series_age, batch.series_span))]
    known = memory.lengths(torch.stack(times, dim=1))
    long = memory.compressed_read(memory.compressed.read(state.compressed))
    short = memory.working.read(state.working, batch.series_age)
    opening = 2 * torch.sigmoid(memory.first_gate.layer(known + long + short))
    expected = known + opening[:, :1] * long + opening[:, 1:] * short
    torch.testing.assert_close(memory.read(state, facts), expected)


@torch.no_grad()
def test_second_read_equals_its_formula() -> None:
    """Nodes with events re-read their window, all nodes the episodes of their record."""
    memory, batch = backbone().memory, batch_of(panel_of([12, 0, 5]), [12.0])
    state, nodes = memory.write(torch.randn(len(batch.value), 8), batch), torch.randn(3, N_CHANNELS, 8)
    found = memory.recall(state, SeriesFacts.of(batch), nodes).read
    episodes, _ = memory.episodic.recall(state.episodic, nodes)
    asked = nodes.flatten(0, 1)[batch.series_node]
    short = dict(
        zip(batch.series_node.tolist(), memory.working.recall(state.working, batch.series_age, asked), strict=True)
    )
    for record, channel in np.ndindex(3, N_CHANNELS):
        opening = 2 * torch.sigmoid(memory.second_gate.layer(nodes[record, channel]))
        window = short.get(record * N_CHANNELS + channel, torch.zeros(8))
        expected = opening[0] * window + opening[1] * episodes[record, channel]
        torch.testing.assert_close(found[record, channel], expected)


@torch.no_grad()
def test_rows_and_updated() -> None:
    """Series can be picked in any order and put back; records stay, and a memory that is left out stays out."""
    memory, batch = backbone().memory, batch_of(panel_of([12, 3]), [12.0])
    state = memory.write(torch.randn(len(batch.value), 8), batch)
    order = torch.tensor([3, 0])
    some = state.rows(order)
    assert torch.equal(some.compressed.moment, state.compressed.moment[[3, 0]])
    assert torch.equal(some.working.facts, state.working.facts[[3, 0]])
    assert some.episodic is state.episodic
    doubled = some._replace(
        compressed=some.compressed._replace(mass=2 * some.compressed.mass),
        working=None,
        episodic=state.episodic._replace(pace=state.episodic.pace + 1),
    )
    put = state.updated(order, doubled)
    expected = state.compressed.mass.clone()
    expected[order] *= 2
    assert torch.equal(put.compressed.mass, expected)
    assert torch.equal(put.compressed.moment, state.compressed.moment)
    assert put.working is None
    assert torch.equal(put.episodic.pace, state.episodic.pace + 1)


@torch.no_grad()
def test_one_visit_at_a_time() -> None:
    """The backbone's answer after writing visit by visit is its answer to the whole batch."""
    module, batch = backbone().double(), batch_of(panel_of([12, 0, 5]), [11.0, 12.0]).to(dtype=torch.float64)
    state = module.memory.empty(3 * N_CHANNELS, 3)
    for piece in event_chunks(batch, 1):
        state = module.write_on(state, piece)
    found = module.nodes(state.rows(batch.series_node), SeriesFacts.of(batch), batch.static)
    expected = module.encode(batch)
    torch.testing.assert_close(found.nodes, expected.nodes, rtol=0, atol=1e-10)
    torch.testing.assert_close(found.anchors, expected.anchors, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": -1}, "memory__window must be an integer of 0 or more; got -1"),
        ({"timescales": 2.5}, "memory__timescales must be an integer of 0 or more; got 2.5"),
        ({"contents": None}, "memory__contents must be an integer of 1 or more; got None"),
        ({"episodic_slots": True}, "memory__episodic_slots must be an integer of 0 or more; got True"),
        ({"chunk": 0}, "memory__chunk must be an integer of 1 or more; got 0"),
        ({"shortest": 4.0}, "below memory__longest, both finite; got shortest=4.0, longest=4.0"),
        ({"shortest": 0.0}, "memory__shortest must be above 0"),
        ({"longest": math.inf}, "both finite; got shortest=0.01, longest=inf"),
        ({"longest": "4"}, "got shortest=0.01, longest='4'"),
        (
            {"long_term": "lstm"},
            "memory__long_term must be one of 'decay', 'clearing', 'oscillating', 'legendre'; got 'lstm'",
        ),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str) -> None:
    """Settings are checked where the memories are built, and the message names them as the estimator does."""
    with pytest.raises(ValueError, match=re.escape(message)):
        backbone(memory=settings)


# ---- cost --------------------------------------------------------------------------------------------


def work(n_events: int, n_records: int = 1) -> tuple[int, int]:
    """Floating point operations of a forward pass, and rows that pass through linear layers."""
    rng = np.random.default_rng(0)
    time = np.tile(np.sort(rng.uniform(0, 10, n_events)), n_records)
    channel = np.tile(np.arange(n_events) % N_CHANNELS, n_records)
    offsets = n_events * np.arange(n_records + 1)
    panel = IrregularPanel(offsets, time, channel, np.ones(len(time)), channels=CHANNELS)
    module, rows = backbone(), [0]

    def count(layer: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        rows[0] += output.numel() // output.shape[-1]

    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            layer.register_forward_hook(count)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(batch_of(panel, [11.0, 12.0]))
    return counter.get_total_flops(), rows[0]


def test_cost_is_linear_in_events() -> None:
    """Each further event costs the same; it passes through eleven layers: three to encode it, three in the
    long-term memory, two gates in each of the others and a signature, whatever the length of the record.
    """
    flops, rows = np.array([work(n) for n in (100, 200, 300, 1000)]).T
    assert flops[1] - flops[0] == flops[2] - flops[1] == (flops[3] - flops[2]) / 7 > 0
    assert rows[1] - rows[0] == rows[2] - rows[1] == (rows[3] - rows[2]) / 7 == 11 * 100


def test_cost_is_linear_in_records() -> None:
    """Records in one batch cost what they cost one by one."""
    (flops, rows), (more_flops, more_rows) = work(50), work(50, n_records=7)
    assert more_rows == 7 * rows
    assert more_flops == 7 * flops
