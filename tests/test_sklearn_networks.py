"""Networks inside scikit-learn's ensembles, searches, calibration and long pipelines, on panels of records."""

from importlib.util import find_spec

import joblib
import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier, StackingClassifier, StackingRegressor, VotingRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    StratifiedKFold,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cndts import Extrapolation, IrregularPanel
from cndts.datasets import make_oscillators
from cndts.estimators import (
    HybridMemoryClassifier,
    HybridMemoryEncoder,
    HybridMemoryForecaster,
    HybridMemoryRegressor,
    LinearInterpolator,
    RecordSummary,
)
from cndts.memory import Memory
from cndts.training import Training
from cndts.transforms import ChannelStandardScaler

N_EVENTS = 8
TINY = {"width": 8, "training": Training(epochs=1, members=1), "random_state": 0}
LEARNING = {
    "width": 8,
    "dropout": 0.0,
    "memory": Memory(timescales=2, window=2, episodic_slots=0),
    "training": Training(epochs=8, batch_size=8, learning_rate=2e-2, members=1, averaging=0.9),
    "random_state": 0,
}


def records(n_records=80, seed=0):
    """Two channels at irregular times; the level of the second one differs between records."""
    rng = np.random.default_rng(seed)
    level = rng.normal(size=n_records)
    time = np.sort(rng.uniform(0, 10, (n_records, N_EVENTS)), axis=1)
    channel = np.tile(np.arange(N_EVENTS) % 2, (n_records, 1))
    value = np.where(channel == 1, level[:, None], 0) + 0.1 * rng.normal(size=time.shape)
    offsets = N_EVENTS * np.arange(n_records + 1)
    return IrregularPanel(offsets, time.ravel(), channel.ravel(), value.ravel(), channels=["flat", "level"]), level


@pytest.fixture(scope="module")
def train():
    return records()


@pytest.fixture(scope="module")
def new():
    return records(400, seed=1)


# ---- ensembles -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def regressors():
    return [
        ("network", HybridMemoryRegressor(**LEARNING)),
        ("summary", make_pipeline(RecordSummary(), StandardScaler(), Ridge())),
    ]


def test_stacking_regressors_on_panels(train, new, regressors):
    """Regressors of records below, above them a linear model that weighs what they say."""
    stack = StackingRegressor(regressors, Ridge(alpha=1e-3), cv=KFold(2)).fit(*train)
    below = stack.transform(new[0])
    np.testing.assert_allclose(below[:, 0], stack.named_estimators_["network"].predict(new[0]), rtol=1e-6)
    above = stack.final_estimator_
    np.testing.assert_allclose(stack.predict(new[0]), below @ above.coef_ + above.intercept_, rtol=1e-6)
    assert stack.score(*new) > 0.9


def test_voting_regressors_on_panels(train, new, regressors):
    """The vote is the weighted mean of what each says."""
    vote = VotingRegressor(regressors, weights=[1, 3]).fit(*train)
    network, summary = (model.predict(new[0]) for model in vote.estimators_)
    np.testing.assert_allclose(vote.predict(new[0]), (network + 3 * summary) / 4, rtol=1e-6)
    assert vote.score(*new) > 0.9


def test_stacking_classifiers_with_a_network(train, new):
    """A network is one of the classifiers that are stacked, and not the one that is left out."""
    base = [
        ("network", HybridMemoryClassifier(**LEARNING)),
        ("count", make_pipeline(RecordSummary(), HistGradientBoostingClassifier(max_iter=1, min_samples_leaf=100))),
    ]
    X, level = train
    stack = StackingClassifier(base, LogisticRegression(), cv=StratifiedKFold(2)).fit(X, level > 0)
    assert roc_auc_score(new[1] > 0, stack.predict_proba(new[0])[:, 1]) > 0.9
    assert abs(stack.final_estimator_.coef_[0, 0]) > 10 * abs(stack.final_estimator_.coef_[0, 1])


# ---- searches ------------------------------------------------------------------------------------


def test_halving_search_by_epochs():
    """Epochs are the resource: half of the candidates get twice as many."""
    X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(12, random_state=0))
    search = HalvingGridSearchCV(
        HybridMemoryForecaster(**TINY),
        {"training__learning_rate": [1e-3, 1e-2]},
        cv=2,
        resource="training__epochs",
        min_resources=1,
        max_resources=2,
        factor=2,
        error_score="raise",
    ).fit(X, y)
    assert search.n_resources_ == [1, 2]
    assert search.n_candidates_ == [2, 1]
    assert search.best_estimator_.training.epochs == 2
    assert [result.n_epochs for result in search.best_estimator_.fit_results_] == [2]


def test_from_raw_channels_to_boosted_trees(train, new):
    """Scaler, imputer, encoder and trees in one pipeline, and a search over how the encoder's network is trained."""
    X, level = train
    steps = [
        ChannelStandardScaler(),
        LinearInterpolator(),
        HybridMemoryEncoder(HybridMemoryForecaster(**TINY), n_components=6),
        HistGradientBoostingClassifier(max_iter=20, min_samples_leaf=5, random_state=0),
    ]
    asking = X.with_queries([2.0, 5.0, 8.0])
    name = "hybridmemoryencoder__forecaster__training__learning_rate"
    search = GridSearchCV(make_pipeline(*steps), {name: [1e-3, 1e-2]}, cv=2, scoring="roc_auc", error_score="raise")
    search.fit(asking, level > 0)
    best = search.best_estimator_
    fitted = best.named_steps["hybridmemoryencoder"].forecaster_
    assert fitted.training.learning_rate == search.best_params_[name]
    before_encoder = best[:2].transform(asking)
    assert before_encoder.queries is None
    assert (before_encoder.counts == X.counts + 6).all()
    fresh = new[0].with_queries([2.0, 5.0, 8.0])
    assert roc_auc_score(new[1] > 0, search.predict_proba(fresh)[:, 1]) > 0.8
    with pytest.raises(ValueError, match="did you mean 'forecaster__training__learning_rate'"):
        best.set_params(hybridmemoryencoder__forecaster__training__learnign_rate=1.0)


# ---- thresholds and calibration ------------------------------------------------------------------


def test_threshold_of_a_network(train, new):
    """Where one record in six is positive, the tuned threshold lies far below a half and finds more of them."""
    X, level = train
    is_rare, is_rare_new = level > 1.15, new[1] > 1.15
    model = HybridMemoryClassifier(**LEARNING).set_params(training__epochs=4)
    tuned = TunedThresholdClassifierCV(model, cv=2, scoring="balanced_accuracy").fit(X, is_rare)
    assert 0.05 < tuned.best_threshold_ < 0.4
    untuned = balanced_accuracy_score(is_rare_new, tuned.estimator_.predict(new[0]))
    assert balanced_accuracy_score(is_rare_new, tuned.predict(new[0])) > untuned + 0.1


class Overconfident(HybridMemoryClassifier):
    """Says its log odds sixfold."""

    def _log_probability(self, X):
        logs = 6 * super()._log_probability(X)
        return logs - np.logaddexp.reduce(logs, axis=-1, keepdims=True)


def test_calibration_of_a_network(train, new):
    """Labels of which a fifth are wrong allow no certainty; calibration takes it back and leaves the order."""
    rng = np.random.default_rng(0)
    y, y_new = ((level > 0) ^ (rng.random(len(level)) < 0.2) for level in (train[1], new[1]))
    model = Overconfident(**LEARNING).fit(train[0], y)
    calibrated = CalibratedClassifierCV(Overconfident(**LEARNING), cv=2).fit(train[0], y)
    plain, better = (log_loss(y_new, each.predict_proba(new[0])) for each in (model, calibrated))
    assert better < 0.65 < plain
    assert roc_auc_score(y_new, calibrated.predict_proba(new[0])[:, 1]) > 0.7


# ---- backends ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`apply_async` is deprecated:DeprecationWarning")  # Dask's backend with joblib 1.5
@pytest.mark.skipif(find_spec("distributed") is None, reason='needs dask: pip install "dask[distributed]"')
def test_dask_processes():
    """Panels, targets and networks travel to the processes of a Dask cluster and back."""
    from distributed import Client

    X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(12, random_state=0))
    grid = {"memory__window": [0, 2]}
    search, expected = (GridSearchCV(HybridMemoryForecaster(**TINY), grid, cv=2, error_score="raise") for _ in "ab")
    cluster = Client(processes=True, n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, joblib.parallel_config(backend="dask"):
        search.fit(X, y)
    expected.fit(X, y)
    assert search.best_params_ == expected.best_params_
    scores = [each.cv_results_["mean_test_score"] for each in (search, expected)]
    np.testing.assert_allclose(*scores, rtol=1e-4)
    np.testing.assert_allclose(search.predict(X).value, expected.predict(X).value, rtol=1e-4, atol=1e-4)
