"""Forecasters and interpolators with scikit-learn's interface: the neural models and the baselines to beat."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cndts.estimators._base import BaseForecaster as BaseForecaster
    from cndts.estimators._base_interpolator import BaseInterpolator as BaseInterpolator
    from cndts.estimators._boosted_trees_forecaster import BoostedTreesForecaster as BoostedTreesForecaster
    from cndts.estimators._boosted_trees_interpolator import BoostedTreesInterpolator as BoostedTreesInterpolator
    from cndts.estimators._channel_mean_forecaster import ChannelMeanForecaster as ChannelMeanForecaster
    from cndts.estimators._decay_to_mean_forecaster import DecayToMeanForecaster as DecayToMeanForecaster
    from cndts.estimators._hybrid_memory_forecaster import HybridMemoryForecaster as HybridMemoryForecaster
    from cndts.estimators._hybrid_memory_interpolator import HybridMemoryInterpolator as HybridMemoryInterpolator
    from cndts.estimators._irregular_forecaster import IrregularForecaster as IrregularForecaster
    from cndts.estimators._last_value_forecaster import LastValueForecaster as LastValueForecaster
    from cndts.estimators._linear_interpolation_forecaster import (
        LinearInterpolationForecaster as LinearInterpolationForecaster,
    )
    from cndts.estimators._linear_interpolator import LinearInterpolator as LinearInterpolator
    from cndts.estimators._nearest_interpolator import NearestInterpolator as NearestInterpolator
    from cndts.estimators._ornstein_uhlenbeck_interpolator import (
        OrnsteinUhlenbeckInterpolator as OrnsteinUhlenbeckInterpolator,
    )
    from cndts.estimators._ridge_forecaster import RidgeForecaster as RidgeForecaster

_MODULES = {
    "BaseForecaster": "_base",
    "BaseInterpolator": "_base_interpolator",
    "BoostedTreesForecaster": "_boosted_trees_forecaster",
    "BoostedTreesInterpolator": "_boosted_trees_interpolator",
    "ChannelMeanForecaster": "_channel_mean_forecaster",
    "DecayToMeanForecaster": "_decay_to_mean_forecaster",
    "HybridMemoryForecaster": "_hybrid_memory_forecaster",
    "HybridMemoryInterpolator": "_hybrid_memory_interpolator",
    "IrregularForecaster": "_irregular_forecaster",
    "LastValueForecaster": "_last_value_forecaster",
    "LinearInterpolationForecaster": "_linear_interpolation_forecaster",
    "LinearInterpolator": "_linear_interpolator",
    "NearestInterpolator": "_nearest_interpolator",
    "OrnsteinUhlenbeckInterpolator": "_ornstein_uhlenbeck_interpolator",
    "RidgeForecaster": "_ridge_forecaster",
}

__all__ = [
    "BaseForecaster",
    "BaseInterpolator",
    "BoostedTreesForecaster",
    "BoostedTreesInterpolator",
    "ChannelMeanForecaster",
    "DecayToMeanForecaster",
    "HybridMemoryForecaster",
    "HybridMemoryInterpolator",
    "IrregularForecaster",
    "LastValueForecaster",
    "LinearInterpolationForecaster",
    "LinearInterpolator",
    "NearestInterpolator",
    "OrnsteinUhlenbeckInterpolator",
    "RidgeForecaster",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # torch and scikit-learn load with the estimator that needs them, not with the package
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
