"""What a tabular model is told about a query: summaries of its record up to the query time."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cndts._panel_histories import ChannelHistories, Index, events_until, horizons
from cndts._panel_queries import check_asks
from cndts.estimators._running_statistics import running_statistics
from cndts.estimators._static_table import static_names, static_table
from cndts.panel import IrregularPanel
from cndts.static_features import StaticEncoding

_OWN = ("last", "previous", "first", "mean", "min", "max", "std", "slope", "count", "age")
_RECORD = ("horizon", "elapsed", "events", "observed")
CHANNEL_PARTS = ("last", "age", "mean")
NO_STATIC = StaticEncoding({}, {})


class SummaryFeatures:
    """Features of the queries of a panel, each from events of the record at or before the query time.

    Of the query's own channel: last, previous and first value; mean, minimum, maximum, standard deviation,
    least-squares slope, count; exponentially weighted means; age of the last value. Of the record: horizon (query time
    minus time of the last event), elapsed time since its first event, number of events and of channels observed so
    far; its static columns, numbers as they are and categories as indicators. Of every channel: last value, its age, mean. What
    does not exist is NaN.

    Parameters
    ----------
    X : IrregularPanel
        Context events with queries.
    timescales : sequence of float
        Time constants of the exponentially weighted means, in time units.
    static : StaticEncoding, optional
        Columns of ``X.static`` to add; unknown values are NaN, or have no indicator of 1.

    Attributes
    ----------
    queries : Queries
        Those of the panel.
    record : ndarray of shape (n_queries,)
        Record position of each query.
    horizon : ndarray of shape (n_queries,)
        Query time minus time of the last event before it; NaN without context.
    names_own : tuple of str
        Names of the columns of ``own``.

    Examples
    --------
    >>> from cndts.queries import Queries
    >>> queries = Queries([0, 2], [5.0, 6.0], [0, 1])
    >>> X = IrregularPanel([0, 2], [1.0, 2.0], [0, 0], [70.0, 72.0], channels=["HR", "Temp"], queries=queries)
    >>> features = SummaryFeatures(X, timescales=[2.0])
    >>> dict(zip(features.names_own, features.own()[0].tolist()))["age"]
    3.0
    >>> channel_feature_names(X.channels)
    ['HR: last', 'Temp: last', 'HR: age', 'Temp: age', 'HR: mean', 'Temp: mean']
    >>> features.of_channels([0, 1])
    array([[72., nan,  3., nan, 71., nan],
           [72., nan,  4., nan, 71., nan]], dtype=float32)
    """

    def __init__(self, X: IrregularPanel, timescales: Sequence[float], static: StaticEncoding | None = None) -> None:
        self._panel, self.queries = X, check_asks(X)
        self._histories = ChannelHistories.of(X)
        self._statistics = running_statistics(self._histories, timescales)
        self.record, self._until, self.horizon = self.queries.record, events_until(X), horizons(X)
        self._observed_channels = _cumulative_first_events(self._histories, X.n_events)
        encoding = static or NO_STATIC
        self._static = static_table(X.static, encoding)
        self.names_own = own_feature_names(len(timescales), encoding)

    def own(self, rows: Index | slice = slice(None)) -> NDArray[np.float32]:
        """Features of each query's own channel, its record and the query itself.

        Parameters
        ----------
        rows : slice or ndarray of int
            Positions of queries.

        Returns
        -------
        ndarray of shape (n_rows, len(names_own))
        """
        time, record, until = self.queries.time[rows], self.record[rows], self._until[rows]
        last = self._histories.last(record, self.queries.channel[rows], until)
        columns = self._own_columns(last, time) | self._record_columns(rows)
        summaries = np.column_stack([columns[name] for name in self.names_own[: len(columns)]])
        return np.hstack([summaries, self._static[record]]).astype(np.float32)

    def of_channels(
        self, channels: Sequence[int], rows: Index | slice = slice(None), parts: Sequence[str] = CHANNEL_PARTS
    ) -> NDArray[np.float32]:
        """Last value, its age and mean of the given channels, for each query.

        Parameters
        ----------
        channels : sequence of int
            Channel positions.
        rows : slice or ndarray of int
            Positions of queries.
        parts : sequence of {"last", "age", "mean"}
            Which of the three, in this order.

        Returns
        -------
        ndarray of shape (n_rows, len(parts) * len(channels))
        """
        # queries of a record mostly share their context, so channels are looked up once for each distinct one
        context = self.record[rows] * (self._panel.n_events + 1) + self._until[rows]
        _, first, context = np.unique(context, return_index=True, return_inverse=True)
        record, until = self.record[rows][first], self._until[rows][first]
        last = self._histories.last(record[:, None], np.asarray(channels, dtype=np.int64), until[:, None])
        tables = {
            "last": lambda: self._histories.value_of(last)[context],
            "age": lambda: self.queries.time[rows][:, None] - self._histories.time_of(last)[context],
            "mean": lambda: _read(self._statistics["mean"], last)[context],
        }
        return np.hstack([tables[part]() for part in parts]).astype(np.float32)

    def _own_columns(self, last: Index, time: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        histories = self._histories
        columns = {
            "last": histories.value_of(last),
            "previous": histories.value_of(histories.previous(last)),
            "first": histories.value_of(histories.first(last)),
            "age": time - histories.time_of(last),
        }
        columns |= {name: _read(array, last) for name, array in self._statistics.items()}
        columns["count"] = np.nan_to_num(columns["count"])
        return columns

    def _record_columns(self, rows: Index | slice) -> dict[str, NDArray[np.float64]]:
        start, until = self._panel.offsets[self.record[rows]], self._until[rows]
        has_context = until > start
        elapsed = np.full(len(until), np.nan)
        elapsed[has_context] = self.queries.time[rows][has_context] - self._panel.time[start[has_context]]
        observed = self._observed_channels[until] - self._observed_channels[start]
        return {"horizon": self.horizon[rows], "elapsed": elapsed, "events": until - start, "observed": observed}


def own_feature_names(n_timescales: int, static: StaticEncoding = NO_STATIC) -> tuple[str, ...]:
    """Names of the columns of ``SummaryFeatures.own``."""
    ewm = (f"ewm{k}" for k in range(n_timescales))
    return (*_OWN, *ewm, *_RECORD, *static_names(static))


def channel_feature_names(channels: Sequence[str], parts: Sequence[str] = CHANNEL_PARTS) -> list[str]:
    """Names of the columns of ``SummaryFeatures.of_channels``."""
    return [f"{name}: {part}" for part in parts for name in channels]


def _cumulative_first_events(histories: ChannelHistories, n_events: int) -> Index:
    """How many events before each flat position are the first of their record and channel, shape (n_events + 1,)."""
    is_first = np.zeros(n_events + 1, dtype=np.int64)
    is_first[histories.key[histories.rank == 0] % histories.stride + 1] = 1
    return np.cumsum(is_first)


def _read(statistic: NDArray[np.float64], row: Index) -> NDArray[np.float64]:
    return np.where(row >= 0, statistic[row], np.nan) if len(statistic) else np.full(row.shape, np.nan)
