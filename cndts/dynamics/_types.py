"""Shared vocabulary of the solvers."""

from collections.abc import Callable
from typing import NamedTuple, Self, TypeAlias

from torch import Tensor

VectorField: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""``field(t, z) -> dz/dt`` with t of shape (n_rows, 1) and z of shape (n_rows, n_state); rows never mix."""


class SolverStatistics(NamedTuple):
    """What one solve cost.

    Attributes
    ----------
    method : str
        Name of the method.
    n_rows : int
        Independent initial values solved together.
    n_evaluations : int
        Calls of the vector field (each on at most ``n_rows`` rows).
    n_row_evaluations : int
        Rows evaluated over all calls: the work done.
    n_accepted, n_rejected : int
        Steps taken, and steps tried in vain. Only adaptive methods reject.
    row_evaluations : Tensor of shape (n_nodes,) or None
        Evaluations by row, from `Readout` alone: one entry per node, zero where nothing was asked. Their sum is
        ``n_row_evaluations``. None where every row cost ``n_evaluations``.
    penalty : Tensor or None
        Scalar to add to the training loss, see `PenalisedField`; None where no regularisation was asked for.

    Examples
    --------
    >>> SolverStatistics("rk4", 3, 13, 39).plus(SolverStatistics("rk4", 1, 5, 5)).n_row_evaluations
    44
    """

    method: str
    n_rows: int
    n_evaluations: int
    n_row_evaluations: int
    n_accepted: int = 0
    n_rejected: int = 0
    row_evaluations: Tensor | None = None
    penalty: Tensor | None = None

    def plus(self, other: Self) -> Self:
        """Total of two solves that share rows: counts add up, method, rows and penalty stay those of the first."""
        return self._replace(
            n_evaluations=self.n_evaluations + other.n_evaluations,
            n_row_evaluations=self.n_row_evaluations + other.n_row_evaluations,
            n_accepted=self.n_accepted + other.n_accepted,
            n_rejected=self.n_rejected + other.n_rejected,
        )
