"""What the gates said of each event and each node."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cndts.backbones import HybridMemoryBackbone
from cndts.inspect._subject import Piece, Subject, as_array, averaged, watched
from cndts.memory import ClearingGate
from cndts.panel import IrregularPanel


@torch.no_grad()
def gate_trace(model: Any, X: IrregularPanel, *, record: Any = None, average: bool = False) -> pd.DataFrame:
    """Write weights, forget paces, kept shares and salience of every event.

    A gate looks at an event, its company at the same time and what its series showed before, so that later events never
    change a reading.

    Parameters
    ----------
    model : fitted forecaster
        With a hybrid-memory backbone.
    X : IrregularPanel of n_records
        The records; queries are ignored.
    record : record id, optional
        Look at this record alone.
    average : bool, default=False
        Average over the members of an ensemble.

    Returns
    -------
    DataFrame
        One row per event, member and reading, sorted by record and time. ``memory`` is ``"long-term"``, ``"working"`` or
        ``"episodic"``; ``gate`` is ``"write"`` (weight with which the event enters, 1 where there is no gate), ``"forget"`` (factor
        on the rate of decay from the event on, between 0 and 2), ``"keep"`` (share of what a ``"clearing"`` memory held that the
        event leaves in it, between 0 and 1: its forget gate) or ``"salience"`` (log weight in the contest for a slot);
        ``part`` counts the time scales of the long-term memory, shortest first, and is 0 elsewhere.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model has another backbone, or ``X`` is no panel.
    ValueError
        If the record is unknown, or the panel does not fit the model.

    Examples
    --------
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_oscillators
    >>> from cndts.estimators import HybridMemoryForecaster
    >>> from cndts.training import Training
    >>> X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(30, random_state=0))
    >>> model = HybridMemoryForecaster(width=8, training=Training(epochs=1), random_state=0).fit(X, y)
    >>> trace = gate_trace(model, X, record=X.records[0], average=True)
    >>> list(trace.columns)
    ['record', 'time', 'channel', 'value', 'memory', 'gate', 'part', 'reading']
    >>> trace.groupby(["memory", "gate"]).size().index.tolist()
    [('episodic', 'forget'), ('episodic', 'salience'), ('long-term', 'forget'), ('long-term', 'write'),
     ('working', 'forget'), ('working', 'write')]
    """
    subject = Subject(model, X, record)
    parts = [
        _readings(piece, memory, gate, reading).assign(member=member)
        for piece in subject.pieces()
        for member, backbone in enumerate(subject.backbones)
        for memory, gate, reading in _gates(backbone, piece)
    ]
    columns = ["event", "member", "memory", "gate", "part", "reading"]
    found = pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
    if average:
        found = averaged(found, ["event", "memory", "gate", "part"], "reading", len(subject.backbones))
    keys = ["event", "memory", "gate", "part"] if average else ["event", "member", "memory", "gate", "part"]
    found = found.sort_values(keys, ignore_index=True)
    event = found["event"].to_numpy(dtype=np.int64)
    head = {"record": subject.records(subject.panel.record[event]), **subject.events(event)}
    return pd.concat([pd.DataFrame(head), found.drop(columns="event")], axis=1)


def _gates(backbone: HybridMemoryBackbone, piece: Piece) -> Iterator[tuple[str, str, Tensor]]:
    """Memory, gate and readings of shape (n_events, n_parts)."""
    batch, encoded, memory = piece.batch, backbone.encoder(piece.batch), backbone.memory
    stores: dict[str, Any] = {"long-term": memory.compressed, "working": memory.working, "episodic": memory.episodic}
    for name, store in stores.items():
        # A kind of long-term memory may do without a gate.
        if getattr(store, "write_gate", None) is not None:
            yield name, "write", store.write_gate(encoded).exp()
        forget_gate = getattr(store, "forget_gate", None)
        if isinstance(forget_gate, ClearingGate):
            yield name, "keep", forget_gate(encoded).neg().exp()
        elif forget_gate is not None:
            yield name, "forget", forget_gate(encoded)
    if memory.episodic is not None:
        yield "episodic", "salience", memory.episodic._salience(encoded, batch)[:, None]


def _readings(piece: Piece, memory: str, gate: str, reading: Tensor) -> pd.DataFrame:
    table = as_array(reading)
    n_events, n_parts = table.shape
    event, part = np.repeat(piece.event, n_parts), np.tile(np.arange(n_parts), n_events)
    return pd.DataFrame({"event": event, "memory": memory, "gate": gate, "part": part, "reading": table.ravel()})


@torch.no_grad()
def read_gates(model: Any, X: IrregularPanel, *, average: bool = True) -> pd.DataFrame:
    """How far the read gates let each memory in, for every channel of every record.

    Parameters
    ----------
    model : fitted forecaster
        With a hybrid-memory backbone.
    X : IrregularPanel of n_records
        The records. Channels asked for are listed; all of them where there are no queries.
    average : bool, default=True
        Average over the members of an ensemble.

    Returns
    -------
    DataFrame
        One row per record, channel, ``round`` (1 or 2) and ``memory`` read in it, with its ``opening`` between 0 (shut) and 2; 1 is
        where training starts, and where a gate that was left out stays. Long-term and working memory are those of a channel:
        where it has no events there is nothing to let in, and no row.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model has another backbone, or ``X`` is no panel.

    Examples
    --------
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_oscillators
    >>> from cndts.estimators import HybridMemoryForecaster
    >>> from cndts.training import Training
    >>> X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(30, random_state=0))
    >>> model = HybridMemoryForecaster(width=8, training=Training(epochs=1), random_state=0).fit(X, y)
    >>> read_gates(model, X[:1])[["round", "memory"]].drop_duplicates().values.tolist()
    [[1, 'long-term'], [1, 'working'], [2, 'working'], [2, 'episodic']]
    """
    subject = Subject(model, X)
    parts = [
        _openings(backbone, piece, subject.asked_in(piece)).assign(member=member)
        for piece in subject.pieces()
        for member, backbone in enumerate(subject.backbones)
    ]
    columns = ["node", "member", "round", "memory", "opening"]
    found = pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
    if average:
        found = averaged(found, ["node", "round", "memory"], "opening", len(subject.backbones))
    found = found.sort_values(["node", "round"] if average else ["node", "member", "round"], kind="stable")
    node, n_channels = found["node"].to_numpy(dtype=np.int64), len(subject.panel.channels)
    head = {"record": subject.records(node // n_channels), "channel": subject.channels(node % n_channels)}
    return pd.concat([pd.DataFrame(head), found.drop(columns="node").reset_index(drop=True)], axis=1)


def _openings(backbone: HybridMemoryBackbone, piece: Piece, node: np.ndarray) -> pd.DataFrame:
    memory, batch = backbone.memory, piece.batch
    with watched(memory.first_gate) as first, watched(memory.second_gate) as second:
        backbone.encode(batch)
    own = as_array(batch.series_node) + piece.first * batch.n_channels
    everywhere = np.arange(batch.n_records * batch.n_channels) + piece.first * batch.n_channels
    parts = [pd.DataFrame(columns=["node", "round", "memory", "opening"])]
    stores = {"long-term": memory.compressed, "working": memory.working, "episodic": memory.episodic}
    for number, gate, calls, read in (
        (1, memory.first_gate, first, ("long-term", "working")),
        (2, memory.second_gate, second, ("working", "episodic")),
    ):
        names = [name for name in read if stores[name] is not None]
        for (known, _), _ in calls:
            opening = as_array(gate.opening(known)).reshape(-1, len(names))
            nodes = own if len(opening) == len(own) and number == 1 else everywhere
            parts += [
                pd.DataFrame({"node": nodes, "round": number, "memory": name, "opening": opening[:, k]})
                for k, name in enumerate(names)
            ]
    found = pd.concat(parts[1:] or parts, ignore_index=True)
    has_store = (found["memory"] == "episodic") | found["node"].isin(own)
    return found[has_store & found["node"].isin(node + piece.first * batch.n_channels)]
