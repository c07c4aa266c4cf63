"""The closed form behind generated spirals."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cndts.datasets._icu_truth import channel_positions, checked_times

_START, _GROWTH = 1.0, 0.2


class SpiralTruth:
    r"""Archimedean spirals, known in closed form at every time.

    Call it with record positions, channels and times that broadcast against each other.

    Parameters
    ----------
    clockwise : ndarray of bool, shape (n_records,)
        Whether a record turns clockwise and winds up; otherwise it turns the other way and unwinds.
    size : ndarray of shape (n_records,)
        Factor on the radius.
    rotation : ndarray of shape (n_records,)
        Angle at time 0.
    centre : ndarray of shape (2, n_records)
        Where the middle lies.
    duration : float
        Last time, in seconds.

    Notes
    -----
    .. math:: x(t) = c + s \, (1 + 0.2 \, u) \, [\cos(\phi \pm t), \sin(\phi \pm t)]

    where :math:`c` is the centre, :math:`s` the size and :math:`\phi` the rotation; :math:`u = t` with the plus sign counter-clockwise and
    :math:`u = T - t` with the minus sign clockwise, :math:`T` the duration.

    Examples
    --------
    >>> one = np.ones(1)
    >>> truth = SpiralTruth(np.array([False]), one, 0 * one, np.zeros((2, 1)), 10.0)
    >>> truth(0, "x", [0.0, 2 * np.pi]).round(3).tolist()
    [1.0, 2.257]
    """

    channels = ("x", "y")

    def __init__(
        self, clockwise: NDArray[np.bool_], size: NDArray, rotation: NDArray, centre: NDArray, duration: float
    ) -> None:
        self.clockwise, self.size, self.rotation, self.centre = clockwise, size, rotation, centre
        self.duration = duration

    def __call__(self, record: ArrayLike, channel: ArrayLike, times: ArrayLike) -> NDArray[np.float64]:
        """True values.

        Parameters
        ----------
        record : int or array of int
            Positions of records in the panel.
        channel : str, int or array of them
            Channel names or positions.
        times : float or array of float
            From 0 to ``duration``.

        Returns
        -------
        ndarray of the common broadcast shape
        """
        record, channel = np.asarray(record), channel_positions(channel, self.channels)
        t, winds_up = checked_times(times, self.duration), self.clockwise[record]
        radius = self.size[record] * (_START + _GROWTH * np.where(winds_up, self.duration - t, t))
        angle = self.rotation[record] + np.where(winds_up, -t, t)
        # the sine is the cosine a quarter turn earlier
        return self.centre[channel, record] + radius * np.cos(angle - channel * np.pi / 2)
