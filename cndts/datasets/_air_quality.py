"""Reader of the UCI air-quality data."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.datasets._read_counts import ReadCounts, tell
from cndts.datasets._row_events import BAD_FIELDS, BAD_NUMBER, BAD_TIME, panel_of_rows
from cndts.datasets._sources import PathLike, as_paths, nothing_found, read_sources
from cndts.datasets._text_rows import TextRows, distinct_names, line_count, plain_text, split_header
from cndts.panel import IrregularPanel

UNITS = {
    "CO(GT)": "mg/m^3",
    "PT08.S1(CO)": "",
    "NMHC(GT)": "µg/m^3",
    "C6H6(GT)": "µg/m^3",
    "PT08.S2(NMHC)": "",
    "NOx(GT)": "ppb",
    "PT08.S3(NOx)": "",
    "NO2(GT)": "µg/m^3",
    "PT08.S4(NO2)": "",
    "PT08.S5(O3)": "",
    "T": "°C",
    "RH": "%",
    "AH": "",
}
CHANNELS = tuple(UNITS)
MISSING = -200.0
CODE, EMPTY_ROW, STRANGE = (
    "the code -200 for missing",
    "a row of separators only",
    "a column that the format does not list",
)

_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_CLOCK = re.compile(r"(\d{1,2})[.:](\d{2})[.:](\d{2})")
_NEVER = -(2**31)


@overload
def read_air_quality(path: PathLike | Sequence[PathLike], *, return_report: Literal[False] = ...) -> IrregularPanel: ...


@overload
def read_air_quality(
    path: PathLike | Sequence[PathLike], *, return_report: Literal[True]
) -> tuple[IrregularPanel, ReadCounts]: ...


def read_air_quality(
    path: PathLike | Sequence[PathLike], *, return_report: bool = False
) -> IrregularPanel | tuple[IrregularPanel, ReadCounts]:
    """Read "Air Quality" (UCI 360): a multi-sensor device at a road in an Italian city, hourly, March 2004 to April 2005.

    Parameters
    ----------
    path : path-like or sequence of path-like
        ``AirQualityUCI.csv``, a folder with it, or the archive as published (its ``.xlsx`` is not read).
    return_report : bool, default=False
        Also return the counts of all that was met.

    Returns
    -------
    panel : IrregularPanel
        One record a file, named by it (``"AirQualityUCI"``); times in hours since the midnight before the first row,
        which is ``origin`` (local time, without zone). Channels: reference analyser ``CO(GT)`` (mg/m^3), ``NMHC(GT)``,
        ``C6H6(GT)``, ``NO2(GT)`` (µg/m^3), ``NOx(GT)`` (ppb); sensors ``PT08.S1(CO)``, ``PT08.S2(NMHC)``,
        ``PT08.S3(NOx)``, ``PT08.S4(NO2)``, ``PT08.S5(O3)`` (no unit); temperature ``T`` (°C), relative humidity ``RH``
        (%), absolute humidity ``AH``.
    report : ReadCounts
        Only with ``return_report=True``; counts values, and a row that cannot be read as one value.

    Raises
    ------
    FileNotFoundError
        A path does not exist.
    ValueError
        A path holds no such table, or is a damaged or unsafe archive.

    Warns
    -----
    DataWarning
        Once a call, if something had to be left out that the format does not foresee.

    Notes
    -----
    *Known properties of the data, and what happens to them*

    - -200 means missing (16,701 cells, written ``-200`` or ``-200,0``): such cells are left out and counted.
      ``NMHC(GT)`` is missing in nine of ten hours.
    - Semicolons, decimal commas, two empty columns, and 114 lines of semicolons only at the end: read as meant, the
      lines counted.
    - Copies in circulation write the time ``18.00.00`` or ``18:00:00``; both are read.
    - The zone is not published and no hour is missing or doubled when clocks change: the times are taken as they stand.
    - Sensors drift and are cross-sensitive; reference and sensor of a pollutant are different channels.
    - Rows with another number of fields or an unreadable date, unreadable numbers, cells in unknown columns and files
      without the header are left out, counted and warned of.

    9,357 hourly rows of 13 channels.

    Source: https://doi.org/10.24432/C59K5F, Creative Commons Attribution 4.0.

    References
    ----------
    S. De Vito, E. Massera, M. Piga, L. Martinotto, G. Di Francia. "On field calibration of an electronic nose for
    benzene estimation in an urban pollution monitoring scenario." Sensors and Actuators B 129(2):750-757, 2008.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> header = "Date;Time;" + ";".join(CHANNELS) + ";;"
    >>> row = "10/03/2004;18.00.00;2,6;1360;150;11,9;1046;166;1056;113;1692;1268;13,6;48,9;-200;;"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "AirQualityUCI.csv").write_text(header + chr(10) + row + chr(10) + ";" * 16)
    ...     panel, report = read_air_quality(folder, return_report=True)
    >>> panel.n_events, panel.time.tolist()[0], panel.value[1:3].tolist(), str(panel.origin)
    (12, 18.0, [1360.0, 150.0], '2004-03-10 00:00:00')
    >>> report.documented, report.noticed
    ({'the code -200 for missing': 1}, {'a row of separators only': 1})
    """
    paths = as_paths(path)
    unforeseen: Counter[str] = Counter()
    documented: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    others: list[str] = []
    names: list[str] = []
    parts: list[tuple[NDArray, NDArray]] = []
    n_found = 0
    for name, content in read_sources(paths, _is_csv):
        header, body = ([], b"") if content is None else split_header(plain_text(content, ";", ","))
        if not {"Date", "Time", *CHANNELS} <= set(header):
            others.append(name)
            lost = line_count(body) if len(set(CHANNELS) & set(header)) > len(CHANNELS) / 2 else 0
            unforeseen["a header of other columns"] += lost
            n_found += lost
            continue
        minute, value, n_values = _parse(TextRows(body, distinct_names(header)), documented, unforeseen, noticed)
        n_found += n_values
        names.append(_unused(name.rsplit("/", 1)[-1].rsplit(".", 1)[0], names))
        parts.append((minute, value))
    if not parts:
        raise nothing_found(paths, "tables with the columns Date;Time;CO(GT);...", others)
    panel = _panel(names, parts, noticed)
    report = ReadCounts(
        "values",
        sources=tuple(map(str, paths)),
        n_files=len(parts),
        n_records=len(panel),
        n_found=n_found,
        n_kept=panel.n_events,
        documented=dict(+documented),
        unforeseen=dict(+unforeseen),
        noticed=dict(+noticed),
        empty_records=tuple(panel.records[panel.counts == 0]),
        other_files=tuple(others),
    )
    tell(report, "the UCI air-quality data")
    return (panel, report) if return_report else panel


def _is_csv(name: str) -> bool:
    return name.lower().endswith(".csv")


def _unused(name: str, taken: Sequence[str]) -> str:
    """The name, or the name with a number if another file has it."""
    again = sum(each == name or each.startswith(f"{name} (") for each in taken)
    return f"{name} ({again + 1})" if again else name


def _parse(
    rows: TextRows, documented: Counter[str], unforeseen: Counter[str], noticed: Counter[str]
) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    """Minutes since 1970 and values of the usable rows, and the number of values and unusable rows."""
    cells = rows.numbers(*CHANNELS)
    minute = _column(rows, "Date", _day) + _column(rows, "Time", _clock)
    dated = minute >= 0
    date_code, dates = rows.words("Date")
    clock_code, clocks = rows.words("Time")
    empty = cells.absent.all(axis=1) & (np.array([not date for date in dates] or [True])[date_code])
    empty &= np.array([not clock for clock in clocks] or [True])[clock_code]
    noticed[EMPTY_ROW] += int(empty.sum())
    lost = ~dated & ~empty
    unforeseen[BAD_FIELDS] += len(rows.wrong)
    unforeseen[BAD_TIME] += int(lost.sum())
    unforeseen[BAD_NUMBER] += int(cells.unreadable[dated].sum())
    coded = cells.number == MISSING
    documented[CODE] += int(coded[dated].sum())
    strange = 0
    for name in set(rows.columns) - {"Date", "Time", *CHANNELS}:
        strange += int((~rows.numbers(str(name)).absent[dated]).sum())
    unforeseen[STRANGE] += strange
    n_values = int((~cells.absent[dated]).sum()) + int(lost.sum()) + len(rows.wrong) + strange
    return minute[dated], np.where(coded, np.nan, cells.number)[dated], n_values


def _column(rows: TextRows, name: str, meaning: object) -> NDArray[np.int64]:
    code, words = rows.words(name)
    return np.array([meaning(word) for word in words] or [_NEVER], dtype=np.int64)[code]  # type: ignore[operator]


def _day(word: str) -> int:
    """Minutes from 1970 to a day; far below zero for anything else."""
    found = _DAY.fullmatch(word)
    try:
        day = datetime.date(int(found[3]), int(found[2]), int(found[1])) if found else None
    except ValueError:
        day = None
    return _NEVER if day is None or day.year < 1970 else (day - datetime.date(1970, 1, 1)).days * 1440


def _clock(word: str) -> int:
    found = _CLOCK.fullmatch(word)
    if not found or int(found[1]) > 23 or int(found[2]) > 59 or int(found[3]) != 0:
        return _NEVER
    return int(found[1]) * 60 + int(found[2])


def _panel(names: Sequence[str], parts: Sequence[tuple[NDArray, NDArray]], noticed: Counter[str]) -> IrregularPanel:
    minute = np.concatenate([minute for minute, _ in parts])
    start = int(minute.min(initial=2**62)) // 1440 * 1440 if len(minute) else 0
    return panel_of_rows(
        np.repeat(np.arange(len(parts)), [len(each) for each, _ in parts]),
        (minute - start) / 60.0,
        np.concatenate([value for _, value in parts]),
        records=pd.Index(names, name="file", dtype=object),
        noticed=noticed,
        channels=CHANNELS,
        units={name: unit for name, unit in UNITS.items() if unit},
        time_unit="h",
        origin=pd.Timestamp(np.datetime64(start, "m").astype("M8[s]")),
    )
