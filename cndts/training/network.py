"""Backbone and head as one module, with its loss."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from cndts.backbones import Backbone, QueryStates
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
    penalty : Tensor or None
        Scalar that solver and backbone add to the training loss.
    """

    forecast: Forecast
    statistics: SolverStatistics
    penalty: Tensor | None = None


class Network(nn.Module):
    """A backbone with a head.

    Parameters
    ----------
    backbone : Backbone
        Gives features and anchors at the queries.
    head : Head
        ``head(features, anchors)`` gives the forecast.
    """

    def __init__(self, backbone: Backbone, head: Head) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, batch: EventBatch) -> NetworkOutput:
        """Forecast the queries of a batch."""
        return self.answer(self.backbone(batch))

    def answer(self, at: QueryStates) -> NetworkOutput:
        """Forecast from the backbone's states at the queries."""
        penalties = [penalty for penalty in (at.penalty, at.statistics.penalty) if penalty is not None]
        return NetworkOutput(
            self.head(at.features, at.anchors), at.statistics, torch.stack(penalties).sum() if penalties else None
        )

    def loss(self, output: NetworkOutput, target: Tensor, weight: Tensor, absolute_weight: float) -> Tensor:
        """Weighted mean over queries of squared and absolute error of the mean, plus the head's own loss and the penalties that
        solver and backbone ask for.

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
        loss = (weight * (point + self.head.loss(output.forecast, target))).sum() / weight.sum().clamp(min=1e-12)
        return loss if output.penalty is None else loss + output.penalty
