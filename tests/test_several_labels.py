"""Labels of records that do not exclude each other: learned, weighed, scored and stored."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_validate

from cndts import IrregularPanel
from cndts.estimators import HybridMemoryClassifier, load_estimator
from cndts.memory import Memory
from cndts.training import Training

N_RECORDS, N_EVENTS = 60, 10
LEARNING = Training(epochs=12, batch_size=10, learning_rate=2e-2, members=1, cut_share=0.25, averaging=0.9)
# validation records would have no weights of their own
ONCE = Training(epochs=1, batch_size=20, members=1, validation_fraction=0.0)


def classifier(**options: object) -> HybridMemoryClassifier:
    memory = Memory(timescales=2, window=2, episodic_slots=0)
    given = {"memory": memory, "training": ONCE, "width": 8, "dropout": 0.0, "random_state": 0} | options
    return HybridMemoryClassifier(**given)  # type: ignore[arg-type]


def records(seed: int = 0) -> tuple[IrregularPanel, np.ndarray]:
    """Two channels with levels of their own, and three labels that overlap: either level is high, or both."""
    rng = np.random.default_rng(seed)
    level = rng.normal(size=(N_RECORDS, 2))
    time = np.sort(rng.uniform(0, 10, (N_RECORDS, N_EVENTS)), axis=1)
    channel = np.tile(np.arange(N_EVENTS) % 2, (N_RECORDS, 1))
    value = np.take_along_axis(level, channel, axis=1) + 0.1 * rng.normal(size=time.shape)
    offsets = N_EVENTS * np.arange(N_RECORDS + 1)
    panel = IrregularPanel(offsets, time.ravel(), channel.ravel(), value.ravel(), channels=["a", "b"])
    return panel, np.column_stack([level > 0, level.min(axis=1) > 0]).astype(int)


@pytest.fixture(scope="module")
def fitted() -> HybridMemoryClassifier:
    return classifier(training=LEARNING).fit(*records())


def test_learns(fitted: HybridMemoryClassifier) -> None:
    """Every label of new records is told apart, the rare one that needs both channels too."""
    X, y = records(1)
    probability = fitted.predict_proba(X)
    assert (roc_auc_score(y, probability, average=None) > 0.8).all()
    assert ((fitted.predict(X) == 1) == (probability > 0.5)).all()
    assert (fitted.predict(X).sum(axis=1) == 3).any()  # no label excludes another one


def test_cross_validation_with_roc_auc() -> None:
    X, y = records()
    scoring = ["roc_auc", "average_precision"]
    scores = cross_validate(classifier(training=LEARNING), X, y, cv=2, scoring=scoring, error_score="raise")
    assert (scores["test_roc_auc"] > 0.8).all()
    assert (scores["test_average_precision"] > y.mean()).all()


def test_a_list_of_weights_is_a_weight_a_record() -> None:
    """One mapping a label; the weight of a record is the product over its labels."""
    X, y = records()
    by_label = [{0: 1.0, 1: 4.0}, {0: 1.0, 1: 1.0}, {0: 0.5, 1: 2.0}]
    weight = np.prod([np.where(y[:, k] == 1, by[1], by[0]) for k, by in enumerate(by_label)], axis=0)
    by_class = classifier(class_weight=by_label).fit(X, y).predict_proba(X)
    by_record = classifier().fit(X, y, sample_weight=weight).predict_proba(X)
    np.testing.assert_allclose(by_class, by_record, rtol=1e-6)
    assert not np.allclose(by_class, classifier().fit(X, y).predict_proba(X), rtol=1e-4)


def test_balanced_weights_matter() -> None:
    """Rare labels gain: the mean probability of the rarest rises."""
    X, y = records()
    plain, balanced = (classifier(class_weight=weight).fit(X, y).predict_proba(X) for weight in (None, "balanced"))
    rarest = y.mean(axis=0).argmin()
    assert balanced[:, rarest].mean() > plain[:, rarest].mean()


def test_one_mapping_for_all_labels_is_refused() -> None:
    """Of which label it speaks is open."""
    X, y = records()
    with pytest.raises(ValueError, match="class_weight should be a list of dicts, or the string 'balanced'"):
        classifier(class_weight={0: 1.0, 1: 2.0}).fit(X, y)


def test_files(fitted: HybridMemoryClassifier, tmp_path: Path) -> None:
    """Labels come back as labels, to the last bit, and so do weights of labels."""
    X, _ = records(1)
    fitted.save(tmp_path / "labels.cndts")
    loaded = load_estimator(tmp_path / "labels.cndts")
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))
    assert loaded.classes_.tolist() == [0, 1, 2]
    by_label = [{0: 1.0, 1: 4.0}] * 3
    classifier(class_weight=by_label).fit(*records()).save(tmp_path / "weighed.cndts")
    assert load_estimator(tmp_path / "weighed.cndts").class_weight == by_label
