"""Backbones: from packed events to a state at every query."""

from cndts.backbones.backbone import Backbone, QueryStates
from cndts.backbones.gru_d import GruDBackbone, GruDState
from cndts.backbones.hybrid_memory import EncodedRecords, HybridMemoryBackbone
from cndts.backbones.latent_ode import LatentOdeBackbone, LatentOdeState
from cndts.backbones.stepped_backbone import SteppedBackbone, Visit

BACKBONES: dict[str, type[Backbone]] = {
    "hybrid-memory": HybridMemoryBackbone,
    "latent-ode": LatentOdeBackbone,
    "gru-d": GruDBackbone,
}

__all__ = [
    "BACKBONES",
    "Backbone",
    "EncodedRecords",
    "GruDBackbone",
    "GruDState",
    "HybridMemoryBackbone",
    "LatentOdeBackbone",
    "LatentOdeState",
    "QueryStates",
    "SteppedBackbone",
    "Visit",
]
