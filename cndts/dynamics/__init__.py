"""Vector fields and batched solvers of ordinary differential equations."""

from cndts.dynamics._types import SolverStatistics, VectorField
from cndts.dynamics.adaptive import solve_adaptive
from cndts.dynamics.concat_squash_field import ConcatSquashField
from cndts.dynamics.dense_solution import DenseSolution
from cndts.dynamics.fields import FIELDS
from cndts.dynamics.fixed_step import solve_fixed_step, solve_to_end
from cndts.dynamics.gated_field import GatedField
from cndts.dynamics.hyper_field import HyperField
from cndts.dynamics.linear_flow import LinearFlow
from cndts.dynamics.penalised_field import PenalisedField
from cndts.dynamics.settings import Solver
from cndts.dynamics.solver_error import SolverError, SolverWarning

__all__ = [
    "FIELDS",
    "ConcatSquashField",
    "DenseSolution",
    "GatedField",
    "HyperField",
    "LinearFlow",
    "PenalisedField",
    "Solver",
    "SolverError",
    "SolverStatistics",
    "SolverWarning",
    "VectorField",
    "solve_adaptive",
    "solve_fixed_step",
    "solve_to_end",
]
