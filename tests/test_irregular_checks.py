"""Our own checks, on panels: every estimator passes them; `test_checks_can_fail.py` holds those that do not."""

from inspect import isabstract

import pytest
from sklearn.base import BaseEstimator

from cndts import estimators as public
from cndts import transforms
from cndts.backbones import BACKBONES, TWO_SIDED_BACKBONES
from cndts.estimators import (
    BoostedTreesForecaster,
    BoostedTreesInterpolator,
    ChannelMeanForecaster,
    ConformalForecaster,
    DecayToMeanForecaster,
    HybridMemoryClassifier,
    HybridMemoryEncoder,
    HybridMemoryForecaster,
    HybridMemoryInterpolator,
    HybridMemoryRegressor,
    InterpolatedTable,
    IrregularForecaster,
    IrregularInterpolator,
    LastValueForecaster,
    LinearInterpolationForecaster,
    LinearInterpolator,
    NearestInterpolator,
    OrnsteinUhlenbeckInterpolator,
    RecordSummary,
    RidgeForecaster,
    TransformedTargetForecaster,
    VotingForecaster,
)
from cndts.estimators.checks import irregular_estimator_checks
from cndts.training import Training
from cndts.transforms import (
    ChannelLogTransformer,
    ChannelMinMaxScaler,
    ChannelQuantileTransformer,
    ChannelRobustScaler,
    ChannelStandardScaler,
    DuplicateMerger,
    GapStatistics,
    GridResampler,
    LimitFilter,
    TimeFeatures,
    ValueClipper,
)

TINY = {"width": 8, "training": Training(epochs=1, members=1), "random_state": 0}

BASELINES = [
    BoostedTreesForecaster(max_iter=2, random_state=0),
    BoostedTreesInterpolator(max_iter=2, random_state=0),
    ChannelMeanForecaster(),
    ConformalForecaster(DecayToMeanForecaster(), calibration_fraction=0.5, random_state=0),
    DecayToMeanForecaster(),
    InterpolatedTable([2.0, 6.0]),
    LastValueForecaster(),
    LinearInterpolationForecaster(),
    LinearInterpolator(),
    NearestInterpolator(),
    OrnsteinUhlenbeckInterpolator(),
    RecordSummary(),
    RidgeForecaster(),
    TransformedTargetForecaster(),
    VotingForecaster([("ridge", RidgeForecaster()), ("last", LastValueForecaster())]),
]
TRANSFORMERS = [
    ChannelLogTransformer(),
    ChannelMinMaxScaler(),
    ChannelQuantileTransformer(n_quantiles=11),
    ChannelRobustScaler(),
    ChannelStandardScaler(),
    DuplicateMerger(),
    GapStatistics(),
    GridResampler(1.0),
    LimitFilter({"HR": (70.0, 90.0)}),
    TimeFeatures(),
    ValueClipper(),
]
NEURAL = [
    HybridMemoryClassifier(**TINY),
    HybridMemoryEncoder(HybridMemoryForecaster(**TINY), n_components=3),
    HybridMemoryForecaster(**TINY),
    HybridMemoryInterpolator(**TINY),
    HybridMemoryRegressor(**TINY),
    *(IrregularForecaster(backbone, **TINY) for backbone in sorted(BACKBONES)),
    *(IrregularInterpolator(backbone, **TINY) for backbone in sorted(TWO_SIDED_BACKBONES)),
]


# These fit several networks or start processes: of most neural estimators in the slow suite.
HEAVY = {"check_fit_again", "check_metadata_routing", "check_pickle_unfitted", "check_worker_processes"}


def kind_of(estimator):
    """What an estimator is listed under: its class, and its backbone where it has the choice."""
    return type(estimator).__name__, getattr(estimator, "backbone", None)


def checks(estimators, always=()):
    for estimator in estimators:
        name = "-".join(filter(None, kind_of(estimator)))
        for check in irregular_estimator_checks(estimator):
            slow = check.name in HEAVY and type(estimator) not in always
            yield pytest.param(check, id=f"{name}-{check.name}", marks=[pytest.mark.slow] if slow else [])


@pytest.mark.parametrize("check", list(checks(BASELINES, {type(each) for each in BASELINES})))
def test_baselines(check):
    check()


@pytest.mark.parametrize("check", list(checks(TRANSFORMERS)))
def test_transformers(check):
    check()


@pytest.mark.parametrize("check", list(checks(NEURAL, {HybridMemoryForecaster})))
def test_neural(check):
    check()


def test_every_estimator_is_checked():
    """A new public estimator must be listed here, and so must a new backbone."""
    kinds = [getattr(module, name) for module in (public, transforms) for name in module.__all__]
    concrete = {
        kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseEstimator) and not isabstract(kind)
    }
    backbones = {IrregularForecaster: BACKBONES, IrregularInterpolator: TWO_SIDED_BACKBONES}
    wanted = {(kind.__name__, backbone) for kind in concrete for backbone in backbones.get(kind, [None])}
    assert {kind_of(estimator) for estimator in [*BASELINES, *TRANSFORMERS, *NEURAL]} == wanted
