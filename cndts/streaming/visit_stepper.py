"""Streams of backbones that take one visit at a time."""

from typing import Any

import torch
from torch import Tensor

from cndts.backbones import SteppedBackbone, Visit
from cndts.backbones.visit_table import VisitTable
from cndts.event_batch import EventBatch
from cndts.memory import SeriesFacts
from cndts.streaming.stepper import Stepper


class VisitStepper(Stepper):
    """One ``step`` of the backbone for each time stamp.

    Parameters
    ----------
    backbone : SteppedBackbone
        Whose state this is.
    """

    def __init__(self, backbone: SteppedBackbone) -> None:
        self.backbone = backbone

    def start(self, static: Tensor) -> Any:
        """State before any event."""
        return self.backbone.start(static)

    def write(self, state: Any, batch: EventBatch) -> Any:
        """Run through the visits."""
        table, age = VisitTable.of(batch), batch.visit_age
        gaps = torch.cat([batch.record_gap, age[:-1] - age[1:]])
        for gap, value, observed in zip(gaps.split(1), table.value.split(1), table.observed.split(1), strict=True):
            state = self.backbone.step(state, Visit(gap, value, observed))
        return state

    def ready(self, state: Any, facts: SeriesFacts, static: Tensor) -> Any:
        """The state itself."""
        return state
