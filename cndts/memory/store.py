"""The contract of memories."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from torch import Tensor, nn

from cndts.event_batch import EventBatch

State = TypeVar("State", bound=tuple)


class MemoryStore(nn.Module, ABC, Generic[State]):
    """One kind of memory: written by events, read as a whole, its state a named tuple of tensors.

    The state has one row per series (events of one record and channel) or one per record; rows never mix, and times in a
    state count back from the last event of the row, so that a state is as free of absolute time as the batch. Writing
    a batch on top of an earlier state gives what one batch with all events gives: ``write`` is the recursion of a stream,
    the merge of chunks and, without ``before``, the whole history at once.

    A new memory is one file, its test, and one line in a registry of `cndts.memory`.
    """

    @abstractmethod
    def empty(self, n_rows: int) -> State:
        """State of rows in which nothing was written yet."""

    @abstractmethod
    def write(self, encoded: Tensor, batch: EventBatch, before: State | None = None) -> State:
        """Take in the events of a batch.

        Parameters
        ----------
        encoded : Tensor of shape (n_events, width)
            Encoded events.
        batch : EventBatch
            The events.
        before : state or None
            What the batch's rows (its series, or its records) held before its first event.

        Returns
        -------
        state
            At the last event of each row.
        """

    def step(self, state: State, encoded: Tensor, batch: EventBatch) -> State:
        """Write the events of one time stamp: ``write`` on top of ``state``."""
        return self.write(encoded, batch, state)
