"""Generator of ICU-like records with known ground truth."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._ragged import offsets_from_lengths
from cndts.datasets._icu_dynamics import DURATION, STATES, STEP, Patients, draw_patients, solve
from cndts.datasets._icu_truth import IcuTruth
from cndts.datasets._record_count import check_record_count
from cndts.panel import IrregularPanel

CHANNELS = STATES[:8]
UNITS = dict(zip(CHANNELS, ("1/min", "mmHg", "1/min", "°C", "%", "mmol/L", "mg/dL", "mg/dL"), strict=True))

_NOISE = np.array([3.5, 3.5, 1.6, 0.15, 0.7, 0.15, 0.06, 7.0])
_LOWEST = np.array([20.0, 20.0, 4.0, 33.0, 60.0, 0.2, 0.1, 30.0])
_HIGHEST = np.array([220.0, 160.0, 60.0, 42.0, 100.0, 30.0, 15.0, 600.0])
# how likely a visit measures each channel of its group
_VITALS = {"HR": 0.95, "MAP": 0.85, "RespRate": 0.8, "Temp": 0.3, "SpO2": 0.85}
_LABS = {"Lactate": 0.45, "Creatinine": 0.75, "Glucose": 0.9}


@overload
def make_icu(
    n_records: int = ...,
    *,
    density: float = ...,
    noise: float = ...,
    random_state: int | np.random.Generator | None = ...,
    return_truth: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def make_icu(
    n_records: int = ...,
    *,
    density: float = ...,
    noise: float = ...,
    random_state: int | np.random.Generator | None = ...,
    return_truth: Literal[True],
) -> tuple[IrregularPanel, IcuTruth]: ...


def make_icu(
    n_records: int = 300,
    *,
    density: float = 1.0,
    noise: float = 1.0,
    random_state: int | np.random.Generator | None = 0,
    return_truth: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, IcuTruth]:
    """Generate 48 hours of ICU-like records whose true curves are known.

    Each patient is a system of eleven coupled differential equations: relaxation towards the patient's own set points, a
    daily rhythm, phases of deterioration, treatment that answers them, a baroreflex between pressure and heart
    rate, lactate and creatinine that integrate low pressure, and a damped glucose-insulin oscillation. The numbers are
    plausible, not clinical.

    Parameters
    ----------
    n_records : int, default=300
        Number of patients.
    density : float, default=1.0
        Factor on the number of visits. At 1, vital signs are charted every half to two hours and laboratory values
        every six to twelve, more often the sicker the patient is.
    noise : float, default=1.0
        Factor on the observation noise. At 0 the observations lie on the true curve.
    random_state : int, numpy.random.Generator or None, default=0
        Seed.
    return_truth : bool, default=False
        Also return the true curves.

    Returns
    -------
    panel : IrregularPanel
        Channels HR, MAP, RespRate, Temp, SpO2, Lactate, Creatinine, Glucose; times in hours, to the minute. ``static``
        holds Age, Gender and ICUType, ``outcomes`` In-hospital_death (0/1).
    truth : IcuTruth
        Only with ``return_truth=True``; ``truth(record_position, channel, times)`` for times from 0 to 48.

    Notes
    -----
    What is missing says something: sick patients are visited more often, lactate is measured the more the sicker they
    are and in calm patients often never, and one patient in six is away from the ward for a few hours.

    Examples
    --------
    >>> panel, truth = make_icu(50, random_state=1, return_truth=True)
    >>> len(panel), panel.channels[:3], list(panel.static.columns)
    (50, ('HR', 'MAP', 'RespRate'), ['Age', 'Gender', 'ICUType'])
    >>> hours = np.linspace(0, 48, 200)
    >>> curve = truth(0, "Lactate", hours)
    """
    check_record_count(n_records)
    rng = np.random.default_rng(random_state)
    who = draw_patients(n_records, rng)
    states, slopes = solve(who)
    truth = IcuTruth(STEP, states[:, : len(CHANNELS)], slopes[:, : len(CHANNELS)], CHANNELS)
    severity = states[:, STATES.index("severity")].T
    record, channel, minute = _observations(severity, density, rng)
    time = minute / 60.0
    value = truth(record, channel, time)
    if noise:
        value = value + noise * _NOISE[channel] * _errors(len(value), rng)
        value = np.clip(value, _LOWEST[channel], _HIGHEST[channel])
    panel = IrregularPanel(
        offsets_from_lengths(np.bincount(record, minlength=n_records)),
        time,
        channel,
        value,
        channels=CHANNELS,
        units=UNITS,
        static=pd.DataFrame({"Age": who.age, "Gender": who.gender, "ICUType": who.icu_type}),
        outcomes=pd.DataFrame({"In-hospital_death": _deaths(who, states, rng)}),
        time_unit="h",
    )
    return (panel, truth) if return_truth else panel


def _observations(
    severity: NDArray, density: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Record, channel and minute of every observation, sorted; at most one per channel and minute."""
    n_records = len(severity)
    pace = np.exp(rng.normal(0, 0.3, n_records))[:, None]
    never = (rng.random(n_records) < 0.6) & (severity.max(axis=1) < 1.0)
    parts = []
    for panel, every, eagerness in ((_VITALS, 1.2, 0.9), (_LABS, 11.0, 0.6)):
        rate = density / every * pace * (1 + eagerness * severity)
        record, minute = _visits(rate, rng)
        ill = severity[record, np.minimum((minute / 60 / STEP).astype(int), severity.shape[1] - 1)]
        for name, chance in panel.items():
            wanted = chance * (0.6 + 0.5 * ill) if name == "Lactate" else chance
            taken = rng.random(len(record)) < wanted
            if name == "Lactate":
                taken &= ~never[record]
            parts.append((record[taken], np.full(taken.sum(), CHANNELS.index(name)), minute[taken]))
    record, channel, minute = (np.concatenate(part) for part in zip(*parts, strict=True))
    span = round(DURATION * 60) + 1
    key = np.sort((record * span + minute) * len(CHANNELS) + channel)
    key = key[np.diff(key, prepend=-1) > 0]
    record, channel, minute = key // len(CHANNELS) // span, key % len(CHANNELS), key // len(CHANNELS) % span
    present = ~_away(record, minute, n_records, rng)
    return record[present], channel[present], minute[present]


def _visits(rate: NDArray, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Record and minute of visits: a renewal process with gamma gaps in the time that runs at the given rate.

    ``rate`` (visits per hour) has shape (n_records, n_grid). The cumulated rates of all records are laid end to end,
    so that one interpolation inverts them all.
    """
    n_records, n_grid = rate.shape
    if not n_records:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    expected = np.concatenate(
        [np.zeros((n_records, 1)), np.cumsum((rate[:, 1:] + rate[:, :-1]) / 2 * STEP, axis=1)], axis=1
    )
    most = int(expected.max(initial=0) * 1.5 + 12)
    # bursts: one gap in four is short
    gaps = rng.gamma(4.0, 0.25, (n_records, most)) * np.where(rng.random((n_records, most)) < 0.25, 0.25, 1.25)
    gaps[:, 0] *= rng.random(n_records)
    events = np.cumsum(gaps, axis=1)
    inside = events < expected[:, -1:]
    record = np.nonzero(inside)[0]
    shift = np.arange(n_records)[:, None] * (expected.max(initial=0) + 1)
    time = np.interp((events + shift)[inside], (expected + shift).ravel(), np.tile(np.arange(n_grid) * STEP, n_records))
    return record, np.rint(time * 60).astype(np.int64)


def _away(record: NDArray, minute: NDArray, n_records: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Whether an observation falls into the hours that one patient in six spends elsewhere."""
    leaves = rng.random(n_records) < 1 / 6
    start = rng.uniform(0, DURATION, n_records) * 60
    end = start + rng.uniform(2, 6, n_records) * 60
    return leaves[record] & (minute >= start[record]) & (minute < end[record])


def _errors(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Standard normal errors, one in a hundred four times as large."""
    return rng.standard_normal(n) * np.where(rng.random(n) < 0.01, 4.0, 1.0)


def _deaths(who: Patients, states: NDArray, rng: np.random.Generator) -> NDArray[np.int64]:
    """In-hospital death, likelier with age, mean severity, last lactate and creatinine."""
    severity = states[:, STATES.index("severity")].mean(axis=0)
    lactate, creatinine = states[-1, STATES.index("Lactate")], states[-1, STATES.index("Creatinine")]
    score = -3.4 + 0.035 * (who.age - 64) + 1.8 * severity + 1.0 * (lactate - 1.4) + 0.4 * (creatinine - 1.0)
    return (rng.random(len(score)) < 1 / (1 + np.exp(-score))).astype(np.int64)
