"""Tabular regressors on summary features, one for each channel."""

from abc import abstractmethod
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from cndts.estimators._alignment import check_asks
from cndts.estimators._base import BaseForecaster
from cndts.estimators._channel_histories import Index
from cndts.estimators._summary_features import SummaryFeatures
from cndts.panel import IrregularPanel
from cndts.targets import Targets

# a few hours and a working day for a day of context; relative, so that the unit of time does not matter
_SPANS_PER_TIMESCALE = (12, 3)


class Rows(NamedTuple):
    """Queries of one model: design matrix, standardised targets (None when predicting) and record positions."""

    design: NDArray[np.float32]
    target: NDArray[np.float64]
    record: Index


class ChannelModel(Protocol):
    """What is fitted for a channel."""

    def predict(self, design: NDArray[np.float32], /) -> NDArray[np.float64]:
        """Standardised forecast of each row, shape (n_rows,)."""


class TabularForecaster(BaseForecaster):
    """Standardise values, summarise each query's record, and fit one tabular model for each channel.

    A subclass implements ``_fit_channel``. A channel whose training targets do not vary, or come from a single record,
    gets no model: its queries are answered with the last value, else the mean. A query without context gets the mean.

    Attributes
    ----------
    models_ : dict of int to fitted model
        By position in ``channels_in_``.
    timescales_ : tuple of float
        Time constants of the exponentially weighted means: a twelfth and a third of the median context span.
    static_columns_ : tuple of str
        Numeric static columns among the features.
    """

    features: Literal["own", "all"]

    # ---- fit -----------------------------------------------------------------------------------

    def _fit(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None) -> None:
        if self.features not in ("own", "all"):
            raise ValueError(f"features must be 'own' (of the query's channel) or 'all'; got {self.features!r}.")
        static = X.static
        self.static_columns_ = tuple(name for name in static if is_numeric_dtype(static[name]))
        self.timescales_ = tuple(_median_span(X) / spans for spans in _SPANS_PER_TIMESCALE)
        training, target = self._summarise(X), self._standardise(y)
        held_out = None if X_val is None else self._summarise(X_val)
        held_out_target = None if y_val is None else self._standardise(y_val)
        self.models_ = {}
        for channel in np.unique(y.channel).tolist():
            rows = self._rows(training, channel, target)
            if np.ptp(rows.target) > 0 and np.ptp(rows.record) > 0:
                check = None if held_out is None else self._rows(held_out, channel, held_out_target)
                self.models_[channel] = self._fit_channel(rows, check)

    @abstractmethod
    def _fit_channel(self, rows: Rows, held_out: Rows | None) -> ChannelModel:
        """Fit the model of one channel; ``held_out`` may have no rows."""

    def _standardise(self, y: Targets) -> NDArray[np.float64]:
        return (y.value - self.channel_means_[y.channel]) / self.channel_scales_[y.channel]

    def _summarise(self, X: IrregularPanel) -> SummaryFeatures:
        standard = X.scale_values(self.channel_means_, self.channel_scales_)
        return SummaryFeatures(standard, self.timescales_, self.static_columns_)

    def _rows(self, features: SummaryFeatures, channel: int, target: NDArray[np.float64] | None = None) -> Rows:
        rows = np.flatnonzero(features.queries.channel == channel)
        design = features.own(rows)
        if self.features == "all":
            design = np.hstack([design, features.of_channels(self._others(channel), rows)])
        return Rows(design, np.zeros(len(rows)) if target is None else target[rows], features.record[rows])

    def _others(self, channel: int) -> list[int]:
        return [other for other in range(self.n_channels_in_) if other != channel]

    # ---- predict -------------------------------------------------------------------------------

    def _predict(self, X: IrregularPanel) -> NDArray[np.float64]:
        features, channel = self._summarise(X), check_asks(X).channel
        standard = np.nan_to_num(features.last_value())
        for model in np.intersect1d(list(self.models_), channel).tolist():
            standard[channel == model] = self.models_[model].predict(self._rows(features, model).design)
        standard[np.isnan(features.horizon)] = 0.0
        return self.channel_means_[channel] + self.channel_scales_[channel] * standard


def _median_span(X: IrregularPanel) -> float:
    """Median time from first to last event over records with several; 1 where there are none."""
    filled = np.flatnonzero(np.diff(X.offsets))
    span = X.time[X.offsets[filled + 1] - 1] - X.time[X.offsets[filled]]
    return float(np.median(span[span > 0])) if (span > 0).any() else 1.0
