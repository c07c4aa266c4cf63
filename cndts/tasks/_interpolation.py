"""Interpolation: some events of every record are hidden and asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._panel_required import check_is_panel
from cndts._ragged import record_of_row
from cndts.panel import IrregularPanel
from cndts.targets import Targets
from cndts.tasks._channels import as_names, events_in
from cndts.tasks._context import context_and_targets
from cndts.tasks._duration import in_time_unit
from cndts.tasks._random import record_keys, shuffled_within, uniform
from cndts.tasks._time_blocks import in_time_blocks


@dataclass(frozen=True)
class Interpolation:
    """Hide a random part of every record: the rest is context, the hidden events are targets.

    Of a record with ``n`` events, ``observed * n`` are kept, rounded up or down at random so that the mean is
    exact; with ``block_length`` the share is one of time. The draw belongs to the record: it depends on
    ``random_state``, the record's id and its events, not on the other records, so that a subset of a panel is hidden as
    it was in the whole.

    Parameters
    ----------
    observed : float, default=0.5
        Share of the events that stay visible, between 0 and 1 (both excluded).
    pattern : {"points", "blocks"}, default="points"
        ``"points"`` hides single events, each with the same chance. ``"blocks"`` hides runs of events that follow
        each other in time, by number or, with ``block_length``, by time.
    per : {"channel", "record"}, default="channel"
        Blocks only. ``"channel"`` draws blocks for every channel of a record on its own, as when one sensor falls
        silent; each channel keeps its share to within one event. ``"record"`` draws them over all channels at
        once, as when nobody writes; of simultaneous events at a block's edge some may stay (none with
        ``block_length``).
    n_blocks : int, default=1
        Blocks only. Number of blocks, of nearly equal counts, per channel or record; blocks may touch.
    random_state : int or None, default=0
        Seed; None draws afresh at every call of :meth:`split`.
    block_length : float or pandas.Timedelta, optional
        Blocks only. Duration of every block, in the panel's time unit, instead of ``n_blocks``: as many blocks as take
        ``1 - observed`` of the time between a record's first and last event, rounded at random so that the mean is
        exact. Blocks neither overlap nor reach beyond these two events, so that the record goes on on both sides, and a
        record no longer than one block keeps everything. The share of the events that is hidden varies.
    channels : sequence of str, optional
        Channels that lose events, each of which is hidden as it would be without this; all by default. The others stay whole.

    Examples
    --------
    >>> panel = IrregularPanel([0, 6], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [0] * 6, [5.0, 6.0, 7.0, 8.0, 9.0, 10.0])
    >>> X, y = Interpolation(observed=0.5, pattern="blocks").split(panel)
    >>> X.n_events, float(y.time[-1] - y.time[0])
    (3, 2.0)

    Gaps of 6 hours that take a quarter of the time, the same for all channels:

    >>> gaps = Interpolation(observed=0.75, pattern="blocks", per="record", block_length=6)
    """

    observed: float = 0.5
    pattern: Literal["points", "blocks"] = "points"
    per: Literal["channel", "record"] = "channel"
    n_blocks: int = 1
    random_state: int | None = 0
    block_length: float | pd.Timedelta | None = None
    channels: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.observed < 1:
            raise ValueError(f"observed must lie between 0 and 1 (both excluded); got {self.observed!r}.")
        if self.pattern not in ("points", "blocks"):
            raise ValueError(f'pattern must be "points" or "blocks"; got {self.pattern!r}.')
        if self.per not in ("channel", "record"):
            raise ValueError(f'per must be "channel" or "record"; got {self.per!r}.')
        if self.n_blocks < 1:
            raise ValueError(f"n_blocks must be 1 or more; got {self.n_blocks!r}.")
        if self.block_length is not None and (self.pattern != "blocks" or self.n_blocks != 1):
            raise ValueError(
                'block_length goes with pattern="blocks" and without n_blocks, as it sets their number; '
                f"got pattern={self.pattern!r}, n_blocks={self.n_blocks!r}."
            )
        object.__setattr__(self, "channels", as_names(self.channels, "channels"))

    def split(self, panel: IrregularPanel) -> tuple[IrregularPanel, Targets]:
        """Visible events with queries, and the values at these queries.

        Parameters
        ----------
        panel : IrregularPanel
            Queries it may carry are replaced.

        Returns
        -------
        X : IrregularPanel
            The visible events; ``X.queries`` are the times and channels of the hidden ones.
        y : Targets
            The hidden values, in the order of ``X.queries``.

        Raises
        ------
        TypeError
            If ``panel`` is something else, or ``block_length`` is a Timedelta and the panel's time unit is not a unit of time.
        ValueError
            If ``block_length`` is not positive and finite, or a channel is named that the panel does not have.
        """
        check_is_panel(panel)
        hidden = self._hidden(panel, record_keys(panel.records, self.random_state))
        if self.channels is not None:
            hidden &= events_in(panel, tuple(self.channels), "channels")
        return context_and_targets(panel, ~hidden, hidden)

    def _hidden(self, panel: IrregularPanel, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        if self.pattern == "points":
            return self._points(panel, keys)
        if self.block_length is None:
            return self._blocks(panel, keys)
        length = in_time_unit(self.block_length, panel.time_unit, "block_length")
        if not 0 < length < np.inf:
            raise ValueError(f"block_length must be positive and finite; got {self.block_length!r}.")
        return in_time_blocks(panel, keys, length, 1 - self.observed, self.per == "channel")

    def _points(self, panel: IrregularPanel, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        record = panel.record
        place = np.arange(panel.n_events) - panel.offsets[record]
        order = shuffled_within(record, uniform(keys[record], place + 1), len(panel))
        n_kept = np.floor(self.observed * np.diff(panel.offsets) + uniform(keys, 0))
        hidden = np.empty(panel.n_events, dtype=bool)
        hidden[order] = place >= n_kept[record]
        return hidden

    def _blocks(self, panel: IrregularPanel, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        record = panel.record
        channel = panel.channel if self.per == "channel" else np.zeros(panel.n_events, dtype=np.int32)
        order = np.argsort(record * (len(panel.channels) + 1) + channel, kind="stable")
        bounds = _segment_bounds(record[order], channel[order])
        first = order[bounds[:-1]]
        n_kept = self._kept_per_segment(panel.offsets, bounds, record[first], keys)
        hidden = np.empty(panel.n_events, dtype=bool)
        hidden[order] = self._in_blocks(bounds, n_kept, keys[record[first]], channel[first])
        return hidden

    def _kept_per_segment(
        self,
        offsets: NDArray[np.int64],
        bounds: NDArray[np.int64],
        record: NDArray[np.int64],
        keys: NDArray[np.uint64],
    ) -> NDArray[np.int64]:
        """Differences of the rounded running total, so that segments add up to their record's share."""
        within, phase = bounds[1:] - offsets[record], uniform(keys[record], 0)
        up_to = np.floor(self.observed * within + phase)
        before = np.floor(self.observed * (bounds[:-1] - offsets[record]) + phase)
        return (up_to - before).astype(np.int64)

    def _in_blocks(
        self,
        bounds: NDArray[np.int64],
        n_kept: NDArray[np.int64],
        keys: NDArray[np.uint64],
        channel: NDArray[np.int32],
    ) -> NDArray[np.bool_]:
        """Whether a row lies in a block: block b starts behind a random number of kept rows of its segment."""
        segment = record_of_row(bounds)
        place = np.arange(bounds[-1]) - bounds[:-1][segment]
        counter = 1 + channel.astype(np.int64)[:, None] * self.n_blocks + np.arange(self.n_blocks)
        draws = np.sort(uniform(keys[:, None], counter), axis=1)
        kept_before = np.floor(draws * (n_kept + 1)[:, None]).astype(np.int64)
        n_hidden = (np.diff(bounds) - n_kept)[:, None]
        hidden_before = n_hidden * np.arange(self.n_blocks + 1) // self.n_blocks
        hidden = np.zeros(bounds[-1], dtype=bool)
        for block in range(self.n_blocks):
            start = kept_before[:, block] + hidden_before[:, block]
            stop = kept_before[:, block] + hidden_before[:, block + 1]
            hidden |= (place >= start[segment]) & (place < stop[segment])
        return hidden


def _segment_bounds(record: NDArray[np.int64], channel: NDArray[np.int32]) -> NDArray[np.int64]:
    """Bounds of the runs of rows that share record and channel."""
    change = np.flatnonzero((np.diff(record) != 0) | (np.diff(channel) != 0)) + 1
    return np.concatenate([[0], change, [len(record)]] if len(record) else [[0]]).astype(np.int64)
