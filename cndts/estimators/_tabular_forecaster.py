"""Tabular regressors on summary features, one for each channel."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from cndts._panel_histories import Index
from cndts._panel_queries import check_asks
from cndts.estimators._base import BaseForecaster
from cndts.estimators._decay_to_mean_forecaster import decay_to_mean, fit_decay_rates
from cndts.estimators._summary_features import CHANNEL_PARTS, SummaryFeatures, channel_feature_names, own_feature_names
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.static_features import StaticEncoding
from cndts.targets import Targets

# a few hours and a working day for a day of context; relative, so that the unit of time does not matter
_SPANS_PER_TIMESCALE = (12, 3)

Features = Literal["own", "last", "all"]

# what is read of channels other than the query's own
_PARTS: dict[Features, tuple[str, ...]] = {"own": (), "last": ("last",), "all": CHANNEL_PARTS}


class Rows(NamedTuple):
    """Queries of one channel: design matrix, standardised remainders of the targets, and record positions."""

    design: NDArray[np.float32]
    target: NDArray[np.float64]
    record: Index


class QuerySummaries(Protocol):
    """Features of the queries of a panel, as :class:`SummaryFeatures` has them."""

    queries: Queries
    record: Index
    horizon: NDArray[np.float64]

    def own(self, rows: Index, /) -> NDArray[np.float32]:
        """Features of each query's own channel and record, shape (n_rows, n_features)."""

    def of_channels(self, channels: Sequence[int], rows: Index, parts: Sequence[str], /) -> NDArray[np.float32]:
        """Features of other channels, shape (n_rows, n_features)."""


class ChannelModel(Protocol):
    """What is fitted for a channel."""

    def predict(self, design: NDArray[np.float32], /) -> NDArray[np.float64]:
        """Standardised correction of each row, shape (n_rows,)."""


class TabularForecaster(BaseForecaster):
    """Correct the decay to the mean by a tabular model of summary features, one for each channel.

    Models see standardised values and predict what is left of the target after :class:`DecayToMeanForecaster`. A
    subclass implements ``_fit_channel``. A channel whose training targets do not vary, or come from a single record,
    gets no model, and a query without context no correction.

    Attributes
    ----------
    rates_ : ndarray of shape (n_channels,)
        Decay rate of each channel, in 1 / time unit, for the forecast that the models correct.
    models_ : dict of int to fitted model
        By position in ``channels_in_``.
    timescales_ : tuple of float
        Time constants of the exponentially weighted means: a twelfth and a third of the median context span.
    static_ : StaticEncoding
        Columns of the static table among the features: numbers as they are, categories as indicators.
    """

    features: Features

    # ---- fit -----------------------------------------------------------------------------------

    def _fit(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None) -> None:
        if self.features not in _PARTS:
            raise ValueError(f"features must be one of {list(_PARTS)}; got {self.features!r}.")
        self.static_ = StaticEncoding.fit(X.static)
        self.timescales_ = tuple(_median_span(X) / spans for spans in _SPANS_PER_TIMESCALE)
        self._fit_anchor(X, y)
        training, target = self._summarise(X), self._remainder(X, y)
        held_out, held_out_target = None, None
        if X_val is not None and y_val is not None:
            held_out, held_out_target = self._summarise(X_val), self._remainder(X_val, y_val)
        self.models_ = {}
        for channel in np.unique(y.channel).tolist():
            rows = self._rows(training, channel, target)
            if np.ptp(rows.target) > 0 and np.ptp(rows.record) > 0:
                check = None if held_out is None else self._rows(held_out, channel, held_out_target)
                self.models_[channel] = self._fit_channel(rows, check)

    @abstractmethod
    def _fit_channel(self, rows: Rows, held_out: Rows | None) -> ChannelModel:
        """Fit the model of one channel; ``held_out`` may have no rows."""

    def _remainder(self, X: IrregularPanel, y: Targets) -> NDArray[np.float64]:
        return (y.value - self._anchor(X)) / self.channel_scales_[y.channel]

    def _fit_anchor(self, X: IrregularPanel, y: Targets) -> None:
        self.rates_ = fit_decay_rates(X, y, self.channel_means_)

    def _anchor(self, X: IrregularPanel) -> NDArray[np.float64]:
        return decay_to_mean(X, self.channel_means_, self.rates_)

    def _summarise(self, X: IrregularPanel) -> QuerySummaries:
        standard = X.scale_values(self.channel_means_, self.channel_scales_)
        return SummaryFeatures(standard, self.timescales_, self.static_)

    def _rows(self, features: QuerySummaries, channel: int, target: NDArray[np.float64] | None = None) -> Rows:
        rows = np.flatnonzero(features.queries.channel == channel)
        design = features.own(rows)
        if parts := _PARTS[self.features]:
            design = np.hstack([design, features.of_channels(self._others(channel), rows, parts)])
        return Rows(design, np.zeros(len(rows)) if target is None else target[rows], features.record[rows])

    def _others(self, channel: int) -> list[int]:
        return [other for other in range(self.n_channels_in_) if other != channel]

    def get_feature_names(self, channel: str) -> list[str]:
        """Names of what a channel's model reads, in the order of its columns.

        Parameters
        ----------
        channel : str
            One of ``channels_in_``.

        Returns
        -------
        list of str

        Raises
        ------
        ValueError
            If the channel was not fitted.
        """
        check_is_fitted(self, "models_")
        if channel not in self.channels_in_:
            raise ValueError(f"unknown channel {channel!r}; the forecaster was fitted on {list(self.channels_in_)}.")
        others = [other for other in self.channels_in_ if other != channel]
        return [*self._own_names(), *self._channel_names(others, _PARTS[self.features])]

    def _own_names(self) -> Sequence[str]:
        return own_feature_names(len(self.timescales_), self.static_)

    def _channel_names(self, channels: Sequence[str], parts: Sequence[str]) -> Sequence[str]:
        return channel_feature_names(channels, parts)

    # ---- predict -------------------------------------------------------------------------------

    def _predict(self, X: IrregularPanel) -> NDArray[np.float64]:
        features, channel = self._summarise(X), check_asks(X).channel
        correction = np.zeros(len(channel))
        for position in np.intersect1d(list(self.models_), channel).tolist():
            correction[channel == position] = self.models_[position].predict(self._rows(features, position).design)
        correction[np.isnan(features.horizon)] = 0.0
        return self._anchor(X) + self.channel_scales_[channel] * correction


def _median_span(X: IrregularPanel) -> float:
    """Median time from first to last event over records with several; 1 where there are none."""
    filled = np.flatnonzero(np.diff(X.offsets))
    span = X.time[X.offsets[filled + 1] - 1] - X.time[X.offsets[filled]]
    return float(np.median(span[span > 0])) if (span > 0).any() else 1.0
