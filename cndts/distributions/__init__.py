"""What a forecaster says of each query as a whole distribution."""

from cndts.distributions._forecast_distribution import ForecastDistribution
from cndts.distributions._normal_distribution import NormalDistribution
from cndts.distributions._quantile_distribution import QuantileDistribution

__all__ = ["ForecastDistribution", "NormalDistribution", "QuantileDistribution"]
