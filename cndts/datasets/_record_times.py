"""Times as text files of records write them: numbers, clocks, dates."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.datasets._text_rows import TextRows
from cndts.datasets._tick_names import YEARS

SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "D": 86_400.0}

_CLOCK = re.compile(r"([+-]?)(\d{1,5}):([0-5]\d)(?::([0-5]\d(?:\.\d{1,9})?))?")


def check_time_format(time_format: str, time_unit: str) -> None:
    """Refuse formats that cannot be read, and units that clocks and dates cannot be given in."""
    if time_format not in ("number", "clock") and "%" not in time_format:
        raise ValueError(
            f'time_format must be "number", "clock" (HH:MM or HH:MM:SS) or a strftime format; got {time_format!r}.'
        )
    if time_format != "number" and time_unit not in SECONDS:
        raise ValueError(f"time_unit must be one of {', '.join(SECONDS)} for {time_format!r}; got {time_unit!r}.")


def read_times(rows: TextRows, column: str, time_format: str, time_unit: str) -> NDArray[np.float64]:
    """Times of rows, NaN where they cannot be read.

    Numbers are taken as they are; clocks in ``time_unit`` since 00:00; dates of a year in ``YEARS`` in seconds since 1970.
    """
    if time_format == "number":
        return rows.numbers(column, largest=1e15).number[:, 0]
    code, words = rows.words(column)
    if time_format == "clock":
        seconds = np.array([_clock(word) for word in words] or [np.nan])
        return np.asarray(seconds[code] / SECONDS[time_unit], dtype=np.float64)
    stamps = pd.to_datetime(pd.Series(words, dtype=object), format=time_format, errors="coerce", utc=True)
    # which other years can be read depends on the version of pandas
    stamps = stamps.where(stamps.dt.year.between(YEARS[0], YEARS[-1]))
    since = stamps.dt.tz_localize(None).to_numpy("M8[us]")
    number = np.where(np.isnat(since), np.nan, since.astype(np.int64) / 1e6)
    return number[code] if len(number) else np.full(len(code), np.nan)


def from_first_day(
    time: NDArray[np.float64], time_format: str, time_unit: str
) -> tuple[NDArray[np.float64], pd.Timestamp | None]:
    """Times since the first midnight, and that midnight, where the files hold dates."""
    if "%" not in time_format:
        return time, None
    start = float(time.min() // 86_400 * 86_400) if len(time) else 0.0
    zone = "UTC" if "%z" in time_format else None
    return (time - start) / SECONDS[time_unit], pd.Timestamp(int(start), unit="s", tz=zone)


def _clock(word: str) -> float:
    found = _CLOCK.fullmatch(word)
    if not found:
        return float("nan")
    seconds = int(found[2]) * 3600 + int(found[3]) * 60 + float(found[4] or 0)
    return -seconds if found[1] == "-" else seconds
