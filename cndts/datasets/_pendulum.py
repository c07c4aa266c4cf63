"""Generator of swinging pendulums."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from cndts.datasets._dormand_prince import integrate
from cndts.datasets._observed_solution import observed_solution
from cndts.datasets._ode_truth import OdeTruth
from cndts.datasets._record_count import check_record_count
from cndts.panel import IrregularPanel

_GRAVITY = 9.81


@overload
def make_pendulum(
    n_records: int = ...,
    *,
    friction: float = ...,
    n_observations: float = ...,
    duration: float = ...,
    noise: float = ...,
    random_state: int | np.random.Generator | None = ...,
    return_truth: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def make_pendulum(
    n_records: int = ...,
    *,
    friction: float = ...,
    n_observations: float = ...,
    duration: float = ...,
    noise: float = ...,
    random_state: int | np.random.Generator | None = ...,
    return_truth: Literal[True],
) -> tuple[IrregularPanel, OdeTruth]: ...


def make_pendulum(
    n_records: int = 100,
    *,
    friction: float = 0.1,
    n_observations: float = 25,
    duration: float = 10.0,
    noise: float = 0.05,
    random_state: int | np.random.Generator | None = 0,
    return_truth: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, OdeTruth]:
    r"""Generate damped pendulums seen through the sine and cosine of their angle, at irregular times with noise.

    Wide swings are slower than small ones and some records go over the top at first, so the period changes within a record;
    what is seen leaves the angular velocity to be inferred. The targets are those of the pendulum regression of Becker et al.;
    their images are not made here.

    Parameters
    ----------
    n_records : int, default=100
        Number of records.
    friction : float, default=0.1
        Mean damping rate in 1/s; records differ by a factor between 1/2 and 3/2.
    n_observations : float, default=25
        Mean number of observations of a channel in a record; counts are Poisson, times uniform and each channel's own.
    duration : float, default=10.0
        Length of a record in seconds; small swings take 1.4 to 2.5.
    noise : float, default=0.05
        Standard deviation of the noise of both channels.
    random_state : int, numpy.random.Generator or None, default=0
        Seed.
    return_truth : bool, default=False
        Also return the solution.

    Returns
    -------
    panel : IrregularPanel
        Channels ``sin`` and ``cos`` of the angle from hanging down; times in seconds.
    truth : OdeTruth
        Only with ``return_truth=True``; ``truth(record_position, channel, times)``. Knows ``angle`` (rad) and ``velocity``
        (rad/s) too. Its ``parameters`` are ``length`` (m) and ``friction`` (1/s).

    Notes
    -----
    .. math:: \ddot{\theta} = -\frac{g}{l} \sin\theta - c \, \dot{\theta}

    where :math:`g = 9.81` m/s², the length :math:`l` lies between 0.5 and 1.5 m and :math:`c` is the friction. Without friction the
    energy :math:`\dot\theta^2 / 2 - (g / l) \cos\theta` is conserved.

    References
    ----------
    P. Becker, H. Pandya, G. Gebhardt, C. Zhao, C. J. Taylor, G. Neumann. "Recurrent Kalman Networks: Factorized Inference in
    High-Dimensional Deep Feature Spaces." ICML 2019, section 5.1.

    Examples
    --------
    >>> panel, truth = make_pendulum(10, noise=0.0, return_truth=True)
    >>> bool(np.allclose(panel.value, truth(panel.record, panel.channel, panel.time), atol=1e-6))
    True
    """
    if not friction >= 0:
        raise ValueError(f"friction must be 0 or more; got {friction}.")
    check_record_count(n_records)
    rng = np.random.default_rng(random_state)
    length, damping = rng.uniform(0.5, 1.5, n_records), friction * rng.uniform(0.5, 1.5, n_records)
    pull = _GRAVITY / length
    angle = rng.uniform(-np.pi, np.pi, n_records)
    start = np.stack([angle, rng.normal(0, 2.0, n_records)])

    def field(t: NDArray, x: NDArray, i: NDArray) -> NDArray:
        return np.stack([x[1], -pull[i] * np.sin(x[0]) - damping[i] * x[1]])

    parameters = {"length": length, "friction": damping}
    trajectories = integrate(field, start, duration)
    truth = OdeTruth(trajectories, _seen, ("sin", "cos", "angle", "velocity"), duration, parameters)
    panel = observed_solution(truth, n_records, 2, n_observations, noise, rng, time_unit="s")
    return (panel, truth) if return_truth else panel


def _seen(states: NDArray, record: NDArray, times: NDArray) -> NDArray:
    angle, velocity = states
    return np.stack([np.sin(angle), np.cos(angle), angle, velocity])
