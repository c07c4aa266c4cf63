"""What estimators are checked on: few, small, awkward records, and answers that can be compared record by record."""

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor

from cndts._ragged import offsets_from_lengths
from cndts.estimators._base import BaseForecaster
from cndts.panel import IrregularPanel
from cndts.targets import Targets
from cndts.tasks import Extrapolation, Interpolation

_N_RECORDS = 14
_METHODS = ("predict", "predict_proba", "predict_quantiles", "transform")

Answers = dict[str, list[NDArray]]


class CheckLesson:
    """An estimator with records and targets of the kind that it learns from.

    Parameters
    ----------
    estimator : estimator
        Never fitted itself: every check works on a clone.

    Attributes
    ----------
    X : IrregularPanel
        Fourteen records of three channels at irregular times, with a static table and groups: among them a record without
        context, one of a single event, and two events at one time. With queries for forecasters and interpolators.
    y : Targets or ndarray or None
        Targets at the queries; classes or numbers of the records; None for transformers.
    """

    def __init__(self, estimator: BaseEstimator) -> None:
        self.estimator = estimator
        self.X, self.y = _lesson_for(estimator)

    @property
    def asks(self) -> bool:
        """Whether the estimator answers queries."""
        return isinstance(self.estimator, BaseForecaster)

    @cached_property
    def fitted(self) -> Any:
        """A clone, fitted once for all checks that only ask."""
        return self.fit()

    @cached_property
    def answers(self) -> Answers:
        """What the fitted clone says of the training records."""
        return answers_of(self.fitted, self.X)

    def fit(self) -> Any:
        """Another clone, fitted."""
        model = clone(self.estimator)
        return model.fit(self.X) if self.y is None else model.fit(self.X, self.y)


def records_for_checks() -> IrregularPanel:
    """The records of `CheckLesson`, without queries.

    Returns
    -------
    IrregularPanel

    Examples
    --------
    >>> panel = records_for_checks()
    >>> len(panel), panel.channels, int(panel.counts.min())
    (14, ('HR', 'Temp', 'Lactate'), 0)
    """
    random = np.random.default_rng(0)
    counts = random.integers(12, 30, _N_RECORDS)
    counts[[5, 8]] = 0, 1
    level = np.repeat(random.normal(size=_N_RECORDS), counts)
    record = np.repeat(np.arange(_N_RECORDS), counts)
    time = np.round(random.uniform(0, 10, counts.sum()), 2)
    time[record == 8] = 1.0
    time[offsets_from_lengths(counts)[2] :][:2] = 2.5
    time = time[np.lexsort((time, record))]
    channel = random.integers(0, 3, len(time))
    value = np.array([80.0, 37.0, 1.5])[channel] + np.array([5.0, 0.4, 0.3])[channel] * (level + np.sin(time))
    names = [f"r{i}" for i in range(_N_RECORDS)]
    static = pd.DataFrame({"Age": random.integers(20, 90, _N_RECORDS), "ward": list("ab") * 7}, index=names)
    return IrregularPanel(
        offsets_from_lengths(counts),
        time,
        channel,
        value,
        records=names,
        channels=["HR", "Temp", "Lactate"],
        units={"HR": "bpm"},
        static=static,
        groups=np.arange(_N_RECORDS) // 2,
    )


def answers_of(model: Any, X: IrregularPanel) -> Answers:
    """What a fitted estimator says of each record, by method.

    Parameters
    ----------
    model : estimator
        Fitted.
    X : IrregularPanel of n_records
        With queries where the estimator answers them.

    Returns
    -------
    dict of list of ndarray
        One array a record.
    """
    found: Answers = {}
    for method in _METHODS:
        if hasattr(model, method):
            levels = ([0.1, 0.5, 0.9],) if method == "predict_quantiles" else ()
            found[method] = _by_record(getattr(model, method)(X, *levels), X)
    return found


def _by_record(answer: Any, X: IrregularPanel) -> list[NDArray]:
    if isinstance(answer, Targets):
        return np.split(np.asarray(answer), answer.offsets[1:-1])
    if isinstance(answer, IrregularPanel):
        rows = np.column_stack([answer.time, answer.channel, answer.value])
        return np.split(rows, answer.offsets[1:-1])
    rows = np.asarray(answer)
    if X.queries is not None and len(rows) == X.queries.n_queries != len(X):
        return np.split(rows, X.queries.offsets[1:-1])
    return list(rows)


def _lesson_for(estimator: BaseEstimator) -> tuple[IrregularPanel, Any]:
    panel = records_for_checks()
    if isinstance(estimator, BaseForecaster):
        task = Interpolation(observed=0.6) if estimator.reads_later_events else Extrapolation(observe=6, horizon=4)
        return task.split(panel)
    kind = np.arange(len(panel)) % 2
    if is_classifier(estimator):
        return panel, np.array(["alive", "dead"])[kind]
    return panel, kind + panel.counts / 10 if is_regressor(estimator) else None
