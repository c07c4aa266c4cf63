"""Recordings of the UCI localization data as the protocols see them."""

from __future__ import annotations

import numpy as np

from cndts.panel import IrregularPanel
from cndts.protocols._parts import check_records, without_tables

_PER_MILLISECOND = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3, "min": 6e4, "h": 3.6e6}
N_CHANNELS = 12


def in_milliseconds(panel: IrregularPanel) -> IrregularPanel:
    """Times as whole milliseconds since each recording's first event, values of one channel and time averaged.

    Raises
    ------
    ValueError
        If the panel has not twelve channels, its times are no times, or there are under five recordings.
    """
    check_records(panel)
    if len(panel.channels) != N_CHANNELS:
        raise ValueError(
            "the protocol knows four tags with three coordinates each; the panel has "
            f"{len(panel.channels)} channels ({', '.join(panel.channels[:15])}). Pass the recordings with their coordinates "
            "alone, without labels as a channel."
        )
    if panel.time_unit not in _PER_MILLISECOND:
        raise ValueError(
            f"the protocol counts milliseconds; the panel's time unit {panel.time_unit!r} is no short time."
        )
    filled = np.diff(panel.offsets) > 0
    first = np.repeat(panel.time[panel.offsets[:-1][filled]], np.diff(panel.offsets)[filled])
    time = np.round((panel.time - first) * _PER_MILLISECOND[panel.time_unit])
    events = without_tables(panel)
    return IrregularPanel._trusted(events, time=time, time_unit="ms", origin=None).deduplicate("mean")
