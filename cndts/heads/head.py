"""The contract of heads."""

from abc import ABC, abstractmethod
from typing import Any, Protocol

from torch import Tensor, nn


class Forecast(Protocol):
    """What a head says at the queries, in standardised units."""

    @property
    def mean(self) -> Tensor:
        """Point forecast of shape (n_queries,)."""
        ...


class Head(nn.Module, ABC):
    """From states at the queries to a predictive distribution."""

    @abstractmethod
    def forward(self, state: Tensor, anchors: Tensor) -> Forecast:
        """Forecast from states (n_queries, width) and anchors (n_queries, n_anchors)."""

    @abstractmethod
    def loss(self, forecast: Any, target: Tensor) -> Tensor:
        """Loss of the distribution beyond its mean at each query, shape (n_queries,)."""

    @abstractmethod
    def average(self, forecasts: list[Any]) -> Any:
        """One forecast from those of several networks for the same queries."""

    @abstractmethod
    def quantiles(self, forecast: Any, levels: list[float]) -> Tensor:
        """Quantiles of shape (n_queries, n_levels); levels rise."""
