"""Straight lines between observations."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cndts._panel_neighbours import ChannelNeighbours
from cndts._panel_queries import check_asks
from cndts.estimators._base_interpolator import BaseInterpolator
from cndts.panel import IrregularPanel
from cndts.targets import Targets


class LinearInterpolator(BaseInterpolator):
    r"""Answer every query with the straight line between the neighbouring observations of its channel.

    Before the first and after the last observation the nearest value holds; a channel that the record never observes
    gets its mean. Values of one channel at one time are averaged. See :class:`BaseInterpolator` for what interpolators
    share.

    Notes
    -----
    With neighbours :math:`(t_0, x_0)` and :math:`(t_1, x_1)` of the query at :math:`t`,

    .. math:: \hat{x} = x_0 + (x_1 - x_0) \frac{t - t_0}{t_1 - t_0}.

    See Also
    --------
    LinearInterpolationForecaster : the same line, and trends that level off after the last observation.

    Examples
    --------
    >>> from cndts.queries import Queries
    >>> queries = Queries([0, 2], [1.0, 5.0], [0, 0])
    >>> X = IrregularPanel([0, 2], [0.0, 2.0], [0, 0], [1.0, 3.0], channels=["x"], queries=queries)
    >>> y = Targets(queries, [2.0, 3.0], X.records, X.channels)
    >>> np.asarray(LinearInterpolator().fit(X, y).predict(X))
    array([2., 3.], dtype=float32)
    """

    reads_static: ClassVar[bool] = False

    def _fit(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None) -> None:
        """Nothing beyond the means that every estimator keeps."""

    def _predict(self, X: IrregularPanel) -> NDArray[np.float64]:
        line = ChannelNeighbours.of(X).line
        return np.where(np.isnan(line), self.channel_means_[check_asks(X).channel], line)
