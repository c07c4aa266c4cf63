"""The differential equations of the ICU generator and their solution for all patients at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DURATION = 48.0
STEP = 0.25
STATES = (
    "HR",
    "MAP",
    "RespRate",
    "Temp",
    "SpO2",
    "Lactate",
    "Creatinine",
    "Glucose",
    "severity",
    "treatment",
    "insulin",
)
ICU_TYPES = (1, 2, 3, 4)

# set points of a calm patient in the units of the channels
_SET_POINT = np.array([82.0, 84.0, 17.0, 36.9, 97.0, 1.4, 1.0, 125.0])
_SPREAD = np.array([9.0, 8.0, 2.2, 0.25, 0.9, 0.25, 0.3, 14.0])
_LOWEST = np.array([50.0, 62.0, 10.0, 36.0, 92.5, 0.7, 0.4, 85.0])


@dataclass(frozen=True)
class Patients:
    """What makes patients differ; every array has one entry (or column) per patient.

    Parameters
    ----------
    age, icu_type, gender : ndarray of shape (n,)
        Static features: years, 1 to 4, 0 or 1.
    set_point : ndarray of shape (8, n)
        Resting value of each channel.
    clock : ndarray of shape (n,)
        Hour of the day at admission.
    onset, length, strength : ndarray of shape (n_episodes, n)
        Start (hours), duration (hours) and size of the phases of deterioration; size 0 is no phase.
    response : ndarray of shape (n,)
        How strongly treatment follows severity.
    recovery : ndarray of shape (n,)
        Rate (1/hour) at which severity fades.
    """

    age: NDArray
    icu_type: NDArray
    gender: NDArray
    set_point: NDArray
    clock: NDArray
    onset: NDArray
    length: NDArray
    strength: NDArray
    response: NDArray
    recovery: NDArray


def draw_patients(n: int, rng: np.random.Generator) -> Patients:
    """Random patients: older ones respond less and have a higher creatinine, surgical ones deteriorate earlier."""
    age = np.clip(rng.normal(64, 16, n), 18, 95).round()
    icu_type = rng.choice(ICU_TYPES, size=n, p=[0.15, 0.2, 0.4, 0.25])
    frailty = (age - 64) / 16
    set_point = _SET_POINT[:, None] + _SPREAD[:, None] * rng.standard_normal((len(_SET_POINT), n))
    set_point[0] -= 3 * frailty
    set_point[6] += 0.15 * frailty
    surgical = np.isin(icu_type, (2, 4))
    onset = np.stack([np.where(surgical, rng.uniform(-8, 4, n), rng.uniform(-8, 20, n)), rng.uniform(6, 36, n)])
    strength = np.exp(rng.normal(0.1, 0.5, (2, n)) + 0.1 * frailty) * (rng.random((2, n)) < [[0.8], [0.45]])
    return Patients(
        age=age,
        icu_type=icu_type,
        gender=rng.integers(0, 2, n),
        set_point=np.maximum(set_point, _LOWEST[:, None]),
        clock=rng.uniform(0, 24, n),
        onset=onset,
        length=rng.uniform(5, 14, (2, n)),
        strength=strength,
        response=np.exp(rng.normal(0, 0.4, n) - 0.15 * frailty),
        recovery=np.exp(rng.normal(np.log(0.14), 0.3, n)),
    )


def derivative(t: float, state: NDArray, who: Patients, drive: NDArray) -> NDArray:
    """Time derivative of all states, shape (11, n).

    Severity is driven by the phases of deterioration (``drive(t, who)``) and fades, faster under treatment; treatment follows
    severity with a delay. Severity lowers pressure and oxygen and raises heart rate, breathing, temperature and
    glucose; the baroreflex couples heart rate to pressure; low pressure makes lactate and, slowly, creatinine;
    lactate drives breathing; glucose and insulin oscillate; temperature and heart rate follow the time of day.
    """
    heart, pressure, breath, temp, oxygen, lactate, creatinine, glucose, severity, treatment, insulin = state
    rest = who.set_point
    day = np.cos((t + who.clock - 17.0) * (2 * np.pi / 24))
    ill = severity / (1 + 0.25 * severity)
    low = _ramp((rest[1] - 9.0 - pressure) / 4.0)
    fever = temp - rest[3]
    return np.stack(
        [
            (rest[0] + 13 * ill + 0.45 * (rest[1] - pressure) + 7 * fever + 2.5 * day - heart) / 0.8,
            (rest[1] - 15 * ill + 9 * treatment + 2 * day - pressure) / 1.2,
            (rest[2] + 3.0 * ill + 1.3 * (lactate - rest[5]) + 1.0 * fever - breath) / 1.0,
            (rest[3] + 0.75 * ill + 0.25 * day - temp) / 3.0,
            (rest[4] - 2.4 * ill + 0.6 * treatment - oxygen) / 1.5,
            0.22 * low + 0.08 * ill - 0.16 * (lactate - rest[5]),
            0.035 * low - 0.035 * (creatinine - rest[6]),
            0.35 * (rest[7] + 70 * ill + 25 * day - glucose) - 5 * insulin,
            drive - (who.recovery + 0.16 * treatment) * severity,
            (who.response * _ramp(3 * (ill - 0.5)) / 2.5 - treatment) / 3.0,
            0.055 * (glucose - rest[7]) - 0.25 * insulin,
        ]
    )


def solve(who: Patients) -> tuple[NDArray, NDArray]:
    """States and their derivatives on the grid 0, STEP, ..., DURATION, each of shape (n_grid, 11, n).

    Classical Runge-Kutta steps of order four, all patients at once, started 12 hours before admission at rest.
    """
    n_grid, n_before = round(DURATION / STEP) + 1, round(12 / STEP)
    state = np.concatenate([who.set_point, np.zeros((3, who.set_point.shape[1]))])
    states = np.empty((n_grid, *state.shape))
    slopes = np.empty_like(states)
    now = drive(-12.0, who)
    for step in range(-n_before, n_grid):
        t = step * STEP
        middle, end = drive(t + STEP / 2, who), drive(t + STEP, who)
        k1 = derivative(t, state, who, now)
        if step >= 0:
            states[step], slopes[step] = state, k1
        k2 = derivative(t + STEP / 2, state + STEP / 2 * k1, who, middle)
        k3 = derivative(t + STEP / 2, state + STEP / 2 * k2, who, middle)
        k4 = derivative(t + STEP, state + STEP * k3, who, end)
        state = state + STEP / 6 * (k1 + 2 * (k2 + k3) + k4)
        now = end
    return states, slopes


def drive(t: float, who: Patients) -> NDArray:
    """Input to severity, shape (n,): each phase rises within about an hour and falls within about three."""
    rise = _switch((t - who.onset) / 0.8)
    fall = _switch((t - who.onset - who.length) / 2.0)
    return 0.4 * (who.strength * (rise - fall)).sum(axis=0)


def _switch(x: NDArray) -> NDArray:
    """From 0 to 1, smoothly; cheaper than a logistic function."""
    return 0.5 + 0.5 * x / np.sqrt(1 + x * x)


def _ramp(x: NDArray) -> NDArray:
    """About 0 for negative and x for positive arguments, smoothly; cheaper than softplus."""
    return 0.5 * (x + np.sqrt(x * x + 1))
