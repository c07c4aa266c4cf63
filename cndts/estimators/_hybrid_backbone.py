"""The hybrid-memory backbone as the estimators make it."""

from cndts._panel_time import NANOSECONDS
from cndts.backbones import HybridMemoryBackbone
from cndts.dynamics import Solver
from cndts.memory import Memory
from cndts.memory.settings import check_memory
from cndts.scaling import Scaling

_N_HEADS = 4
_DAYS = (1.0, 7.0, 365.2425)
# A cycle that comes round less often in a record cannot be told from a trend.
_ROUNDS = 3


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
    time_unit: str,
    scaling: Scaling,
    two_sided: bool = False,
) -> HybridMemoryBackbone:
    """A new backbone; None stands for default settings."""
    memory = memory or Memory()
    check_memory(memory)
    return HybridMemoryBackbone(
        n_channels,
        n_static,
        memory,
        solver or Solver(),
        width=width,
        n_heads=_N_HEADS,
        n_layers=layers,
        dropout=dropout,
        cycles=[length / scaling.time_scale for length in _cycles(memory, time_unit, scaling.span)],
        two_sided=two_sided,
    )


def _cycles(memory: Memory, time_unit: str, span: float) -> list[float]:
    """Lengths of the cycles in the time unit of the panel."""
    if not isinstance(memory.cycles, str):
        return [float(length) for length in memory.cycles]
    if time_unit not in NANOSECONDS:
        return []
    lengths = [days * NANOSECONDS["D"] / NANOSECONDS[time_unit] for days in _DAYS]
    return [length for length in lengths if _ROUNDS * length <= span]
