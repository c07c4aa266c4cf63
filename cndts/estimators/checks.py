"""Checks that an estimator keeps scikit-learn's rules on panels of irregular records.

scikit-learn's own checks (`sklearn.utils.estimator_checks`) know arrays alone. These hold an estimator to the same rules, and
to those of ragged records, on panels. They serve estimators of your own as well: subclasses of `BaseForecaster`, or anything that
fits and predicts panels.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError

from cndts._panel_queries import check_asks
from cndts._ragged import offsets_from_lengths
from cndts.estimators._check_lesson import CheckLesson, answers_of
from cndts.estimators._check_routing import check_metadata_routing, check_set_output
from cndts.estimators._check_statements import Refuses, must, pick, same
from cndts.estimators._check_statics import check_statics
from cndts.estimators._check_storage import (
    check_copy,
    check_inputs_stay,
    check_pickle,
    check_pickle_unfitted,
    check_read_only_input,
    check_worker_processes,
)
from cndts.panel import IrregularPanel
from cndts.queries import Queries


@dataclass(frozen=True)
class IrregularCheck:
    """One check of one estimator: call it, and it raises AssertionError where the rule is broken.

    Parameters
    ----------
    name : str
        Name of the rule, such as ``"check_clone"``.
    lesson : CheckLesson
        The estimator with its records.
    rule : callable
        What is run on the lesson.

    Examples
    --------
    >>> from cndts.estimators import LastValueForecaster
    >>> for check in irregular_estimator_checks(LastValueForecaster()):
    ...     if check.name == "check_clone":
    ...         check()
    """

    name: str
    lesson: CheckLesson = field(repr=False)
    rule: Callable[[CheckLesson], None] = field(repr=False)

    def __call__(self) -> None:
        try:
            self.rule(self.lesson)
        except AssertionError:
            raise
        except Exception as error:  # where an answer is due, an error breaks the rule too
            raise AssertionError(f"{self}: {type(error).__name__}: {error}") from error

    def __str__(self) -> str:
        return f"{type(self.lesson.estimator).__name__}-{self.name}"


def irregular_estimator_checks(estimator: BaseEstimator) -> Iterator[IrregularCheck]:
    """The checks that apply to an estimator, one by one.

    Parameters
    ----------
    estimator : estimator
        With ``random_state`` set where it has one, and small settings where it learns long; it is not fitted itself.

    Yields
    ------
    IrregularCheck
        Checks of one estimator share a fit where they can.

    Notes
    -----
    An estimator that reads no static table says so by the class attribute ``reads_static = False``; then no column of the table may
    change what it says.

    Examples
    --------
    In a test module of your own::

        @pytest.mark.parametrize("check", list(irregular_estimator_checks(MyForecaster())), ids=str)
        def test_my_forecaster(check):
            check()
    """
    lesson = CheckLesson(estimator)
    for rule in _RULES:
        applies = _ONLY.get(rule.__name__)
        if applies is None or applies(lesson):
            yield IrregularCheck(rule.__name__, lesson, rule)


def check_irregular_estimator(estimator: BaseEstimator, *, leave_out: Sequence[str] = ()) -> list[str]:
    """Run every check that applies.

    Parameters
    ----------
    estimator : estimator
        As for :func:`irregular_estimator_checks`.
    leave_out : sequence of str, optional
        Names of checks that are not run.

    Returns
    -------
    list of str
        Names of the checks that passed.

    Raises
    ------
    AssertionError
        At the first rule that is broken.

    Examples
    --------
    >>> from cndts.estimators import LastValueForecaster
    >>> check_irregular_estimator(LastValueForecaster(), leave_out=["check_worker_processes"])[:3]
    ['check_clone', 'check_parameters', 'check_misspelt_parameter']
    """
    checks = [check for check in irregular_estimator_checks(estimator) if check.name not in leave_out]
    for check in checks:
        check()
    return [check.name for check in checks]


# ---- parameters ----------------------------------------------------------------------------------


def check_clone(lesson: CheckLesson) -> None:
    """A clone has equal parameters, holds none of the original's settings objects, and is not fitted."""
    twin = clone(lesson.fitted)
    assert_array_equal(repr(twin), repr(lesson.estimator))
    for name, value in twin.get_params().items():
        if isinstance(value, BaseEstimator):
            must(value is not lesson.fitted.get_params()[name], f"{name} is shared by the clone")
    must(not [name for name in vars(twin) if name.endswith("_") and not name.startswith("_")], "a clone is fitted")


def check_parameters(lesson: CheckLesson) -> None:
    """Every parameter, nested ones included, can be read and set; fitting changes none."""
    model = clone(lesson.estimator)
    for name, value in model.get_params(deep=True).items():
        must(model.set_params(**{name: value}) is model, "set_params does not return self")
        must(model.get_params(deep=True)[name] is value, f"{name} is not what was set")
    given = lesson.estimator.get_params(deep=False)
    for name, value in lesson.fitted.get_params(deep=False).items():
        must(repr(value) == repr(given[name]), f"fit has changed {name}")


def check_misspelt_parameter(lesson: CheckLesson) -> None:
    """A misspelt parameter is refused, and the right one suggested."""
    for name in lesson.estimator.get_params(deep=True):
        wrong = (
            name[:-1] + ("x" if name[-1] != "x" else "y") if len(name) < 5 else name[:-2] + name[-1] + name[-2] + "s"
        )
        with Refuses(ValueError, "Invalid parameter") as told:
            clone(lesson.estimator).set_params(**{wrong: None})
        must(
            len(name) < 5 or f"did you mean {name!r}" in str(told.error),
            f"no hint from {wrong} to {name}: {told.error}",
        )


def check_repr(lesson: CheckLesson) -> None:
    """Text and HTML name the class."""
    name = type(lesson.estimator).__name__
    must(name in repr(lesson.fitted) and name in lesson.fitted._repr_html_(), "the class is not named")


# ---- fit -----------------------------------------------------------------------------------------


def check_unfitted(lesson: CheckLesson) -> None:
    """Nothing is answered before fit."""
    for method in lesson.answers:
        with Refuses(NotFittedError, type(lesson.estimator).__name__):
            levels = ([0.5],) if method == "predict_quantiles" else ()
            getattr(clone(lesson.estimator), method)(lesson.X, *levels)


def check_fit_again(lesson: CheckLesson) -> None:
    """Fit returns the estimator; fitted again, on the same or after other records, it says the same."""
    model = lesson.fit()
    part = None if lesson.y is None else lesson.y[:10]
    must((model.fit(lesson.X[:10]) if part is None else model.fit(lesson.X[:10], part)) is model, "fit is not self")
    again = model.fit(lesson.X) if lesson.y is None else model.fit(lesson.X, lesson.y)
    same(answers_of(again, lesson.X), lesson.answers, "fitted again")


def check_fitted_attributes(lesson: CheckLesson) -> None:
    """Channels are known under scikit-learn's names."""
    model = lesson.fitted
    must(tuple(model.feature_names_in_) == lesson.X.channels, f"feature_names_in_ is {model.feature_names_in_}")
    must(model.n_features_in_ == len(lesson.X.channels), f"n_features_in_ is {model.n_features_in_}")


def check_no_records(lesson: CheckLesson) -> None:
    """A panel without records is refused with both sides told."""
    with Refuses(ValueError, "X"):
        model = clone(lesson.estimator)
        model.fit(lesson.X[:0]) if lesson.y is None else model.fit(lesson.X[:0], lesson.y[:0])


# ---- answers -------------------------------------------------------------------------------------


def check_subset(lesson: CheckLesson) -> None:
    """What is said of a record does not depend on its batch mates."""
    for part in ([3], [11, 5, 8], list(range(7))):
        same(answers_of(lesson.fitted, lesson.X[part]), pick(lesson.answers, part), f"records {part} alone")


def check_permutation(lesson: CheckLesson) -> None:
    """The order of records does not matter."""
    order = np.random.default_rng(1).permutation(len(lesson.X))
    same(answers_of(lesson.fitted, lesson.X[order]), pick(lesson.answers, order), "records in another order")


def check_channel_order(lesson: CheckLesson) -> None:
    """Channels are matched by name, in whatever order a panel lists them."""
    turned = lesson.X.with_channels(lesson.X.channels[::-1])
    found = answers_of(lesson.fitted, turned)
    if "transform" in found and isinstance(lesson.fitted.transform(lesson.X), IrregularPanel):
        del found["transform"]  # a panel has the channels of its input
    same(found, {name: lesson.answers[name] for name in found}, "channels in another order")


def check_unknown_channel(lesson: CheckLesson) -> None:
    """A channel that was not fitted is refused by name."""
    strange = lesson.X.with_channels([*lesson.X.channels, "Sodium"])
    for method in lesson.answers:
        with Refuses(ValueError, "Sodium"):
            levels = ([0.5],) if method == "predict_quantiles" else ()
            getattr(lesson.fitted, method)(strange, *levels)


def check_missing_channel(lesson: CheckLesson) -> None:
    """A panel may lack a channel that was fitted."""
    lacking = lesson.X.where(lesson.X.channel != 2)
    if lesson.X.queries is not None:
        lacking = _asking_for(lacking, lesson.X.queries.channel != 2)
    lacking = lacking.with_channels(lesson.X.channels[:2])
    for method, found in answers_of(lesson.fitted, lacking).items():
        must(len(found) == len(lacking), f"{method} has {len(found)} of {len(lacking)} records")


def check_time_unit(lesson: CheckLesson) -> None:
    """Times in another unit are refused."""
    minutes = IrregularPanel._trusted(lesson.X, time_unit="min")
    with Refuses(ValueError, "'min'"):
        answers_of(lesson.fitted, minutes)


def check_later_events(lesson: CheckLesson) -> None:
    """A forecast stays as it is when later events arrive."""
    X = lesson.X
    last = np.where(X.counts > 0, X.last_time, 0.0)
    latest = np.full(len(X), -np.inf)
    queries = check_asks(X)
    np.maximum.at(latest, queries.record, queries.time)
    later = IrregularPanel(
        np.arange(len(X) + 1),
        np.maximum(latest, last) + 1,
        np.zeros(len(X), dtype=int),
        np.full(len(X), 1e3),
        records=X.records,
        channels=X.channels,
    )
    record = np.concatenate([X.record, later.record])
    time, channel = np.concatenate([X.time, later.time]), np.concatenate([X.channel, later.channel])
    order = np.lexsort((time, record))
    longer = IrregularPanel._trusted(
        X,
        offsets=offsets_from_lengths(X.counts + 1),
        time=time[order],
        channel=channel[order],
        value=np.concatenate([X.value, later.value])[order],
    )
    same(answers_of(lesson.fitted, longer), lesson.answers, "with later events")


def check_times(lesson: CheckLesson) -> None:
    """``predict(panel, times=...)`` answers every channel of every record at these times."""
    grid = lesson.fitted.predict(lesson.X.without_queries(), times=[7.5, 8.0])
    must(isinstance(grid, IrregularPanel), f"predict(times=...) gives a {type(grid).__name__}")
    must(grid.counts.tolist() == [2 * len(lesson.X.channels)] * len(lesson.X), "answers are missing")


def check_score(lesson: CheckLesson) -> None:
    """The score is one finite number."""
    score = lesson.fitted.score(lesson.X, lesson.y)
    must(np.ndim(score) == 0 and bool(np.isfinite(score)), f"the score is {score}")


def _asking_for(X: IrregularPanel, kept: Any) -> IrregularPanel:
    queries = check_asks(X)
    lengths = np.bincount(queries.record[kept], minlength=len(X))
    return X.with_queries(queries=Queries(offsets_from_lengths(lengths), queries.time[kept], queries.channel[kept]))


# ---- which rules there are, and when they apply -------------------------------------------------


_RULES: tuple[Callable[[CheckLesson], None], ...] = (
    check_clone,
    check_parameters,
    check_misspelt_parameter,
    check_repr,
    check_unfitted,
    check_fit_again,
    check_copy,
    check_pickle,
    check_pickle_unfitted,
    check_inputs_stay,
    check_read_only_input,
    check_fitted_attributes,
    check_no_records,
    check_subset,
    check_permutation,
    check_channel_order,
    check_unknown_channel,
    check_missing_channel,
    check_time_unit,
    check_later_events,
    check_times,
    check_statics,
    check_score,
    check_worker_processes,
    check_set_output,
    check_metadata_routing,
)
_ONLY: dict[str, Callable[[CheckLesson], bool]] = {
    "check_later_events": lambda lesson: lesson.asks and not lesson.estimator.reads_later_events,
    "check_times": lambda lesson: lesson.asks,
    "check_score": lambda lesson: hasattr(lesson.estimator, "score"),
    "check_set_output": lambda lesson: hasattr(lesson.estimator, "transform"),
    "check_metadata_routing": lambda lesson: bool(
        {"X_val", "sample_weight"} & set(inspect.signature(lesson.estimator.fit).parameters)
    ),
}
