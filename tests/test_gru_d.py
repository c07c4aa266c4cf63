"""GRU-D against its equations written as a loop, and step by step."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cndts.backbones import GruDBackbone
from cndts.backbones.gru_d import GruDState
from cndts.backbones.stepped_backbone import Visit
from cndts.batching import EventStore
from cndts.dynamics import Solver
from cndts.event_batch import EventBatch
from cndts.panel import IrregularPanel
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling

N_CHANNELS, TIME_SCALE = 3, 4.0
Array = NDArray[np.float64]


def panel_of(lengths: list[int], seed: int = 0) -> IrregularPanel:
    """Random events on a grid of times, so that some are simultaneous; one of a channel at a time."""
    rng = np.random.default_rng(seed)
    record, time, channel = [], [], []
    for i, n in enumerate(lengths):
        slots = rng.permutation(40 * N_CHANNELS)[:n]
        slots.sort()
        record += [i] * n
        time += (slots // N_CHANNELS / 4).tolist()
        channel += (slots % N_CHANNELS).tolist()
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    names = [f"c{i}" for i in range(N_CHANNELS)]
    return IrregularPanel(offsets, np.array(time), np.array(channel), rng.normal(size=len(time)), channels=names)


def batch_of(panel: IrregularPanel, times: list[float]) -> EventBatch:
    scaling = Scaling(np.zeros(N_CHANNELS), np.ones(N_CHANNELS), TIME_SCALE, RankScale.unknown(N_CHANNELS))
    store = EventStore(panel, scaling, np.arange(len(panel))[:, None] / 10)
    queries = panel.with_queries(times).queries
    assert queries is not None
    return store.batch(np.arange(len(panel)), queries).to(dtype=torch.float64)


def backbone(seed: int = 0, **options: Any) -> GruDBackbone:
    torch.manual_seed(seed)
    module = GruDBackbone(N_CHANNELS, 1, **({"width": 5, "dropout": 0.5} | options)).double().eval()
    with torch.no_grad():
        module.input_decay_bias.normal_()
        module.input_decay.normal_(mean=1)
    return module


def visits_of(panel: IrregularPanel, record: int) -> list[tuple[float, Array, NDArray[np.bool_]]]:
    """Time, values and mask of each time stamp of a record."""
    rows = slice(panel.offsets[record], panel.offsets[record + 1])
    found = []
    for time in np.unique(panel.time[rows]):
        here = panel.time[rows] == time
        value, observed = np.zeros(N_CHANNELS), np.zeros(N_CHANNELS, dtype=bool)
        value[panel.channel[rows][here]] = panel.value[rows][here]
        observed[panel.channel[rows][here]] = True
        found.append((time / TIME_SCALE, value, observed))
    return found


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


class Paper:
    """The equations of the paper, one visit after the other, with the weights of a module under the names of the paper."""

    def __init__(self, module: GruDBackbone) -> None:
        weights = {name: part.detach().numpy() for name, part in module.named_parameters()}
        n, w = N_CHANNELS, module.width
        self.W_gx, self.b_gx = weights["input_decay"], weights["input_decay_bias"]
        self.W_gh, self.b_gh = weights["state_decay.weight"], weights["state_decay.bias"]
        inward, bias = weights["inward.weight"], weights["inward.bias"]
        (self.W_z, self.W_r, self.W), (self.V_z, self.V_r, self.V) = (
            [part[k * w : (k + 1) * w] for k in range(3)] for part in (inward[:, :n], inward[:, n:])
        )
        self.b_z, self.b_r, self.b = (bias[k * w : (k + 1) * w] for k in range(3))
        self.U_z, self.U_r = weights["gates.weight"][:w], weights["gates.weight"][w:]
        self.U = weights["candidate.weight"]
        self.h, self.x_last, self.delta = np.zeros(w), np.zeros(n), np.zeros(n)
        self.m, self.s = np.zeros(n), None

    def visit(self, s: float, x: Array, m: Array) -> None:
        # Time since the last observation of each channel, by the recursion of the paper.
        if self.s is not None:
            self.delta = s - self.s + np.where(self.m == 1, 0.0, self.delta)
        gamma_x = np.exp(-np.maximum(0, self.W_gx * self.delta + self.b_gx))
        gamma_h = np.exp(-np.maximum(0, self.W_gh @ self.delta + self.b_gh))
        x_hat = m * x + (1 - m) * (gamma_x * self.x_last + (1 - gamma_x) * 0.0)
        h_hat = gamma_h * self.h
        z = sigmoid(self.W_z @ x_hat + self.U_z @ h_hat + self.V_z @ m + self.b_z)
        r = sigmoid(self.W_r @ x_hat + self.U_r @ h_hat + self.V_r @ m + self.b_r)
        h_new = np.tanh(self.W @ x_hat + self.U @ (r * h_hat) + self.V @ m + self.b)
        self.h = (1 - z) * h_hat + z * h_new
        self.x_last, self.m, self.s = np.where(m == 1, x, self.x_last), m, s

    @property
    def age(self) -> Array:
        return np.where(self.m == 1, 0.0, self.delta)


@torch.no_grad()
@pytest.mark.parametrize("lengths", [[12, 0, 1, 30], [1], [0, 0], [60, 3, 3]])
def test_encoding_equals_the_equations(lengths: list[int]) -> None:
    """State, last values and ages of every record are those of the paper's recursion."""
    panel, module = panel_of(lengths), backbone()
    state = module.encode(batch_of(panel, [10.0]))
    for record in range(len(lengths)):
        paper, seen = Paper(module), np.zeros(N_CHANNELS, dtype=bool)
        for time, value, observed in visits_of(panel, record):
            paper.visit(time, value, observed.astype(float))
            seen |= observed
        np.testing.assert_allclose(state.hidden[record].numpy(), paper.h, atol=1e-6)
        np.testing.assert_allclose(state.value[record].numpy(), paper.x_last, atol=1e-6)
        np.testing.assert_allclose(state.age[record].numpy(), paper.age, atol=1e-6)
        assert state.is_seen[record].tolist() == seen.tolist()


@torch.no_grad()
def test_decays_alone_have_a_closed_form() -> None:
    """With all other weights zero, half of the state remains at a visit and e^-gap of it between visits."""
    module = backbone()
    for parameter in module.parameters():
        parameter.zero_()
    module.state_decay.weight[:, 0] = 1.0
    module.inward.bias[-module.width :] = 2.0
    panel = IrregularPanel([0, 3], [0.0, 4.0, 12.0], [0, 0, 0], [1.0, 1.0, 1.0], channels=["c0", "c1", "c2"])
    expected = 0.0
    for gap in (0.0, 1.0, 2.0):
        expected = 0.5 * np.exp(-gap) * expected + 0.5 * np.tanh(2.0)
    hidden = module.encode(batch_of(panel, [10.0])).hidden
    np.testing.assert_allclose(hidden.numpy(), np.full((1, module.width), expected), atol=1e-7)


def stepped(module: GruDBackbone, panel: IrregularPanel, record: int, n_visits: int | None = None) -> GruDState:
    state = module.start(torch.full((1, 1), record / 10, dtype=torch.float64))
    before = None
    for time, value, observed in visits_of(panel, record)[:n_visits]:
        gap = torch.tensor([0.0 if before is None else time - before], dtype=torch.float64)
        state = module.step(state, Visit(gap, torch.from_numpy(value)[None], torch.from_numpy(observed)[None]))
        before = time
    return state


@torch.no_grad()
@settings(max_examples=15)
@given(st.lists(st.integers(0, 25), min_size=1, max_size=4), st.integers(0, 99))
def test_stepping_equals_the_batch(lengths: list[int], seed: int) -> None:
    """Visit by visit a record comes to the state that the batch finds, and answers alike."""
    panel, module = panel_of(lengths, seed), backbone(seed)
    batch = batch_of(panel, [11.0, 15.0])
    together, answers = module.encode(batch), module(batch).features.unflatten(0, (len(lengths), -1))
    for record in range(len(lengths)):
        state = stepped(module, panel, record)
        for part, one in zip(together, state, strict=True):
            torch.testing.assert_close(part[[record]], one, rtol=0, atol=1e-6)
        mine = batch.query_node // N_CHANNELS == record
        queries = (batch.query_channel[mine], batch.query_channel[mine], batch.query_horizon[mine])
        torch.testing.assert_close(module.at(state, *queries).features, answers[record], rtol=0, atol=1e-6)


@torch.no_grad()
def test_the_future_does_not_exist() -> None:
    """After k visits the state is that of a record which ends there."""
    panel, module = panel_of([40]), backbone()
    times = np.unique(panel.time)
    for k in (1, 7, len(times) - 1):
        n = int(np.sum(panel.time <= times[k - 1]))
        early = IrregularPanel([0, n], panel.time[:n], panel.channel[:n], panel.value[:n], channels=panel.channels)
        for part, one in zip(module.encode(batch_of(early, [20.0])), stepped(module, panel, 0, k), strict=True):
            torch.testing.assert_close(part, one, rtol=0, atol=1e-6)


@torch.no_grad()
def test_state_has_constant_size() -> None:
    """Ten visits or a thousand, the state is as large."""
    sizes = [[part.shape for part in backbone().encode(batch_of(panel_of([n]), [10.0]))] for n in (3, 100)]
    assert sizes[0] == sizes[1]


@torch.no_grad()
def test_queries_decay_state_and_values() -> None:
    """At a query both decays go on as if nothing were observed, and the anchors are decayed value and mean."""
    panel, module = panel_of([15, 8]), backbone()
    batch = batch_of(panel, [10.0, 13.0])
    state, said = module.encode(batch), module(batch)
    paper = Paper(module)
    for row, (node, horizon) in enumerate(zip(batch.query_node.tolist(), batch.query_horizon.tolist(), strict=True)):
        record, channel = divmod(node, N_CHANNELS)
        age = state.age[record].numpy() + horizon
        gamma_x = np.exp(-np.maximum(0, paper.W_gx * age + paper.b_gx))[channel]
        gamma_h = np.exp(-np.maximum(0, paper.W_gh @ age + paper.b_gh))
        value = gamma_x * state.value[record, channel].item()
        known = [*(gamma_h * state.hidden[record].numpy()), value, np.log1p(10 * age[channel])]
        known += [float(state.is_seen[record, channel]), record / 10]
        expected = module.read(torch.tensor(known, dtype=torch.float64)) + module.channel.weight[channel]
        np.testing.assert_allclose(said.features[row].numpy(), expected.numpy(), atol=1e-6)
        np.testing.assert_allclose(said.anchors[row].numpy(), [value, 0.0], atol=1e-6)


@torch.no_grad()
def test_repeated_values_are_averaged() -> None:
    """Two values of a channel at one time count as their mean."""
    names = [f"c{i}" for i in range(N_CHANNELS)]
    twice = IrregularPanel([0, 3], [0.0, 0.0, 1.0], [1, 1, 0], [1.0, 3.0, 5.0], channels=names)
    once = IrregularPanel([0, 2], [0.0, 1.0], [1, 0], [2.0, 5.0], channels=names)
    states = [backbone().encode(batch_of(panel, [3.0])) for panel in (twice, once)]
    for part, other in zip(*states, strict=True):
        torch.testing.assert_close(part, other)


def test_there_is_nothing_to_solve() -> None:
    """A solver is refused, rather than ignored."""
    with pytest.raises(ValueError, match=r"gru-d solves no differential equation; got solver=Solver\(method='rk4'\)"):
        GruDBackbone.build(3, 0, width=8, dropout=0.0, solver=Solver("rk4"))
