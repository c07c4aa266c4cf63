"""Packed batches against a plain loop over records, and against shuffled and shifted copies."""

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cndts._ragged import offsets_from_lengths
from cndts.backbones import HybridMemoryBackbone
from cndts.batching import EventStore
from cndts.dynamics import Solver
from cndts.event_batch import EventBatch
from cndts.memory import Memory
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling

N_CHANNELS = 3
RANKS = RankScale.fit(np.repeat([0, 1, 2], 4), np.array([-3, -1, 0, 3, -2, 0, 0, 1, -3, 2, 2, 3]), N_CHANNELS)
SCALING = Scaling(np.array([1.0, -2.0, 0.0]), np.array([2.0, 0.5, 1.0]), time_scale=4.0, ranks=RANKS)
Event = tuple[int, float, float]  # channel, time, value


@st.composite
def panels(draw: st.DrawFn) -> IrregularPanel:
    """Empty and one-event records, simultaneous events, repeats of a channel at one time."""
    lengths = draw(st.lists(st.integers(0, 7), min_size=1, max_size=4))
    n = sum(lengths)
    time = np.array(draw(st.lists(st.integers(0, 12), min_size=n, max_size=n)), dtype=np.float64) / 4
    order = np.lexsort((time, np.repeat(np.arange(len(lengths)), lengths)))
    channel = draw(st.lists(st.integers(0, N_CHANNELS - 1), min_size=n, max_size=n))
    value = draw(st.lists(st.integers(-3, 3), min_size=n, max_size=n))
    names = [f"c{i}" for i in range(N_CHANNELS)]
    return IrregularPanel(offsets_from_lengths(lengths), time[order], channel, value, channels=names)


@st.composite
def questions(draw: st.DrawFn, panel: IrregularPanel) -> tuple[NDArray[np.int64], Queries]:
    """Some records in any order, also twice, with queries each."""
    records = draw(st.lists(st.integers(0, len(panel) - 1), min_size=1, max_size=5))
    lengths = draw(st.lists(st.integers(0, 3), min_size=len(records), max_size=len(records)))
    n = sum(lengths)
    time = draw(st.lists(st.integers(0, 40), min_size=n, max_size=n))
    channel = draw(st.lists(st.integers(0, N_CHANNELS - 1), min_size=n, max_size=n))
    return np.array(records), Queries(offsets_from_lengths(lengths), np.array(time) / 4, channel)


def store_of(panel: IrregularPanel, n_static: int = 0) -> EventStore:
    static = np.arange(len(panel) * n_static, dtype=np.float64).reshape(len(panel), n_static)
    return EventStore(panel, SCALING, static)


def events_of(panel: IrregularPanel, record: int) -> list[Event]:
    """A record's events sorted by channel, time, value."""
    rows = range(panel.offsets[record], panel.offsets[record + 1])
    return sorted((int(panel.channel[r]), float(panel.time[r]), float(panel.value[r])) for r in rows)


def naive_batch(records: list[list[Event]], stamps: list[list[float]], queries: Queries) -> dict[str, list[float]]:
    """What each tensor of a batch should hold, record by record and event by event."""
    names = [
        field.name
        for field in fields(EventBatch)
        if field.name not in ("n_records", "n_channels", "n_visits", "static", "later")
    ]
    out: dict[str, list[float]] = {name: [] for name in names}
    first_visit = 0
    for i, events in enumerate(records):
        last_time = max((time for _, time, _ in events), default=None)
        for c in sorted({channel for channel, _, _ in events}):
            series = [(time, value) for channel, time, value in events if channel == c]
            end = series[-1][0]
            for k, (time, value) in enumerate(series):
                before = series[k - 1] if k else (time, value)
                out["value"].append((value - SCALING.mean[c]) / SCALING.std[c])
                out["score"].append(float(RANKS.score(np.array([c]), np.array([value]))[0]))
                out["change"].append((value - before[1]) / SCALING.std[c])
                out["gap"].append((time - before[0]) / 4)
                out["is_first"].append(float(k == 0))
                out["surprise"].append(surprise([v for _, v in series[:k]], value, c))
                out["age"].append((end - time) / 4)
                out["channel"].append(c)
                out["series"].append(len(out["series_node"]))
                out["visit"].append(first_visit + stamps[i].index(time))
            out["series_node"].append(i * N_CHANNELS + c)
            out["series_channel"].append(c)
            out["series_count"].append(len(series))
            out["series_end"].append(len(out["value"]) - 1)
            out["series_age"].append((last_time - end) / 4)
            out["series_span"].append((end - series[0][0]) / 4)
        for row in range(queries.offsets[i], queries.offsets[i + 1]):
            out["query_node"].append(i * N_CHANNELS + queries.channel[row])
            out["query_channel"].append(queries.channel[row])
            out["query_horizon"].append(0.0 if last_time is None else (queries.time[row] - last_time) / 4)
        out["record_gap"].append(0.0)
        out["bridge"].append(0.0)
        out["visit_record"] += [i] * len(stamps[i])
        out["visit_age"] += [(last_time - time) / 4 for time in stamps[i]]
        first_visit += len(stamps[i])
    return out


def surprise(earlier: list[float], value: float, channel: int) -> float:
    """Deviations of the earlier values, with one more of the training mean and deviation, from their mean."""
    known = (np.array(earlier) - SCALING.mean[channel]) / SCALING.std[channel]
    n = len(known) + 1
    mean = known.sum() / n
    spread = max((np.square(known).sum() + 1) / n - mean**2, 1e-2)
    return abs((value - SCALING.mean[channel]) / SCALING.std[channel] - mean) / spread**0.5


def assert_batch(batch: EventBatch, expected: dict[str, list[float]]) -> None:
    for name, values in expected.items():
        tensor = getattr(batch, name)
        assert tensor.shape == (len(values),), name
        np.testing.assert_allclose(tensor.numpy(), np.array(values), atol=1e-6, err_msg=name)


def assert_same(batch: EventBatch, other: EventBatch, atol: float = 0.0) -> None:
    for field in fields(EventBatch):
        a, b = getattr(batch, field.name), getattr(other, field.name)
        if a is None or isinstance(a, int):
            assert a == b, field.name
        else:
            torch.testing.assert_close(a, b, rtol=0, atol=atol)


def backbone() -> HybridMemoryBackbone:
    torch.manual_seed(0)
    options: dict[str, Any] = {"width": 8, "n_heads": 2, "n_layers": 1, "dropout": 0.0}
    module = HybridMemoryBackbone(N_CHANNELS, 0, Memory(window=2, timescales=2, contents=2), Solver(), **options)
    return module.double().eval()


@torch.no_grad()
def network_output(batch: EventBatch) -> torch.Tensor:
    at = backbone()(batch.to(dtype=torch.float64))
    return torch.cat([at.features, at.anchors], dim=1)


# ---- batches -----------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.data(), panels())
def test_batch_equals_the_loop(data: st.DataObject, panel: IrregularPanel) -> None:
    """Every tensor is what a loop over the records finds."""
    records, queries = data.draw(questions(panel))
    batch = store_of(panel, n_static=2).batch(records, queries)
    events = [events_of(panel, record) for record in records]
    stamps = [sorted({time for _, time, _ in found}) for found in events]
    assert_batch(batch, naive_batch(events, stamps, queries))
    assert (len(batch), batch.n_channels, batch.n_visits) == (len(records), N_CHANNELS, sum(map(len, stamps)))
    assert batch.static.tolist() == [[2.0 * record, 2.0 * record + 1] for record in records]


@settings(max_examples=60)
@given(st.data(), panels(), st.integers(0, 16))
def test_cut_equals_the_loop(data: st.DataObject, panel: IrregularPanel, horizon: int) -> None:
    """A cut gives events before it as context, and events from it to the horizon as queries with their values."""
    records = np.array(data.draw(st.lists(st.integers(0, len(panel) - 1), min_size=1, max_size=4)))
    at = np.array(data.draw(st.lists(st.integers(0, 14), min_size=len(records), max_size=len(records)))) / 4
    batch, value = store_of(panel).cut(records, at, horizon / 4)

    events = [events_of(panel, record) for record in records]
    past = [[event for event in found if event[1] < cut] for found, cut in zip(events, at, strict=True)]
    ahead = [
        [event for event in found if cut <= event[1] <= cut + horizon / 4]
        for found, cut in zip(events, at, strict=True)
    ]
    asked = [event for found in ahead for event in found]
    queries = Queries(
        offsets_from_lengths([len(found) for found in ahead]),
        [event[1] for event in asked],
        [event[0] for event in asked],
    )
    stamps = [sorted({time for _, time, _ in found}) for found in past]  # nothing is told of visits behind the cut
    assert_batch(batch, naive_batch(past, stamps, queries))
    expected = [(v - SCALING.mean[channel]) / SCALING.std[channel] for channel, _, v in asked]
    np.testing.assert_allclose(value.numpy(), expected, atol=1e-6)


@settings(max_examples=30)
@given(panels(), st.integers(0, 14))
def test_a_far_cut_parts_the_events(panel: IrregularPanel, at: int) -> None:
    """Without a limit each event is either context or query, never both, never lost."""
    records = np.arange(len(panel))
    batch, value = store_of(panel).cut(records, np.full(len(panel), at / 4), np.inf)
    found = sorted(torch.cat([batch.value, value]).tolist())
    assert found == pytest.approx(sorted(store_of(panel).value.tolist()))
    assert len(value) == np.sum(panel.time >= at / 4)


@pytest.mark.parametrize("highest", [0.0, 0.4, 1.0])
def test_a_thinned_cut_loses_a_share_of_its_context(highest: float) -> None:
    """Each record between nothing and the highest share, half of it on average; nothing of what is asked."""
    n_records, n_events = 400, 60
    time = np.tile(np.arange(float(n_events)), n_records)
    panel = IrregularPanel(
        n_events * np.arange(n_records + 1),
        time,
        np.zeros(len(time), dtype=int),
        np.arange(len(time)),
        channels=["a", "b", "c"],
    )
    store, records, at = store_of(panel), np.arange(n_records), np.full(n_records, 50.0)
    (plain, asked), (thinned, value) = (
        store.cut(records, at, 100.0, extra) for extra in (None, (highest, np.random.default_rng(0)))
    )
    assert torch.equal(asked, value)
    assert set(thinned.value.tolist()) <= set(plain.value.tolist())
    kept = np.zeros(n_records)
    kept[thinned.series_node.numpy() // N_CHANNELS] = thinned.series_count.numpy() / 50
    assert 1 - kept.mean() == pytest.approx(highest / 2, abs=0.05)
    assert kept.std() == pytest.approx(highest / 12**0.5, abs=0.05)


@settings(max_examples=30)
@given(st.data(), panels())
def test_order_of_simultaneous_events_has_no_effect(data: st.DataObject, panel: IrregularPanel) -> None:
    """Any order among the events of one time gives the same batch, and so the same state."""
    keys = data.draw(st.lists(st.integers(0, 99), min_size=panel.n_events, max_size=panel.n_events))
    order = np.lexsort((keys, panel.time, panel.record))
    shuffled = IrregularPanel(
        panel.offsets, panel.time, panel.channel[order], panel.value[order], channels=panel.channels
    )
    records, queries = data.draw(questions(panel))
    batch, other = (store_of(p).batch(records, queries) for p in (panel, shuffled))
    assert_same(batch, other)
    assert torch.equal(network_output(batch), network_output(other))


@settings(max_examples=30)
@given(st.data(), panels(), st.integers(-1000, 1000))
def test_time_shift_has_no_effect(data: st.DataObject, panel: IrregularPanel, shift: int) -> None:
    """Moving events and queries together changes no tensor."""
    records, queries = data.draw(questions(panel))
    moved = IrregularPanel(panel.offsets, panel.time + shift, panel.channel, panel.value, channels=panel.channels)
    later = Queries(queries.offsets, queries.time + shift, queries.channel)
    assert_same(store_of(panel).batch(records, queries), store_of(moved).batch(records, later))


def test_large_time_shift_has_no_effect() -> None:
    """A hundred years are lost in the rounding of a float64, not of a float32."""
    rng = np.random.default_rng(0)
    time, channel, value = np.sort(rng.uniform(0, 48, 200)), rng.integers(0, N_CHANNELS, 200), rng.normal(size=200)
    batches = []
    for shift in (0.0, 1e6):
        panel = IrregularPanel([0, 200], time + shift, channel, value, channels=["a", "b", "c"])
        queries = Queries([0, 3], np.array([48.0, 60.0, 70.0]) + shift, [0, 1, 2])
        batches.append(store_of(panel).batch(np.array([0]), queries))
    assert_same(*batches, atol=1e-6)
    torch.testing.assert_close(network_output(batches[0]), network_output(batches[1]), rtol=0, atol=1e-6)


def test_records_without_events() -> None:
    """They keep their place, with queries at horizon zero; a batch of nothing else works as well."""
    panel = IrregularPanel([0, 0, 2, 2], [1.0, 3.0], [2, 0], [5.0, 1.0], channels=["a", "b", "c"])
    queries = Queries([0, 1, 2, 4], [9.0, 7.0, 9.0, 2.0], [0, 1, 2, 2])
    batch = store_of(panel).batch(np.arange(3), queries)
    assert batch.query_horizon.tolist() == [0, 1, 0, 0]
    assert batch.query_node.tolist() == [0, 4, 8, 8]
    assert batch.series_node.tolist() == [3, 5]
    empty = store_of(panel).batch(np.array([0, 2]), Queries([0, 1, 2], [9.0, 9.0], [0, 0]))
    assert len(empty.value) == len(empty.series_node) == empty.n_visits == 0
    output = network_output(empty)
    assert torch.isfinite(output).all()
    torch.testing.assert_close(output[0], output[1], rtol=0, atol=1e-14)


def test_moving_a_batch_converts_real_numbers_only() -> None:
    """Positions stay integers whatever the precision of the rest."""
    panel = IrregularPanel([0, 2], [1.0, 3.0], [2, 0], [5.0, 1.0], channels=["a", "b", "c"])
    batch = store_of(panel).batch(np.array([0]), Queries([0, 1], [4.0], [1]))
    moved = batch.to("cpu", torch.float64)
    for field in fields(EventBatch):
        before, after = getattr(batch, field.name), getattr(moved, field.name)
        if isinstance(before, torch.Tensor):
            assert after.dtype == (torch.float64 if before.is_floating_point() else torch.int64)
            assert before.dtype in (torch.float32, torch.int64)
            torch.testing.assert_close(after, before, check_dtype=False)
        else:
            assert before == after


# ---- gaps --------------------------------------------------------------------------------------------


def mirrored(panel: IrregularPanel) -> IrregularPanel:
    """The same events with time running backwards."""
    order = np.lexsort((-panel.time, panel.record))
    return IrregularPanel(
        panel.offsets, -panel.time[order], panel.channel[order], panel.value[order], channels=panel.channels
    )


@settings(max_examples=60)
@given(st.data(), panels())
def test_both_sides_of_a_gap(data: st.DataObject, panel: IrregularPanel) -> None:
    """Before the gap is a batch of the shortened record, after it one of the mirrored and shortened record."""
    panel = panel.deduplicate("mean")  # values of one channel and time change their order in the mirror
    records = np.array(data.draw(st.lists(st.integers(0, len(panel) - 1), min_size=1, max_size=4)))
    bounds = st.lists(st.integers(-1, 13), min_size=len(records), max_size=len(records))
    lower = np.array(data.draw(bounds)) / 4
    upper = lower + np.array(data.draw(st.lists(st.integers(1, 6), min_size=len(records), max_size=len(records)))) / 4
    channel = np.zeros(len(records), dtype=np.int64)
    asked = Queries(np.arange(len(records) + 1), (lower + upper) / 2, channel)
    batch = store_of(panel).gaps(records, lower, upper, asked)
    nothing = Queries(np.zeros(2), [], [])
    assert batch.later is not None
    for i, record in enumerate(records):
        alone = panel[[record]]
        before, after = alone.where(alone.time <= lower[i]), mirrored(alone.where(alone.time >= upper[i]))
        one = store_of(panel).gaps(records[[i]], lower[[i]], upper[[i]], asked[i : i + 1])
        expected = store_of(before).batch(np.array([0]), asked[i : i + 1])
        later = store_of(after).batch(np.array([0]), nothing)
        assert one.later is not None
        if before.n_events:
            assert_same(replace(one, later=None, bridge=expected.bridge), expected)
        assert_same(one.later, replace(later, surprise=one.later.surprise))
        closed = -after.time.max() if after.n_events else 0.0
        bridge = closed - before.time.max() if before.n_events and after.n_events else 0.0
        horizon = expected.query_horizon.item() * 4
        if after.n_events and not before.n_events:
            horizon = closed - asked.time[i]
        assert (batch.bridge[i] * 4, batch.query_horizon[i] * 4) == (bridge, horizon)


def test_gap_ends_are_those_of_the_events() -> None:
    """The bridge spans the events next to the gap, and mirrored surprise looks at what comes later."""
    panel = IrregularPanel(
        [0, 4], [0.0, 1.0, 5.0, 7.0], [0, 0, 0, 0], [1.0, 3.0, -3.0, -1.0], channels=["c0", "c1", "c2"]
    )
    asked = Queries([0, 1], [2.0], [0])
    batch = store_of(panel).gaps(np.array([0]), np.array([1.0]), np.array([5.0]), asked)
    assert batch.later is not None
    assert (batch.bridge.item(), batch.query_horizon.item()) == (1.0, 0.25)
    assert batch.later.value.tolist() == [-1.0, -2.0] and batch.later.gap.tolist() == [0.0, 0.5]
    expected = [surprise([], -1.0, 0), surprise([-1.0], -3.0, 0)]
    np.testing.assert_allclose(batch.later.surprise.numpy(), expected, rtol=1e-6)


# ---- surprise ----------------------------------------------------------------------------------------


def surprises(values: list[float], mates: list[float]) -> list[float]:
    """Surprise of a record's values, in training units, behind another record in the panel."""
    n = len(mates)
    value, time = np.array(mates + values), np.concatenate([np.arange(n), np.arange(len(values))])
    panel = IrregularPanel(
        [0, n, n + len(values)], time, np.zeros(len(value), dtype=int), value, channels=["a", "b", "c"]
    )
    store = EventStore(panel, Scaling(np.zeros(3), np.ones(3), 1.0, RANKS), np.zeros((2, 0)))
    return store.batch(np.array([1]), Queries([0, 0], [], [])).surprise.tolist()


def test_surprise_by_hand() -> None:
    """Distance from the mean before in deviations before, beside one pseudo-event with the training mean and deviation."""
    first, second = 2.0, abs(-1.0 - 1.0) / math.sqrt(5 / 2 - 1.0)
    assert surprises([2.0, -1.0], []) == pytest.approx([first, second])
    standing = surprises([0.0] * 300 + [0.5], [])
    assert standing[:-1] == [0.0] * 300
    assert standing[-1] == pytest.approx(5.0)  # a deviation is never less than 0.1


def test_an_extreme_value_costs_no_other_record_its_digits() -> None:
    """Sums of squares of one series do not swallow those of the next."""
    values = [0.1, 0.3, -0.2, 0.25]
    assert surprises(values, [3.0, 1e9, -2.0]) == surprises(values, [])
