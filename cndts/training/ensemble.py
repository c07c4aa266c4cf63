"""Several networks that answer as one."""

from torch import nn

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
        first = outputs[0].statistics
        return NetworkOutput(
            self.head.average([output.forecast for output in outputs]),
            SolverStatistics(
                first.method,
                first.n_rows,
                sum(output.statistics.n_evaluations for output in outputs),
                sum(output.statistics.n_row_evaluations for output in outputs),
            ),
        )
