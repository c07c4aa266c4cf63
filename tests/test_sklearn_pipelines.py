"""Estimators of cndts inside scikit-learn's pipelines, searches, cross-validation and ensembles, on panels."""

from importlib.util import find_spec

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingRegressor,
    HistGradientBoostingClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import make_scorer, mean_absolute_error, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
    validation_curve,
)
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr

import cndts.metrics
from cndts import Extrapolation, Interpolation, IrregularPanel
from cndts.datasets import make_oscillators
from cndts.estimators import (
    BoostedTreesForecaster,
    ChannelMeanForecaster,
    DecayToMeanForecaster,
    HybridMemoryClassifier,
    HybridMemoryForecaster,
    HybridMemoryRegressor,
    InterpolatedTable,
    LastValueForecaster,
    LinearInterpolator,
    NearestInterpolator,
    OrnsteinUhlenbeckInterpolator,
    RecordSummary,
    RidgeForecaster,
)
from cndts.metrics import error_scorer, quantile_scorer
from cndts.targets import Targets
from cndts.training import Training

TINY = {"width": 8, "training": Training(epochs=1, members=1), "random_state": 0}


@pytest.fixture(scope="module")
def panel() -> IrregularPanel:
    """Thirty noisy oscillators with groups of three."""
    return make_oscillators(30, random_state=0).with_groups(np.arange(30) // 3)


@pytest.fixture(scope="module")
def forecast(panel):
    """Context with queries, and their targets."""
    return Extrapolation(observe=6, horizon=2).split(panel)


@pytest.fixture(scope="module")
def labels(panel):
    """One class a record, known from the mean of its first channel."""
    first = panel.where(panel.channel == 0)
    mean = np.bincount(first.record, first.value, len(panel)) / first.counts
    return np.where(mean > np.median(mean), "high", "low")


# ---- splitting -----------------------------------------------------------------------------------


@pytest.mark.parametrize("cv", [KFold(3), KFold(3, shuffle=True, random_state=0), GroupKFold(5)])
def test_splitters(forecast, cv):
    """Panels and targets are split together, by groups too."""
    X, y = forecast
    groups = X.groups if isinstance(cv, GroupKFold) else None  # others warn that they do not look at groups
    scores = cross_validate(LastValueForecaster(), X, y, cv=cv, groups=groups, error_score="raise")
    by_hand = [LastValueForecaster().fit(X[a], y[a]).score(X[b], y[b]) for a, b in cv.split(X, y, groups)]
    assert scores["test_score"].tolist() == by_hand


def test_train_test_split(forecast):
    """Parts keep their type and belong together."""
    X_train, X_test, y_train, y_test = train_test_split(*forecast, random_state=0)
    assert (type(X_train), type(y_test)) == (IrregularPanel, Targets)
    assert X_test.records.equals(y_test.records)
    assert len(X_train) + len(X_test) == 30
    assert RidgeForecaster().fit(X_train, y_train).score(X_test, y_test) > 0


# ---- scorers -------------------------------------------------------------------------------------


def test_own_scorers(forecast):
    """Each error under each averaging rule; several at once."""
    X, y = forecast
    scoring = {f"{m}-{a}": error_scorer(m, average=a) for m in ("mae", "mse") for a in ("channel", "record")}
    found = cross_validate(LastValueForecaster(), X, y, cv=KFold(3), scoring=scoring, error_score="raise")
    train, test = list(KFold(3).split(X))[1]
    y_hat = LastValueForecaster().fit(X[train], y[train]).predict(X[test])
    expected = cndts.metrics.mean_absolute_error(y[test], y_hat, average="record")
    assert found["test_mae-record"][1] == -expected


def test_quantile_scorers(forecast):
    """Distributions are scored by what predict_quantiles says."""
    X, y = forecast
    levels = [0.1, 0.5, 0.9]
    model = DecayToMeanForecaster().fit(X, y)
    pinball = cndts.metrics.pinball_loss(y, model.predict_quantiles(X, levels), levels, average="channel")
    assert quantile_scorer("pinball", levels, average="channel")(model, X, y) == -pinball
    crps = cross_val_score(model, X, y, cv=3, scoring=quantile_scorer("crps", average="record"), error_score="raise")
    assert len(crps) == 3 and (crps < 0).all()


def test_scikit_learn_scorers(forecast):
    """Targets flatten to one dimension for scikit-learn's metrics."""
    X, y = forecast
    scoring = ["neg_mean_absolute_error", "neg_root_mean_squared_error", "r2"]
    found = cross_validate(LastValueForecaster(), X, y, cv=KFold(3), scoring=scoring, error_score="raise")
    own = error_scorer("mae", average="observation")
    assert found["test_neg_mean_absolute_error"] == pytest.approx(
        cross_val_score(LastValueForecaster(), X, y, cv=KFold(3), scoring=own)
    )
    direct = cross_val_score(LastValueForecaster(), X, y, cv=KFold(3), scoring=make_scorer(mean_absolute_error))
    assert (direct > 0).all()


# ---- searches ------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.*A worker stopped while some jobs were given")
def test_grid_search_over_nested_settings(forecast):
    """Settings objects left at None are reached as well."""
    X, y = forecast
    grid = {"memory__window": [0, 2], "training__learning_rate": [1e-3], "solver__steps": [2]}
    search = GridSearchCV(HybridMemoryForecaster(**TINY), grid, cv=2, error_score="raise").fit(X[:12], y[:12])
    best = search.best_estimator_
    assert best.memory.window == search.best_params_["memory__window"]
    assert (best.training.learning_rate, best.training.epochs, best.solver.steps) == (1e-3, 1, 2)
    assert len(search.predict(X)) == 30


def test_grid_search_in_workers(forecast):
    """Two processes find what one finds."""
    X, y = forecast
    grid = {"features": ["own", "last"], "penalties": [(0.1,), (1e4,)]}
    one, two = (
        GridSearchCV(RidgeForecaster(), grid, cv=3, n_jobs=n_jobs, error_score="raise").fit(X, y) for n_jobs in (1, 2)
    )
    assert one.best_params_ == two.best_params_
    np.testing.assert_allclose(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"], rtol=1e-6)


def test_randomized_search(forecast):
    search = RandomizedSearchCV(
        BoostedTreesForecaster(max_iter=2), {"max_leaf_nodes": [4, 8, 16]}, n_iter=2, cv=2, random_state=0
    )
    assert search.fit(*forecast).best_params_["max_leaf_nodes"] in (4, 8, 16)


def test_halving_search(forecast):
    """Records are the resource, or a setting of the estimator."""
    X, y = forecast
    grid = {"features": ["own", "last", "all"]}
    search = HalvingGridSearchCV(RidgeForecaster(), grid, cv=2, min_resources=8, random_state=0, error_score="raise")
    assert search.fit(X, y).n_resources_ == [8, 24]
    trees = BoostedTreesForecaster(min_samples_leaf=5, random_state=0)
    by_rounds = HalvingGridSearchCV(
        trees,
        {"loss": ["squared_error", "absolute_error"]},
        cv=2,
        resource="max_iter",
        min_resources=2,
        max_resources=4,
        factor=2,
    )
    assert by_rounds.fit(X, y).n_resources_ == [2, 4]


def test_search_over_interpolators(panel):
    """Interpolators are compared without targets too: on events that are hidden."""
    steps = Pipeline([("fill", LinearInterpolator())])
    grid = {"fill": [LinearInterpolator(), NearestInterpolator()]}
    for X, y in [(panel, None), Interpolation(observed=0.7, random_state=0).split(panel)]:
        search = GridSearchCV(steps, grid, cv=3, error_score="raise").fit(X, y)
        assert type(search.best_params_["fill"]) is LinearInterpolator


def test_misspelt_setting_in_a_search(forecast):
    """The error of a search tells the right name, through a pipeline too."""
    X, y = forecast
    search = GridSearchCV(HybridMemoryForecaster(), {"training__learnign_rate": [1e-3]}, cv=2)
    with pytest.raises(ValueError, match="did you mean 'training__learning_rate'"):
        search.fit(X, y)
    with pytest.raises(ValueError, match="did you mean 'memory__window'"):
        make_pipeline(HybridMemoryForecaster()).set_params(hybridmemoryforecaster__memory__windw=3)


def test_curves(forecast):
    """Learning and validation curves."""
    X, y = forecast
    sizes, _, test = learning_curve(RidgeForecaster(), X, y, cv=3, train_sizes=[0.5, 1.0], error_score="raise")
    assert sizes.tolist() == [10, 20] and test.shape == (2, 3)
    _, test = validation_curve(
        BoostedTreesForecaster(random_state=0),
        X,
        y,
        param_name="max_iter",
        param_range=[1, 2],
        cv=2,
        error_score="raise",
    )
    assert test.shape == (2, 2)


def test_cross_val_predict(forecast, panel, labels):
    """Arrays of one row a record come back in order; several queries a record are beyond it, and it does not say so."""
    X, y = forecast
    one_X, one_y = alone(X, y)
    flat = cross_val_predict(LastValueForecaster(), one_X, one_y, cv=KFold(3, shuffle=True, random_state=0))
    np.testing.assert_allclose(flat, LastValueForecaster().fit(one_X, one_y).predict(one_X).value)
    model = make_pipeline(InterpolatedTable([2.0, 6.0]), LogisticRegression(max_iter=1000))
    shares = cross_val_predict(model, panel, labels, cv=StratifiedKFold(3), method="predict_proba")
    assert shares.shape == (30, 2)
    y_hat = np.concatenate([LastValueForecaster().fit(X[a], y[a]).predict(X[b]).value for a, b in KFold(3).split(X)])
    scrambled = cross_val_predict(LastValueForecaster(), X, y, cv=KFold(3))
    assert scrambled.shape == (30,) and len(y_hat) > 30


def alone(X, y):
    """The first query of every record with its target."""
    first = y.offsets[:-1]
    queries = type(y.queries)(np.arange(len(X) + 1), y.time[first], y.channel[first])
    return X.with_queries(queries=queries), Targets(queries, y.value[first], X.records, X.channels)


# ---- pipelines -----------------------------------------------------------------------------------


def test_imputer_before_a_table(panel):
    """Interpolators fill the queries of a panel: a regular table comes of it."""
    asking = panel.with_queries([1.0, 5.0])
    filled = make_pipeline(OrnsteinUhlenbeckInterpolator()).fit_transform(asking)
    assert filled.queries is None
    wide = filled.to_wide().set_index("time").loc[[1.0, 5.0]]
    assert len(wide) == 60 and wide[list(panel.channels)].notna().all(axis=None)
    values, grid = filled.to_array()
    at = np.isin(grid, [1.0, 5.0])
    assert at.sum() == 2 and not np.isnan(values[:, at]).any()


def test_imputer_of_arrays():
    """NaN of a plain array are filled, and named columns come back."""
    X = np.cumsum(np.ones((20, 6)), axis=1) + np.arange(20)[:, None]
    y, holes = X[:, -1] + 1, X.copy()
    holes[::3, 2] = np.nan
    for imputer in (LinearInterpolator(), OrnsteinUhlenbeckInterpolator()):
        model = make_pipeline(imputer, Ridge(alpha=1e-6)).fit(holes, y)
        assert model.score(holes, y) > 0.99
    frame = pd.DataFrame(holes, columns=list("abcdef"))
    table = LinearInterpolator().set_output(transform="pandas").fit_transform(frame)
    assert table.columns.tolist() == list("abcdef")
    np.testing.assert_allclose(table.to_numpy(), X)


def test_transform_keeps_events_and_answers_each_query_once():
    """Observed values stay, several queries for one place give one event, order is by time."""
    panel = IrregularPanel([0, 2], [0.0, 4.0], [0, 0], [1.0, 5.0], records=["a"], channels=["x"], units={"x": "mm"})
    model = LinearInterpolator().fit(panel)
    filled = model.transform(panel.with_queries([1.0, 4.0, 1.0, 3.0]))
    assert (filled.time.tolist(), filled.value.tolist()) == ([0, 1, 3, 4], [1, 2, 4, 5])
    assert filled.units == {"x": "mm"}
    assert model.transform(panel, times=[2.0]).time.tolist() == [0, 2, 4]
    with pytest.raises(ValueError, match="X has no queries, so there is nothing to predict"):
        model.transform(panel)


def test_interpolated_table(panel, labels):
    """One row a record at given times, in the order given, for any model behind."""
    table = InterpolatedTable([6.0, 1.0]).fit(panel, labels)
    names = table.get_feature_names_out().tolist()
    assert names[:2] == [f"{panel.channels[0]} at 6", f"{panel.channels[0]} at 1"]
    X = table.transform(panel)
    expected = LinearInterpolator().fit(panel).predict(panel.with_queries([1.0], panel.channels[0]))
    np.testing.assert_allclose(X[:, 1], np.asarray(expected), rtol=1e-6)
    frame = table.set_output(transform="pandas").transform(panel)
    assert frame.columns.tolist() == names
    with pytest.raises(ValueError, match=r"times must be distinct finite numbers .* got \[1, 1\]"):
        InterpolatedTable([1, 1]).fit(panel)


def test_pipeline_to_a_classifier(panel, labels):
    """Tables of records feed scikit-learn's classifiers; columns are named through unions and pipelines."""
    union = make_union(RecordSummary(), InterpolatedTable([2.0, 6.0]))
    model = make_pipeline(union, HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=3))
    scores = cross_val_score(model, panel, labels, cv=StratifiedKFold(3), scoring="roc_auc", error_score="raise")
    assert scores.mean() > 0.8
    names = union.fit(panel).get_feature_names_out()
    assert len(names) == union.transform(panel).shape[1]
    assert isinstance(union, FeatureUnion)
    assert "InterpolatedTable" in estimator_html_repr(model)


def test_pipeline_set_output(panel, labels):
    """A whole pipeline gives data frames."""
    table = make_pipeline(InterpolatedTable([2.0, 6.0]), StandardScaler()).set_output(transform="pandas")
    frame = table.fit_transform(panel, labels)
    assert list(frame.columns) == list(table[0].get_feature_names_out())


def test_pipeline_with_memory(panel, labels, tmp_path):
    """The cache of joblib recognises panels."""
    steps = [InterpolatedTable([2.0, 6.0]), StandardScaler(), LogisticRegression()]
    model = make_pipeline(*steps, memory=joblib.Memory(tmp_path, verbose=0)).fit(panel, labels)
    again = make_pipeline(*steps, memory=joblib.Memory(tmp_path, verbose=0)).fit(panel, labels)
    assert (model.predict(panel) == again.predict(panel)).all()
    assert any(tmp_path.rglob("output.pkl"))


def test_search_through_a_pipeline(panel, labels):
    """Settings of a transformer inside a pipeline, and the transformer itself, are searched."""
    model = Pipeline(
        [("table", InterpolatedTable([2.0, 6.0])), ("scale", StandardScaler()), ("fit", LogisticRegression())]
    )
    grid = {"table__interpolator": [LinearInterpolator(), NearestInterpolator()], "fit__C": [0.1, 1.0]}
    search = GridSearchCV(model, grid, cv=StratifiedKFold(2), error_score="raise").fit(panel, labels)
    assert search.best_params_.keys() == grid.keys()
    with pytest.raises(ValueError, match="did you mean 'interpolator'"):
        model.set_params(table__interpolater=None)


# ---- metadata ------------------------------------------------------------------------------------


def test_validation_records_are_routed(forecast):
    """Validation records of another number reach every fold whole."""
    X, y = forecast
    with config_context(enable_metadata_routing=True):
        model = BoostedTreesForecaster(max_iter=3, random_state=0).set_fit_request(X_val=True, y_val=True)
        found = cross_validate(
            model, X[:20], y[:20], cv=KFold(2), params={"X_val": X[20:], "y_val": y[20:]}, return_estimator=True
        )
    assert [len(each.held_out_records_) for each in found["estimator"]] == [0, 0]


def test_times_are_routed(panel, forecast):
    """Query times given to a pipeline reach ``predict`` and ``transform``."""
    model = make_pipeline("passthrough", LastValueForecaster()).fit(*forecast)
    assert model.predict(panel, times=[8.0]).counts.tolist() == [len(panel.channels)] * 30
    with config_context(enable_metadata_routing=True):
        fill = LinearInterpolator().set_transform_request(times=True)
        steps = make_pipeline(fill, "passthrough").fit(panel, times=[3.0])
        assert (steps.transform(panel, times=[3.0]).counts == panel.counts + len(panel.channels)).all()


# ---- ensembles and models around models ------------------------------------------------------------


def test_stacking_and_voting_on_arrays():
    """Forecasters of the next step of plain arrays are regressors like any other."""
    rng = np.random.default_rng(0)
    series = rng.normal(size=(60, 8)).cumsum(axis=1)
    X, y = series[:, :7], series[:, 7]
    models = [("last", LastValueForecaster()), ("mean", ChannelMeanForecaster()), ("ridge", Ridge())]
    stack = StackingRegressor(models, Ridge(), cv=3).fit(X, y)
    assert stack.score(X, y) > 0.7
    vote = VotingRegressor(models[:2]).fit(X, y)
    np.testing.assert_allclose(vote.predict(X), (X[:, -1] + y.mean()) / 2, rtol=1e-5)


def test_stacking_on_panels_cannot(forecast):
    """StackingRegressor flattens targets before it fits, so targets of a panel lose their records."""
    X, y = forecast
    told = r"as long as \d+ targets, but without their records. StackingRegressor, .* flatten targets before they fit"
    for ensemble in (StackingRegressor, VotingRegressor):
        with pytest.raises(TypeError, match=told):
            ensemble([("last", LastValueForecaster())]).fit(X, y)


def test_stacking_classifiers_on_panels(panel, labels):
    """Classes of records stack: pipelines from panels below, a linear model above."""
    base = [
        ("summary", make_pipeline(RecordSummary(), HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=3))),
        ("table", make_pipeline(InterpolatedTable([2.0, 6.0]), StandardScaler(), LogisticRegression())),
    ]
    stack = StackingClassifier(base, LogisticRegression(), cv=StratifiedKFold(2)).fit(panel, labels)
    assert roc_auc_score(labels == "low", stack.predict_proba(panel)[:, 1]) > 0.8


def test_thresholds_and_calibration(panel, labels):
    """Classifiers behind tables of records are calibrated, and their threshold tuned."""
    model = make_pipeline(InterpolatedTable([2.0, 6.0]), StandardScaler(), LogisticRegression())
    tuned = TunedThresholdClassifierCV(model, cv=StratifiedKFold(2), scoring="balanced_accuracy").fit(
        panel, labels == "low"
    )
    assert 0 < tuned.best_threshold_ < 1
    calibrated = CalibratedClassifierCV(model, cv=StratifiedKFold(2)).fit(panel, labels)
    np.testing.assert_allclose(calibrated.predict_proba(panel).sum(axis=1), 1)
    frozen = CalibratedClassifierCV(FrozenEstimator(model.fit(panel, labels))).fit(panel, labels)
    assert frozen.predict(panel).shape == (30,)


def test_calibrated_network(panel, labels):
    """The classifier of records gives probabilities to whatever wants them."""
    model = HybridMemoryClassifier(**TINY).fit(panel, labels)
    calibrated = CalibratedClassifierCV(FrozenEstimator(model), method="sigmoid").fit(panel, labels)
    np.testing.assert_allclose(calibrated.predict_proba(panel).sum(axis=1), 1)
    tuned = TunedThresholdClassifierCV(model, cv="prefit", refit=False, scoring="balanced_accuracy").fit(panel, labels)
    assert set(tuned.predict(panel)) <= set(model.classes_)


def test_sample_weight(panel, labels):
    """Records without weight teach nothing; cross-validation splits the weights with the records."""
    weight = np.r_[np.ones(20), np.zeros(10)]
    model = HybridMemoryClassifier(**TINY)
    weighted = clone(model).fit(panel, labels, sample_weight=weight).predict_proba(panel)
    np.testing.assert_allclose(weighted, clone(model).fit(panel[:20], labels[:20]).predict_proba(panel), atol=1e-5)
    with config_context(enable_metadata_routing=True):
        asking = clone(model).set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        found = cross_validate(
            asking, panel, labels, cv=StratifiedKFold(2), params={"sample_weight": np.ones(30)}, error_score="raise"
        )
    assert len(found["test_score"]) == 2


def test_column_transformer_cannot(panel):
    """It picks columns, and a panel has none."""
    told = r"a panel has one axis \(records\) and no columns; got shape\[1\]. What picks columns, such as ColumnTransformer"
    for columns in ([0], ["x0"], "x0", slice(0, 1)):
        with pytest.raises(IndexError, match=told):
            ColumnTransformer([("summary", RecordSummary(), columns)]).fit(panel)
    table = make_pipeline(RecordSummary(), ColumnTransformer([("first", "passthrough", [0])]))
    assert table.fit_transform(panel).shape == (30, 1)


def test_bagging_cannot(panel):
    """It turns the panel into an array, which the panel refuses with what to do."""
    with pytest.raises(TypeError, match=r"a panel is ragged and no array; use to_array\(\)"):
        BaggingRegressor(HybridMemoryRegressor(**TINY), n_estimators=2).fit(panel, np.arange(30.0))


def test_permutation_importance_cannot(forecast):
    """It permutes columns, and a panel has none."""
    model = LastValueForecaster().fit(*forecast)
    with pytest.raises(TypeError, match="a panel is ragged and no array"):
        permutation_importance(model, *forecast)


# ---- backends ------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_joblib_backends(forecast, backend):
    """Processes and threads find what a plain loop finds."""
    X, y = forecast
    with joblib.parallel_config(backend=backend, n_jobs=2):
        found = cross_val_score(RidgeForecaster(), X, y, cv=3, error_score="raise")
    np.testing.assert_allclose(found, cross_val_score(RidgeForecaster(), X, y, cv=3), rtol=1e-6)


@pytest.mark.filterwarnings("ignore:`apply_async` is deprecated:DeprecationWarning")  # Dask's backend with joblib 1.5
@pytest.mark.skipif(find_spec("distributed") is None, reason='needs dask: pip install "dask[distributed]"')
def test_dask_backend(forecast):
    """The recipe of docs/scikit_learn.rst: a search whose fits run on a Dask cluster."""
    from distributed import Client

    X, y = forecast
    search, expected = (GridSearchCV(RidgeForecaster(), {"features": ["own", "last"]}, cv=2) for _ in range(2))
    cluster = Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None)
    with cluster, joblib.parallel_config(backend="dask"):
        search.fit(X, y)
    expected.fit(X, y)
    assert search.best_params_ == expected.best_params_
