"""Backbone and head as one module, with its loss."""

from typing import NamedTuple

from torch import Tensor, nn

from cndts.dynamics import SolverStatistics
from cndts.event_batch import EventBatch
from cndts.heads import Forecast, Head


class NetworkOutput(NamedTuple):
    """What the network says of a batch.

    Attributes
    ----------
    forecast : Forecast
        The head's forecast; its ``mean`` has shape (n_queries,).
    statistics : SolverStatistics
        Cost of the solve.
    """

    forecast: Forecast
    statistics: SolverStatistics


class Network(nn.Module):
    """A backbone with a head.

    Parameters
    ----------
    backbone : Module
        ``backbone(batch)`` gives state, anchors and solver statistics at the queries.
    head : Head
        ``head(state, anchors)`` gives the forecast.
    """

    def __init__(self, backbone: nn.Module, head: Head) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, batch: EventBatch) -> NetworkOutput:
        """Forecast the queries of a batch."""
        state, anchors, statistics = self.backbone(batch)
        return NetworkOutput(self.head(state, anchors), statistics)

    def loss(self, output: NetworkOutput, target: Tensor, weight: Tensor, absolute_weight: float) -> Tensor:
        """Weighted mean over queries of squared and absolute error of the mean, plus the head's own loss.

        Parameters
        ----------
        output : NetworkOutput
            Of the batch.
        target, weight : Tensor of shape (n_queries,)
            Standardised values and their weights.
        absolute_weight : float
            Weight of the absolute error.
        """
        error = output.forecast.mean - target
        point = error.square() + absolute_weight * error.abs()
        return (weight * (point + self.head.loss(output.forecast, target))).sum() / weight.sum().clamp(min=1e-12)
