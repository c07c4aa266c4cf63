"""Intervals that hold what they promise on new records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from cndts._panel_neighbours import ChannelNeighbours
from cndts._panel_queries import check_asks
from cndts.distributions import ForecastDistribution, QuantileDistribution
from cndts.estimators._alignment import check_training_pair
from cndts.estimators._base import BaseForecaster
from cndts.estimators._conformal_corrections import ConformalCorrections
from cndts.estimators._held_out import held_out
from cndts.estimators._record_input import RecordInput
from cndts.panel import IrregularPanel
from cndts.targets import Targets

# intervals of 50, 80, 90, 95 and 99 %
_LEVELS = (0.005, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.995)
_SHARED = (
    "channels_in_",
    "n_channels_in_",
    "n_features_in_",
    "feature_names_in_",
    "n_records_in_",
    "time_unit_in_",
    "channel_means_",
    "channel_scales_",
    "n_steps_in_",
    "n_outputs_",
)


class ConformalForecaster(BaseForecaster):
    r"""Split-conformal calibration of any forecaster or interpolator, by channel and horizon band.

    Quantiles of the forecaster are moved by what they were wrong by on calibration records, which it has not been fitted to:
    conformalized quantile regression (Romano, Patterson and Candès, NeurIPS 2019) with both ends corrected apart, within cells
    of channel and horizon (Mondrian conformal prediction, Vovk, Gammerman and Shafer, *Algorithmic Learning in a Random
    World*, 2005, section 4.5). Point forecasts stay.

    **What is promised.** If calibration records and the new record are exchangeable, then for a random target of the new record in a
    cell :math:`P(y \le \hat q_\tau) \ge \tau` at every one of ``levels`` above one half, and the like below it, however bad the
    forecaster is; so the central interval between two levels holds at least its nominal share. That is an average over
    records and calibration sets, not a promise for every kind of patient. Values of one record resemble each other, so by
    default records (or ``groups``, where the panel has them) are counted and not targets (Lee, Barber and Willett, 2023); see
    `ConformalCorrections` for the formula. Records of another hospital, or of later years, are not exchangeable.

    Parameters
    ----------
    forecaster : BaseForecaster, optional
        What to calibrate; `HybridMemoryForecaster()` by default. ``fit`` fits a clone, ``calibrate`` takes it as it is.
    levels : sequence of float, default=(0.005, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.995)
        Rising levels that are calibrated. Other levels are moved by what their neighbours are moved by, without a promise.
    n_bands : int, default=4
        Horizon bands with equal numbers of calibration targets (of an interpolator: bands of distance to the nearest observation).
    min_count : int, default=100
        Fewest records of a cell; below, those of its channel in all bands count, and below that of all channels, in units of each
        channel's scale.
    count : {"record", "target"}, default="record"
        What is exchangeable. ``"target"`` gives the ranks of the paper, narrower and without the promise where records
        have several targets.
    calibration_fraction : float, default=0.2
        Share of the records (whole groups together) that ``fit`` keeps for calibration.
    random_state : int, RandomState or None, default=None
        Draws them.

    Attributes
    ----------
    forecaster_ : BaseForecaster
        The fitted forecaster.
    corrections_ : ConformalCorrections
        What quantiles are moved by.
    calibration_records_ : ndarray of int
        Positions of the records that ``fit`` kept for calibration; empty after ``calibrate``.
    channels_in_, n_channels_in_, n_features_in_, n_records_in_, time_unit_in_
        As of `BaseForecaster`.

    Notes
    -----
    Where there are too few records for a level even over all channels (fewer than 19 for a 90 % interval), its quantiles are
    infinite: no finite interval could keep the promise.

    Examples
    --------
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_oscillators
    >>> from cndts.estimators import LastValueForecaster
    >>> from cndts.metrics import interval_coverage
    >>> X, y = Extrapolation(observe=6, horizon=4).split(make_oscillators(400, random_state=0))
    >>> model = ConformalForecaster(LastValueForecaster(), random_state=0).fit(X[:300], y[:300])
    >>> bool(interval_coverage(y[300:], model.predict_interval(X[300:], 0.9), average="record") > 0.87)
    True
    """

    def __init__(
        self,
        forecaster: BaseForecaster | None = None,
        *,
        levels: Sequence[float] = _LEVELS,
        n_bands: int = 4,
        min_count: int = 100,
        count: Literal["record", "target"] = "record",
        calibration_fraction: float = 0.2,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.forecaster = forecaster
        self.levels = levels
        self.n_bands = n_bands
        self.min_count = min_count
        self.count = count
        self.calibration_fraction = calibration_fraction
        self.random_state = random_state

    @property
    def reads_later_events(self) -> bool:  # type: ignore[override]
        """Whether the forecaster answers a query from events after it too."""
        forecaster: Any = getattr(self, "forecaster_", self.forecaster)
        return False if forecaster is None else bool(forecaster.reads_later_events)

    @property
    def reads_static(self) -> bool:  # type: ignore[override]
        """Whether the forecaster reads the static table."""
        forecaster: Any = getattr(self, "forecaster_", self.forecaster)
        return True if forecaster is None else bool(forecaster.reads_static)

    # ---- fit -----------------------------------------------------------------------------------

    def _check_parts(self) -> None:
        _check_forecaster(self.forecaster)

    def _fit(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None) -> None:
        self._check_settings()
        kept, held = self._split(X, y)
        if self.forecaster is None:
            from cndts.estimators._hybrid_memory_forecaster import HybridMemoryForecaster

            forecaster: BaseForecaster = HybridMemoryForecaster()
        else:
            forecaster = clone(self.forecaster)
        self.calibration_records_ = held
        self.forecaster_ = forecaster.fit(X[kept], y[kept], X_val=X_val, y_val=y_val)
        self._measure(X[held], y[held])

    def calibrate(self, X: IrregularPanel, y: Targets) -> Self:
        """Calibrate a forecaster that is fitted already, or calibrate again.

        Parameters
        ----------
        X : IrregularPanel of n_records
            Context events, with the queries that ``y`` answers, of records that the forecaster has seen neither in training nor
            for the choice of its epoch.
        y : Targets of n_records
            Values at ``X.queries``; NaN targets are left out.

        Returns
        -------
        self

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If neither this estimator nor ``forecaster`` is fitted.
        TypeError
            If ``forecaster`` forecasts no channels at times, such as one that answers for whole records.
        ValueError
            If there is no target to calibrate on, or ``X`` does not suit the forecaster.
        """
        self._check_parts()
        self._check_settings()
        if not hasattr(self, "forecaster_"):
            if self.forecaster is None:
                raise ValueError("calibrate needs a fitted forecaster; got None. Fit one, or call fit instead.")
            check_is_fitted(self.forecaster, "channels_in_")
            self.forecaster_ = self.forecaster
            for name in _SHARED:
                if hasattr(self.forecaster_, name):
                    setattr(self, name, getattr(self.forecaster_, name))
        X, y = self._plain_pair(X, y) if self._reads_plain(X) else (X, y)
        X, y = check_training_pair(X, y)
        aligned = self._align(X)
        self.calibration_records_ = np.zeros(0, dtype=np.int64)
        self._measure(aligned, Targets(check_asks(aligned), y.value, aligned.records, aligned.channels))
        return self

    def _measure(self, X: IrregularPanel, y: Targets) -> None:
        open_ = np.flatnonzero(~np.isnan(y.value) & np.isnan(self._given(X)))
        if not len(open_):
            raise ValueError(
                f"no target is left to calibrate on: {len(y)} records with {len(y.value)} targets. Take more records, or a larger "
                "calibration_fraction."
            )
        levels = np.asarray(self.levels, dtype=np.float64)
        units = y.record if X.groups is None else np.unique(np.asarray(X.groups), return_inverse=True)[1][y.record]
        unit = np.arange(len(open_)) if self.count == "target" else units[open_]
        self.corrections_ = ConformalCorrections(levels, self.n_bands, self.min_count).fit(
            y.value[open_].astype(np.float64),
            self.forecaster_._answer_quantiles(X, levels)[open_],
            y.channel[open_].astype(np.int64),
            self._reach(X)[open_],
            unit,
            self.channel_scales_,
        )

    def _split(self, X: IrregularPanel, y: Targets) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Records to fit to and to calibrate on, whole groups together."""
        asked = np.flatnonzero(np.diff(y.offsets))
        random = check_random_state(self.random_state)
        held = held_out(asked, X.groups, self.calibration_fraction, random)
        kept = np.setdiff1d(np.arange(len(X)), held)
        if not len(held) or not np.diff(y.offsets)[kept].any():
            raise ValueError(
                f"X has {len(asked)} records with targets, too few to calibrate on {self.calibration_fraction:g} of them "
                f"(n_samples={len(asked)}). Take "
                "more, or fit the forecaster by itself and call calibrate with other records."
            )
        return kept, held

    def _check_settings(self) -> None:
        levels = np.asarray(self.levels, dtype=np.float64)
        if (
            levels.ndim != 1
            or len(levels) < 2
            or not ((levels > 0) & (levels < 1)).all()
            or (np.diff(levels) <= 0).any()
        ):
            raise ValueError(f"levels must be two or more that rise strictly between 0 and 1; got {self.levels!r}.")
        for name in ("n_bands", "min_count"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more; got {getattr(self, name)!r}.")
        if self.count not in ("record", "target"):
            raise ValueError(f"count must be 'record' or 'target'; got {self.count!r}.")
        if not 0 < self.calibration_fraction < 1:
            raise ValueError(f"calibration_fraction must lie between 0 and 1; got {self.calibration_fraction!r}.")

    # ---- predict -------------------------------------------------------------------------------

    def cells(self) -> pd.DataFrame:
        """What each channel and band was calibrated with.

        Returns
        -------
        DataFrame
            One row per channel and band, the last band of a channel for queries without context: ``channel``, ``from`` and ``to``
            (horizons, time units), ``units`` (exchangeable units of the cell) and ``pool``: where the corrections come from,
            ``"cell"``, ``"channel"``, ``"all"`` or ``"none"`` (infinite), the farthest over levels.
        """
        check_is_fitted(self, "corrections_")
        return self.corrections_.table(self.channels_in_)

    def _predict(self, X: IrregularPanel) -> NDArray[np.floating]:
        return self.forecaster_._predict(X)

    def _answer_queries(self, X: IrregularPanel) -> NDArray[np.floating]:
        return self.forecaster_._answer_queries(X)

    def _predict_quantiles(self, X: IrregularPanel, quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
        order = np.argsort(quantiles)
        plain = self.forecaster_._answer_quantiles(X, quantiles[order])
        shift = self.corrections_.shifts(check_asks(X).channel, self._reach(X), quantiles[order])
        # what a record already shows is no forecast
        moved = np.where(np.isnan(self._given(X))[:, None], plain + shift, plain)
        # corrections differ by level: sorted, quantiles never cross (Chernozhukov et al., Econometrica 2010)
        return np.sort(moved, axis=1)[:, np.argsort(order)]

    def _answer_quantiles(self, X: IrregularPanel, quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._predict_quantiles(X, quantiles)

    def _distribution(self, aligned: IrregularPanel, X: IrregularPanel) -> ForecastDistribution:
        levels = np.asarray(self.levels, dtype=np.float64)
        values = self._predict_quantiles(aligned, levels)
        known = np.isfinite(values).all(axis=0)
        if known.sum() < 2:
            raise ValueError(
                "fewer than two levels have finite quantiles, which make no distribution: there were too few calibration records. "
                "Calibrate on more."
            )
        return QuantileDistribution(levels[known], values[:, known], check_asks(X), X.records, X.channels)

    def _reach(self, X: IrregularPanel) -> NDArray[np.float64]:
        return self.forecaster_._reach(X)

    def _given(self, X: IrregularPanel) -> NDArray[np.float64]:
        """Values that an interpolator passes through, shape (n_queries,); NaN elsewhere."""
        if self.forecaster_.reads_later_events:
            return ChannelNeighbours.of(X).observed
        return np.full(check_asks(X).n_queries, np.nan)

    # ---- files ---------------------------------------------------------------------------------

    def _stored_parameters(self) -> dict[str, Any]:
        found = super()._stored_parameters()
        # the fitted one is among the parts; as a parameter its weights would be in the file twice
        return found if self.forecaster is None else found | {"forecaster": clone(self.forecaster)}


def _check_forecaster(forecaster: Any) -> None:
    """Refuse anything but a forecaster, or None for the default; one of whole records hears what to use in its place."""
    given = forecaster.estimator if isinstance(forecaster, FrozenEstimator) else forecaster
    if given is None or isinstance(given, BaseForecaster):
        return
    name, remedy = (
        type(given).__name__,
        "Use RidgeForecaster(), HybridMemoryForecaster() or another one of cndts.estimators.",
    )
    if isinstance(given, RecordInput):
        name += ", which answers for whole records and not for channels at times"
    if isinstance(given, RecordInput) and is_regressor(given):
        remedy = "It has predict_interval and predict_quantiles of its own; check their coverage on held-out records."
    elif is_classifier(given):
        remedy = "Calibrate its probabilities with CalibratedClassifierCV of scikit-learn."
    raise TypeError(f"forecaster must be a forecaster or interpolator of cndts; got {name}. {remedy}")
