"""Carrying the state of each node from the last event to the query times."""

import warnings
from copy import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cndts._layers import log_time
from cndts.dynamics import (
    FIELDS,
    LinearFlow,
    PenalisedField,
    Solver,
    SolverError,
    SolverStatistics,
    SolverWarning,
    VectorField,
    solve_adaptive,
    solve_fixed_step,
    solve_to_end,
)
from cndts.dynamics.adaptive import METHODS as ADAPTIVE_METHODS
from cndts.dynamics.fixed_step import METHODS as FIXED_STEP_METHODS
from cndts.dynamics.horizon_grid import FURTHEST, REACH, further_step_ends, step_ends
from cndts.dynamics.penalised_field import random_signs
from cndts.dynamics.solver_error import broken_rows, is_finite

_WITHOUT_FIELD = ("direct", "linear")


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
        Method and steps; see `set_solver` for what may be replaced after training.

    Examples
    --------
    >>> readout = Readout(width=4, solver=Solver())
    >>> at, statistics = readout(torch.zeros(3, 4), torch.tensor([0, 2, 2]), torch.tensor([0.5, 0.1, 2.0]))
    >>> at.shape, statistics.n_rows, statistics.row_evaluations
    (torch.Size([3, 4]), 2, tensor([ 7,  0, 12]))
    """

    def __init__(self, width: int, solver: Solver) -> None:
        super().__init__()
        _check(solver)
        self.width = width
        self.solver = copy(solver)  # so that nobody changes it behind the checks
        n_state = width + solver.augment
        if solver.method == "direct":
            self.decoder = nn.Sequential(nn.Linear(width + 2, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))
        elif solver.method == "linear":
            self.flow = LinearFlow(width)
        else:
            self.field = FIELDS[solver.field](n_state, 2 * n_state)

    def set_solver(self, solver: Solver) -> None:
        """Replace the settings of the solver, keeping the weights.

        Every fixed-step and adaptive method solves the same ODE, so they can take each other's place, with other steps or
        tolerances. ``kinetic`` and ``jacobian`` matter in training alone.

        Parameters
        ----------
        solver : Solver
            The new settings.

        Raises
        ------
        ValueError
            If the settings are wrong, or need other weights: another field or augmentation, or a change from or to
            ``"direct"`` or ``"linear"``.
        """
        _check(solver)
        old, new = _weights(self.solver), _weights(solver)
        for name in old:
            if old[name] != new[name]:
                raise ValueError(
                    f"solver__{name} cannot change from {getattr(self.solver, name)!r} to {getattr(solver, name)!r} after "
                    "training, since its weights are others. Make a new estimator with this solver and fit it."
                )
        self.solver = copy(solver)

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

        Raises
        ------
        SolverError
            If a solve fails, see ``Solver(fallback=...)``; its rows are nodes. In training, nodes that are not finite
            before the solve pass, and the loss reports them.
        """
        horizon = horizon.clamp(min=0)
        state, statistics = self._answer(nodes, query_node, horizon)
        return (state if is_finite(state) else self._repaired(state, nodes, query_node)), statistics

    def path(self, nodes: Tensor, t: Tensor) -> Tensor:
        """State of every node at common times, for plots: ``t`` of shape (n_times,) gives (n_nodes, n_times, width)."""
        node = torch.arange(len(nodes), device=nodes.device).repeat_interleave(len(t))
        state, _ = self(nodes, node, t.to(nodes).repeat(len(nodes)))
        return state.view(len(nodes), len(t), self.width)

    # ---- methods ---------------------------------------------------------------------------------

    def _answer(self, nodes: Tensor, query_node: Tensor, horizon: Tensor) -> tuple[Tensor, SolverStatistics]:
        method = self.solver.method
        if method == "linear":
            return self.flow(nodes, query_node, horizon), _without_steps(method, nodes, query_node)
        horizon = horizon.clamp(max=FURTHEST)
        if method == "direct":
            return self._decode(nodes[query_node], horizon), _without_steps(method, nodes, query_node)
        if method in FIXED_STEP_METHODS:
            return self._solve_fixed(method, nodes, query_node, horizon)
        try:
            return self._solve_adaptive(nodes, query_node, horizon)
        except SolverError as error:
            if not self.solver.fallback:
                raise
            warnings.warn(f"{error} Solved by 'rk4' instead.", SolverWarning, stacklevel=2)
            return self._solve_fixed("rk4", nodes, query_node, horizon)

    def _decode(self, state: Tensor, horizon: Tensor) -> Tensor:
        return state + self.decoder(torch.cat([state, horizon[:, None], log_time(horizon)[:, None]], dim=-1))

    def _solve_adaptive(self, nodes: Tensor, query_node: Tensor, horizon: Tensor) -> tuple[Tensor, SolverStatistics]:
        field, start = self._problem(nodes[query_node])
        z1, statistics = solve_adaptive(
            field,
            start,
            horizon,
            method=self.solver.method,
            rtol=self.solver.rtol,
            atol=self.solver.atol,
            adjoint=self.solver.adjoint,
            max_evaluations=self.solver.max_evaluations,
            row_names=query_node,
        )
        cost = _by_node(nodes, query_node, statistics)
        return z1[:, : self.width], statistics._replace(row_evaluations=cost, penalty=self._penalty(z1))

    def _solve_fixed(
        self, method: str, nodes: Tensor, query_node: Tensor, horizon: Tensor
    ) -> tuple[Tensor, SolverStatistics]:
        knots = step_ends(self.solver.steps).to(nodes)
        if self.solver.dense:
            node, row = torch.unique(query_node, return_inverse=True)
            field, start = self._problem(nodes.index_select(0, node))
            near = solve_fixed_step(field, start, knots, method)
            state, ends, statistics = near.at(row, horizon), near.state[-1], near.statistics
        else:
            node, row = query_node, torch.arange(len(query_node), device=nodes.device)
            field, start = self._problem(nodes.index_select(0, node))
            own_knots = (horizon.clamp(max=REACH) / REACH)[:, None] * knots
            ends, statistics = solve_to_end(field, start, own_knots, method)
            state = ends
        penalty, cost = self._penalty(ends), _by_node(nodes, node, statistics)
        is_far = horizon > REACH
        if is_far.any():
            far_row, far = torch.unique(row[is_far], return_inverse=True)
            more = further_step_ends(self.solver.steps, float(horizon.max())).to(nodes)
            z = ends.index_select(0, far_row)[:, : self.width + self.solver.augment]
            beyond = solve_fixed_step(self.field, z, more, method)
            place = is_far.nonzero(as_tuple=True)
            state = state[:, : z.shape[1]].index_put(place, beyond.at(far, horizon[is_far]))
            statistics = statistics.plus(beyond.statistics)
            cost += _by_node(nodes, node[far_row], beyond.statistics)
        return state[:, : self.width], statistics._replace(row_evaluations=cost, penalty=penalty)

    # ---- augmentation and penalty ----------------------------------------------------------------

    def _problem(self, z: Tensor) -> tuple[VectorField, Tensor]:
        """Field and start: the state, then ``augment`` zeros, then the running penalty where one is asked for."""
        z = F.pad(z, (0, self.solver.augment)) if self.solver.augment else z
        if not self._is_penalised():
            return self.field, z
        field = PenalisedField(self.field, self.solver.kinetic, self.solver.jacobian, random_signs(z))
        return field, F.pad(z, (0, 1))

    def _is_penalised(self) -> bool:
        return self.training and torch.is_grad_enabled() and bool(self.solver.kinetic or self.solver.jacobian)

    def _penalty(self, ends: Tensor) -> Tensor | None:
        """Mean over rows of the integrated penalty."""
        return ends[:, -1].sum() / max(len(ends), 1) if self._is_penalised() else None

    # ---- failures --------------------------------------------------------------------------------

    def _repaired(self, state: Tensor, nodes: Tensor, query_node: Tensor) -> Tensor:
        """What to answer in place of states that are not finite."""
        broken = broken_rows(state)
        failed = torch.unique(query_node[broken])
        start_is_finite = is_finite(nodes[failed])
        if self.training and not start_is_finite:
            return state
        what = "the state became" if start_is_finite else "the state at the last event is already"
        error = SolverError(
            self.solver.method,
            f"{what} infinite or not a number",
            failed.tolist(),
            len(torch.unique(query_node)),
            "Look for weights that are not finite, or extreme values in these records.",
        )
        if self.training or not start_is_finite or not self.solver.fallback:
            raise error
        warnings.warn(f"{error} The state at the last event stands in.", SolverWarning, stacklevel=2)
        return state.index_copy(0, broken, nodes[query_node[broken]])


def _by_node(nodes: Tensor, node: Tensor, statistics: SolverStatistics) -> Tensor:
    """Evaluations of each of ``nodes``, when every mention in ``node`` cost ``n_evaluations``."""
    return torch.bincount(node, minlength=len(nodes)) * statistics.n_evaluations


def _without_steps(method: str, nodes: Tensor, query_node: Tensor) -> SolverStatistics:
    cost = torch.zeros(len(nodes), dtype=torch.long, device=nodes.device)
    return SolverStatistics(method, len(query_node), 0, 0, row_evaluations=cost)


def _weights(solver: Solver) -> dict[str, object]:
    """What decides which weights a read-out has."""
    if solver.method in _WITHOUT_FIELD:
        return {"method": solver.method, "field": None, "augment": 0}
    return {"method": "ode", "field": solver.field, "augment": solver.augment}


def _check(solver: Solver) -> None:
    methods = (*_WITHOUT_FIELD, *FIXED_STEP_METHODS, *ADAPTIVE_METHODS)
    if solver.method not in methods:
        raise ValueError(f"solver__method must be one of {methods}; got {solver.method!r}.")
    if solver.field not in FIELDS:
        raise ValueError(f"solver__field must be one of {tuple(FIELDS)}; got {solver.field!r}.")
    for name in ("rtol", "atol"):
        if not getattr(solver, name) > 0:
            raise ValueError(f"solver__{name} must be above 0; got {getattr(solver, name)!r}.")
    for name, least in _LEAST.items():
        value = getattr(solver, name)
        if not value >= least:
            raise ValueError(f"solver__{name} must be {least} or more; got {value!r}.")
        if least == 0 and value and solver.method in _WITHOUT_FIELD:
            raise ValueError(
                f"solver__{name} needs a learned field, which method {solver.method!r} has not; got {name}={value!r}. "
                f"Set it to 0, or choose another method."
            )


_LEAST = {"steps": 1, "max_evaluations": 1, "augment": 0, "kinetic": 0, "jacobian": 0}
