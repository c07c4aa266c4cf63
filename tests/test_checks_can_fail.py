"""Every check of panels finds an estimator that breaks its rule, and lets its sound twin pass."""

import copy
import threading
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import RegressorMixin

from cndts import IrregularPanel
from cndts.estimators import LastValueForecaster, RecordSummary
from cndts.estimators._check_lesson import records_for_checks
from cndts.estimators._check_statics import telling_statics
from cndts.estimators._record_input import RecordInput
from cndts.estimators.checks import _RULES, check_irregular_estimator, irregular_estimator_checks


class Sound(LastValueForecaster):
    """A forecaster that keeps the rules, with a parameter and something fitted."""

    def __init__(self, rate=0.5):
        self.rate = rate

    def _fit(self, X, y, X_val, y_val):
        self.rise_ = 1.0

    def _predict(self, X):
        return super()._predict(X) + self.rise_


class OutcomeMean(RegressorMixin, RecordInput):
    """A regressor of records that keeps the rules: the weighted mean of all outcomes, those of validation included."""

    reads_static = False

    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None):
        self._read_fitting(X)
        self.mean_ = np.average(y, weights=sample_weight)
        self.mean_of_validation_ = None if y_val is None else float(np.mean(y_val))
        return self

    def predict(self, X):
        return np.full(len(self._read(X)), self.mean_)


# ---- parameters ----------------------------------------------------------------------------------


class ClonesWithItsFit(Sound):
    def __sklearn_clone__(self):
        return copy.copy(self)


class ChangesParameter(Sound):
    def _fit(self, X, y, X_val, y_val):
        super()._fit(X, y, X_val, y_val)
        self.rate = round(self.rate)


class TakesAnyParameter(Sound):
    def set_params(self, **params):
        return super().set_params(**{name: value for name, value in params.items() if name == "rate"})


class HidesItsName(Sound):
    def __repr__(self):
        return "a model"


# ---- fit -----------------------------------------------------------------------------------------


class AnswersUnfitted(Sound):
    def predict(self, X, times=None):
        return super().predict(X, times) if hasattr(self, "rise_") else np.zeros(len(X))


class CountsFits(Sound):
    def _fit(self, X, y, X_val, y_val):
        self.rise_ = getattr(self, "rise_", 0.0) + 1


class ForgetsWhenCopied(Sound):
    def __deepcopy__(self, memo):
        again = copy.copy(self)
        again.rise_ = 0.0
        return again


class ForgetsWhenPickled(Sound):
    def __getstate__(self):
        state = dict(super().__getstate__())
        return state | ({"rise_": 0.0} if "rise_" in state else {})


class ForgetsWhenPickledUnfitted(Sound):
    def __getstate__(self):
        return {"_shift": 1.0, **super().__getstate__()}

    def _fit(self, X, y, X_val, y_val):
        self.rise_ = 1.0 + vars(self).get("_shift", 0.0)


class WritesToThePanel(Sound):
    def _fit(self, X, y, X_val, y_val):
        super()._fit(X, y, X_val, y_val)
        X.value.flags.writeable = True
        X.value[0] = 7.0


class WritesToOutcomes(OutcomeMean):
    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None):
        y += 1.0
        super().fit(X, y, sample_weight, X_val, y_val)
        y -= 1.0
        return self


class MiscountsFeatures(Sound):
    def _fit(self, X, y, X_val, y_val):
        super()._fit(X, y, X_val, y_val)
        self.n_features_in_ = 7


class TakesNothing(Sound):
    def fit(self, X, y, *, X_val=None, y_val=None):
        return super().fit(X, y, X_val=X_val, y_val=y_val) if len(X) else self


# ---- answers -------------------------------------------------------------------------------------


class DependsOnBatch(Sound):
    def _predict(self, X):
        return np.full(X.queries.n_queries, X.value.mean() if X.n_events else 0.0)


class DependsOnPosition(Sound):
    def _predict(self, X):
        return X.queries.record.astype(float)


class DependsOnChannelOrder(Sound):
    def predict(self, X, times=None):
        answer = super().predict(X, times)
        return answer.with_values(answer.channel.astype(float))


class TakesAnyChannel(Sound):
    def predict(self, X, times=None):
        try:
            return super().predict(X, times)
        except ValueError:
            return np.zeros(len(X))


class WantsAllChannels(Sound):
    def _align(self, X, what="X"):
        if X.channels != self.channels_in_:
            raise ValueError("a channel is missing")
        return super()._align(X, what)


class TakesAnyTimeUnit(Sound):
    def _align(self, X, what="X"):
        return super()._align(IrregularPanel._trusted(X, time_unit=self.time_unit_in_), what)


class LooksAhead(Sound):
    def _predict(self, X):
        last = np.where(X.counts > 0, X.value[np.maximum(X.offsets[1:] - 1, 0)], 0.0)
        return last[X.queries.record]


class AnswersOneChannel(Sound):
    def predict(self, X, times=None):
        answer = super().predict(X, times)
        return answer if times is None else answer.where(answer.channel == 0)


class LeavesStaticsOut(Sound):
    reads_static = True


class ReadsNumbersAlone(Sound):
    reads_static = True

    def _predict(self, X):
        return super()._predict(X) + X.static["Age"].to_numpy(dtype=float)[X.queries.record]


class ReadsStaticsInSecret(ReadsNumbersAlone):
    reads_static = False


class ScoresEachRecord(Sound):
    def score(self, X, y):
        return np.zeros(len(X))


# ---- within scikit-learn -------------------------------------------------------------------------


class KnowsItsWorker(Sound):
    def _predict(self, X):
        is_elsewhere = threading.current_thread() is not threading.main_thread()
        return super()._predict(X) + 5.0 * is_elsewhere


class NamesItsOwnColumns(RecordSummary, auto_wrap_output_keys=None):
    def set_output(self, *, transform=None):
        self._as_frame = transform == "pandas"
        return self

    def transform(self, X):
        table = super().transform(X)
        return pd.DataFrame(table) if getattr(self, "_as_frame", False) else table


class LeavesValidationOut(Sound):
    def fit(self, X, y, *, X_val=None, y_val=None):
        return super().fit(X, y)


class LeavesWeightsOut(OutcomeMean):
    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None):
        return super().fit(X, y, None, X_val, y_val)


BROKEN = [
    (ClonesWithItsFit(), "check_clone", "a clone is fitted"),
    (ChangesParameter(), "check_parameters", "fit has changed rate"),
    (TakesAnyParameter(), "check_misspelt_parameter", "no ValueError was raised"),
    (HidesItsName(), "check_repr", "the class is not named"),
    (AnswersUnfitted(), "check_unfitted", "no NotFittedError was raised"),
    (CountsFits(), "check_fit_again", "fitted again"),
    (ForgetsWhenCopied(), "check_copy", "predict of record 0, copied"),
    (ForgetsWhenPickled(), "check_pickle", "predict of record 0, pickled"),
    (ForgetsWhenPickledUnfitted(), "check_pickle_unfitted", "predict of record 0, pickled and then fitted"),
    (WritesToThePanel(), "check_inputs_stay", "the panel was changed"),
    (WritesToThePanel(), "check_read_only_input", "the panel was changed, though"),
    (WritesToOutcomes(), "check_read_only_input", "read-only"),
    (MiscountsFeatures(), "check_fitted_attributes", "n_features_in_ is 7"),
    (TakesNothing(), "check_no_records", "no ValueError was raised"),
    (DependsOnBatch(), "check_subset", r"predict of record 0, records \[3\] alone"),
    (DependsOnPosition(), "check_permutation", "records in another order"),
    (DependsOnChannelOrder(), "check_channel_order", "channels in another order"),
    (TakesAnyChannel(), "check_unknown_channel", "no ValueError was raised"),
    (WantsAllChannels(), "check_missing_channel", "ValueError: a channel is missing"),
    (TakesAnyTimeUnit(), "check_time_unit", "no ValueError was raised"),
    (LooksAhead(), "check_later_events", "with later events"),
    (AnswersOneChannel(), "check_times", "answers are missing"),
    (LeavesStaticsOut(), "check_statics", r"depends on the static columns \['Age', 'ward'\]"),
    (ReadsNumbersAlone(), "check_statics", r"depends on the static columns \['ward'\]; set reads_static = False"),
    (ReadsStaticsInSecret(), "check_statics", "has reads_static = False, and says something else when {'Age'} change"),
    (ScoresEachRecord(), "check_score", "the score is"),
    (KnowsItsWorker(), "check_worker_processes", "cross_validate"),
    (NamesItsOwnColumns(), "check_set_output", "columns have other names"),
    (LeavesValidationOut(), "check_metadata_routing", "fit is the same whatever X_val and y_val are"),
    (LeavesWeightsOut(), "check_metadata_routing", "sample_weight changes no answer"),
]


def sound_twin(broken: Any) -> Any:
    """The estimator that the broken one was made of."""
    return next(kind for kind in (Sound, OutcomeMean, RecordSummary) if isinstance(broken, kind))()


def the_check(estimator: Any, name: str) -> Any:
    (check,) = [check for check in irregular_estimator_checks(estimator) if check.name == name]
    return check


@pytest.mark.parametrize(
    ("broken", "name", "text"), BROKEN, ids=[f"{type(b).__name__}-{name}" for b, name, _ in BROKEN]
)
def test_a_broken_rule_is_found(broken, name, text):
    # threads, as other processes could not import the classes of this module
    with joblib.parallel_config(backend="threading"):
        with pytest.raises(AssertionError, match=text):
            the_check(broken, name)()
        the_check(sound_twin(broken), name)()


def test_statics_are_told_with_the_channels_of_all_checks():
    """A setting that names a channel suits the records of the second lesson as well."""
    X, _ = telling_statics(Sound())
    assert X.channels == records_for_checks().channels
    assert set(X.channel) == {0, 1, 2}


def test_every_rule_can_fail():
    """A new rule comes with an estimator that breaks it."""
    assert {rule.__name__ for rule in _RULES} == {name for _, name, _ in BROKEN}


def test_all_of_a_sound_estimator():
    """The function runs the checks that apply and names them; the first broken one ends it."""
    left_out = ["check_worker_processes"]
    passed = check_irregular_estimator(Sound(), leave_out=left_out)
    assert set(passed) == {rule.__name__ for rule in _RULES} - {*left_out, "check_set_output"}
    with pytest.raises(AssertionError, match="n_features_in_ is 7"):
        check_irregular_estimator(MiscountsFeatures(), leave_out=left_out)
