"""Missingness mechanisms: as much is lost as was asked, where it was asked, and they tell what they did."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cndts import IrregularPanel
from cndts.datasets import make_oscillators
from cndts.missingness import (
    censor_values,
    drift_clocks,
    drop_at_random,
    drop_bursts,
    drop_dead_sensors,
    drop_informative,
)

DROPPERS = {
    "at random": lambda panel, seed, **options: drop_at_random(panel, 0.3, random_state=seed, **options),
    "informative": lambda panel, seed, **options: drop_informative(panel, 0.3, random_state=seed, **options),
    "bursts": lambda panel, seed, **options: drop_bursts(panel, 2, length=1.0, random_state=seed, **options),
    "dead sensors": lambda panel, seed, **options: drop_dead_sensors(panel, 0.3, random_state=seed, **options),
    "drift": lambda panel, seed, **options: drift_clocks(panel, 0.1, random_state=seed, **options),
}
every_mechanism = pytest.mark.parametrize("lose", DROPPERS.values(), ids=DROPPERS)


@pytest.fixture(scope="module")
def panel() -> IrregularPanel:
    return make_oscillators(200, n_channels=3, random_state=0).with_queries(11.0)


# ---- what all of them promise --------------------------------------------------------------------


@every_mechanism
def test_seeds_decide_everything(panel, lose):
    assert lose(panel, 1).equals(lose(panel, 1))
    assert not lose(panel, 1).equals(lose(panel, 2))


@every_mechanism
def test_only_chosen_channels_are_touched(panel, lose):
    spoilt = lose(panel, 0, channels="x1")

    for name, same in (("x0", True), ("x1", False), ("x2", True)):
        at = panel.channels.index(name)
        before, after = (each.time[each.channel == at] for each in (panel, spoilt))
        assert np.array_equal(before, after) is same, name


@every_mechanism
def test_records_channels_and_queries_stay(panel, lose):
    spoilt = lose(panel, 0)

    assert spoilt.records.equals(panel.records)
    assert spoilt.channels == panel.channels
    assert spoilt.queries is panel.queries


@every_mechanism
def test_nothing_to_lose_is_fine(lose):
    empty = IrregularPanel([0, 0, 1, 1], [1.0], [0], [2.0], channels=["a", "b"])

    assert len(lose(empty, 0)) == 3
    assert len(lose(empty[:0], 0)) == 0


@every_mechanism
def test_unknown_channels_are_refused(panel, lose):
    with pytest.raises(ValueError, match=r"unknown channels \['HR'\]; the panel has \['x0', 'x1', 'x2'\]"):
        lose(panel, 0, channels=["x0", "HR"])


@pytest.mark.parametrize("lose", [DROPPERS[name] for name in ("at random", "informative", "bursts")])
def test_the_mask_says_which_events_are_left(panel, lose):
    left, kept = lose(panel, 0, return_truth=True)

    np.testing.assert_array_equal(left.time, panel.time[kept])
    np.testing.assert_array_equal(left.record, panel.record[kept])


# ---- at random -----------------------------------------------------------------------------------


@settings(max_examples=15)
@given(share=st.floats(0, 1))
def test_the_share_is_kept(panel, share):
    _, kept = drop_at_random(panel, share, return_truth=True)

    assert 1 - kept.mean() == pytest.approx(share, abs=0.02)


def test_shares_by_channel(panel):
    _, kept = drop_at_random(panel, {"x0": 0.5, "x2": 1.0}, return_truth=True)
    lost = 1 - np.bincount(panel.channel, kept) / np.bincount(panel.channel)

    np.testing.assert_allclose(lost, [0.5, 0.0, 1.0], atol=0.03)


def test_whole_visits_are_lost_together():
    n = 400
    panel = IrregularPanel([0, 2 * n, 4 * n], np.tile(np.repeat(np.arange(n), 2), 2), [0, 1] * 2 * n, np.zeros(4 * n))
    _, kept = drop_at_random(panel, 0.5, visits=True, return_truth=True)

    np.testing.assert_array_equal(kept[::2], kept[1::2])
    assert 0.4 < kept.mean() < 0.6
    assert (kept[: 2 * n] != kept[2 * n :]).any(), "records have draws of their own"
    with pytest.raises(ValueError, match="lost with one probability; got shares by channel"):
        drop_at_random(panel, {"x0": 0.5}, visits=True)


@pytest.mark.parametrize("share", [-0.1, 1.5, np.nan])
@pytest.mark.parametrize("drop", [drop_at_random, drop_informative, drop_dead_sensors])
def test_shares_are_checked(panel, drop, share):
    with pytest.raises(ValueError, match="share must lie between 0 and 1; got"):
        drop(panel, share)


# ---- informative ---------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [-3.0, 0.0, 3.0])
def test_informative_loss_has_the_share_and_the_direction(panel, strength):
    left, kept = drop_informative(panel, 0.4, strength=strength, return_truth=True)
    shift = np.sign(strength) * (left.value.mean() - panel.value.mean())

    assert 1 - kept.mean() == pytest.approx(0.4, abs=0.02)
    assert shift > 0.2 if strength else abs(left.value.mean() - panel.value.mean()) < 0.05


def test_the_chance_is_the_logistic_one(panel):
    """Between two values of z, log odds of the loss differ by the strength times their distance."""
    values = np.tile([-1.0, 1.0], 10_000)
    two = IrregularPanel([0, 20_000], np.arange(20_000), np.zeros(20_000, int), values)
    _, kept = drop_informative(two, 0.5, strength=1.0, return_truth=True)
    odds = [np.log(kept[values == v].mean() / (1 - kept[values == v].mean())) for v in (-1, 1)]

    np.testing.assert_allclose(odds, [-1, 1], atol=0.09)


def test_loss_by_the_previous_value_leaves_first_events_at_random():
    """The first of two events knows nothing, the second is lost where the first was low."""
    n = 8_000
    values = np.random.default_rng(0).normal(size=2 * n)
    panel = IrregularPanel(np.arange(n + 1) * 2, np.tile([0.0, 1.0], n), np.zeros(2 * n, int), values)
    _, kept = drop_informative(panel, 0.5, depends_on="previous", strength=2.0, return_truth=True)
    first, second = values[::2], kept[1::2]

    assert abs(np.corrcoef(first, kept[::2])[0, 1]) < 0.04
    assert np.corrcoef(first, second)[0, 1] > 0.5
    with pytest.raises(ValueError, match='depends_on must be "value" or "previous"; got \'next\''):
        drop_informative(panel, depends_on="next")


# ---- bursts and dead sensors ---------------------------------------------------------------------


def test_bursts_are_stretches_of_the_asked_length():
    n = 20_000
    panel = IrregularPanel([0, n], np.arange(n) / 100, np.zeros(n, int), np.zeros(n))
    _, kept = drop_bursts(panel, 20, length=2.0, return_truth=True)
    runs = np.diff(np.flatnonzero(np.diff(kept.astype(int), prepend=1, append=1)))[::2] / 100

    assert 8 <= len(runs) <= 35
    assert 1.0 < runs.mean() < 4.0


def test_channels_fail_together_or_apart():
    n = 5_000
    panel = IrregularPanel([0, 2 * n], np.repeat(np.arange(n) / 100, 2), np.tile([0, 1], n), np.zeros(2 * n))
    together = drop_bursts(panel, 5, length=2.0, return_truth=True)[1]
    apart = drop_bursts(panel, 5, length=2.0, together=False, return_truth=True)[1]

    np.testing.assert_array_equal(together[::2], together[1::2])
    assert (apart[::2] != apart[1::2]).any()
    assert not together.all()
    with pytest.raises(ValueError, match="0 or more, and finite; got 1.0 and -2"):
        drop_bursts(panel, length=-2)


@pytest.mark.parametrize("from_start", [False, True])
def test_dead_sensors_stay_dead(panel, from_start):
    left, death = drop_dead_sensors(panel, 0.4, from_start=from_start, return_truth=True)
    lost = panel.n_events - left.n_events

    assert np.isfinite(death if not from_start else np.where(death == -np.inf, 0, death)).mean() == pytest.approx(
        0.4, abs=0.06
    )
    assert lost == (panel.time >= death[panel.record, panel.channel]).sum() > 0
    assert (left.time < death[left.record, left.channel]).all()


# ---- clocks and limits ---------------------------------------------------------------------------


@pytest.mark.parametrize("per_channel", [False, True])
def test_drifting_clocks_can_be_set_right_again(panel, per_channel):
    drifted, error = drift_clocks(panel, 0.2, 0.05, per_channel=per_channel, return_truth=True)
    record, channel = drifted.record, drifted.channel
    passed = error.true_time - panel.first_time[record]
    shown = error.true_time + error.offset[record, channel] + error.rate[record, channel] * passed

    np.testing.assert_allclose(drifted.time, shown, rtol=1e-12)
    np.testing.assert_array_equal(drifted.value, panel.value[error.row])
    np.testing.assert_array_equal(channel, panel.channel[error.row])
    np.testing.assert_array_equal(record, panel.record[error.row])
    assert ((np.diff(drifted.time) >= 0) | (np.diff(record) > 0)).all()
    assert (np.ptp(error.offset, axis=1) > 0).all() == per_channel
    assert error.offset.std() == pytest.approx(0.2, rel=0.2)
    with pytest.raises(ValueError, match="offset and rate must be 0 or more, and finite; got -1"):
        drift_clocks(panel, -1)


def test_right_clocks_change_nothing(panel):
    assert drift_clocks(panel, 0.0, 0.0).equals(panel)


@pytest.mark.parametrize("drop", [False, True])
def test_censoring_hides_what_lies_beyond(panel, drop):
    shown, side = censor_values(panel, -0.5, {"x1": 0.5}, drop=drop, return_truth=True)
    inside = (panel.value >= -0.5) & ((panel.channel != 1) | (panel.value <= 0.5))

    np.testing.assert_array_equal(side == 0, inside)
    assert shown.n_events == (inside.sum() if drop else panel.n_events)
    assert shown.value.min() >= -0.5
    assert shown.value[shown.channel == 1].max() <= 0.5 < shown.value[shown.channel == 0].max()
    assert set(side[panel.channel == 0]) == {-1, 0}


def test_limits_are_checked(panel):
    with pytest.raises(ValueError, match="lower limit must lie below the upper one; got 2 and 1 for 'x0'"):
        censor_values(panel, 2, 1)


@pytest.mark.parametrize(
    "spoil",
    [
        drop_at_random,
        lambda panel: drop_bursts(panel, 1, length=1.0),
        censor_values,
        drift_clocks,
        drop_dead_sensors,
        drop_informative,
    ],
)
def test_tables_are_refused(panel, spoil):
    with pytest.raises(TypeError, match="panel must be an IrregularPanel; got DataFrame. Build one with"):
        spoil(panel.to_long())
