"""Several networks that answer as one."""

from functools import reduce

import torch
from torch import Tensor, nn

from cndts.dynamics import SolverStatistics
from cndts.event_batch import EventBatch
from cndts.heads import Head
from cndts.training.network import Network, NetworkOutput


class Ensemble(nn.Module):
    """Networks of one architecture, trained from different seeds, whose forecasts are averaged.

    Lakshminarayanan et al., *Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles*, NeurIPS 2017, section
    2.4. How distributions are averaged is up to the head (`Head.average`).

    Parameters
    ----------
    members : list of Network
        At least one; all with the same kind of head.
    """

    def __init__(self, members: list[Network]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    @property
    def head(self) -> Head:
        """The head that reads the averaged forecast."""
        return self.members[0].get_submodule("head")  # type: ignore[return-value]

    def forward(self, batch: EventBatch) -> NetworkOutput:
        """Averaged forecast of a batch, with the cost of all members' solves."""
        outputs: list[NetworkOutput] = [member(batch) for member in self.members]
        return NetworkOutput(
            self.head.average([output.forecast for output in outputs]),
            _total([output.statistics for output in outputs]),
            _sum([output.penalty for output in outputs]),
        )


def _total(parts: list[SolverStatistics]) -> SolverStatistics:
    """Cost of solves that share their rows."""
    total = reduce(SolverStatistics.plus, parts)
    return total._replace(
        row_evaluations=_sum([part.row_evaluations for part in parts]), penalty=_sum([part.penalty for part in parts])
    )


def _sum(parts: list[Tensor | None]) -> Tensor | None:
    """Sum over members; None where they give none."""
    given = [part for part in parts if part is not None]
    return torch.stack(given).sum(dim=0) if given else None
