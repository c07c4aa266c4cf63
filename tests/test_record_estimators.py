"""Estimators of whole records as scikit-learn and users meet them."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_predict

from cndts import IrregularPanel
from cndts.estimators import HybridMemoryClassifier, HybridMemoryRegressor, load_estimator
from cndts.memory import Memory
from cndts.training import Training

N_RECORDS, N_EVENTS = 40, 10
ONCE = Training(epochs=1, batch_size=20, members=1)
LEARNING = Training(epochs=25, batch_size=10, learning_rate=2e-2, members=1, cut_share=0.25, averaging=0.9)
MEMORY = Memory(timescales=2, window=2, episodic_slots=0)
KINDS = {"classifier": HybridMemoryClassifier, "regressor": HybridMemoryRegressor}


def panel(n_records: int = N_RECORDS, seed: int = 0, **fields: Any) -> IrregularPanel:
    """Two channels at irregular times; the level of the second differs between records."""
    rng = np.random.default_rng(seed)
    level = rng.normal(size=(n_records, 1))
    time = np.sort(rng.uniform(0, 10, (n_records, N_EVENTS)), axis=1)
    channel = rng.integers(0, 2, time.shape)
    value = np.where(channel == 1, level, 0) + 0.1 * rng.normal(size=time.shape)
    offsets = N_EVENTS * np.arange(n_records + 1)
    static = pd.DataFrame({"age": 50 + 10 * rng.normal(size=n_records), "ward": np.resize(["a", "b"], n_records)})
    given = {"static": static, "channels": ["flat", "level"]} | fields
    return IrregularPanel(offsets, time.ravel(), channel.ravel(), value.ravel(), **given)


def levels(X: IrregularPanel) -> np.ndarray:
    """Mean of the second channel of each record."""
    told = X.channel == 1
    total = np.bincount(X.record[told], X.value[told], len(X))
    return total / np.maximum(np.bincount(X.record[told], minlength=len(X)), 1)


def labels(X: IrregularPanel) -> np.ndarray:
    return np.where(levels(X) > 0, "high", "low")


def small(kind: str = "classifier", **options: Any) -> Any:
    given = {"training": ONCE, "memory": MEMORY, "width": 4, "layers": 1, "random_state": 0} | options
    return KINDS[kind](**given)


@pytest.fixture(scope="module")
def X() -> IrregularPanel:
    return panel()


@pytest.fixture(scope="module")
def classifier(X: IrregularPanel) -> HybridMemoryClassifier:
    """Fitted for long enough to know something."""
    return small(training=LEARNING, width=8, dropout=0.0).fit(X, labels(X))


@pytest.fixture(scope="module")
def regressor(X: IrregularPanel) -> HybridMemoryRegressor:
    return small("regressor", training=LEARNING, width=8, dropout=0.0).fit(X, 100 + 10 * levels(X))


class TestClassifier:
    """Classes and labels."""

    def test_learns(self, classifier: HybridMemoryClassifier) -> None:
        fresh = panel(seed=1)
        assert roc_auc_score(labels(fresh) == "low", classifier.predict_proba(fresh)[:, 1]) > 0.9

    def test_answers_agree(self, classifier: HybridMemoryClassifier, X: IrregularPanel) -> None:
        probability, odds = classifier.predict_proba(X), classifier.decision_function(X)
        assert classifier.classes_.tolist() == ["high", "low"] and probability.shape == (N_RECORDS, 2)
        np.testing.assert_allclose(probability.sum(axis=1), 1)
        np.testing.assert_allclose(np.log(probability), classifier.predict_log_proba(X), atol=1e-6)
        np.testing.assert_allclose(odds, np.log(probability[:, 1] / probability[:, 0]), atol=1e-5)
        assert (classifier.predict(X) == np.where(odds > 0, "low", "high")).all()

    def test_more_than_two_classes(self, X: IrregularPanel) -> None:
        y = np.resize([3, 5, 9], N_RECORDS)
        model = small().fit(X, y)
        assert model.classes_.tolist() == [3, 5, 9] and model.predict_proba(X).shape == (N_RECORDS, 3)
        assert (model.predict(X) == model.classes_[model.decision_function(X).argmax(axis=1)]).all()

    def test_several_labels(self, X: IrregularPanel) -> None:
        y = np.stack([levels(X) > 0, levels(X) > 1, np.arange(N_RECORDS) % 2 == 0], axis=1).astype(int)
        model = small(class_weight="balanced").fit(X, y)
        probability = model.predict_proba(X)
        assert probability.shape == y.shape and not np.allclose(probability.sum(axis=1), 1)
        assert (model.predict(X) == (probability > 0.5)).all() and model.classes_.tolist() == [0, 1, 2]

    @pytest.mark.parametrize("class_weight", ["balanced", {"high": 1.0, "low": 3.0}])
    def test_class_weights_are_weights_of_records(self, X: IrregularPanel, class_weight: Any) -> None:
        y = np.where(levels(X) > 0.5, "high", "low")
        share = {name: N_RECORDS / (2 * (y == name).sum()) for name in ("high", "low")}
        by_name = share if class_weight == "balanced" else class_weight
        given = np.array([by_name[name] for name in y])
        # validation records have no weights of their own, so none are held out
        quick = Training(epochs=1, batch_size=20, members=1, validation_fraction=0.0)
        by_class = small(class_weight=class_weight, training=quick).fit(X, y)
        by_record = small(training=quick).fit(X, y, sample_weight=given)
        np.testing.assert_allclose(by_class.predict_proba(X), by_record.predict_proba(X), rtol=1e-6)
        assert not np.allclose(by_class.predict_proba(X), small(training=quick).fit(X, y).predict_proba(X))

    def test_one_class_is_refused(self, X: IrregularPanel) -> None:
        with pytest.raises(
            ValueError, match=r"y holds one class, 'low', for all 40 records; a classifier needs at least"
        ):
            small().fit(X, ["low"] * N_RECORDS)

    def test_unknown_class_in_validation(self, X: IrregularPanel) -> None:
        with pytest.raises(ValueError, match=r"y_val holds classes that y does not hold: \['middle'\]; known: "):
            small().fit(X, labels(X), X_val=X[:2], y_val=["middle", "low"])

    def test_other_labels_in_validation(self, X: IrregularPanel) -> None:
        y = np.eye(2, dtype=int)[np.arange(N_RECORDS) % 2]
        with pytest.raises(ValueError, match="y_val has 3 labels, y has 2; give the same columns"):
            small().fit(X, y, X_val=X[:2], y_val=np.ones((2, 3), dtype=int))


class TestRegressor:
    """Numbers with intervals."""

    def test_learns(self, regressor: HybridMemoryRegressor) -> None:
        fresh = panel(seed=1)
        assert regressor.score(fresh, 100 + 10 * levels(fresh)) > 0.7

    def test_quantiles_rise_whatever_their_order(self, regressor: HybridMemoryRegressor, X: IrregularPanel) -> None:
        low, high, middle = regressor.predict_quantiles(X, [0.1, 0.9, 0.5]).T
        assert (low < middle).all() and (middle < high).all()
        np.testing.assert_array_equal(regressor.predict_interval(X, coverage=0.8), np.stack([low, high], axis=1))

    def test_several_outputs(self, X: IrregularPanel) -> None:
        y = np.stack([levels(X), np.full(N_RECORDS, 7.0)], axis=1)
        model = small("regressor", head="gaussian").fit(X, y)
        assert model.predict(X).shape == (N_RECORDS, 2)
        assert model.predict_quantiles(X, [0.1, 0.5, 0.9]).shape == (N_RECORDS, 2, 3)
        np.testing.assert_array_equal(model.predict(X)[:, 1], 7.0)  # it never varied

    def test_units_of_the_outcome_do_not_matter(self, X: IrregularPanel) -> None:
        plain = small("regressor").fit(X, levels(X)).predict(X)
        scaled = small("regressor").fit(X, 1000 + 5 * levels(X)).predict(X)
        np.testing.assert_allclose(scaled, 1000 + 5 * plain, rtol=1e-5)

    @pytest.mark.parametrize("coverage", [0.0, 90])
    def test_wrong_coverage(self, regressor: HybridMemoryRegressor, X: IrregularPanel, coverage: float) -> None:
        with pytest.raises(ValueError, match="coverage must lie strictly between 0 and 1; got .*Use 0.9 for 90 %"):
            regressor.predict_interval(X, coverage=coverage)

    def test_other_outputs_in_validation(self, X: IrregularPanel) -> None:
        with pytest.raises(ValueError, match="y_val has 2 outputs, y has 1; give the same columns"):
            small("regressor").fit(X, levels(X), X_val=X[:2], y_val=np.ones((2, 2)))

    def test_unknown_head(self, X: IrregularPanel) -> None:
        with pytest.raises(ValueError, match=r"head must be one of \['gaussian', 'quantile'\]; got 'poisson'"):
            small("regressor", head="poisson").fit(X, levels(X))


class TestBoth:
    """What does not depend on the kind of outcome."""

    def test_a_record_does_not_depend_on_its_mates(self, classifier: HybridMemoryClassifier, X: IrregularPanel) -> None:
        some = [7, 3, 31]
        np.testing.assert_allclose(classifier.predict_proba(X[some]), classifier.predict_proba(X)[some], rtol=1e-4)

    def test_shifted_times_change_nothing(self, classifier: HybridMemoryClassifier, X: IrregularPanel) -> None:
        later = IrregularPanel(
            X.offsets, X.time + 64, X.channel, X.value, channels=X.channels, static=X.static, time_unit=X.time_unit
        )
        np.testing.assert_allclose(classifier.predict_proba(later), classifier.predict_proba(X), rtol=1e-4)

    def test_queries_are_not_looked_at(self, classifier: HybridMemoryClassifier, X: IrregularPanel) -> None:
        asking = X.with_queries(times=[3.0, 99.0])
        np.testing.assert_array_equal(classifier.predict_proba(asking), classifier.predict_proba(X))

    def test_statics_are_used(self, classifier: HybridMemoryClassifier, X: IrregularPanel) -> None:
        older = X.with_static(X.static.assign(age=X.static["age"] + 30))
        assert (classifier.predict_proba(older) != classifier.predict_proba(X)).all()

    def test_records_without_events_are_answered(self, classifier: HybridMemoryClassifier, X: IrregularPanel) -> None:
        nothing = X.where(np.zeros(X.n_events, dtype=bool))
        assert np.isfinite(classifier.predict_proba(nothing)).all()

    def test_records_of_weight_zero_are_left_out(self, X: IrregularPanel) -> None:
        counted = np.arange(N_RECORDS) % 4 > 0
        weighed = small("regressor").fit(X, levels(X), sample_weight=counted.astype(float))
        without = small("regressor").fit(X[counted], levels(X)[counted])
        np.testing.assert_array_equal(weighed.predict(X), without.predict(X))

    def test_groups_are_held_out_whole(self, X: IrregularPanel, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[int] = []

        def remember(self: Any, lessons: Any, training: Training) -> Any:
            seen.append(len(np.unique(lessons.X.groups)))
            return samples(self, lessons, training)

        samples = HybridMemoryClassifier._samples
        monkeypatch.setattr(HybridMemoryClassifier, "_samples", remember)
        training = Training(epochs=1, members=1, validation_fraction=0.25)
        small(training=training).fit(X.with_groups(np.arange(N_RECORDS) // 5), labels(X))
        assert seen == [6, 2]  # of eight groups

    def test_selected_epoch_is_the_best(self, classifier: HybridMemoryClassifier) -> None:
        result = classifier.fit_results_[0]
        scores = [epoch["valid_score"] for epoch in result.history]
        assert result.best_score == max(scores) == scores[result.best_epoch - 1]

    def test_patience_stops(self, X: IrregularPanel) -> None:
        training = Training(epochs=50, members=1, learning_rate=1e-9, patience=1, averaging=0.0)
        assert small(training=training).fit(X, labels(X)).fit_results_[0].n_epochs < 50

    @pytest.mark.parametrize("kind", KINDS)
    def test_plain_arrays(self, kind: str) -> None:
        rng = np.random.default_rng(0)
        table = np.where(rng.random((30, 4)) < 0.2, np.nan, rng.normal(size=(30, 4)))
        y = np.arange(30) % 2
        model = small(kind).fit(table, y)
        assert model.n_features_in_ == 4 and model.channels_in_ == ("x0",)
        same = small(kind).fit(IrregularPanel.from_array(table), y)
        np.testing.assert_array_equal(model.predict(table), same.predict(IrregularPanel.from_array(table)))
        with pytest.raises(ValueError, match="X has 3 features, but .* is expecting 4 features"):
            model.predict(table[:, :3])
        with pytest.raises(TypeError, match="X must be .*, as at fit, since columns of a table are times"):
            model.predict(IrregularPanel.from_array(table))

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_file_holds_all_of_it(
        self, kind: str, request: pytest.FixtureRequest, X: IrregularPanel, tmp_path: Path
    ) -> None:
        model = request.getfixturevalue(kind)
        model.save(tmp_path / "model.cndts")
        for loaded in (KINDS[kind].load(tmp_path / "model.cndts"), load_estimator(tmp_path / "model.cndts")):
            np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
            assert loaded.fit_results_ == model.fit_results_
        if kind == "classifier":
            np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
    @pytest.mark.parametrize("kind", KINDS)
    def test_what_a_gpu_fitted_answers_on_the_cpu(self, kind: str, X: IrregularPanel, tmp_path: Path) -> None:
        model = small(kind, device="cuda").fit(X, labels(X) if kind == "classifier" else levels(X))
        say = "predict_proba" if kind == "classifier" else "predict"
        model.save(tmp_path / "model.cndts")
        loaded = load_estimator(tmp_path / "model.cndts")
        assert loaded.device == "cpu"
        assert all(weight.device.type == "cpu" for weight in loaded.network_.parameters())
        np.testing.assert_allclose(getattr(loaded, say)(X), getattr(model, say)(X), rtol=1e-4, atol=1e-4)

    def test_clone_and_pickle(self, classifier: HybridMemoryClassifier, X: IrregularPanel) -> None:
        again = pickle.loads(pickle.dumps(classifier))
        np.testing.assert_array_equal(again.predict_proba(X), classifier.predict_proba(X))
        with pytest.raises(NotFittedError):
            clone(classifier).predict(X)

    def test_model_selection(self, X: IrregularPanel) -> None:
        """Nested settings, folds of panels and scorers of scikit-learn."""
        search = GridSearchCV(small(), {"training__learning_rate": [1e-3, 1e-2]}, scoring="roc_auc", cv=2)
        search.fit(X[:20], labels(X[:20]))
        assert search.best_params_["training__learning_rate"] in (1e-3, 1e-2)
        risk = cross_val_predict(small(), X[:20], labels(X[:20]), cv=2, method="predict_proba")
        assert risk.shape == (20, 2)

    def test_a_failed_fit_leaves_nothing(self, X: IrregularPanel) -> None:
        model = small().fit(X, labels(X))
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            model.fit(X, labels(X)[:5])
        with pytest.raises(NotFittedError):
            model.predict(X)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 6}, "width must be a positive multiple of 4; got 6"),
        (
            {"forecast_weight": -1.0},
            "forecast_weight must be 0 or more, and finite; got -1.0. Use 0 to learn from outcomes",
        ),
        ({"training": Training(members=0)}, "training__members must be 1 or more; got 0"),
    ],
)
def test_wrong_settings(X: IrregularPanel, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**change).fit(X, labels(X))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(3), r"sample_weight must have one weight per record, shape \(40,\); got shape \(3,\)"),
        (-np.ones(N_RECORDS), "sample_weight must be finite and at least 0; got -1.0 at record 0"),
        (np.zeros(N_RECORDS), "all 40 weights in sample_weight are 0"),
    ],
)
def test_wrong_weights(X: IrregularPanel, weight: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small().fit(X, labels(X), sample_weight=weight)


def test_what_else_is_refused(X: IrregularPanel, classifier: HybridMemoryClassifier) -> None:
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        small().fit(X, None)
    with pytest.raises(ValueError, match="X_val and y_val go together; got only X_val"):
        small().fit(X, labels(X), X_val=X)
    with pytest.raises(ValueError, match="X has 1 records .*; HybridMemoryClassifier needs at least 2"):
        small().fit(X[:1], ["low"])
    with pytest.raises(ValueError, match="X has channels that the forecaster was not fitted on|not fitted on"):
        classifier.predict(panel(channels=["flat", "other"]))
    with pytest.raises(ValueError, match="X has no records .*got an empty panel"):
        classifier.predict(X[:0])
    with pytest.raises(ValueError, match="X has times in 'day', the HybridMemoryClassifier was fitted on times in"):
        classifier.predict(panel(time_unit="day"))
    with pytest.raises(ValueError, match="did you mean 'training__learning_rate'"):
        small().set_params(training__learning_rat=1.0)
