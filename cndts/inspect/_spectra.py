"""How the read-out's ODE moves: growth rates at the last event and along a forecast."""

import copy
import math
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from cndts.backbones import HybridMemoryBackbone
from cndts.backbones.readout import Readout
from cndts.dynamics import VectorField
from cndts.inspect._subject import Piece, Subject, as_array, check_follows
from cndts.inspect._tangent import field_jacobian, finite_time_exponents
from cndts.panel import IrregularPanel

# Jacobians of this many nodes are held at once.
_NODES_AT_ONCE = 256


@torch.no_grad()
def jacobian_spectrum(model: Any, X: IrregularPanel) -> pd.DataFrame:
    """Eigenvalues of the vector field's Jacobian at the last event of each record.

    They say how the forecast would move if the field stayed what it is there: which directions grow, fade or turn.

    Parameters
    ----------
    model : fitted forecaster
        With a hybrid-memory backbone that solves an ODE (any method but ``"direct"``).
    X : IrregularPanel of n_records
        The records. Channels asked for are listed; all of them where there are no queries.

    Returns
    -------
    DataFrame
        One row per record, ``channel`` (whose node is at the start), member and ``mode``: ``growth`` is the real part of the
        eigenvalue, per unit of panel time, the largest first; ``frequency`` the imaginary part over 2 pi, in turns per unit
        of panel time.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model has another backbone, or ``X`` is no panel.
    ValueError
        If the model has no vector field.

    Examples
    --------
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_oscillators
    >>> from cndts.estimators import HybridMemoryForecaster
    >>> from cndts.training import Training
    >>> X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(30, random_state=0))
    >>> model = HybridMemoryForecaster(width=8, training=Training(epochs=1), random_state=0).fit(X, y)
    >>> spectrum = jacobian_spectrum(model, X[:1])
    >>> spectrum.groupby(["channel", "member"]).size().unique().tolist()
    [8]
    """
    subject = Subject(model, X)
    unit = float(model.scaling_.time_scale)
    rows = []
    for piece in subject.pieces():
        for member, backbone in enumerate(subject.backbones):
            field, start = _problem(backbone, piece, node := subject.asked_in(piece))
            for some in torch.arange(len(start)).split(_NODES_AT_ONCE):
                z = start[some]
                values = torch.linalg.eigvals(field_jacobian(field, z.new_zeros(len(z), 1), z))
                values = values.gather(1, values.real.argsort(dim=1, descending=True, stable=True)) / unit
                rows.append(_modes(piece, node[some], member, growth=values.real, frequency=values.imag / math.tau))
    return _table(subject, rows, "mode", ["growth", "frequency"])


@torch.no_grad()
def lyapunov_exponents(model: Any, X: IrregularPanel, *, steps: int = 64) -> pd.DataFrame:
    """Finite-time Lyapunov exponents of the vector field along each forecast.

    From the record's last event to the last query of the channel. A positive exponent says that small differences between
    two pasts grow in the forecast, a negative one that they are forgotten. See `finite_time_exponents` for the equation.

    Parameters
    ----------
    model : fitted forecaster
        With a hybrid-memory backbone that solves an ODE (any method but ``"direct"``).
    X : IrregularPanel of n_records
        Records with queries after their last event; queries at the last event itself are left out.
    steps : int, default=64
        Runge-Kutta steps, whatever the model's own solver.

    Returns
    -------
    DataFrame
        One row per record, ``channel``, member and ``rank``: the ``horizon`` in the panel's time unit and the ``exponent`` per unit of
        panel time, the largest first.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model has another backbone, or ``X`` is no panel.
    ValueError
        If there are no queries, one comes before the last event of its record, or the model has no vector field.

    Examples
    --------
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_oscillators
    >>> from cndts.estimators import HybridMemoryForecaster
    >>> from cndts.training import Training
    >>> X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(30, random_state=0))
    >>> model = HybridMemoryForecaster(width=8, training=Training(epochs=1), random_state=0).fit(X, y)
    >>> exponents = lyapunov_exponents(model, X[:1])
    >>> list(exponents.columns)
    ['record', 'channel', 'member', 'rank', 'horizon', 'exponent']
    """
    subject = Subject(model, X)
    if subject.panel.queries is None:
        raise ValueError("X has no queries, so there is no forecast to follow; use X.with_queries(times=...).")
    check_follows(subject.panel)
    unit = float(model.scaling_.time_scale)
    rows = []
    for piece in subject.pieces():
        node, horizon = _horizons(subject, piece)
        for member, backbone in enumerate(subject.backbones):
            field, start = _problem(backbone, piece, node)
            for some in torch.arange(len(start)).split(_NODES_AT_ONCE):
                exponents = finite_time_exponents(field, start[some], horizon[some], steps=steps) / unit
                until = (horizon[some] * unit)[:, None].expand_as(exponents)
                rows.append(_modes(piece, node[some], member, horizon=until, exponent=exponents))
    return _table(subject, rows, "rank", ["horizon", "exponent"])


def _horizons(subject: Subject, piece: Piece) -> tuple[NDArray[np.int64], Tensor]:
    """Nodes with a query after the last event, and the horizon of the latest one in model time (double)."""
    batch = piece.batch
    latest = torch.zeros(batch.n_records * batch.n_channels, dtype=torch.double, device=batch.query_node.device)
    latest = latest.scatter_reduce(0, batch.query_node, batch.query_horizon.double(), "amax")
    node = subject.asked_in(piece)
    node = node[as_array(latest)[node] > 0]
    return node, latest[torch.from_numpy(node).to(latest.device)]


def _problem(backbone: HybridMemoryBackbone, piece: Piece, node: NDArray[np.int64]) -> tuple[VectorField, Tensor]:
    """Vector field and states at the last event in double precision, zeros of the augmentation included."""
    readout = backbone.readout
    field = _field(readout)
    nodes = backbone.encode(piece.batch).nodes.double()[torch.from_numpy(node)]
    is_linear = readout.solver.method == "linear"
    return field, nodes if is_linear else F.pad(nodes, (0, readout.solver.augment))


def _field(readout: Readout) -> VectorField:
    if readout.solver.method == "direct":
        raise ValueError(
            "the model decodes its forecasts directly (solver__method='direct'): there is no vector field."
        )
    if readout.solver.method == "linear":
        generator = readout.flow.generator().double()
        return lambda t, z: z @ generator.T
    return copy.deepcopy(readout.field).double()


def _modes(piece: Piece, node: NDArray[np.int64], member: int, **values: Tensor) -> pd.DataFrame:
    n_nodes, n_modes = next(iter(values.values())).shape
    place = node + piece.first * piece.batch.n_channels
    columns = {name: as_array(value).ravel() for name, value in values.items()}
    number = np.tile(np.arange(n_modes), n_nodes)
    return pd.DataFrame({"node": np.repeat(place, n_modes), "member": member, "number": number, **columns})


def _table(subject: Subject, rows: list[pd.DataFrame], number: str, values: list[str]) -> pd.DataFrame:
    columns = ["node", "member", "number", *values]
    found = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns, dtype=np.float64)
    found = found.sort_values(["node", "member", "number"], ignore_index=True)
    node, n_channels = found.pop("node").to_numpy(dtype=np.int64), len(subject.panel.channels)
    head = {"record": subject.records(node // n_channels), "channel": subject.channels(node % n_channels)}
    return pd.concat([pd.DataFrame(head), found.rename(columns={"number": number})], axis=1)
