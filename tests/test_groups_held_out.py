"""What a fit sets aside to decide when to stop, or how wide intervals are, shares no group with what it learns from."""

import numpy as np
import pytest

from cndts import Extrapolation, Interpolation
from cndts.datasets import make_oscillators
from cndts.estimators import (
    BoostedTreesForecaster,
    BoostedTreesInterpolator,
    ConformalForecaster,
    HybridMemoryForecaster,
    HybridMemoryInterpolator,
    IrregularForecaster,
    LastValueForecaster,
)
from cndts.estimators._held_out import held_out
from cndts.training import Training

N_RECORDS, N_GROUPS = 24, 8
# three records a group, none of them neighbours
GROUPS = np.array([f"patient {i % N_GROUPS}" for i in range(N_RECORDS)])
QUARTER = {"width": 4, "training": Training(epochs=1, members=1, validation_fraction=0.25), "random_state": 0}


def lesson(estimator, groups=GROUPS):
    """Context and targets of grouped oscillators."""
    panel = make_oscillators(N_RECORDS, random_state=0).with_groups(groups)
    task = Interpolation(0.6, random_state=0) if estimator.reads_later_events else Extrapolation(observe=6, horizon=2)
    return task.split(panel)


@pytest.mark.parametrize(
    "model",
    [
        HybridMemoryForecaster(layers=1, **QUARTER),
        HybridMemoryInterpolator(layers=1, **QUARTER),
        IrregularForecaster("gru-d", **QUARTER),
    ],
    ids=lambda model: type(model).__name__,
)
def test_networks(model, monkeypatch):
    """Training records first, validation records second: six groups and two, without a common one."""
    kind, seen = type(model), []
    samples = kind._samples

    def remember(self, X, y, training):
        seen.append(set(X.groups))
        return samples(self, X, y, training)

    monkeypatch.setattr(kind, "_samples", remember)
    model.fit(*lesson(model))
    trained, held = seen
    assert (len(trained), len(held)) == (6, 2)
    assert trained.isdisjoint(held)


@pytest.mark.parametrize("kind", [BoostedTreesForecaster, BoostedTreesInterpolator])
def test_boosted_trees(kind):
    """A quarter of the groups is held out whole; without groups, a quarter of the records."""
    for seed in range(3):
        model = kind(max_iter=2, validation_fraction=0.25, random_state=seed)
        held = model.fit(*lesson(model)).held_out_records_
        assert len(held) == 6
        assert set(GROUPS[held]).isdisjoint(np.delete(GROUPS, held))
    singly = model.fit(*lesson(model, None)).held_out_records_
    assert len(singly) == 6
    assert len(set(GROUPS[singly])) > 2


def test_boosted_trees_stop_within_a_single_group():
    """There is no other group to hold out: single records decide the rounds as they do without groups."""
    one, none = (BoostedTreesForecaster(max_iter=2, validation_fraction=0.25, random_state=0) for _ in range(2))
    one.fit(*lesson(one, np.zeros(N_RECORDS, dtype=int)))
    none.fit(*lesson(none, None))
    np.testing.assert_array_equal(one.held_out_records_, none.held_out_records_)
    assert len(one.held_out_records_) == 6


@pytest.mark.parametrize(
    ("groups", "fraction", "counts"),
    [
        ("a" * 11 + "b", 0.15, {1}),
        ("a" * 11 + "b", 0.95, {1, 11}),
        ("a" * 6 + "b" * 6, 0.15, {6}),
        ("aabbccddeeff", 0.25, {2, 4}),
        ("abc", 0.01, {1}),
        ("aaa", 0.9, {2}),
        ("a", 0.5, {0}),
    ],
)
def test_share_of_records(groups, fraction, counts):
    """Whole groups that come nearest to the share of records, one at least, and never all."""
    names = np.array(list(groups))
    drawn = [
        held_out(np.arange(len(names)), names, fraction, np.random.RandomState(seed), at_least_one=True)
        for seed in range(20)
    ]
    assert {len(held) for held in drawn} <= counts
    if len(names) > 1:
        assert len({tuple(held) for held in drawn}) > 1 or counts == {1}


def test_calibration():
    """Intervals are calibrated on groups that the forecaster has not seen."""
    model = ConformalForecaster(LastValueForecaster(), calibration_fraction=0.25, random_state=0)
    held = model.fit(*lesson(model)).calibration_records_
    assert len(held) == 6
    assert set(GROUPS[held]).isdisjoint(np.delete(GROUPS, held))
