"""Heads: from a state at a query to a predictive distribution."""

from cndts.heads.gaussian import GaussianForecast, GaussianHead
from cndts.heads.head import Forecast, Head
from cndts.heads.quantile import QuantileForecast, QuantileHead

HEADS: dict[str, type[GaussianHead] | type[QuantileHead]] = {"gaussian": GaussianHead, "quantile": QuantileHead}

__all__ = ["HEADS", "Forecast", "GaussianForecast", "GaussianHead", "Head", "QuantileForecast", "QuantileHead"]
