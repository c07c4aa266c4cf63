"""PhysioNet 2012 as the TSDM library bins it: hourly means, z-scored, extremes left out."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cndts._ragged import take
from cndts.panel import IrregularPanel
from cndts.protocols._parts import check_records, without_tables
from cndts.protocols._scales import mean_and_deviation
from cndts.protocols._t_patchgnn import MEASUREMENTS, check_panel

CHANNELS = (*MEASUREMENTS.split(), "Weight")
BINNINGS = ("source", "complete")
_LIMIT = 5.0

Binning = Literal["source", "complete"]


class Hourly(NamedTuple):
    """Hourly z-scores, their scale, and all hours of each record that count as rows."""

    panel: IrregularPanel
    offset: NDArray[np.float64]
    scale: NDArray[np.float64]
    row_offsets: NDArray[np.int64]
    row_time: NDArray[np.float64]

    def rows_of(self, part: IrregularPanel) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Offsets by record and hours of the rows of some of the records."""
        offsets, kept = take(self.row_offsets, self.panel.records.get_indexer(part.records))
        return offsets, self.row_time[kept]


def hourly_scores(panel: IrregularPanel, binning: Binning) -> Hourly:
    """Hourly means in deviations from the mean over all records; values beyond 5 deviations are left out.

    Records without a row and channels that do not vary are left out too.

    Raises
    ------
    ValueError
        If the panel is not PhysioNet 2012 as read, or ``binning`` is unknown.
    """
    if binning not in BINNINGS:
        raise ValueError(f'binning must be "source" or "complete"; got {binning!r}.')
    check_panel(panel)
    events = without_tables(panel).with_channels(CHANNELS)
    # the source takes a weight at time 0 for the descriptor, not for a measurement
    events = events.where(~((events.time == 0) & (events.channel == CHANNELS.index("Weight"))))
    hourly, rows = _binned(events, complete=binning == "complete")
    has_rows = np.flatnonzero(np.diff(rows[0]) > 0)
    row_offsets, kept = take(rows[0], has_rows)
    hourly = hourly[has_rows]
    check_records(hourly)
    mean, deviation = mean_and_deviation(hourly)
    varies = ~np.isnan(deviation)
    scaled = hourly.scale_values(mean, np.where(varies, deviation, 1.0))
    inside = (np.abs(scaled.value) < _LIMIT) & varies[scaled.channel]
    scaled = scaled.where(inside).with_channels([name for name, kept in zip(CHANNELS, varies, strict=True) if kept])
    return Hourly(scaled, mean[varies], deviation[varies], row_offsets, rows[1][kept])


def _binned(
    events: IrregularPanel, complete: bool
) -> tuple[IrregularPanel, tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Means of every channel in every hour, and the hours of each record that are rows."""
    hour, record = np.floor(events.time), events.record
    opens = np.ones(len(hour), dtype=bool)
    opens[1:] = (record[1:] != record[:-1]) | (hour[1:] != hour[:-1])
    block = np.cumsum(opens) - 1
    owner = record[opens]
    is_row = np.ones(len(owner), dtype=bool)
    kept = np.ones(len(hour), dtype=bool)
    if not complete:
        is_first, is_last = np.ones((2, len(owner)), dtype=bool)
        is_first[1:] = is_last[:-1] = owner[1:] != owner[:-1]
        is_row = ~is_last
        kept = is_row[block] & ~(opens & ~is_first[block])
    counts = np.bincount(owner[is_row], minlength=len(events))
    rows = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), hour[opens][is_row]
    return IrregularPanel._trusted(events, time=hour).where(kept).deduplicate("mean"), rows
