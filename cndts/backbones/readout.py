"""Carrying the state of each node from the last event to the query times."""

import torch
from torch import Tensor, nn

from cndts._layers import log_time
from cndts.dynamics import GatedField, Solver, SolverStatistics, solve_adaptive, solve_fixed_step
from cndts.dynamics.adaptive import METHODS as ADAPTIVE_METHODS
from cndts.dynamics.fixed_step import METHODS as FIXED_STEP_METHODS

# Forecasts move fast at first and settle: n steps grow by the n-th root of this each, so that more steps are finer
# everywhere.
_GROWTH = 27.0
# Fixed steps reach a little beyond the longest horizon of training, so that a late last event needs no further step.
_REACH = 1.25


class Readout(nn.Module):
    r"""Neural ODE from the state at the last event to each query, :math:`dz/dt = f_\theta(t, z)`.

    Chen et al., *Neural Ordinary Differential Equations*, NeurIPS 2018, with t the time since the record's last event.
    A fixed-step method solves once per node and reads its queries from the dense solution; the knots depend on nothing
    but the settings, so that a forecast is the same whatever else is asked. An adaptive method solves once per query.

    Parameters
    ----------
    width : int
        Length of the state.
    solver : Solver
        Method and steps; may be replaced after training.

    Examples
    --------
    >>> readout = Readout(width=4, solver=Solver())
    >>> at, statistics = readout(torch.zeros(3, 4), torch.tensor([0, 2, 2]), torch.tensor([0.5, 0.1, 2.0]))
    >>> at.shape, statistics.n_rows
    (torch.Size([3, 4]), 2)
    """

    def __init__(self, width: int, solver: Solver) -> None:
        super().__init__()
        _check(solver)
        self.solver = solver
        if solver.method == "direct":
            self.decoder = nn.Sequential(nn.Linear(width + 2, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))
        else:
            self.field = GatedField(width, 2 * width)

    def forward(self, nodes: Tensor, query_node: Tensor, horizon: Tensor) -> tuple[Tensor, SolverStatistics]:
        """State at the queries.

        Parameters
        ----------
        nodes : Tensor of shape (n_nodes, width)
            State of each node at its record's last event.
        query_node : Tensor of shape (n_queries,)
            Node of each query.
        horizon : Tensor of shape (n_queries,)
            Model time from the last event to the query.

        Returns
        -------
        Tensor of shape (n_queries, width), SolverStatistics
        """
        if self.solver.method == "direct":
            return self._decode(nodes[query_node], horizon), SolverStatistics("direct", len(horizon), 0, 0)
        if self.solver.method not in FIXED_STEP_METHODS:
            return solve_adaptive(
                self.field,
                nodes[query_node],
                horizon.clamp(min=0),
                method=self.solver.method,
                rtol=self.solver.rtol,
                atol=self.solver.atol,
                adjoint=self.solver.adjoint,
            )
        return self._solve_fixed(nodes, query_node, horizon)

    def _decode(self, state: Tensor, horizon: Tensor) -> Tensor:
        return state + self.decoder(torch.cat([state, horizon[:, None], log_time(horizon)[:, None]], dim=-1))

    def _solve_fixed(self, nodes: Tensor, query_node: Tensor, horizon: Tensor) -> tuple[Tensor, SolverStatistics]:
        asked, row = torch.unique(query_node, return_inverse=True)
        knots = _knots(self.solver.steps).to(nodes)
        near = solve_fixed_step(self.field, nodes[asked], knots, self.solver.method)
        is_far = horizon > knots[-1]
        state = near.at(row, horizon)
        if not is_far.any():
            return state, near.statistics
        far_row, far = torch.unique(row[is_far], return_inverse=True)
        # Beyond the reach of training the last step is repeated: growing on would outrun the field.
        step = knots[-1] - knots[-2]
        n_more = int(torch.ceil((horizon.max() - knots[-1]) / step).clamp(min=1))
        more = knots[-1] + step * torch.arange(n_more + 1).to(nodes)
        beyond = solve_fixed_step(self.field, near.state[-1][far_row], more, self.solver.method)
        state = state.index_put((is_far.nonzero(as_tuple=True)[0],), beyond.at(far, horizon[is_far]))
        spent = near.statistics.n_row_evaluations + beyond.statistics.n_row_evaluations
        calls = near.statistics.n_evaluations + beyond.statistics.n_evaluations
        return state, SolverStatistics(self.solver.method, len(asked), calls, spent)


def _knots(n_steps: int) -> Tensor:
    """Step ends from 0 to ``_REACH``, each step longer than the one before by the same factor (float64)."""
    powers = _GROWTH ** (torch.arange(n_steps + 1, dtype=torch.float64) / n_steps)
    return _REACH * (powers - 1) / (_GROWTH - 1)


def _check(solver: Solver) -> None:
    methods = ("direct", *FIXED_STEP_METHODS, *ADAPTIVE_METHODS)
    if solver.method not in methods:
        raise ValueError(f"solver__method must be one of {methods}; got {solver.method!r}.")
    if solver.steps < 1:
        raise ValueError(f"solver__steps must be 1 or more; got {solver.steps!r}.")
