"""What forecasts read from the bounded memories."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from cndts.backbones import HybridMemoryBackbone
from cndts.inspect._episodic_events import episodic_memory, held_events
from cndts.inspect._subject import Piece, Subject, as_array, averaged, check_follows, watched
from cndts.panel import IrregularPanel


class _Shares(NamedTuple):
    """Shares of slots in what nodes read: all of shape (n_nodes, n_slots), nodes as the batch numbers them."""

    node: NDArray[np.int64]
    row: NDArray[np.int64]
    slot: NDArray[np.int64]
    share: NDArray[np.floating]


_Reader = Callable[[HybridMemoryBackbone, Piece, NDArray[np.int64]], _Shares]


@torch.no_grad()
def episodic_reads(model: Any, X: IrregularPanel, *, average: bool = True) -> pd.DataFrame:
    """The share of each remembered event in what a forecast read from the episodic memory.

    Every node (record and queried channel) reads the slots of its record once, by attention, whatever the query times; the
    shares here are averaged over heads, and sum to 1 over the events and "nothing of this". They say where the model
    looked, not how much the forecast would change without the event; how much of the read is let in says `read_gates`.

    Parameters
    ----------
    model : fitted forecaster
        With a hybrid-memory backbone that has an episodic memory and a second round.
    X : IrregularPanel of n_records
        Records with queries after their last event. Without queries all channels are taken as asked for.
    average : bool, default=True
        Average over the members of an ensemble; an event that a member does not hold counts as 0 there.

    Returns
    -------
    DataFrame
        One row per record, channel ``asked`` and event, the largest share first: ``time``, ``channel`` and ``value`` of the
        event and its ``share``. The row without time is the share of nothing. With ``average=False`` one row per ``member``
        and ``slot``; the slot of nothing is -1.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model has another backbone, or ``X`` is no panel.
    ValueError
        If the model has no such memory or no second round, or a query comes before the last event of its record.

    Examples
    --------
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_oscillators
    >>> from cndts.estimators import HybridMemoryForecaster
    >>> from cndts.training import Training
    >>> X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(30, random_state=0))
    >>> model = HybridMemoryForecaster(width=8, training=Training(epochs=1), random_state=0).fit(X, y)
    >>> reads = episodic_reads(model, X[:2])
    >>> list(reads.columns)
    ['record', 'asked', 'time', 'channel', 'value', 'share']
    >>> reads.groupby(["record", "asked"])["share"].sum().round(4).unique().tolist()
    [1.0]
    """
    return _table(model, X, _episodic_shares, average)


@torch.no_grad()
def working_reads(model: Any, X: IrregularPanel, *, average: bool = True) -> pd.DataFrame:
    """The share of each event of the working memory's window in what a forecast read from it in the second round.

    A node reads the window of its own channel. Shares are averaged over heads and sum to 1 over the window; a channel
    without events has no window, and no rows. In the first round the window is read as a whole, without shares.

    Parameters
    ----------
    model : fitted forecaster
        With a hybrid-memory backbone that has a working memory and a second round.
    X : IrregularPanel of n_records
        Records with queries after their last event. Without queries all channels are taken as asked for.
    average : bool, default=True
        Average over the members of an ensemble.

    Returns
    -------
    DataFrame
        Columns as those of `episodic_reads`; there is no share of nothing.

    Raises
    ------
    sklearn.exceptions.NotFittedError, TypeError, ValueError
        As `episodic_reads`.

    Examples
    --------
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_oscillators
    >>> from cndts.estimators import HybridMemoryForecaster
    >>> from cndts.training import Training
    >>> X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(30, random_state=0))
    >>> model = HybridMemoryForecaster(width=8, training=Training(epochs=1), random_state=0).fit(X, y)
    >>> reads = working_reads(model, X[:1])
    >>> bool((reads["asked"] == reads["channel"]).all())
    True
    """
    return _table(model, X, _working_shares, average)


# ---- shares of one batch -----------------------------------------------------------------------


def _episodic_shares(backbone: HybridMemoryBackbone, piece: Piece, node: NDArray[np.int64]) -> _Shares:
    memory = episodic_memory(backbone)
    _check_second_round(backbone)
    _, held = held_events(backbone, piece)
    with watched(memory.attention) as calls:
        backbone.encode(piece.batch)
    (_, (_, share)) = calls[-1]
    share = as_array(share.mean(dim=2)).reshape(-1, share.shape[-1])[node]
    row = np.pad(held, ((0, 0), (0, 1)), constant_values=-1)[node // piece.batch.n_channels]
    slot = np.broadcast_to(np.append(np.arange(held.shape[1]), -1), row.shape)
    kept = (row >= 0) | (slot == -1)
    return _Shares(np.broadcast_to(node[:, None], row.shape)[kept], row[kept], slot[kept], share[kept])


def _working_shares(backbone: HybridMemoryBackbone, piece: Piece, node: NDArray[np.int64]) -> _Shares:
    memory, batch = backbone.memory.working, piece.batch
    if memory is None:
        raise ValueError("the model has no working memory: it was fitted with memory__window=0.")
    _check_second_round(backbone)
    with watched(memory.attention) as calls:
        backbone.encode(batch)
    (_, (_, share)) = calls[-1]
    is_asked = np.isin(as_array(batch.series_node), node)
    slot = np.broadcast_to(np.arange(memory.n_slots), (is_asked.sum(), memory.n_slots))
    row = as_array(batch.series_end)[is_asked, None] - slot
    kept = slot < as_array(batch.series_count)[is_asked, None]
    owner = np.broadcast_to(as_array(batch.series_node)[is_asked, None], row.shape)
    return _Shares(owner[kept], row[kept], slot[kept], as_array(share[:, 0].mean(dim=1))[is_asked][kept])


def _check_second_round(backbone: HybridMemoryBackbone) -> None:
    if not backbone.has_second_round:
        raise ValueError("the model never reads its slots by attention: it was fitted with memory__second_round=False.")


# ---- table -------------------------------------------------------------------------------------


def _table(model: Any, X: IrregularPanel, reader: _Reader, average: bool) -> pd.DataFrame:
    subject = Subject(model, X)
    check_follows(subject.panel)
    parts = [
        _numbered(reader(backbone, piece, subject.asked_in(piece)), piece, member)
        for piece in subject.pieces()
        for member, backbone in enumerate(subject.backbones)
    ]
    whole = np.zeros(0, dtype=np.int64)
    empty = {"node": whole, "row": whole, "slot": whole, "share": np.zeros(0, dtype=np.float32), "member": whole}
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(empty)
    keys = ["node"] if average else ["node", "member"]
    if average:
        found = averaged(found, ["node", "row"], "share", len(subject.backbones))
    found = found.sort_values(
        [*keys, "share"], ascending=[True] * len(keys) + [False], ignore_index=True, kind="stable"
    )
    node, n_channels = found["node"].to_numpy(), len(subject.panel.channels)
    more = {} if average else {"member": found["member"], "slot": found["slot"]}
    return pd.DataFrame(
        {
            "record": subject.records(node // n_channels),
            "asked": subject.channels(node % n_channels),
            **more,
            **subject.events(found["row"].to_numpy()),
            "share": found["share"],
        }
    )


def _numbered(shares: _Shares, piece: Piece, member: int) -> pd.DataFrame:
    """Nodes and rows as the panel numbers them."""
    events = np.append(piece.event, -1)
    found = pd.DataFrame(shares._asdict() | {"row": events[shares.row], "member": member})
    return found.assign(node=found["node"] + piece.first * piece.batch.n_channels)
