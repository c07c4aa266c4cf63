"""Backbones: from packed events to a state at every query."""

from collections.abc import Callable
from functools import partial

from cndts.backbones.backbone import Backbone, QueryStates
from cndts.backbones.gru_d import GruDBackbone, GruDState
from cndts.backbones.hybrid_memory import EncodedRecords, HybridMemoryBackbone
from cndts.backbones.latent_ode import LatentOdeBackbone, LatentOdeState
from cndts.backbones.stepped_backbone import SteppedBackbone, Visit
from cndts.backbones.two_sided import TwoSidedBackbone, TwoSidedState
from cndts.backbones.two_sided_gru_d import TwoSidedGruDBackbone

BACKBONES: dict[str, type[Backbone]] = {
    "hybrid-memory": HybridMemoryBackbone,
    "latent-ode": LatentOdeBackbone,
    "gru-d": GruDBackbone,
}

# Those that read both sides of a gap, by the same names; called as ``Backbone.build`` is.
TWO_SIDED_BACKBONES: dict[str, Callable[..., Backbone]] = {
    "hybrid-memory": partial(HybridMemoryBackbone.build, two_sided=True),
    "latent-ode": LatentOdeBackbone.build,
    "gru-d": TwoSidedGruDBackbone.build,
}

__all__ = [
    "BACKBONES",
    "TWO_SIDED_BACKBONES",
    "Backbone",
    "EncodedRecords",
    "GruDBackbone",
    "GruDState",
    "HybridMemoryBackbone",
    "LatentOdeBackbone",
    "LatentOdeState",
    "QueryStates",
    "SteppedBackbone",
    "TwoSidedBackbone",
    "TwoSidedGruDBackbone",
    "TwoSidedState",
    "Visit",
]
