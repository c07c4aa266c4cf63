"""Chunks: stretches of a record, each a record of its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cndts._ragged import offsets_from_lengths
from cndts.panel import IrregularPanel


def chunks(
    panel: IrregularPanel,
    starts: Callable[[float], NDArray[np.float64]],
    length: float,
    *,
    end: float | None = None,
    from_zero: bool = True,
) -> IrregularPanel:
    """Stretches ``start <= t < start + length`` of every record.

    A stretch that reaches the record's end, or ``end`` where that is given, holds the event there too.

    Parameters
    ----------
    panel : IrregularPanel
        Whole records.
    starts : callable
        Starts of the stretches of a record, from the time of its last event.
    length : float
        Length of a stretch, in the panel's time unit.
    end : float, optional
        Where all records end; the time of the last event of each by default.
    from_zero : bool, default=True
        Whether times of a stretch count from its start.

    Returns
    -------
    IrregularPanel
        Records named ``"<record> from <start>"`` in the order of records and starts, the record's id as group.
    """
    rows, shifts, names, sources = [], [], [], []
    for record, (first, last) in enumerate(zip(panel.offsets[:-1], panel.offsets[1:], strict=True)):
        time = panel.time[first:last]
        if not len(time):
            continue
        reach = time[-1] if end is None else end
        for start in starts(float(time[-1])):
            stop = start + length
            low = np.searchsorted(time, start)
            high = np.searchsorted(time, stop, side="right" if stop >= reach else "left")
            rows.append(np.arange(first + low, first + max(low, high)))
            shifts.append(start if from_zero else 0.0)
            names.append(f"{panel.records[record]} from {start:g}")
            sources.append(str(panel.records[record]))
    taken = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    lengths = np.array([len(each) for each in rows], dtype=np.int64)
    return IrregularPanel(
        offsets_from_lengths(lengths),
        panel.time[taken] - np.repeat(shifts, lengths),
        panel.channel[taken],
        panel.value[taken],
        records=names,
        channels=panel.channels,
        units=panel.units,
        time_unit=panel.time_unit,
        groups=np.array(sources),
    )
