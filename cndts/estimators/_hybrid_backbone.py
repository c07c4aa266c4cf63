"""The hybrid-memory backbone as the estimators make it."""

from cndts.backbones import HybridMemoryBackbone
from cndts.dynamics import Solver
from cndts.memory import Memory

_N_HEADS = 4


def check_width(width: int) -> None:
    """Refuse a width that the heads of attention cannot share."""
    if width <= 0 or width % _N_HEADS:
        raise ValueError(f"width must be a positive multiple of {_N_HEADS}; got {width!r}.")


def hybrid_backbone(
    n_channels: int,
    n_static: int,
    memory: Memory | None,
    solver: Solver | None,
    *,
    width: int,
    layers: int,
    dropout: float,
    two_sided: bool = False,
) -> HybridMemoryBackbone:
    """A new backbone; None stands for default settings."""
    return HybridMemoryBackbone(
        n_channels,
        n_static,
        memory or Memory(),
        solver or Solver(),
        width=width,
        n_heads=_N_HEADS,
        n_layers=layers,
        dropout=dropout,
        two_sided=two_sided,
    )
