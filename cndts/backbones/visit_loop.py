"""A recurrent cell run over the visits of many records at once."""

from collections.abc import Callable

import torch
from torch import Tensor

Cell = Callable[..., Tensor]
"""``cell(state, *inputs) -> state`` with one row a record."""


class VisitLoop:
    """Order in which the visits of a batch are stepped through, without padding.

    Records are sorted by their number of visits, so that step k concerns the first so many of them, and the visits of a step are
    neighbours in memory: what does not depend on the state is computed for all visits before the loop, and the loop
    itself takes views.

    Parameters
    ----------
    visit_record : Tensor of shape (n_visits,)
        Record of each visit, rising; within a record visits are sorted by time.
    n_records : int
        Records, with or without visits.
    backward : bool, default=False
        Start at the last visit of each record and end at its first.

    Examples
    --------
    The number of visits of each record, counted one by one:

    >>> loop = VisitLoop(torch.tensor([0, 2, 2]), n_records=3)
    >>> loop.run(lambda state, one: state + one, torch.zeros(3, 1), torch.ones(3, 1)).flatten()
    tensor([1., 0., 2.])
    """

    def __init__(self, visit_record: Tensor, n_records: int, *, backward: bool = False) -> None:
        count = torch.bincount(visit_record, minlength=n_records)
        rank = torch.arange(len(visit_record), device=count.device) - (count.cumsum(0) - count)[visit_record]
        step = count[visit_record] - 1 - rank if backward else rank
        self.by_length = torch.argsort(count, descending=True, stable=True)
        self.place = torch.argsort(self.by_length)
        self.order = torch.argsort(step * n_records + self.place[visit_record])
        self.sizes: list[int] = torch.bincount(step).tolist()

    def run(self, cell: Cell, start: Tensor, *inputs: Tensor) -> Tensor:
        """Step through all visits.

        Parameters
        ----------
        cell : callable
            ``cell(state, *inputs)`` gives the next state of shape (n, n_state) from n rows of state and inputs.
        start : Tensor of shape (n_records, n_state)
            State before the first step.
        *inputs : Tensor of shape (n_visits, ...)
            What the cell reads at each visit.

        Returns
        -------
        Tensor of shape (n_records, n_state)
            State after the last step of each record.
        """
        state, ended = start.index_select(0, self.by_length), []
        for rows in zip(*(part.index_select(0, self.order).split(self.sizes) for part in inputs), strict=True):
            if len(rows[0]) < len(state):
                ended.append(state[len(rows[0]) :])
                state = state[: len(rows[0])]
            state = cell(state, *rows)
        return torch.cat([state, *reversed(ended)]).index_select(0, self.place)
