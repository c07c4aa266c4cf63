"""SktimeClassifier on panels of unequal, irregular records."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime", reason='sktime is absent: pip install "cndts[sktime]"')

from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier
from sktime.datatypes import convert

from cndts.datasets import make_icu
from cndts.estimators import HybridMemoryClassifier, LinearInterpolator, RecordSummary
from cndts.estimators.sktime import (
    PanelClassificationDataset,
    SktimeClassifier,
    SktimeImputer,
    from_sktime,
    to_sktime,
)
from cndts.training import Training


@pytest.fixture(scope="module")
def data() -> tuple[pd.DataFrame, np.ndarray]:
    panel = make_icu(24, random_state=0)
    return to_sktime(panel), np.where(panel.static["ICUType"].to_numpy() == panel.static["ICUType"].iloc[0], "a", "b")


def tree() -> SktimeClassifier:
    return SktimeClassifier(make_pipeline(RecordSummary(), DecisionTreeClassifier(random_state=0)))


def test_equal_to_the_native_pipeline(data: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = data
    model = SktimeClassifier(make_pipeline(RecordSummary(), HistGradientBoostingClassifier(max_iter=5)))
    panel = from_sktime(X)
    native = make_pipeline(RecordSummary(), HistGradientBoostingClassifier(max_iter=5)).fit(panel, y)
    np.testing.assert_allclose(model.fit(X, y).predict_proba(X), native.predict_proba(panel))
    assert model.classes_.tolist() == ["a", "b"]


def test_list_of_frames(data: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = data
    frames = convert(X, "pd-multiindex", "df-list")
    assert tree().fit(frames, y).predict(frames).tolist() == tree().fit(X, y).predict(X).tolist() == y.tolist()


def test_neural_classifier(data: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = data
    inner = HybridMemoryClassifier(width=8, training=Training(epochs=1, members=1), random_state=0)
    share = SktimeClassifier(inner).fit(X, y).predict_proba(X)
    assert share.shape == (24, 2)
    np.testing.assert_allclose(share.sum(axis=1), 1, rtol=1e-6)


def test_behind_an_imputer(data: tuple[pd.DataFrame, np.ndarray]) -> None:
    """The pipeline of sktime: transformer times classifier."""
    X, y = data
    model = SktimeImputer(LinearInterpolator()) * tree()
    assert model.fit(X, y).predict(X).shape == (24,)


def test_dataset() -> None:
    X, y = PanelClassificationDataset(make_icu(5, random_state=0)).load("X", "y")
    assert X.index.get_level_values(0).nunique() == len(y) == 5
    with pytest.raises(ValueError, match=r"no outcome 'died'; its outcomes are \['In-hospital_death'\]"):
        PanelClassificationDataset(make_icu(2, random_state=0), outcome="died").load("y")
    with pytest.raises(ValueError, match=r"has the outcomes \[\]; choose one"):
        PanelClassificationDataset(make_icu(2, random_state=0).with_outcomes(None)).load("y")
