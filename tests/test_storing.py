"""Every estimator can be kept in a file without pickle, and no file can make more than that."""

import copy
import inspect
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

import cndts.estimators
import cndts.transforms
from cndts import Extrapolation, Interpolation, IrregularPanel, Targets
from cndts.datasets import make_icu, make_oscillators
from cndts.estimators import (
    BaseForecaster,
    BoostedTreesForecaster,
    ConformalForecaster,
    DecayToMeanForecaster,
    HybridMemoryClassifier,
    HybridMemoryEncoder,
    HybridMemoryForecaster,
    HybridMemoryRegressor,
    LastValueForecaster,
    RecordSummary,
    RidgeForecaster,
    load_estimator,
)
from cndts.estimators import _grown_trees as grown_trees
from cndts.memory import Memory
from cndts.persistence import read_model, write_model
from cndts.training import Training

Pair = tuple[IrregularPanel, Targets]
QUICK = {"width": 8, "training": Training(epochs=1, members=1), "random_state": 0}


def panel() -> IrregularPanel:
    return make_icu(30, density=0.4, random_state=0)


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Extrapolation(observe=24, horizon=24).split(panel())


@pytest.fixture(scope="module")
def hidden() -> Pair:
    return Interpolation(observed=0.5, random_state=0).split(panel())


def forecasters() -> list[type[BaseForecaster]]:
    kinds = [getattr(cndts.estimators, name) for name in cndts.estimators.__all__]
    return [k for k in kinds if isinstance(k, type) and issubclass(k, BaseForecaster) and not inspect.isabstract(k)]


def quick(kind: type[BaseForecaster]) -> BaseForecaster:
    names = kind._get_param_names()
    if "forecaster" in names:
        return kind(RidgeForecaster())
    found: dict[str, Any] = {name: value for name, value in QUICK.items() if name in names and "training" in names}
    return kind(**found, **({"max_iter": 12} if "max_iter" in names else {}))


@pytest.mark.parametrize("kind", forecasters(), ids=lambda kind: kind.__name__)
def test_what_is_loaded_says_the_same(kind: type[BaseForecaster], pair: Pair, hidden: Pair, tmp_path: Path) -> None:
    """Forecasts to the last bit, quantiles, and every fitted attribute; through its class, a base class, and twice."""
    X, y = hidden if kind.__name__.endswith("Interpolator") else pair
    model = quick(kind).fit(X, y)
    model.save(tmp_path / "model.cndts")
    loaded = load_estimator(tmp_path / "model.cndts")
    assert type(loaded) is kind
    np.testing.assert_array_equal(loaded.predict(X).value, model.predict(X).value)
    levels = [0.05, 0.5, 0.9]
    np.testing.assert_array_equal(loaded.predict_quantiles(X, levels), model.predict_quantiles(X, levels))
    assert set(vars(loaded)) == set(vars(model))
    loaded.save(tmp_path / "again.cndts")
    again = BaseForecaster.load(tmp_path / "again.cndts")
    np.testing.assert_array_equal(again.predict(X).value, model.predict(X).value)


def test_estimators_of_records(tmp_path: Path) -> None:
    """Classifier with classes that are texts, regressor, encoder, summary."""
    X = panel()
    label = np.where(np.arange(len(X)) % 3 == 0, "late", "early")
    model = HybridMemoryClassifier(**QUICK).fit(X, label)
    model.save(tmp_path / "a")
    loaded = HybridMemoryClassifier.load(tmp_path / "a")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.classes_.dtype == model.classes_.dtype
    for estimator, say in (
        (HybridMemoryRegressor(**QUICK).fit(X, np.arange(len(X), dtype=float)), "predict"),
        (HybridMemoryEncoder(HybridMemoryForecaster(**QUICK), n_components=4).fit(X), "transform"),
        (RecordSummary().fit(X), "transform"),
    ):
        estimator.save(tmp_path / "b")
        loaded = load_estimator(tmp_path / "b")
        np.testing.assert_array_equal(getattr(loaded, say)(X), getattr(estimator, say)(X))


def test_the_fit_is_remembered(pair: Pair, tmp_path: Path) -> None:
    """Epochs and scores of every member come back; seed and device do not, which belong to the machine that fitted."""
    X, y = pair
    settings = {**QUICK, "training": Training(epochs=2, members=2), "device": "cpu"}
    model = HybridMemoryForecaster(**settings).fit(X, y)
    model.save(tmp_path / "model.cndts")
    loaded = HybridMemoryForecaster.load(tmp_path / "model.cndts")
    assert loaded.fit_results_ == model.fit_results_
    assert [len(result.history) for result in loaded.fit_results_] == [2, 2]
    assert (loaded.random_state, loaded.device) == (None, "cpu")
    config, _ = read_model(tmp_path / "model.cndts", "HybridMemoryForecaster")
    assert not {"random_state", "device"} & set(config["params"])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_what_a_gpu_fitted_answers_on_the_cpu(pair: Pair, tmp_path: Path) -> None:
    """Weights come back to the CPU, wherever they were."""
    X, y = pair
    model = HybridMemoryForecaster(**QUICK, device="cuda").fit(X, y)
    model.save(tmp_path / "model.cndts")
    loaded = load_estimator(tmp_path / "model.cndts")
    assert loaded.device == "cpu"
    assert all(weight.device.type == "cpu" for weight in loaded.network_.parameters())
    np.testing.assert_allclose(loaded.predict(X).value, model.predict(X).value, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", sorted(set(cndts.transforms.__all__) - {"ChannelScaler", "PanelTransformer"}))
def test_transformers(name: str, tmp_path: Path) -> None:
    """What changes panels, or describes their gaps, is kept like what forecasts them; tables about the training records are not."""
    X = panel()
    kind = getattr(cndts.transforms, name)
    needed = {"GridResampler": {"step": 1.0}, "LimitFilter": {"limits": {"Temp": (25.0, None)}}}
    model = kind(**needed.get(name, {})).fit(X[:20])
    model.save(tmp_path / "model.cndts")
    loaded = kind.load(tmp_path / "model.cndts")
    assert type(load_estimator(tmp_path / "model.cndts")) is kind
    told, expected = loaded.transform(X), model.transform(X)
    assert told.equals(expected) if isinstance(told, IrregularPanel) else np.array_equal(told, expected, equal_nan=True)
    assert loaded.get_feature_names_out().tolist() == model.get_feature_names_out().tolist()
    assert set(vars(model)) - set(vars(loaded)) <= {"report_", "loss_"}


def test_tables_are_remembered(tmp_path: Path) -> None:
    """A model of plain arrays is loaded as one."""
    table = np.random.default_rng(0).normal(size=(60, 6))
    model = RidgeForecaster().fit(table[:, :5], table[:, 5])
    model.save(tmp_path / "model.cndts")
    np.testing.assert_array_equal(
        load_estimator(tmp_path / "model.cndts").predict(table[:, :5]), model.predict(table[:, :5])
    )


# ---- trees -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error"])
def test_stored_trees_are_those_that_grew(pair: Pair, loss: str) -> None:
    """Node by node the same sums as scikit-learn's, for numbers and for what is missing."""
    X, y = pair
    model = BoostedTreesForecaster(loss=loss, max_iter=25, min_samples_leaf=5, random_state=0).fit(X[:20], y[:20])
    assert max(model.n_rounds_.values()) > 3
    for channel, trees in model.models_.items():
        design = model._rows(model._summarise(X), channel).design
        grown = grown_trees.GrownTrees.of(trees)
        assert grown.n_rounds == trees.n_rounds
        np.testing.assert_array_equal(grown.predict(design), trees.predict(design))
        np.testing.assert_array_equal(grown.predict(design[:0]), np.zeros(0))


def test_trees_of_another_kind_are_refused(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should scikit-learn keep its trees in another way, nothing is written, and the way out is named."""
    model = BoostedTreesForecaster(max_iter=5, random_state=0).fit(*pair)
    trees = next(trees for trees in model.models_.values() if trees.n_rounds)
    with monkeypatch.context() as changed:
        changed.setattr(trees.boosting, "_baseline_prediction", trees.boosting._baseline_prediction + 1.0)
        changed.setattr(type(trees), "predict", lambda self, design: np.zeros(len(design)))
        with pytest.raises(TypeError, match="predict otherwise than their nodes. Store the model with skops.io.dump"):
            model.save(tmp_path / "model.cndts")
    with monkeypatch.context() as changed:
        changed.delattr(trees.boosting, "_predictors")
        with pytest.raises(TypeError, match="cannot be stored without pickle: reading its trees failed.*skops.io.dump"):
            model.save(tmp_path / "model.cndts")
    assert not list(tmp_path.iterdir())


# ---- what is refused ---------------------------------------------------------------------------------


class Own(LastValueForecaster):
    """A subclass that cndts does not know."""


def test_other_classes_are_refused(pair: Pair, tmp_path: Path) -> None:
    """A class of the user's own, by itself and inside; an estimator that is not fitted; a parameter that is no data."""
    X, y = pair
    with pytest.raises(
        TypeError, match=r"Own is no class of cndts, and a model file holds no others. Store it with skops"
    ):
        Own().fit(X, y).save(tmp_path / "model.cndts")
    with pytest.raises(TypeError, match="cannot hold parts.forecaster_: .*of type Own"):
        _inside(X, y).save(tmp_path / "model.cndts")
    with pytest.raises(ValueError, match="not fitted yet"):
        LastValueForecaster().save(tmp_path / "model.cndts")
    odd = LastValueForecaster().fit(X, y)
    odd.note_ = object()
    with pytest.raises(
        TypeError, match="a model file cannot hold parts.note_: a parameter or attribute of type object"
    ):
        odd.save(tmp_path / "model.cndts")
    odd.note_ = np.zeros(2, dtype=complex)
    with pytest.raises(TypeError, match="cannot hold parts.note_: an array of type complex128"):
        odd.save(tmp_path / "model.cndts")
    assert not list(tmp_path.iterdir())


def _inside(X: IrregularPanel, y: Targets) -> ConformalForecaster:
    model = ConformalForecaster(LastValueForecaster()).fit(X, y)
    model.forecaster_ = Own().fit(X, y)
    return model


def test_files_that_ask_for_more_are_refused(pair: Pair, tmp_path: Path) -> None:
    """Unknown classes, kinds, parameters and weights; what an earlier version wrote; a session."""
    path = tmp_path / "model.cndts"
    DecayToMeanForecaster().fit(*pair).save(path)
    config, tensors = read_model(path, "DecayToMeanForecaster")

    def complaint(changed: dict, kind: str = "DecayToMeanForecaster") -> str:
        write_model(path, kind, changed, tensors)
        with pytest.raises(ValueError) as caught:
            load_estimator(path)
        return str(caught.value)

    def with_part(part: object) -> dict:
        return {**config, "parts": {**config["parts"], "rates_": part}}

    assert "parts.rates_ is a 'Popen', which this version of cndts does not load; it knows Adapt" in complaint(
        with_part({"!": "object", "class": "Popen", "of": {"args": ["true"]}})
    )
    assert "parts.rates_ is of a kind that this version of cndts does not know: 'pickle'. Update cndts" in complaint(
        with_part({"!": "pickle", "of": "gASVAAAAAAAAAAAu"})
    )
    assert "parts.rates_ is damaged, or of another version of cndts: 'nothing'" in complaint(
        with_part({"!": "array", "at": "nothing"})
    )
    assert "DecayToMeanForecaster has no parameter 'extra'" in complaint({**config, "params": {"extra": 1}})
    assert (
        "is damaged: it has ['channels', 'params'] where a DecayToMeanForecaster has ['params', 'parts']"
        in complaint({"params": {}, "channels": ["a"]})
    )
    for kind in ("Session", "Scaling", "Popen"):
        assert f"holds a {kind}, which is no estimator that this version of cndts loads" in complaint(config, kind)


def test_loading_draws_no_random_numbers(pair: Pair, tmp_path: Path) -> None:
    """Weights that are drawn when networks are built again come from a generator of their own."""
    model = HybridMemoryForecaster(**QUICK).fit(*pair)
    model.save(tmp_path / "model.cndts")
    state = torch.random.get_rng_state()
    load_estimator(tmp_path / "model.cndts")
    pickle.loads(pickle.dumps(model))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_weights_must_fit(pair: Pair, tmp_path: Path) -> None:
    """Weights of another size are not squeezed in."""
    path = tmp_path / "model.cndts"
    HybridMemoryForecaster(**QUICK).fit(*pair).save(path)
    config, tensors = read_model(path, "HybridMemoryForecaster")
    config["parts"]["_built_with"]["width"] = 16
    write_model(path, "HybridMemoryForecaster", config, tensors)
    with pytest.raises(ValueError, match="cannot be loaded: its weights are not those of a HybridMemoryForecaster"):
        load_estimator(path)


def test_base_classes_load_their_own_kind(pair: Pair, tmp_path: Path) -> None:
    """An abstract class loads any of its subclasses, a concrete one only itself."""
    path = tmp_path / "model.cndts"
    RidgeForecaster().fit(*pair).save(path)
    assert isinstance(BaseForecaster.load(path), RidgeForecaster)
    with pytest.raises(
        ValueError, match="holds a RidgeForecaster, which is no BaseInterpolator; use RidgeForecaster.load"
    ):
        cndts.estimators.BaseInterpolator.load(path)
    with pytest.raises(ValueError, match="holds a RidgeForecaster; load it with RidgeForecaster.load"):
        LastValueForecaster.load(path)


def test_no_byte_is_code(pair: Pair, tmp_path: Path) -> None:
    """The header is JSON and all the rest numbers of declared sizes, also of trees."""
    path = tmp_path / "model.cndts"
    BoostedTreesForecaster(max_iter=5, random_state=0).fit(*pair).save(path)
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    assert json.loads(header.pop("__metadata__")["cndts"])["kind"] == "BoostedTreesForecaster"
    sizes = [np.diff(entry["data_offsets"])[0] for entry in header.values()]
    assert sum(sizes) == len(content) - 8 - length
    assert {entry["dtype"] for entry in header.values()} <= {"F64", "F32", "I64", "I32", "BOOL"}


# ---- states ------------------------------------------------------------------------------------------


def networks() -> dict[str, Any]:
    """Estimators around networks, unfitted; the last two are pipelines."""
    encoder = HybridMemoryEncoder(HybridMemoryForecaster(**QUICK), n_components=4)
    trees = HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=5, random_state=0)
    return {
        "forecaster": HybridMemoryForecaster(**QUICK),
        "classifier": HybridMemoryClassifier(**QUICK),
        "encoder and logistic regression": make_pipeline(encoder, StandardScaler(), LogisticRegression()),
        "summaries, encoder and trees": make_pipeline(make_union(RecordSummary(), encoder), trees),
    }


def fitted(name: str, pair: Pair) -> tuple[Any, Callable[[Any], NDArray]]:
    """One of `networks` after its fit, and how it is asked."""
    if name == "forecaster":
        return networks()[name].fit(*pair), lambda model: model.predict(pair[0]).value
    X = panel()
    return networks()[name].fit(X, np.arange(len(X)) % 2), lambda model: model.predict_proba(X)


def test_settings_of_the_fit_are_kept(pair: Pair, tmp_path: Path) -> None:
    """Parameters that are set for the next fit change no copy and no file; a solver that is set for this one does."""
    model = HybridMemoryForecaster(**QUICK, memory=Memory(window=3)).fit(*pair)
    expected = model.predict(pair[0]).value
    model.set_params(width=16, memory__window=5, training__members=2)
    model.save(tmp_path / "model.cndts")
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), load_estimator(tmp_path / "model.cndts")):
        np.testing.assert_array_equal(again.predict(pair[0]).value, expected)
        assert (again.width, again.memory.window, len(again.network_.members)) == (16, 5, 1)
    model.set_solver("rk4", steps=9)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(pair[0]).value, model.predict(pair[0]).value)
    assert (again.predict(pair[0]).value != expected).any()


def test_weights_mapped_from_a_file(pair: Pair, tmp_path: Path) -> None:
    """Workers of joblib get large arrays read-only; networks have weights of their own, which can be trained."""
    model = HybridMemoryForecaster(**QUICK).fit(*pair)
    joblib.dump(model, tmp_path / "model.joblib")
    mapped = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    np.testing.assert_array_equal(mapped.predict(pair[0]).value, model.predict(pair[0]).value)
    assert (mapped.adapt(*pair, steps=1).predict(pair[0]).value != model.predict(pair[0]).value).any()


def test_a_second_fit_in_processes(pair: Pair) -> None:
    """What goes to other processes is not weighed down by the network of a fit to other channels."""
    X, y = pair
    model = HybridMemoryForecaster(width=8, training=Training(epochs=1, members=2, n_jobs=2), random_state=0)
    model.fit(*Extrapolation(observe=6, horizon=2).split(make_oscillators(12, random_state=0)))
    np.testing.assert_array_equal(model.fit(X, y).predict(X).value, clone(model).fit(X, y).predict(X).value)


# ---- whole pipelines ---------------------------------------------------------------------------------

# what scikit-learn's and numpy's own estimators hold that skops does not know
_PLAIN_TYPES = {"numpy.dtype", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"}


@pytest.mark.parametrize("name", ["summaries and logistic regression", *networks()])
def test_a_pipeline_through_skops(name: str, pair: Pair, tmp_path: Path) -> None:
    """The recipe of the documentation: what is not of cndts is looked at before it is trusted."""
    skops = pytest.importorskip("skops.io", reason='whole pipelines are kept by skops: pip install "skops"')
    path = tmp_path / "pipeline.skops"
    if name in networks():
        model, ask = fitted(name, pair)
    else:
        model, ask = _summaries(), lambda pipeline: pipeline.predict_proba(panel())
    skops.dump(model, path)
    asked = skops.get_untrusted_types(file=path)
    assert asked
    assert {kind for kind in asked if not kind.startswith("cndts.")} <= _PLAIN_TYPES
    with pytest.raises(Exception, match="Untrusted types found"):
        skops.load(path)
    np.testing.assert_array_equal(ask(skops.load(path, trusted=asked)), ask(model))


def _summaries() -> Any:
    X = panel()
    steps = RecordSummary(), StandardScaler(), SimpleImputer(keep_empty_features=True), LogisticRegression()
    return make_pipeline(*steps).fit(X, np.arange(len(X)) % 2)
