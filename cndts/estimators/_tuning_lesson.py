"""What trials of a search learn from, and how they are scored."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier, is_regressor
from sklearn.metrics import log_loss
from sklearn.utils import check_consistent_length

from cndts.estimators._alignment import check_panel, check_training_pair
from cndts.estimators._base import BaseForecaster
from cndts.estimators._held_out import held_out
from cndts.estimators._record_input import RecordInput
from cndts.panel import IrregularPanel
from cndts.targets import Targets


class TuningLesson(NamedTuple):
    """Records to fit to, and records to score on: ``y`` are Targets, or an array with a row per record."""

    X: IrregularPanel
    y: Any
    X_val: IrregularPanel
    y_val: Any


def read_lesson(
    estimator: Any, X: Any, y: Any, X_val: Any, y_val: Any, validation_fraction: float, seed: int
) -> TuningLesson:
    """Check what `tune` was given, and set records aside where it was given none to score on."""
    read = check_training_pair if isinstance(estimator, BaseForecaster) else _read_outcomes
    X, y = read(X, y)
    if (X_val is None) != (y_val is None):
        raise ValueError(f"X_val and y_val go together; got only {'y_val' if X_val is None else 'X_val'}.")
    if X_val is None:
        return _hold_out(X, y, _strata(estimator, y), validation_fraction, seed)
    return TuningLesson(X, y, *read(X_val, y_val, "X_val", "y_val"))


def trial_score(model: Any, X: IrregularPanel, y: Any) -> float:
    """Score of a fitted model, the higher the better: mean log-likelihood of classes or labels, ``score`` of all others."""
    if not is_classifier(model):
        return float(model.score(X, y))
    shares = model.predict_proba(X)
    if not model.has_several_:
        return -float(log_loss(y, shares, labels=model.classes_))
    losses = [log_loss(label, share, labels=[0, 1]) for label, share in zip(y.T, shares.T, strict=True)]
    return -float(np.mean(losses))


def check_estimator(estimator: Any) -> None:
    """Refuse what cannot be fitted and scored as a trial."""
    of_records = isinstance(estimator, RecordInput) and (is_classifier(estimator) or is_regressor(estimator))
    if not of_records and not isinstance(estimator, BaseForecaster):
        raise TypeError(
            "estimator must be a forecaster or interpolator of cndts, HybridMemoryClassifier or HybridMemoryRegressor; got "
            f"{type(estimator).__name__}. Search pipelines and other estimators with GridSearchCV of scikit-learn."
        )


def _read_outcomes(X: Any, y: Any, what: str = "X", what_y: str = "y") -> tuple[IrregularPanel, NDArray]:
    panel = check_panel(X, what)
    if y is None or isinstance(y, Targets):
        raise TypeError(
            f"{what_y} must hold one row per record of {what}; got {type(y).__name__}. Targets are for forecasters."
        )
    outcomes = np.asarray(y)
    check_consistent_length(panel, outcomes)
    return panel, outcomes


def _strata(estimator: Any, y: Any) -> NDArray[np.int64] | None:
    """Classes that records are set aside from in proportion."""
    if not is_classifier(estimator) or np.ndim(y) != 1:
        return None
    return np.unique(y, return_inverse=True)[1]


def _hold_out(X: IrregularPanel, y: Any, strata: NDArray[np.int64] | None, fraction: float, seed: int) -> TuningLesson:
    if not 0 < fraction < 1:
        raise ValueError(f"validation_fraction must lie between 0 and 1; got {fraction!r}.")
    everyone = np.arange(len(X))
    held = held_out(everyone, X.groups, fraction, np.random.RandomState(seed), strata)
    kept = np.setdiff1d(everyone, held)
    if not len(held) or not len(kept):
        raise ValueError(f"X has {len(X)} records, too few to score on {fraction:g} of them. Give X_val and y_val.")
    return TuningLesson(X[kept], y[kept], X[held], y[held])
