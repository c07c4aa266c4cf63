"""Heads: from a state at a query to a predictive distribution."""

from cndts.heads.gaussian import GaussianForecast, GaussianHead
from cndts.heads.quantile import QuantileForecast, QuantileHead

HEADS = {"gaussian": GaussianHead, "quantile": QuantileHead}

__all__ = ["HEADS", "GaussianForecast", "GaussianHead", "QuantileForecast", "QuantileHead"]
