"""What every forecaster of cndts shares: the scikit-learn interface on ragged records."""

from abc import ABC, abstractmethod
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import RegressorTags, Tags
from sklearn.utils.validation import check_is_fitted

from cndts._panel_histories import horizons
from cndts._parameters import NamedParameters
from cndts._storable import Storable
from cndts.estimators._alignment import (
    align_channels,
    ask_everywhere,
    check_aligned,
    check_asks,
    check_panel,
    check_quantiles,
    check_training_pair,
)
from cndts.estimators._distributional import Distributional
from cndts.estimators._plain_arrays import PlainArrays
from cndts.estimators._residual_quantiles import ResidualQuantiles
from cndts.panel import IrregularPanel
from cndts.targets import Targets


class BaseForecaster(Distributional, Storable, PlainArrays, NamedParameters, ABC):
    """Forecasts the queries of a panel from its events.

    A query at time ``t`` is answered from the events of its record at or before ``t``, so appending later events
    changes nothing. A subclass stores its constructor arguments untouched and implements ``_fit`` and ``_predict``;
    both see panels whose channels are ``channels_in_`` in that order, and training targets without NaN. It may
    override ``_predict_quantiles``; otherwise quantiles are the point forecast plus quantiles of its residuals.

    Attributes
    ----------
    reads_later_events : bool
        Of the class: whether a query may be answered from events after it too, see :class:`BaseInterpolator`.
    reads_static : bool
        Of the class: whether answers depend on the panel's static table; set it to False where they do not.
    channels_in_ : tuple of str
        Channels of the training panel.
    n_channels_in_, n_features_in_ : int
        Number of channels (the second name is scikit-learn's).
    feature_names_in_ : ndarray of str, shape (n_channels,)
        The channels once more, under scikit-learn's name.
    n_records_in_ : int
        Number of training records.
    time_unit_in_ : str
        Time unit of the training panel.
    channel_means_ : ndarray of shape (n_channels,)
        Mean training target of each channel; of its context values where it has no target; 0 where it has neither.
    channel_scales_ : ndarray of shape (n_channels,)
        Standard deviation of the same values; 1 where they do not vary.
    """

    reads_later_events: ClassVar[bool] = False
    reads_static: ClassVar[bool] = True

    # ---- fit -----------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, *, X_val: Any = None, y_val: Any = None) -> Self:
        """Fit to the targets of a panel's queries.

        Parameters
        ----------
        X : IrregularPanel of n_records
            Context events, with the queries that ``y`` answers.
        y : Targets of n_records
            Values at ``X.queries``; NaN targets are left out.
        X_val, y_val : IrregularPanel and Targets, optional
            Other records, for what training records cannot tell: when to stop, how wide intervals are.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If ``X`` is not an IrregularPanel or ``y`` not Targets.
        ValueError
            If the panel is empty or asks for nothing, if ``y`` is not aligned with its queries or holds no value.
        """
        self._check_parts()
        if not isinstance(X, IrregularPanel) and not isinstance(y, Targets):
            return self._fit_plain(X, y, X_val, y_val)
        self._forget_plain()
        X, y = check_training_pair(X, y)
        if (X_val is None) != (y_val is None):
            raise ValueError(f"X_val and y_val go together; got only {'y_val' if X_val is None else 'X_val'}.")
        self.channels_in_ = X.channels
        self.n_channels_in_ = self.n_features_in_ = len(X.channels)
        self.feature_names_in_ = np.asarray(X.channels, dtype=object)
        self.n_records_in_ = len(X)
        self.time_unit_in_ = X.time_unit
        self.channel_means_, self.channel_scales_ = _channel_moments(X, y)
        if X_val is not None:
            X_val, y_val = check_training_pair(X_val, y_val, "X_val", "y_val")
            X_val = self._align(X_val, "X_val")
            y_val = Targets(check_asks(X_val), y_val.value, X_val.records, X_val.channels)
        self._fit(X, y, X_val, y_val)
        if type(self)._predict_quantiles is BaseForecaster._predict_quantiles:
            self._fit_residual_quantiles(*self._calibration_set(X, y, X_val, y_val))
        return self

    def _check_parts(self) -> None:
        """Refuse parameters that suit no records at all, before the records are looked at; nothing by default."""

    @abstractmethod
    def _fit(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None) -> None:
        """Learn from aligned, non-empty training data."""

    def _calibration_set(
        self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None
    ) -> tuple[IrregularPanel, Targets]:
        """Records whose residuals the default quantiles are taken from."""
        return (X, y) if X_val is None or y_val is None else (X_val, y_val)

    def _fit_residual_quantiles(self, X: IrregularPanel, y: Targets) -> None:
        residual = y.value - self._predict(X)
        self.residual_quantiles_ = ResidualQuantiles().fit(residual, y.channel, self._reach(X), self.channel_scales_)

    def _reach(self, X: IrregularPanel) -> NDArray[np.float64]:
        """How far each query lies from what it is answered from, shape (n_queries,); NaN where that is nothing."""
        return horizons(X)

    # ---- predict -------------------------------------------------------------------------------

    def predict(self, X: Any, times: Any = None) -> Targets | IrregularPanel:
        """Forecast the queries of a panel, or every channel at given times.

        Parameters
        ----------
        X : IrregularPanel of n_records
            Context events. Channels are matched by name; missing ones are fine, unknown ones an error.
        times : number, datetime, sequence, mapping or DataFrame, optional
            Ask for every fitted channel of every record at these times instead of the panel's own queries; anything
            that ``X.with_queries(times)`` takes.

        Returns
        -------
        Targets or IrregularPanel
            Without ``times``: Targets aligned with ``X.queries``. With ``times``: a panel of the forecast values,
            sorted by time, then in the order of ``channels_in_``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        ValueError
            If ``X`` has channels that were not fitted, another time unit, or neither queries nor ``times``.
        """
        if self._reads_plain(X):
            answer: Any = self._plain_answer(X) if times is None else self.predict(self._plain_panel(X), times)
            return answer
        if times is not None:
            return self._predict_everywhere(X, times)
        aligned = self._check_predict(X)
        return Targets(check_asks(X), self._answer_queries(aligned), X.records, X.channels)

    def predict_quantiles(self, X: Any, quantiles: ArrayLike) -> NDArray[np.float64]:
        """Quantiles of the forecast distribution at the queries of a panel.

        Parameters
        ----------
        X : IrregularPanel of n_records
            Context events with queries.
        quantiles : sequence of float
            Probabilities strictly between 0 and 1.

        Returns
        -------
        ndarray of shape (n_targets, n_quantiles)
            Rows in the order of ``X.queries``, columns in the order of ``quantiles``; rising with the probability.
        """
        levels = check_quantiles(quantiles)
        X = self._plain_panel(X) if self._reads_plain(X) else X
        return self._answer_quantiles(self._check_predict(X), levels)

    def predict_interval(self, X: Any, coverage: Any = 0.9) -> NDArray[np.float64]:
        """Central interval that should hold the target with probability ``coverage``.

        Parameters
        ----------
        X : IrregularPanel of n_records
            Context events with queries.
        coverage : float, default=0.9
            Probability strictly between 0 and 1.

        Returns
        -------
        ndarray of shape (n_targets, 2)
            Lower and upper bound.
        """
        if not isinstance(coverage, Real) or not 0 < float(coverage) < 1:
            raise ValueError(f"coverage must lie strictly between 0 and 1; got {coverage!r}. Use 0.9 for 90 %.")
        share = float(coverage)
        return self.predict_quantiles(X, [(1 - share) / 2, (1 + share) / 2])

    def score(self, X: Any, y: Any) -> float:
        r"""Mean skill over channels against the training mean; 1 is perfect, 0 no better than the mean.

        Parameters
        ----------
        X : IrregularPanel of n_records
            Context events with queries.
        y : Targets of n_records
            Values at ``X.queries``; NaN targets are left out.

        Returns
        -------
        float
            Mean over channels :math:`c` with a target of :math:`1 - \mathrm{MSE}_c / \mathrm{MSE}_c(\bar{x}_c)`,
            where :math:`\bar{x}_c` is ``channel_means_``. Channels whose targets all equal that mean are left out;
            NaN if no channel is left.
        """
        X, y = self._plain_pair(X, y) if self._reads_plain(X) else (X, y)
        aligned = self._check_predict(X)
        target = check_aligned(X, y).value.astype(np.float64)
        known, channel = ~np.isnan(target), check_asks(aligned).channel
        forecast = self._answer_queries(aligned)[known]
        return _mean_skill(target[known], forecast, channel[known], self.channel_means_)

    @abstractmethod
    def _predict(self, X: IrregularPanel) -> NDArray[np.floating]:
        """Point forecast of the aligned panel's queries, shape (n_targets,)."""

    def _predict_quantiles(self, X: IrregularPanel, quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
        """Quantiles of the aligned panel's queries, shape (n_targets, n_quantiles)."""
        spread = self.residual_quantiles_.predict(check_asks(X).channel, self._reach(X), quantiles)
        return np.asarray(self._predict(X), dtype=np.float64)[:, None] + spread

    def _answer_queries(self, X: IrregularPanel) -> NDArray[np.floating]:
        """What ``predict`` gives: :meth:`_predict`, unless a kind of estimator knows some answers beforehand."""
        return self._predict(X)

    def _answer_quantiles(self, X: IrregularPanel, quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
        """What ``predict_quantiles`` gives."""
        return self._predict_quantiles(X, quantiles)

    # ---- what predictions check ----------------------------------------------------------------

    def _predict_everywhere(self, X: IrregularPanel, times: Any) -> IrregularPanel:
        check_is_fitted(self, "channels_in_")
        asking = ask_everywhere(self._align(check_panel(X)), times)
        queries, value = check_asks(asking), np.asarray(self._answer_queries(asking), dtype=np.float32)
        return IrregularPanel._trusted(
            asking, offsets=queries.offsets, time=queries.time, channel=queries.channel, value=value, queries=None
        )

    def _check_predict(self, X: IrregularPanel) -> IrregularPanel:
        check_is_fitted(self, "channels_in_")
        check_asks(check_panel(X))
        return self._align(X)

    def _align(self, X: IrregularPanel, what: str = "X") -> IrregularPanel:
        if X.time_unit != self.time_unit_in_:
            raise ValueError(
                f"{what} has times in {X.time_unit!r}, the forecaster was fitted on times in {self.time_unit_in_!r}; "
                "build both panels with the same time_unit."
            )
        return align_channels(X, self.channels_in_, what)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "regressor"
        # of arbitrary columns, which is what scikit-learn's checks train on: they have no order in time
        tags.regressor_tags = RegressorTags(poor_score=True)
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.input_tags.allow_nan = True
        return tags


def _channel_moments(X: IrregularPanel, y: Targets) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    n_channels = len(X.channels)
    mean, deviation, count = _moments(y.channel, y.value, n_channels)
    context_mean, context_deviation, context_count = _moments(X.channel, X.value, n_channels)
    mean = np.where(count > 0, mean, np.where(context_count > 0, context_mean, 0.0))
    deviation = np.where(deviation > 0, deviation, context_deviation)
    return mean, np.where(deviation > 0, deviation, 1.0)


def _moments(
    channel: NDArray[np.int32], value: NDArray[np.float32], n_channels: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    count = np.bincount(channel, minlength=n_channels)
    mean = np.bincount(channel, value, n_channels) / np.maximum(count, 1)
    variance = np.bincount(channel, (value - mean[channel]) ** 2, n_channels) / np.maximum(count, 1)
    return mean, np.where(_is_noise(variance, mean), 0.0, np.sqrt(variance)), count


def _is_noise(variance: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a variance is what rounding to float32 leaves of a constant."""
    return variance <= (1e-6 * mean) ** 2


def _mean_skill(
    target: NDArray[np.float64], forecast: NDArray[np.floating], channel: NDArray[np.int32], means: NDArray[np.float64]
) -> float:
    count = np.maximum(np.bincount(channel, minlength=len(means)), 1)
    error = np.bincount(channel, (target - forecast) ** 2, len(means)) / count
    reference = np.bincount(channel, (target - means[channel]) ** 2, len(means)) / count
    scored = ~_is_noise(reference, means)
    return float(np.mean(1 - error[scored] / reference[scored])) if scored.any() else float("nan")
