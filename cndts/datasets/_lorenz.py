"""Generator of chaotic records."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from cndts.datasets._dormand_prince import integrate
from cndts.datasets._observed_solution import observed_solution
from cndts.datasets._ode_truth import OdeTruth
from cndts.datasets._record_count import check_record_count
from cndts.panel import IrregularPanel

_SIGMA, _BETA = 10.0, 8 / 3
# Time after which any start has come close to the attractor.
_SETTLING = 5.0


@overload
def make_lorenz(
    n_records: int = ...,
    *,
    rho_spread: float = ...,
    n_observations: float = ...,
    duration: float = ...,
    noise: float = ...,
    random_state: int | np.random.Generator | None = ...,
    return_truth: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def make_lorenz(
    n_records: int = ...,
    *,
    rho_spread: float = ...,
    n_observations: float = ...,
    duration: float = ...,
    noise: float = ...,
    random_state: int | np.random.Generator | None = ...,
    return_truth: Literal[True],
) -> tuple[IrregularPanel, OdeTruth]: ...


def make_lorenz(
    n_records: int = 100,
    *,
    rho_spread: float = 0.0,
    n_observations: float = 40,
    duration: float = 4.0,
    noise: float = 0.5,
    random_state: int | np.random.Generator | None = 0,
    return_truth: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, OdeTruth]:
    r"""Generate trajectories on the attractor of Lorenz, seen at irregular times with noise.

    Errors grow with the largest Lyapunov exponent, 0.906 per unit of time for the default parameters, so a forecast with 1 %
    of error at the start is worth something for about four units, whatever the model.

    Parameters
    ----------
    n_records : int, default=100
        Number of records.
    rho_spread : float, default=0.0
        Records differ in :math:`\rho`, uniformly within 28 plus or minus this; at most 3, which keeps all of them chaotic.
    n_observations : float, default=40
        Mean number of observations of a channel in a record; counts are Poisson, times uniform and each channel's own.
    duration : float, default=4.0
        Length of a record; time has no unit.
    noise : float, default=0.5
        Standard deviation of the noise; the channels have deviations of 7.9, 9.0 and 8.6.
    random_state : int, numpy.random.Generator or None, default=0
        Seed.
    return_truth : bool, default=False
        Also return the solution.

    Returns
    -------
    panel : IrregularPanel
        Channels ``x``, ``y``, ``z``; ``time_unit="unit"``.
    truth : OdeTruth
        Only with ``return_truth=True``; ``truth(record_position, channel, times)``. Its ``parameters`` are ``rho``.

    Raises
    ------
    ValueError
        If ``rho_spread`` lies outside 0 to 3.

    Notes
    -----
    .. math:: \dot{x} = \sigma (y - x), \qquad \dot{y} = x (\rho - z) - y, \qquad \dot{z} = x y - \beta z

    with :math:`\sigma = 10`, :math:`\beta = 8/3` and :math:`\rho = 28`. Records start from random points and are followed for five
    units of time before the first observation. Two solvers agree only as long as their errors have not grown: within 1e-4 over the
    default length.

    References
    ----------
    E. N. Lorenz. "Deterministic nonperiodic flow." Journal of the Atmospheric Sciences 20:130-141, 1963, eqs. 25 to 27.

    Examples
    --------
    >>> panel, truth = make_lorenz(10, noise=0.0, return_truth=True)
    >>> bool(np.allclose(panel.value, truth(panel.record, panel.channel, panel.time), rtol=1e-6, atol=1e-6))
    True
    """
    if not 0 <= rho_spread <= 3:
        raise ValueError(f"rho_spread must lie between 0 and 3, so that all records are chaotic; got {rho_spread}.")
    check_record_count(n_records)
    rng = np.random.default_rng(random_state)
    rho = rng.uniform(28 - rho_spread, 28 + rho_spread, n_records)

    def field(t: NDArray, state: NDArray, i: NDArray) -> NDArray:
        x, y, z = state
        return np.stack([_SIGMA * (y - x), x * (rho[i] - z) - y, x * y - _BETA * z])

    drawn = np.array([[0.0], [0.0], [25.0]]) + 5 * rng.standard_normal((3, n_records))
    settled = integrate(field, drawn, _SETTLING, rtol=1e-6)(np.arange(n_records), np.full(n_records, _SETTLING))
    trajectories = integrate(field, settled, duration, rtol=1e-9, atol=1e-9)
    truth = OdeTruth(trajectories, _as_it_is, ("x", "y", "z"), duration, {"rho": rho})
    panel = observed_solution(truth, n_records, 3, n_observations, noise, rng, time_unit="unit")
    return (panel, truth) if return_truth else panel


def _as_it_is(states: NDArray, record: NDArray, times: NDArray) -> NDArray:
    return states
