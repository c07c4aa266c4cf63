"""The conditional mean of a process that returns to its mean, given the neighbouring observations."""

from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cndts._panel_neighbours import ChannelNeighbours
from cndts._panel_queries import check_asks
from cndts.estimators._base_interpolator import BaseInterpolator
from cndts.estimators._channel_search import search_by_channel
from cndts.panel import IrregularPanel
from cndts.targets import Targets

Floats = NDArray[np.float64]

# the search spans four decades on either side of the typical distance: from a straight line to the mean
_DECADES = 1e4
_NOISE_SHARES = (0.0, 0.03, 0.1, 0.3, 1.0)


class OrnsteinUhlenbeckInterpolator(BaseInterpolator):
    r"""Gaussian-process regression from the two neighbouring observations of the channel, with an exponential kernel.

    The counterpart of :class:`DecayToMeanForecaster` that reads both sides: near an observation it follows it, in a long
    gap it returns to the channel's mean, and with one neighbour it decays to the mean.

    Attributes
    ----------
    rates_ : ndarray of shape (n_channels,)
        Rate of return of each channel, in 1 / time unit; near zero where no training target tells it.
    noise_shares_ : ndarray of shape (n_channels,)
        Variance of the measurement noise over that of the process: 0, 0.03, 0.1, 0.3 or 1.

    Notes
    -----
    With ages :math:`a` and :math:`b` of the neighbours :math:`x_0` and :math:`x_1`, correlations
    :math:`\rho_0 = e^{-\lambda a}`, :math:`\rho_1 = e^{-\lambda b}`, :math:`\rho = \rho_0 \rho_1` and noise share
    :math:`\nu`,

    .. math::

        \hat{x} = \bar{x} + w_0 (x_0 - \bar{x}) + w_1 (x_1 - \bar{x}), \qquad
        w_0 = \frac{(1 + \nu) \rho_0 - \rho \rho_1}{(1 + \nu)^2 - \rho^2},

    and :math:`w_1` likewise: equation 2.25 of Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), for
    two observations. Without noise the process is Markov and the answer that of all observations of the channel. Rate and
    noise share minimise the squared training error. Values of one channel at one time are averaged.

    Examples
    --------
    >>> from cndts.queries import Queries
    >>> queries = Queries([0, 1, 2], [1.0, 1.0], [0, 0])
    >>> X = IrregularPanel([0, 2, 4], [0.0, 2.0, 0.0, 2.0], [0] * 4, [1.0, 3.0, -1.0, -3.0], queries=queries)
    >>> y = Targets(queries, [2.0, -2.0], X.records, X.channels)
    >>> np.asarray(OrnsteinUhlenbeckInterpolator().fit(X, y).predict(X)).round(3)
    array([ 2., -2.], dtype=float32)
    """

    reads_static: ClassVar[bool] = False

    def _fit(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None) -> None:
        self.rates_, self.noise_shares_ = fit_return(X, y, self.channel_means_)

    def _predict(self, X: IrregularPanel) -> Floats:
        return return_to_mean(X, self.channel_means_, self.rates_, self.noise_shares_)


def fit_return(X: IrregularPanel, y: Targets, means: Floats) -> tuple[Floats, Floats]:
    """Rate and noise share of each channel with the least squared error on the targets, each of shape (n_channels,)."""
    found = ChannelNeighbours.of(X)
    known, distance = ~np.isnan(found.distance), found.distance
    typical = float(np.median(distance[distance > 0])) if (distance > 0).any() else 1.0
    channel, n_channels = y.channel[known], len(means)
    left, right, age, wait = (side[known] for side in _deviations(found, means[y.channel]))
    target = y.value[known] - means[channel]

    def error(noise: float, rate: Floats) -> Floats:
        return target - _weighted(left, right, age, wait, rate, noise)

    bounds = 1 / (_DECADES * typical), _DECADES / typical
    rates = [search_by_channel(partial(error, noise), channel, n_channels, *bounds) for noise in _NOISE_SHARES]
    losses = [
        np.bincount(channel, error(noise, rate[channel]) ** 2, n_channels)
        for noise, rate in zip(_NOISE_SHARES, rates, strict=True)
    ]
    best = np.argmin(losses, axis=0)
    return np.array(rates)[best, np.arange(n_channels)], np.array(_NOISE_SHARES)[best]


def return_to_mean(X: IrregularPanel, means: Floats, rates: Floats, noise_shares: Floats) -> Floats:
    """Answers to the queries of a panel, shape (n_queries,), from mean, rate and noise share of each channel."""
    channel = check_asks(X).channel
    sides = _deviations(ChannelNeighbours.of(X), means[channel])
    return means[channel] + _weighted(*sides, rates[channel], noise_shares[channel])


def _deviations(found: ChannelNeighbours, mean: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Neighbours less the mean and their distances; where there is no neighbour 0 and infinitely far."""
    left, right = (found.histories.value_of(row) - mean for row in (found.before, found.after))
    age, wait = (np.where(np.isnan(distance), np.inf, distance) for distance in (found.age, found.wait))
    return np.nan_to_num(left), np.nan_to_num(right), age, wait


def _weighted(left: Floats, right: Floats, age: Floats, wait: Floats, rate: Floats, noise: Floats | float) -> Floats:
    near, later, own = np.exp(-rate * age), np.exp(-rate * wait), 1 + noise
    both = near * later
    return (left * (own * near - both * later) + right * (own * later - both * near)) / (own**2 - both**2)
