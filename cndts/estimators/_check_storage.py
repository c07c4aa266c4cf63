"""Checks of what becomes of an estimator and its input between memory, processes and files."""

import copy
import pickle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import KFold, cross_validate
from sklearn.utils.parallel import Parallel, delayed

from cndts.estimators._check_lesson import Answers, CheckLesson, answers_of
from cndts.estimators._check_statements import ATOL, RTOL, must, same
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.targets import Targets


def check_copy(lesson: CheckLesson) -> None:
    """A deep copy of a fitted estimator says the same."""
    same(answers_of(copy.deepcopy(lesson.fitted), lesson.X), lesson.answers, "copied")


def check_pickle(lesson: CheckLesson) -> None:
    """A fitted estimator that was pickled says the same to the last bit; an unfitted one keeps its parameters."""
    # bytes that were written a line before, and no file of anyone
    again = pickle.loads(pickle.dumps(lesson.fitted))
    for method, rows in answers_of(again, lesson.X).items():
        for i, (one, other) in enumerate(zip(rows, lesson.answers[method], strict=True)):
            assert_array_equal(one, other, err_msg=f"{method} of record {i}, pickled")
    unfitted = pickle.loads(pickle.dumps(lesson.estimator))
    must(repr(unfitted) == repr(lesson.estimator), f"pickled, {lesson.estimator!r} became {unfitted!r}")


def check_pickle_unfitted(lesson: CheckLesson) -> None:
    """An estimator that was pickled before it is fitted learns what the original learns."""
    unfitted = pickle.loads(pickle.dumps(lesson.estimator))
    same(fit_and_answer(unfitted, lesson.X, lesson.y), lesson.answers, "pickled and then fitted")


def check_inputs_stay(lesson: CheckLesson) -> None:
    """Fit and answers leave panel and targets as they were."""
    X, y = copy.deepcopy(lesson.X), copy.deepcopy(lesson.y)
    answers_of(lesson.fit(), lesson.X)
    must(lesson.X.equals(X), "the panel was changed")
    if y is not None:
        assert_array_equal(np.asarray(lesson.y), np.asarray(y), err_msg="the targets were changed")


def check_read_only_input(lesson: CheckLesson) -> None:
    """Arrays that are mapped from a file and refuse writes, as joblib hands them to its workers, do as well."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        mapped = _Mapped(Path(folder))
        X, y = mapped.panel(lesson.X), mapped.outcomes(lesson.y)
        found = fit_and_answer(clone(lesson.estimator), X, y)
        must(X.equals(lesson.X), "the panel was changed, though its arrays are read-only")
        same(found, lesson.answers, "with arrays mapped from a file")
        del X, y  # before their files go


def check_worker_processes(lesson: CheckLesson) -> None:
    """Two worker processes find what one process finds."""
    if hasattr(lesson.estimator, "score"):
        one, two = (_cross_validate(lesson, n_jobs=n_jobs) for n_jobs in (1, 2))
        assert_allclose(two, one, rtol=RTOL, atol=ATOL, err_msg="cross_validate(n_jobs=2)")
    else:
        tasks = (delayed(fit_and_answer)(clone(lesson.estimator), lesson.X, lesson.y) for _ in range(2))
        for found in Parallel(n_jobs=2)(tasks):
            same(found, lesson.answers, "fitted in a worker process")


def fit_and_answer(model: Any, X: IrregularPanel, y: Any) -> Answers:
    """Fit, and say what the fitted model says of the training records."""
    return answers_of(model.fit(X) if y is None else model.fit(X, y), X)


def _cross_validate(lesson: CheckLesson, n_jobs: int) -> Any:
    cv = KFold(2, shuffle=True, random_state=0)
    found = cross_validate(lesson.estimator, lesson.X, lesson.y, cv=cv, n_jobs=n_jobs, error_score="raise")
    return found["test_score"]


class _Mapped:
    """Moves arrays to files of a folder and maps them back without the right to write."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.n_files = folder, 0

    def panel(self, X: IrregularPanel) -> IrregularPanel:
        """The panel on mapped arrays."""
        fields = {name: self._array(getattr(X, name)) for name in ("offsets", "time", "channel", "value")}
        queries = None if X.queries is None else self._queries(X.queries)
        return IrregularPanel._trusted(X, **fields, queries=queries)

    def outcomes(self, y: Any) -> Any:
        """Targets, or an array, likewise."""
        if isinstance(y, Targets):
            return Targets(self._queries(y.queries), self._array(y.value), y.records, y.channels)
        return None if y is None else self._array(y)

    def _queries(self, queries: Queries) -> Queries:
        return Queries(*(self._array(getattr(queries, name)) for name in ("offsets", "time", "channel")))

    def _array(self, array: NDArray) -> NDArray:
        path = self.folder / f"{self.n_files}.npy"
        self.n_files += 1
        np.save(path, array)
        # "c", as a write past numpy to a map of mode "r" would end the process and not the check
        mapped = np.load(path, mmap_mode="c")
        mapped.flags.writeable = False
        return mapped
