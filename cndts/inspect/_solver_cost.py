"""What the ODE of each record costs to solve."""

from typing import Any

import numpy as np
import pandas as pd
import torch

from cndts.inspect._subject import Subject, check_follows
from cndts.panel import IrregularPanel


@torch.no_grad()
def solver_cost(model: Any, X: IrregularPanel) -> pd.DataFrame:
    """Evaluations and steps of the ODE solve, record by record.

    Each record is solved alone here. In ``predict`` records share a solve: a fixed-step method then costs the same per record,
    while an adaptive one takes the steps that its most difficult record needs.

    Parameters
    ----------
    model : fitted forecaster
        With a hybrid-memory backbone.
    X : IrregularPanel of n_records
        Records with queries after their last event.

    Returns
    -------
    DataFrame
        One row per record that is asked something and member: ``method``, number of ``queries``, ``calls`` of the vector field,
        ``evaluations`` (rows over all calls: the work done), ``accepted`` and ``rejected`` steps.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model has another backbone, or ``X`` is no panel.
    ValueError
        If there are no queries, or one comes before the last event of its record.

    Examples
    --------
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_oscillators
    >>> from cndts.estimators import HybridMemoryForecaster
    >>> from cndts.training import Training
    >>> X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(30, random_state=0))
    >>> model = HybridMemoryForecaster(width=8, training=Training(epochs=1), random_state=0).fit(X, y)
    >>> cost = solver_cost(model, X[:1])
    >>> cost[["method", "calls", "accepted", "rejected"]].values.tolist()[0]
    ['midpoint', 7, 3, 0]
    """
    subject = Subject(model, X)
    if subject.panel.queries is None:
        raise ValueError("X has no queries, so there is nothing to solve; use X.with_queries(times=...).")
    check_follows(subject.panel)
    rows = [
        (piece.first + record, member, *cost)
        for piece in subject.pieces()
        for member, backbone in enumerate(subject.backbones)
        for record, cost in _by_record(backbone, piece.batch)
    ]
    columns = ["place", "member", "method", "queries", "calls", "evaluations", "accepted", "rejected"]
    found = pd.DataFrame(rows, columns=columns).sort_values(["place", "member"], ignore_index=True)
    found.insert(0, "record", subject.records(found.pop("place").to_numpy(dtype=np.int64)))
    return found


def _by_record(backbone: Any, batch: Any) -> list[tuple[int, tuple]]:
    """Position of each record with queries, and what its solve cost."""
    nodes, n_channels = backbone.encode(batch).nodes, batch.n_channels
    queries = torch.bincount(batch.query_node // n_channels, minlength=batch.n_records).tolist()
    found, start = [], 0
    for record, count in enumerate(queries):
        here, first = slice(start, start + count), record * n_channels
        start += count
        if not count:
            continue
        _, cost = backbone.readout(
            nodes[first : first + n_channels], batch.query_node[here] - first, batch.query_horizon[here]
        )
        counted = (cost.n_evaluations, cost.n_row_evaluations, cost.n_accepted, cost.n_rejected)
        found.append((record, (cost.method, count, *counted)))
    return found
