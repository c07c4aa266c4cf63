"""What is known about generated ticks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cndts.datasets._icu_truth import checked_times


@dataclass(frozen=True, eq=False)
class RegimeTruth:
    r"""The regimes behind generated ticks, and what can be expected of the price in each.

    Parameters
    ----------
    offsets : ndarray of shape (n_records + 1,)
        Stays ``offsets[i]:offsets[i + 1]`` belong to record ``i``.
    begin : ndarray of shape (n_stays,)
        When each stay in a regime begins, in seconds; the first of a record at 0.
    regime : ndarray of int, shape (n_stays,)
        Its regime.
    mid : ndarray of shape (n_events,)
        Price without noise or spread at every event of the panel.
    drift : ndarray of shape (n_regimes,)
        Expected change of the logarithm of the price, per second.
    volatility : ndarray of shape (n_regimes,)
        Its standard deviation per square root of a second.
    mean_stay : float
        Expected length of a stay in seconds; the next regime is any other one with the same probability.
    duration : float
        Length of a record in seconds.

    Examples
    --------
    >>> from cndts.datasets import make_regime_ticks
    >>> panel, truth = make_regime_ticks(5, return_truth=True)
    >>> truth.regime_at(0, [0.0, 600.0]).shape, bool(truth.expected_variance(1, 60.0) > truth.expected_variance(0, 60.0))
    ((2,), True)
    """

    offsets: NDArray[np.int64]
    begin: NDArray[np.float64]
    regime: NDArray[np.int64]
    mid: NDArray[np.float64]
    drift: NDArray[np.float64]
    volatility: NDArray[np.float64]
    mean_stay: float
    duration: float

    def regime_at(self, record: ArrayLike, times: ArrayLike) -> NDArray[np.int64]:
        """Regime of records at times.

        Parameters
        ----------
        record : int or array of int
            Positions of records in the panel.
        times : float or array of float
            Seconds from 0 to ``duration``.

        Returns
        -------
        ndarray of the common broadcast shape
        """
        times = checked_times(times, self.duration)
        owner = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        return self.regime[np.searchsorted(owner + 1j * self.begin, np.asarray(record) + 1j * times, side="right") - 1]

    def expected_move(self, regime: ArrayLike, horizon: ArrayLike) -> NDArray[np.float64]:
        r"""Expected change of the logarithm of the price from now on, given the regime of now.

        No forecast can have a smaller expected squared error than this one, since nothing else about the future is known.

        Parameters
        ----------
        regime : int or array of int
            The regime of now.
        horizon : float or array of float
            Seconds ahead, 0 or more.

        Returns
        -------
        ndarray of the common broadcast shape

        Notes
        -----
        .. math:: \bar{a} \tau + (a_i - \bar{a}) \frac{1 - e^{-\kappa \tau}}{\kappa}, \qquad
            \kappa = \frac{K}{(K - 1) \, \ell}

        where :math:`a_i` is the drift of regime :math:`i` of :math:`K`, :math:`\bar{a}` their mean, :math:`\tau` the horizon and
        :math:`\ell` the mean stay.
        """
        return self._expected(self.drift, regime, horizon)

    def expected_variance(self, regime: ArrayLike, horizon: ArrayLike) -> NDArray[np.float64]:
        """Expected quadratic variation of the logarithm of the price from now on, given the regime of now.

        Parameters and formula as for `expected_move`, with the squared volatility in place of the drift.
        """
        return self._expected(self.volatility**2, regime, horizon)

    def _expected(self, rate: NDArray, regime: ArrayLike, horizon: ArrayLike) -> NDArray[np.float64]:
        """Integral of a rate that depends on the regime; all regimes are left for any other one alike."""
        regime, horizon = np.asarray(regime), np.asarray(horizon, dtype=np.float64)
        n_regimes = len(rate)
        if n_regimes == 1:
            return rate[regime] * horizon
        pace = n_regimes / ((n_regimes - 1) * self.mean_stay)
        mean = rate.mean()
        return mean * horizon + (rate[regime] - mean) * -np.expm1(-pace * horizon) / pace
