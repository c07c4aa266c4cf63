"""Searches: what is tried, what is stopped early, what a file remembers."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from typer.testing import CliRunner

from cndts import Extrapolation, IrregularPanel, Queries, Targets
from cndts.cli import app
from cndts.datasets import make_icu, make_oscillators
from cndts.dynamics import Solver
from cndts.estimators import (
    ChannelMeanForecaster,
    HybridMemoryClassifier,
    HybridMemoryForecaster,
    HybridMemoryRegressor,
    IrregularForecaster,
    LinearInterpolationForecaster,
    RecordSummary,
    RidgeForecaster,
    default_space,
    tune,
)
from cndts.estimators._pruning import PruneTrial
from cndts.estimators._search_space import SPACES, check_space
from cndts.memory import Memory
from cndts.training import Training

optuna = pytest.importorskip("optuna", reason='searches need optuna: pip install "cndts[tune]"')

Pair = tuple[IrregularPanel, Targets]
DAMPING = {"damping_time": {"low": 0.01, "high": 100.0, "log": True}}


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Extrapolation(observe=6, horizon=2).split(make_oscillators(24, random_state=0))


def trend() -> LinearInterpolationForecaster:
    return LinearInterpolationForecaster("damped-trend", damping_time=1.0)


# ---- the search --------------------------------------------------------------------------------------


def test_the_best_trial_is_the_best(pair: Pair, tmp_path: Path) -> None:
    """Score and settings belong together, can be repeated, and are never worse than the start, which is the first trial."""
    X, y = pair
    result = tune(trend(), X[:16], y[:16], X_val=X[16:], y_val=y[16:], space=DAMPING, n_trials=8)
    scores = [trial["score"] for trial in result.trials]
    assert result.best_score == max(scores) >= result.default_score == scores[0]
    assert result.trials[0]["params"] == {"damping_time": 1.0}
    best = trend().set_params(**result.best_params).fit(X[:16], y[:16], X_val=X[16:], y_val=y[16:])
    assert best.score(X[16:], y[16:]) == pytest.approx(result.best_score)
    assert all(0.01 <= trial["params"]["damping_time"] <= 100 for trial in result.trials)
    frame = result.to_frame()
    assert frame["score"].is_monotonic_decreasing
    assert frame["damping_time"].iloc[0] == result.best_params["damping_time"]
    result.save(tmp_path / "found.json")
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["model"], found["n_complete"], found["best_params"]) == (
        "LinearInterpolationForecaster",
        8,
        result.best_params,
    )


def test_a_search_repeats(pair: Pair) -> None:
    """Same seed, same trials; another seed, others. Records are held out by group."""
    first, again, other = (tune(trend(), *pair, space=DAMPING, n_trials=4, random_state=seed) for seed in (0, 0, 1))
    draws = [[trial["params"]["damping_time"] for trial in result.trials] for result in (first, again, other)]
    assert draws[0] == draws[1]
    assert draws[0][0] == draws[2][0] == 1.0
    assert draws[0][1:] != draws[2][1:]


@pytest.mark.parametrize("name", ["search.journal", "search.db"])
def test_a_search_goes_on(pair: Pair, tmp_path: Path, name: str) -> None:
    """Trials of earlier runs count, are not repeated, and can win; nothing is run twice when all are done."""
    options = {"space": DAMPING, "storage": tmp_path / name}
    first = tune(trend(), *pair, n_trials=3, **options)
    both = tune(trend(), *pair, n_trials=5, **options)
    assert both.trials[:3] == first.trials
    assert len(both.trials) == 5
    draws = [trial["params"]["damping_time"] for trial in both.trials]
    assert len(set(draws)) == 5
    assert both.best_score == max(trial["score"] for trial in both.trials)
    assert tune(trend(), *pair, n_trials=4, **options).trials == both.trials


def test_a_file_holds_one_search(pair: Pair, tmp_path: Path) -> None:
    """Another model, setting, space or lesson is another search, unless it has another name."""
    X, y = pair
    path = tmp_path / "search.journal"
    X = IrregularPanel._trusted(X.with_static(pd.DataFrame({"age": np.arange(24.0)})), groups=np.arange(24))
    start = {"estimator": trend(), "X": X, "y": y, "X_val": X[18:], "y_val": y[18:], "space": DAMPING}
    tune(**start, n_trials=1, storage=path)
    later = Queries(y.offsets, y.time + 0.5, y.channel)
    asked = X.with_queries(queries=later), Targets(later, y.value, y.records, y.channels)
    for changed, what in (
        (
            {"estimator": RidgeForecaster()},
            "with another model: 'LinearInterpolationForecaster' there, 'RidgeForecaster'",
        ),
        ({"space": {"damping_time": {"low": 0.1, "high": 1.0}}}, "with another space"),
        (
            {"estimator": trend().set_params(extrapolation="last")},
            "with other settings: extrapolation is 'damped-trend' there and 'last' here",
        ),
        ({"X": X[:20], "y": y[:20]}, "over other records"),
        ({"y": y.with_values(y.value + 1)}, "over other targets"),
        ({"y_val": y[18:].with_values(y[18:].value + 1)}, "over other targets"),
        (dict(zip(("X", "y"), asked, strict=True)), "over other queries"),
        ({"X": X.with_static(X.static + 1)}, "over other static features"),
        ({"X": IrregularPanel._trusted(X, groups=np.arange(24) // 2)}, "over other groups"),
    ):
        options = start | changed
        if what.startswith("with another model"):
            options["space"] = {"features": ["own", "all"]}
        with pytest.raises(ValueError, match=f"search.journal' holds a search 'cndts' {what}"):
            tune(**options, n_trials=2, storage=path)
    other = tune(RidgeForecaster(), X, y, space={"features": ["own"]}, n_trials=1, storage=path, study="ridge")
    assert other.n_complete == 1
    for name, kind in (("notes.txt", "journal of optuna"), ("notes.db", "SQLite database")):
        (tmp_path / name).write_text("my notes\n")
        with pytest.raises(ValueError, match=f"{name}' is no {kind}"):
            tune(trend(), X, y, space=DAMPING, n_trials=1, storage=tmp_path / name)
        assert (tmp_path / name).read_text() == "my notes\n"
    with pytest.raises(FileNotFoundError, match="there is no folder '.*nowhere' for the storage file"):
        tune(trend(), X, y, space=DAMPING, n_trials=1, storage=tmp_path / "nowhere" / "s.db")


def test_settings_of_networks_are_held(pair: Pair, tmp_path: Path) -> None:
    """Defaults and settings objects are compared by value; where and how loudly a model is fitted may change."""
    path = tmp_path / "search.db"
    options = {"space": {"dropout": [0.1, 0.2]}, "storage": path}
    tune(network(epochs=1), *pair, n_trials=1, **options)
    same = network(epochs=1).set_params(memory=Memory(), training__n_jobs=1, verbose=0, device="cpu:0")
    assert tune(same, *pair, n_trials=1, progress=lambda result: None, prune=False, **options).n_complete == 1
    told = r"training__epochs is 1 there and 2 here, width is 8 there and 16 here"
    with pytest.raises(ValueError, match=f"search.db' holds a search 'cndts' with other settings: {told}"):
        tune(network(epochs=2).set_params(width=16), *pair, n_trials=2, **options)


def test_a_solver_left_open_is_no_default_solver(pair: Pair, tmp_path: Path) -> None:
    """The backbone decides what None means, so that a search begun with it goes on with it alone."""
    options = {"space": {"dropout": [0.1, 0.2]}, "storage": tmp_path / "search.db"}
    model = IrregularForecaster("latent-ode", width=4, training=Training(epochs=1, members=1), random_state=0)
    tune(model, *pair, n_trials=1, **options)
    with pytest.raises(ValueError, match="with other settings: solver is None there and 'Solver' here"):
        tune(clone(model).set_params(solver=Solver()), *pair, n_trials=2, **options)
    steps = tune(model, *pair, space={"solver__steps": [1, 2]}, n_trials=1)
    assert steps.default_score is None


@pytest.mark.parametrize("attributes", [{"model": "LinearInterpolationForecaster"}, {}], ids=["noted", "finished"])
def test_a_search_without_identity_is_refused(pair: Pair, tmp_path: Path, attributes: dict[str, str]) -> None:
    """Nobody knows with which settings its trials were run; trials that wait were not run with any."""
    path = tmp_path / "search.db"
    study = optuna.create_study(study_name="cndts", storage=f"sqlite:///{path}", direction="maximize")
    study.enqueue_trial({"damping_time": 3.0})
    for name, value in attributes.items():
        study.set_user_attr(name, value)
    if not attributes:
        other = optuna.create_study(study_name="other", storage=f"sqlite:///{path}", direction="maximize")
        other.enqueue_trial({"damping_time": 3.0})
        waiting = tune(trend(), *pair, space=DAMPING, n_trials=1, storage=path, study="other")
        assert waiting.best_params == {"damping_time": 3.0}
        study.optimize(lambda trial: trial.suggest_float("damping_time", 0.01, 100.0, log=True), n_trials=1)
    told = "holds a search 'cndts' that an earlier version, or another program, began. Go on with"
    with pytest.raises(ValueError, match=told):
        tune(trend(), *pair, space=DAMPING, n_trials=1, storage=path)


class Listener:
    """Stands in for a trial: hears the scores, and gives up after some epochs."""

    def __init__(self, patience: int) -> None:
        self.patience, self.heard = patience, []

    def report(self, score: float, step: int) -> None:
        self.heard.append((step, score))

    def should_prune(self) -> bool:
        return len(self.heard) >= self.patience


def network(epochs: int, members: int = 1) -> HybridMemoryForecaster:
    training = Training(epochs=epochs, members=members)
    return HybridMemoryForecaster(width=8, layers=1, training=training, random_state=0)


def test_epochs_of_the_first_member_are_reported(pair: Pair) -> None:
    """Every epoch's validation score reaches the trial; a hopeless fit ends at once and leaves nothing behind."""
    model, trial = network(epochs=2, members=2), Listener(patience=99)
    model._epoch_callbacks = (("prune", PruneTrial(trial)),)
    model.fit(*pair)
    history = model.fit_results_[0].history
    assert trial.heard == [(row["epoch"], row["valid_score"]) for row in history]
    hopeless = network(epochs=5)
    hopeless._epoch_callbacks = (("prune", PruneTrial(Listener(patience=1))),)
    with pytest.raises(optuna.TrialPruned, match="hopeless after epoch 1"):
        hopeless.fit(*pair)
    assert not hasattr(hopeless, "network_")


def test_hopeless_trials_stop_early(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial that the pruner gives up is counted as such, with the score it had; without pruning it runs to its end."""

    class Impatient(optuna.pruners.BasePruner):
        def prune(self, study: object, trial: optuna.trial.FrozenTrial) -> bool:
            return trial.number > 0

    monkeypatch.setattr(optuna.pruners, "MedianPruner", lambda **settings: Impatient())
    space = {"training__learning_rate": {"low": 1e-3, "high": 1e-2}}
    model = network(epochs=2)
    result = tune(model, *pair, space=space, n_trials=2)
    assert [trial["state"] for trial in result.trials] == ["complete", "pruned"]
    assert (result.n_complete, result.n_pruned) == (1, 1)
    assert np.isfinite(result.trials[1]["score"])
    assert result.trials[0]["epochs"] == [2]
    assert result.best_params == result.trials[0]["params"] == {"training__learning_rate": 2e-3}
    assert model.training.learning_rate == 2e-3
    assert not hasattr(model, "network_")
    assert tune(network(epochs=1), *pair, space=space, n_trials=2, prune=False).n_complete == 2


@pytest.mark.slow
def test_the_median_stops_one_hopeless_trial(pair: Pair, tmp_path: Path) -> None:
    """Of six trials the one that cannot learn is stopped by optuna's own rule, once four have shown what is usual."""
    path = tmp_path / "search.journal"
    kept = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    study = optuna.create_study(study_name="cndts", storage=kept, direction="maximize")
    for rate in (1e-2, 8e-3, 6e-3, 9e-3, 7e-3, 1e-7):
        study.enqueue_trial({"training__learning_rate": rate})
    space = {"training__learning_rate": {"low": 1e-7, "high": 1e-2, "log": True}}
    result = tune(network(epochs=8), *pair, space=space, n_trials=6, storage=path)
    assert [trial["state"] for trial in result.trials] == ["complete"] * 5 + ["pruned"]
    assert (result.n_complete, result.n_pruned, result.n_failed) == (5, 1, 0)
    hopeless = study.get_trials()[5]
    assert hopeless.params == {"training__learning_rate": pytest.approx(1e-7)}
    assert 3 <= max(hopeless.intermediate_values) < 8


# ---- whole records -----------------------------------------------------------------------------------

QUICK = {"width": 8, "training": Training(epochs=2, members=1), "random_state": 0}
RATES = {"training__learning_rate": {"low": 1e-3, "high": 1e-2}}


@pytest.fixture(scope="module")
def records() -> IrregularPanel:
    return make_oscillators(24, random_state=0)


def test_classifiers_are_scored_by_likelihood(records: IrregularPanel) -> None:
    """The score is the mean logarithm of what the model gave to the class that came; the first trial is the start."""
    late = np.where(np.arange(24) % 3, "late", "early")
    X, y, X_val, y_val = records[:16], late[:16].tolist(), records[16:], late[16:]
    result = tune(HybridMemoryClassifier(**QUICK), X, y, X_val=X_val, y_val=y_val, space=RATES, n_trials=2)
    model = HybridMemoryClassifier(**QUICK).fit(X, y, X_val=X_val, y_val=y_val)
    column = np.searchsorted(model.classes_, y_val)
    shares = model.predict_proba(X_val)[np.arange(8), column]
    assert result.default_score == pytest.approx(np.log(shares).mean(), rel=1e-5)
    assert result.trials[0]["epochs"] == [2]
    assert tune(HybridMemoryClassifier(**QUICK), records, late, n_trials=1).n_complete == 1


def test_labels_are_scored_one_by_one(records: IrregularPanel) -> None:
    """Labels that do not exclude each other count alike."""
    labels = np.column_stack([np.arange(24) % 2, np.arange(24) % 3 == 0]).astype(int)
    data = {"X_val": records[16:], "y_val": labels[16:]}
    result = tune(HybridMemoryClassifier(**QUICK), records[:16], labels[:16], **data, space=RATES, n_trials=1)
    shares = HybridMemoryClassifier(**QUICK).fit(records[:16], labels[:16], **data).predict_proba(records[16:])
    expected = np.log(np.where(labels[16:] == 1, shares, 1 - shares)).mean()
    assert result.best_score == pytest.approx(expected, rel=1e-5)


def test_regressors_are_searched_and_stopped(records: IrregularPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their own score; every epoch reaches the pruner, also where members would be fitted side by side."""
    y = np.arange(24.0)
    model = HybridMemoryRegressor(**QUICK).set_params(training__members=2, training__n_jobs=2)
    data = {"X_val": records[16:], "y_val": y[16:]}
    result = tune(model, records[:16], y[:16], **data, space=RATES, n_trials=1)
    assert result.best_score == pytest.approx(
        clone(model).fit(records[:16], y[:16], **data).score(records[16:], y[16:])
    )
    trial = Listener(patience=1)
    model._epoch_callbacks = (("prune", PruneTrial(trial)),)
    with pytest.raises(optuna.TrialPruned, match="hopeless after epoch 1"):
        model.fit(records, y)
    assert len(trial.heard) == 1


def test_outcomes_tell_searches_apart(records: IrregularPanel, tmp_path: Path) -> None:
    """Records are the same, what is asked of them is not."""
    options = {"space": RATES, "storage": tmp_path / "search.journal"}
    tune(HybridMemoryRegressor(**QUICK), records, np.arange(24.0), n_trials=1, **options)
    with pytest.raises(ValueError, match="holds a search 'cndts' over other (records|targets)"):
        tune(HybridMemoryRegressor(**QUICK), records, -np.arange(24.0), n_trials=1, **options)


def test_what_cannot_be_searched_is_told(records: IrregularPanel, pair: Pair) -> None:
    """Estimators without a score, targets for labels, and labels for targets."""
    with pytest.raises(TypeError, match="estimator must be a forecaster or interpolator .*; got RecordSummary. Search"):
        tune(RecordSummary(), records, np.zeros(24), space={"a": [1]})
    with pytest.raises(
        TypeError, match="y must hold one row per record of X; got Targets. Targets are for forecasters"
    ):
        tune(HybridMemoryClassifier(), *pair)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        tune(HybridMemoryClassifier(), records, [0, 1])
    with pytest.raises(TypeError, match="y must be Targets aligned with X.queries; got ndarray"):
        tune(trend(), pair[0], np.zeros(24), space=DAMPING)


def test_a_trial_that_fails_is_not_the_end(pair: Pair) -> None:
    """It is counted and its error kept; if all fail, the first error is told."""
    result = tune(trend(), *pair, space={"damping_time": [1.0, -1.0]}, n_trials=6)
    assert result.n_failed + result.n_complete == 6
    assert result.n_failed >= 1
    failed = [trial for trial in result.trials if trial["state"] == "fail"]
    assert "damping_time must be positive" in failed[0]["error"]
    with pytest.raises(
        ValueError, match="no trial was finished of 2; the first failed with ValueError: damping_time must be"
    ):
        tune(trend(), *pair, space={"damping_time": [-1.0]}, n_trials=2)


# ---- spaces ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(SPACES))
def test_default_spaces_hold_real_parameters(name: str) -> None:
    """Every name and bound is one that the estimator takes."""
    import cndts.estimators

    estimator = getattr(cndts.estimators, name)()
    space = default_space(estimator)
    assert check_space(space, estimator) == space
    space.clear()
    assert default_space(estimator)


@pytest.mark.parametrize(
    ("space", "text"),
    [
        ({}, "space is empty, so there is nothing to search"),
        ({"features": []}, r"space\['features'\] must be a list of choices, or a range"),
        ({"features": "own"}, "must be a list of choices, or a range"),
        ({"features": {"low": 1, "high": 0}}, "must be a list of choices, or a range"),
        ({"features": {"low": 0, "high": 1, "log": True}}, "must be a list of choices, or a range"),
        ({"features": {"low": 0, "high": 1, "base": 2}}, "must be a list of choices, or a range"),
        ({"featurs": ["own"]}, "Invalid parameter 'featurs'"),
    ],
)
def test_spaces_are_checked(pair: Pair, space: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        tune(RidgeForecaster(), *pair, space=space, n_trials=1)


def test_errors(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = pair
    with pytest.raises(ValueError, match="there is no default search space for ChannelMeanForecaster"):
        tune(ChannelMeanForecaster(), X, y)
    with pytest.raises(ValueError, match="n_trials must be 1 or more; got 0"):
        tune(trend(), X, y, space=DAMPING, n_trials=0)
    with pytest.raises(ValueError, match="X_val and y_val go together; got only X_val"):
        tune(trend(), X, y, X_val=X, space=DAMPING)
    with pytest.raises(ValueError, match="X has 2 records, too few to score on 0.2 of them"):
        tune(trend(), X[:2], y[:2], space=DAMPING)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r'tune needs optuna: pip install "cndts\[tune\]"'):
        tune(trend(), X, y, space=DAMPING)


# ---- the command -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tune") / "events.csv"
    make_icu(20, density=0.3, random_state=0).to_long().to_csv(path, index=False)
    return path


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})


def test_the_command_prints_the_best_settings(events: Path, tmp_path: Path) -> None:
    """A table, and options that `cndts fit` takes as they are; JSON with everything; a second run goes on."""
    storage = tmp_path / "search.journal"
    options = ("tune", events, "--model", "linear-interpolation", "--storage", storage)
    result = run(*options, "--trials", 2)
    assert result.exit_code == 0, result.output
    assert "linear-interpolation: 2 trials complete, 0 stopped early, 0 failed" in result.stdout
    line = next(line for line in result.stdout.splitlines() if line.startswith("for cndts fit: "))
    fitted = run("fit", events, "--out", tmp_path / "m.cndts", *line.removeprefix("for cndts fit: ").split())
    assert fitted.exit_code == 0, fitted.output
    found = json.loads(run(*options, "--trials", 3, "--json").stdout)
    assert [trial["number"] for trial in found["trials"]] == [0, 1, 2]
    assert found["best_params"]["extrapolation"] in ("last", "damped-trend")


def test_the_command_takes_a_space_of_its_own(events: Path, tmp_path: Path) -> None:
    """From JSON; what is held fixed is not searched; what is wrong is one line."""
    space = tmp_path / "space.json"
    space.write_text(json.dumps({"features": ["own", "all"], "penalties": [None]}))
    found = json.loads(
        run(
            "tune", events, "--model", "ridge", "--trials", 1, "--space", space, "--set", "features=last", "--json"
        ).stdout
    )
    assert found["space"] == {"penalties": [None]}
    for content, text in (("[1]", "must hold an object"), ("{", "is no JSON")):
        space.write_text(content)
        result = run("tune", events, "--model", "ridge", "--space", space)
        assert result.exit_code == 1
        assert text in result.stderr
    assert "there is no file" in run("tune", events, "--model", "ridge", "--space", tmp_path / "none").stderr
    assert "--validation is a share between 0 and 1" in run("tune", events, "--validation", 1).stderr


# ---- other models on the command line ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("ridge", []),
        ("boosted-trees", ["--set", "max_iter=5", "--calibration", "0.3"]),
        ("linear-interpolator", ["--observed", "0.6"]),
        ("gru-d", ["--set", "width=8", "--epochs", "1", "--set", "training__members=1"]),
    ],
)
def test_any_model_is_saved_and_read(events: Path, tmp_path: Path, model: str, options: list[str]) -> None:
    """Fit, predict and evaluate go through one file, whatever is in it."""
    path = tmp_path / "model.cndts"
    fitted = run("fit", events, "--out", path, "--model", model, *options, "--json")
    assert fitted.exit_code == 0, fitted.output
    assert (json.loads(fitted.stdout)["calibration_records"] > 0) == ("--calibration" in options)
    predicted = run("predict", path, events, "--times", "20,50", "--channels", "HR", "--out", tmp_path / "out.csv")
    assert predicted.exit_code == 0, predicted.output
    frame = pd.read_csv(tmp_path / "out.csv")
    assert len(frame) == 40
    assert (frame["lower"] <= frame["upper"]).all()
    evaluated = run("evaluate", path, events, "--json")
    assert evaluated.exit_code == 0, evaluated.output
    assert np.isfinite(json.loads(evaluated.stdout)["skill"])


def test_a_model_of_records_forecasts_nothing(events: Path, tmp_path: Path) -> None:
    RecordSummary().fit(make_icu(3, random_state=0)).save(tmp_path / "summary.cndts")
    result = run("predict", tmp_path / "summary.cndts", events)
    assert result.exit_code == 1
    assert "holds a RecordSummary, which forecasts no events" in result.stderr
