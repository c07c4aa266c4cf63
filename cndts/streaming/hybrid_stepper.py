"""Streams of the hybrid-memory backbone."""

from typing import Any

import torch
from torch import Tensor

from cndts.backbones import EncodedRecords, HybridMemoryBackbone
from cndts.event_batch import EventBatch
from cndts.memory import HybridState, SeriesFacts
from cndts.streaming.stepper import Stepper


class HybridStepper(Stepper):
    """Memories with a row for every node, written on for ever.

    What is decayed or aged again and again, the accumulators and the episodic slots, is kept in double precision: a
    single decay over a short gap differs from 1 by less than single precision resolves, and after a million of them
    the error would show. The networks read in single precision.

    Parameters
    ----------
    backbone : HybridMemoryBackbone
        Whose memories these are.
    """

    def __init__(self, backbone: HybridMemoryBackbone) -> None:
        self.backbone = backbone

    def start(self, static: Tensor) -> HybridState:
        """Empty memories."""
        return _kept(self.backbone.memory.empty(self.backbone.n_channels, len(static)))

    def write(self, state: HybridState, batch: EventBatch) -> HybridState:
        """Write further events at a cost that does not depend on how many came before."""
        before = state.rows(batch.series_node)
        newer = self.backbone.memory.write(self.backbone.encoder(batch), batch, before)
        return state.updated(batch.series_node, _kept(newer))

    def ready(self, state: HybridState, facts: SeriesFacts, static: Tensor) -> EncodedRecords:
        """Read the memories into nodes."""
        return self.backbone.nodes(_read(state).rows(facts.node), facts, static)


def _kept(state: HybridState) -> HybridState:
    """As a stream keeps it."""
    episodic = state.episodic
    if episodic is not None:
        episodic = episodic._replace(facts=episodic.facts.double(), strength=episodic.strength.double())
    return state._replace(compressed=_map(state.compressed, torch.float64), episodic=episodic)


def _read(state: HybridState) -> HybridState:
    """As the networks read it."""
    return state._replace(
        compressed=_map(state.compressed, torch.float32), episodic=_map(state.episodic, torch.float32)
    )


def _map(state: Any, dtype: torch.dtype) -> Any:
    """The floating point parts in another precision; complex ones in that of their real parts."""
    if state is None:
        return None
    return type(state)(*(_cast(part, dtype) for part in state))


def _cast(part: Tensor, dtype: torch.dtype) -> Tensor:
    if part.is_complex():
        return part.to(dtype.to_complex())
    return part.to(dtype) if part.is_floating_point() else part
