"""Protocols on simulated data: Physiome-ODE's steps, pendulums, spirals."""

import numpy as np
import pytest

from cndts import IrregularPanel, protocol
from cndts.datasets import make_physiome
from cndts.protocols import _physiome_ode
from cndts.protocols._physiome_ode import gradient_deviation

PARTS = ("train", "validation", "test")


# ---- Physiome-ODE ------------------------------------------------------------------------------------


def joined(split):
    """All context events and targets by record id, time and channel."""
    found = [{}, {}]
    for part in PARTS:
        for place, side in zip(found, getattr(split, part), strict=True):
            ids = side.records[side.record]
            place |= {
                (i, round(float(t), 6), int(c)): float(v)
                for i, t, c, v in zip(ids, side.time, side.channel, side.value, strict=True)
            }
    return found


def test_steps_of_physiome_ode(panels):
    """Scale, noise, share of values, cut, channels and rows as described."""
    panel = panels.trajectories(200)
    split = protocol("physiome-ode").split(panel)
    values, times = panel.to_array()
    flat = values.reshape(-1, 12).astype(float)
    clean = (values - flat.mean(axis=0)) / flat.std(axis=0, ddof=1)
    context, targets = joined(split)
    noise = {place: v - clean[place[0], np.argmin(abs(times / 8 - place[1])), place[2]] for place, v in context.items()}
    assert np.std(list(noise.values())) == pytest.approx(0.05, rel=0.1)
    assert max(t for _, t, _ in context) == 0.5
    assert min(t for _, t, _ in targets) > 0.5
    assert max(t for _, t, _ in targets) < 1
    steps = np.diff(clean, axis=1)
    scores = [steps[:, :, c].std(axis=1).mean() * steps[:, :, c].std(axis=0).mean() for c in range(12)]
    np.testing.assert_allclose(gradient_deviation(clean), scores)
    assert {c for _, _, c in targets} == set(np.argsort(scores)[2:].tolist())
    # of 12 values each seen with chance 0.2, an odd number: (1 - 0.6 ** 12) / 2 of the rows, of 200 records and 21 times
    rows = {(i, t) for i, t, _ in context}
    assert len(rows) == pytest.approx((1 - 0.6**12) / 2 * 200 * 21, rel=0.05)
    counts = np.unique([hash(row) for row in ((i, t) for i, t, _ in context)], return_counts=True)[1]
    assert (counts % 2 == 1).all()
    assert [len(getattr(split, part)[0]) for part in PARTS] == [140, 40, 20]


def test_rows_as_they_were_meant(panels):
    """With any number of values; more rows, and even counts among them."""
    panel = panels.trajectories()
    odd, everything = (joined(protocol("physiome-ode", rows=rows).split(panel))[0] for rows in ("odd", "any"))
    assert set(odd) < set(everything)


def test_folds_are_other_draws(panels):
    """The same data, other noise, values and parts; the same fold is the same."""
    panel = panels.trajectories()
    first, again, other = (protocol("physiome-ode", fold=fold).split(panel) for fold in (0, 0, 1))
    assert first.train[0].value.tobytes() == again.train[0].value.tobytes()
    assert first.records.test.tolist() != other.records.test.tolist()


def test_extreme_instances_drop_out(panels):
    """Beyond ten deviations of the channel; constant channels do no harm."""
    panel = panels.trajectories(300, 3)
    values, times = panel.to_array()
    values = values.copy()
    values[7, 3, 1] = 1e3
    values[:, :, 2] = 5.0
    other = IrregularPanel.from_array(values, times, time_unit="s")
    split = protocol("physiome-ode").split(other)
    assert 7 not in split.records.train.append(split.records.validation).append(split.records.test)
    assert sum(len(getattr(split, part)[0]) for part in PARTS) == 299


def test_trajectories_must_be_complete(panels):
    """A hole is counted."""
    panel = panels.trajectories(10)
    holed = panel.where(np.arange(panel.n_events) != 5)
    with pytest.raises(ValueError, match=r"41 different times and lacks 1 values of 4920"):
        protocol("physiome-ode").split(holed)


def test_named_sets_of_physiome_ode_are_simulated(monkeypatch):
    """All 2,000 records; a set that has results but no model here asks for files."""
    asked = []
    monkeypatch.setattr(_physiome_ode, "make_physiome", lambda *call: asked.append(call))
    protocol("physiome-ode", data_set="LEN02", fold=3).generate()
    assert asked == [("LEN02",)]
    with pytest.raises(ValueError, match=r"is about published data; .*with data_set, CAL01, DUP01, .* are simulated"):
        protocol("physiome-ode", data_set="WOD01").generate()
    assert len(protocol("physiome-ode", data_set="WOD01").published()) == 6


@pytest.mark.parametrize("ending", ["", " in component somewhere (millimolar)"])
def test_targets_of_known_sets_are_those_of_the_source(ending):
    """Under names as simulated and as in the source's files; by score where the set is not named."""
    panel = make_physiome("WOL03", 30)
    values, times = panel.to_array()
    named = IrregularPanel.from_array(values, times, channels=[name + ending for name in panel.channels])
    known, scored = (protocol("physiome-ode", data_set=name).split(named).train[1] for name in ("WOL03", None))
    targets, by_score = ({panel.channels[c] for c in np.unique(part.channel)} for part in (known, scored))
    assert set(panel.channels) - targets == {"aps", "hyd", "cys"}
    assert len(by_score) == 10
    assert by_score != targets


def test_a_constant_is_as_good_as_published():
    """Sleep and waking, where GraFITi-C, the best constant in time that a network finds, errs by 0.345 (0.015)."""
    rules = protocol("physiome-ode", data_set="PHI01")
    _, y = rules.split(make_physiome("PHI01", 300)).train
    one = y.record * len(y.channels) + y.channel
    count = np.bincount(one)
    mean = np.bincount(one, y.value) / np.maximum(count, 1)
    best = np.mean((y.value - mean[one])[count[one] > 1] ** 2)
    assert 0.15 < best < 0.345 < np.mean(y.value**2)


# ---- pendulums ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def swinging():
    rules = protocol("cru/pendulum", n_train=10, n_test=4)
    return rules, rules.generate()


def test_pendulums_swing_and_are_painted(swinging):
    """Energy falls slowly from rest, the rod points where sine and cosine say, the first pictures are clear."""
    _, panel = swinging
    values = panel.value.reshape(14, 50, 578).astype(float)
    times = panel.time.reshape(14, 50, 578)[:, :, 0]
    sine, cosine = values[:, :, -2], values[:, :, -1]
    np.testing.assert_allclose(sine**2 + cosine**2, 1, atol=1e-5)
    angle = np.unwrap(np.arctan2(sine, cosine), axis=1)
    # one second: small swings of a rod of one metre take 2 pi / sqrt(3 g / 2 l) = 1.6 s... with kicks of 0.1 rad/s
    assert (abs(np.gradient(angle, axis=1) / np.gradient(times, axis=1)) < 0.2).all()
    clear = times < 5
    column, row = np.meshgrid(np.arange(24) - 11.5, np.arange(24) - 11.5)
    picture = values[:, :, :-2]
    lit = picture.sum(axis=2)
    towards = (picture @ column.ravel() / lit, picture @ row.ravel() / lit)
    np.testing.assert_allclose(np.arctan2(*towards)[clear], np.arctan2(sine, cosine)[clear], atol=0.1)
    assert lit[clear].mean() < 0.2 * 576 < lit[~clear].max()
    assert values[:, :, :-2].min() >= 0
    assert values[:, :, :-2].max() <= 1


def test_half_of_the_steps_of_every_sequence(swinging):
    """Fifty of a hundred, each sequence its own."""
    _, panel = swinging
    kept = [np.unique(panel[i].time) for i in range(14)]
    assert {len(each) for each in kept} == {50}
    assert len({each.tobytes() for each in kept}) == 14


def test_pendulum_parts(swinging):
    """Pictures in, sine and cosine out, at the same steps; every fifth training sequence chooses."""
    rules, panel = swinging
    split = rules.split(panel)
    assert split.records.validation.tolist() == [4, 9]
    assert split.records.test.tolist() == [10, 11, 12, 13]
    X, y = split.test
    assert set(np.unique(X.channel)) == set(range(576))
    assert {y.channels[c] for c in np.unique(y.channel)} == {"sin", "cos"}
    assert np.unique(y[0].time).tolist() == np.unique(X[0].time).tolist()
    with pytest.raises(
        ValueError, match=r"needs 10 \+ 4 records with the channels sin and cos; got 13 records, with both"
    ):
        rules.split(panel[:13])


# ---- spirals -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def curves():
    rules = protocol("contiformer/spirals")
    return rules, rules.generate()


def test_two_kinds_of_spirals(curves):
    """Radii as in the formula: rising by b a radian, or 50 b over what is left."""
    _, panel = curves
    values, time = panel.to_array()
    unwinds = np.abs(values[:, 0] - [5, 0]).max(axis=1) < 1  # they start in their centre
    assert 100 < unwinds.sum() < 200
    radius = np.hypot(values[..., 0] - np.where(unwinds, 5, -5)[:, None], values[..., 1])
    expected = 0.3 * np.where(unwinds[:, None], time, 50 / (1 + time))
    slope = (radius * expected).sum(axis=1) / (expected**2).sum(axis=1)
    assert slope.mean() == pytest.approx(1, abs=0.02)
    assert slope.std() * 0.3 == pytest.approx(0.02, rel=0.3)


def test_points_seen_and_asked_for(curves):
    """Fifty of the first 75 points, the same for all, with noise; the whole clean curve as target."""
    rules, panel = curves
    split = rules.split(panel)
    assert [len(getattr(split, part)[0]) for part in PARTS] == [180, 20, 100]
    times = {np.unique(X[i].time).tobytes() for X, _ in map(split.__getattribute__, PARTS) for i in range(0, len(X), 9)}
    assert len(times) == 1
    X, y = split.test
    assert len(np.unique(X.time)) == 50
    assert X.time.max() < panel.time.max() / 2
    raw = y.value * split.scale[y.channel] + split.offset[y.channel]
    np.testing.assert_allclose(raw, panel[200:].value, atol=1e-5)
    seen = np.isin(y.time, X.time)
    noise = (X.value - y.value[seen]) * split.scale[X.channel]
    assert noise.std() == pytest.approx(0.05, rel=0.05)


def test_root_of_the_mean_squared_distance(curves):
    """Both coordinates added, over the curve and its halves."""
    rules, panel = curves
    _, y = rules.split(panel).test
    late = y.time > panel.time.max() / 2
    score = rules.score(y, y.value + np.where(late, 4.0, 3.0) * np.where(y.channel == 0, 1.0, 0.0))
    assert score["rmse_interpolation"] == pytest.approx(3, rel=1e-5)
    assert score["rmse_extrapolation"] == pytest.approx(4, rel=1e-5)
    assert score["rmse"] == pytest.approx(np.sqrt(12.5), rel=1e-5)


def test_other_curves_are_refused(curves):
    """Holes and short curves."""
    rules, panel = curves
    with pytest.raises(
        ValueError, match=r"10 or more complete curves .* got 300 records, 2 channels, 150 times, 89999"
    ):
        rules.split(panel.where(np.arange(panel.n_events) > 0))
