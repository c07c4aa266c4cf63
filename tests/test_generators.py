"""Generated data: the truth is what it says, and there is something to learn."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from cndts import datasets
from cndts.datasets import make_icu, make_oscillators
from cndts.datasets._icu_dynamics import STATES, derivative, draw_patients, drive


@pytest.fixture(scope="module")
def icu():
    return make_icu(400, random_state=0, return_truth=True)


MAKERS = pytest.mark.parametrize("make", [make_icu, make_oscillators])


@MAKERS
def test_seeds_decide_everything(make):
    one, again, other = make(12, random_state=3), make(12, random_state=3), make(12, random_state=4)

    np.testing.assert_array_equal(one.value, again.value)
    np.testing.assert_array_equal(one.time, again.time)
    assert one.n_events != other.n_events


@MAKERS
def test_without_noise_the_observations_lie_on_the_truth(make):
    panel, truth = make(20, noise=0.0, return_truth=True)

    np.testing.assert_allclose(panel.value, truth(panel.record, panel.channel, panel.time), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", sorted({n for n in datasets.__all__ if n.startswith("make_")} - {"make_physiome"}))
@pytest.mark.parametrize(("n_records", "error"), [(-1, ValueError), (2.5, TypeError), ("a", TypeError)])
def test_counts_that_are_none(name, n_records, error):
    with pytest.raises(error, match=f"n_records must be a whole number of 0 or more; got {n_records!r}"):
        getattr(datasets, name)(n_records)


@MAKERS
@pytest.mark.parametrize("n_records", [0, 1])
def test_few_records(make, n_records):
    assert len(make(n_records)) == n_records


@MAKERS
def test_the_truth_broadcasts_and_knows_its_limits(make):
    panel, truth = make(5, return_truth=True)
    times = np.linspace(0, truth.duration, 7)
    table = truth(np.arange(5)[:, None, None], np.arange(len(panel.channels))[:, None], times)

    assert table.shape == (5, len(panel.channels), 7)
    np.testing.assert_array_equal(table[2, 1], truth(2, panel.channels[1], times))
    assert truth(0, 0, 0.0).shape == ()
    with pytest.raises(ValueError, match=r"known from 0 to .*; got times from 0 to 1000"):
        truth(0, 0, [0.0, 1000.0])
    with pytest.raises(ValueError, match="known from 0"):
        truth(0, 0, np.nan)
    with pytest.raises(ValueError, match="unknown channels 'Foo'; there are"):
        truth(0, "Foo", 0.0)


# ---- oscillators ---------------------------------------------------------------------------------


def test_oscillators_solve_their_differential_equation():
    """One mode obeys x'' + 2 g x' + (w^2 + g^2) x = 0."""
    _, truth = make_oscillators(6, n_modes=1, return_truth=True)
    h, t = 1e-3, np.linspace(0.1, 9.9, 50)
    for record in range(6):
        before, now, after = (truth(record, "x0", t + shift) for shift in (-h, 0, h))
        g, w = truth.decay[record, 0], truth.frequency[record, 0]
        residual = (after - 2 * now + before) / h**2 + g * (after - before) / h + (w**2 + g**2) * now
        np.testing.assert_allclose(residual, 0, atol=1e-3)


def test_oscillator_sizes():
    panel = make_oscillators(200, n_channels=3, n_observations=40, noise=0.3)
    truth = make_oscillators(200, n_channels=3, n_observations=40, noise=0.3, return_truth=True)[1]

    assert panel.channels == ("x0", "x1", "x2")
    assert panel.n_events / 600 == pytest.approx(40, rel=0.05)
    assert (panel.value - truth(panel.record, panel.channel, panel.time)).std() == pytest.approx(0.3, rel=0.05)


# ---- ICU -----------------------------------------------------------------------------------------


def test_the_curves_solve_the_equations():
    """Against scipy at tight tolerances, on and between grid points."""
    panel, truth = make_icu(3, random_state=5, return_truth=True)
    who = draw_patients(3, np.random.default_rng(5))
    start = np.concatenate([who.set_point, np.zeros((3, 3))]).ravel()
    times = np.linspace(0, 48, 333)

    def field(t, flat):
        return derivative(t, flat.reshape(len(STATES), 3), who, drive(t, who)).ravel()

    exact = solve_ivp(field, (-12, 48), start, t_eval=times, rtol=1e-9, atol=1e-9).y.reshape(len(STATES), 3, -1)
    for channel, name in enumerate(panel.channels):
        np.testing.assert_allclose(truth(np.arange(3)[:, None], name, times), exact[channel], rtol=2e-4)


def test_the_truth_is_smooth(icu):
    _, truth = icu
    times = np.linspace(0, 48, 4801)
    slope = np.diff(truth(np.arange(20)[:, None], "MAP", times), axis=1) / 0.01

    assert np.abs(np.diff(slope, axis=1)).max() < 0.02 * np.ptp(slope)


def test_values_are_plausible(icu):
    panel, truth = icu
    grid = np.linspace(0, 48, 97)
    ranges = {
        "HR": (30, 200),
        "MAP": (30, 130),
        "RespRate": (6, 50),
        "Temp": (35, 41.5),
        "SpO2": (80, 101),
        "Lactate": (0.3, 15),
        "Creatinine": (0.2, 10),
        "Glucose": (40, 400),
    }
    assert panel.channels == tuple(ranges)
    for name, (low, high) in ranges.items():
        curves = truth(np.arange(len(panel))[:, None], name, grid)
        assert low < curves.min() and curves.max() < high, name


def test_sampling_is_irregular_and_informative(icu):
    """Vital signs every half to two hours, laboratory values every six to twelve, more in the sick."""
    panel, truth = icu
    gaps = {}
    for name in ("HR", "Creatinine"):
        rows = panel.channel == panel.channels.index(name)
        same = np.diff(panel.record[rows]) == 0
        gaps[name] = np.diff(panel.time[rows])[same]
    assert 0.5 < np.median(gaps["HR"]) < 2
    assert 6 < np.median(gaps["Creatinine"]) < 12
    assert gaps["HR"].std() > 0.4 * gaps["HR"].mean()

    fever = truth(np.arange(len(panel))[:, None], "Temp", np.linspace(0, 48, 97)).mean(axis=1)
    assert np.corrcoef(fever, np.diff(panel.offsets))[0, 1] > 0.2
    lactate = np.bincount(panel.record[panel.channel == panel.channels.index("Lactate")], minlength=len(panel))
    assert 0.1 < (lactate == 0).mean() < 0.5
    assert fever[lactate == 0].mean() < fever[lactate > 0].mean()


def test_times_are_minutes_and_never_repeat(icu):
    panel, _ = icu
    minutes = panel.time * 60

    np.testing.assert_allclose(minutes, np.rint(minutes), atol=1e-9)
    keys = np.stack([panel.record, np.rint(minutes).astype(int), panel.channel])
    assert len(np.unique(keys, axis=1).T) == panel.n_events


def test_deaths_are_rare_and_follow_the_illness(icu):
    panel, truth = icu
    died = panel.outcomes["In-hospital_death"].to_numpy() == 1
    lactate = truth(np.arange(len(panel)), "Lactate", 48.0)

    assert 0.08 < died.mean() < 0.25
    assert lactate[died].mean() > lactate[~died].mean() + 0.2
    assert list(panel.static.columns) == ["Age", "Gender", "ICUType"]


def test_the_future_can_be_predicted_much_better_than_by_the_last_value(icu):
    """The noise floor leaves room: at most a third of the last value's error in every channel."""
    panel, truth = icu
    for channel, name in enumerate(panel.channels):
        error, floor = _errors_after_a_day(panel, truth, channel)
        assert floor < error / 3, name


def _errors_after_a_day(panel, truth, channel):
    rows = panel.channel == channel
    past, future = rows & (panel.time < 24), rows & (panel.time >= 24)
    last = np.full(len(panel), np.nan)
    last[panel.record[past]] = panel.value[past]  # the latest assignment of a record stays
    known = np.isfinite(last[panel.record[future]])
    record, time, value = (each[future][known] for each in (panel.record, panel.time, panel.value))
    return np.mean((value - last[record]) ** 2), np.mean((value - truth(record, channel, time)) ** 2)


def test_other_channels_help():
    """A linear forecast four hours ahead of the true past has at most 0.6 of the error with all channels in it."""
    panel, truth = make_icu(800, random_state=1, return_truth=True)
    record, hours = np.arange(800)[:, None], np.array([12.0, 16.0, 20.0, 24.0])
    past = [truth(record, name, hours) for name in panel.channels]
    for channel, name in enumerate(panel.channels):
        y = truth(record, name, [28.0])[:, 0]
        assert _unexplained(np.hstack(past), y) < 0.6 * _unexplained(past[channel], y), name


def _unexplained(x, y):
    """Mean squared error of least squares on the second half of the records."""
    x = np.hstack([np.ones((len(x), 1)), x])
    half = len(x) // 2
    weights = np.linalg.lstsq(x[:half], y[:half], rcond=None)[0]
    return np.mean((y[half:] - x[half:] @ weights) ** 2)
