"""What tells one search from another: a file goes on with the search that it holds, and with no other."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.base import clone

from cndts._parameters import left_out
from cndts.estimators._tuning_lesson import TuningLesson
from cndts.panel import IrregularPanel
from cndts.targets import Targets

# where and how loudly a model is fitted is no part of what is fitted
_PASSING = {"device", "n_jobs", "verbose"}
_KEY = "cndts_search"


def search_identity(estimator: Any, space: Mapping[str, Any], lesson: TuningLesson) -> dict[str, Any]:
    """Everything that a trial's score depends on, beside what is drawn from the space.

    Returns
    -------
    dict
        Of what JSON can hold: ``model``, ``space``, ``settings`` (parameters outside the space) and digests of ``records``, ``targets``,
        ``queries``, ``static features`` and ``groups``.
    """
    settings = {name: _plain(value) for name, value in settled(estimator).items() if _counts(name, space)}
    found = {"model": type(estimator).__name__, "space": dict(space), "settings": settings}
    found |= {name: _digest(read, lesson) for name, read in _DIGESTED.items()}
    read_again: dict[str, Any] = json.loads(json.dumps(found))
    return read_again


def settled(estimator: Any) -> dict[str, Any]:
    """Parameters with the defaults of settings objects that were left out."""
    found: dict[str, Any] = clone(estimator).set_params(**left_out(estimator)).get_params()
    return found


def check_identity(study: Any, identity: Mapping[str, Any], storage: object) -> None:
    """Note in a new study which search it is; refuse one that is another search.

    Raises
    ------
    ValueError
        If they differ; the text says in what.
    """
    known = study.user_attrs.get(_KEY)
    if known == identity:
        return
    if known is None and not _is_begun(study):
        study.set_user_attr(_KEY, dict(identity))
        return
    difference = "that an earlier version, or another program, began" if known is None else _difference(known, identity)
    raise ValueError(
        f"{str(storage)!r} holds a search {study.study_name!r} {difference}. Go on with what it was started with, or give "
        "another storage file or study name."
    )


def _is_begun(study: Any) -> bool:
    """Whether somebody has noted anything in it but trials that wait."""
    return bool(study.user_attrs) or any(trial.state.is_finished() for trial in study.get_trials(deepcopy=False))


def _difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    name = next(name for name in here if there.get(name) != here[name])
    if name in _DIGESTED:
        return f"over other {name}"
    if name == "settings":
        return f"with other settings: {_differing(there.get(name, {}), here[name])}"
    return f"with another {name}: {there.get(name)!r} there, {here[name]!r} here"


def _differing(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    names = [name for name in {**there, **here} if there.get(name) != here.get(name)]
    return ", ".join(f"{name} is {there.get(name)!r} there and {here.get(name)!r} here" for name in names)


# ---- settings ------------------------------------------------------------------------------------


def _counts(name: str, space: Mapping[str, Any]) -> bool:
    return name not in space and name.rpartition("__")[2] not in _PASSING


def _plain(value: Any) -> Any:
    """A parameter as JSON can hold it; of an object with parameters of its own, which are listed beside it, the class."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if hasattr(value, "get_params"):
        return type(value).__name__
    return re.sub(r" at 0x[0-9A-Fa-f]+", "", repr(value))  # addresses differ from run to run


# ---- records -------------------------------------------------------------------------------------


def _events(X: IrregularPanel) -> list[Any]:
    return [X.offsets, X.time, X.channel, X.value, list(X.channels), X.time_unit]


def _queries(X: IrregularPanel) -> list[Any]:
    return [] if X.queries is None else [X.queries.offsets, X.queries.time, X.queries.channel]


def _groups(X: IrregularPanel) -> list[Any]:
    return [] if X.groups is None else [np.asarray(X.groups).tolist()]


def _outcomes(y: Any) -> list[Any]:
    return [y.value] if isinstance(y, Targets) else [np.asarray(y).tolist()]


_DIGESTED: dict[str, Callable[[TuningLesson], list[Any]]] = {
    "records": lambda lesson: [*_events(lesson.X), *_events(lesson.X_val)],
    "targets": lambda lesson: [*_outcomes(lesson.y), *_outcomes(lesson.y_val)],
    "queries": lambda lesson: [*_queries(lesson.X), *_queries(lesson.X_val)],
    "static features": lambda lesson: [X.static.to_csv(index=False) for X in (lesson.X, lesson.X_val)],
    "groups": lambda lesson: [*_groups(lesson.X), *_groups(lesson.X_val)],
}


def _digest(read: Callable[[TuningLesson], list[Any]], lesson: TuningLesson) -> str:
    digest = hashlib.sha256()
    for part in read(lesson):
        content = np.ascontiguousarray(part).tobytes() if isinstance(part, np.ndarray) else repr(part).encode()
        digest.update(f"{len(content)}:".encode() + content)
    return digest.hexdigest()[:16]
