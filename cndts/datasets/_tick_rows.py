"""From the text of a tick file to instants and prices, with every unusable row counted."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.datasets._decimals import read_decimals
from cndts.datasets._fields import Positions, distinct_fields, split_rows
from cndts.datasets._sources import with_line_feeds
from cndts.datasets._tick_names import YEARS

SECONDS = 10**9
SINCE_MIDNIGHT = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
SINCE_1970 = {"epoch_s": 10**9, "epoch_ms": 10**6, "epoch_us": 10**3}

BAD_FIELDS = "another number of fields"
BAD_TIME = "an unreadable time"
OUTSIDE = "a time outside the day"
BAD_NUMBER = "an unreadable number"
NO_NUMBER = "no number at all"
NO_LOCAL_TIME = "a local time that does not exist or exists twice"

_LARGEST = float(np.finfo(np.float32).max)
_LATEST = 2.0**62  # nanoseconds since 1970, in the year 2116
_ONE_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class TickLayout:
    """What the rows of a tick file look like.

    Parameters
    ----------
    columns : tuple of (str or None)
        Meaning of each field: ``"time"``, ``"symbol"``, a channel name, or None for a field to skip.
    time_format : str
        A key of ``SINCE_MIDNIGHT`` or ``SINCE_1970``, or a ``strftime`` format.
    zone : str
        Time zone of midnights and of formatted times.
    separator : bytes
        One character.
    n_more : int, default=0
        How many fields may follow, to be skipped.
    """

    columns: tuple[str | None, ...]
    time_format: str
    zone: str
    separator: bytes
    n_more: int = 0

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the numbers."""
        return tuple(name for name in self.columns if name not in ("time", "symbol", None))

    @property
    def needs_date(self) -> bool:
        """Whether times count from a midnight that the file does not tell."""
        return self.time_format in SINCE_MIDNIGHT


@dataclass(frozen=True)
class TickRows:
    """Usable rows of a file, in file order, and the counts of the others.

    Parameters
    ----------
    instant : ndarray of shape (n,)
        Nanoseconds since 1970-01-01 UTC.
    symbol : ndarray of shape (n,) or None
        Position in ``symbols`` where the rows name their symbol.
    symbols : list of str
    value : ndarray of shape (n_channels, n)
        NaN where a field is empty.
    n_rows : int
    unforeseen, noticed : Counter
    """

    instant: NDArray[np.int64]
    symbol: NDArray[np.int64] | None
    symbols: list[str]
    value: NDArray[np.float64]
    n_rows: int
    unforeseen: Counter[str]
    noticed: Counter[str]


def parse_ticks(content: bytes, layout: TickLayout, date: datetime.date | None) -> TickRows:
    r"""Interpret one file.

    Parameters
    ----------
    content : bytes
    layout : TickLayout
    date : date or None
        Day whose midnight times count from.

    Examples
    --------
    >>> layout = TickLayout(("time", "bid", "ask"), "ms", "UTC", b",")
    >>> rows = parse_ticks(b"292.5,1.38676,1.38686\nx,1.3,1.4\n", layout, datetime.date(1970, 1, 2))
    >>> rows.instant.tolist(), rows.value.T.tolist(), dict(rows.unforeseen)
    ([86400292500000], [[1.38676, 1.38686]], {'an unreadable time': 1})
    """
    text, headers = _rows_of(content, layout)
    begin, end, wrong = split_rows(text, len(layout.columns), layout.n_more)
    unforeseen = Counter({BAD_FIELDS: len(wrong)})
    usable: NDArray[np.bool_] = np.ones(len(begin[0]), dtype=bool)
    at = layout.columns.index("time")
    instant, reasons = _instants(text, begin[at], end[at], layout, date)
    for reason, found in reasons.items():
        unforeseen[reason] = int((found & usable).sum())
        usable &= ~found
    value = np.empty((len(layout.channels), len(usable)))
    unreadable = np.zeros(len(usable), dtype=bool)
    for row, name in enumerate(layout.channels):
        field = layout.columns.index(name)
        value[row], wrong_number = _numbers(text, begin[field], end[field])
        unreadable |= wrong_number
    for reason, found in ((BAD_NUMBER, unreadable), (NO_NUMBER, np.asarray(np.isnan(value).all(axis=0)))):
        unforeseen[reason] = int((found & usable).sum())
        usable &= ~found
    symbol, symbols = _symbols(text, begin, end, layout)
    noticed = Counter({"a header line": headers})
    if not usable.all():
        instant, value, symbol = instant[usable], value[:, usable], None if symbol is None else symbol[usable]
    return TickRows(instant, symbol, symbols, value, len(usable) + len(wrong), +unforeseen, +noticed)


def _rows_of(content: bytes, layout: TickLayout) -> tuple[bytes, int]:
    """Comma-separated rows that end with a line feed, without the header, and whether there was one."""
    text = with_line_feeds(content)
    if layout.separator != b",":
        text = text.translate(bytes.maketrans(layout.separator + b",", b"," + layout.separator))
    first = text[: text.find(b"\n") + 1]
    is_header = all(re.match(rb"[\s\"']*[A-Za-z_#<(]", field) for field in first.split(b",")) and bool(first.strip())
    return (text[len(first) :], 1) if is_header else (text, 0)


def _instants(
    text: bytes, begin: Positions, end: Positions, layout: TickLayout, date: datetime.date | None
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.bool_]]]:
    if layout.time_format in SINCE_1970 or layout.time_format in SINCE_MIDNIGHT:
        return _counted(read_decimals(text, begin, end), layout, date)
    fields = [text[i:j].strip(b" \t\"'").decode("latin-1") for i, j in zip(begin.tolist(), end.tolist(), strict=True)]
    index = pd.Series(fields, dtype=object)
    stamps = pd.to_datetime(index, format=layout.time_format, errors="coerce", utc="%z" in layout.time_format)
    stamps = stamps.where(stamps.dt.year.between(YEARS[0], YEARS[-1]))  # others would wrap around
    unreadable = stamps.isna().to_numpy()
    if stamps.dt.tz is None:
        stamps = stamps.dt.tz_localize(layout.zone, ambiguous="NaT", nonexistent="NaT")
    lost = stamps.isna().to_numpy()
    instant = stamps.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("M8[ns]").view(np.int64)
    return np.where(lost, 0, instant), {BAD_TIME: unreadable, NO_LOCAL_TIME: lost}


def _counted(
    number: NDArray[np.float64], layout: TickLayout, date: datetime.date | None
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.bool_]]]:
    per_unit = {**SINCE_MIDNIGHT, **SINCE_1970}[layout.time_format]
    unreadable = ~(number >= 0)
    late = number >= _LATEST / per_unit
    number = np.where(unreadable | late, 0.0, number)
    whole = np.floor(number)  # apart from the fraction, whose nanoseconds float64 holds exactly
    elapsed = whole.astype(np.int64) * per_unit + np.rint((number - whole) * per_unit).astype(np.int64)
    if date is None:
        return elapsed, {BAD_TIME: unreadable | late}
    start = midnight(date, layout.zone)
    outside = late | (elapsed >= midnight(date + _ONE_DAY, layout.zone) - start)  # 23 or 25 hours where clocks change
    return np.where(outside, 0, elapsed) + start, {BAD_TIME: unreadable, OUTSIDE: outside}


def midnight(date: datetime.date, zone: str) -> int:
    """The instant when a day begins, in nanoseconds since 1970-01-01 UTC."""
    start = pd.Timestamp(year=date.year, month=date.month, day=date.day).tz_localize(
        zone, ambiguous=True, nonexistent="shift_forward"
    )
    return int(start.as_unit("s").timestamp()) * SECONDS


def _numbers(text: bytes, begin: Positions, end: Positions) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers, NaN in empty fields; and where a field is neither empty nor a number that float32 holds."""
    number = read_decimals(text, begin, end)
    unreadable = ~(np.abs(number) <= _LARGEST)
    if unreadable.any():
        rows = np.flatnonzero(unreadable)
        blank = [not text[i:j].strip() for i, j in zip(begin[rows].tolist(), end[rows].tolist(), strict=True)]
        unreadable[rows[np.array(blank, dtype=bool)]] = False
    return number, unreadable


def _symbols(
    text: bytes, begin: Sequence[Positions], end: Sequence[Positions], layout: TickLayout
) -> tuple[NDArray[np.int64] | None, list[str]]:
    if "symbol" not in layout.columns:
        return None, []
    field = layout.columns.index("symbol")
    code, distinct = distinct_fields(text, begin[field], end[field])
    return code, [each.strip(b" \t\"'").decode("latin-1") for each in distinct]
