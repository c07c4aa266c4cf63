"""Generator of the trajectories of Physiome-ODE."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cndts.datasets._physiome_model import PhysiomeModel
from cndts.datasets._physiome_models import PHYSIOME_MODELS
from cndts.panel import IrregularPanel

# Those of the source: records, times of a record, attempts, solver, what counts as having left the finite numbers.
_N_RECORDS, _N_TIMES, _N_TRIES, _TOLERANCE, _LONGEST_STEP, _LARGEST = 2000, 100, 10, 1e-6, 1.0, 1e15
_SEEDS = _N_RECORDS * _N_TRIES
_LAST_STATE = 2**32 // _SEEDS - 1  # numpy's seeds have 32 bits


def make_physiome(name: str, n_records: int = _N_RECORDS, *, random_state: int = 0) -> IrregularPanel:
    """Simulate a set of Physiome-ODE: complete trajectories of a biological model, whose constants differ between records.

    Draws, solver and settings are those of the published code, seeds included, so that with ``random_state=0`` the records are
    those of the published set up to the accuracy of the solver. ``protocol("physiome-ode")`` makes them sparse and noisy.

    Parameters
    ----------
    name : str
        One of the sets below.
    n_records : int, default=2000
        Number of records, at most 2,000. Fewer are the first of them.
    random_state : int, default=0
        0 to 214,747; 0 for the published draws, each other number for 2,000 records of its own.

    Returns
    -------
    IrregularPanel
        Every state at 100 equidistant times from 0 on, without noise, with its unit; times in the unit of the model.

    Raises
    ------
    ValueError
        If the set is not known here, or for other numbers.
    FloatingPointError
        If a record cannot be solved, however often it is drawn.

    Notes
    -----
    ======  ========================================================  ========  ======  =====================
    Set     Model                                                     Channels  Span    States, constants vary
    ======  ========================================================  ========  ======  =====================
    DUP01   calcium oscillations, Dupont et al., 1991                 2         15 s    30 %, 5 %
    WOL01   glycolysis of yeast, Wolf et al., 2000                    9         5 min   30 %, 5 %
    VAN01   energy of the heart muscle, van Beek, 2007                10        5 s     10 %, 5 %
    LEN01   cortisol, Lenbury and Pacheenburawana, 1991               3         15 s    10 %, 10 %
    LI01    dopamine neuron, Li et al., 1996                          5         15 s    30 %, 5 %
    PUR01   pacemaker of breathing, Purvis et al., 2007               3         15 ms   10 %, 5 %
    HOD01   squid axon, Hodgkin and Huxley, 1952                      4         15 ms   50 %, 30 %
    PHI01   sleep and waking, Phillips and Robinson, 2007             3         15 h    10 %, 10 %
    CAL01   mitosis in an embryo, Calzone et al., 2007                17        15 min  50 %, 10 %
    LEN02   insulin, Lenbury et al., 2001                             3         15 s    50 %, 10 %
    WOL03   respiration of yeast, Wolf et al., 2001                   13        15 min  50 %, 10 %
    ======  ========================================================  ========  ======  =====================

    States at the start and constants are uniform within that share around the published values. Twice the span is solved with
    LSODA (tolerances of 1e-6, steps of at most 1); the record begins at one of the first 100 of 200 times, drawn for each, and its
    clock at 0. A record that cannot be solved is drawn again. Equations and references stand beside each model in the source.

    2,000 records take about five seconds for LEN01 and minutes for WOL01 and VAN01.

    References
    ----------
    C. Klötergens, V. K. Yalavarthi, R. Scholz, M. Stubbemann, S. Born, L. Schmidt-Thieme. "Physiome-ODE: a benchmark for
    irregularly sampled multivariate time-series forecasting based on biological ODEs." ICLR 2025, and its published code.

    Examples
    --------
    >>> panel = make_physiome("LEN02", 5)
    >>> panel.channels, panel.time_unit, panel.n_events
    (('x', 'z', 'y'), 's', 1500)
    """
    model = _model(name)
    if not 0 <= n_records <= _N_RECORDS or not 0 <= random_state <= _LAST_STATE:
        raise ValueError(
            f"n_records is 0 to {_N_RECORDS} and random_state 0 to {_LAST_STATE}; got {n_records} and {random_state}. For more "
            "records join those of several random states."
        )
    values = np.empty((n_records, _N_TIMES, len(model.start)))
    for i in range(n_records):
        values[i] = _record(model, random_state * _SEEDS + i)
    times = _times(model)[:_N_TIMES]
    return IrregularPanel.from_array(
        values, times, channels=tuple(model.start), time_unit=model.time_unit, units=model.units
    )


def _model(name: str) -> PhysiomeModel:
    if name not in PHYSIOME_MODELS:
        raise ValueError(
            f"the set {name!r} of Physiome-ODE is not known here; there are {', '.join(sorted(PHYSIOME_MODELS))}."
        )
    return PHYSIOME_MODELS[name]


def _record(model: PhysiomeModel, seed: int) -> NDArray[np.float64]:
    """States of shape (n_times, n_states), from the first seed in the source's row whose draws can be solved."""
    for attempt in range(_N_TRIES):
        # the source seeds numpy's global generator, which is this one; no newer generator has the same stream
        random = np.random.RandomState(seed + attempt * _N_RECORDS)
        start, constants = draw(model, random)
        solved = solve(model, start, constants, _times(model))
        if solved is None:
            continue
        first = random.randint(_N_TIMES)
        record = solved[first : first + _N_TIMES]
        if np.abs(record).max() <= _LARGEST:
            return record
    raise FloatingPointError(f"{model.source} cannot be solved from seed {seed} or any that follows; take another one.")


def draw(model: PhysiomeModel, random: np.random.RandomState) -> tuple[list[float], list[float]]:
    """States at the start and constants of one record, each uniform around its published value."""
    around = zip((model.start, model.constants), (model.start_spread, model.constant_spread), strict=True)
    middle_and_share = [(np.array([*values.values()], dtype=np.float64), share) for values, share in around]
    start, constants = (
        random.uniform(middle * (1 - share), middle * (1 + share)).tolist() for middle, share in middle_and_share
    )
    return start, constants


def solve(
    model: PhysiomeModel, start: list[float], constants: list[float], times: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """States of shape (n_times, n_states), by the solver of the source; None where it gives up."""
    from scipy.integrate import ODEintWarning, odeint

    def field(t: float, x: NDArray[np.float64], c: Sequence[float]) -> list[float]:
        return model.field(t, x.tolist(), c)  # arithmetic of numpy's scalars takes several times as long

    settings = {"rtol": _TOLERANCE, "atol": _TOLERANCE, "hmax": _LONGEST_STEP, "tfirst": True}
    with warnings.catch_warnings():
        warnings.simplefilter("error", ODEintWarning)
        try:
            states = odeint(field, start, times, args=(constants,), **settings)
        except (ArithmeticError, ValueError, ODEintWarning):  # out of the domain of the equations, or too stiff
            return None
    return states if np.isfinite(states).all() else None


def _times(model: PhysiomeModel) -> NDArray[np.float64]:
    return np.linspace(0, model.simulated, 2 * _N_TIMES)
