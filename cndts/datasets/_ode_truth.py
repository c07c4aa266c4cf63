"""The solution behind records that were generated from a differential equation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cndts.datasets._dormand_prince import Trajectories
from cndts.datasets._icu_truth import channel_positions, checked_times

Observe = Callable[[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]], NDArray[np.float64]]


class OdeTruth:
    r"""True channel values of records that follow a differential equation, at any time.

    Call it with record positions, channels and times that broadcast against each other.

    Parameters
    ----------
    trajectories : Trajectories
        Numerical solution with dense output.
    observe : callable
        ``observe(states, record, times)`` with states of shape (n_states, n): the values of all channels, (n_channels, n).
    channels : sequence of str
        Names of the channels that can be asked for: those of the panel, then hidden ones where there are any.
    duration : float
        Last time.
    parameters : mapping of str to ndarray of shape (n_records,)
        What makes the records differ.

    Notes
    -----
    The equation is solved in float64 by the pair of Dormand and Prince (J. Comp. Appl. Math. 6:19-26, 1980) with relative
    tolerances of 1e-9 to 1e-6 a step. Between the steps, which every record chooses for itself, the solution is the polynomial of degree
    four of Shampine (Math. Comp. 46:135-150, 1986).

    Examples
    --------
    >>> from cndts.datasets import make_lotka_volterra
    >>> panel, truth = make_lotka_volterra(5, random_state=0, return_truth=True)
    >>> truth(3, "prey", np.linspace(0, 20, 5)).shape, sorted(truth.parameters)
    ((5,), ['alpha', 'beta', 'delta', 'gamma'])
    """

    def __init__(
        self,
        trajectories: Trajectories,
        observe: Observe,
        channels: Sequence[str],
        duration: float,
        parameters: Mapping[str, NDArray[np.float64]],
    ) -> None:
        self._trajectories, self._observe = trajectories, observe
        self.channels = tuple(channels)
        self.duration = duration
        self.parameters = dict(parameters)

    def __call__(self, record: ArrayLike, channel: ArrayLike, times: ArrayLike) -> NDArray[np.float64]:
        """True values.

        Parameters
        ----------
        record : int or array of int
            Positions of records in the panel.
        channel : str, int or array of them
            Channel names or positions.
        times : float or array of float
            From 0 to ``duration``, in the panel's time unit.

        Returns
        -------
        ndarray of the common broadcast shape
        """
        asked = np.broadcast_arrays(
            np.asarray(record), channel_positions(channel, self.channels), checked_times(times, self.duration)
        )
        who, which, t = (np.ravel(each) for each in asked)
        values = self._observe(self._trajectories(who, t), who, t)
        return values[which, np.arange(len(t))].reshape(asked[0].shape)
