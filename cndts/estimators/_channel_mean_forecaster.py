"""The mean of each channel: the forecast that skill is measured against."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cndts._panel_queries import check_asks
from cndts.estimators._base import BaseForecaster
from cndts.panel import IrregularPanel
from cndts.targets import Targets


class ChannelMeanForecaster(BaseForecaster):
    """Answer every query with the mean training target of its channel.

    See :class:`BaseForecaster` for the fitted attributes.

    Examples
    --------
    >>> from cndts.queries import Queries
    >>> queries = Queries([0, 2], [3.0, 4.0], [0, 0])
    >>> X = IrregularPanel([0, 1], [1.0], [0], [70.0], channels=["HR"], queries=queries)
    >>> y = Targets(queries, [80.0, 90.0], X.records, X.channels)
    >>> np.asarray(ChannelMeanForecaster().fit(X, y).predict(X))
    array([85., 85.], dtype=float32)
    """

    reads_static: ClassVar[bool] = False

    def _fit(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None) -> None:
        """Nothing beyond the means that every forecaster keeps."""

    def _predict(self, X: IrregularPanel) -> NDArray[np.float64]:
        return self.channel_means_[check_asks(X).channel]
