"""Forecasters and interpolators with scikit-learn's interface: the neural models and the baselines to beat."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cndts.estimators._base import BaseForecaster as BaseForecaster
    from cndts.estimators._base_interpolator import BaseInterpolator as BaseInterpolator
    from cndts.estimators._boosted_trees_forecaster import BoostedTreesForecaster as BoostedTreesForecaster
    from cndts.estimators._boosted_trees_interpolator import BoostedTreesInterpolator as BoostedTreesInterpolator
    from cndts.estimators._channel_mean_forecaster import ChannelMeanForecaster as ChannelMeanForecaster
    from cndts.estimators._conformal_forecaster import ConformalForecaster as ConformalForecaster
    from cndts.estimators._decay_to_mean_forecaster import DecayToMeanForecaster as DecayToMeanForecaster
    from cndts.estimators._hybrid_memory_classifier import HybridMemoryClassifier as HybridMemoryClassifier
    from cndts.estimators._hybrid_memory_encoder import HybridMemoryEncoder as HybridMemoryEncoder
    from cndts.estimators._hybrid_memory_forecaster import HybridMemoryForecaster as HybridMemoryForecaster
    from cndts.estimators._hybrid_memory_interpolator import HybridMemoryInterpolator as HybridMemoryInterpolator
    from cndts.estimators._hybrid_memory_regressor import HybridMemoryRegressor as HybridMemoryRegressor
    from cndts.estimators._interpolated_table import InterpolatedTable as InterpolatedTable
    from cndts.estimators._irregular_forecaster import IrregularForecaster as IrregularForecaster
    from cndts.estimators._irregular_interpolator import IrregularInterpolator as IrregularInterpolator
    from cndts.estimators._last_value_forecaster import LastValueForecaster as LastValueForecaster
    from cndts.estimators._linear_interpolation_forecaster import (
        LinearInterpolationForecaster as LinearInterpolationForecaster,
    )
    from cndts.estimators._linear_interpolator import LinearInterpolator as LinearInterpolator
    from cndts.estimators._loading import load_estimator as load_estimator
    from cndts.estimators._nearest_interpolator import NearestInterpolator as NearestInterpolator
    from cndts.estimators._ornstein_uhlenbeck_interpolator import (
        OrnsteinUhlenbeckInterpolator as OrnsteinUhlenbeckInterpolator,
    )
    from cndts.estimators._record_summary import RecordSummary as RecordSummary
    from cndts.estimators._ridge_forecaster import RidgeForecaster as RidgeForecaster
    from cndts.estimators._search_space import default_space as default_space
    from cndts.estimators._transformed_target_forecaster import (
        TransformedTargetForecaster as TransformedTargetForecaster,
    )
    from cndts.estimators._tuning import tune as tune
    from cndts.estimators._tuning_result import TuningResult as TuningResult
    from cndts.estimators._voting_forecaster import VotingForecaster as VotingForecaster

_MODULES = {
    "BaseForecaster": "_base",
    "BaseInterpolator": "_base_interpolator",
    "BoostedTreesForecaster": "_boosted_trees_forecaster",
    "BoostedTreesInterpolator": "_boosted_trees_interpolator",
    "ChannelMeanForecaster": "_channel_mean_forecaster",
    "ConformalForecaster": "_conformal_forecaster",
    "DecayToMeanForecaster": "_decay_to_mean_forecaster",
    "HybridMemoryClassifier": "_hybrid_memory_classifier",
    "HybridMemoryEncoder": "_hybrid_memory_encoder",
    "HybridMemoryForecaster": "_hybrid_memory_forecaster",
    "HybridMemoryInterpolator": "_hybrid_memory_interpolator",
    "HybridMemoryRegressor": "_hybrid_memory_regressor",
    "InterpolatedTable": "_interpolated_table",
    "IrregularForecaster": "_irregular_forecaster",
    "IrregularInterpolator": "_irregular_interpolator",
    "LastValueForecaster": "_last_value_forecaster",
    "LinearInterpolationForecaster": "_linear_interpolation_forecaster",
    "LinearInterpolator": "_linear_interpolator",
    "NearestInterpolator": "_nearest_interpolator",
    "OrnsteinUhlenbeckInterpolator": "_ornstein_uhlenbeck_interpolator",
    "RecordSummary": "_record_summary",
    "RidgeForecaster": "_ridge_forecaster",
    "TransformedTargetForecaster": "_transformed_target_forecaster",
    "TuningResult": "_tuning_result",
    "VotingForecaster": "_voting_forecaster",
    "default_space": "_search_space",
    "load_estimator": "_loading",
    "tune": "_tuning",
}

__all__ = [
    "BaseForecaster",
    "BaseInterpolator",
    "BoostedTreesForecaster",
    "BoostedTreesInterpolator",
    "ChannelMeanForecaster",
    "ConformalForecaster",
    "DecayToMeanForecaster",
    "HybridMemoryClassifier",
    "HybridMemoryEncoder",
    "HybridMemoryForecaster",
    "HybridMemoryInterpolator",
    "HybridMemoryRegressor",
    "InterpolatedTable",
    "IrregularForecaster",
    "IrregularInterpolator",
    "LastValueForecaster",
    "LinearInterpolationForecaster",
    "LinearInterpolator",
    "NearestInterpolator",
    "OrnsteinUhlenbeckInterpolator",
    "RecordSummary",
    "RidgeForecaster",
    "TransformedTargetForecaster",
    "TuningResult",
    "VotingForecaster",
    "default_space",
    "load_estimator",
    "tune",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # torch and scikit-learn load with the estimator that needs them, not with the package
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
