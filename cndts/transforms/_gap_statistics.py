"""When a record was observed, as numbers."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from cndts._parameters import NamedParameters
from cndts._storable import Storable
from cndts.panel import IrregularPanel
from cndts.transforms._fitted_channels import check_alike, positions, remember_panel

RECORD = ("n_events", "n_visits", "span", "mean_gap", "max_gap", "gap_cv")
CHANNEL = ("count", "mean_gap", "max_gap", "age", "share")


class GapStatistics(TransformerMixin, Storable, NamedParameters):
    """Features of when each record was observed, and not of what: a table with one row a record.

    How often someone looks says something: sick patients are visited more often, a failing link has longer gaps. Where a model with
    these features is as good as one with the values, the missingness is informative.

    Attributes
    ----------
    channels_in_ : tuple of str
        Channels of the training panel.
    feature_names_in_ : ndarray of str, shape (n_channels,)
        The same under scikit-learn's name.
    n_features_in_ : int
        Their number.
    time_unit_in_ : str
        Time unit of the training panel; others are refused.

    Notes
    -----
    Of a record: ``n_events``, ``n_visits`` (distinct times), ``span`` from first to last, ``mean_gap`` and ``max_gap`` between visits, and ``gap_cv``,
    their standard deviation over their mean (0 for a regular grid, 1 for a Poisson process). Of each channel: ``count``, ``mean_gap`` and ``max_gap``
    between its events, ``age`` of its last event at the last event of the record, and the ``share`` of visits that observed it. Times are in
    the panel's time unit. What does not exist (gaps of a single event, the age of a channel never observed) is NaN, which gradient boosting
    reads as it is; put an imputer behind for other models.

    Examples
    --------
    >>> from cndts import IrregularPanel
    >>> panel = IrregularPanel([0, 4], [0.0, 1.0, 1.0, 4.0], [0, 0, 1, 0], [80, 82, 37, 84], channels=["HR", "Temp"])
    >>> table = GapStatistics().set_output(transform="pandas").fit_transform(panel)
    >>> table[["n_visits", "max_gap", "HR__mean_gap", "Temp__age"]].iloc[0].tolist()
    [3.0, 3.0, 2.0, 3.0]
    """

    reads_static: ClassVar[bool] = False

    def fit(self, X: IrregularPanel, y: object = None) -> Self:
        """Remember the channels and the time unit.

        Parameters
        ----------
        X : IrregularPanel of n_records
            Training records.
        y : object, optional
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there are no records.
        """
        remember_panel(self, X)
        return self

    def transform(self, X: IrregularPanel) -> NDArray[np.float64]:
        """Features of records.

        Parameters
        ----------
        X : IrregularPanel of n_records
            Channels are matched by name; missing ones count as never observed.

        Returns
        -------
        ndarray of shape (n_records, 6 + 5 * n_channels)
            A DataFrame after ``set_output(transform="pandas")``.

        Raises
        ------
        ValueError
            If ``X`` has channels that were not fitted, or times in another unit.
        """
        X = check_alike(self, X)
        place = positions(X.channels, self.channels_in_)
        record, channels = _of_records(X), _of_channels(X, place[X.channel], len(self.channels_in_))
        return np.concatenate([record, channels.reshape(len(X), -1)], axis=1)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Names of the columns: ``span``, ..., ``HR__count``, ...

        Parameters
        ----------
        input_features : array-like of str, optional
            Ignored; scikit-learn hands it over.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self, "channels_in_")
        return np.asarray(
            [*RECORD, *(f"{name}__{what}" for name in self.channels_in_ for what in CHANNEL)], dtype=object
        )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags


def _of_records(X: IrregularPanel) -> NDArray[np.float64]:
    """Columns of `RECORD`."""
    is_visit = _is_visit(X)
    gaps = _gaps(X.record[is_visit], X.time[is_visit], len(X))
    n_visits = np.bincount(X.record[is_visit], minlength=len(X))
    cv = gaps["std"] / gaps["mean"].where(gaps["mean"] > 0)
    span = X.last_time - X.first_time
    return np.stack([X.counts, n_visits, span, gaps["mean"], gaps["max"], cv], axis=1).astype(np.float64)


def _of_channels(X: IrregularPanel, channel: NDArray[np.int64], n_channels: int) -> NDArray[np.float64]:
    """Columns of `CHANNEL`, shape (n_records, n_channels, 5)."""
    series = X.record * n_channels + channel
    order = np.lexsort((X.time, series))
    n_series = len(X) * n_channels
    gaps = _gaps(series[order], X.time[order], n_series)
    count = np.bincount(series, minlength=n_series)
    last = np.full(n_series, np.nan)
    last[series[order]] = X.time[order]  # the latest assignment of a series stays
    is_visit = _is_visit(X)
    visit = np.cumsum(is_visit) - 1
    seen = np.unique(visit * n_channels + channel)
    n_visits = np.bincount(X.record[is_visit], minlength=len(X))
    n_seen = np.bincount(
        X.record[is_visit][seen // max(n_channels, 1)] * n_channels + seen % max(n_channels, 1), minlength=n_series
    )
    age = np.repeat(X.last_time, n_channels) - last
    share = n_seen / np.repeat(np.where(n_visits > 0, n_visits, np.nan), n_channels)
    columns = np.stack([count, gaps["mean"], gaps["max"], age, share], axis=1)
    return columns.reshape(len(X), n_channels, len(CHANNEL))


def _is_visit(X: IrregularPanel) -> NDArray[np.bool_]:
    """Whether an event is the first at its time in its record."""
    is_new = np.ones(X.n_events, dtype=bool)
    is_new[1:] = (np.diff(X.record) != 0) | (np.diff(X.time) != 0)
    return is_new


def _gaps(series: NDArray[np.int64], time: NDArray[np.float64], n_series: int) -> pd.DataFrame:
    """Mean, greatest and standard deviation of the gaps within each series; NaN where there is none."""
    within = np.diff(series) == 0
    gaps = pd.Series(np.diff(time)[within]).groupby(series[1:][within])
    every = pd.RangeIndex(n_series)
    found = {"mean": gaps.mean(), "max": gaps.max(), "std": gaps.std(ddof=0)}
    return pd.DataFrame({name: column.reindex(every) for name, column in found.items()})
