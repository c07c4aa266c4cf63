"""The contract of backbones."""

from abc import ABC, abstractmethod
from typing import Generic, NamedTuple, Self, TypeVar

from torch import Tensor, nn

from cndts.dynamics import Solver, SolverStatistics
from cndts.event_batch import EventBatch

State = TypeVar("State", bound=tuple)


class QueryStates(NamedTuple):
    """What a backbone says at the queries, for a head to turn into forecasts.

    Attributes
    ----------
    features : Tensor of shape (n_queries, width)
        State at each query.
    anchors : Tensor of shape (n_queries, n_anchors)
        Plain forecasts in standardised units, which the head weighs and corrects.
    statistics : SolverStatistics
        Cost of the solve.
    penalty : Tensor or None
        A scalar to be added to the training loss, such as a divergence; None where there is none.
    """

    features: Tensor
    anchors: Tensor
    statistics: SolverStatistics
    penalty: Tensor | None = None


class Backbone(nn.Module, ABC, Generic[State]):
    """From packed events to a state at every query.

    ``encode`` reads the events of a batch into a state, a named tuple of tensors in which records never mix; ``at`` answers
    queries from it. What is promised of every backbone, and tested: a record's answers do not depend on its batch
    mates, on other queries, on the order of simultaneous events, or on a shift of all its times; gradients are exact;
    records without events are answered as well.

    A new backbone is one file with its paper in the docstring, its test, and one line in
    ``cndts.backbones.BACKBONES``.

    Attributes
    ----------
    width : int
        Length of the state at a query.
    n_anchors : int
        Plain forecasts at a query.
    """

    width: int
    n_anchors: int

    @classmethod
    @abstractmethod
    def build(cls, n_channels: int, n_static: int, *, width: int, dropout: float, solver: Solver | None) -> Self:
        """Make the backbone from the settings that all backbones share.

        Parameters
        ----------
        n_channels, n_static : int
            Channels, and length of the encoded static features.
        width : int
            Length of the state.
        dropout : float
            Dropout rate.
        solver : Solver or None
            How differential equations are solved; None takes the backbone's own default.

        Raises
        ------
        ValueError
            If the backbone cannot use these settings.
        """

    @abstractmethod
    def encode(self, batch: EventBatch) -> State:
        """Read the events of all records of a batch."""

    @abstractmethod
    def at(self, state: State, query_node: Tensor, query_channel: Tensor, query_horizon: Tensor) -> QueryStates:
        """Answer queries.

        Parameters
        ----------
        state : named tuple of tensors
            From ``encode``.
        query_node, query_channel : Tensor of shape (n_queries,)
            Node (``record * n_channels + channel``) and channel asked for.
        query_horizon : Tensor of shape (n_queries,)
            Model time from the record's last event to the query.

        Returns
        -------
        QueryStates
        """

    def forward(self, batch: EventBatch) -> QueryStates:
        """Answer the queries of a batch."""
        state = self.encode(batch)
        return self.at(state, batch.query_node, batch.query_channel, batch.query_horizon)
