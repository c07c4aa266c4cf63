"""The average of forecasters: what it answers, its parameters, files and refusals."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from cndts import Extrapolation, Interpolation, IrregularPanel, Targets
from cndts.datasets import make_oscillators
from cndts.estimators import (
    BoostedTreesForecaster,
    ConformalForecaster,
    DecayToMeanForecaster,
    HybridMemoryForecaster,
    LastValueForecaster,
    LinearInterpolator,
    NearestInterpolator,
    RidgeForecaster,
    VotingForecaster,
    load_estimator,
)

PAIR = [("last", LastValueForecaster()), ("ridge", RidgeForecaster())]


@pytest.fixture(scope="module")
def task() -> tuple[IrregularPanel, Targets]:
    return Extrapolation(observe=6, horizon=4).split(make_oscillators(60, random_state=0))


@pytest.mark.parametrize(("weights", "share"), [(None, 0.5), ([1, 3], 0.25), ([0, 2.0], 0.0)])
def test_answers_are_weighted_means(task: tuple, weights: list | None, share: float) -> None:
    """Point forecasts and every quantile, of the same fits apart."""
    X, y = task
    model = VotingForecaster(PAIR, weights=weights).fit(X, y)
    last, ridge = (each.fit(X, y) for _, each in PAIR)
    np.testing.assert_allclose(
        model.predict(X).value,
        share * last.predict(X).value + (1 - share) * ridge.predict(X).value,
        rtol=1e-5,
        atol=1e-6,
    )
    levels = [0.9, 0.1, 0.5]
    by_hand = share * last.predict_quantiles(X, levels) + (1 - share) * ridge.predict_quantiles(X, levels)
    np.testing.assert_allclose(model.predict_quantiles(X, levels), by_hand)
    assert model.named_estimators_.ridge is model.estimators_[1]


def test_validation_records_reach_the_estimators(task: tuple) -> None:
    """Trees stop on them instead of holding records out."""
    X, y = task
    trees = [("trees", BoostedTreesForecaster(max_iter=5, random_state=0))]
    with_validation = VotingForecaster(trees).fit(X[:40], y[:40], X_val=X[40:], y_val=y[40:])
    assert len(with_validation.estimators_[0].held_out_records_) == 0
    assert len(VotingForecaster(trees).fit(X, y).estimators_[0].held_out_records_)


def test_the_estimators_given_stay_unfitted(task: tuple) -> None:
    """Clones are fitted."""
    given = RidgeForecaster()
    VotingForecaster([("ridge", given)]).fit(*task)
    assert not hasattr(given, "models_")


def test_parameters_by_name() -> None:
    """Of an estimator, and an estimator itself; clones do not share them; the default pair has names too."""
    model = clone(VotingForecaster(PAIR))
    assert model.get_params()["ridge__features"] == PAIR[1][1].features
    model.set_params(last=DecayToMeanForecaster(), ridge__features="all", weights=[1, 2])
    assert type(model.estimators[0][1]) is DecayToMeanForecaster
    assert (model.estimators[1][1].features, model.weights, PAIR[1][1].features) == ("all", [1, 2], "own")
    assert model.set_params(last=LastValueForecaster()).set_params() is model
    default = VotingForecaster().set_params(network__training__epochs=3)
    assert [(name, type(each)) for name, each in default.estimators] == [
        ("network", HybridMemoryForecaster),
        ("trees", BoostedTreesForecaster),
    ]
    assert default.estimators[0][1].training.epochs == 3
    with pytest.raises(ValueError, match="did you mean 'ridge__features'"):
        model.set_params(ridge__feature="own")
    with pytest.raises(ValueError, match="Invalid parameter 'wieghts'.*did you mean 'weights'"):
        model.set_params(wieghts=None)


def test_interpolators_pass_observed_values_through() -> None:
    """Also when their intervals are calibrated."""
    X, y = Interpolation(observed=0.5, random_state=0).split(make_oscillators(80, random_state=0))
    pair = [("line", LinearInterpolator()), ("nearest", NearestInterpolator())]
    model = ConformalForecaster(VotingForecaster(pair), random_state=0).fit(X, y)
    assert model.reads_later_events
    seen = X.with_queries(times=2.0)
    line, nearest = (each.predict(seen).value for each in model.forecaster_.estimators_)
    np.testing.assert_allclose(model.predict(seen).value, (line + nearest) / 2, rtol=1e-5)
    events = X.with_queries(queries=type(seen.queries)(X.offsets, X.time, X.channel))
    np.testing.assert_allclose(model.predict_interval(events), np.repeat(X.value[:, None], 2, axis=1), rtol=1e-6)


def test_files(task: tuple, tmp_path: Path) -> None:
    """The same forecasts come back, of weights too."""
    X, y = task
    model = VotingForecaster([*PAIR, ("trees", BoostedTreesForecaster(max_iter=4))], weights=[1, 2, 3]).fit(X, y)
    model.save(tmp_path / "vote.cndts")
    again = load_estimator(tmp_path / "vote.cndts")
    np.testing.assert_array_equal(again.predict(X).value, model.predict(X).value)
    assert (again.weights, [name for name, _ in again.estimators]) == ([1, 2, 3], ["last", "ridge", "trees"])


@pytest.mark.parametrize(
    ("estimators", "weights", "error", "message"),
    [
        ([], None, TypeError, "list of pairs, a name and a forecaster"),
        ([("mean", np.mean)], None, TypeError, "got .*<function mean"),
        ([PAIR[0], ("mean", np.mean)], None, TypeError, "got .*<function mean"),
        ("trees", None, TypeError, "got 'trees'"),
        ([PAIR[0], PAIR[0]], None, ValueError, r"must differ.*got \['last', 'last'\]"),
        ([("a__b", PAIR[0][1])], None, ValueError, "have no '__'"),
        ([("weights", PAIR[0][1])], None, ValueError, "not be those of parameters"),
        ([PAIR[0], ("line", LinearInterpolator())], None, ValueError, "got LastValueForecaster, LinearInterpolator"),
        (PAIR, [1], ValueError, r"must be 2 finite numbers.*got \[1\]"),
        (PAIR, [0, 0], ValueError, "not all 0"),
        (PAIR, [1, -1], ValueError, "of 0 or more"),
        (PAIR, [1, np.inf], ValueError, "finite"),
    ],
)
def test_refusals(task: tuple, estimators: list, weights: list | None, error: type, message: str) -> None:
    """Before anything is fitted."""
    with pytest.raises(error, match=message):
        VotingForecaster(estimators, weights=weights).fit(*task)
