"""The nearest observation in time."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cndts._panel_neighbours import ChannelNeighbours
from cndts._panel_queries import check_asks
from cndts.estimators._base_interpolator import BaseInterpolator
from cndts.panel import IrregularPanel
from cndts.targets import Targets


class NearestInterpolator(BaseInterpolator):
    """Answer every query with the observation of its channel that is nearest in time.

    Of two equally near ones the earlier counts. A channel that the record never observes gets its mean. Values of one
    channel at one time are averaged. See :class:`BaseInterpolator` for what interpolators share.

    Examples
    --------
    >>> from cndts.queries import Queries
    >>> queries = Queries([0, 2], [0.5, 1.5], [0, 0])
    >>> X = IrregularPanel([0, 2], [0.0, 2.0], [0, 0], [1.0, 3.0], channels=["x"], queries=queries)
    >>> y = Targets(queries, [1.0, 3.0], X.records, X.channels)
    >>> np.asarray(NearestInterpolator().fit(X, y).predict(X))
    array([1., 3.], dtype=float32)
    """

    reads_static: ClassVar[bool] = False

    def _fit(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None) -> None:
        """Nothing beyond the means that every estimator keeps."""

    def _predict(self, X: IrregularPanel) -> NDArray[np.float64]:
        found = ChannelNeighbours.of(X)
        is_later = np.isnan(found.age) | (found.wait < found.age)
        nearest = found.histories.value_of(np.where(is_later, found.after, found.before))
        return np.where(np.isnan(nearest), self.channel_means_[check_asks(X).channel], nearest)
