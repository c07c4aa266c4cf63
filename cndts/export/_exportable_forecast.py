"""A fitted forecaster as a module of tensors alone."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import fields
from types import MethodType
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from cndts.backbones import HybridMemoryBackbone
from cndts.backbones.readout import Readout
from cndts.dynamics import SolverStatistics, VectorField, solve_fixed_step, solve_to_end
from cndts.dynamics.fixed_step import METHODS
from cndts.dynamics.horizon_grid import FURTHEST, REACH, further_step_ends, step_ends
from cndts.event_batch import EventBatch

if TYPE_CHECKING:
    from cndts.streaming.served_model import FittedModel

# Sizes are read off the tensors; what lies after a gap is for interpolators.
FIELDS = tuple(
    field.name for field in fields(EventBatch) if field.name not in ("n_records", "n_channels", "n_visits", "later")
)


class ExportableForecast(nn.Module):
    """What a fitted hybrid-memory forecaster computes, with nothing that depends on the values of tensors.

    It differs from the estimator in three places, none of which changes an answer. All nodes of the batch are solved, not
    only those asked about. Events are written to the memories at once, however many there are. And whether states are finite is
    not looked at: where the estimator raises `SolverError`, numbers here are not finite.

    Parameters
    ----------
    model : HybridMemoryForecaster
        Fitted, with a fixed-step method, ``"direct"`` or ``"linear"`` as its solver.
    levels : sequence of float
        Levels of the quantiles.
    furthest : float, default=1.25
        Longest horizon that is answered, in multiples of the longest training horizon; up to 250. Beyond 1.25, where the model
        was not trained, every node takes further steps whether it is asked for them or not.

    Raises
    ------
    TypeError
        If the model is no fitted forecaster with this backbone.
    ValueError
        If its solver is adaptive, or ``furthest`` or ``levels`` are out of range.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, model: FittedModel, levels: Sequence[float], furthest: float = REACH) -> None:
        super().__init__()
        _check(model, levels, furthest)
        self.levels, self.furthest, self.n_channels = (
            sorted(map(float, levels)),
            float(furthest),
            len(model.channels_in_),
        )
        self.network = copy.deepcopy(model.network_).cpu().eval()
        for part in list(self.network.modules()):
            if isinstance(part, HybridMemoryBackbone):
                part.write = MethodType(_write, part)  # type: ignore[method-assign]
                part.readout = _OpenReadout(part.readout, float(furthest))  # type: ignore[assignment]
        self.register_buffer("mean", torch.as_tensor(model.scaling_.mean, dtype=torch.float64).clone())
        self.register_buffer("std", torch.as_tensor(model.scaling_.std, dtype=torch.float64).clone())

    def forward(self, tensors: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Forecast the queries of a batch.

        Parameters
        ----------
        tensors : dict of str to Tensor
            The fields of `EventBatch` that are tensors, as `batch_tensors` gives them.

        Returns
        -------
        mean : Tensor of shape (n_queries,), float64
            Point forecasts in the units of the data; NaN beyond ``furthest``.
        quantiles : Tensor of shape (n_queries, n_levels), float64
            At the rising levels.
        """
        batch = EventBatch(
            n_records=tensors["static"].shape[0],
            n_channels=self.n_channels,
            n_visits=tensors["visit_record"].shape[0],
            **cast(Any, tensors),
        )
        forecast = self.network.head.average([cast(Any, member)(batch).forecast for member in self.network.members])
        quantiles = self.network.head.quantiles(forecast, self.levels)
        scale, shift = (part.index_select(0, batch.query_channel) for part in (self.std, self.mean))
        known = torch.where(batch.query_horizon <= self.furthest, 0.0, torch.nan).double()
        mean = forecast.mean.double() * scale + shift + known
        return mean, quantiles.double() * scale[:, None] + shift[:, None] + known[:, None]


class _OpenReadout(nn.Module):
    """Solves every node, so that no shape depends on which nodes are asked about."""

    def __init__(self, readout: Readout, furthest: float) -> None:
        super().__init__()
        self.readout, self.furthest = readout, furthest
        # Found once and for all: how many there are depends on a value, which a program must not.
        self.further_ends = further_step_ends(readout.solver.steps, furthest)

    def forward(self, nodes: Tensor, query_node: Tensor, horizon: Tensor) -> tuple[Tensor, SolverStatistics]:
        readout, method = self.readout, self.readout.solver.method
        horizon = horizon.clamp(min=0)
        nothing = SolverStatistics(method, 0, 0, 0)
        if method == "linear":
            return readout.flow(nodes, query_node, horizon), nothing
        horizon = horizon.clamp(max=FURTHEST)
        if method == "direct":
            return readout._decode(nodes.index_select(0, query_node), horizon), nothing
        return self._solved(nodes, query_node, horizon)[:, : readout.width], nothing

    def _solved(self, nodes: Tensor, query_node: Tensor, horizon: Tensor) -> Tensor:
        solver = self.readout.solver
        field, start = self.readout._problem(nodes)
        if not solver.dense:
            start = start.index_select(0, query_node)
            own_knots = (horizon.clamp(max=REACH) / REACH)[:, None] * step_ends(solver.steps).to(nodes)
            ends, _ = solve_to_end(field, start, own_knots, solver.method)
            return self._continued(field, ends, ends, torch.arange(ends.shape[0], device=ends.device), horizon)
        near = solve_fixed_step(field, start, step_ends(solver.steps).to(nodes), solver.method)
        return self._continued(field, near.at(query_node, horizon), near.state[-1], query_node, horizon)

    def _continued(self, field: VectorField, state: Tensor, ends: Tensor, row: Tensor, horizon: Tensor) -> Tensor:
        """Further steps from where the first ones end, for queries beyond."""
        if self.furthest <= REACH:
            return state
        beyond = solve_fixed_step(field, ends, self.further_ends.to(state), self.readout.solver.method)
        return torch.where((horizon > REACH)[:, None], beyond.at(row, horizon), state)


# ---- the same as the methods they stand for, without shapes that depend on values ----------------------


def _write(backbone: HybridMemoryBackbone, batch: EventBatch) -> Any:
    return backbone.memory.write(backbone.encoder(batch), batch)


def _check(model: Any, levels: Sequence[float], furthest: float) -> None:
    network = getattr(model, "network_", None)
    members = [] if network is None else list(getattr(network, "members", []))
    backbones = [getattr(member, "backbone", None) for member in members]
    if not backbones or not all(
        isinstance(part, HybridMemoryBackbone) and part.later_side is None for part in backbones
    ):
        raise TypeError(
            "only fitted forecasters with the hybrid-memory backbone can be exported, not interpolators, other backbones or "
            f"baselines; got {type(model).__name__}. Fit a HybridMemoryForecaster."
        )
    method = cast(HybridMemoryBackbone, backbones[0]).readout.solver.method
    if method not in (*METHODS, "direct", "linear"):
        raise ValueError(
            f"a program has a fixed number of steps, and the solver {method!r} chooses its own. Call model.set_solver('rk4', "
            "steps=6) first, and compare its forecasts."
        )
    if not levels or not all(0 < level < 1 for level in levels):
        raise ValueError(f"levels must lie strictly between 0 and 1; got {levels!r}. Use [0.05, 0.5, 0.95].")
    if not REACH <= furthest <= FURTHEST:
        raise ValueError(f"furthest must lie between {REACH} and {FURTHEST:g} training horizons; got {furthest!r}.")
