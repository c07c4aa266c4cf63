"""Memories against numerical integration, recursions event by event, and loops over slots."""

from dataclasses import replace

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
from cndts.event_chunks import event_chunks
from cndts.memory import CompressedMemory, CompressedState, SlotAttention, WorkingMemory, WorkingState
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


def randomised(gates: list[nn.Module]) -> None:
    """Gates that differ between events, as after training."""
    with torch.no_grad():
        for gate in gates:
            for weight in gate.parameters():
                weight.copy_(torch.randn(weight.shape, dtype=torch.float64))


def compressed(n_timescales: int = 3, n_content: int = 2, **gates: bool) -> CompressedMemory:
    torch.manual_seed(0)
    memory = CompressedMemory(N_CHANNELS, WIDTH, n_timescales, n_content, shortest=0.05, longest=4.0, **gates).double()
    randomised([memory.write_gate, memory.forget_gate])
    with torch.no_grad():
        memory.log_rate.add_(0.1 * torch.randn(memory.log_rate.shape, dtype=torch.float64))  # each channel its own
    return memory


def working(n_slots: int = 3, **gates: bool) -> WorkingMemory:
    torch.manual_seed(0)
    memory = WorkingMemory(n_slots, WIDTH, n_heads=2, dropout=0.5, **gates).double().eval()
    randomised([memory.write_gate, memory.forget_gate])
    return memory


def encoded_events(batch: EventBatch) -> Tensor:
    return torch.randn(len(batch.value), WIDTH, generator=torch.Generator().manual_seed(7), dtype=torch.float64)


def series_events(batch: EventBatch) -> list[list[int]]:
    """Rows of each series, oldest first."""
    return [
        [row for row, owner in enumerate(batch.series.tolist()) if owner == s] for s in range(len(batch.series_node))
    ]


def jumps(
    memory: CompressedMemory, encoded: Tensor, batch: EventBatch, row: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Decay rates until the next event, decay rates by channel, weights and contents of one event."""
    rate = memory.log_rate[batch.channel[row]].exp()
    write, forget = memory.write_gate.layer, memory.forget_gate.layer
    weight = torch.ones_like(rate) if write is None else torch.exp(3 * torch.tanh(write(encoded[row]) / 3))
    pace = torch.ones_like(rate) if forget is None else 2 * torch.sigmoid(forget(encoded[row]))
    return rate * pace, pace, weight, torch.cat([memory.content(encoded[row]), batch.value[row : row + 1]])


# ---- compressed memory -------------------------------------------------------------------------------


@torch.no_grad()
def test_compressed_memory_solves_its_ode() -> None:
    """The sum over events is the state that scipy's solver reaches, whose decay changes its pace at every event."""
    memory, batch = compressed(), batch_of(panel_of([9, 4]))
    encoded = encoded_events(batch)
    state = memory.write(encoded, batch)
    for series, rows in enumerate(series_events(batch)):
        m, n, rates = np.zeros((3, 3)), np.zeros(3), np.zeros(3)
        for row in rows:
            if batch.gap[row] > 0:
                start, rate = np.concatenate([m.ravel(), n]), np.concatenate([np.repeat(rates, 3), rates])
                path = solve_ivp(
                    lambda t, z, rate=rate: -rate * z, (0, float(batch.gap[row])), start, rtol=1e-9, atol=1e-11
                )
                m, n = path.y[:9, -1].reshape(3, 3), path.y[9:, -1]
            rates, _, weight, content = (part.numpy() for part in jumps(memory, encoded, batch, row))
            m, n = m + weight[:, None] * content, n + weight
        np.testing.assert_allclose(state.moment[series], m, atol=1e-7)
        np.testing.assert_allclose(state.mass[series], n, atol=1e-7)


@torch.no_grad()
@settings(max_examples=30)
@given(st.lists(st.integers(0, 8), min_size=1, max_size=4), st.integers(0, 99), st.booleans(), st.booleans())
def test_compressed_memory_equals_the_recursion(lengths: list[int], seed: int, write: bool, forget: bool) -> None:
    """All events at once give what one event after the other gives, with and without either gate."""
    memory, batch = compressed(write_gate=write, forget_gate=forget), batch_of(panel_of(lengths, seed))
    encoded = encoded_events(batch)
    state = memory.write(encoded, batch)
    assert len(state.mass) == len(batch.series_node)
    for series, rows in enumerate(series_events(batch)):
        moment, mass = torch.zeros(3, 3).double(), torch.zeros(3).double()
        rate = pace = torch.zeros(3).double()
        for row in rows:
            kept = torch.exp(-rate * batch.gap[row])
            rate, pace, weight, content = jumps(memory, encoded, batch, row)
            moment, mass = kept[:, None] * moment + weight[:, None] * content, kept * mass + weight
        torch.testing.assert_close(state.moment[series], moment, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(state.mass[series], mass, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(state.pace[series], pace)


@torch.no_grad()
def test_closed_forget_gates_hold_on() -> None:
    """A pace of 0 after every event keeps all of them, whatever the gaps; twice the pace forgets as twice the gaps do."""
    memory = compressed(write_gate=False)
    panel = panel_of([12])
    batch, encoded = batch_of(panel), encoded_events(batch_of(panel))
    memory.forget_gate.layer.weight.zero_()
    memory.forget_gate.layer.bias.fill_(-1e9)
    mass = memory.write(encoded, batch).mass
    torch.testing.assert_close(mass, batch.series_count[:, None].expand_as(mass))
    memory.forget_gate.layer.bias.fill_(1e9)
    fast = memory.write(encoded, batch)
    slow = compressed(write_gate=False, forget_gate=False)
    slow.load_state_dict(memory.state_dict(), strict=False)
    stretched = IrregularPanel(panel.offsets, 2 * panel.time, panel.channel, panel.value, channels=panel.channels)
    torch.testing.assert_close(fast.moment, slow.write(encoded, batch_of(stretched)).moment)


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
    """With even gates slow accumulators hold the plain mean, fast ones the last value, and none leaves the range."""
    values = [1.0, 4.0, -2.0, 7.0]
    batch = batch_of(IrregularPanel([0, 4], [0.0, 1.0, 2.0, 3.0], [1] * 4, values, channels=["a", "b", "c"]))
    memory = CompressedMemory(N_CHANNELS, WIDTH, 7, 2, shortest=1e-3, longest=1e6).double()
    memory.write_gate.layer.weight.zero_()
    memory.write_gate.layer.bias.zero_()
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
    mass = torch.tensor([[1.0, 2.0, 4.0]] * 2).double()
    state = CompressedState(torch.arange(18.0).view(2, 3, 3).double(), mass, torch.ones_like(mass))
    read = memory.read(state)
    assert read.shape == (2, memory.n_features)
    torch.testing.assert_close(read[0, :9].view(3, 3), state.moment[0] / torch.tensor([[1.0], [2.0], [4.0]]).double())
    torch.testing.assert_close(read[0, 9:], torch.tensor([1.0, 2.0, 4.0]).double().log())


# ---- working memory ----------------------------------------------------------------------------------


def assert_window(state: WorkingState, memory: WorkingMemory, encoded: Tensor, batch: EventBatch) -> None:
    """The state holds the last events of each series of a batch, newest first."""
    for series, rows in enumerate(series_events(batch)):
        newest = rows[::-1][: memory.n_slots]
        assert state.is_held[series].tolist() == [slot < len(newest) for slot in range(memory.n_slots)]
        for slot in range(memory.n_slots):
            facts, gates, event = [0.0] * 4, [0.0] * 2, torch.zeros(WIDTH).double()
            if slot < len(newest):
                row = newest[slot]
                event = encoded[row]
                facts = [float(part[row]) for part in (batch.value, batch.score, batch.age, batch.gap)]
                gates = [float(gate(event[None])) for gate in (memory.write_gate, memory.forget_gate)]
            np.testing.assert_allclose(state.facts[series, slot], facts, atol=1e-12)
            np.testing.assert_allclose(state.gates[series, slot], gates, atol=1e-12)
            assert torch.equal(state.encoded[series, slot], event)


@torch.no_grad()
@settings(max_examples=50)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=4), st.integers(1, 6), st.integers(0, 99))
def test_window_equals_the_loop(lengths: list[int], n_slots: int, seed: int) -> None:
    """A window holds the last events of its series, the newest first, with value, rank score, age and gap; the rest is zero."""
    memory, batch = working(n_slots), batch_of(panel_of(lengths, seed))
    encoded = encoded_events(batch)
    assert_window(memory.write(encoded, batch), memory, encoded, batch)


@torch.no_grad()
@settings(max_examples=50)
@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 99), st.integers(1, 20))
def test_window_goes_on_from_an_earlier_one(length: int, n_slots: int, seed: int, size: int) -> None:
    """New events push the older ones back, and their ages grow by the time that passed."""
    memory, batch = working(n_slots), batch_of(panel_of([length], seed, span=30))
    encoded = encoded_events(batch)
    state = memory.empty(N_CHANNELS)
    marked = replace(batch, score=torch.arange(len(encoded)).double())  # tells which rows a chunk holds
    for chunk in event_chunks(marked, size):
        rows, series = chunk.score.long(), chunk.series_node
        earlier = WorkingState(*(part[series] for part in state))
        later = memory.step(earlier, encoded[rows], chunk)
        state = WorkingState(*(part.index_copy(0, series, new) for part, new in zip(state, later, strict=True)))
    assert_window(WorkingState(*(part[batch.series_node] for part in state)), memory, encoded, marked)


@torch.no_grad()
@pytest.mark.parametrize("gated", [True, False])
def test_recall_equals_attention_over_held_slots(gated: bool) -> None:
    """Attention written as loops over series, heads and held slots; gates add to the scores."""
    memory = working(4, write_gate=gated, forget_gate=gated)
    batch = batch_of(panel_of([7, 2, 20]))
    encoded = encoded_events(batch)
    state, since = memory.write(encoded, batch), batch.series_age
    asked = torch.randn(len(since), WIDTH, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    recalled = memory.recall(state, since, asked)
    attention, size = memory.attention, WIDTH // 2
    for series, rows in enumerate(series_events(batch)):
        newest = torch.tensor(rows[::-1][:4])
        age = batch.age[newest] + since[series]
        times = [torch.log1p(10 * age), torch.log1p(10 * batch.gap[newest])]
        slots = torch.cat(
            [encoded[newest], torch.stack([batch.value[newest], batch.score[newest], *times], dim=-1)], dim=-1
        )
        bias = torch.zeros(len(newest)).double()
        if gated:
            bias = memory.write_gate(encoded[newest])[:, 0] - memory.forget_gate(encoded[newest])[:, 0] * age
        query = attention.query(memory.norm(asked[series]))
        heads = []
        for head in (slice(0, size), slice(size, WIDTH)):
            share = (attention.key(slots)[:, head] @ query[head] / size**0.5 + bias).softmax(0)
            heads.append(share @ attention.content(slots)[:, head])
        torch.testing.assert_close(recalled[series], attention.out(torch.cat(heads)))


@torch.no_grad()
def test_empty_slots_carry_no_influence() -> None:
    """Whatever lies in an empty slot, neither reading nor recalling changes; what lies in a held slot counts."""
    memory, batch = working(5), batch_of(panel_of([6, 3]))
    state, since = memory.write(encoded_events(batch), batch), batch.series_age
    asked = torch.ones(len(since), WIDTH).double()
    assert 0 < state.is_held.sum() < state.is_held.numel()

    def noisy(part: Tensor, where: Tensor) -> Tensor:
        noise = torch.randn(part.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
        return torch.where(where[..., None], part + noise.abs(), part)

    for where, is_moved in ((~state.is_held, False), (state.is_held, True)):
        spoiled = state._replace(facts=noisy(state.facts, where), gates=noisy(state.gates, where))
        reads = [(memory.read(s, since), memory.recall(s, since, asked)) for s in (spoiled, state)]
        for found, expected in zip(*reads, strict=True):
            assert torch.equal(found, expected) != is_moved


@torch.no_grad()
def test_a_window_with_room_to_spare_recalls_the_same() -> None:
    """More slots than events change nothing: recall with 3 and with 9 slots agrees for short series."""
    batch = batch_of(panel_of([3, 2]))
    small, large = working(3), working(9)
    shared = {name: weight for name, weight in small.state_dict().items() if "summary" not in name}
    large.load_state_dict(shared, strict=False)
    encoded, since = encoded_events(batch), batch.series_age
    asked = torch.ones(len(since), WIDTH).double()
    expected = small.recall(small.write(encoded, batch), since, asked)
    found = large.recall(large.write(encoded, batch), since, asked)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-14)


def test_gradients_reach_held_events_only() -> None:
    """Recall looks at the window alone: older events have no gradient, and none is NaN."""
    batch = batch_of(panel_of([15, 1]))
    memory, encoded = working(2), encoded_events(batch).requires_grad_()
    state = memory.write(encoded, batch)
    asked = torch.ones(len(batch.series_age), WIDTH).double()
    memory.recall(state, batch.series_age, asked).square().sum().backward()
    held = torch.zeros(len(encoded), dtype=torch.bool)
    held[[row for rows in series_events(batch) for row in rows[-2:]]] = True
    assert encoded.grad is not None
    assert (encoded.grad[held].abs().sum(1) > 0).all()
    assert (encoded.grad[~held] == 0).all()


def test_memories_without_events() -> None:
    """A batch without any event has no series, and memories of length zero."""
    batch = batch_of(panel_of([0, 0]))
    memory, encoded = working(), encoded_events(batch)
    state = memory.write(encoded, batch)
    assert memory.read(state, batch.series_age).shape == (0, WIDTH)
    assert memory.recall(state, batch.series_age, torch.zeros(0, WIDTH).double()).shape == (0, WIDTH)
    assert compressed().read(compressed().write(encoded, batch)).shape == (0, compressed().n_features)


# ---- attention over slots ----------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("by_head", [False, True])
@pytest.mark.parametrize("n_askers", [2, 7, 9])
def test_slot_attention_equals_plain_attention(n_askers: int, by_head: bool) -> None:
    """Keys and contents computed per slot, softmax over slots, heads side by side: the textbook form."""
    torch.manual_seed(0)
    attention = SlotAttention(width=6, n_inside=5, n_heads=3).double()
    asked, slots, bias = (torch.randn(*shape).double() for shape in ((4, n_askers, 6), (4, 7, 5), (4, 7)))
    bias[0, 3:] = -torch.inf
    bias = bias[:, None] + torch.randn(4, 3, 1) * torch.randn(4, 1, 7).double() if by_head else bias
    read, share = attention(asked, slots, bias)
    query, key, content = (
        layer(x).unflatten(-1, (3, 2)).transpose(1, 2)
        for layer, x in ((attention.query, asked), (attention.key, slots), (attention.content, slots))
    )
    added = bias[:, :, None] if by_head else bias[:, None, None]
    expected = (query @ key.transpose(-1, -2) / 2**0.5 + added).softmax(-1)
    torch.testing.assert_close(share, expected.transpose(1, 2))
    torch.testing.assert_close(read, attention.out((expected @ content).transpose(1, 2).flatten(2)))
    assert (share[0, :, :, 3:] == 0).all()
    torch.testing.assert_close(share.sum(-1), torch.ones(4, n_askers, 3).double())


@pytest.mark.parametrize("n_askers", [1, 4])
def test_gradients_of_slot_attention(n_askers: int) -> None:
    """Gradients by askers, slots and bias match finite differences, with an empty slot among them."""
    torch.manual_seed(0)
    attention = SlotAttention(width=4, n_inside=3, n_heads=2).double()
    asked, slots, bias = (torch.randn(*shape).double() for shape in ((2, n_askers, 4), (2, 3, 3), (2, 3)))
    empty = torch.tensor([[False, False, True], [False, True, True]])

    def run(asked: Tensor, slots: Tensor, bias: Tensor) -> Tensor:
        return attention(asked, slots, bias.masked_fill(empty, -torch.inf))[0]

    assert torch.autograd.gradcheck(run, tuple(part.requires_grad_() for part in (asked, slots, bias)))
