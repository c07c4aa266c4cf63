"""How a stream carries the state of one network."""

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor

from cndts.event_batch import EventBatch
from cndts.memory import SeriesFacts


class Stepper(ABC):
    """Writes events to the state of one record and makes it ready for queries.

    A state is a named tuple (nested, perhaps with None) of tensors whose first axis runs over the nodes of a record, or over
    records, so that the states of several records can be put one after the other. States are never written in
    place.
    """

    @abstractmethod
    def start(self, static: Tensor) -> Any:
        """State before any event, from encoded static features of shape (1, n_static)."""

    @abstractmethod
    def write(self, state: Any, batch: EventBatch) -> Any:
        """State after further events of one record."""

    @abstractmethod
    def ready(self, state: Any, facts: SeriesFacts, static: Tensor) -> Any:
        """What the backbone's ``at`` answers queries from.

        Parameters
        ----------
        state : state
            Of one record, or of several put one after the other.
        facts : SeriesFacts
            Of the channels that were seen; ``node`` counts through the records.
        static : Tensor of shape (n_records, n_static)
            Encoded static features.
        """
