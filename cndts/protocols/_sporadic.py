"""USHCN as the benchmarks know it: a twentieth of four years of daily weather."""

from __future__ import annotations

import os
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.datasets._static_tables import text_table
from cndts.panel import IrregularPanel
from cndts.protocols._parts import check_records, without_tables
from cndts.protocols._scales import mean_and_deviation
from cndts.tasks._random import record_keys, shuffled_within, uniform

CHANNELS = ("SNOW", "SNWD", "PRCP", "TMAX", "TMIN")
UNIT, END = "step", 200.0
STATIONS = ("active", "all")
_FIRST_DAY, _LAST_DAY = pd.Timestamp("1950-01-01"), pd.Timestamp("2000-12-31")
_STEPS, _START, _LATE = 2500, 2300, 150
_KEPT = 0.05

Stations = Literal["active", "all"]


def read_sporadic_csv(path: str | os.PathLike[str]) -> IrregularPanel:
    r"""Read ``small_chunked_sporadic.csv``, the prepared USHCN data in the repository of GRU-ODE-Bayes.

    Parameters
    ----------
    path : path-like
        A table with columns ID, Time (0 to 200), Value_0 to Value_4 and Mask_0 to Mask_4.

    Returns
    -------
    IrregularPanel
        One record a station, in the order of the numbers; channels Value_0 to Value_4, which the source does not name,
        each already z-scored; times in steps, 200 for four years.

    Raises
    ------
    ValueError
        If columns are missing, or anything in them cannot be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> head = "ID,Time," + ",".join(f"Value_{i}" for i in range(5)) + "," + ",".join(f"Mask_{i}" for i in range(5))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "small_chunked_sporadic.csv")
    ...     _ = path.write_text(head + "\n7,0.5,0,0,1.5,0,0,0,0,1,0,0\n")
    ...     read_sporadic_csv(path).to_long()
       record  time  channel  value
    0       7   0.5  Value_2    1.5
    """
    values, masks = ([f"{name}_{i}" for i in range(len(CHANNELS))] for name in ("Value", "Mask"))
    table = _numbers(path, ["ID", "Time", *values, *masks])
    seen = table[masks].to_numpy() == 1
    _check_rows(path, table, seen, table[values].to_numpy())
    table["ID"] = table["ID"].astype(np.int64)
    table[values] = table[values].where(seen)
    # a row may repeat a time of its station; the later one holds, as where the file was made
    return IrregularPanel.from_wide(
        table[["ID", "Time", *values]].sort_values(["ID", "Time"], kind="stable"),
        record="ID",
        time="Time",
        channels=values,
        time_unit=UNIT,
        duplicates="last",
    )


def _numbers(path: str | os.PathLike[str], columns: list[str]) -> pd.DataFrame:
    """Columns of the table as float64, NaN for what is no number."""
    table = text_table(path, "the prepared USHCN table")
    missing = [name for name in columns if name not in table]
    if missing:
        raise ValueError(
            f"{os.fspath(path)} lacks the columns {', '.join(missing)}; small_chunked_sporadic.csv has ID, Time, "
            "Value_0 to Value_4 and Mask_0 to Mask_4."
        )
    return table[columns].apply(pd.to_numeric, errors="coerce").astype(np.float64)


def _check_rows(
    path: str | os.PathLike[str], table: pd.DataFrame, seen: NDArray[np.bool_], value: NDArray[np.float64]
) -> None:
    """An error that names the first row with anything that cannot be what it stands for."""
    record, time = table["ID"].to_numpy(), table["Time"].to_numpy()
    faults = {
        "an ID that is no whole number": ~((np.abs(record) < 2**53) & (record == np.floor(record))),
        "a Time that is no finite number": ~np.isfinite(time),
        "a Mask other than 0 or 1": ~table.filter(like="Mask_").isin((0, 1)).to_numpy().all(axis=1),
        "a Value that is no finite number": (seen & ~(np.abs(value) <= np.finfo(np.float32).max)).any(axis=1),
    }
    for what, wrong in faults.items():
        if wrong.any():
            raise ValueError(
                f"{os.fspath(path)} has {what} in {int(wrong.sum()):,} rows, the first below the header in row "
                f"{int(np.flatnonzero(wrong)[0]) + 1:,}; fetch the file again."
            )


def sporadic_ushcn(panel: IrregularPanel, *, stations: Stations = "active", random_state: int = 0) -> IrregularPanel:
    """Daily weather prepared as GRU-ODE-Bayes did: sparse, z-scored, four years as 200 steps.

    Stations active before 1970 and after 2001; the days of 1950 to 2000; of every station and element one value in
    twenty, drawn at random; each element z-scored over all that were drawn, of all stations; time as 2500 times the
    share of the days since 1950, rounded to a tenth; the last four years (2300 to 2500) counted from 0; stations with
    more than three rows after 150.

    Parameters
    ----------
    panel : IrregularPanel
        What :func:`cndts.datasets.read_ushcn_legacy` or :func:`cndts.datasets.read_ghcn_daily` gives: daily values
        with an origin; values that failed a quality check left out. Further elements are ignored.
    stations : {"active", "all"}, default="active"
        The stations of the source, or all; the latter for extracts that hold a few years only.
    random_state : int, default=0
        Seed of the draw, which belongs to a station and its values.

    Returns
    -------
    IrregularPanel
        Channels SNOW, SNWD, PRCP, TMAX, TMIN in deviations; times in steps.

    Raises
    ------
    ValueError
        If the panel's times are not days of the calendar, an element is missing, or no station is left.

    Examples
    --------
    >>> days = np.arange(51 * 365.0)
    >>> panel = IrregularPanel.from_array(np.sin(days)[None, :, None] * np.ones(5), days, channels=CHANNELS,
    ...                                   time_unit="D", origin=pd.Timestamp("1950-01-01"))
    >>> sparse = sporadic_ushcn(panel, stations="all")
    >>> sparse.n_events, float(sparse.time.max()) <= 200
    (341, True)
    """
    if stations not in STATIONS:
        raise ValueError(f'stations must be "active" or "all"; got {stations!r}.')
    daily, origin = _core_elements(panel)
    day = daily.time + float((origin - _FIRST_DAY) / pd.Timedelta("1D"))
    is_active = np.isin(daily.record, np.flatnonzero(_active(daily, day))) if stations == "active" else True
    within = (day >= 0) & (day <= (_LAST_DAY - _FIRST_DAY).days) & is_active
    candidates = daily.where(within)
    drawn = _drawn(candidates, random_state)
    mean, deviation = mean_and_deviation(candidates.where(drawn), ddof=1)
    scaled = candidates.where(drawn).scale_values(mean, np.where(np.isnan(deviation), 1.0, deviation))
    step = np.round(_STEPS * day[within][drawn] / (_LAST_DAY - _FIRST_DAY).days, 1)
    kept = step >= _START
    late = IrregularPanel._trusted(scaled, time=step, time_unit=UNIT, origin=None).where(kept)
    late = IrregularPanel._trusted(late, time=np.round(late.time - _START, 1)).deduplicate("last")
    sparse = late[_rows_after(late, _LATE) > 3]
    if len(sparse) == 0:
        raise ValueError(
            "no station is left: the protocol takes stations with values before 1970 and after 2001, and with more than three "
            'days drawn from 2000. For an extract of a few years pass stations="all" (--set protocol:stations=all).'
        )
    return sparse


def as_sporadic(panel: IrregularPanel, stations: Stations, random_state: int) -> IrregularPanel:
    """The prepared panel: as it is, or made from daily weather."""
    if panel.time_unit == "D":
        panel = sporadic_ushcn(panel, stations=stations, random_state=random_state)
    elif len(panel.channels) != len(CHANNELS) or panel.time_unit != UNIT:
        raise ValueError(
            "the protocol needs daily weather with a calendar (read_ushcn_legacy, read_ghcn_daily) or the prepared table "
            f"(read_sporadic_csv: five channels, times in steps); the panel has {len(panel.channels)} channels and times in "
            f"{panel.time_unit!r}."
        )
    if panel.n_events and not (panel.time.min() >= 0 and panel.time.max() <= END):
        raise ValueError(
            f"four years are 0 to {END:g} steps; the panel's times run from {panel.time.min():g} to {panel.time.max():g}."
        )
    check_records(panel)
    return without_tables(panel)


def _core_elements(panel: IrregularPanel) -> tuple[IrregularPanel, pd.Timestamp]:
    """Events of the five elements, and the day that times count from, without a time zone."""
    missing = [name for name in CHANNELS if name not in panel.channels]
    if missing:
        raise ValueError(
            f"the protocol needs the elements {', '.join(CHANNELS)}; the panel lacks {', '.join(missing)}."
        )
    if panel.time_unit != "D" or not isinstance(panel.origin, pd.Timestamp):
        raise ValueError(
            f"daily weather has times in days and an origin; got {panel.time_unit!r} and {panel.origin!r}. Pass the panel of "
            "read_ushcn_legacy or read_ghcn_daily as it is."
        )
    is_core = np.isin(np.array(panel.channels), CHANNELS)[panel.channel]
    return panel.where(is_core).without_queries().with_channels(CHANNELS), panel.origin.tz_localize(None)


def _active(panel: IrregularPanel, day: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Stations with a value before 1970 and one after 2001."""
    before, after = ((pd.Timestamp(date) - _FIRST_DAY).days for date in ("1970-01-01", "2002-01-01"))
    early = np.bincount(panel.record[day < before], minlength=len(panel))
    late = np.bincount(panel.record[day >= after], minlength=len(panel))
    return (early > 0) & (late > 0)


def _drawn(panel: IrregularPanel, random_state: int) -> NDArray[np.bool_]:
    """One value in twenty of every station and element."""
    group = panel.record * len(CHANNELS) + panel.channel
    n_groups = len(panel) * len(CHANNELS)
    keys = record_keys(panel.records, random_state)[panel.record]
    counter = np.arange(panel.n_events) - panel.offsets[panel.record]
    order = shuffled_within(group, uniform(keys, counter), n_groups)
    sizes = np.bincount(group, minlength=n_groups)
    place = np.arange(panel.n_events) - (np.cumsum(sizes) - sizes)[group[order]]
    drawn = np.zeros(panel.n_events, dtype=bool)
    drawn[order] = place < np.round(_KEPT * sizes)[group[order]]
    return drawn


def _rows_after(panel: IrregularPanel, step: float) -> NDArray[np.int64]:
    """Number of distinct times after a step, by record."""
    late = panel.time > step
    rows = np.unique(np.stack([panel.record[late], panel.time[late]]), axis=1)
    return np.bincount(rows[0].astype(np.int64), minlength=len(panel))
