"""Vector fields and batched solvers of ordinary differential equations."""

from cndts.dynamics._types import SolverStatistics, VectorField
from cndts.dynamics.adaptive import solve_adaptive
from cndts.dynamics.dense_solution import DenseSolution
from cndts.dynamics.fixed_step import solve_fixed_step
from cndts.dynamics.gated_field import GatedField
from cndts.dynamics.settings import Solver

__all__ = [
    "DenseSolution",
    "GatedField",
    "Solver",
    "SolverStatistics",
    "VectorField",
    "solve_adaptive",
    "solve_fixed_step",
]
