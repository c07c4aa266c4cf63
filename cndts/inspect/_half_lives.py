"""How long the memories of a fitted model last."""

import math
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from cndts.backbones import HybridMemoryBackbone
from cndts.inspect._subject import as_array, backbones_of
from cndts.memory import ForgetGate

# A forget gate sets the pace between 0 and twice the rate.
_FASTEST_PACE = 2.0
# Logarithm of a time that no record reaches.
_EVER = 700.0


@torch.no_grad()
def half_lives(model: Any) -> pd.DataFrame:
    r"""Time in which a memory loses half of what an event wrote, if nothing else comes.

    With rate :math:`\lambda`, pace :math:`\phi` of the forget gate and time scale :math:`\tau` of the model, that is
    :math:`\tau \ln 2 / (\phi \lambda)`. Episodic memory fades by a power :math:`\rho` of time, in which the half-life grows with age; stated is the time
    in which the odds of a record's first event halve, :math:`\tau (2^{1 / \rho} - 1) / (10 \phi)`.

    Parameters
    ----------
    model : fitted forecaster
        With a hybrid-memory backbone.

    Returns
    -------
    DataFrame
        One row per member and rate. ``memory`` is ``"long-term"``, with one rate per ``channel`` and time scale (``part``,
        shortest first at the start of training); ``"working"`` and ``"episodic"``, with one rate for all channels (``channel`` is
        missing) at which the odds of being read halve in the second round. ``half_life`` is the time at pace 1, ``shortest`` that
        at pace 2 and ``longest`` that at pace 0 (infinite): the range that the forget gate can choose from, all three in the panel's
        time unit. Where the gate was left out, and for a long-term memory that is
        cleared by events, they are equal; the window of the working memory does not fade then, and a
        long-term memory that knows no rates has no rows.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model has another backbone.

    See Also
    --------
    gate_trace : The paces chosen at each event.

    Examples
    --------
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_oscillators
    >>> from cndts.estimators import HybridMemoryForecaster
    >>> from cndts.training import Training
    >>> X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(30, random_state=0))
    >>> model = HybridMemoryForecaster(width=8, training=Training(epochs=1), random_state=0).fit(X, y)
    >>> table = half_lives(model)
    >>> list(table.columns)
    ['member', 'memory', 'channel', 'part', 'half_life', 'shortest', 'longest']
    >>> bool((table["shortest"] == table["half_life"] / 2).all())
    True
    """
    channels = np.asarray(model.channels_in_, dtype=object) if hasattr(model, "network_") else np.zeros(0)
    parts = [
        table.assign(member=member)
        for member, backbone in enumerate(backbones_of(model))
        for table in _of_backbone(backbone, channels, model.scaling_.time_scale)
    ]
    columns = ["member", "memory", "channel", "part", "half_life", "shortest", "longest"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _of_backbone(backbone: HybridMemoryBackbone, channels: NDArray, unit: float) -> list[pd.DataFrame]:
    memory, tables = backbone.memory, []
    log_rate = getattr(memory.compressed, "log_rate", None)
    if log_rate is not None:
        rate = as_array(log_rate.double().exp())
        channel, part = (index.ravel() for index in np.indices(rate.shape))
        tables.append(_table("long-term", channels[channel], part, rate.ravel(), unit, _fades(memory.compressed)))
    everywhere, first = np.array([None], dtype=object), np.zeros(1, dtype=np.int64)
    if memory.working is not None and _fades(memory.working):
        tables.append(_table("working", everywhere, first, np.ones(1), unit, True))
    if memory.episodic is not None:
        power = as_array(memory.episodic.log_power.double().exp()).reshape(1)
        rate = 10 * math.log(2) / np.expm1(np.minimum(math.log(2) / power, _EVER))
        tables.append(_table("episodic", everywhere, first, rate, unit, _fades(memory.episodic)))
    return tables


def _fades(store: Any) -> bool:
    """Whether a forget gate changes the pace of a memory."""
    gate = getattr(store, "forget_gate", None)
    return isinstance(gate, ForgetGate) and gate.layer is not None


def _table(
    memory: str, channel: NDArray, part: NDArray, rate: NDArray[np.float64], unit: float, has_gate: bool
) -> pd.DataFrame:
    half_life = unit * math.log(2) / rate
    return pd.DataFrame(
        {
            "memory": memory,
            "channel": channel,
            "part": part,
            "half_life": half_life,
            "shortest": half_life / _FASTEST_PACE if has_gate else half_life,
            "longest": np.inf if has_gate else half_life,
        }
    )
