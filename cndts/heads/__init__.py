"""Heads: from a state at a query to a predictive distribution."""

from cndts.heads.class_head import ClassHead, ClassOutcome
from cndts.heads.gaussian import GaussianForecast, GaussianHead
from cndts.heads.head import Forecast, Head
from cndts.heads.quantile import QuantileForecast, QuantileHead
from cndts.heads.record_head import RecordHead
from cndts.heads.record_regression import RecordNumbers, RecordRegressionHead

HEADS: dict[str, type[GaussianHead] | type[QuantileHead]] = {"gaussian": GaussianHead, "quantile": QuantileHead}

__all__ = [
    "HEADS",
    "ClassHead",
    "ClassOutcome",
    "Forecast",
    "GaussianForecast",
    "GaussianHead",
    "Head",
    "QuantileForecast",
    "QuantileHead",
    "RecordHead",
    "RecordNumbers",
    "RecordRegressionHead",
]
