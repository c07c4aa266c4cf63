"""Our own checks, on panels: every estimator passes them, and a broken one does not."""

import pickle
from inspect import isabstract

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from cndts import estimators as public
from cndts.estimators import (
    BoostedTreesForecaster,
    BoostedTreesInterpolator,
    ChannelMeanForecaster,
    ConformalForecaster,
    DecayToMeanForecaster,
    HybridMemoryClassifier,
    HybridMemoryEncoder,
    HybridMemoryForecaster,
    HybridMemoryInterpolator,
    HybridMemoryRegressor,
    InterpolatedTable,
    IrregularForecaster,
    IrregularInterpolator,
    LastValueForecaster,
    LinearInterpolationForecaster,
    LinearInterpolator,
    NearestInterpolator,
    OrnsteinUhlenbeckInterpolator,
    RecordSummary,
    RidgeForecaster,
    TransformedTargetForecaster,
)
from cndts.estimators._check_lesson import CheckLesson, answers_of
from cndts.estimators.checks import check_irregular_estimator, irregular_estimator_checks
from cndts.training import Training

TINY = {"width": 8, "training": Training(epochs=1, members=1), "random_state": 0}

BASELINES = [
    BoostedTreesForecaster(max_iter=2, random_state=0),
    BoostedTreesInterpolator(max_iter=2, random_state=0),
    ChannelMeanForecaster(),
    ConformalForecaster(DecayToMeanForecaster(), calibration_fraction=0.5, random_state=0),
    DecayToMeanForecaster(),
    InterpolatedTable([2.0, 6.0]),
    LastValueForecaster(),
    LinearInterpolationForecaster(),
    LinearInterpolator(),
    NearestInterpolator(),
    OrnsteinUhlenbeckInterpolator(),
    RecordSummary(),
    RidgeForecaster(),
    TransformedTargetForecaster(),
]
NEURAL = [
    HybridMemoryClassifier(**TINY),
    HybridMemoryEncoder(HybridMemoryForecaster(**TINY), n_components=3),
    HybridMemoryForecaster(**TINY),
    HybridMemoryInterpolator(**TINY),
    HybridMemoryRegressor(**TINY),
    IrregularForecaster("gru-d", **TINY),
    IrregularInterpolator("gru-d", **TINY),
]


# These fit several networks or start processes: of most neural estimators in the slow suite.
HEAVY = {"check_fit_again", "check_metadata_routing", "check_worker_processes"}


def checks(estimators, always=()):
    for check in (check for estimator in estimators for check in irregular_estimator_checks(estimator)):
        slow = check.name in HEAVY and type(check.lesson.estimator) not in always
        yield pytest.param(check, id=str(check), marks=[pytest.mark.slow] if slow else [])


@pytest.mark.parametrize("check", list(checks(BASELINES, {type(each) for each in BASELINES})))
def test_baselines(check):
    check()


@pytest.mark.parametrize("check", list(checks(NEURAL, {HybridMemoryForecaster})))
def test_neural(check):
    check()


@pytest.mark.parametrize("estimator", [*BASELINES, *NEURAL], ids=lambda estimator: type(estimator).__name__)
def test_pickle(estimator):
    """Users may pickle what they fitted, and joblib does between processes; cndts itself never unpickles a file."""
    lesson = CheckLesson(estimator)
    again = answers_of(pickle.loads(pickle.dumps(lesson.fitted)), lesson.X)
    for method, rows in lesson.answers.items():
        for one, other in zip(again[method], rows, strict=True):
            np.testing.assert_array_equal(one, other)


def test_every_estimator_is_checked():
    """A new public estimator must be listed here."""
    kinds = [getattr(public, name) for name in public.__all__]
    concrete = {
        kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseEstimator) and not isabstract(kind)
    }
    assert concrete == {type(estimator) for estimator in [*BASELINES, *NEURAL]}


# ---- the checks can fail -------------------------------------------------------------------------


class Broken(LastValueForecaster):
    """Keeps the rules, until a subclass breaks one."""


class DependsOnBatch(Broken):
    """Answers by the mean over all records it sees."""

    def _predict(self, X):
        return np.full(X.queries.n_queries, X.value.mean() if X.n_events else 0.0)


class LooksAhead(Broken):
    """Answers by the last event of the record, wherever the query lies."""

    def _predict(self, X):
        last = np.where(X.counts > 0, X.value[np.maximum(X.offsets[1:] - 1, 0)], 0.0)
        return last[X.queries.record]


class ChangesParameter(Broken):
    """Rounds its parameter in fit."""

    def __init__(self, rate=0.5):
        self.rate = rate

    def _fit(self, X, y, X_val, y_val):
        self.rate = round(self.rate)


class RemembersFits(Broken):
    """Answers by the number of fits."""

    def _fit(self, X, y, X_val, y_val):
        self.n_fits = getattr(self, "n_fits", 0) + 1

    def _predict(self, X):
        return np.full(X.queries.n_queries, float(self.n_fits))


@pytest.mark.parametrize(
    ("broken", "name", "text"),
    [
        (DependsOnBatch(), "check_subset", r"predict of record 0, records \[3\] alone"),
        (LooksAhead(), "check_later_events", "with later events"),
        (ChangesParameter(), "check_parameters", "fit has changed rate"),
        (RemembersFits(), "check_fit_again", "fitted again"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Broken) else "",
)
def test_a_broken_rule_is_found(broken, name, text):
    (check,) = [check for check in irregular_estimator_checks(broken) if check.name == name]
    with pytest.raises(AssertionError, match=text):
        check()
    others = [other.name for other in irregular_estimator_checks(Broken()) if other.name != name]
    assert check_irregular_estimator(Broken(), leave_out=others) == [name]
