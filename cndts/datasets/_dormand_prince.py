"""Ordinary differential equations of many records at once, each with its own steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cndts._ragged import offsets_from_lengths

Field = Callable[[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]], NDArray[np.float64]]

# Dormand and Prince, "A family of embedded Runge-Kutta formulae", J. Comp. Appl. Math. 6:19-26, 1980, table 2.
C = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0)
A = (
    (0.0,),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
)
B = (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84)
ERROR = np.array([-71 / 57600, 0, 71 / 16695, -71 / 1920, 17253 / 339200, -22 / 525, 1 / 40])
# Dense output of order four: Shampine, "Some practical Runge-Kutta formulas", Math. Comp. 46:135-150, 1986.
DENSE = np.array(
    [
        [1, -8048581381 / 2820520608, 8663915743 / 2820520608, -12715105075 / 11282082432],
        [0, 0, 0, 0],
        [0, 131558114200 / 32700410799, -68118460800 / 10900136933, 87487479700 / 32700410799],
        [0, -1754552775 / 470086768, 14199869525 / 1410260304, -10690763975 / 1880347072],
        [0, 127303824393 / 49829197408, -318862633887 / 49829197408, 701980252875 / 199316789632],
        [0, -282668133 / 205662961, 2019193451 / 616988883, -1453857185 / 822651844],
        [0, 40617522 / 29380423, -110615467 / 29380423, 69997945 / 29380423],
    ]
)
_MOST_STEPS = 1_000_000


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Solutions with dense output: a polynomial of degree four on every step.

    Parameters
    ----------
    offsets : ndarray of shape (n_records + 1,)
        Steps ``offsets[i]:offsets[i + 1]`` belong to record ``i``.
    time, length : ndarray of shape (n_steps,)
        Where each step begins, and how long it is.
    start : ndarray of shape (n_steps, n_states)
        State at its beginning.
    curve : ndarray of shape (n_steps, 4, n_states)
        Coefficients of the powers 1 to 4 of the part of the step that has passed, times its length.
    """

    offsets: NDArray[np.int64]
    time: NDArray[np.float64]
    length: NDArray[np.float64]
    start: NDArray[np.float64]
    curve: NDArray[np.float64]

    def __call__(self, record: ArrayLike, times: ArrayLike) -> NDArray[np.float64]:
        """States at times of records, both of shape (n,): an array of shape (n_states, n)."""
        record, times = np.asarray(record), np.asarray(times, dtype=np.float64)
        owner = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        # numpy orders complex numbers by real, then imaginary part: one search serves all records
        step = np.searchsorted(owner + 1j * self.time, record + 1j * times, side="right") - 1
        length = self.length[step]
        part = (times - self.time[step]) / length
        powers = part[:, None] ** np.arange(1, 5)
        return (self.start[step] + length[:, None] * np.einsum("np,nps->ns", powers, self.curve[step])).T


def integrate(
    field: Field, start: NDArray[np.float64], duration: float, *, rtol: float = 1e-8, atol: float = 1e-9
) -> Trajectories:
    """Solve from 0 to ``duration`` with the pair of Dormand and Prince of orders five and four.

    Every record has steps of its own, so its solution does not depend on the other records.

    Parameters
    ----------
    field : callable
        ``field(t, x, record)`` with ``t`` of shape (n,), ``x`` of shape (n_states, n) and the positions of the records of
        shape (n,); returns the derivative, of the shape of ``x``.
    start : ndarray of shape (n_states, n_records)
        States at time 0.
    duration : float
        Length of the records.
    rtol, atol : float
        Tolerances of the error of a step: the root mean square over states of error / (atol + rtol |x|) stays below 1.

    Returns
    -------
    Trajectories

    Raises
    ------
    FloatingPointError
        If steps become too many or too short: the field is too stiff or leaves the finite numbers.
    """
    record = np.arange(start.shape[1])
    t, x = np.zeros(len(record)), np.asarray(start, dtype=np.float64)
    h = np.full(len(record), 1e-4 * duration)
    slope = field(t, x, record)
    pieces: list[tuple[NDArray, ...]] = []
    for _ in range(_MOST_STEPS):
        if not len(record):
            return _joined(pieces, start.shape)
        is_last = h >= duration - t
        h = np.where(is_last, duration - t, h)
        stages, end = _stages(field, t, x, slope, h, record)
        error = _error(stages, x, end, h, rtol, atol)
        good = error <= 1
        pieces.append(_piece(record[good], t[good], h[good], x[:, good], stages[:, :, good]))
        if not (np.isfinite(error).all() and (h > 1e-14 * duration).all()):
            raise FloatingPointError(f"the solution of record {record[~good][:1]} cannot be continued; lower rtol.")
        t, x, slope = np.where(good, t + h, t), np.where(good, end, x), np.where(good, stages[6], slope)
        h = h * np.clip(0.9 * np.maximum(error, 1e-10) ** -0.2, 0.2, 10.0)
        left = ~(good & is_last)
        if not left.all():
            record, t, h, x, slope = record[left], t[left], h[left], x[:, left], slope[:, left]
    raise FloatingPointError(f"{len(record)} records are not done after {_MOST_STEPS} steps; raise rtol and atol.")


def _stages(
    field: Field, t: NDArray, x: NDArray, slope: NDArray, h: NDArray, record: NDArray
) -> tuple[NDArray, NDArray]:
    """The seven derivatives of a step, shape (7, n_states, n), and the state at its end."""
    stages = np.empty((7, *x.shape))
    stages[0] = slope
    for i in range(1, 6):
        stages[i] = field(t + C[i] * h, x + h * _mix(A[i], stages[:i]), record)
    end = x + h * _mix(B, stages[:6])
    stages[6] = field(t + h, end, record)
    return stages, end


def _error(stages: NDArray, x: NDArray, end: NDArray, h: NDArray, rtol: float, atol: float) -> NDArray[np.float64]:
    scale = atol + rtol * np.maximum(np.abs(x), np.abs(end))
    return np.sqrt(np.mean((h * _mix(ERROR, stages) / scale) ** 2, axis=0))


def _mix(weights: ArrayLike, stages: NDArray) -> NDArray:
    """Weighted sums over the first axis; one matrix product is several times as fast as ``tensordot`` here."""
    weights = np.asarray(weights)
    return (weights.T @ stages.reshape(len(stages), -1)).reshape(weights.shape[1:] + stages.shape[1:])


def _piece(record: NDArray, t: NDArray, h: NDArray, x: NDArray, stages: NDArray) -> tuple[NDArray, ...]:
    return record, t, h, x.T, _mix(DENSE, stages).transpose(2, 0, 1)


def _joined(pieces: list[tuple[NDArray, ...]], shape: tuple[int, ...]) -> Trajectories:
    """All steps by record; within a record they are in order already."""
    n_states, n_records = shape
    if not pieces:
        nothing = np.zeros(0)
        empty = np.zeros((0, n_states)), np.zeros((0, 4, n_states))
        return Trajectories(np.zeros(n_records + 1, dtype=np.int64), nothing, nothing, *empty)
    record, *parts = (np.concatenate(part) for part in zip(*pieces, strict=True))
    order = np.argsort(record, kind="stable")
    return Trajectories(
        offsets_from_lengths(np.bincount(record, minlength=n_records)), *(part[order] for part in parts)
    )
