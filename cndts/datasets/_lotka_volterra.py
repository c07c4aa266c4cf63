"""Generator of predators and prey."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from cndts.datasets._dormand_prince import integrate
from cndts.datasets._observed_solution import observed_solution
from cndts.datasets._ode_truth import OdeTruth
from cndts.datasets._record_count import check_record_count
from cndts.panel import IrregularPanel

_RATES = ("alpha", "beta", "delta", "gamma")
_MIDDLE = np.array([1.0, 0.5, 0.25, 1.0])
_SPREAD = 0.15


@overload
def make_lotka_volterra(
    n_records: int = ...,
    *,
    n_observations: float = ...,
    duration: float = ...,
    noise: float = ...,
    random_state: int | np.random.Generator | None = ...,
    return_truth: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def make_lotka_volterra(
    n_records: int = ...,
    *,
    n_observations: float = ...,
    duration: float = ...,
    noise: float = ...,
    random_state: int | np.random.Generator | None = ...,
    return_truth: Literal[True],
) -> tuple[IrregularPanel, OdeTruth]: ...


def make_lotka_volterra(
    n_records: int = 100,
    *,
    n_observations: float = 20,
    duration: float = 20.0,
    noise: float = 0.05,
    random_state: int | np.random.Generator | None = 0,
    return_truth: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, OdeTruth]:
    r"""Generate predators and prey after Lotka and Volterra, seen at irregular times with noise.

    The numbers go round on closed orbits whose period depends on where they started, so a forecast needs the state and
    the rates of the record, not the average cycle.

    Parameters
    ----------
    n_records : int, default=100
        Number of records.
    n_observations : float, default=20
        Mean number of observations of a channel in a record; counts are Poisson, times uniform and each channel's own.
    duration : float, default=20.0
        Length of a record in years; a cycle takes 5 to 10.
    noise : float, default=0.05
        Relative: values are multiplied by the exponential of normal noise of this standard deviation.
    random_state : int, numpy.random.Generator or None, default=0
        Seed.
    return_truth : bool, default=False
        Also return the solution.

    Returns
    -------
    panel : IrregularPanel
        Channels ``prey`` and ``predators`` in thousands, always positive; times in years (``time_unit="year"``).
    truth : OdeTruth
        Only with ``return_truth=True``; ``truth(record_position, channel, times)``. Its ``parameters`` are the four rates, per year.

    Notes
    -----
    .. math:: \dot{x} = \alpha x - \beta x y, \qquad \dot{y} = \delta x y - \gamma y

    where :math:`x` are prey and :math:`y` predators. Solved for the logarithms, which keeps both positive;
    :math:`\delta x - \gamma \ln x + \beta y - \alpha \ln y` is conserved. Rates are log-normal around
    :math:`\alpha = \gamma = 1`, :math:`\beta = 0.5` and :math:`\delta = 0.25`, 15 % wide.

    References
    ----------
    A. J. Lotka. "Analytical note on certain rhythmic relations in organic systems." PNAS 6:410-415, 1920.

    V. Volterra. "Fluctuations in the abundance of a species considered mathematically." Nature 118:558-560, 1926.

    Examples
    --------
    >>> panel, truth = make_lotka_volterra(10, noise=0.0, return_truth=True)
    >>> bool(np.allclose(panel.value, truth(panel.record, panel.channel, panel.time), rtol=1e-6))
    True
    """
    check_record_count(n_records)
    rng = np.random.default_rng(random_state)
    rates = _MIDDLE[:, None] * np.exp(_SPREAD * rng.standard_normal((4, n_records)))
    alpha, beta, delta, gamma = rates
    start = np.log(np.stack([gamma / delta, alpha / beta])) + rng.uniform(-0.8, 0.8, (2, n_records))

    def field(t: NDArray, x: NDArray, i: NDArray) -> NDArray:
        prey, predators = np.exp(x)
        return np.stack([alpha[i] - beta[i] * predators, delta[i] * prey - gamma[i]])

    truth = OdeTruth(
        integrate(field, start, duration),
        _numbers,
        ("prey", "predators"),
        duration,
        dict(zip(_RATES, rates, strict=True)),
    )
    units = dict.fromkeys(truth.channels, "10^3")
    panel = observed_solution(
        truth, n_records, 2, n_observations, noise, rng, is_relative=True, units=units, time_unit="year"
    )
    return (panel, truth) if return_truth else panel


def _numbers(states: NDArray, record: NDArray, times: NDArray) -> NDArray:
    return np.exp(states)
