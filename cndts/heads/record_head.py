"""The contract of heads that speak of whole records."""

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn


class RecordHead(nn.Module, ABC):
    """From one vector per record to what is said of the record."""

    @abstractmethod
    def forward(self, vector: Tensor) -> Any:
        """Outcome of records from vectors (n_records, width)."""

    @abstractmethod
    def loss(self, outcome: Any, target: Tensor) -> Tensor:
        """Loss of each record, shape (n_records,)."""

    @abstractmethod
    def average(self, outcomes: list[Any]) -> Any:
        """One outcome from those of several networks for the same records."""
