"""Gaps between visits, and the training batches made of them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cndts import Interpolation, IrregularPanel
from cndts._ragged import offsets_from_lengths
from cndts.queries import Queries
from cndts.scaling import Scaling
from cndts.targets import Targets
from cndts.training import Gaps, GapSamples, Sample


@st.composite
def tasks(draw: st.DrawFn) -> IrregularPanel:
    """Records with ties and empty ones, with queries anywhere."""
    lengths = np.array(draw(st.lists(st.integers(0, 6), min_size=1, max_size=4)))
    asked = np.array(draw(st.lists(st.integers(0, 4), min_size=len(lengths), max_size=len(lengths))))
    time, asked_at = (
        np.array(draw(st.lists(st.integers(0, 8), min_size=int(n.sum()), max_size=int(n.sum()))), dtype=float)
        for n in (lengths, asked)
    )
    order = np.lexsort((time, np.repeat(np.arange(len(lengths)), lengths)))
    channel = np.arange(len(time)) % 2
    queries = Queries(offsets_from_lengths(asked), asked_at, np.zeros(len(asked_at), dtype=np.int64))
    value = np.arange(len(time), dtype=float)
    return IrregularPanel(
        offsets_from_lengths(lengths), time[order], channel, value, channels=["a", "b"], queries=queries
    )


@settings(max_examples=100)
@given(tasks())
def test_gaps_equal_the_loop(X: IrregularPanel) -> None:
    """Each query lies between the last visit at or before it and the first one after it, and none is lost."""
    queries = X.queries
    assert queries is not None
    gaps = Gaps.of(X, queries)
    assert sorted(gaps.row.tolist()) == list(range(queries.n_queries))
    assert len(set(zip(gaps.record.tolist(), gaps.lower.tolist(), strict=True))) == len(gaps.record)
    for g in range(len(gaps.record)):
        record = gaps.record[g]
        time = X.time[X.offsets[record] : X.offsets[record + 1]]
        for row in range(gaps.queries.offsets[g], gaps.queries.offsets[g + 1]):
            asked, given_row = gaps.queries.time[row], gaps.row[row]
            assert (queries.record[given_row], queries.time[given_row]) == (record, asked)
            assert gaps.lower[g] == max(time[time <= asked], default=-np.inf)
            assert gaps.upper[g] == min(time[time > asked], default=np.inf)


# ---- samples -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def samples() -> GapSamples:
    rng = np.random.default_rng(0)
    lengths = np.array([40, 0, 1, 25, 60])
    time = np.sort(rng.integers(0, 50, lengths.sum()) / 2)
    order = np.lexsort((time, np.repeat(np.arange(5), lengths)))
    channel, value = rng.integers(0, 3, len(time)), rng.normal(size=len(time))
    whole = IrregularPanel(offsets_from_lengths(lengths), time[order], channel, value, channels=["a", "b", "c"])
    X, y = Interpolation(observed=0.6, random_state=0).split(whole)
    return GapSamples(X, y, Scaling.fit(X, y), np.zeros((5, 0)), 0.5)


def seen(sample: Sample) -> int:
    assert sample.batch.later is not None
    return len(sample.batch.value) + len(sample.batch.later.value)


def test_validation_asks_a_few_gaps_of_each_record_and_always_the_same(samples: GapSamples) -> None:
    """At most two gaps a record, with all targets in them."""
    first, second = (list(samples.ordered(3)) for _ in range(2))
    count = sum(sample.batch.n_records for sample in first)
    assert count == np.minimum(2, np.bincount(samples.gaps.record, minlength=5)).sum()
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a.value, b.value) and torch.equal(a.batch.query_node, b.batch.query_node)
        assert len(a.value) == len(a.weight) == len(a.batch.query_node) > 0


def test_a_cut_hides_what_it_asks_for(samples: GapSamples) -> None:
    """Asked events are in neither side; without thinning all other events of the record are."""
    thinning, samples.thinning = samples.thinning, 0.0
    n_events = np.diff(samples.whole.offsets)
    for seed in range(20):
        sample = samples._cut(np.array([0, 3, 4]), np.random.default_rng(seed))
        assert len(sample.value) >= 3
        assert seen(sample) + len(sample.value) == n_events[[0, 3, 4]].sum()
        assert bool((sample.batch.query_horizon >= 0).all())
    samples.thinning = thinning


def test_thinning_leaves_out_whole_visits(samples: GapSamples) -> None:
    """About the share asked for is left out, outside the gap."""
    lower, upper = np.array([10.0]), np.array([10.5])
    n_whole = int(samples.whole.offsets[5] - samples.whole.offsets[4])
    kept = []
    for seed in range(50):
        batch, value = samples.whole.hidden(np.array([4]), lower, upper, (0.4, np.random.default_rng(seed)))
        assert batch.later is not None and len(value) == 0
        kept.append((len(batch.value) + len(batch.later.value)) / n_whole)
    assert np.mean(kept) == pytest.approx(0.6, abs=0.05)


def test_one_pass_draws_each_record_once(samples: GapSamples) -> None:
    """Batches are made of different records, given or cut; records without targets or events drop out."""
    for share in (0.0, 1.0):
        drawn = list(samples.shuffled(2, share, np.random.default_rng(0)))
        assert len(drawn) == 2
        assert sum(sample.batch.n_records for sample in drawn) <= 5
        assert all(len(sample.value) == len(sample.weight) for sample in drawn)


def test_gaps_are_drawn_by_the_weight_of_their_targets() -> None:
    """A gap that holds a rare channel comes up as much more often as it weighs more, given or cut; records without weight drop out."""
    # Every record: ten hidden visits of the frequent channel between seen ones, one of which holds the rare channel too.
    n_records, seen, hidden = 200, np.arange(0.0, 11.0), np.arange(0.5, 10.0)
    events = IrregularPanel(
        np.arange(n_records + 1) * 11, np.tile(seen, n_records), np.zeros(11 * n_records, dtype=int), np.zeros(11 * n_records),
        channels=["frequent", "rare"],
        queries=Queries(np.arange(n_records + 1) * 11, np.tile(np.append(hidden, 9.5), n_records), np.tile([0] * 10 + [1], n_records)),
    )  # fmt: skip
    assert events.queries is not None
    y = Targets(events.queries, np.zeros(11 * n_records), events.records, events.channels)
    samples = GapSamples(events, y, Scaling.fit(events, y), np.zeros((n_records, 0)), 1.0)
    rare, frequent = samples.weight[1].item(), samples.weight[0].item()
    wanted = (rare + frequent) / (rare + 10 * frequent)
    shares = [
        np.mean([1 in sample.batch.query_channel[sample.batch.query_node // 2 == row]
                 for seed in range(10)
                 for sample in samples.shuffled(50, share, np.random.default_rng(seed))
                 for row in range(sample.batch.n_records)])
        for share in (0.0, 1.0)
    ]  # fmt: skip
    assert shares[0] == pytest.approx(wanted, abs=0.03)
    assert samples.visits_hidden.tolist() == [1] * len(samples.visits_hidden)
    assert shares[1] > 0.5 * wanted  # of the cuts, some are longer and some hide a seen visit


def test_missing_targets_are_left_out() -> None:
    """NaN targets are never asked for."""
    queries = Queries([0, 2], [1.0, 2.0], [0, 0])
    X = IrregularPanel([0, 2], [0.0, 3.0], [0, 0], [1.0, 2.0], queries=queries)
    y = Targets(queries, [np.nan, 7.0], X.records, X.channels)
    samples = GapSamples(X, y, Scaling.fit(X, y), np.zeros((1, 0)), 0.5)
    (sample,) = samples.ordered(4)
    assert len(sample.value) == 1 and sample.batch.query_horizon.item() == pytest.approx(
        2.0 / Scaling.fit(X, y).time_scale
    )
