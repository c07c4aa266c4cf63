"""Oscillating and Legendre memories against numerical integration, quadrature and recursions event by event."""

import cmath
import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import Legendre
from scipy.integrate import quad, solve_ivp
from torch import Tensor, nn

from cndts._ragged import offsets_from_lengths
from cndts.batching import EventStore
from cndts.event_batch import EventBatch
from cndts.event_chunks import event_chunks
from cndts.memory import (
    LONG_TERM,
    ClearingMemory,
    CompressedMemory,
    HybridMemory,
    LegendreMemory,
    LongTermMemory,
    Memory,
    OscillatingMemory,
)
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling

N_CHANNELS, WIDTH, N_CONTENT, ORDER = 3, 4, 2, 4


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


def memory_of(name: str, **options: bool) -> LongTermMemory:
    """With gates that differ between events, and rates and turns that differ between channels."""
    torch.manual_seed(0)
    settings = Memory(timescales=ORDER, contents=N_CONTENT, shortest=0.05, longest=4.0, **options)
    memory = LONG_TERM[name].build(N_CHANNELS, WIDTH, settings).double()
    with torch.no_grad():
        for gate in (memory.write_gate, memory.forget_gate):
            for weight in gate.parameters():
                weight.copy_(torch.randn(weight.shape))
        for weight in memory.parameters(recurse=False):
            weight.add_(0.1 * torch.randn(weight.shape))
    return memory


def encoded_events(batch: EventBatch) -> Tensor:
    return torch.randn(len(batch.value), WIDTH, generator=torch.Generator().manual_seed(7), dtype=torch.float64)


def series_events(batch: EventBatch) -> list[list[int]]:
    return [
        [row for row, owner in enumerate(batch.series.tolist()) if owner == s] for s in range(len(batch.series_node))
    ]


def contents(memory: LongTermMemory, encoded: Tensor, batch: EventBatch) -> np.ndarray:
    return torch.cat([memory.content(encoded), batch.value[:, None]], dim=1).detach().numpy()


# ---- every long-term memory --------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("name", LONG_TERM)
def test_announced_shapes(name: str) -> None:
    """Features and averages have the sizes that the network is built for, also without any event."""
    memory = memory_of(name)
    for batch in (batch_of([9, 0, 4]), batch_of([0])):
        state = memory.write(encoded_events(batch), batch)
        assert memory.read(state).shape == (len(batch.series_node), memory.n_features)
        assert memory.averages(state).shape == (len(batch.series_node), ORDER)
        empty = memory.empty(len(batch.series_node))
        assert [part.shape for part in empty] == [part.shape for part in state]


@torch.no_grad()
@pytest.mark.parametrize("name", LONG_TERM)
def test_averages_of_a_constant(name: str) -> None:
    """A series that never changes has one average, however its gates weigh its events; so has a single event."""
    rng = np.random.default_rng(0)
    time = np.concatenate([np.sort(rng.uniform(0, 5, 12)), [1.0]])
    batch = batch_from(np.array([0, 12, 13]), time, np.zeros(13, dtype=int), np.full(13, 3.0))
    memory = memory_of(name)
    averages = memory.averages(memory.write(encoded_events(batch), batch))
    torch.testing.assert_close(averages, torch.full((2, ORDER), 3.0).double())


@pytest.mark.parametrize("name", LONG_TERM)
def test_gradients(name: str) -> None:
    """Gradients of what is read, by events and parameters, match finite differences."""
    batch = batch_of([5, 3], span=20)
    module = Reading(memory_of(name), batch)
    names, weights = zip(*module.named_parameters(), strict=True)

    def read(encoded: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor]:
        return torch.func.functional_call(module, dict(zip(names, weights, strict=True)), (encoded,))

    assert torch.autograd.gradcheck(read, (encoded_events(batch).requires_grad_(), *weights))


class Reading(nn.Module):
    """Writing and reading as one function of the encoded events."""

    def __init__(self, memory: LongTermMemory, batch: EventBatch) -> None:
        super().__init__()
        self.memory, self.batch = memory, batch

    def forward(self, encoded: Tensor) -> tuple[Tensor, Tensor]:
        state = self.memory.write(encoded, self.batch)
        return self.memory.read(state), self.memory.averages(state)


@pytest.mark.parametrize("name", LONG_TERM)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_long_gaps_stay_finite(name: str, dtype: torch.dtype) -> None:
    """However long the gaps, however fast or slow the clocks: what is read is finite, and so are gradients."""
    batch = batch_from(np.array([0, 4]), np.array([0.0, 1e-9, 1e7, 2e12]), np.zeros(4, dtype=int), np.arange(4.0))
    batch = batch.to(dtype=dtype)
    for pace in (-200.0, 200.0):
        memory = memory_of(name).to(dtype)
        with torch.no_grad():
            memory.forget_gate.layer.bias.fill_(pace)
        encoded = encoded_events(batch).to(dtype).requires_grad_()
        state = memory.write(encoded, batch)
        (memory.read(state).sum() + memory.averages(state).sum()).backward()
        assert torch.isfinite(memory.read(state)).all()
        for leaf in (encoded, *memory.parameters()):
            assert leaf.grad is None or torch.isfinite(leaf.grad).all()


@torch.no_grad()
@pytest.mark.parametrize("name", LONG_TERM)
def test_a_state_in_double_precision_stays_so(name: str) -> None:
    """A network in single precision goes on from a state in double precision, as streams do, and loses none of it."""
    exact, batch = memory_of(name), marked(batch_of([40, 9], span=10**4))
    encoded = encoded_events(batch)
    single = memory_of(name).float()
    n_nodes = batch.n_records * N_CHANNELS
    state = type(exact.empty(1))(*(part.double() for part in exact.empty(n_nodes)))
    for piece in event_chunks(batch, 1):
        rows, node = piece.change.long(), piece.series_node
        before = type(state)(*(part[node] for part in state))
        newer = single.write(encoded[rows].float(), piece.to(dtype=torch.float32), before)
        assert newer[0].dtype == torch.float64
        state = type(state)(*(part.index_copy(0, node, new.double()) for part, new in zip(state, newer, strict=True)))
    found = exact.averages(type(state)(*(part[batch.series_node] for part in state)))
    torch.testing.assert_close(found, exact.averages(exact.write(encoded, batch)), rtol=1e-4, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("name", ["decay", "clearing"])
def test_slow_decay_over_a_short_gap_is_not_rounded_away(name: str) -> None:
    """The share that is lost is far below what single precision resolves next to 1."""
    gap = 2.0**-30
    batch = batch_from(np.array([0, 2]), np.array([0.0, gap]), np.zeros(2, dtype=int), np.ones(2))
    memory = memory_of(name, write_gate=False, forget_gate=False).float()
    state = type(memory.empty(1))(*(part.double() for part in memory.empty(1)))
    for piece in event_chunks(batch, 1):
        newer = memory.write(torch.zeros(1, WIDTH), piece.to(dtype=torch.float32), state)
        state = type(state)(*(part.double() for part in newer))
    torch.testing.assert_close(2 - state.mass[0], gap * memory.log_rate[0].exp().double(), rtol=1e-5, atol=0)


def marked(batch: EventBatch) -> EventBatch:
    """A batch whose changes tell the row of each event."""
    return replace(batch, change=torch.arange(len(batch.value)).double())


def test_unknown_kind() -> None:
    """An unknown name is refused with the names that exist, even where no long-term memory is wanted."""
    for timescales in (0, 6):
        settings = Memory(long_term="decaying", timescales=timescales)
        with pytest.raises(ValueError, match="'decay', 'clearing', 'oscillating', 'legendre'; got 'decaying'"):
            HybridMemory(3, 8, 2, 0.0, settings)


# ---- clearing ----------------------------------------------------------------------------------------


@torch.no_grad()
@settings(max_examples=20)
@given(st.lists(st.integers(0, 8), min_size=1, max_size=3), st.integers(0, 99), st.booleans(), st.booleans())
def test_clearing_memory_equals_the_recursion(lengths: list[int], seed: int, write: bool, forget: bool) -> None:
    """Time and the event leave a share of what was held, then the event enters, one after the other."""
    batch = batch_of(lengths, seed)
    memory = memory_of("clearing", write_gate=write, forget_gate=forget)
    assert isinstance(memory, ClearingMemory)
    encoded = encoded_events(batch)
    state, v = memory.write(encoded, batch), torch.from_numpy(contents(memory, encoded, batch))
    layer = memory.forget_gate.layer
    shares = torch.ones(len(encoded), ORDER).double() if layer is None else torch.sigmoid(-layer(encoded))
    weights = memory.write_gate(encoded).exp()
    for series, rows in enumerate(series_events(batch)):
        moment, mass = torch.zeros(ORDER, N_CONTENT + 1).double(), torch.zeros(ORDER).double()
        for row in rows:
            kept = shares[row] * torch.exp(-memory.log_rate[batch.channel[row]].exp() * batch.gap[row])
            moment = kept[:, None] * moment + weights[row][:, None] * v[row]
            mass = kept * mass + weights[row]
        torch.testing.assert_close(state.moment[series], moment, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(state.mass[series], mass, rtol=1e-10, atol=1e-12)


@torch.no_grad()
def test_one_event_clears_the_memory() -> None:
    """What came before a wide open forget gate is gone, however short the time; a closed one keeps all that time leaves."""
    memory, plain = memory_of("clearing"), memory_of("decay", forget_gate=False)
    time, nowhere = np.array([0.0, 1e-3, 2e-3, 3e-3]), np.zeros(4, dtype=int)
    batch = batch_from(np.array([0, 4]), time, nowhere, np.array([5.0, 6.0, -7.0, 1.0]))
    encoded = torch.zeros(4, WIDTH).double()
    encoded[2, 0] = 1.0
    memory.forget_gate.layer.weight.zero_()
    memory.forget_gate.layer.weight[:, 0] = 2e9
    memory.forget_gate.layer.bias.fill_(-1e9)
    alone = batch_from(np.array([0, 2]), time[2:], nowhere[2:], np.array([-7.0, 1.0]))
    expected = memory.averages(memory.write(encoded[2:], alone))
    torch.testing.assert_close(memory.averages(memory.write(encoded, batch)), expected)
    memory.forget_gate.layer.weight.zero_()
    plain.load_state_dict(memory.state_dict(), strict=False)
    torch.testing.assert_close(memory.write(encoded, batch).moment, plain.write(encoded, batch).moment)


# ---- oscillating -------------------------------------------------------------------------------------


@torch.no_grad()
@settings(max_examples=20)
@given(st.lists(st.integers(0, 8), min_size=1, max_size=3), st.integers(0, 99), st.booleans(), st.booleans())
def test_oscillating_memory_equals_the_complex_recursion(
    lengths: list[int], seed: int, write: bool, forget: bool
) -> None:
    """Modes are multiplied by exp((-1 + i kappa) lambda phi gap) between events, in complex numbers event by event."""
    batch = batch_of(lengths, seed)
    memory = memory_of("oscillating", write_gate=write, forget_gate=forget)
    assert isinstance(memory, OscillatingMemory)
    encoded = encoded_events(batch)
    state, v = memory.write(encoded, batch), contents(memory, encoded, batch)
    weights, paces = memory.write_gate(encoded).exp(), memory.forget_gate(encoded)
    for series, rows in enumerate(series_events(batch)):
        for k in range(ORDER):
            mode, total, mass, pace = np.zeros(N_CONTENT + 1, dtype=complex), 0.0, 0.0, 0.0
            for row in rows:
                channel = batch.channel[row]
                passed = float(memory.log_rate[channel, k].exp() * pace * batch.gap[row])
                mode *= cmath.exp(complex(-1, float(memory.turn[channel, k])) * passed)
                total, mass = total * math.exp(-passed), mass * math.exp(-passed)
                weight, pace = float(weights[row, k]), float(paces[row, k])
                mode, total, mass = mode + weight * v[row], total + weight * float(batch.value[row]), mass + weight
            found = torch.complex(*state.moment[series, :, k]).numpy()
            np.testing.assert_allclose(found, mode, rtol=1e-10, atol=1e-12)
            assert float(state.total[series, k]) == pytest.approx(total, rel=1e-10)
            assert float(state.mass[series, k]) == pytest.approx(mass, rel=1e-10)


@torch.no_grad()
def test_oscillating_memory_without_turns_is_the_compressed_one() -> None:
    """Standing modes have no imaginary part, and their real part, averages and masses are those of plain decay."""
    batch = batch_of([20, 5])
    plain, memory = memory_of("decay"), memory_of("oscillating")
    memory.load_state_dict(plain.state_dict(), strict=False)
    memory.turn.zero_()
    encoded = encoded_events(batch)
    expected, found = plain.write(encoded, batch), memory.write(encoded, batch)
    torch.testing.assert_close(found.moment[:, 0], expected.moment)
    assert (found.moment[:, 1] == 0).all()
    torch.testing.assert_close(memory.averages(found), plain.averages(expected))
    assert isinstance(plain, CompressedMemory)


@torch.no_grad()
def test_oscillating_memory_hears_its_frequency() -> None:
    """A series that swings with a mode is louder in it than in any mode that turns otherwise."""
    omega = np.array([2.0, 5.0, 11.0, 23.0])
    memory = OscillatingMemory(N_CHANNELS, WIDTH, 4, N_CONTENT, 3.9, 4.0, write_gate=False, forget_gate=False).double()
    memory.turn.copy_(torch.from_numpy(omega) / memory.log_rate.exp())
    time = np.sort(np.random.default_rng(0).uniform(0, 30, 2000))
    for k in range(4):
        batch = batch_from(np.array([0, 2000]), time, np.zeros(2000, dtype=int), np.cos(omega[k] * time))
        state = memory.write(encoded_events(batch), batch)
        loudness = state.moment[0, :, :, -1].norm(dim=0) / state.mass[0]
        assert int(loudness.argmax()) == k
        assert loudness[k] > 0.45  # half the amplitude of a cosine


# ---- Legendre ----------------------------------------------------------------------------------------


def course(memory: LegendreMemory, encoded: Tensor, batch: EventBatch, rows: list[int]) -> np.ndarray:
    """Gated time of each event since the first of its series."""
    pace = (memory.write_gate(encoded).exp() * memory.forget_gate(encoded)).detach().numpy()[:, 0]
    gaps = [pace[row - 1] * float(batch.gap[row]) for row in rows[1:]]
    return np.concatenate([[0.0], np.cumsum(gaps)])


def shifted(n: int) -> Legendre:
    """Orthonormal Legendre polynomial on [0, 1]."""
    return math.sqrt(2 * n + 1) * Legendre.basis(n, domain=[0, 1])


@torch.no_grad()
@pytest.mark.parametrize("gated", [True, False])
def test_legendre_coefficients_equal_quadrature(gated: bool) -> None:
    """Coefficients are scipy's integrals of the step function against numpy's polynomials."""
    memory, batch = memory_of("legendre", write_gate=gated, forget_gate=gated), batch_of([25, 6])
    assert isinstance(memory, LegendreMemory)
    encoded = encoded_events(batch)
    state, v = memory.write(encoded, batch), contents(memory, encoded, batch)
    for series, rows in enumerate(series_events(batch)):
        time = course(memory, encoded, batch, rows)
        if time[-1] == 0:
            continue
        x = time / time[-1]
        for n in range(ORDER):
            shares = [quad(shifted(n), *ends)[0] for ends in pairwise(x)]
            expected = sum(share * v[row] for share, row in zip(shares, rows[:-1], strict=True))
            np.testing.assert_allclose(state.coefficients[series, n].detach(), expected, atol=1e-10)
        assert float(state.span[series]) == pytest.approx(time[-1])


@torch.no_grad()
def test_legendre_memory_solves_the_hippo_ode() -> None:
    """The closed form is where scipy's solver takes dc/dt = (-A c + B f) / t, theorem 2 of the HiPPO paper."""
    n = np.arange(ORDER)
    root = np.sqrt(2 * n + 1)
    a = np.tril(np.outer(root, root), -1) + np.diag(n + 1.0)
    time, value = np.array([0.0, 0.3, 0.35, 2.0, 2.2]), np.array([1.0, -2.0, 0.5, 3.0, 9.0])
    batch = batch_from(np.array([0, 5]), time, np.zeros(5, dtype=int), value)
    memory = memory_of("legendre", write_gate=False, forget_gate=False)
    found = memory.write(encoded_events(batch), batch).coefficients[0, :, -1]
    c = np.array([value[0], *[0.0] * (ORDER - 1)])  # of a constant, as after the first interval
    for k in range(1, 4):
        path = solve_ivp(lambda t, c, f=value[k]: (-a @ c + root * f) / t, time[k : k + 2], c, rtol=1e-10, atol=1e-12)
        c = path.y[:, -1]
    np.testing.assert_allclose(found, c, atol=1e-7)


@torch.no_grad()
@pytest.mark.parametrize("order", [1, 2, 6, 32])
def test_shrinking_is_the_matrix_exponential(order: int) -> None:
    """A course that becomes part of a longer one goes through exp(-A ln(1 / s)), exactly and for many coefficients."""
    memory = LegendreMemory(WIDTH, order, N_CONTENT).double()
    n = np.arange(order)
    root = np.sqrt(2 * n + 1)
    a = torch.from_numpy(np.tril(np.outer(root, root), -1) + np.diag(n + 1.0))
    part = torch.tensor([1.0, 0.9, 0.5, 0.0]).double()
    c = torch.randn(4, order, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = memory._shrunk(c, part)
    for row, s in enumerate(part[:-1]):
        torch.testing.assert_close(found[row], torch.linalg.matrix_exp(a * s.log()) @ c[row], rtol=0, atol=1e-9)
    assert (found[-1] == 0).all()


@torch.no_grad()
def test_legendre_averages_are_means_of_the_polynomial() -> None:
    """Over the last quarter, half, three quarters, and the whole; the last one is the exact time average."""
    time, value = np.array([0.0, 1.0, 4.0]), np.array([2.0, 6.0, 99.0])
    batch = batch_from(np.array([0, 3]), time, np.zeros(3, dtype=int), value)
    memory = memory_of("legendre", write_gate=False, forget_gate=False)
    state = memory.write(encoded_events(batch), batch)
    averages = memory.averages(state)[0].tolist()
    assert averages[-1] == pytest.approx((2 * 1 + 6 * 3) / 4)
    whole = sum(float(c) * shifted(n) for n, c in enumerate(state.coefficients[0, :, -1]))
    for k in range(ORDER):
        part = (k + 1) / ORDER
        assert averages[k] == pytest.approx(quad(whole, 1 - part, 1)[0] / part)


@torch.no_grad()
def test_legendre_memory_does_not_see_the_unit_of_time() -> None:
    """A course played at another speed has the same coefficients: HiPPO's equivariance to the time scale."""
    time, value = np.array([0.0, 1.0, 4.0, 4.5]), np.array([2.0, 6.0, 1.0, 0.0])
    memory = memory_of("legendre")
    states = []
    for speed in (1.0, 1e4):
        batch = batch_from(np.array([0, 4]), speed * time, np.zeros(4, dtype=int), value)
        states.append(memory.write(encoded_events(batch), batch))
    torch.testing.assert_close(states[0].coefficients, states[1].coefficients)


@torch.no_grad()
def test_legendre_memory_before_time_has_passed() -> None:
    """One event, or several at one time: the course is the constant that stands at the end, and later its first part."""
    batch = batch_from(np.array([0, 2, 5]), np.array([3.0, 3.0, 3.0, 3.0, 4.0]), np.zeros(5, dtype=int), np.arange(5.0))
    memory = memory_of("legendre")
    state = memory.write(encoded_events(batch), batch)
    assert state.coefficients[:, :, -1].tolist() == pytest.approx(np.array([[1.0, 0, 0, 0], [3.0, 0, 0, 0]]))
    assert state.held[:, -1].tolist() == [1.0, 4.0]
