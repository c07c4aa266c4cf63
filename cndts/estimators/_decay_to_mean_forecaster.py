"""The last value, fading to the mean of its channel."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cndts._panel_histories import ChannelHistories, events_until
from cndts._panel_queries import check_asks
from cndts.estimators._base import BaseForecaster
from cndts.estimators._channel_search import search_by_channel
from cndts.panel import IrregularPanel
from cndts.targets import Targets

# the search spans four decades on either side of the typical age: from "never fades" to "fades at once"
_DECADES = 1e4


class DecayToMeanForecaster(BaseForecaster):
    r"""Let the last value of a channel decay exponentially to the channel's mean.

    Attributes
    ----------
    rates_ : ndarray of shape (n_channels,)
        Decay rate of each channel, in 1 / time unit; near zero where no training target tells it.

    Notes
    -----
    .. math:: \hat{x}_c(t) = \bar{x}_c + (x_c^\mathrm{last} - \bar{x}_c)\, e^{-\lambda_c (t - t_c^\mathrm{last})},

    the conditional mean of an Ornstein-Uhlenbeck process with mean :math:`\bar{x}_c` (``channel_means_``) and rate
    :math:`\lambda_c`, which minimises the squared training error of the channel. A channel that the record has not
    observed by the query time gets its mean. Values of one channel at one time are averaged.

    Examples
    --------
    A value that halves its distance to the mean of 0 with every hour:

    >>> from cndts.queries import Queries
    >>> queries = Queries([0, 2, 4], [1.0, 2.0, 1.0, 2.0], [0, 0, 0, 0])
    >>> X = IrregularPanel([0, 1, 2], [0.0, 0.0], [0, 0], [8.0, -8.0], channels=["x"], queries=queries)
    >>> model = DecayToMeanForecaster().fit(X, Targets(queries, [4.0, 2.0, -4.0, -2.0], X.records, X.channels))
    >>> model.rates_.round(3), np.asarray(model.predict(X)).round(2)
    (array([0.693]), array([ 4.,  2., -4., -2.], dtype=float32))
    """

    reads_static: ClassVar[bool] = False

    def _fit(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None) -> None:
        self.rates_ = fit_decay_rates(X, y, self.channel_means_)

    def _predict(self, X: IrregularPanel) -> NDArray[np.float64]:
        return decay_to_mean(X, self.channel_means_, self.rates_)


def fit_decay_rates(X: IrregularPanel, y: Targets, means: NDArray[np.float64]) -> NDArray[np.float64]:
    """The decay rate of each channel with the least squared error on the targets, shape (n_channels,)."""
    deviation, age = _last_deviation(X, means)
    known = np.isfinite(deviation)
    deviation, age, channel = deviation[known], age[known], y.channel[known]
    target = y.value[known] - means[channel]
    typical = float(np.median(age[age > 0])) if (age > 0).any() else 1.0
    return search_by_channel(
        lambda rate: target - deviation * np.exp(-rate * age),
        channel,
        len(means),
        1 / (_DECADES * typical),
        _DECADES / typical,
    )


def decay_to_mean(X: IrregularPanel, means: NDArray[np.float64], rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Forecasts of the queries of a panel, shape (n_queries,), from the mean and decay rate of each channel."""
    deviation, age = _last_deviation(X, means)
    channel = check_asks(X).channel
    return means[channel] + np.nan_to_num(deviation * np.exp(-rates[channel] * age))


def _last_deviation(X: IrregularPanel, means: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Last value less the channel mean, and its age; NaN where the channel was not observed."""
    queries, histories = check_asks(X), ChannelHistories.of(X)
    last = histories.last(queries.record, queries.channel, events_until(X))
    return histories.value_of(last) - means[queries.channel], queries.time - histories.time_of(last)
