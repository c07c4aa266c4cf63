"""Checks of what scikit-learn hands on to an estimator, and takes from it."""

import copy
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import make_pipeline

from cndts.estimators._check_lesson import CheckLesson, answers_of
from cndts.estimators._check_statements import ATOL, RTOL, differ, must, same
from cndts.panel import IrregularPanel
from cndts.targets import Targets

# Another number than there are records, or they would be split with them.
_N_VALIDATION = 9


def check_set_output(lesson: CheckLesson) -> None:
    """Tables come out as asked for; a panel stays a panel, within a pipeline too."""
    kind = type(lesson.fitted.transform(lesson.X))
    piped = make_pipeline("passthrough", clone(lesson.estimator)).fit(lesson.X, lesson.y)
    for model in (copy.deepcopy(lesson.fitted), piped):
        answer = model.set_output(transform="pandas").transform(lesson.X)
        if kind is IrregularPanel:
            must(isinstance(answer, IrregularPanel), f"a panel became a {type(answer).__name__}")
        else:
            must(list(answer.columns) == list(lesson.fitted.get_feature_names_out()), "columns have other names")
            assert_allclose(answer.to_numpy(), lesson.fitted.transform(lesson.X), rtol=RTOL, atol=ATOL)


def check_metadata_routing(lesson: CheckLesson) -> None:
    """Validation records and weights reach ``fit`` through a pipeline and cross-validation, and are used there."""
    extra = _metadata(lesson)
    direct = clone(lesson.estimator).fit(lesson.X, lesson.y, **extra)
    with config_context(enable_metadata_routing=True):
        model = _requesting(clone(lesson.estimator), extra)
        pipeline = make_pipeline("passthrough", model).fit(lesson.X, lesson.y, **extra)
        same(answers_of(pipeline[-1], lesson.X), answers_of(direct, lesson.X), "fitted through a pipeline")
        cross_validate(model, lesson.X, lesson.y, cv=KFold(2), params=extra, error_score="raise")
    if "X_val" in extra:
        _must_use_validation(lesson, extra, direct)
    if "sample_weight" in extra:
        unweighted = {name: value for name, value in extra.items() if name != "sample_weight"}
        plain = clone(lesson.estimator).fit(lesson.X, lesson.y, **unweighted)
        must(differ(answers_of(plain, lesson.X), answers_of(direct, lesson.X)), "sample_weight changes no answer")


def _metadata(lesson: CheckLesson) -> dict[str, Any]:
    """What the estimator's ``fit`` takes beside records and targets."""
    given = {
        "X_val": lesson.X[:_N_VALIDATION],
        "y_val": None if lesson.y is None else lesson.y[:_N_VALIDATION],
        "sample_weight": np.linspace(0.2, 3.0, len(lesson.X)),
    }
    taken = inspect.signature(lesson.estimator.fit).parameters
    return {name: value for name, value in given.items() if name in taken}


def _requesting(model: Any, names: Mapping[str, Any]) -> Any:
    if "sample_weight" in inspect.signature(model.score).parameters:
        model.set_score_request(sample_weight=True)
    return model.set_fit_request(**dict.fromkeys(names, True))


def _must_use_validation(lesson: CheckLesson, extra: Mapping[str, Any], fitted: Any) -> None:
    """What is fitted must differ by more than from fit to fit where the validation records have other outcomes."""
    y_val = extra["y_val"]
    if isinstance(y_val, Targets):
        other: Any = y_val.with_values(y_val.value[::-1])
    else:
        other = None if y_val is None else lesson.y[1 : _N_VALIDATION + 1]  # classes alternate
    again = clone(lesson.estimator).fit(lesson.X, lesson.y, **extra)
    changed = clone(lesson.estimator).fit(lesson.X, lesson.y, **{**extra, "y_val": other})
    learned, repeated, found = (dict(_leaves(vars(model))) for model in (fitted, again, changed))
    # durations and the like, which no two fits share
    noise = {path for path in learned.keys() | repeated.keys() if learned.get(path) != repeated.get(path)}
    told = {path for path in learned.keys() | found.keys() if learned.get(path) != found.get(path)}
    must(bool(told - noise), "fit is the same whatever X_val and y_val are")


def _leaves(value: Any, path: str = "", above: tuple[int, ...] = ()) -> Iterator[tuple[str, object]]:
    """Numbers and texts that an object holds at any depth, by the path to them."""
    if id(value) in above:
        return
    above = (*above, id(value))
    if isinstance(value, (bool, int, float, str, bytes, np.generic, type(None))):
        yield path, repr(value)
    elif hasattr(value, "detach"):
        yield path, value.detach().cpu().numpy().tobytes()
    elif isinstance(value, np.ndarray) and value.dtype != object:
        yield path, value.tobytes()
    else:
        for name, part in _parts(value):
            yield from _leaves(part, f"{path}.{name}", above)


def _parts(value: Any) -> Iterator[tuple[object, Any]]:
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, (list, tuple, np.ndarray)):
        yield from enumerate(value)
    elif not isinstance(value, type) and hasattr(value, "__dict__"):
        yield from vars(value).items()
