"""The noise-free curves behind generated ICU records."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


class IcuTruth:
    r"""True channel values of generated ICU records at any time, as a smooth curve.

    Call it with record positions, channels and times that broadcast against each other.

    Parameters
    ----------
    step : float
        Distance between grid times, in hours; the grid starts at 0.
    value, slope : ndarray of shape (n_grid, n_channels, n_records)
        Value and time derivative at the grid times.
    channels : sequence of str
        Channel names.

    Notes
    -----
    Between grid times :math:`t_k` and :math:`t_{k+1} = t_k + h` the curve is the cubic Hermite polynomial

    .. math:: x(t) = (1 + 2u)(1 - u)^2 x_k + u^2 (3 - 2u) x_{k+1} + h u (1 - u) [(1 - u) x'_k - u x'_{k+1}]

    where :math:`u = (t - t_k) / h`. It is continuously differentiable, and its distance from the solution of the
    differential equation is of order :math:`h^4`.

    Examples
    --------
    >>> from cndts.datasets import make_icu
    >>> panel, truth = make_icu(20, random_state=0, return_truth=True)
    >>> truth(3, "HR", np.linspace(0, 48, 5)).shape
    (5,)

    The noise is what the observations have and the truth has not:

    >>> noise = panel.value - truth(panel.record, panel.channel, panel.time)
    >>> bool(abs(noise.mean()) < 0.5)
    True
    """

    def __init__(self, step: float, value: NDArray, slope: NDArray, channels: Sequence[str]) -> None:
        self._step, self._value, self._slope = step, value, slope
        self.channels = tuple(channels)

    @property
    def duration(self) -> float:
        """Last time of the curves, in hours."""
        return self._step * (len(self._value) - 1)

    def __call__(self, record: ArrayLike, channel: ArrayLike, times: ArrayLike) -> NDArray[np.float64]:
        """True values.

        Parameters
        ----------
        record : int or array of int
            Positions of records in the panel.
        channel : str, int or array of them
            Channel names or positions.
        times : float or array of float
            Hours since admission, from 0 to ``duration``.

        Returns
        -------
        ndarray of the common broadcast shape
        """
        record, channel = np.asarray(record), channel_positions(channel, self.channels)
        times = checked_times(times, self.duration)
        left = np.minimum((times / self._step).astype(np.int64), len(self._value) - 2)
        u = times / self._step - left
        x0, x1 = self._value[left, channel, record], self._value[left + 1, channel, record]
        d0, d1 = self._slope[left, channel, record], self._slope[left + 1, channel, record]
        rest = 1 - u
        ends = (1 + 2 * u) * rest**2 * x0 + u**2 * (3 - 2 * u) * x1
        return ends + self._step * u * rest * (rest * d0 - u * d1)


def channel_positions(channel: ArrayLike, channels: Sequence[str]) -> NDArray[np.int64]:
    """Positions of channels given by name or position.

    Examples
    --------
    >>> channel_positions(["b", "a"], ("a", "b"))
    array([1, 0])
    """
    given = np.asarray(channel)
    if given.dtype.kind in "iu":
        return given.astype(np.int64)
    position = {name: at for at, name in enumerate(channels)}
    unknown = sorted({str(name) for name in given.ravel()} - set(position))
    if unknown:
        raise ValueError(f"unknown channels {', '.join(map(repr, unknown))}; there are {', '.join(channels)}.")
    return np.array([position[str(name)] for name in given.ravel()], dtype=np.int64).reshape(given.shape)


def checked_times(times: ArrayLike, duration: float) -> NDArray[np.float64]:
    """Times as an array; an error if any lies outside ``[0, duration]``."""
    times = np.asarray(times, dtype=np.float64)
    if times.size and not (times.min() >= 0 and times.max() <= duration * (1 + 1e-12)):
        raise ValueError(
            f"the truth is known from 0 to {duration:g}; got times from {times.min():g} to {times.max():g}."
        )
    return times
