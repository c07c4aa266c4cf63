"""Check of whether the static table is read, down to every column."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor

from cndts.estimators._base import BaseForecaster
from cndts.estimators._check_lesson import CheckLesson, answers_of, records_for_checks
from cndts.estimators._check_statements import differ, must
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.targets import Targets

# Enough rows for trees to split on either column.
_N_RECORDS = 240
_EVENTS = np.array([0.0, 1.0, 2.0, 4.0, 8.0])
_ASKED = 6.0


def check_statics(lesson: CheckLesson) -> None:
    """Numbers and categories of the static table change what is said; with ``reads_static = False`` neither does.

    What learns little from the few records of all checks gets more, whose outcomes follow from the static table alone.
    """
    name = type(lesson.estimator).__name__
    told = _columns_told(lesson.fitted, lesson.X)
    if not getattr(lesson.estimator, "reads_static", True):
        must(not told, f"{name} has reads_static = False, and says something else when {told} change")
        return
    columns = {str(name) for name in lesson.X.static}
    if told != columns:
        X, y = telling_statics(lesson.estimator)
        model = clone(lesson.estimator)
        told |= _columns_told(model.fit(X) if y is None else model.fit(X, y), X)
    must(
        told == columns,
        f"nothing that {name} says depends on the static columns {sorted(columns - told)}; set reads_static = False on the "
        "class of an estimator that reads no static table",
    )


def telling_statics(estimator: BaseEstimator) -> tuple[IrregularPanel, Any]:
    """Records of the channels of all checks whose targets, outcomes and later events follow from a number and a category.

    Parameters
    ----------
    estimator : estimator
        Tells what kind of targets to make.

    Returns
    -------
    X : IrregularPanel
    y : Targets or ndarray or None
        As of `CheckLesson`.

    Examples
    --------
    >>> from cndts.estimators import RidgeForecaster
    >>> X, y = telling_statics(RidgeForecaster())
    >>> list(X.static), bool(y.value.max() > 5)
    (['Age', 'ward'], True)
    """
    random = np.random.default_rng(0)
    age, ward = (
        random.permutation(np.linspace(20, 80, _N_RECORDS)),
        random.permutation(np.resize(["a", "b"], _N_RECORDS)),
    )
    level = age / 20 + 3 * (ward == "b")
    asks = isinstance(estimator, BaseForecaster)
    value = 0.1 * random.normal(size=(_N_RECORDS, len(_EVENTS)))
    if not asks:  # what an encoder learns from are the events themselves
        value[:, _EVENTS > 3] += level[:, None]
    counted = np.arange(_N_RECORDS + 1)
    channels = records_for_checks().channels
    queries = Queries(counted, np.full(_N_RECORDS, _ASKED), np.zeros(_N_RECORDS, dtype=np.int32))
    X = IrregularPanel(
        counted * len(_EVENTS),
        np.tile(_EVENTS, _N_RECORDS),
        np.tile(np.arange(len(_EVENTS)) % len(channels), _N_RECORDS),
        value.ravel(),
        channels=channels,
        static=pd.DataFrame({"Age": age, "ward": ward}),
        queries=queries if asks else None,
    )
    if asks:
        return X, Targets(queries, level, X.records, X.channels)
    if is_classifier(estimator):
        return X, np.where(level > np.median(level), "dead", "alive")
    return X, level if is_regressor(estimator) else None


def _columns_told(model: Any, X: IrregularPanel) -> set[str]:
    """Columns of the static table whose values, handed to other records, change an answer."""
    answers = answers_of(model, X)
    turned = {str(name): X.with_static(_turned(X.static, name)) for name in X.static}
    return {name for name, other in turned.items() if differ(answers_of(model, other), answers)}


def _turned(static: pd.DataFrame, name: Any) -> pd.DataFrame:
    """The table with one column upside down."""
    other = static.copy()
    other[name] = static[name].to_numpy()[::-1]
    return other
