"""Shared vocabulary of the solvers."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

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
    """

    method: str
    n_rows: int
    n_evaluations: int
    n_row_evaluations: int
