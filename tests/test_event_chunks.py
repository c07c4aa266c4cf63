"""Pieces of batches: complete, in order, and writing them one after the other is writing all at once."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from cndts._ragged import offsets_from_lengths
from cndts.backbones import HybridMemoryBackbone
from cndts.batching import EventStore
from cndts.dynamics import Solver
from cndts.event_batch import EventBatch
from cndts.event_chunks import event_chunks
from cndts.memory import LONG_TERM, HybridMemory, HybridState, Memory
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling

N_CHANNELS, WIDTH = 3, 4
SMALL: dict[str, Any] = {"window": 2, "timescales": 3, "contents": 2, "episodic_slots": 3}
Parts = dict[str, Any]


def batch_of(lengths: list[int], seed: int = 0, span: int = 60) -> EventBatch:
    """Random events in double precision, some of them at the same time."""
    rng = np.random.default_rng(seed)
    record = np.repeat(np.arange(len(lengths)), lengths)
    time = rng.integers(0, span, size=len(record)) / 16
    order = np.lexsort((time, record))
    channel, value = rng.integers(0, N_CHANNELS, size=len(record)), rng.normal(size=len(record))
    names = [f"c{i}" for i in range(N_CHANNELS)]
    panel = IrregularPanel(offsets_from_lengths(lengths), time[order], channel, value, channels=names)
    scaling = Scaling(np.zeros(N_CHANNELS), np.ones(N_CHANNELS), 1.0, RankScale.unknown(N_CHANNELS))
    n = len(panel)
    queries = Queries(np.arange(n + 1), np.full(n, 5.0), np.zeros(n, dtype=int))
    return EventStore(panel, scaling, np.zeros((n, 0))).batch(np.arange(n), queries).to(dtype=torch.float64)


def marked(batch: EventBatch) -> EventBatch:
    """A batch whose changes tell the row of each event."""
    return replace(batch, change=torch.arange(len(batch.value)).double())


def encoded_events(batch: EventBatch) -> Tensor:
    return torch.randn(len(batch.value), WIDTH, generator=torch.Generator().manual_seed(7), dtype=torch.float64)


def hybrid(**settings: Any) -> HybridMemory:
    """Memories whose gates differ between events."""
    torch.manual_seed(0)
    memory = HybridMemory(N_CHANNELS, WIDTH, 2, 0.0, Memory(**(SMALL | settings))).double().eval()
    with torch.no_grad():
        for name, weight in memory.named_parameters():
            if "gate" in name or "salience" in name:
                weight.copy_(torch.randn(weight.shape))
    return memory


lengths_of_records = st.lists(st.integers(0, 25), min_size=1, max_size=4)


# ---- pieces ------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(lengths_of_records, st.integers(1, 40), st.integers(0, 99))
def test_pieces_partition_the_batch(lengths: list[int], size: int, seed: int) -> None:
    """Every event is in one piece, no visit is split, time never runs back, and every piece is about full."""
    batch = marked(batch_of(lengths, seed))
    pieces = list(event_chunks(batch, size))
    rows = [piece.change.long().tolist() for piece in pieces]
    assert sorted(row for piece in rows for row in piece) == list(range(len(batch.value)))
    owner = {row: k for k, piece in enumerate(rows) for row in piece}
    visits: dict[int, set[int]] = {}
    for row, visit in enumerate(batch.visit.tolist()):
        visits.setdefault(visit, set()).add(owner[row])
    assert all(len(held) == 1 for held in visits.values())
    order = [visits[visit].pop() for visit in range(batch.n_visits)]
    for one, other in zip(range(batch.n_visits - 1), range(1, batch.n_visits), strict=True):
        if batch.visit_record[one] == batch.visit_record[other]:
            assert order[one] <= order[other]
    largest = int(torch.bincount(batch.visit).max()) if batch.n_visits else 0
    assert all(len(piece) < size + largest for piece in rows)
    assert all(len(piece) > size - largest for piece in rows[:-1])


@settings(max_examples=50)
@given(lengths_of_records, st.integers(1, 40), st.integers(0, 99))
def test_pieces_tell_the_truth(lengths: list[int], size: int, seed: int) -> None:
    """Ages count from the last event in the piece, gaps from the event before; series, visits and records keep their owners."""
    batch = marked(batch_of(lengths, seed))
    age = batch.visit_age[batch.visit]  # of the event, at the record's last one
    latest: dict[int, float] = {}
    for piece in event_chunks(batch, size):
        rows = piece.change.long()
        node = batch.series_node[batch.series[rows]]
        assert torch.equal(piece.series_node[piece.series], node)
        assert torch.equal(piece.series_channel[piece.series], batch.channel[rows])
        assert torch.equal(piece.visit_record[piece.visit], batch.visit_record[batch.visit[rows]])
        for name in ("value", "score", "gap", "is_first", "surprise", "channel"):
            assert torch.equal(getattr(piece, name), getattr(batch, name)[rows])
        for k, row in enumerate(rows):
            of_series, of_record = age[rows][node == node[k]], age[rows][node // N_CHANNELS == node[k] // N_CHANNELS]
            assert float(piece.age[k]) == pytest.approx(float(age[row] - of_series.min()))
            assert float(piece.visit_age[piece.visit[k]]) == pytest.approx(float(age[row] - of_record.min()))
        for record in range(len(lengths)):
            own = age[rows][node // N_CHANNELS == record]
            gap = latest[record] - float(own.max()) if len(own) and record in latest else 0.0
            assert float(piece.record_gap[record]) == pytest.approx(gap)
            if len(own):
                latest[record] = float(own.min())
        assert len(piece.query_node) == 0


def test_long_and_short_records_advance_side_by_side() -> None:
    """A record far longer than the others costs no more pieces than its events are worth."""
    batch = batch_of([4000, *[10] * 30], span=10**6)
    assert len(list(event_chunks(batch, 500))) == pytest.approx(4300 / 500, abs=1)


# ---- writing piece by piece --------------------------------------------------------------------------


def in_pieces(memory: HybridMemory, encoded: Tensor, pieces: Iterator[EventBatch], batch: EventBatch) -> HybridState:
    state = memory.empty(batch.n_records * batch.n_channels, batch.n_records)
    for piece in pieces:
        before = state.rows(piece.series_node)
        state = state.updated(piece.series_node, memory.write(encoded[piece.change.long()], piece, before))
    return state.rows(batch.series_node)


def assert_close(found: HybridState, expected: HybridState) -> None:
    for one, other in zip(found, expected, strict=True):
        assert (one is None) == (other is None)
        for a, b in zip(one or (), other or (), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


GATES = [dict(zip(("write_gate", "forget_gate"), on, strict=True)) for on in product((True, False), repeat=2)]
MEMORIES = [
    dict(zip(("window", "timescales", "episodic_slots"), sizes, strict=True)) for sizes in product((0, 3), repeat=3)
]


@torch.no_grad()
@pytest.mark.parametrize("kind", LONG_TERM)
@pytest.mark.parametrize("gates", GATES, ids=str)
@settings(max_examples=10)
@given(lengths=lengths_of_records, size=st.integers(1, 30), seed=st.integers(0, 99))
def test_pieces_equal_the_whole(kind: str, gates: Parts, lengths: list[int], size: int, seed: int) -> None:
    """Whatever is written piece by piece, with any gates, ends in the state that one write gives."""
    memory, batch = hybrid(long_term=kind, **gates), marked(batch_of(lengths, seed))
    encoded = encoded_events(batch)
    found = in_pieces(memory, encoded, event_chunks(batch, size), batch)
    assert_close(found, memory.write(encoded, batch))


@torch.no_grad()
@pytest.mark.parametrize("sizes", MEMORIES, ids=str)
def test_missing_memories(sizes: Parts) -> None:
    """With any of the memories left out, pieces equal the whole, and all that is left is read."""
    memory, batch = hybrid(**sizes), marked(batch_of([20, 0, 7]))
    encoded = encoded_events(batch)
    found = in_pieces(memory, encoded, event_chunks(batch, 6), batch)
    expected = memory.write(encoded, batch)
    assert_close(found, expected)
    is_there = [state is not None for state in (expected.working, expected.compressed, expected.episodic)]
    assert is_there == [bool(size) for size in sizes.values()]


@torch.no_grad()
@settings(max_examples=15)
@given(lengths=st.lists(st.integers(0, 12), min_size=1, max_size=3), seed=st.integers(0, 99), data=st.data())
def test_any_cut_between_visits(lengths: list[int], seed: int, data: st.DataObject) -> None:
    """Each record may be cut at any visits of its own, as streams do; a piece may lack some records."""
    batch = marked(batch_of(lengths, seed))
    memory, encoded = hybrid(), encoded_events(batch)
    steps = data.draw(st.lists(st.integers(0, 2), min_size=batch.n_visits, max_size=batch.n_visits))
    total = torch.tensor(steps, dtype=torch.long).cumsum(0)
    with patch("cndts.event_chunks._pieces", return_value=total - opening(total, batch)):
        found = in_pieces(memory, encoded, event_chunks(batch, 1), batch)
    assert_close(found, memory.write(encoded, batch))


def opening(total: Tensor, batch: EventBatch) -> Tensor:
    """The count at the first visit of each record, less something by record, so that records start in different pieces."""
    first = torch.searchsorted(batch.visit_record, batch.visit_record)
    return total[first] - batch.visit_record % 3


# ---- training in pieces ------------------------------------------------------------------------------


def backbone(chunk: int, **memory: Any) -> HybridMemoryBackbone:
    torch.manual_seed(0)
    settings = Memory(**(SMALL | memory), chunk=chunk)
    module = HybridMemoryBackbone(N_CHANNELS, 0, settings, Solver(), width=4, n_heads=2, n_layers=1, dropout=0.0)
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if "gate" in name:
                weight.copy_(torch.randn(weight.shape) / 2)
    return module.double().eval()


def gradients(module: HybridMemoryBackbone, batch: EventBatch) -> dict[str, Tensor]:
    state, anchors, *_ = module(batch)
    (state.sin().sum() + anchors.sin().sum()).backward()
    return {name: weight.grad for name, weight in module.named_parameters() if weight.grad is not None}


@pytest.mark.parametrize("kind", LONG_TERM)
def test_gradients_with_and_without_pieces(kind: str) -> None:
    """Recomputed piece by piece, gradients of all parameters are what they are at once, and so are answers."""
    batch = batch_of([30, 0, 12])
    expected = gradients(backbone(10**6, long_term=kind), batch)
    for chunk in (1, 7, 20):
        found = gradients(backbone(chunk, long_term=kind), batch)
        assert found.keys() == expected.keys()
        for name, gradient in expected.items():
            torch.testing.assert_close(found[name], gradient, rtol=1e-8, atol=1e-10, msg=name)
    with torch.no_grad():
        torch.testing.assert_close(backbone(7, long_term=kind)(batch)[0], backbone(10**6, long_term=kind)(batch)[0])


class PeakBytes(TorchDispatchMode):
    """The largest sum of tensors that were alive at one time, beside those that were there before."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: dict[int, tuple[StorageWeakRef, int]] = {}
        self.peak, self.calls = 0, 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for part in result if isinstance(result, tuple | list) else (result,):
            if isinstance(part, Tensor):
                storage = part.untyped_storage()
                self.alive[storage._cdata] = (StorageWeakRef(storage), storage.nbytes())
        self.calls += 1
        if self.calls % 5 == 0:  # looking after every call would take most of the test's time
            self.alive = {key: held for key, held in self.alive.items() if not held[0].expired()}
            self.peak = max(self.peak, sum(size for _, size in self.alive.values()))
        return result


def peak(n_events: int, chunk: int) -> int:
    """Peak bytes of a forward and backward pass over one record."""
    batch, module = batch_of([n_events], span=10**7), backbone(chunk)
    with PeakBytes() as memory:
        gradients(module, batch)
    return memory.peak


def test_memory_is_bounded() -> None:
    """Ten times the events in pieces need little more memory; at once they need ten times as much."""
    short, long, whole = peak(2_000, 1_000), peak(20_000, 1_000), peak(20_000, 10**6)
    events = 20_000 * 8 * 20  # the batch itself, cut up: some twenty numbers an event
    assert long < short + events
    assert whole > 5 * (long - events)
