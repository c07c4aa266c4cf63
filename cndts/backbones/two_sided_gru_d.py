"""GRU-D on both sides of a gap."""

from typing import ClassVar

from cndts.backbones.backbone import Backbone
from cndts.backbones.gru_d import GruDBackbone
from cndts.backbones.two_sided import TwoSidedBackbone


class TwoSidedGruDBackbone(TwoSidedBackbone):
    """GRU-D run forward up to a gap and backward up to it, see `TwoSidedBackbone` and `GruDBackbone`.

    Examples
    --------
    >>> TwoSidedGruDBackbone.build(3, 0, width=8, dropout=0.0, solver=None).n_anchors
    4
    """

    causal: ClassVar[type[Backbone]] = GruDBackbone
