"""Classifiers of records in a benchmark: they run where targets are labels, and nowhere else."""

import io
import json

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import roc_auc_score

from cndts import IrregularPanel, protocol
from cndts.benchmarking import BenchmarkResult, available_classifiers, available_models, make_model, run_benchmark
from cndts.benchmarking._classifiers import CLASSIFIERS, LabelModel, check_asks_for_labels, make_label_model
from cndts.benchmarking._known_columns import KnownColumns
from cndts.cli._benchmark_tables import print_result
from cndts.protocols import ProtocolSplit

MORTALITY = "latent-ode/physionet2012-mortality"
SMALL = {"training__epochs": 1, "training__members": 1, "width": 8}
SETTINGS = {
    "hybrid-memory-classifier": SMALL,
    "boosted-trees-classifier": {"trees__max_iter": 10},
    "vote-classifier": {f"network__{name}": value for name, value in SMALL.items()} | {"trees__trees__max_iter": 10},
}


@pytest.fixture(scope="module")
def panel(panels) -> IrregularPanel:
    """Stays whose label is told by a channel, so that there is something to learn."""
    stays = panels.stays(150)
    rate = [stays[i : i + 1].value[stays[i : i + 1].channel == 0].mean() for i in range(len(stays))]
    label = (np.nan_to_num(rate, nan=0.0) > np.nanmedian(rate)).astype(float)
    return stays.with_outcomes(stays.outcomes.assign(**{"In-hospital_death": label}))


@pytest.fixture(scope="module")
def split(panel: IrregularPanel) -> ProtocolSplit:
    return protocol(MORTALITY).split(panel)


@pytest.fixture(scope="module")
def result(panel: IrregularPanel) -> BenchmarkResult:
    return run_benchmark(
        MORTALITY, panel, [*available_classifiers(), "channel-mean"], settings=SETTINGS, threads=1, n_resamples=5
    )


def test_every_classifier_has_areas(result: BenchmarkResult) -> None:
    """Trees see what tells the labels; what needs quantiles is absent from classifiers alone."""
    runs = {run["model"]: run for run in result.runs}
    assert list(runs) == [*available_classifiers(), "channel-mean"]
    assert runs["boosted-trees-classifier"]["auroc"] > 0.75
    for name in available_classifiers():
        assert 0 <= runs[name]["auroc"] <= 1
        assert 0 <= runs[name]["mse"] < 1
        assert not {"crps", "coverage_90", "width_90"} & set(runs[name])
    assert "coverage_90" in runs["channel-mean"]


def test_areas_are_those_of_a_fit_in_this_process(result: BenchmarkResult, split: ProtocolSplit) -> None:
    """The other process sees the same labels, and trees nothing of the validation part."""
    (X, y), (X_test, y_test) = split.train, split.test
    trees = make_label_model("boosted-trees-classifier", **SETTINGS["boosted-trees-classifier"]).classifier
    chance = trees.fit(X.without_queries(), np.asarray(y)).predict_proba(X_test.without_queries())[:, 1]
    there = next(run for run in result.runs if run["model"] == "boosted-trees-classifier")
    assert there["auroc"] == pytest.approx(roc_auc_score(np.asarray(y_test), chance))


def test_tables_and_json_cope_with_absent_scores(result: BenchmarkResult, tmp_path) -> None:
    """Cells are empty, columns that nobody fills are left out, and no word is nan."""
    console = Console(file=io.StringIO(), width=80)
    print_result(result, console)
    text = console.file.getvalue()
    assert "nan" not in text
    assert "AUROC" in text
    assert "skill" not in text.partition("minus another model")[0]  # 30 test stays are too few
    result.save(tmp_path / "result.json")
    assert "crps" not in json.loads((tmp_path / "result.json").read_text())["runs"][0]


def test_classifiers_alone(panel: IrregularPanel) -> None:
    """The summary has no column that no model has."""
    name = "boosted-trees-classifier"
    found = run_benchmark(MORTALITY, panel, [name], settings={name: SETTINGS[name]}, threads=1, n_resamples=5)
    scores = set(found.summary().columns.get_level_values(0))
    assert {"auroc", "auprc", "mse", "fit_seconds"} <= scores
    assert not {"crps", "coverage_90"} & scores


def test_validation_labels_reach_those_who_take_them(split: ProtocolSplit) -> None:
    """As integers, without queries."""
    seen = {}

    class Sees:
        classes_ = (0, 1)

        def fit(self, X, y, X_val=None, y_val=None):
            seen.update(X=X, y=y, X_val=X_val, y_val=y_val)

    LabelModel(Sees()).fit(*split.train, *split.validation)
    assert seen["y"].tolist() == np.asarray(split.train[1]).tolist()
    assert seen["y_val"].tolist() == np.asarray(split.validation[1]).tolist()
    assert seen["y"].dtype == np.int64
    assert seen["X"].queries is seen["X_val"].queries is None


@pytest.mark.parametrize(("classes", "chance"), [((0, 1), 0.25), ((1, 0), 0.75), ((0,), 0.0)])
def test_probability_is_that_of_label_one(split: ProtocolSplit, classes: tuple[int, ...], chance: float) -> None:
    """Wherever its column is; none is surely no label 1."""

    class Says:
        classes_ = classes

        def predict_proba(self, X):
            return np.tile([0.75, 0.25][: len(classes)], (len(X), 1))

    np.testing.assert_array_equal(LabelModel(Says()).predict(split.test[0]), chance)


@pytest.mark.parametrize("name", available_classifiers())
def test_the_seed_reaches_all_parts(name: str) -> None:
    """Networks, trees and the members of a vote."""
    parameters = make_label_model(name, random_state=7).get_params()
    seeds = {value for parameter, value in parameters.items() if parameter.rpartition("__")[2] == "random_state"}
    assert seeds == {7}


def test_labels_are_told_from_values(split: ProtocolSplit, panel: IrregularPanel) -> None:
    """One target a record, each 0 or 1; otherwise a classifier has nothing to learn, and the message says what does."""
    check_asks_for_labels(["hybrid-memory-classifier"], MORTALITY, split)
    X, y = split.train
    half = ProtocolSplit(**vars(split) | {"train": (X, y.with_values(y.value / 2))})
    with pytest.raises(ValueError, match=r"tells 0 from 1, once for each record; P asks for 96 values of 96 training"):
        check_asks_for_labels(["hybrid-memory-classifier"], "P", half)
    check_asks_for_labels(["ridge"], "P", half)
    with pytest.raises(ValueError, match=r"vote-classifier tells 0 from 1.*`cndts info` lists them"):
        run_benchmark("mtan/physionet2012", panel, ["ridge", "vote-classifier"])


def test_classifiers_are_no_forecasters() -> None:
    """No name means two things; elsewhere the message says where a classifier is taken."""
    assert not set(available_models()) & set(CLASSIFIERS)
    with pytest.raises(ValueError, match=r"forecasts no values; `cndts benchmark` takes it under protocols of labels"):
        make_model("vote-classifier")
    with pytest.raises(ValueError, match=r"there is no model 'x'; .* for protocols of labels hybrid-memory-classifier"):
        run_benchmark(MORTALITY, None, ["x"])


def test_columns_without_a_value_are_left_out() -> None:
    """Those of training decide."""
    columns = KnownColumns().fit(np.array([[1.0, np.nan, np.nan], [np.nan, np.nan, 2.0]]))
    np.testing.assert_array_equal(columns.transform(np.array([[3.0, 4.0, np.nan]])), [[3.0, np.nan]])
