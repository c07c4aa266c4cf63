"""The closed form behind generated oscillators."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cndts.datasets._icu_truth import channel_positions, checked_times


class OscillatorTruth:
    r"""Sums of damped oscillations, known in closed form at every time.

    Call it with record positions, channels and times that broadcast against each other.

    Parameters
    ----------
    amplitude, phase : ndarray of shape (n_records, n_channels, n_modes)
        How strongly, and how delayed, each channel shows each mode.
    decay, frequency : ndarray of shape (n_records, n_modes)
        Damping rate and angular frequency of each mode, per unit of time; shared by the channels of a record.
    duration : float
        Last time.
    channels : sequence of str
        Channel names.

    Notes
    -----
    .. math:: x_c(t) = \sum_k A_{ck} e^{-\gamma_k t} \cos(\omega_k t + \phi_{ck})

    where :math:`A` is the amplitude, :math:`\gamma` the decay, :math:`\omega` the frequency and :math:`\phi` the phase.

    Examples
    --------
    >>> truth = OscillatorTruth(np.ones((1, 1, 1)), np.zeros((1, 1, 1)), [[0.0]], [[np.pi]], 10.0, ["x0"])
    >>> truth(0, "x0", [0.0, 1.0, 2.0]).round(6).tolist()
    [1.0, -1.0, 1.0]
    """

    def __init__(
        self,
        amplitude: NDArray,
        phase: NDArray,
        decay: ArrayLike,
        frequency: ArrayLike,
        duration: float,
        channels: Sequence[str],
    ) -> None:
        self.amplitude, self.phase = amplitude, phase
        self.decay, self.frequency = np.asarray(decay), np.asarray(frequency)
        self.duration = duration
        self.channels = tuple(channels)

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
        t = checked_times(times, self.duration)[..., None]
        angle = self.frequency[record] * t + self.phase[record, channel]
        return (self.amplitude[record, channel] * np.exp(-self.decay[record] * t) * np.cos(angle)).sum(axis=-1)
