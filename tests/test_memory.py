"""Memories against numerical integration, recursions event by event, and loops over slots."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from torch import Tensor, nn

from cndts._ragged import offsets_from_lengths
from cndts.batching import EventStore
from cndts.event_batch import EventBatch
from cndts.memory import CompressedMemory, CompressedState, WorkingMemory, WorkingState
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling

N_CHANNELS, WIDTH = 3, 4
UNIT = 64  # times are multiples of 1/64, which single precision holds exactly


def panel_of(lengths: list[int], seed: int = 0, shift: float = 0.0, span: int = 500) -> IrregularPanel:
    """Random events, some of them at the same time."""
    rng = np.random.default_rng(seed)
    record = np.repeat(np.arange(len(lengths)), lengths)
    time = rng.integers(0, span, size=len(record)) / UNIT
    order = np.lexsort((time, record))
    channel, value = rng.integers(0, N_CHANNELS, size=len(record)), rng.normal(size=len(record))
    names = [f"c{i}" for i in range(N_CHANNELS)]
    return IrregularPanel(offsets_from_lengths(lengths), time[order] + shift, channel, value, channels=names)


def batch_of(panel: IrregularPanel) -> EventBatch:
    """All records in double precision, in the panel's own units."""
    n_records = len(panel)
    store = EventStore(
        panel,
        Scaling(np.zeros(N_CHANNELS), np.ones(N_CHANNELS), 1.0, RankScale.unknown(N_CHANNELS)),
        np.zeros((n_records, 0)),
    )
    nothing = Queries(np.zeros(n_records + 1), [], [])
    return store.batch(np.arange(n_records), nothing).to(dtype=torch.float64)


def compressed(n_timescales: int = 3, n_content: int = 2) -> CompressedMemory:
    torch.manual_seed(0)
    memory = CompressedMemory(N_CHANNELS, WIDTH, n_timescales, n_content, shortest=0.05, longest=4.0).double()
    with torch.no_grad():
        memory.log_rate.add_(0.1 * torch.randn(memory.log_rate.shape, dtype=torch.float64))  # each channel its own
        memory.write_gate.weight.mul_(4)
    return memory


def working(n_slots: int = 3) -> WorkingMemory:
    torch.manual_seed(0)
    return WorkingMemory(n_slots, WIDTH, n_heads=2, dropout=0.5).double().eval()


def encoded_events(batch: EventBatch) -> Tensor:
    return torch.randn(len(batch.value), WIDTH, generator=torch.Generator().manual_seed(7), dtype=torch.float64)


def series_events(batch: EventBatch) -> list[list[int]]:
    """Rows of each series, oldest first."""
    return [
        [row for row, owner in enumerate(batch.series.tolist()) if owner == s] for s in range(len(batch.series_node))
    ]


def jumps(memory: CompressedMemory, encoded: Tensor, batch: EventBatch, row: int) -> tuple[Tensor, Tensor, Tensor]:
    """Decay rates, weights and contents of one event."""
    weight = torch.exp(3 * torch.tanh(memory.write_gate(encoded[row]) / 3))
    content = torch.cat([memory.content(encoded[row]), batch.value[row : row + 1]])
    return memory.log_rate[batch.channel[row]].exp(), weight, content


# ---- compressed memory -------------------------------------------------------------------------------


@torch.no_grad()
def test_compressed_memory_solves_its_ode() -> None:
    """The sum over events is the state that scipy's solver reaches, integrating from event to event with jumps."""
    memory, batch = compressed(), batch_of(panel_of([9, 4]))
    encoded = encoded_events(batch)
    state = memory.write(encoded, batch)
    for series, rows in enumerate(series_events(batch)):
        m, n = np.zeros((3, 3)), np.zeros(3)
        for row in rows:
            rate, weight, content = (part.numpy() for part in jumps(memory, encoded, batch, row))
            if batch.gap[row] > 0:
                start = np.concatenate([m.ravel(), n])
                rates = np.concatenate([np.repeat(rate, 3), rate])
                path = solve_ivp(
                    lambda t, z, rates=rates: -rates * z, (0, float(batch.gap[row])), start, rtol=1e-9, atol=1e-11
                )
                m, n = path.y[:9, -1].reshape(3, 3), path.y[9:, -1]
            m, n = m + weight[:, None] * content, n + weight
        np.testing.assert_allclose(state.moment[series], m, atol=1e-7)
        np.testing.assert_allclose(state.mass[series], n, atol=1e-7)


@torch.no_grad()
@settings(max_examples=30)
@given(st.lists(st.integers(0, 8), min_size=1, max_size=4), st.integers(0, 99))
def test_compressed_memory_equals_the_recursion(lengths: list[int], seed: int) -> None:
    """All events at once give what one event after the other gives."""
    memory, batch = compressed(), batch_of(panel_of(lengths, seed))
    encoded = encoded_events(batch)
    state = memory.write(encoded, batch)
    assert len(state.mass) == len(batch.series_node)
    for series, rows in enumerate(series_events(batch)):
        moment, mass = torch.zeros(3, 3).double(), torch.zeros(3).double()
        for row in rows:
            rate, weight, content = jumps(memory, encoded, batch, row)
            kept = torch.exp(-rate * batch.gap[row])
            moment, mass = kept[:, None] * moment + weight[:, None] * content, kept * mass + weight
        torch.testing.assert_close(state.moment[series], moment, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(state.mass[series], mass, rtol=1e-10, atol=1e-12)


@torch.no_grad()
@settings(max_examples=20)
@given(st.integers(-(10**6), 10**6))
def test_compressed_memory_does_not_see_absolute_time(shift: int) -> None:
    """Moving a record in time leaves its memory as it is."""
    memory, here, there = compressed(), batch_of(panel_of([9, 4])), batch_of(panel_of([9, 4], shift=shift))
    encoded = encoded_events(here)
    assert torch.equal(memory.read(memory.write(encoded, here)), memory.read(memory.write(encoded, there)))


def test_long_gaps_and_fast_decay_stay_finite() -> None:
    """However long ago and however fast forgotten: the last event remains, and so do gradients."""
    panel = IrregularPanel([0, 3], [0.0, 1e7, 2e12], [0, 0, 0], [5.0, 6.0, -7.0], channels=["a", "b", "c"])
    for dtype in (torch.float32, torch.float64):
        memory = compressed().to(dtype)
        with torch.no_grad():
            memory.log_rate.fill_(18.0)
        batch = batch_of(panel).to(dtype=dtype)
        encoded = encoded_events(batch).to(dtype).requires_grad_()
        state = memory.write(encoded, batch)
        read = memory.read(state)
        torch.testing.assert_close(memory.averages(state), torch.full((1, 3), -7.0, dtype=dtype))
        read.sum().backward()
        assert torch.isfinite(read).all()
        for leaf in (encoded, *memory.parameters()):
            assert torch.isfinite(leaf.grad).all()


def test_no_event_silences_the_others() -> None:
    """The write gate is bounded: weights lie between e^-3 and e^3 for any encoding."""
    memory, batch = compressed(), batch_of(panel_of([6]))
    for size in (-1e6, 1e6):
        mass = memory.write(torch.full((6, WIDTH), size, dtype=torch.float64), batch).mass
        assert (mass > np.exp(-3) - 1e-9).all()
        assert (mass < 6 * np.exp(3) + 1e-9).all()


@torch.no_grad()
def test_averages_run_from_the_last_value_to_the_mean() -> None:
    """With an even gate slow accumulators hold the plain mean, fast ones the last value, and none leaves the range."""
    values = [1.0, 4.0, -2.0, 7.0]
    batch = batch_of(IrregularPanel([0, 4], [0.0, 1.0, 2.0, 3.0], [1] * 4, values, channels=["a", "b", "c"]))
    memory = CompressedMemory(N_CHANNELS, WIDTH, 7, 2, shortest=1e-3, longest=1e6).double()
    memory.write_gate.weight.zero_()
    averages = memory.averages(memory.write(encoded_events(batch), batch))[0]
    assert averages[0].item() == pytest.approx(7.0)
    assert averages[-1].item() == pytest.approx(2.5, abs=1e-4)
    assert averages.min() >= -2
    assert averages.max() <= 7 + 1e-12


class Reading(nn.Module):
    """Writing and reading as one function of the encoded events."""

    def __init__(self, memory: CompressedMemory, batch: EventBatch) -> None:
        super().__init__()
        self.memory, self.batch = memory, batch

    def forward(self, encoded: Tensor) -> Tensor:
        return self.memory.read(self.memory.write(encoded, self.batch))


def test_gradients_of_the_compressed_memory() -> None:
    """Gradients by events, rates and gates match finite differences."""
    batch = batch_of(panel_of([5, 3], span=100))
    module = Reading(compressed(2, 1), batch)
    names, weights = zip(*module.named_parameters(), strict=True)

    def read(encoded: Tensor, *weights: Tensor) -> Tensor:
        return torch.func.functional_call(module, dict(zip(names, weights, strict=True)), (encoded,))

    assert torch.autograd.gradcheck(read, (encoded_events(batch).requires_grad_(), *weights))


def test_compressed_features() -> None:
    """What is read are ratios and log masses, as many as announced."""
    memory = compressed()
    state = CompressedState(torch.arange(18.0).view(2, 3, 3).double(), torch.tensor([[1.0, 2.0, 4.0]] * 2).double())
    read = memory.read(state)
    assert read.shape == (2, memory.n_features)
    torch.testing.assert_close(read[0, :9].view(3, 3), state.moment[0] / torch.tensor([[1.0], [2.0], [4.0]]).double())
    torch.testing.assert_close(read[0, 9:], torch.tensor([1.0, 2.0, 4.0]).double().log())


# ---- working memory ----------------------------------------------------------------------------------


@settings(max_examples=50)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=4), st.integers(1, 6), st.integers(0, 99))
def test_window_equals_the_loop(lengths: list[int], n_slots: int, seed: int) -> None:
    """A window holds the last events of its series, the newest first, with value, rank score, age and gap; the rest is zero."""
    panel = panel_of(lengths, seed)
    batch = batch_of(panel)
    state = working(n_slots).write(batch)
    for series, rows in enumerate(series_events(batch)):
        newest = rows[::-1][:n_slots]
        assert state.is_held[series].tolist() == [slot < len(newest) for slot in range(n_slots)]
        assert state.row[series].tolist()[: len(newest)] == newest
        for slot in range(n_slots):
            facts = [0.0, 0.0, 0.0, 0.0]
            if slot < len(newest):
                row = newest[slot]
                age = float(batch.age[row] + batch.series_age[series])
                facts = [
                    float(batch.value[row]),
                    float(batch.score[row]),
                    np.log1p(10 * age),
                    np.log1p(10 * float(batch.gap[row])),
                ]
            np.testing.assert_allclose(state.facts[series, slot], facts, atol=1e-12)


def test_empty_slots_point_into_their_own_series() -> None:
    """The row of an empty slot is valid, so that gathering it reads no other series."""
    batch = batch_of(panel_of([2, 30, 1]))
    state = working(6).write(batch)
    assert (batch.series[state.row] == torch.arange(len(state.row))[:, None]).all()


@torch.no_grad()
def test_recall_equals_attention_over_held_slots() -> None:
    """Attention written as loops over series, heads and held slots."""
    memory, batch = working(4), batch_of(panel_of([7, 2, 20]))
    encoded, state = encoded_events(batch), memory.write(batch)
    asked = torch.randn(len(state.row), WIDTH, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    recalled = memory.recall(state, encoded, asked)
    size = WIDTH // 2
    for series in range(len(state.row)):
        held = [slot for slot in range(4) if state.is_held[series, slot]]
        slots = torch.stack([torch.cat([encoded[state.row[series, s]], state.facts[series, s]]) for s in held])
        query = memory.query(memory.norm(asked[series]))
        heads = []
        for head in (slice(0, size), slice(size, WIDTH)):
            share = (memory.key(slots)[:, head] @ query[head] / size**0.5).softmax(0)
            heads.append(share @ memory.content(slots)[:, head])
        torch.testing.assert_close(recalled[series], memory.out(torch.cat(heads)))


@torch.no_grad()
def test_empty_slots_carry_no_influence() -> None:
    """Whatever lies in an empty slot, neither reading nor recalling changes; what lies in a held slot counts."""
    memory, batch = working(5), batch_of(panel_of([6, 3]))
    encoded, state = encoded_events(batch), memory.write(batch)
    asked = torch.ones(len(state.row), WIDTH).double()
    assert 0 < state.is_held.sum() < state.is_held.numel()
    noise = torch.randn(state.facts.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    elsewhere = torch.where(state.is_held, state.row, torch.zeros_like(state.row))
    spoiled = WorkingState(elsewhere, state.is_held, torch.where(state.is_held[..., None], state.facts, noise))
    assert torch.equal(memory.recall(spoiled, encoded, asked), memory.recall(state, encoded, asked))
    moved = WorkingState(state.row, state.is_held, state.facts + noise)
    assert not torch.allclose(memory.recall(moved, encoded, asked), memory.recall(state, encoded, asked))


@torch.no_grad()
def test_a_window_with_room_to_spare_recalls_the_same() -> None:
    """More slots than events change nothing: recall with 3 and with 9 slots agrees for short series."""
    batch = batch_of(panel_of([3, 2]))
    small, large = working(3), working(9)
    shared = {name: weight for name, weight in small.state_dict().items() if "summary" not in name}
    large.load_state_dict(shared, strict=False)
    encoded, asked = encoded_events(batch), torch.ones(len(batch.series_node), WIDTH).double()
    expected = small.recall(small.write(batch), encoded, asked)
    torch.testing.assert_close(large.recall(large.write(batch), encoded, asked), expected, rtol=0, atol=1e-14)


def test_gradients_reach_held_events_only() -> None:
    """Recall looks at the window alone: older events have no gradient, and none is NaN."""
    batch = batch_of(panel_of([15, 1]))
    memory, encoded = working(2), encoded_events(batch).requires_grad_()
    state = memory.write(batch)
    memory.recall(state, encoded, torch.ones(len(state.row), WIDTH).double()).square().sum().backward()
    held = torch.zeros(len(encoded), dtype=torch.bool)
    held[state.row[state.is_held]] = True
    assert encoded.grad is not None
    assert (encoded.grad[held].abs().sum(1) > 0).all()
    assert (encoded.grad[~held] == 0).all()


def test_working_memory_without_events() -> None:
    """A batch without any event has no series, and memories of length zero."""
    batch = batch_of(panel_of([0, 0]))
    memory = working()
    state = memory.write(batch)
    assert memory.read(state).shape == (0, WIDTH)
    assert memory.recall(state, encoded_events(batch), torch.zeros(0, WIDTH).double()).shape == (0, WIDTH)
    assert compressed().read(compressed().write(encoded_events(batch), batch)).shape == (0, compressed().n_features)
