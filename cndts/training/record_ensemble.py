"""Several networks that answer for whole records as one."""

from typing import Any

from torch import nn

from cndts.event_batch import EventBatch
from cndts.heads import RecordHead
from cndts.training.record_network import RecordNetwork


class RecordEnsemble(nn.Module):
    """Networks of one architecture, trained from different seeds, whose outcomes are averaged.

    See `Ensemble`. How outcomes are averaged is up to the head (`RecordHead.average`).

    Parameters
    ----------
    members : list of RecordNetwork
        At least one; all with the same kind of head.
    """

    def __init__(self, members: list[RecordNetwork]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    @property
    def head(self) -> RecordHead:
        """The head that reads the averaged outcome."""
        return self.members[0].get_submodule("head")  # type: ignore[return-value]

    def forward(self, batch: EventBatch) -> Any:
        """Averaged outcome of the records of a batch."""
        return self.head.average([member(batch).outcome for member in self.members])
