"""Summaries of a record's channels as a table, for any scikit-learn model."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from cndts._panel_histories import ChannelHistories
from cndts.estimators._record_input import RecordInput
from cndts.estimators._running_statistics import running_statistics
from cndts.estimators._static_table import static_names, static_table
from cndts.panel import IrregularPanel
from cndts.static_features import StaticEncoding

_PARTS = ("last", "first", "mean", "std", "min", "max", "slope", "count", "age")


class RecordSummary(TransformerMixin, RecordInput):
    """One row per record: what each channel showed, in a few numbers that trees and linear models can read.

    Of every channel: last, first and mean value, standard deviation, minimum, maximum, least-squares slope over time, count, and
    age of the last value (time to the last event of the record). Of the record: number of events and time from its first to
    its last. Of its static table: numbers as they are, categories as indicators. What does not exist is NaN.

    Attributes
    ----------
    static_ : StaticEncoding
        Columns of the static table.
    channels_in_, n_features_in_, feature_names_in_, n_records_in_, time_unit_in_
        As of `HybridMemoryClassifier`.

    See Also
    --------
    HybridMemoryEncoder : Features that a network has learned.

    Examples
    --------
    >>> X = IrregularPanel([0, 3], [1.0, 2.0, 4.0], [0, 0, 1], [70.0, 72.0, 36.5], channels=["HR", "Temp"])
    >>> summary = RecordSummary().fit(X)
    >>> dict(zip(summary.get_feature_names_out(), summary.transform(X)[0].tolist()))["HR: age"]
    2.0
    """

    def fit(self, X: Any, y: object = None) -> Self:
        """Learn the names of the columns.

        Parameters
        ----------
        X : IrregularPanel of n_records, or array-like of shape (n_records, n_times)
            Training records; a table is one channel on a grid, with NaN where nothing was observed.
        y : object
            Not used.

        Returns
        -------
        self
        """
        self.static_ = StaticEncoding.fit(self._read_fitting(X).static)
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Summarise records.

        Parameters
        ----------
        X : IrregularPanel of n_records, or array-like of shape (n_records, n_times)
            The records.

        Returns
        -------
        ndarray of shape (n_records, n_features)
        """
        panel = self._read(X)
        span = np.full(len(panel), np.nan)
        first, filled = _times(panel, panel.offsets[:-1]), np.diff(panel.offsets) > 0
        span[filled] = (panel.last_time - first)[filled]
        record = np.column_stack([np.diff(panel.offsets), span])
        return np.hstack([_channels(panel), record, static_table(panel.static, self.static_)])

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Names of the columns: ``"HR: mean"``, ``"events"``, ``"static: Age"``, ``"static: unit = a"``.

        Parameters
        ----------
        input_features : object
            Not used.

        Returns
        -------
        ndarray of str, shape (n_features,)
        """
        check_is_fitted(self, "static_")
        names = [f"{channel}: {part}" for part in _PARTS for channel in self.channels_in_]
        return np.asarray([*names, "events", "span", *static_names(self.static_)], dtype=object)


def _channels(panel: IrregularPanel) -> NDArray[np.float64]:
    """Summaries of every channel, shape (n_records, n_parts * n_channels), NaN where a channel was not observed."""
    histories = ChannelHistories.of(panel)
    statistics = running_statistics(histories, [])
    group = histories.key // histories.stride
    is_last = np.append(group[1:] != group[:-1], True)[: len(group)]
    row, group = np.flatnonzero(is_last), group[is_last]
    columns = {"last": histories.value, "first": histories.value[np.arange(len(histories.rank)) - histories.rank]}
    age = panel.last_time[group // histories.n_channels] - histories.time[row]
    columns = {name: array[row] for name, array in (columns | statistics).items()} | {"age": age}
    tables = np.full((len(_PARTS), len(panel) * histories.n_channels), np.nan)
    tables[_PARTS.index("count")] = 0
    for part, name in zip(tables, _PARTS, strict=True):
        part[group] = columns[name]
    return np.hstack(list(tables.reshape(len(_PARTS), len(panel), -1)))


def _times(panel: IrregularPanel, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Times of the events in some rows; NaN for a row after the last event."""
    return np.append(panel.time, np.nan)[rows]
