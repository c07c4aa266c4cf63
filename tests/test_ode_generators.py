"""Generated differential equations: the solution agrees with scipy, with closed forms and with what is conserved."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.integrate._ivp.rk import RK45

from cndts.datasets import _dormand_prince as pair
from cndts.datasets import make_hodgkin_huxley, make_lorenz, make_lotka_volterra, make_pendulum, make_spirals
from cndts.datasets._dormand_prince import integrate
from cndts.datasets._hodgkin_huxley import rates

ODES = [make_lotka_volterra, make_hodgkin_huxley, make_pendulum, make_lorenz]
every_maker = pytest.mark.parametrize("make", [*ODES, make_spirals])


def brief(make):
    """Spikes are slow to solve: as long as the shape of the test allows."""
    return {"duration": 20.0} if make is make_hodgkin_huxley else {}


# ---- what all of them promise --------------------------------------------------------------------


@every_maker
def test_seeds_decide_everything(make):
    one, again, other = (make(4, n_observations=8, random_state=seed, **brief(make)) for seed in (3, 3, 4))

    assert one.equals(again)
    assert not one.equals(other)


@every_maker
def test_without_noise_the_observations_lie_on_the_truth(make):
    panel, truth = make(4, noise=0.0, n_observations=8, return_truth=True, **brief(make))

    np.testing.assert_allclose(panel.value, truth(panel.record, panel.channel, panel.time), rtol=1e-5, atol=1e-5)


@every_maker
@pytest.mark.parametrize("n_records", [0, 1])
def test_few_records(make, n_records):
    assert len(make(n_records, n_observations=3, **brief(make))) == n_records


@every_maker
def test_the_truth_broadcasts_and_knows_its_limits(make):
    _, truth = make(4, n_observations=3, return_truth=True, **brief(make))
    times = np.linspace(0, truth.duration, 7)
    table = truth(np.arange(4)[:, None, None], np.arange(len(truth.channels))[:, None], times)

    assert table.shape == (4, len(truth.channels), 7)
    np.testing.assert_array_equal(table[2, 1], truth(2, truth.channels[1], times))
    assert truth(0, 0, 0.0).shape == ()
    with pytest.raises(ValueError, match=r"known from 0 to .*; got times from 0 to 1000"):
        truth(0, 0, [0.0, 1000.0])
    with pytest.raises(ValueError, match="unknown channels 'Foo'; there are"):
        truth(0, "Foo", 0.0)


@every_maker
def test_wrong_sizes_are_refused(make):
    with pytest.raises(ValueError, match="0 or more and a positive duration; got 2, -1"):
        make(2, n_observations=-1)


# ---- the solver ----------------------------------------------------------------------------------


def test_the_coefficients_are_those_of_scipy():
    np.testing.assert_array_equal(pair.DENSE, RK45.P)
    np.testing.assert_array_equal(pair.ERROR, RK45.E)
    np.testing.assert_array_equal(pair.B, RK45.B)
    for row, theirs in zip(pair.A[1:], RK45.A[1:], strict=True):
        np.testing.assert_array_equal(row, theirs[: len(row)])


def rotation(t, x, record):
    """Angular velocity 1, 2, 3, ... by record."""
    return (record + 1) * np.stack([-x[1], x[0]])


def test_a_rotation_has_its_closed_form_on_and_between_steps():
    start = np.stack([np.ones(3), np.zeros(3)])
    solved = integrate(rotation, start, 10.0)
    record, times = np.repeat(np.arange(3), 200), np.tile(np.linspace(0, 10, 200), 3)

    states = solved(record, times)
    exact = np.stack([np.cos((record + 1) * times), np.sin((record + 1) * times)])
    np.testing.assert_allclose(states, exact, atol=2e-6)
    assert (np.diff(np.diff(solved.offsets)) > 0).all(), "faster records take more steps"


def test_batches_and_single_records_agree_to_the_last_digits():
    start = np.stack([np.ones(3), np.zeros(3)])
    together = integrate(rotation, start, 5.0)(np.array([2]), np.array([4.9]))
    alone = integrate(lambda t, x, record: rotation(t, x, record + 2), start[:, :1], 5.0)(
        np.array([0]), np.array([4.9])
    )
    np.testing.assert_allclose(together, alone, rtol=1e-9)


def test_errors_follow_the_tolerance():
    start = np.stack([np.ones(1), np.zeros(1)])
    errors = []
    for rtol in (1e-4, 1e-6, 1e-8):
        end = integrate(rotation, start, 10.0, rtol=rtol, atol=rtol)(np.array([0]), np.array([10.0]))[:, 0]
        errors.append(np.abs(end - [np.cos(10), np.sin(10)]).max())

    assert errors[0] > 10 * errors[1] > 100 * errors[2]


def test_a_solution_that_explodes_is_an_error():
    with pytest.raises(FloatingPointError, match="cannot be continued|are not done"), np.errstate(all="ignore"):
        integrate(lambda t, x, record: x**2, np.ones((1, 1)), 2.0)


# ---- against scipy -------------------------------------------------------------------------------


def scipy_states(field, start, times):
    return solve_ivp(field, (0, times[-1]), start, method="DOP853", t_eval=times, rtol=1e-11, atol=1e-11).y


def test_lotka_volterra_solves_its_equations_and_conserves_its_quantity():
    _, truth = make_lotka_volterra(3, return_truth=True)
    times = np.linspace(0, 20, 50)
    for record in range(3):
        a, b, d, g = (truth.parameters[name][record] for name in ("alpha", "beta", "delta", "gamma"))
        x, y = truth(record, "prey", times), truth(record, "predators", times)
        exact = scipy_states(
            lambda t, s, a=a, b=b, d=d, g=g: [a * s[0] - b * s[0] * s[1], d * s[0] * s[1] - g * s[1]],
            [x[0], y[0]],
            times,
        )
        np.testing.assert_allclose([x, y], exact, rtol=2e-6)
        conserved = d * x - g * np.log(x) + b * y - a * np.log(y)
        assert np.ptp(conserved) < 1e-6 * np.abs(conserved).max()


def test_lorenz_solves_its_equations_and_stays_on_the_attractor():
    _, truth = make_lorenz(3, rho_spread=2.0, return_truth=True)
    times = np.linspace(0, 4, 60)
    for record in range(3):
        rho, start = truth.parameters["rho"][record], [truth(record, name, 0.0) for name in "xyz"]
        exact = scipy_states(
            lambda t, s, rho=rho: [10 * (s[1] - s[0]), s[0] * (rho - s[2]) - s[1], s[0] * s[1] - 8 / 3 * s[2]],
            start,
            times,
        )
        np.testing.assert_allclose([truth(record, name, times) for name in "xyz"], exact, atol=1e-4)
    assert np.ptp(truth.parameters["rho"]) > 0
    with pytest.raises(ValueError, match="rho_spread must lie between 0 and 3.*got 5"):
        make_lorenz(1, rho_spread=5)


def test_the_pendulum_solves_its_equation_and_loses_energy_by_friction_alone():
    times = np.linspace(0, 10, 60)
    _, truth = make_pendulum(3, return_truth=True)
    for record in range(3):
        pull, c = 9.81 / truth.parameters["length"][record], truth.parameters["friction"][record]
        start = [truth(record, "angle", 0.0), truth(record, "velocity", 0.0)]
        exact = scipy_states(lambda t, s, pull=pull, c=c: [s[1], -pull * np.sin(s[0]) - c * s[1]], start, times)
        np.testing.assert_allclose(truth(record, "angle", times), exact[0], atol=2e-6)
        np.testing.assert_allclose(truth(record, "sin", times), np.sin(exact[0]), atol=2e-6)
    _, free = make_pendulum(5, friction=0.0, return_truth=True)
    who, pull = np.arange(5)[:, None], 9.81 / free.parameters["length"][:, None]
    energy = free(who, "velocity", times) ** 2 / 2 - pull * free(who, "cos", times)
    np.testing.assert_allclose(energy, energy[:, :1] * np.ones(60), atol=1e-5)
    with pytest.raises(ValueError, match="friction must be 0 or more; got -1"):
        make_pendulum(1, friction=-1)


def test_the_neuron_solves_its_equations():
    _, truth = make_hodgkin_huxley(2, duration=30.0, return_truth=True)
    times = np.linspace(0, 30, 60)
    for record in range(2):

        def field(t, s, record=record):
            v, *gates = s
            m, h, n = gates
            current = truth(record, "I", np.clip(t, 0, 30))
            ionic = 120 * m**3 * h * (v - 50) + 36 * n**4 * (v + 77) + 0.3 * (v + 54.387)
            changes = (a * (1 - x) - b * x for x, (a, b) in zip(gates, rates(np.array(v)), strict=True))
            return [current - ionic, *changes]

        start = [truth(record, name, 0.0) for name in "Vmhn"]
        exact = solve_ivp(field, (0, 30), start, t_eval=times, rtol=1e-7, atol=1e-7, max_step=0.5).y
        np.testing.assert_allclose(truth(record, "V", times), exact[0], atol=0.02)
        np.testing.assert_allclose(truth(record, "n", times), exact[3], atol=2e-4)


def test_strong_currents_make_the_neuron_fire_and_weak_ones_do_not():
    _, truth = make_hodgkin_huxley(20, n_observations=1, return_truth=True)
    second = truth.parameters["I_2"]
    late = truth(np.arange(20)[:, None], "V", np.linspace(90, 100, 200)).max(axis=1)

    assert (late[second < 4] < 0).all()
    assert (truth(np.arange(20)[:, None], "V", np.linspace(0, 100, 500)).max(axis=1)[second > 9] > 20).all()
    assert truth(0, "V", 0.0) == -65.0


@pytest.mark.parametrize("gate", [0, 2])
def test_rates_are_continuous_where_their_formula_is_0_over_0(gate):
    """Alpha of m at 25 mV and of n at 10 mV above rest."""
    at = np.array([-40.0, -55.0])[gate // 2]
    around = rates(at + np.array([-1e-5, 0.0, 1e-5]))[gate][0]

    assert np.ptp(around) < 1e-5


# ---- spirals -------------------------------------------------------------------------------------


def test_spirals_turn_the_way_they_say():
    panel, truth = make_spirals(20, noise=0.0, return_truth=True)
    who, t = np.arange(20)[:, None], np.linspace(0, 18, 400)
    x, y = (truth(who, name, t) - truth.centre[i][:, None] for i, name in enumerate("xy"))
    angle, radius = np.unwrap(np.arctan2(y, x), axis=1), np.hypot(x, y)
    turns = np.sign(angle[:, -1] - angle[:, 0])

    clockwise = panel.outcomes["clockwise"].to_numpy() == 1
    np.testing.assert_array_equal(turns == -1, clockwise)
    np.testing.assert_array_equal(radius[:, -1] < radius[:, 0], clockwise)
    np.testing.assert_allclose(np.abs(angle[:, -1] - angle[:, 0]), 18, rtol=1e-9)
    assert clockwise.sum() == 10
