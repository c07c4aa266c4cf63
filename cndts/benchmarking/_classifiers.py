"""Classifiers of records that can be benchmarked by name, under protocols whose targets are labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from cndts.panel import IrregularPanel
from cndts.protocols import ProtocolSplit
from cndts.targets import Targets

if TYPE_CHECKING:
    from sklearn.ensemble import VotingClassifier
    from sklearn.pipeline import Pipeline

    from cndts.estimators import HybridMemoryClassifier


def _network() -> HybridMemoryClassifier:
    from cndts.estimators import HybridMemoryClassifier

    return HybridMemoryClassifier()


def _trees() -> Pipeline:
    """Slow learning with few features a split, which suits a few thousand records of some hundred features."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline

    from cndts.benchmarking._known_columns import KnownColumns
    from cndts.estimators import RecordSummary

    trees = HistGradientBoostingClassifier(
        learning_rate=0.03, max_iter=200, max_leaf_nodes=15, l2_regularization=1.0, max_features=0.3
    )
    return Pipeline([("summary", RecordSummary()), ("known", KnownColumns()), ("trees", trees)])


def _vote() -> VotingClassifier:
    from sklearn.ensemble import VotingClassifier

    return VotingClassifier([("network", _network()), ("trees", _trees())], voting="soft")


CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "hybrid-memory-classifier": _network,
    "boosted-trees-classifier": _trees,
    "vote-classifier": _vote,
}


class LabelModel:
    """A classifier of records, called as a forecaster is: targets are labels, predictions probabilities of label 1.

    Parameters
    ----------
    classifier : estimator
        With scikit-learn's ``fit`` and ``predict_proba``. It gets validation records if its ``fit`` takes ``X_val`` and ``y_val``.
    """

    def __init__(self, classifier: Any) -> None:
        self.classifier = classifier

    def fit(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel, y_val: Targets) -> Self:
        """Fit to labels, one a record."""
        chosen_by = {"X_val": X_val.without_queries(), "y_val": _labels(y_val)}
        takes_them = "X_val" in signature(self.classifier.fit).parameters
        self.classifier.fit(X.without_queries(), _labels(y), **(chosen_by if takes_them else {}))
        return self

    def predict(self, X: IrregularPanel) -> NDArray[np.float64]:
        """Probability of label 1, shape (n_records,)."""
        share = self.classifier.predict_proba(X.without_queries())
        # no column where training has one class alone
        return share[:, np.asarray(self.classifier.classes_) == 1].sum(axis=1)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters of the classifier."""
        return self.classifier.get_params(deep=deep)


def available_classifiers() -> list[str]:
    """Names of the classifiers of records that ``run_benchmark`` takes where a protocol's targets are labels.

    Examples
    --------
    >>> available_classifiers()
    ['hybrid-memory-classifier', 'boosted-trees-classifier', 'vote-classifier']
    """
    return list(CLASSIFIERS)


def make_label_model(name: str, *, random_state: int = 0, **settings: Any) -> LabelModel:
    """An unfitted classifier by name; the seed goes to all its parts, settings are set by ``set_params``."""
    classifier = CLASSIFIERS[name]()
    seeds = (parameter for parameter in classifier.get_params() if parameter.rpartition("__")[2] == "random_state")
    return LabelModel(classifier.set_params(**dict.fromkeys(seeds, random_state)).set_params(**settings))


def check_asks_for_labels(models: Sequence[str], protocol: str, split: ProtocolSplit) -> None:
    """Refuse classifiers where the targets are anything but one label, 0 or 1, of each record."""
    classifiers = [name for name in models if name in CLASSIFIERS]
    if classifiers and not all(_are_labels(y) for _, y in (split.train, split.validation, split.test)):
        y = split.train[1]
        raise ValueError(
            f"{classifiers[0]} tells 0 from 1, once for each record; {protocol} asks for {len(y.value):,} values of {len(y):,} "
            "training records. Take forecasters or interpolators: `cndts info` lists them."
        )


def _are_labels(y: Targets) -> bool:
    return bool((np.diff(y.offsets) == 1).all() and np.isin(y.value, (0, 1)).all())


def _labels(y: Targets) -> NDArray[np.int64]:
    return np.asarray(y).astype(np.int64)
