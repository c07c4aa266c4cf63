"""Tracing a fitted forecaster into a program."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from cndts._panel_queries import check_asks
from cndts._whole_file import whole_file
from cndts.batching import EventStore
from cndts.dynamics.horizon_grid import REACH
from cndts.estimators._causal_context import causal_context
from cndts.export._exportable_forecast import FIELDS, ExportableForecast
from cndts.panel import IrregularPanel

if TYPE_CHECKING:
    from torch.export import ExportedProgram

_LEVELS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)


def export_forecaster(
    model: Any,
    X: IrregularPanel,
    path: str | os.PathLike[str] | None = None,
    *,
    levels: Sequence[float] = _LEVELS,
    furthest: float = REACH,
) -> ExportedProgram:
    """Trace a fitted hybrid-memory forecaster into a program that torch runs without cndts.

    Numbers of records, events and queries stay free. The program takes the tensors of `batch_tensors` and gives means and
    quantiles in the units of the data.

    Parameters
    ----------
    model : HybridMemoryForecaster
        Fitted, with a fixed-step method (the default), ``"direct"`` or ``"linear"`` as its solver.
    X : IrregularPanel of n_records
        Some records with queries after their last events, to trace with; at least three events, visits and queries.
    path : path-like, optional
        Where to write the program, usually with the ending ``.pt2``; an older file is replaced only when the new one is complete.
        Channels, units and levels go with it as ``cndts.json``.
    levels : sequence of float, default=(0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
        Levels of the quantiles.
    furthest : float, default=1.25
        Longest horizon that is answered, see `ExportableForecast`.

    Returns
    -------
    torch.export.ExportedProgram
        ``program.module()(tensors)`` gives mean and quantiles.

    Raises
    ------
    TypeError
        If the model is no fitted forecaster with the hybrid-memory backbone.
    ValueError
        If its solver is adaptive, a setting is out of range, or ``X`` is too small to trace with.

    See Also
    --------
    ExportableForecast : What is traced, and how it differs from ``predict``.
    """
    module = ExportableForecast(model, levels, furthest).eval()
    tensors, _ = batch_tensors(model, X)
    sizes = {_size_of(name): len(tensors[name]) for name in FIELDS}
    small = [name for name, size in sizes.items() if size < 3]
    if small:
        raise ValueError(
            f"X is too small to trace with: {small[0]} is {sizes[small[0]]}, and 3 are needed. Take more records."
        )
    dims = {name: torch.export.Dim(name) for name in sizes}
    shapes = {name: {0: dims[_size_of(name)]} for name in FIELDS}
    with torch.no_grad():
        # strict, since plain tracing turns len() into a constant
        program = torch.export.export(module, (tensors,), dynamic_shapes=(shapes,), strict=True)
    if path is not None:
        about = {
            "channels": list(model.channels_in_),
            "time_unit": model.time_unit_in_,
            "time_scale": float(model.scaling_.time_scale),
            "levels": module.levels,
            "furthest": module.furthest,
            "inputs": list(FIELDS),
        }
        with whole_file(path) as unfinished, open(unfinished, "wb") as file:
            torch.export.save(program, file, extra_files={"cndts.json": json.dumps(about)})
    return program


def batch_tensors(model: Any, X: IrregularPanel) -> tuple[dict[str, Tensor], np.ndarray]:
    """What an exported program takes.

    Parameters
    ----------
    model : HybridMemoryForecaster
        The fitted model: it knows the units.
    X : IrregularPanel of n_records
        Events and queries. A query before its record's last event gets a copy of the record that ends before it, as in ``predict``.

    Returns
    -------
    tensors : dict of str to Tensor
        The tensors of an `EventBatch`, with an empty record behind the others: a program is traced for two records or more.
    position : ndarray of shape (n_queries,)
        Row of the program's answer for each query of ``X``.
    """
    panel, position = causal_context(model._check_predict(X))
    queries = check_asks(panel)
    store = EventStore(panel, model.scaling_, model.static_.transform(panel.static))
    batch = store.batch(np.arange(len(panel)), queries)
    tensors = {name: getattr(batch, name) for name in FIELDS}
    # one record more, without events: a program is traced for two or more
    for name in ("static", "record_gap", "bridge"):
        tensors[name] = torch.cat([tensors[name], torch.zeros_like(tensors[name][:1])])
    return tensors, np.arange(queries.n_queries)[position]


def _size_of(name: str) -> str:
    """What the first axis of a field counts."""
    for start, size in (("series_", "n_series"), ("visit_", "n_visits"), ("query_", "n_queries")):
        if name.startswith(start):
            return size
    return "n_records" if name in ("record_gap", "bridge", "static") else "n_events"
