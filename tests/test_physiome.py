"""Simulated sets of Physiome-ODE: published scores, another solver, draws."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from cndts.datasets import _physiome, make_physiome
from cndts.datasets._physiome import draw, solve
from cndts.datasets._physiome_models import PHYSIOME_MODELS
from cndts.protocols._physiome_ode import gradient_deviation

# resources/Top50_final.csv of the source: constants, then the score of every channel of the first hundred seeds
PUBLISHED = {
    "LEN01": (7, "0.2235362 0.1325191 0.1786129"),
    "LEN02": (12, "0.0009215798 0.003272682 0.03184534"),
    "HOD01": (8, "0.08521681 0.05725387 0.01025199 0.01558683"),
    "PHI01": (17, "0.01840898 0.01984331 0.001505800"),
    "PUR01": (21, "0.09802508 0.04752526 4.844443e-05"),
    "LI01": (20, "0.2300453 0.05101517 0.1302330 0.1521093 9.716997e-07"),
    "WOL03": (
        28,
        (
            "0.007425763 0.002047606 0.001168499 0.001295260 0.001003059 0.0007623464 0.003384736 0.007360370 0.009778919 0.01466240 "
            "0.01124910 0.02481157 0.002414811"
        ),
    ),
    "CAL01": (
        43,
        (
            "0.02470421 1.191788e-05 0.01561371 0.007614464 0.005921408 0.01662282 0.007366006 0 0.003617692 0.003277057 0.02287996 "
            "1.479953e-09 0.0001530112 0 0.008045905 0.009412319 0.01086570"
        ),
    ),
    "DUP01": (13, "2.876234 2.517853"),
    "WOL01": (19, "2.243872 2.351058 1.823958 2.265408 0.9471248 1.745919 1.411923 2.544023 2.419304"),
    "VAN01": (
        38,
        "0.006041895 2.088169 0.04591300 0.01270034 0.1712751 0.007983287 1.496967 0.05202021 0.02001140 0.1651199",
    ),
}
SLOW = {"DUP01", "WOL01", "VAN01"}
every_set = pytest.mark.parametrize("name", sorted(PHYSIOME_MODELS))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in PUBLISHED]
)
def test_channel_scores_are_the_published_ones(name):
    """Equations, constants, their order, spread and seeds, time and solver: anything else gives other digits."""
    model, (n_constants, scores) = PHYSIOME_MODELS[name], PUBLISHED[name]
    times = np.linspace(0, 2 * model.simulated, 200)  # the source scores spans twice as long, from their start
    values = np.stack([solve(model, *draw(model, np.random.RandomState(seed)), times)[:100] for seed in range(100)])
    deviation = values.std(axis=(0, 1))
    values = (values - values.mean(axis=(0, 1))) / np.where(deviation > 0, deviation, 1)
    assert len(model.constants) == n_constants
    np.testing.assert_allclose(gradient_deviation(values), np.array(scores.split(), dtype=float), rtol=2e-5, atol=1e-15)


def test_every_set_has_published_scores():
    """No set comes in without them."""
    assert set(PUBLISHED) == set(PHYSIOME_MODELS)


@every_set
def test_another_solver_agrees(name):
    """Radau of solve_ivp at tolerances of 1e-8, by steps that cannot miss the pulse to the axon."""
    model = PHYSIOME_MODELS[name]
    start, constants = draw(model, np.random.RandomState(5))
    times = np.linspace(0, model.simulated, 200)[: 30 if name in SLOW else 140]
    ours = solve(model, start, constants, times)
    settings = {"args": (constants,), "rtol": 1e-8, "atol": 1e-8, "max_step": times[2]}
    theirs = solve_ivp(model.field, (0, times[-1]), start, "Radau", times, **settings).y.T
    assert (np.abs(ours - theirs) <= 1e-3 * np.abs(theirs).max(axis=0) + 1e-12).all()


@every_set
@given(seed=st.integers(0, 10**6))
def test_draws_stay_within_their_share(name, seed):
    """Of states and constants, negative ones too; what is 0 stays 0."""
    model = PHYSIOME_MODELS[name]
    drawn = draw(model, np.random.RandomState(seed))
    for values, middle, share in zip(
        drawn, (model.start, model.constants), (model.start_spread, model.constant_spread), strict=True
    ):
        middle = np.array([*middle.values()])
        assert (np.abs(np.array(values) - middle) <= share * np.abs(middle) * (1 + 1e-12)).all()


def test_a_record_is_half_of_what_is_solved():
    """From a time drawn after everything else, on a clock that starts at 0."""
    model = PHYSIOME_MODELS["LEN01"]
    values, times = make_physiome("LEN01", 4).to_array()
    np.testing.assert_allclose(times, np.linspace(0, 30, 200)[:100])
    random = np.random.RandomState(3)
    solved = solve(model, *draw(model, random), np.linspace(0, 30, 200))
    first = random.randint(100)
    np.testing.assert_array_equal(values[3], solved[first : first + 100].astype(np.float32))
    assert first > 0


def test_panels_carry_channels_and_units():
    """Of the model, with its unit of time."""
    panel = make_physiome("PHI01", 2)
    assert panel.channels == ("Vv", "Vm", "H")
    assert (panel.units, panel.time_unit) == ({"Vv": "mV", "Vm": "mV", "H": "nM"}, "h")
    assert panel.n_events == 2 * 3 * 100


def test_fewer_records_are_the_first_and_random_states_differ():
    """No record of one random state is in another."""
    three, two, other = make_physiome("LEN02", 3), make_physiome("LEN02", 2), make_physiome("LEN02", 3, random_state=1)
    assert three[:2].equals(two)
    values = np.concatenate([panel.to_array()[0] for panel in (three, other)])
    assert len(np.unique(values[:, 0], axis=0)) == 6
    assert len(make_physiome("LEN02", 0)) == 0


def test_what_cannot_be_solved_is_drawn_again(monkeypatch):
    """From the seed 2,000 further, up to ten times; the records are those of the seeds that work."""
    good = PHYSIOME_MODELS["LEN02"]
    refused = draw(good, np.random.RandomState(0))[0][0]

    def field(t, x, c):
        return [math.log(-1)] if x[0] == refused else good.field(t, x, c)

    monkeypatch.setitem(PHYSIOME_MODELS, "LEN02", dataclasses.replace(good, field=field))
    panel = make_physiome("LEN02", 2)
    monkeypatch.setitem(PHYSIOME_MODELS, "LEN02", good)
    assert panel[1].equals(make_physiome("LEN02", 2)[1])
    np.testing.assert_array_equal(panel.to_array()[0][0], _physiome._record(good, 2000).astype(np.float32))


@pytest.mark.parametrize("grows", [lambda x: math.exp(1000), lambda x: 1e20, lambda x: x * x])
def test_models_without_solutions_are_told(grows, monkeypatch):
    """Overflow, values beyond 1e15 and solutions that end in a pole."""
    model = dataclasses.replace(
        PHYSIOME_MODELS["LEN01"], field=lambda t, x, c: [grows(x[0]), 0.0, 0.0], start={"x": 5.0, "z": 1.0, "y": 1.0}
    )
    monkeypatch.setitem(PHYSIOME_MODELS, "LEN01", model)
    with pytest.raises(FloatingPointError, match="lenbury_pacheenburawana_1991 cannot be solved from seed 0"):
        make_physiome("LEN01", 1)


def test_the_last_random_state_has_seeds_for_every_try():
    last = _physiome._LAST_STATE * _physiome._SEEDS + _physiome._SEEDS - 1
    np.random.RandomState(last)
    with pytest.raises(ValueError, match="Seed must be between 0 and"):
        np.random.RandomState(last + _physiome._SEEDS)
    assert len(make_physiome("LEN02", 1, random_state=214_747)) == 1


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"name": "WOD01"}, "the set 'WOD01' of Physiome-ODE is not known here; there are CAL01, DUP01, HOD01"),
        ({"name": "LEN01", "n_records": 2001}, "0 to 2000 and random_state 0 to 214747; got 2001 and 0"),
        ({"name": "LEN01", "n_records": -1}, "got -1 and 0"),
        ({"name": "LEN01", "random_state": -2}, "got 2000 and -2"),
        ({"name": "LEN01", "random_state": 214_748}, "random_state 0 to 214747; got 2000 and 214748"),
    ],
)
def test_settings_that_make_no_sense(settings, text):
    """Refused with what would do."""
    with pytest.raises(ValueError, match=text):
        make_physiome(**settings)
