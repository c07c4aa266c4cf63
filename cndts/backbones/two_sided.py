"""Any causal backbone on both sides of a gap."""

from typing import Any, ClassVar, NamedTuple, Self

import torch
from torch import Tensor

from cndts.backbones.backbone import Backbone, QueryStates
from cndts.backbones.visit_table import comes_later
from cndts.dynamics import Solver
from cndts.event_batch import EventBatch


class TwoSidedState(NamedTuple):
    """What is known of each record on either side of its gap.

    Attributes
    ----------
    before, after : named tuple of tensors
        States of the backbones; None for ``after`` where no record of the batch has a later side.
    bridge : Tensor of shape (n_records,)
        Length of the gap; 0 where a record has events on one side alone.
    is_back : Tensor of shape (n_records,)
        Whether a record has events after the gap alone.
    """

    before: Any
    after: Any
    bridge: Tensor
    is_back: Tensor


class TwoSidedBackbone(Backbone[TwoSidedState]):
    """Two backbones of one kind: one reads what comes before a gap, the other, backward in time, what comes after it.

    Each answers a query from its own side, at the distance to its last event there; the features are added, the anchors stand side by
    side. That is the bidirectional recurrent network of Schuster and Paliwal, *Bidirectional Recurrent Neural Networks*, IEEE Transactions on
    Signal Processing 1997, cut at the gap. A side without events says what the backbone says of an empty record.

    A subclass names the kind.

    Parameters
    ----------
    n_channels : int
        Channels.
    before, after : Backbone
        Of one kind.

    Attributes
    ----------
    causal : type of Backbone
        The kind.
    """

    causal: ClassVar[type[Backbone]]

    def __init__(self, n_channels: int, before: Backbone, after: Backbone) -> None:
        super().__init__()
        self.n_channels, self.before, self.after = n_channels, before, after
        self.width, self.n_anchors = before.width, before.n_anchors + after.n_anchors

    @classmethod
    def build(cls, n_channels: int, n_static: int, *, width: int, dropout: float, solver: Solver | None) -> Self:
        """Make both backbones."""
        before, after = (
            cls.causal.build(n_channels, n_static, width=width, dropout=dropout, solver=solver) for _ in range(2)
        )
        return cls(n_channels, before, after)

    def encode(self, batch: EventBatch) -> TwoSidedState:
        """Read the events on both sides."""
        after = None if batch.later is None else self.after.encode(batch.later)
        return TwoSidedState(self.before.encode(batch), after, batch.bridge, comes_later(batch))

    def at(self, state: TwoSidedState, query_node: Tensor, query_channel: Tensor, query_horizon: Tensor) -> QueryStates:
        """Answer queries from both sides."""
        record = torch.div(query_node, self.n_channels, rounding_mode="floor")
        is_back, bridge = state.is_back.index_select(0, record), state.bridge.index_select(0, record)
        since = torch.where(is_back, 0.0, query_horizon)
        before = self.before.at(state.before, query_node, query_channel, since)
        if state.after is None:
            anchors = torch.nn.functional.pad(before.anchors, (0, self.after.n_anchors))
            return before._replace(anchors=anchors)
        until = torch.where(is_back, query_horizon, (bridge - query_horizon).clamp(min=0))
        after = self.after.at(state.after, query_node, query_channel, until)
        # The total of two solves keeps the first one's penalty; the second one's would be lost.
        penalties = [each for each in (before.penalty, after.penalty, after.statistics.penalty) if each is not None]
        return QueryStates(
            before.features + after.features,
            torch.cat([before.anchors, after.anchors], dim=1),
            before.statistics.plus(after.statistics),
            torch.stack(penalties).sum() if penalties else None,
        )
