"""Generator of spiking neurons."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from cndts.datasets._dormand_prince import integrate
from cndts.datasets._observed_solution import observed_solution
from cndts.datasets._ode_truth import OdeTruth
from cndts.datasets._record_count import check_record_count
from cndts.panel import IrregularPanel

_UNITS = {"V": "mV", "I": "uA/cm^2"}
# Capacity (uF/cm^2), conductances (mS/cm^2) and reversal potentials (mV) of table 3, with the resting potential at -65 mV.
_CAPACITY, _SODIUM, _POTASSIUM, _LEAK = 1.0, 120.0, 36.0, 0.3
_E_SODIUM, _E_POTASSIUM, _E_LEAK = 50.0, -77.0, -54.387
_REST = -65.0
# How fast the current is switched, in ms: a smooth edge costs no order of accuracy.
_EDGE = 0.1


@overload
def make_hodgkin_huxley(
    n_records: int = ...,
    *,
    n_observations: float = ...,
    duration: float = ...,
    noise: float = ...,
    random_state: int | np.random.Generator | None = ...,
    return_truth: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def make_hodgkin_huxley(
    n_records: int = ...,
    *,
    n_observations: float = ...,
    duration: float = ...,
    noise: float = ...,
    random_state: int | np.random.Generator | None = ...,
    return_truth: Literal[True],
) -> tuple[IrregularPanel, OdeTruth]: ...


def make_hodgkin_huxley(
    n_records: int = 100,
    *,
    n_observations: float = 60,
    duration: float = 100.0,
    noise: float = 1.0,
    random_state: int | np.random.Generator | None = 0,
    return_truth: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, OdeTruth]:
    r"""Generate membrane potentials of the squid giant axon after Hodgkin and Huxley, seen at irregular times with noise.

    A current is switched on at a time of its own in every record and later switched to another strength. Below about 6
    uA/cm^2 the neuron rests or fires once, above it fires again and again: small causes, large effects, on time scales from
    0.1 to 20 ms.

    Parameters
    ----------
    n_records : int, default=100
        Number of records.
    n_observations : float, default=60
        Mean number of observations of a channel in a record; counts are Poisson, times uniform and each channel's own.
    duration : float, default=100.0
        Length of a record in ms.
    noise : float, default=1.0
        Standard deviation of the noise of ``V``, in mV. The current, which the experimenter sets, is known exactly.
    random_state : int, numpy.random.Generator or None, default=0
        Seed.
    return_truth : bool, default=False
        Also return the solution.

    Returns
    -------
    panel : IrregularPanel
        Channels ``V``, the membrane potential in mV, and ``I``, the current in uA/cm^2; times in ms.
    truth : OdeTruth
        Only with ``return_truth=True``; ``truth(record_position, channel, times)``. Knows the hidden gates ``m``, ``h`` and
        ``n`` too. Its ``parameters`` are the currents (uA/cm^2) and when they begin (ms).

    Notes
    -----
    .. math::

        C \dot{V} &= I - \bar{g}_\mathrm{Na} m^3 h (V - E_\mathrm{Na}) - \bar{g}_\mathrm{K} n^4 (V - E_\mathrm{K}) -
        \bar{g}_\mathrm{L} (V - E_\mathrm{L}) \\
        \dot{x} &= \alpha_x(V) (1 - x) - \beta_x(V) x, \qquad x \in \{m, h, n\}

    where the rates :math:`\alpha`, :math:`\beta` are those of the paper at 6.3 °C, with depolarisation positive and a resting
    potential of -65 mV.

    References
    ----------
    A. L. Hodgkin, A. F. Huxley. "A quantitative description of membrane current and its application to conduction and
    excitation in nerve." Journal of Physiology 117:500-544, 1952, eqs. 7, 12, 13, 15, 16, 20, 21, 23, 24, 26 and table 3.

    Examples
    --------
    >>> panel, truth = make_hodgkin_huxley(5, return_truth=True)
    >>> panel.units, truth.channels
    ({'V': 'mV', 'I': 'uA/cm^2'}, ('V', 'I', 'm', 'h', 'n'))
    """
    check_record_count(n_records)
    rng = np.random.default_rng(random_state)
    current = rng.uniform([[0.0], [0.0]], [[15.0], [15.0]], (2, n_records))
    begin = duration * rng.uniform([[0.05], [0.4]], [[0.3], [0.8]], (2, n_records))

    def stimulus(t: NDArray, i: NDArray) -> NDArray:
        first, second = 0.5 + 0.5 * np.tanh((t - begin[:, i]) / _EDGE)
        return current[0, i] * first + (current[1, i] - current[0, i]) * second

    def field(t: NDArray, x: NDArray, i: NDArray) -> NDArray:
        return _derivative(x, stimulus(t, i))

    def observe(states: NDArray, record: NDArray, times: NDArray) -> NDArray:
        return np.stack([states[0], stimulus(times, record), *states[1:]])

    start = np.repeat(_resting()[:, None], n_records, axis=1)
    parameters = dict(zip(("I_1", "I_2", "begin_1", "begin_2"), (*current, *begin), strict=True))
    truth = OdeTruth(
        integrate(field, start, duration, rtol=1e-6, atol=1e-6),
        observe,
        ("V", "I", "m", "h", "n"),
        duration,
        parameters,
    )
    panel = observed_solution(truth, n_records, 2, n_observations, [noise, 0.0], rng, units=_UNITS, time_unit="ms")
    return (panel, truth) if return_truth else panel


def rates(v: NDArray) -> tuple[tuple[NDArray, NDArray], ...]:
    """Opening and closing rates (1/ms) of the gates m, h and n at a potential in mV.

    Examples
    --------
    >>> [(round(float(a), 4), round(float(b), 4)) for a, b in rates(np.array(-65.0))]
    [(0.2236, 4.0), (0.07, 0.0474), (0.0582, 0.125)]
    """
    u = v - _REST
    return (
        (_ramp((u - 25) / 10), 4.0 * np.exp(-u / 18)),
        (0.07 * np.exp(-u / 20), 1 / (1 + np.exp((30 - u) / 10))),
        (0.1 * _ramp((u - 10) / 10), 0.125 * np.exp(-u / 80)),
    )


def _ramp(x: NDArray) -> NDArray:
    """The function x / (1 - exp(-x)), which is 1 at 0."""
    near = np.abs(x) < 1e-6
    safe = np.where(near, 1.0, x)
    return np.where(near, 1 + x / 2, safe / -np.expm1(-safe))


def _derivative(x: NDArray, current: NDArray) -> NDArray:
    v, m, h, n = x
    ionic = _SODIUM * m**3 * h * (v - _E_SODIUM) + _POTASSIUM * n**4 * (v - _E_POTASSIUM) + _LEAK * (v - _E_LEAK)
    gates = (a * (1 - gate) - b * gate for gate, (a, b) in zip((m, h, n), rates(v), strict=True))
    return np.stack([(current - ionic) / _CAPACITY, *gates])


def _resting() -> NDArray[np.float64]:
    return np.array([_REST, *(a / (a + b) for a, b in rates(np.array(_REST)))])
