"""Which events the episodic memory holds."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from cndts.backbones import HybridMemoryBackbone
from cndts.event_chunks import event_chunks
from cndts.inspect._subject import Piece, Subject, as_array
from cndts.memory import EpisodicMemory, EpisodicState
from cndts.panel import IrregularPanel


@torch.no_grad()
def episodic_events(model: Any, X: IrregularPanel) -> pd.DataFrame:
    """The events that the episodic memory of each record holds at the record's last event.

    Parameters
    ----------
    model : fitted forecaster
        With a hybrid-memory backbone that has an episodic memory.
    X : IrregularPanel of n_records
        The records; queries are ignored.

    Returns
    -------
    DataFrame
        One row per record, member of the ensemble and filled slot, the strongest slot first. ``time``, ``channel`` and
        ``value`` are those of the event, in the panel's units and as ``X.to_long()`` writes them; ``salience`` is the log
        weight with which it entered, ``strength`` what is left of it at the record's last event.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model has another backbone, or ``X`` is no panel.
    ValueError
        If the model has no episodic memory, or the panel does not fit it.

    See Also
    --------
    episodic_reads : What a forecast took from these events.

    Examples
    --------
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_oscillators
    >>> from cndts.estimators import HybridMemoryForecaster
    >>> from cndts.training import Training
    >>> X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(30, random_state=0))
    >>> model = HybridMemoryForecaster(width=8, training=Training(epochs=1), random_state=0).fit(X, y)
    >>> held = episodic_events(model, X)
    >>> list(held.columns)
    ['record', 'member', 'slot', 'time', 'channel', 'value', 'salience', 'strength']
    >>> int(held.groupby(["record", "member"]).size().max()) <= 16
    True
    """
    subject = Subject(model, X)
    parts = [
        _of_piece(backbone, piece, member)
        for piece in subject.pieces()
        for member, backbone in enumerate(subject.backbones)
    ]
    found = pd.concat(parts, ignore_index=True) if parts else _of_nothing()
    found = found.sort_values(["place", "member", "slot"], ignore_index=True)
    return pd.DataFrame(
        {
            "record": subject.records(found["place"]),
            "member": found["member"],
            "slot": found["slot"],
            **subject.events(found["event"].to_numpy()),
            "salience": found["salience"],
            "strength": found["strength"],
        }
    )


def _of_piece(backbone: HybridMemoryBackbone, piece: Piece, member: int) -> pd.DataFrame:
    state, row = held_events(backbone, piece)
    record, slot = np.nonzero(row >= 0)
    salience = as_array(episodic_memory(backbone)._salience(backbone.encoder(piece.batch), piece.batch))
    return pd.DataFrame(
        {
            "place": piece.first + record,
            "member": member,
            "slot": slot,
            "event": piece.event[row[record, slot]],
            "salience": salience[row[record, slot]],
            "strength": as_array(state.strength)[record, slot],
        }
    )


def _of_nothing() -> pd.DataFrame:
    whole, real = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    return pd.DataFrame(
        {"place": whole, "member": whole, "slot": whole, "event": whole, "salience": real, "strength": real}
    )


def episodic_memory(backbone: HybridMemoryBackbone) -> EpisodicMemory:
    """The episodic memory of a backbone; a `ValueError` where it was left out."""
    if backbone.memory.episodic is None:
        raise ValueError("the model has no episodic memory: it was fitted with memory__episodic_slots=0.")
    return backbone.memory.episodic


def held_events(backbone: HybridMemoryBackbone, piece: Piece) -> tuple[EpisodicState, NDArray[np.int64]]:
    """State of the episodic memory, and the batch row of the event in each slot.

    The rows travel through the memory in place of the rank scores, which it copies from events to slots and by which it chooses
    nothing. Numbers of 32 bits tell 16 million rows apart, a hundred times as many as a batch has.

    Returns
    -------
    state : EpisodicState
        With rows of the batch in place of the rank scores; signatures are spoiled by them.
    row : ndarray of shape (n_records, n_slots)
        Row of the batch; -1 in empty slots.
    """
    memory, batch = episodic_memory(backbone), piece.batch
    marked = replace(batch, score=torch.arange(len(batch.value), device=batch.value.device).to(batch.score))
    if len(batch.value) <= backbone.chunk:
        state = memory.write(backbone.encoder(batch), marked)
    else:
        state = memory.empty(batch.n_records)
        for chunk in event_chunks(marked, backbone.chunk):
            state = memory.write(_encoded(backbone, chunk, batch.score), chunk, state)
    row = state.facts[..., 1].round().long().masked_fill(~state.is_held, -1)
    return state, as_array(row)


def _encoded(backbone: HybridMemoryBackbone, chunk: Any, score: Tensor) -> Tensor:
    return backbone.encoder(replace(chunk, score=score[chunk.score.long()]))
