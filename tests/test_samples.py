"""Training batches: what is asked, how much it weighs, and where records are cut."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cndts import Extrapolation, IrregularPanel
from cndts._ragged import offsets_from_lengths
from cndts.datasets import make_oscillators
from cndts.queries import Queries
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling
from cndts.targets import Targets
from cndts.training import Sample, Samples

UNIT = 2.0  # time scale


def samples_of(X: IrregularPanel, y: Targets, balance: float = 0.5) -> Samples:
    n_channels = len(X.channels)
    return Samples(
        X,
        y,
        Scaling(np.ones(n_channels), np.full(n_channels, 2.0), UNIT, RankScale.unknown(n_channels)),
        np.zeros((len(X), 0)),
        balance,
    )


def oscillators(n_records: int = 11) -> tuple[IrregularPanel, Targets]:
    return Extrapolation(observe=6, horizon=2).split(make_oscillators(n_records, random_state=0, n_observations=10))


def one_channel(context: list[list[float]], asked: list[list[float]]) -> tuple[IrregularPanel, Targets]:
    """Records whose values are their times."""
    times, answers = np.concatenate([*context, []]), np.concatenate([*asked, []])
    queries = Queries(offsets_from_lengths(list(map(len, asked))), answers, np.zeros(len(answers), int))
    offsets = offsets_from_lengths(list(map(len, context)))
    X = IrregularPanel(offsets, times, np.zeros(len(times), int), times, channels=["a"], queries=queries)
    return X, Targets(queries, answers, X.records, X.channels)


def drawn(samples: Samples, cut_share: float, seed: int = 0, batch_size: int = 4) -> list[Sample]:
    return list(samples.shuffled(batch_size, cut_share, np.random.default_rng(seed)))


# ---- as given ----------------------------------------------------------------------------------------


def test_ordered_gives_each_target_once() -> None:
    """Batches of records in order hold the standardised targets in order."""
    X, y = oscillators()
    parts = list(samples_of(X, y).ordered(4))
    assert [len(part.batch) for part in parts] == [4, 4, 3]
    np.testing.assert_allclose(torch.cat([part.value for part in parts]).numpy(), (y.value - 1) / 2, atol=1e-6)
    assert torch.cat([part.batch.query_channel for part in parts]).tolist() == y.channel.tolist()
    assert sum(len(part.batch.value) for part in parts) == X.n_events


def test_unknown_targets_are_left_out() -> None:
    """NaN targets are neither asked for nor counted, and their neighbours keep their values."""
    X, y = oscillators()
    value = y.value.copy()
    value[[0, 5, 6, len(value) - 1]] = np.nan
    known = ~np.isnan(value)
    parts = list(samples_of(X, y.with_values(value)).ordered(4))
    np.testing.assert_allclose(torch.cat([part.value for part in parts]).numpy(), (value[known] - 1) / 2, atol=1e-6)
    assert torch.cat([part.batch.query_channel for part in parts]).tolist() == y.channel[known].tolist()
    assert torch.cat([part.weight for part in parts]).shape == (known.sum(),)


def test_one_pass_draws_each_record_once() -> None:
    """Without cuts a pass is a permutation of the records in batches of nearly one size."""
    X, y = oscillators()
    parts = drawn(samples_of(X, y), cut_share=0)
    assert [len(part.batch) for part in parts] == [6, 5]  # rather two fuller batches than three and a short one
    found = torch.cat([part.value for part in parts]).numpy()
    np.testing.assert_allclose(np.sort(found), np.sort((y.value - 1) / 2), atol=1e-6)
    assert not np.allclose(found, (y.value - 1) / 2)
    assert [len(part.batch) for part in drawn(samples_of(X, y), cut_share=0, batch_size=64)] == [11]


def test_draws_follow_the_generator() -> None:
    """The same generator draws the same batches and cuts, another one others."""
    X, y = oscillators()
    samples = samples_of(X, y)
    first, again, other = (torch.cat([part.value for part in drawn(samples, 0.5, seed)]) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert first.shape != other.shape or not torch.equal(first, other)


# ---- weights -----------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.lists(st.sampled_from([0, 3, 800, 1500, 4000]), min_size=1, max_size=4).filter(any), st.floats(0, 1))
def test_channel_weights(counts: list[int], balance: float) -> None:
    """A target weighs max(n, 1000)^-balance in a channel with n of them, 1 on average; others weigh 0."""
    channel = np.repeat(np.arange(len(counts)), counts)
    queries = Queries([0, len(channel)], np.ones(len(channel)), channel)
    names = [f"c{i}" for i in range(len(counts))]
    X = IrregularPanel([0, 0], [], [], [], channels=names, queries=queries)
    samples = samples_of(X, Targets(queries, np.zeros(len(channel)), X.records, X.channels), balance)
    weight = next(samples.ordered(1)).weight.numpy().astype(float)
    assert weight.mean() == pytest.approx(1, abs=1e-5)
    raw = np.maximum(counts, 1000.0)[channel] ** -balance
    np.testing.assert_allclose(weight / weight[0], raw / raw[0], rtol=1e-5)
    assert [float(w) for w, n in zip(samples.weight, counts, strict=True) if n == 0] == [0.0] * counts.count(0)


# ---- cuts --------------------------------------------------------------------------------------------


def test_cuts_ask_for_what_follows_within_the_horizon() -> None:
    """A cut batch asks for the events in a window of the horizon's length, right after the context."""
    X, y = oscillators(40)
    samples = samples_of(X, y)
    assert samples.targets_follow
    for part in drawn(samples, cut_share=1):
        batch = part.batch
        record = batch.query_node // batch.n_channels
        has_context = torch.zeros(len(batch), dtype=torch.bool)
        has_context[batch.series_node // batch.n_channels] = True
        horizon = batch.query_horizon * UNIT
        assert (horizon[has_context[record]] >= 0).all()
        for i in record[has_context[record]].unique():
            asked = horizon[record == i]
            assert asked.max() - asked.min() <= samples.horizon + 1e-5
        assert torch.equal(part.weight, samples.weight[batch.query_channel])


def test_cuts_use_context_and_targets() -> None:
    """Cut points range over the whole known course: some fall into the given context, some into the targets."""
    X, y = one_channel([[0.0, 1.0, 2.0, 3.0]], [[4.0, 5.0, 6.0, 7.0, 8.0]])
    samples = samples_of(X, y)
    assert samples.horizon == 4.0
    cuts, left_out = set(), []
    for seed in range(60):
        (part,) = drawn(samples, cut_share=1, seed=seed)
        past, ahead = (2 * part.batch.value + 1).tolist(), (2 * part.value + 1).tolist()
        cut = int(ahead[0])
        cuts.add(cut)
        assert set(past) <= set(range(cut))
        assert ahead == list(range(cut, min(cut + 4, 9)))
        left_out.append(1 - len(past) / cut)
    assert cuts == {2, 3, 4, 5, 6, 7}  # cuts lie between 1/8 and 0.85 of the 8 hours
    assert 0.1 < np.mean(left_out) < 0.3  # half of the highest share


def test_horizon_is_that_of_nearly_all_records() -> None:
    """The reach of targets is their 95 % quantile over the records that ask for anything."""
    asked = [[10.0, 10.0 + reach] for reach in range(1, 22)]
    X, y = one_channel([[1.0]] * 22, [*asked, []])
    assert samples_of(X, y).horizon == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("context", "asked", "follow"),
    [
        ([[0.0, 1.0]], [[1.0, 2.0]], True),
        ([[0.0, 1.0], []], [[2.0], [0.5]], True),
        ([[0.0, 1.0]], [[0.5, 2.0]], False),
        ([[0.0, 1.0], [0.0, 5.0]], [[2.0], [4.0]], False),
    ],
)
def test_no_event_after_a_target_is_seen(context: list[list[float]], asked: list[list[float]], follow: bool) -> None:
    """Where a target lies before the end of its context, records are cut, whatever share of cuts is wished for."""
    X, y = one_channel(context, asked)
    samples = samples_of(X, y)
    assert samples.targets_follow == follow
    for part in [*drawn(samples, cut_share=0), *samples.ordered(8)]:
        assert (part.batch.query_horizon >= 0).all()
        if follow:
            assert sorted((2 * part.value + 1).tolist()) == sorted(y.value.tolist())


def test_short_records_survive_cuts() -> None:
    """Records with one event, or none, give batches without context or queries, not errors."""
    X, y = one_channel([[], [3.0], []], [[1.0], [], []])
    samples = samples_of(X, y)
    for seed in range(5):
        (part,) = drawn(samples, cut_share=1, seed=seed)
        assert len(part.batch) == 3
        assert len(part.value) == len(part.batch.query_horizon)
