"""scikit-learn slices a panel like an array, in every way it has, and the type is kept."""

import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    StratifiedKFold,
    cross_val_predict,
    cross_validate,
    learning_curve,
    train_test_split,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import resample, shuffle

from cndts.panel import IrregularPanel

try:
    from joblib.externals import cloudpickle
except ImportError:  # joblib >= 1.6 no longer brings a copy of its own
    import cloudpickle

# joblib's workers cannot import a test module by name: its classes travel by value.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


class RecordMean(RegressorMixin, BaseEstimator):
    """Predicts a number per record from the mean of its values; insists on panels that cannot be written."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y):
        """Only look at the container."""
        assert type(X) is IrregularPanel
        assert len(X) == len(y)
        assert not X.value.flags.writeable
        self.channels_ = X.channels
        return self

    def predict(self, X):
        """Mean of the values times the factor."""
        assert type(X) is IrregularPanel
        sums = np.bincount(X.record, weights=X.value, minlength=len(X))
        return self.factor * sums / np.maximum(X.counts, 1)


@pytest.fixture
def panel() -> IrregularPanel:
    """Twelve records, the mean of record ``i`` is ``i``."""
    counts = np.arange(1, 13)
    return IrregularPanel(
        np.concatenate([[0], np.cumsum(counts)]),
        np.concatenate([np.arange(n) for n in counts]),
        np.zeros(counts.sum(), int),
        np.repeat(np.arange(12), counts),
        channels=["x"],
        records=[f"r{i}" for i in range(12)],
        static=pd.DataFrame({"i": range(12)}, index=[f"r{i}" for i in range(12)]),
        groups=np.arange(12) // 4,
    )


def test_splits_keep_the_type(panel: IrregularPanel):
    """train_test_split, shuffle and resample give panels whose parts belong together."""
    y = np.arange(12)
    parts = train_test_split(panel, y, random_state=0, stratify=y % 2)
    X_train, X_test, y_train, y_test = parts
    for X, own in ((X_train, y_train), (X_test, y_test), shuffle(panel, y, random_state=0), resample(panel, y)):
        assert type(X) is IrregularPanel
        assert X.records.tolist() == [f"r{i}" for i in own]
        assert X.static["i"].tolist() == own.tolist()
        assert X.value.tolist() == np.repeat(own, own + 1).tolist()


@pytest.mark.parametrize("cv", [KFold(3), KFold(3, shuffle=True, random_state=0), GroupKFold(3), StratifiedKFold(2)])
def test_cross_validation(panel: IrregularPanel, cv):
    """Every splitter; groups travel in the panel."""
    y = np.arange(12) % 2 if isinstance(cv, StratifiedKFold) else np.arange(12.0)
    groups = panel.groups if isinstance(cv, GroupKFold) else None
    scores = cross_validate(RecordMean(), panel, y, cv=cv, groups=groups, error_score="raise")
    if not isinstance(cv, StratifiedKFold):
        assert scores["test_score"].tolist() == [1, 1, 1]
        assert cross_val_predict(RecordMean(), panel, y, cv=cv, groups=groups).tolist() == y.tolist()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_grid_search_through_a_pipeline(panel: IrregularPanel, n_jobs: int):
    """Transformers may return panels; workers get read-only memory."""
    steps = [("scale", FunctionTransformer(doubled)), ("mean", RecordMean())]
    search = GridSearchCV(Pipeline(steps), {"mean__factor": [0.5, 1.0]}, cv=3, n_jobs=n_jobs, error_score="raise")
    search.fit(panel, np.arange(12.0))
    assert search.best_params_ == {"mean__factor": 0.5}
    assert search.predict(panel[-2:]).tolist() == [10, 11]
    assert type(search.best_estimator_[:-1].transform(panel)) is IrregularPanel


def doubled(X: IrregularPanel) -> IrregularPanel:
    """Twice the values; a named function, so that workers can load it."""
    return X.scale_values([0.0], [0.5])


def test_workers_see_large_panels_through_maps(panel: IrregularPanel):
    """Arrays beyond joblib's threshold arrive as read-only memory maps."""
    n = 300_000
    large = IrregularPanel(np.linspace(0, n, 7).astype(int), np.zeros(n), np.zeros(n, int), np.ones(n), channels=["x"])
    scores = cross_validate(RecordMean(), large, np.arange(6.0), cv=2, n_jobs=2, error_score="raise")
    assert len(scores["test_score"]) == 2


def test_learning_curve(panel: IrregularPanel):
    """Growing training sets."""
    sizes, _, test = learning_curve(
        RecordMean(), panel, np.arange(12.0), cv=3, train_sizes=[0.5, 1.0], error_score="raise"
    )
    assert sizes.tolist() == [4, 8]
    assert (test == 1).all()
