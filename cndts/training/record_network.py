"""Backbone, pooling and head for questions about whole records, with their loss."""

from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn

from cndts.backbones import HybridMemoryBackbone
from cndts.backbones.record_pooling import RecordPooling
from cndts.event_batch import EventBatch
from cndts.heads import RecordHead
from cndts.training.network import Network, NetworkOutput


class RecordLesson(NamedTuple):
    """What a batch of records teaches.

    Attributes
    ----------
    target : Tensor
        What the head is to say, one row a record.
    value, weight : Tensor of shape (n_queries,)
        Standardised values at the queries of the batch, and their weights.
    """

    target: Tensor
    value: Tensor
    weight: Tensor

    def to(self, device: torch.device | str) -> Self:
        """Move to a device."""
        return type(self)(*(part.to(device) for part in self))


class RecordOutput(NamedTuple):
    """What the network says of a batch.

    Attributes
    ----------
    outcome : NamedTuple of Tensor
        What the head says, one row a record.
    forecast : NetworkOutput or None
        Forecasts at the queries of the batch; None without queries.
    """

    outcome: Any
    forecast: NetworkOutput | None


class RecordNetwork(nn.Module):
    r"""Answers one question per record, and forecasts beside it.

    Records with an outcome are few, their events are many. The loss

    .. math:: \mathcal{L} = \mathcal{L}_\text{outcome} + \lambda \, \mathcal{L}_\text{forecast}

    lets the events teach the backbone too (auxiliary tasks: Caruana, *Multitask Learning*, Machine Learning 1997).

    Parameters
    ----------
    forecaster : Network
        Its backbone reads the events; its head forecasts at queries.
    pooling : RecordPooling
        From the states of a record's channels to one vector.
    head : RecordHead
        From that vector to the outcome.
    forecast_weight : float
        :math:`\lambda`.
    """

    def __init__(self, forecaster: Network, pooling: RecordPooling, head: RecordHead, forecast_weight: float) -> None:
        super().__init__()
        self.forecaster, self.pooling, self.head = forecaster, pooling, head
        self.forecast_weight = forecast_weight

    def forward(self, batch: EventBatch) -> RecordOutput:
        """Outcomes of the records of a batch, and forecasts at its queries."""
        backbone: HybridMemoryBackbone = self.forecaster.get_submodule("backbone")  # type: ignore[assignment]
        state = backbone.encode(batch)
        outcome = self.head(self.pooling(state.nodes, batch.static))
        if not self.forecast_weight or not len(batch.query_node):
            return RecordOutput(outcome, None)
        at = backbone.at(state, batch.query_node, batch.query_channel, batch.query_horizon)
        return RecordOutput(outcome, self.forecaster.answer(at))

    def loss(self, output: RecordOutput, lesson: RecordLesson, weight: Tensor, absolute_weight: float) -> Tensor:
        """Weighted mean over records of the head's loss, plus the loss of the forecasts.

        Parameters
        ----------
        output : RecordOutput
            Of the batch.
        lesson : RecordLesson
            What it should have been.
        weight : Tensor of shape (n_records,)
            Weights of the records.
        absolute_weight : float
            As in `Network.loss`.
        """
        loss = (weight * self.head.loss(output.outcome, lesson.target)).mean()
        if output.forecast is None:
            return loss
        forecast = self.forecaster.loss(output.forecast, lesson.value, lesson.weight, absolute_weight)
        return loss + self.forecast_weight * forecast
