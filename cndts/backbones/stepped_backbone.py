"""The contract of backbones that take observations one visit at a time."""

from abc import abstractmethod
from typing import NamedTuple

from torch import Tensor

from cndts.backbones.backbone import Backbone, State


class Visit(NamedTuple):
    """What is observed at one time in each of some records.

    Attributes
    ----------
    gap : Tensor of shape (n_records,)
        Model time since the previous visit of the record; 0 at its first.
    value : Tensor of shape (n_records, n_channels)
        Standardised values; anything where a channel is not observed.
    observed : Tensor of shape (n_records, n_channels)
        Whether the channel is observed; at least one in each record.
    """

    gap: Tensor
    value: Tensor
    observed: Tensor


class SteppedBackbone(Backbone[State]):
    """A causal backbone whose state can be carried from visit to visit at constant cost.

    Beside the promises of `Backbone`: stepping through the visits of a record gives the state that ``encode`` gives.
    """

    @abstractmethod
    def start(self, static: Tensor) -> State:
        """State before any event, from encoded static features of shape (n_records, n_static)."""

    @abstractmethod
    def step(self, state: State, visit: Visit) -> State:
        """State after one more visit of every record."""
