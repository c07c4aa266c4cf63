"""Reader of tick files: quotes and trades at their own times."""

from __future__ import annotations

import datetime
import zoneinfo
from collections import Counter
from collections.abc import Sequence
from typing import Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.datasets._read_counts import ReadCounts, tell
from cndts.datasets._sources import PathLike, as_paths, check_choice, nothing_found, read_sources
from cndts.datasets._tick_names import YEARS, date_in_name, symbol_in_name
from cndts.datasets._tick_panel import Quotes, as_panel, check_prices, first_midnight, in_order, settle, with_mid
from cndts.datasets._tick_records import TickRecords
from cndts.datasets._tick_rows import SINCE_1970, SINCE_MIDNIGHT, TickLayout, TickRows, parse_ticks
from cndts.panel import IrregularPanel

Duplicates = Literal["last", "first", "mean", "keep", "error"]


@overload
def read_ticks(
    path: PathLike | Sequence[PathLike],
    *,
    columns: Sequence[str | None] = ...,
    time_format: str = ...,
    time_zone: str = ...,
    date: str | datetime.date | None = ...,
    symbol: str | None = ...,
    separator: str = ...,
    by: Literal["day", "symbol"] = ...,
    duplicates: Duplicates = ...,
    crossed: Literal["keep", "drop"] = ...,
    mid: bool = ...,
    prices: Literal["quoted", "bp"] = ...,
    return_report: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def read_ticks(
    path: PathLike | Sequence[PathLike],
    *,
    columns: Sequence[str | None] = ...,
    time_format: str = ...,
    time_zone: str = ...,
    date: str | datetime.date | None = ...,
    symbol: str | None = ...,
    separator: str = ...,
    by: Literal["day", "symbol"] = ...,
    duplicates: Duplicates = ...,
    crossed: Literal["keep", "drop"] = ...,
    mid: bool = ...,
    prices: Literal["quoted", "bp"] = ...,
    return_report: Literal[True],
) -> tuple[IrregularPanel, ReadCounts]: ...


def read_ticks(
    path: PathLike | Sequence[PathLike],
    *,
    columns: Sequence[str | None] = ("time", "bid", "ask"),
    time_format: str = "ms",
    time_zone: str = "UTC",
    date: str | datetime.date | None = None,
    symbol: str | None = None,
    separator: str = ",",
    by: Literal["day", "symbol"] = "day",
    duplicates: Duplicates = "last",
    crossed: Literal["keep", "drop"] = "keep",
    mid: bool = True,
    prices: Literal["quoted", "bp"] = "quoted",
    return_report: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, ReadCounts]:
    r"""Read tick files, with one row for each quote or trade.

    The defaults read quotes as ``milliseconds,bid,ask`` with the day in the file name, the layout of LEAN and of OANDA's
    sample there (``20140501_eurusd_tick_quote.csv``); options cover the other layouts in use.

    Parameters
    ----------
    path : path-like or sequence of path-like
        ``.csv`` or ``.txt`` files, folders of them (at any depth), or archives.
    columns : sequence of (str or None), default=("time", "bid", "ask")
        What the fields of a row are: ``"time"``, ``"symbol"``, or the name of a channel; None skips a field. The prices
        are ``"bid"``, ``"ask"``, ``"price"``.
    time_format : str, default="ms"
        ``"s"``, ``"ms"``, ``"us"`` or ``"ns"``, fractions allowed, elapsed since midnight of the file's day;
        ``"epoch_s"``, ``"epoch_ms"`` or ``"epoch_us"`` since 1970 UTC; or a ``strftime`` format such as
        ``"%Y%m%d %H:%M:%S.%f"``.
    time_zone : str, default="UTC"
        Zone of midnights, and of formatted times that name none; the panel's zone.
    date : str or datetime.date, optional
        Day of the files, if their names do not hold it (``20140501``, ``2014-05-01``).
    symbol : str, optional
        Symbol of the files; by default the first word of the file name that is not a description such as
        ``tick`` or ``quote``, else the name of the folder.
    separator : str, default=","
        One character.
    by : {"day", "symbol"}, default="day"
        Whether a record is one day of a symbol, or all of it.
    duplicates : {"last", "first", "mean", "keep", "error"}, default="last"
        What to do with several rows of a record at the same instant. ``"last"`` is the state of the book
        after that instant; ``"keep"`` leaves them as simultaneous events in the order of the file.
    crossed : {"keep", "drop"}, default="keep"
        What to do with quotes whose bid is above the ask.
    mid : bool, default=True
        Add the channel ``mid``, the mean of bid and ask, where there are both.
    prices : {"quoted", "bp"}, default="quoted"
        Prices as quoted, or as basis points from the first price of the record,
        :math:`10^4 \ln(p / p_0)`; :math:`p_0` (a mid where there is one) is then ``static["Reference"]``.
    return_report : bool, default=False
        Also return the counts of all that was met.

    Returns
    -------
    panel : IrregularPanel
        Records named by symbol and day (``"eurusd 2014-05-01"``), in that order; times in seconds since the first
        midnight, which is ``origin``, so that they come back as calendar times; an event for each number of a row.
        ``static`` holds Symbol; with ``by="day"``, ``groups`` are the days, so that grouped splits do not
        tear a day apart.
    report : ReadCounts
        Only with ``return_report=True``; counts rows.

    Raises
    ------
    FileNotFoundError
        A path does not exist.
    ValueError
        A path holds no tick file, the day of the times is nowhere, an archive is damaged or unsafe, an option is not
        known, or ``duplicates="error"`` met one.

    Warns
    -----
    DataWarning
        Once a call, if rows had to be left out because they cannot be read.

    Notes
    -----
    *Known properties of such data, and what happens to them*

    - The day is only in the file name: it is read from there, never guessed. A file without a row stays, as a
      record without events; a file without a day in its name is listed in the report if others have one.
    - Rows that share an instant (11,537 of OANDA's sample): ``duplicates``. Rows out of order are sorted. Both are counted.
    - Crossed quotes, equal bid and ask, and prices not above zero (which ``prices="bp"`` has to leave out) are counted.
    - Elapsed time counts from the beginning of the day in ``time_zone``. When clocks change, that is not what a clock
      shows; formatted local times that do not exist, or exist twice, are left out, counted and warned of.
    - An empty field is a price that was not quoted; rows with an unreadable time or number, a time since midnight that
      the day does not have (24 hours; 23 or 25 when clocks change), without any number, or with another number of fields
      are left out, counted and warned of. A header line is recognised. Dates are of the years 1700 to 2199, and times since 1970 reach to
      February 2116; others cannot be read.
    - The panel holds values as float32, with 24 bits: EURUSD to 1.2e-7, but a price of 60,000 only to 0.004. Small moves of
      large prices need ``prices="bp"``, computed in float64 before.

    OANDA's sample (EURUSD and NZDUSD, 1 to 15 May 2014) has 26 files with 990,602 quotes. It is part of the LEAN
    repository, https://github.com/QuantConnect/Lean (Apache License 2.0); OANDA's own terms are not stated there.

    References
    ----------
    QuantConnect. "LEAN engine: data format." https://www.quantconnect.com/docs/v2/lean-engine/data-format.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "20140501_eurusd_tick_quote.csv")
    ...     _ = file.write_text("292,1.38676,1.38686" + chr(10) + "920.5,1.38676,1.38687" + chr(10))
    ...     panel, report = read_ticks(file, return_report=True)
    >>> panel.records.tolist(), panel.channels, panel.n_events, report.n_found
    (['eurusd 2014-05-01'], ('bid', 'ask', 'mid'), 6, 2)
    >>> panel.to_long()["time"].iloc[-1].isoformat()
    '2014-05-01T00:00:00.920500+00:00'
    """
    layout = _layout(columns, time_format, time_zone, separator)
    for name, got, allowed in (
        ("by", by, ("day", "symbol")),
        ("duplicates", duplicates, ("last", "first", "mean", "keep", "error")),
        ("crossed", crossed, ("keep", "drop")),
        ("prices", prices, ("quoted", "bp")),
    ):
        check_choice(name, got, allowed)
    records = TickRecords(by == "day", time_zone)
    parts, positions, files, others = _read(as_paths(path), layout, _as_date(date), symbol, records)
    quotes = _joined(parts, positions, layout, records)

    documented: Counter[str] = Counter()
    noticed = sum((part.noticed for part in parts), Counter[str]())
    quotes = check_prices(in_order(quotes, noticed), crossed, prices == "bp", documented, noticed)
    quotes, n_merged = settle(quotes, duplicates)
    report = ReadCounts(
        "rows",
        sources=tuple(map(str, as_paths(path))),
        n_files=files,
        n_records=len(quotes.symbols),
        n_found=sum(part.n_rows for part in parts),
        n_kept=len(quotes.instant),
        n_merged=n_merged,
        documented=dict(+documented),
        unforeseen=dict(sum((part.unforeseen for part in parts), Counter())),
        noticed=dict(+noticed),
        empty_records=_empty(quotes),
        other_files=tuple(others),
    )
    if mid and {"bid", "ask"} <= set(layout.channels):
        quotes = with_mid(quotes)
    resolution: Literal["us", "ns"] = "ns" if time_format == "ns" else "us"
    panel = as_panel(quotes, first_midnight(quotes, time_zone), time_zone, resolution, logarithmic=prices == "bp")
    tell(report, "ticks")
    return (panel, report) if return_report else panel


def _read(
    paths: Sequence[PathLike],
    layout: TickLayout,
    date: datetime.date | None,
    symbol: str | None,
    records: TickRecords,
) -> tuple[list[TickRows], list[NDArray[np.int64]], int, list[str]]:
    """Rows of each file, the records that they belong to, the number of files, and the names of the others."""
    parts: list[TickRows] = []
    positions: list[NDArray[np.int64]] = []
    others: list[str] = []
    undated: list[str] = []
    for name, content in read_sources(paths, _is_text):
        day = (date or date_in_name(name)) if layout.needs_date else None
        if content is None or layout.needs_date and day is None:
            others.append(name)
            undated += [] if content is None else [name]
            continue
        rows = parse_ticks(content, layout, day)
        parts.append(rows)
        positions.append(records.assign(rows, symbol or symbol_in_name(name), day))
    if not parts and undated:
        raise ValueError(
            f'{undated[0]!r} does not say which day its times ("{layout.time_format}" since midnight) belong to; '
            'pass date="2014-05-01", keep the published name, or choose another time_format.'
        )
    if not parts:
        raise nothing_found(paths, "tick files (.csv or .txt)", others)
    return parts, positions, len(parts), others


def _joined(
    parts: Sequence[TickRows], positions: Sequence[NDArray[np.int64]], layout: TickLayout, records: TickRecords
) -> Quotes:
    rank, symbols, days = records.in_order()
    record = rank[np.concatenate(positions)] if len(rank) else np.zeros(0, dtype=np.int64)
    instant = np.concatenate([part.instant for part in parts])
    value = np.concatenate([part.value for part in parts], axis=1)
    return Quotes(record, instant, value, layout.channels, symbols, days)


def _empty(quotes: Quotes) -> tuple[str, ...]:
    counts = np.bincount(quotes.record, minlength=len(quotes.symbols))
    names = [f"{symbol} {day}".strip() for symbol, day in zip(quotes.symbols, quotes.days, strict=True)]
    return tuple(name for name, count in zip(names, counts.tolist(), strict=True) if not count)


def _layout(columns: Sequence[str | None], time_format: str, time_zone: str, separator: str) -> TickLayout:
    names = tuple(columns)
    named = [name for name in names if name is not None]
    if "time" not in named or len(set(named)) != len(named) or not set(named) - {"time", "symbol"}:
        raise ValueError(f'columns must hold "time" and at least one channel, each once; got {names!r}.')
    if "mid" in named and {"bid", "ask"} <= set(named):
        raise ValueError('columns hold "bid", "ask" and "mid"; give the last another name, or None to skip it.')
    formats = (*SINCE_MIDNIGHT, *SINCE_1970)
    if time_format not in formats and "%" not in time_format:
        raise ValueError(f"time_format must be one of {', '.join(formats)} or a strftime format; got {time_format!r}.")
    try:
        zoneinfo.ZoneInfo(time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'time_zone must be a name such as "UTC" or "America/New_York"; got {time_zone!r}.') from None
    if len(separator.encode()) != 1 or separator in "\n\r\"'.0123456789":
        raise ValueError(f"separator must be one character that no number holds; got {separator!r}.")
    return TickLayout(names, time_format, time_zone, separator.encode())


def _as_date(given: str | datetime.date | None) -> datetime.date | None:
    if given is None:
        return None
    try:
        day = pd.Timestamp(given).date()
        is_known = day.year in YEARS
    except (ValueError, TypeError):
        is_known = False
    if not is_known:
        raise ValueError(f'date must be a day such as "2014-05-01", from {YEARS[0]} to {YEARS[-1]}; got {given!r}.')
    return day


def _is_text(name: str) -> bool:
    return name.lower().endswith((".csv", ".txt"))
