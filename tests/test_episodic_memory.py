"""Episodic memory against a greedy loop that keeps the strongest events at every visit."""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cndts._ragged import offsets_from_lengths
from cndts.batching import EventStore
from cndts.event_batch import EventBatch
from cndts.event_chunks import event_chunks
from cndts.memory import EpisodicMemory, EpisodicState
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling

N_CHANNELS, WIDTH = 3, 4


def batch_of(lengths: list[int], seed: int = 0, span: int = 60) -> EventBatch:
    """Random events in double precision, some of them at the same time."""
    rng = np.random.default_rng(seed)
    record = np.repeat(np.arange(len(lengths)), lengths)
    time = rng.integers(0, span, size=len(record)) / 16
    order = np.lexsort((time, record))
    channel, value = rng.integers(0, N_CHANNELS, size=len(record)), rng.normal(size=len(record))
    return batch_from(offsets_from_lengths(lengths), time[order], channel, value)


def batch_from(offsets: np.ndarray, time: np.ndarray, channel: np.ndarray, value: np.ndarray) -> EventBatch:
    panel = IrregularPanel(offsets, time, channel, value, channels=[f"c{i}" for i in range(N_CHANNELS)])
    scaling = Scaling(np.zeros(N_CHANNELS), np.ones(N_CHANNELS), 1.0, RankScale.unknown(N_CHANNELS))
    n = len(panel)
    batch = EventStore(panel, scaling, np.zeros((n, 0))).batch(np.arange(n), Queries(np.zeros(n + 1), [], []))
    return batch.to(dtype=torch.float64)


def episodic(n_slots: int = 3, **gates: bool) -> EpisodicMemory:
    torch.manual_seed(0)
    memory = EpisodicMemory(N_CHANNELS, n_slots, WIDTH, n_heads=2, **gates).double().eval()
    with torch.no_grad():
        for weight in memory.forget_gate.parameters():
            weight.copy_(torch.randn(weight.shape))
        memory.log_power.fill_(0.5)
    return memory


def encoded_events(batch: EventBatch) -> Tensor:
    return torch.randn(len(batch.value), WIDTH, generator=torch.Generator().manual_seed(7), dtype=torch.float64)


class Slot(NamedTuple):
    """An event in the loop's memory."""

    row: int
    strength: float
    age: float


def salience(memory: EpisodicMemory, encoded: Tensor, batch: EventBatch, row: int) -> float:
    """Gate, log surprise and whether the series is new."""
    gate = 0.0 if memory.salience is None else float(memory.salience(encoded[row]))
    by_surprise, by_novelty = memory.surprise.tolist()
    return gate + by_surprise * math.log1p(float(batch.surprise[row])) + by_novelty * float(batch.is_first[row])


def greedy(memory: EpisodicMemory, encoded: Tensor, batch: EventBatch, record: int) -> tuple[list[Slot], float]:
    """Walk through the visits of a record, fading what is held, taking in what is new, dropping the weakest."""
    slots: list[Slot] = []
    pace, power, last, clock = 1.0, float(memory.log_power.exp()), None, 0.0
    for visit in (batch.visit_record == record).nonzero()[:, 0].tolist():
        age = float(batch.visit_age[visit])
        waited = 0.0 if last is None else last - age
        lost = power * (math.log1p(10 * (clock + pace * waited)) - math.log1p(10 * clock))
        clock += pace * waited
        slots = [Slot(slot.row, slot.strength - lost, slot.age + waited) for slot in slots]
        rows = (batch.visit == visit).nonzero()[:, 0].tolist()
        slots += [Slot(row, salience(memory, encoded, batch, row), 0.0) for row in rows]
        slots = sorted(slots, key=lambda slot: -slot.strength)[: memory.n_slots]
        pace, last = float(memory.forget_gate(encoded[rows]).mean()), age
    return slots, pace


def assert_slots(state: EpisodicState, memory: EpisodicMemory, encoded: Tensor, batch: EventBatch, record: int) -> None:
    slots, pace = greedy(memory, encoded, batch, record)
    n = len(slots)
    rows = [slot.row for slot in slots]
    assert state.is_held[record].tolist() == [k < n for k in range(memory.n_slots)]
    assert float(state.pace[record]) == pytest.approx(pace)
    assert torch.equal(state.encoded[record, :n], encoded[rows])
    assert torch.equal(state.channel[record, :n], batch.channel[rows])
    expected = [[float(batch.value[slot.row]), float(batch.score[slot.row]), slot.age] for slot in slots]
    np.testing.assert_allclose(state.facts[record, :n], np.reshape(expected, (n, 3)), atol=1e-12)
    np.testing.assert_allclose(state.strength[record, :n], [slot.strength for slot in slots], atol=1e-10)
    assert (state.strength[record, n:] == -torch.inf).all()
    assert (state.encoded[record, n:] == 0).all()
    assert (state.facts[record, n:] == 0).all()
    assert (state.channel[record, n:] == -1).all()


# ---- write -------------------------------------------------------------------------------------------


@torch.no_grad()
@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 14), min_size=1, max_size=4),
    st.integers(1, 6),
    st.integers(0, 999),
    st.booleans(),
    st.booleans(),
)
def test_all_at_once_equals_the_greedy_loop(
    lengths: list[int], n_slots: int, seed: int, write: bool, forget: bool
) -> None:
    """Choosing the strongest of all events is keeping the strongest at every visit; also with empty and short records."""
    memory, batch = episodic(n_slots, write_gate=write, forget_gate=forget), batch_of(lengths, seed)
    encoded = encoded_events(batch)
    state = memory.write(encoded, batch)
    for record in range(len(lengths)):
        assert_slots(state, memory, encoded, batch, record)


@torch.no_grad()
@settings(max_examples=60)
@given(st.lists(st.integers(0, 25), min_size=1, max_size=3), st.integers(1, 6), st.integers(0, 999), st.integers(1, 9))
def test_streaming_equals_the_greedy_loop(lengths: list[int], n_slots: int, seed: int, size: int) -> None:
    """Written piece by piece, down to one visit at a time, the memory holds the same."""
    memory, batch = episodic(n_slots), batch_of(lengths, seed)
    encoded = encoded_events(batch)
    marked = replace(batch, change=torch.arange(len(encoded)).double())  # tells which rows a piece holds
    state = memory.empty(len(lengths))
    for chunk in event_chunks(marked, size):
        state = memory.write(encoded[chunk.change.long()], chunk, state)
    for record in range(len(lengths)):
        assert_slots(state, memory, encoded, batch, record)


@torch.no_grad()
def test_fading_by_hand() -> None:
    """Strength falls by power times log of the clock, whose pace is that of the latest visit, averaged over its events."""
    time, channel = np.array([0.0, 2.0, 2.0, 5.0]), np.array([0, 0, 1, 2])
    batch = batch_from(np.array([0, 4]), time, channel, np.zeros(4))
    memory = episodic(4, write_gate=False)
    memory.surprise.zero_()
    encoded = encoded_events(batch)
    place = [batch.channel.tolist().index(0), 1, batch.channel.tolist().index(1), batch.channel.tolist().index(2)]
    pace = memory.forget_gate(encoded)[:, 0]
    power = float(memory.log_power.exp())
    second = float(pace[place[1]] + pace[place[2]]) / 2
    clock = np.cumsum([0.0, 2 * float(pace[place[0]]), 3 * second])
    lost = power * np.diff(np.log1p(10 * clock)[::-1], prepend=np.log1p(10 * clock[-1]))
    fallen = lost.cumsum()  # of the last, the second and the first visit
    expected = [0.0, fallen[1], fallen[1], fallen[2]]
    assert memory.write(encoded, batch).strength[0].tolist() == pytest.approx(expected)
    later = memory.write(encoded[:0], nothing_new(batch), memory.write(encoded, batch))
    assert later.strength[0].tolist() == pytest.approx(expected)  # no event, no time told


def nothing_new(batch: EventBatch) -> EventBatch:
    empty = batch_of([0])
    return replace(empty, n_channels=batch.n_channels)


@torch.no_grad()
def test_ties_between_simultaneous_events() -> None:
    """Equal strength at one time: channels in their order, whether visits come all at once or one by one."""
    time, channel = np.repeat([0.0, 1.0], 3), np.array([2, 1, 0, 2, 1, 0])
    batch = batch_from(np.array([0, 6]), time, channel, np.zeros(6))
    memory = episodic(4, write_gate=False, forget_gate=False)
    memory.surprise.zero_()
    encoded = encoded_events(batch)
    at_once = memory.write(encoded, batch)
    assert at_once.channel[0].tolist() == [0, 1, 2, 0]
    assert at_once.facts[0, :, 2].tolist() == [0, 0, 0, 1]
    state = memory.empty(1)
    for chunk in event_chunks(replace(batch, change=torch.arange(6.0)), 1):
        state = memory.write(encoded[chunk.change.long()], chunk, state)
    assert all(torch.equal(a, b) for a, b in zip(state, at_once, strict=True))


@torch.no_grad()
@given(order=st.permutations(range(12)))
@settings(max_examples=20)
def test_order_of_simultaneous_events(order: list[int]) -> None:
    """Events of one time may be listed in any order."""
    rng = np.random.default_rng(0)
    time, channel, value = np.repeat([0.0, 1.0, 3.0], 4), rng.integers(0, 3, 12), rng.normal(size=12)
    rows = np.lexsort((order, time))
    one = batch_from(np.array([0, 12]), time, channel, value)
    other = batch_from(np.array([0, 12]), time, channel[rows], value[rows])
    memory = episodic(5)
    states = [memory.write(encoded_events(batch), batch) for batch in (one, other)]
    assert all(torch.equal(a, b) for a, b in zip(*states, strict=True))


@torch.no_grad()
def test_a_surprise_stays_for_ever() -> None:
    """One extreme value among thousands of ordinary ones is still held at the end, and first in line."""
    rng = np.random.default_rng(0)
    value = rng.normal(size=3000) / 10
    value[40] = 9.0
    batch = batch_from(np.array([0, 3000]), np.arange(3000.0) / 3000, np.zeros(3000, dtype=int), value)
    state = EpisodicMemory(N_CHANNELS, 4, WIDTH, 2, write_gate=False, forget_gate=False).double().eval()
    held = state.write(encoded_events(batch), batch)
    assert float(held.facts[0, 0, 0]) == 9.0
    assert float(held.facts[0, 0, 2]) == pytest.approx(2959 / 3000)


# ---- noise -------------------------------------------------------------------------------------------


@torch.no_grad()
def test_noise_in_training_only() -> None:
    """In evaluation two writes agree; in training others get their try, at their true strength."""
    memory, batch = episodic(3), batch_of([30])
    encoded = encoded_events(batch)
    first, again = (memory.write(encoded, batch) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert (first.luck == 0).all()
    true = {tuple(event.tolist()): s for event, s in zip(*all_slots(memory, encoded, batch), strict=True)}
    tried = set()
    for _ in range(50):
        noisy = memory.train().write(encoded, batch)
        for event, strength in zip(noisy.encoded[0], noisy.strength[0], strict=True):
            assert float(strength) == pytest.approx(float(true[tuple(event.tolist())]))
            tried.add(tuple(event.tolist()))
    assert len(tried) > 6


def all_slots(memory: EpisodicMemory, encoded: Tensor, batch: EventBatch) -> tuple[Tensor, Tensor]:
    """Every event and its strength: a memory with room for all of them."""
    large = EpisodicMemory(N_CHANNELS, len(encoded), WIDTH, 2).double().eval()
    large.load_state_dict(memory.state_dict())
    state = large.write(encoded, batch)
    return state.encoded[0], state.strength[0]


@torch.no_grad()
@pytest.mark.parametrize("size", [4000, 10**5])
def test_noise_draws_in_proportion(size: int) -> None:
    """With one slot, the largest of strength plus Gumbel noise is a draw from the softmax of strengths, in pieces too."""
    n = 4000
    time, value = np.tile([0.0, 1.0, 2.0], n), np.tile([0.0, 1.0, -1.0], n)
    batch = batch_from(3 * np.arange(n + 1), time, np.zeros(3 * n, dtype=int), value)
    memory = episodic(1).train()
    encoded = encoded_events(batch)[:3].repeat(n, 1)
    large = EpisodicMemory(N_CHANNELS, 3, WIDTH, 2).double().eval()
    large.load_state_dict(memory.state_dict())
    whole = large.write(encoded, batch)
    torch.manual_seed(1)
    state = memory.empty(n)
    for chunk in event_chunks(replace(batch, change=torch.arange(3.0 * n)), size):
        state = memory.write(encoded[chunk.change.long()], chunk, state)
    drawn = state.facts[:, 0, 2]
    for age, share in zip(whole.facts[0, :, 2], whole.strength[0].softmax(0), strict=True):
        assert float((drawn == age).double().mean()) == pytest.approx(float(share), abs=0.03)


# ---- read --------------------------------------------------------------------------------------------


@torch.no_grad()
def test_recall_equals_the_loop() -> None:
    """Attention over held slots and an empty answer of strength 0; strengths and likeness add to the scores."""
    memory, batch = episodic(4), batch_of([9, 2, 0])
    state = memory.write(encoded_events(batch), batch)
    asked = torch.randn(3, N_CHANNELS, WIDTH, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    read, share = memory.recall(state, asked)
    attention, size = memory.attention, WIDTH // 2
    assert share.shape == (3, N_CHANNELS, 2, 5)
    torch.testing.assert_close(share.sum(-1), torch.ones(3, N_CHANNELS, 2).double())
    for record in range(3):
        n = int(state.is_held[record].sum())
        value, score, age = state.facts[record, :n].unbind(-1)
        facts = torch.stack([value, score, torch.log1p(10 * age)], dim=-1)
        slots = torch.cat([torch.cat([state.encoded[record, :n], facts], dim=1), torch.zeros(1, WIDTH + 3)])
        unlike = memory.likeness(state.latest[record] - state.company[record, :n])
        for node in range(N_CHANNELS):
            query = attention.query(memory.norm(asked[record, node]))
            heads = []
            for h, head in enumerate((slice(0, size), slice(size, WIDTH))):
                bias = state.strength[record, :n] - unlike[:, head].square().sum(1) / 2
                bias = torch.cat([bias, torch.zeros(1)])
                weights = (attention.key(slots)[:, head] @ query[head] / size**0.5 + bias).softmax(0)
                heads.append(weights @ attention.content(slots)[:, head])
                torch.testing.assert_close(share[record, node, h, :n], weights[:n])
            torch.testing.assert_close(read[record, node], attention.out(torch.cat(heads)))
    assert (share[2, :, :, :-1] == 0).all()  # an empty record reads nothing but the empty answer


@torch.no_grad()
def test_company_and_latest() -> None:
    """Mean signatures of what else was seen at the time of an event, and of the last visit; 0 where there was nothing."""
    memory = episodic(4)
    time, channel, value = [0.0, 0.0, 0.0, 1.0, 2.0, 2.0], [0, 1, 2, 0, 0, 1], [5.0, 1.0, -2.0, 3.0, 9.0, 4.0]
    batch = batch_from(np.array([0, 6, 6]), np.array(time), np.array(channel), np.array(value))
    state = memory.write(torch.zeros(6, WIDTH).double(), batch)

    def signature(channel: int, value: float) -> Tensor:
        facts = torch.tensor([min(value, 8.0), scores[channel, value]], dtype=torch.float64)
        return torch.nn.functional.silu(memory.signature(facts) + memory.channel.weight[channel])

    scores = {(int(c), float(v)): float(s) for c, v, s in zip(batch.channel, batch.value, batch.score, strict=True)}
    torch.testing.assert_close(state.latest[0], (signature(0, 9.0) + signature(1, 4.0)) / 2)
    assert (state.latest[1] == 0).all()
    company = {
        (0, 5.0): (signature(1, 1.0) + signature(2, -2.0)) / 2,
        (1, 1.0): (signature(0, 5.0) + signature(2, -2.0)) / 2,
        (2, -2.0): (signature(0, 5.0) + signature(1, 1.0)) / 2,
        (0, 3.0): torch.zeros(WIDTH).double(),
        (0, 9.0): signature(1, 4.0),
        (1, 4.0): signature(0, 9.0),
    }
    for slot in range(4):
        event = (int(state.channel[0, slot]), float(state.facts[0, slot, 0]))
        torch.testing.assert_close(state.company[0, slot], company[event])


@torch.no_grad()
def test_like_finds_like() -> None:
    """Before any training the slot that came with what is seen now is read more than those that came with something else."""
    memory = episodic(6)
    memory.salience = None
    keys = [-6.0, -2.0, 2.0, 6.0]
    time = np.repeat(np.arange(5.0), [2, 2, 2, 2, 1])
    channel = np.array([0, 1] * 4 + [0])
    value = np.array([x for key in keys for x in (key, 0.5)] + [2.0])
    batch = batch_from(np.array([0, 9]), time, channel, value)
    state = memory.write(torch.zeros(9, WIDTH).double(), batch)
    distance = (state.latest[:, None] - state.company)[0].norm(dim=1)
    companion = state.channel[0] == 1
    ages = state.facts[0, :, 2]
    assert float(ages[companion][distance[companion].argmin()]) == 2.0  # the third pair, two units before the end
    assert float(distance[companion].min()) < 1e-9


def test_consolidation() -> None:
    """Cross entropy between shares and strengths, which pulls up the strength of what is read, and no share."""
    memory, batch = episodic(3).train(), batch_of([6, 2, 0])
    state = memory.write(encoded_events(batch), batch)
    strength = state.strength.detach().requires_grad_()
    state = state._replace(strength=strength)
    share = torch.rand(3, 2, 2, 4, dtype=torch.float64, requires_grad=True)
    share_of_slots = (share.detach()[..., :3] * state.is_held[:, None, None]).mean((1, 2))
    shown = torch.cat([share[..., :3] * state.is_held[:, None, None], share[..., 3:]], dim=-1)
    penalty = memory.consolidation(state, shown)
    expected = 0.0
    for record, n in enumerate((3, 2, 0)):
        log = strength.detach()[record, :n].log_softmax(0) if n else torch.zeros(0)
        expected -= 0.03 * float((share_of_slots[record, :n] * log).sum()) / 3
    assert float(penalty.detach()) == pytest.approx(expected)
    penalty.backward()
    assert share.grad is None
    used = share_of_slots[0] / share_of_slots[0].sum()
    excess = strength.detach()[0].softmax(0) - used
    torch.testing.assert_close(strength.grad[0].sign(), excess.sign())
    assert (strength.grad[2] == 0).all()


def test_gates_learn_from_reading() -> None:
    """Gradients of what is read, by events and every parameter, match finite differences where no slot changes hands."""
    memory, batch = episodic(3), batch_of([6, 1, 0], span=20)
    names, weights = zip(*memory.named_parameters(), strict=True)
    encoded = encoded_events(batch)
    asked = torch.randn(3, 2, WIDTH, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def run(encoded: Tensor, asked: Tensor, *weights: Tensor) -> Tensor:
        return torch.func.functional_call(Writing(memory), renamed(names, weights), (encoded, batch, asked))

    assert torch.autograd.gradcheck(run, (encoded.requires_grad_(), asked.requires_grad_(), *weights))


class Writing(torch.nn.Module):
    """Writing and recalling as one function."""

    def __init__(self, memory: EpisodicMemory) -> None:
        super().__init__()
        self.memory = memory

    def forward(self, encoded: Tensor, batch: EventBatch, asked: Tensor) -> Tensor:
        return self.memory.recall(self.memory.write(encoded, batch), asked)[0]


def renamed(names: tuple[str, ...], weights: tuple[Tensor, ...]) -> dict[str, Tensor]:
    return {f"memory.{name}": weight for name, weight in zip(names, weights, strict=True)}


def test_every_gate_gets_a_gradient() -> None:
    """Salience, surprise, fading rate and forget gate all change what is read."""
    memory, batch = episodic(3), batch_of([12, 5])
    state = memory.write(encoded_events(batch), batch)
    asked = torch.randn(2, 1, WIDTH, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    memory.recall(state, asked)[0].square().sum().backward()
    for name, weight in memory.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name
