"""Blocks of a given duration, drawn at random within records."""

import numpy as np
from numpy.typing import NDArray

from cndts._ragged import offsets_from_lengths, record_of_row
from cndts.panel import IrregularPanel
from cndts.tasks._random import uniform

# counters of a channel's draws start here; more blocks than this in one record are not possible
_DRAWS_PER_CHANNEL = 1 << 32


def in_time_blocks(
    panel: IrregularPanel, keys: NDArray[np.uint64], length: float, hidden: float, per_channel: bool
) -> NDArray[np.bool_]:
    """Which events lie in a block of a record, or of a channel of it.

    Blocks do not overlap and lie between the first and the last event of the record. Their number is
    ``hidden * span / length``, rounded up or down at random so that the mean is exact, but never so many that no time is left.

    Parameters
    ----------
    panel : IrregularPanel
        Whole records.
    keys : ndarray of shape (n_records,)
        What the draws of a record start from.
    length : float
        Duration of a block, in the panel's time unit.
    hidden : float
        Share of each record's span that the blocks take.
    per_channel : bool
        Whether every channel has blocks of its own.

    Returns
    -------
    ndarray of bool, shape (n_events,)
    """
    n_groups = len(panel.channels) if per_channel else 1
    group = panel.channel.astype(np.int64) if per_channel else np.zeros(panel.n_events, dtype=np.int64)
    first, span = _spans(panel)
    keys, counter = np.repeat(keys, n_groups), np.tile(np.arange(n_groups), len(panel)) * _DRAWS_PER_CHANNEL
    first, span = np.repeat(first, n_groups), np.repeat(span, n_groups)
    most = np.maximum(np.ceil(span / length) - 1, 0)  # some time is left, so that first and last event stay
    n_blocks = np.minimum(np.floor(hidden * span / length + uniform(keys, counter)), most)
    offsets = offsets_from_lengths(n_blocks.astype(np.int64))
    owner = record_of_row(offsets)
    rank = np.arange(offsets[-1]) - offsets[owner]
    draw = uniform(keys[owner], counter[owner] + rank + 1)
    draw = draw[np.argsort(owner + draw, kind="stable")]
    start = first[owner] + draw * (span - n_blocks * length)[owner] + rank * length
    return _covered(panel.record * n_groups + group, panel.time, owner, start, length)


def _spans(panel: IrregularPanel) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Time of the first event of each record, and from it to the last; zeros for an empty record."""
    first, last = np.zeros(len(panel)), np.zeros(len(panel))
    filled = np.diff(panel.offsets) > 0
    first[filled] = panel.time[panel.offsets[:-1][filled]]
    last[filled] = panel.time[panel.offsets[1:][filled] - 1]
    return first, last - first


def _covered(
    segment: NDArray[np.int64],
    time: NDArray[np.float64],
    owner: NDArray[np.int64],
    start: NDArray[np.float64],
    length: float,
) -> NDArray[np.bool_]:
    """Whether ``start < time < start + length`` for a block of the event's segment."""
    # events and starts in one order, a start behind the events at its time as it stands behind them here
    order = np.lexsort((np.concatenate([time, start]), np.concatenate([segment, owner])))
    is_start = order >= len(time)
    latest = np.cumsum(is_start)[~is_start] - 1
    event = order[~is_start]
    covered = np.zeros(len(time), dtype=bool)
    if len(start):
        latest_start = start[np.maximum(latest, 0)]
        inside = (latest >= 0) & (owner[np.maximum(latest, 0)] == segment[event])
        covered[event] = inside & (time[event] < latest_start + length)
    return covered
