"""Forecasting tasks from whole series: each is cut at several times, and what follows is asked for."""

import numpy as np
from numpy.typing import NDArray

from cndts._ragged import offsets_from_lengths, record_of_row, take
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.targets import Targets


def training_pairs(panel: IrregularPanel, horizon: float | None, n_cuts: int) -> tuple[IrregularPanel, Targets]:
    """Contexts up to a cut and the values that follow.

    Record ``i`` is cut at ``n_cuts`` times that divide its span evenly. Copies of one record share a group, so that none is
    held out while another teaches.

    Parameters
    ----------
    panel : IrregularPanel of n_records
        Whole series.
    horizon : float or None
        How far after the cut targets may lie; half the median span of the records by default.
    n_cuts : int
        Number of cuts of a record.

    Returns
    -------
    X : IrregularPanel
        One record for each cut that is followed by a value; where there is none at all, every record once, without
        context.
    y : Targets
        The values that follow.
    """
    span = panel.last_time - panel.first_time
    several = span > 0
    if horizon is None:
        horizon = float(np.median(span[several])) / 2 if several.any() else np.inf
    record = np.repeat(np.flatnonzero(several), n_cuts)
    share = np.tile(np.arange(1, n_cuts + 1) / (n_cuts + 1), int(several.sum()))
    cut = panel.first_time[record] + share * span[record]
    pairs = _cut(panel, record, cut, cut + horizon)
    if len(pairs[1].value) == 0:
        everything = np.arange(len(panel))
        pairs = _cut(panel, everything, np.full(len(panel), -np.inf), np.full(len(panel), np.inf))
    asked = np.diff(pairs[1].offsets) > 0
    return pairs[0][asked], pairs[1][asked]


def _cut(
    panel: IrregularPanel, source: NDArray[np.int64], cut: NDArray[np.float64], until: NDArray[np.float64]
) -> tuple[IrregularPanel, Targets]:
    """A copy of each record of ``source`` with its events up to ``cut``, asking for those up to ``until``."""
    offsets, rows = take(panel.offsets, source)
    copy, time = record_of_row(offsets), panel.time[rows]
    is_context, is_target = time <= cut[copy], (time > cut[copy]) & (time <= until[copy])
    channel, value = panel.channel[rows], panel.value[rows]
    queries = Queries(_offsets(copy[is_target], len(source)), time[is_target], channel[is_target])
    X = IrregularPanel(
        _offsets(copy[is_context], len(source)),
        time[is_context],
        channel[is_context],
        value[is_context],
        channels=panel.channels,
        time_unit=panel.time_unit,
        origin=panel.origin,
        groups=source,
        queries=queries,
    )
    return X, Targets(queries, value[is_target], X.records, X.channels)


def _offsets(record: NDArray[np.int64], n_records: int) -> NDArray[np.int64]:
    return offsets_from_lengths(np.bincount(record, minlength=n_records))
