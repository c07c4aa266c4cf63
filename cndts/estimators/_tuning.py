"""Search for settings with optuna."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from cndts.estimators._base import BaseForecaster
from cndts.estimators._search_space import check_space, default_space, is_inside, suggest
from cndts.estimators._tuning_identity import check_identity, search_identity, settled
from cndts.estimators._tuning_lesson import TuningLesson, check_estimator, read_lesson, trial_score
from cndts.estimators._tuning_result import TuningResult
from cndts.panel import IrregularPanel
from cndts.targets import Targets

if TYPE_CHECKING:
    from cndts.estimators._neural_record_estimator import NeuralRecordEstimator

_DATABASES = (".db", ".sqlite", ".sqlite3")


def tune(
    estimator: BaseForecaster | NeuralRecordEstimator,
    X: IrregularPanel,
    y: Targets | ArrayLike,
    *,
    X_val: IrregularPanel | None = None,
    y_val: Targets | ArrayLike | None = None,
    space: Mapping[str, Any] | None = None,
    n_trials: int = 30,
    timeout: float | None = None,
    storage: str | os.PathLike[str] | None = None,
    study: str = "cndts",
    prune: bool = True,
    validation_fraction: float = 0.2,
    random_state: int = 0,
    progress: Callable[[TuningResult], None] | None = None,
) -> TuningResult:
    """Search the settings of a forecaster, interpolator, classifier or regressor (needs optuna: ``pip install "cndts[tune]"``).

    Trials are drawn by the tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011) and scored on the validation
    records: by ``score``, of a classifier by the mean log-likelihood of the classes, or labels, that were observed (accuracy
    would say nothing where one class is rare). The first trial is the estimator as given, where its settings lie inside the space. Neural models report their
    validation score after every epoch of their first member; one that lies below the median of the earlier trials at the
    same epoch is stopped (Golovin et al., KDD 2017, section 3.2.2).

    Parameters
    ----------
    estimator : BaseForecaster, HybridMemoryClassifier or HybridMemoryRegressor
        Unfitted; whatever is not in ``space`` stays as it is here.
    X : IrregularPanel of n_records
        Training records.
    y : Targets of n_records, or array-like of shape (n_records,) or (n_records, n_outputs)
        What ``fit`` takes.
    X_val, y_val : as X and y, optional
        Records that trials are scored on, and that also choose the epoch of neural models; a share of ``X`` by default, whole
        groups together, or in proportion to the classes.
    space : mapping, optional
        Parameter to a list of choices, or to a range: ``{"low": 1e-4, "high": 1e-2, "log": True}``, of whole numbers where both
        ends are (``"step"`` as well). `default_space` by default.
    n_trials : int, default=30
        Trials in all, those of earlier runs in ``storage`` included.
    timeout : float, optional
        Seconds after which no further trial starts.
    storage : path-like, optional
        File that keeps every trial, to go on after an interruption: an SQLite database where the name ends in ``.db``, ``.sqlite``
        or ``.sqlite3``, else optuna's journal (plain text, one line an event). It goes on with the search that it holds: the same
        estimator and parameters (but for ``device``, ``n_jobs`` and ``verbose``), space, records, targets, queries, static
        features and groups.
    study : str, default="cndts"
        Name of the search in the file.
    prune : bool, default=True
        Whether to stop hopeless trials of neural models early.
    validation_fraction : float, default=0.2
        Share of the records to score on, where ``X_val`` is not given.
    random_state : int, default=0
        Seed of the split and of the draws. The estimator has its own.
    progress : callable, optional
        Called with the result so far after every trial.

    Returns
    -------
    TuningResult
        ``estimator.set_params(**result.best_params)`` is the best found.

    Raises
    ------
    ImportError
        If optuna is not installed.
    TypeError
        If the estimator is of another kind, or ``X`` or ``y`` do not suit it.
    ValueError
        If ``space`` does not suit the estimator, if the file holds another search, or if no trial was finished.

    Examples
    --------
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_oscillators
    >>> from cndts.estimators import LinearInterpolationForecaster
    >>> X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(30, random_state=0))
    >>> result = tune(LinearInterpolationForecaster(), X, y, n_trials=2)
    >>> sorted(result.best_params), result.n_complete
    (['extrapolation'], 2)
    """
    optuna = _optuna()
    if n_trials < 1:
        raise ValueError(f"n_trials must be 1 or more; got {n_trials!r}.")
    check_estimator(estimator)
    space = check_space(default_space(estimator) if space is None else space, estimator)
    lesson = read_lesson(estimator, X, y, X_val, y_val, validation_fraction, random_state)
    identity = search_identity(estimator, space, lesson)
    with _quiet(optuna):
        found = _open(optuna, storage, study, prune, random_state)
        check_identity(found, identity, storage)
        _start_with_the_default(found, estimator, space)

        def objective(trial: Any) -> float:
            model = clone(estimator).set_params(**{name: suggest(trial, name, entry) for name, entry in space.items()})
            return _score(optuna, trial, model, lesson, prune)

        def report(*_: object) -> None:
            if progress is not None and _complete(optuna, found):
                progress(_result(optuna, found, identity))

        left = n_trials - sum(trial.state.is_finished() for trial in found.get_trials(deepcopy=False))
        if left > 0:
            # a trial that diverges or does not fit its records is a failed one, not the end of the search
            catch = (FloatingPointError, ValueError)
            found.optimize(objective, n_trials=left, timeout=timeout, catch=catch, callbacks=[report])
        return _result(optuna, found, identity)


# ---- a trial -------------------------------------------------------------------------------------


def _score(optuna: Any, trial: Any, model: Any, lesson: TuningLesson, prune: bool) -> float:
    X, y, X_val, y_val = lesson
    start = time.perf_counter()
    if prune and hasattr(model, "_epoch_callbacks"):
        from cndts.estimators._pruning import PruneTrial

        model._epoch_callbacks = (("prune", PruneTrial(trial)),)
    try:
        model.fit(X, y, X_val=X_val, y_val=y_val)
        score = trial_score(model, X_val, y_val)
    except optuna.TrialPruned:
        raise
    except Exception as error:
        trial.set_user_attr("error", f"{type(error).__name__}: {error}")
        raise
    finally:
        trial.set_user_attr("seconds", time.perf_counter() - start)
        vars(model).pop("_epoch_callbacks", None)
    if hasattr(model, "fit_results_"):
        trial.set_user_attr("epochs", [result.n_epochs for result in model.fit_results_])
    if np.isnan(score):
        raise ValueError("the score on the validation records is NaN: none of their channels varies.")
    return score


def _complete(optuna: Any, study: Any) -> list[Any]:
    return study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))


def _result(optuna: Any, study: Any, identity: dict[str, Any]) -> TuningResult:
    states = optuna.trial.TrialState
    trials, complete = study.get_trials(deepcopy=False), _complete(optuna, study)
    if not complete:
        errors = [trial.user_attrs.get("error", "no reason given") for trial in trials if trial.state == states.FAIL]
        raise ValueError(
            f"no trial was finished of {len(trials)}" + (f"; the first failed with {errors[0]}" if errors else ".")
        )
    best = max(complete, key=lambda trial: trial.value)
    default = [trial.value for trial in complete if trial.number == 0 and "default" in trial.user_attrs]
    return TuningResult(
        model=identity["model"],
        best_params=dict(best.params),
        best_score=best.value,
        default_score=default[0] if default else None,
        n_complete=len(complete),
        n_pruned=sum(trial.state == states.PRUNED for trial in trials),
        n_failed=sum(trial.state == states.FAIL for trial in trials),
        trials=[_line(trial) for trial in trials],
        space=identity["space"],
    )


def _line(trial: Any) -> dict[str, Any]:
    about = {
        "number": trial.number,
        "state": trial.state.name.lower(),
        "score": trial.value,
        "params": dict(trial.params),
    }
    if trial.value is None and trial.intermediate_values:
        about["score"] = trial.intermediate_values[max(trial.intermediate_values)]
    return about | {name: trial.user_attrs.get(name) for name in ("seconds", "epochs", "error")}


# ---- the study -----------------------------------------------------------------------------------


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise ImportError('tune needs optuna: pip install "cndts[tune]"') from error
    return optuna


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Without optuna's lines on stderr, and its remarks on what it still tries out."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(level)


def _open(optuna: Any, storage: str | os.PathLike[str] | None, name: str, prune: bool, seed: int) -> Any:
    kept: Any = None
    if storage is not None:
        path = Path(storage)
        if not path.absolute().parent.is_dir():
            raise FileNotFoundError(f"there is no folder {str(path.parent)!r} for the storage file; make it first.")
        _check_storage(path)
        if path.suffix in _DATABASES:
            kept = f"sqlite:///{path}"
        else:
            kept = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    pruner = optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=3) if prune else optuna.pruners.NopPruner()
    study = optuna.create_study(study_name=name, storage=kept, direction="maximize", load_if_exists=True, pruner=pruner)
    # a resumed search must not draw again what it has drawn
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.get_trials(deepcopy=False)))
    return study


def _check_storage(path: Path) -> None:
    """Refuse a file that is something else, before anything is written to it."""
    start = b""
    if path.is_file():
        with path.open("rb") as file:
            start = file.readline(4096)
    is_database = path.suffix in _DATABASES
    if start and not (start.startswith(b"SQLite format 3") if is_database else start.startswith(b'{"op_code"')):
        raise ValueError(
            f"{str(path)!r} is no {'SQLite database' if is_database else 'journal of optuna'}, and searches are kept in nothing "
            "else. Name another file."
        )


def _start_with_the_default(study: Any, estimator: Any, space: Mapping[str, Any]) -> None:
    if study.get_trials(deepcopy=False):
        return
    own = settled(estimator)
    if all(name in own and is_inside(own[name], entry) for name, entry in space.items()):
        study.enqueue_trial({name: own[name] for name in space}, user_attrs={"default": True})
