"""Panels to sktime's containers and back."""

from typing import Any

import numpy as np
import pandas as pd

from cndts._panel_time import NANOSECONDS, read_times, write_times
from cndts.estimators.sktime._clock import Clock
from cndts.estimators.sktime._series import Series, time_level
from cndts.panel import IrregularPanel


def to_sktime(
    panel: IrregularPanel, *, origin: pd.Timestamp | pd.Timedelta | None = None, exact: bool = True
) -> pd.DataFrame:
    """The events of a panel as sktime's ``pd-multiindex``: one row a record and time, one column a channel.

    sktime refuses times that are floats, so numbers of hours become timedeltas, or datetimes with ``origin``. Calendar times
    stay as they are. A record without events has one row of NaN at time 0, so that it is not lost.

    Parameters
    ----------
    panel : IrregularPanel
        Queries, static features and outcomes are left out.
    origin : Timestamp or Timedelta, optional
        What numbers count from, when the panel has no origin of its own; ``pandas.Timedelta(0)`` by default. sktime's
        ``evaluate`` needs datetimes, as it takes every timedelta for a duration: give any Timestamp.
    exact : bool, default=True
        Whether to refuse times that nanoseconds cannot hold; otherwise they are rounded.

    Returns
    -------
    DataFrame
        Index levels ``record`` and ``time``; values are float64.

    Raises
    ------
    ValueError
        If a time cannot be held exactly, a time without a unit is not an integer, or a channel has two values at one
        time.

    Examples
    --------
    >>> panel = IrregularPanel([0, 2, 3], [0.5, 2.25, 2.0], [0, 1, 0], [80, 37, 71],
    ...                        records=["a", "b"], channels=["HR", "Temp"])
    >>> to_sktime(panel)
                              HR  Temp
    record time
    a      0 days 00:30:00  80.0   NaN
           0 days 02:15:00   NaN  37.0
    b      0 days 02:00:00  71.0   NaN
    >>> from_sktime(to_sktime(panel)).equals(panel)
    True
    """
    placed = _with_clock(panel, origin, exact)
    frame = placed.without_queries().to_wide(record="record", time="time")
    frame[list(panel.channels)] = frame[list(panel.channels)].astype(np.float64)
    if placed.origin is None:
        frame["time"] = frame["time"].astype(np.int64)
    empty = panel.records[panel.counts == 0]
    if len(empty):
        start = write_times(np.zeros(len(empty)), placed.time_unit, placed.origin)
        frame = pd.concat([frame, pd.DataFrame({"record": empty, "time": start})], ignore_index=True)
        frame = frame.iloc[np.argsort(panel.records.get_indexer(pd.Index(frame["record"])), kind="stable")]
    return frame.set_index(["record", "time"])


def from_sktime(frame: Any, *, time_unit: str = "h", origin: pd.Timestamp | None = None) -> IrregularPanel:
    """A panel from sktime's ``pd.Series``, ``pd.DataFrame``, ``pd-multiindex``, ``pd_multiindex_hier`` or ``df-list``.

    Parameters
    ----------
    frame : Series, DataFrame or list of DataFrame
        NaN is what was not observed. The levels above time become the record's id, joined by ``" / "``.
    time_unit : str, default="h"
        Unit in which datetimes and timedeltas are counted. Integers and periods are counted in steps.
    origin : Timestamp, optional
        What datetimes count from; the earliest by default. With the ``origin`` of :func:`to_sktime` numbers come back.

    Returns
    -------
    IrregularPanel
        Timedeltas become plain numbers of ``time_unit``; datetimes keep their origin unless it was given.

    Raises
    ------
    TypeError
        If the index has floats or anything else that sktime does not take.

    Examples
    --------
    >>> start = pd.Timestamp("2024-01-01")
    >>> frames = [pd.DataFrame({"HR": [80.0, 82.0]}, index=start + pd.to_timedelta([0.0, 1.5], unit="h"))]
    >>> panel = from_sktime(frames)
    >>> panel.time, panel.channels
    (array([0. , 1.5]), ('HR',))
    """
    if isinstance(frame, list):
        frame = pd.concat(dict(enumerate(frame)), names=["record", "time"])
    table = frame.to_frame() if isinstance(frame, pd.Series) else frame
    clock = Clock.of(time_level(table.index), time_unit)
    if origin is not None and clock.kind == "datetimes":
        clock = Clock(clock.kind, time_unit, origin)
    panel = Series.read(table, clock).panel
    counts_only = clock.kind == "timedeltas" or origin is not None
    return IrregularPanel._trusted(panel, origin=None) if counts_only else panel


def _with_clock(panel: IrregularPanel, origin: pd.Timestamp | pd.Timedelta | None, exact: bool) -> IrregularPanel:
    if panel.origin is not None:
        return panel
    if panel.time_unit not in NANOSECONDS:
        return _counting(panel)
    origin = (pd.Timedelta(0) if origin is None else origin).as_unit("ns")
    back = write_times(panel.time, panel.time_unit, origin)
    again = read_times(pd.Series(back), panel.time_unit, origin, "event {}".format)[0]
    lost = np.flatnonzero(again != panel.time)
    if exact and len(lost):
        row = int(lost[0])
        raise ValueError(
            f"{len(lost)} times cannot be held exactly in nanoseconds; the first is {panel.time[row]!r} {panel.time_unit} "
            f"of record {panel.records[panel.record[row]]!r}, which would become {again[row]!r}. Allow rounding with exact=False."
        )
    return IrregularPanel._trusted(panel, origin=origin, time=again)


def _counting(panel: IrregularPanel) -> IrregularPanel:
    broken = np.flatnonzero(panel.time != np.rint(panel.time))
    if len(broken):
        raise ValueError(
            f"times that count {panel.time_unit!r} must be integers for sktime; got {panel.time[broken[0]]!r}. "
            "Build the panel with a time_unit such as 'h', or multiply the times."
        )
    return panel
