"""Classifiers of whole records in sktime."""

from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, clone
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier
from sktime.classification.base import BaseClassifier

from cndts.estimators._hybrid_memory_classifier import HybridMemoryClassifier
from cndts.estimators._record_summary import RecordSummary
from cndts.estimators.sktime._clock import Clock
from cndts.estimators.sktime._named_parts import NamedParts
from cndts.estimators.sktime._series import Series, time_level
from cndts.panel import IrregularPanel


class SktimeClassifier(NamedParts, BaseClassifier):
    """A classifier of records with sktime's interface, for irregular panels.

    The columns of ``X`` are channels, its instances records of any length with times of their own, NaN is what was not
    observed. Nothing is gridded or filled.

    Parameters
    ----------
    classifier : classifier, optional
        What learns: `HybridMemoryClassifier` (the default), or a scikit-learn pipeline that starts with a transformer of
        panels, such as ``make_pipeline(RecordSummary(), HistGradientBoostingClassifier())``. It is cloned.
    time_unit : str, default="h"
        Unit in which datetimes and timedeltas are counted. Integers and periods are counted in steps.

    Attributes
    ----------
    classifier_ : classifier
        Fitted.
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.

    Notes
    -----
    Values pass through float32. Static features have no place in sktime's containers; use the classifier itself where they
    matter.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from cndts.estimators import RecordSummary
    >>> from cndts.estimators.sktime import SktimeClassifier
    >>> hours = pd.to_timedelta([0.0, 1.5, 0.5, 3.0], unit="h")
    >>> index = pd.MultiIndex.from_arrays([["a", "a", "b", "c"], hours], names=["record", "time"])
    >>> X = pd.DataFrame({"HR": [80.0, 82.0, 120.0, 84.0]}, index=index)
    >>> model = SktimeClassifier(make_pipeline(RecordSummary(), DecisionTreeClassifier(random_state=0)))
    >>> model.fit(X, np.array(["calm", "fast", "calm"])).predict(X).tolist()
    ['calm', 'fast', 'calm']
    """

    _settings: ClassVar[dict[str, type]] = {"classifier": HybridMemoryClassifier}
    _tags: ClassVar[dict[str, Any]] = {
        "authors": "cndts developers",
        "maintainers": "cndts developers",
        "X_inner_mtype": "pd-multiindex",
        "y_inner_mtype": "numpy1D",
        "capability:multivariate": True,
        "capability:unequal_length": True,
        "capability:missing_values": True,
        "capability:predict_proba": True,
        "capability:categorical_in_X": False,
    }

    def __init__(self, classifier: ClassifierMixin | None = None, *, time_unit: str = "h") -> None:
        self.classifier = classifier
        self.time_unit = time_unit
        super().__init__()

    def _fit(self, X: pd.DataFrame, y: NDArray) -> Self:
        self._clock = Clock.of(time_level(X.index), self.time_unit)
        panel = Series.read(X, self._clock).panel
        self._channels = panel.channels
        self.classifier_ = clone(HybridMemoryClassifier() if self.classifier is None else self.classifier).fit(panel, y)
        return self

    def _predict(self, X: pd.DataFrame) -> NDArray:
        return self.classifier_.predict(self._panel(X))

    def _predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        return self.classifier_.predict_proba(self._panel(X))

    def _panel(self, X: pd.DataFrame) -> IrregularPanel:
        return Series.read(X, self._clock, self._channels).panel

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Settings that sktime's conformance tests run with.

        Parameters
        ----------
        parameter_set : str
            Ignored.

        Returns
        -------
        list of dict
        """
        tree = make_pipeline(RecordSummary(), DecisionTreeClassifier(random_state=0))
        return [{"classifier": tree}, {"classifier": tree, "time_unit": "D"}]
