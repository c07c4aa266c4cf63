"""What a tabular model is told about a query from both sides: summaries of the record, and of its mirror image."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cndts._panel_histories import Index
from cndts._panel_queries import check_asks
from cndts._ragged import record_of_row
from cndts.estimators._summary_features import NO_STATIC, SummaryFeatures, channel_feature_names, own_feature_names
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.static_features import StaticEncoding


class TwoSidedFeatures:
    """:class:`SummaryFeatures` of the events before each query, and of the events after it with time running backward.

    Parameters
    ----------
    X : IrregularPanel
        Context events with queries.
    timescales : sequence of float
        Time constants of the exponentially weighted means, in time units.
    static : StaticEncoding, optional
        Columns of ``X.static`` to add, as `SummaryFeatures` does.

    Attributes
    ----------
    queries : Queries
        Those of the panel.
    record : ndarray of shape (n_queries,)
        Record position of each query.
    horizon : ndarray of shape (n_queries,)
        Distance to the nearest event of the record; NaN without events.

    Examples
    --------
    >>> queries = Queries([0, 1], [2.0], [0])
    >>> X = IrregularPanel([0, 2], [1.0, 5.0], [0, 0], [70.0, 72.0], channels=["HR"], queries=queries)
    >>> names = two_sided_feature_names(1)
    >>> own = dict(zip(names, TwoSidedFeatures(X, timescales=[2.0]).own()[0].tolist()))
    >>> own["before: last"], own["before: age"], own["after: last"], own["after: age"]
    (70.0, 1.0, 72.0, 3.0)
    """

    def __init__(self, X: IrregularPanel, timescales: Sequence[float], static: StaticEncoding | None = None) -> None:
        self._before = SummaryFeatures(X, timescales, static)
        self._after = SummaryFeatures(mirrored(X), timescales)
        self.queries, self.record = self._before.queries, self._before.record
        self.horizon = np.fmin(self._before.horizon, self._after.horizon)

    def own(self, rows: Index | slice = slice(None)) -> NDArray[np.float32]:
        """Features of each query's own channel, its record and the query itself, shape (n_rows, n_features)."""
        return np.hstack([self._before.own(rows), self._after.own(rows)])

    def of_channels(self, channels: Sequence[int], rows: Index | slice, parts: Sequence[str]) -> NDArray[np.float32]:
        """Summaries of the given channels before and after each query, shape (n_rows, 2 * len(parts) * len(channels))."""
        return np.hstack([side.of_channels(channels, rows, parts) for side in (self._before, self._after)])


def two_sided_feature_names(n_timescales: int, static: StaticEncoding = NO_STATIC) -> list[str]:
    """Names of the columns of ``TwoSidedFeatures.own``."""
    before, after = own_feature_names(n_timescales, static), own_feature_names(n_timescales)
    return [*(f"before: {name}" for name in before), *(f"after: {name}" for name in after)]


def two_sided_channel_feature_names(channels: Sequence[str], parts: Sequence[str]) -> list[str]:
    """Names of the columns of ``TwoSidedFeatures.of_channels``."""
    names = channel_feature_names(channels, parts)
    return [f"{side}: {name}" for side in ("before", "after") for name in names]


def mirrored(X: IrregularPanel) -> IrregularPanel:
    """The panel with time running backward: negative times, events in reverse order, queries in the same order."""
    record = record_of_row(X.offsets)
    order = X.offsets[record] + X.offsets[record + 1] - 1 - np.arange(X.n_events)
    queries = check_asks(X)
    return IrregularPanel._trusted(
        X,
        time=-X.time[order],
        channel=X.channel[order],
        value=X.value[order],
        queries=Queries(queries.offsets, -queries.time, queries.channel),
    )
