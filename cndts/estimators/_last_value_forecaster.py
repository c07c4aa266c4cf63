"""The last observed value, carried forward."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cndts._panel_histories import ChannelHistories, events_until
from cndts._panel_queries import check_asks
from cndts.estimators._base import BaseForecaster
from cndts.panel import IrregularPanel
from cndts.targets import Targets


class LastValueForecaster(BaseForecaster):
    """Answer every query with the last value of its channel at or before the query time.

    A channel that the record has not observed by then gets its training mean. Values of one channel at one time are
    averaged. See :class:`BaseForecaster` for the fitted attributes.

    Examples
    --------
    >>> from cndts.queries import Queries
    >>> queries = Queries([0, 2], [3.0, 4.0], [0, 1])
    >>> X = IrregularPanel([0, 2], [1.0, 2.0], [0, 0], [70.0, 72.0], channels=["HR", "Temp"], queries=queries)
    >>> y = Targets(queries, [80.0, 37.0], X.records, X.channels)
    >>> np.asarray(LastValueForecaster().fit(X, y).predict(X))
    array([72., 37.], dtype=float32)
    """

    reads_static: ClassVar[bool] = False

    def _fit(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None) -> None:
        """Nothing beyond the means that every forecaster keeps."""

    def _predict(self, X: IrregularPanel) -> NDArray[np.float64]:
        queries, histories = check_asks(X), ChannelHistories.of(X)
        last = histories.value_of(histories.last(queries.record, queries.channel, events_until(X)))
        return np.where(np.isnan(last), self.channel_means_[queries.channel], last)
