"""Reader of the Beijing multi-site air-quality data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.datasets._read_counts import ReadCounts, tell
from cndts.datasets._row_events import BAD_FIELDS, BAD_NUMBER, BAD_TIME, panel_of_rows
from cndts.datasets._sources import PathLike, as_paths, nothing_found, read_sources
from cndts.datasets._text_rows import NO_NUMBER, TextRows, distinct_names, line_count, plain_text, split_header
from cndts.panel import IrregularPanel

UNITS = {
    "PM2.5": "µg/m^3",
    "PM10": "µg/m^3",
    "SO2": "µg/m^3",
    "NO2": "µg/m^3",
    "CO": "µg/m^3",
    "O3": "µg/m^3",
    "TEMP": "°C",
    "PRES": "hPa",
    "DEWP": "°C",
    "RAIN": "mm",
    "WSPM": "m/s",
    "WD": "°",
}
CHANNELS = tuple(UNITS)
BAD_DIRECTION = "an unknown wind direction"
BAD_STATION = "no station"

_DATE = ("year", "month", "day", "hour")
_NEEDED = (*_DATE, *CHANNELS[:-1], "wd", "station")
_POINTS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")
_START = np.datetime64("2013-03-01T00", "h")


@overload
def read_beijing_air(path: PathLike | Sequence[PathLike], *, return_report: Literal[False] = ...) -> IrregularPanel: ...


@overload
def read_beijing_air(
    path: PathLike | Sequence[PathLike], *, return_report: Literal[True]
) -> tuple[IrregularPanel, ReadCounts]: ...


def read_beijing_air(
    path: PathLike | Sequence[PathLike], *, return_report: bool = False
) -> IrregularPanel | tuple[IrregularPanel, ReadCounts]:
    """Read "Beijing Multi-Site Air Quality" (UCI 501): twelve stations, hourly, with missing values.

    Parameters
    ----------
    path : path-like or sequence of path-like
        ``PRSA_Data_*.csv`` files, a folder of them, or an archive of them; the publisher's holds another archive.
    return_report : bool, default=False
        Also return the counts of all that was met.

    Returns
    -------
    panel : IrregularPanel
        One record a station, in the order of the names; times in hours since 2013-03-01 00:00 in Beijing
        (``Asia/Shanghai``), which is ``origin``. Channels: ``PM2.5``, ``PM10``, ``SO2``, ``NO2``, ``CO``, ``O3``
        (µg/m^3), ``TEMP`` and dew point ``DEWP`` (°C), ``PRES`` (hPa), ``RAIN`` (mm), wind speed ``WSPM`` (m/s) and
        wind direction ``WD`` (degrees from which it blows, 0 is north).
    report : ReadCounts
        Only with ``return_report=True``; counts values, and a row that cannot be read as one value.

    Raises
    ------
    FileNotFoundError
        A path does not exist.
    ValueError
        A path holds no such file, or is a damaged or unsafe archive.

    Warns
    -----
    DataWarning
        Once a call, if something had to be left out that the format does not foresee.

    Notes
    -----
    *Known properties of the data, and what happens to them*

    - Rows are hourly without gaps; ``NA`` means missing and is no value.
    - The time is split over four columns; it is local time, and Beijing has no summer time.
    - The wind direction is one of sixteen words: it becomes degrees. Degrees wrap around at 360: a sine and a cosine of
      it are better model input.
    - PM10 below PM2.5 and long constant runs occur; they are kept.
    - The weather is that of the nearest station of the meteorological administration, so that stations share it.
    - A second value of the same station, hour and channel is kept as a simultaneous event, and counted.
    - Rows with another number of fields, an unreadable date or no station, unreadable numbers, unknown wind directions
      and files without the header are left out, counted and warned of.

    12 stations of 35,064 hours: 420,768 rows.

    Source: https://doi.org/10.24432/C5RK5G, Creative Commons Attribution 4.0.

    References
    ----------
    S. Zhang, B. Guo, A. Dong, J. He, Z. Xu, S. X. Chen. "Cautionary tales on air-quality improvement in Beijing."
    Proceedings of the Royal Society A 473:20170457, 2017.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> header = "No,year,month,day,hour,PM2.5,PM10,SO2,NO2,CO,O3,TEMP,PRES,DEWP,RAIN,wd,WSPM,station"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     row = '1,2013,3,1,5,7,NA,3,2,100,91,-2.3,1020.3,-20.7,0,"WNW",3.1,"Huairou"'
    ...     _ = pathlib.Path(folder, "PRSA_Data_Huairou.csv").write_text(header + chr(10) + row)
    ...     panel = read_beijing_air(folder)
    >>> panel.records.tolist(), panel.n_events, panel.to_long()["time"].iloc[0].isoformat()
    (['Huairou'], 11, '2013-03-01T05:00:00+08:00')
    >>> panel.value[panel.channel == panel.channels.index("WD")].tolist()
    [292.5]
    """
    paths = as_paths(path)
    unforeseen: Counter[str] = Counter()
    others: list[str] = []
    parts: list[tuple[list[str], NDArray, NDArray]] = []
    n_found = 0
    for name, content in read_sources(paths, _is_csv):
        header, body = ([], b"") if content is None else split_header(plain_text(content))
        if not set(_NEEDED) <= set(header):
            others.append(name)
            # most of the names say that it was meant to be a table of a station
            lost = line_count(body) if len(set(_NEEDED) & set(header)) > len(_NEEDED) / 2 else 0
            unforeseen["a header of other columns"] += lost
            n_found += lost
            continue
        rows = TextRows(body, distinct_names(header))
        n_found += len(rows.wrong)
        station, hour, value, n_values = _parse(rows, unforeseen)
        n_found += n_values
        parts.append((station, hour, value))
    if not parts:
        raise nothing_found(paths, f"tables with the columns {', '.join(_NEEDED)}", others)
    noticed: Counter[str] = Counter()
    panel = _panel(parts, noticed)
    report = ReadCounts(
        "values",
        sources=tuple(map(str, paths)),
        n_files=len(parts),
        n_records=len(panel),
        n_found=n_found,
        n_kept=panel.n_events,
        unforeseen=dict(+unforeseen),
        noticed=dict(+noticed),
        empty_records=tuple(panel.records[panel.counts == 0]),
        other_files=tuple(others),
    )
    tell(report, "the Beijing air-quality data")
    return (panel, report) if return_report else panel


def _is_csv(name: str) -> bool:
    return name.lower().endswith(".csv")


def _parse(rows: TextRows, unforeseen: Counter[str]) -> tuple[list[str], NDArray[np.int64], NDArray, int]:
    """Station, hour and values of the usable rows, and the number of values and unusable rows."""
    unforeseen[BAD_FIELDS] += len(rows.wrong)
    hour, readable = _hours(rows.numbers(*_DATE).number)
    code, names = rows.words("station")
    named = np.array([name not in ("", "NA") for name in names] or [False])[code]
    unforeseen[BAD_TIME] += int((~readable).sum())
    unforeseen[BAD_STATION] += int((readable & ~named).sum())
    usable = readable & named

    cells = rows.numbers(*CHANNELS[:-1])
    unforeseen[BAD_NUMBER] += int(cells.unreadable[usable].sum())
    direction, known, absent = _directions(rows)
    unforeseen[BAD_DIRECTION] += int((usable & ~known & ~absent).sum())
    value = np.column_stack([cells.number, direction])[usable]
    n_values = int((~cells.absent[usable]).sum()) + int((~absent[usable]).sum()) + int((~usable).sum())
    return [names[each] for each in code[usable].tolist()], hour[usable], value, n_values


def _hours(date: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Hours since the beginning of the data, and which dates exist."""
    whole = np.where(np.isnan(date), 0, date)
    year, month, day, hour = whole.T
    fine = (whole == np.floor(whole)).all(axis=1) & (year >= 1900) & (year < 2200) & (month >= 1) & (month <= 12)
    fine &= (day >= 1) & (day <= 31) & (hour >= 0) & (hour < 24)
    year, month, day, hour = np.where(fine, whole.T, [[1970], [1], [1], [0]]).astype(np.int64)
    months = ((year - 1970) * 12 + month - 1).astype("M8[M]")
    days = months.astype("M8[D]") + (day - 1)
    fine &= days.astype("M8[M]") == months
    return (days.astype("M8[h]") + hour - _START).astype(np.int64), fine


def _directions(rows: TextRows) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Degrees, where a direction is known, and where there is none."""
    code, names = rows.words("wd")
    degrees = np.array([22.5 * _POINTS.index(name) if name in _POINTS else np.nan for name in names] or [np.nan])[code]
    absent = np.array([name.lower() in NO_NUMBER for name in names] or [True])[code]
    return degrees, ~np.isnan(degrees), absent


def _panel(parts: Sequence[tuple[list[str], NDArray, NDArray]], noticed: Counter[str]) -> IrregularPanel:
    station = [name for names, _, _ in parts for name in names]
    ids = pd.Index(sorted(set(station)), name="station", dtype=object)
    return panel_of_rows(
        ids.get_indexer(pd.Index(station, dtype=object)),
        np.concatenate([hour for _, hour, _ in parts]).astype(np.float64),
        np.concatenate([value for _, _, value in parts]),
        records=ids,
        noticed=noticed,
        channels=CHANNELS,
        units=UNITS,
        time_unit="h",
        origin=pd.Timestamp(_START.astype("M8[s]")).tz_localize("Asia/Shanghai"),
    )
