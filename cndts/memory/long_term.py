"""What every long-term memory offers beside writing."""

from abc import abstractmethod
from typing import Self

from torch import Tensor

from cndts.memory.settings import Memory
from cndts.memory.store import MemoryStore, State


class LongTermMemory(MemoryStore[State]):
    """A summary of all events of a series in constant space, one row per series.

    A new one is one file, its test, and one line in `cndts.memory.LONG_TERM`.

    Attributes
    ----------
    n_features : int
        Length of what ``read`` gives.
    """

    n_features: int

    @classmethod
    @abstractmethod
    def build(cls, n_channels: int, width: int, settings: Memory) -> Self:
        """Make the memory from the settings that all long-term memories share.

        Parameters
        ----------
        n_channels, width : int
            Channels, and length of an encoded event.
        settings : Memory
            Sizes and gates; ``timescales`` is how many averages there are.
        """

    @abstractmethod
    def read(self, state: State) -> Tensor:
        """Features of shape (n_series, n_features), for series with events."""

    @abstractmethod
    def averages(self, state: State) -> Tensor:
        """Averages of the values, shape (n_series, n_timescales), from the latest stretch to the whole series."""
