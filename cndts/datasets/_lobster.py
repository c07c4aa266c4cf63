"""Reader of LOBSTER message files: the events of a limit order book."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from cndts.datasets._read_counts import ReadCounts, tell
from cndts.datasets._sources import PathLike, as_paths, check_choice, nothing_found, read_sources
from cndts.datasets._tick_names import date_in_name
from cndts.datasets._tick_panel import Quotes, as_panel, first_midnight, in_order
from cndts.datasets._tick_records import TickRecords
from cndts.datasets._tick_rows import TickLayout, TickRows, parse_ticks
from cndts.panel import IrregularPanel

ZONE = "America/New_York"
PER_DOLLAR = 1e4
HALT = 7
BAD_TYPE, BAD_DIRECTION, BAD_AMOUNT = (
    "an unknown type of event",
    "an unknown direction",
    "a price or size not above zero",
)

_LAYOUT = TickLayout(("time", "type", None, "size", "price", "direction"), "s", ZONE, b",", n_more=1)
_NAME = re.compile(r"(.+?)_(\d{4}-\d{2}-\d{2})_.*message.*\.csv", re.IGNORECASE)


@overload
def read_lobster(
    path: PathLike | Sequence[PathLike],
    *,
    by: Literal["day", "symbol"] = ...,
    prices: Literal["quoted", "bp"] = ...,
    return_report: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def read_lobster(
    path: PathLike | Sequence[PathLike],
    *,
    by: Literal["day", "symbol"] = ...,
    prices: Literal["quoted", "bp"] = ...,
    return_report: Literal[True],
) -> tuple[IrregularPanel, ReadCounts]: ...


def read_lobster(
    path: PathLike | Sequence[PathLike],
    *,
    by: Literal["day", "symbol"] = "day",
    prices: Literal["quoted", "bp"] = "quoted",
    return_report: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, ReadCounts]:
    r"""Read LOBSTER message files: submissions, cancellations and executions of limit orders on NASDAQ, to the nanosecond.

    Parameters
    ----------
    path : path-like or sequence of path-like
        Files named like ``AAPL_2012-06-21_34200000_57600000_message_10.csv``, folders or archives of them (unpack
        ``.7z`` yourself).
    by : {"day", "symbol"}, default="day"
        Whether a record is one day of a symbol, or all of it.
    prices : {"quoted", "bp"}, default="quoted"
        Prices in dollars, or as basis points from the first price of the record, :math:`10^4 \ln(p / p_0)`; :math:`p_0`
        is then ``static["Reference"]``.
    return_report : bool, default=False
        Also return the counts of all that was met.

    Returns
    -------
    panel : IrregularPanel
        Records named by symbol and day (``"AAPL 2012-06-21"``), in that order; times in seconds since the first
        midnight in New York, which is ``origin``. Every message is four simultaneous events: ``type`` (1 submission, 2
        partial cancellation, 3 deletion, 4 execution of a visible order, 5 of a hidden order, 6 auction or cross
        trade), ``size`` (shares), ``price`` (USD) and ``direction`` (1 buy, -1 sell; of the *limit order*, so that an
        execution of a sell order is a trade started by a buyer). ``static`` holds Symbol; with ``by="day"``, ``groups``
        are the days.
    report : ReadCounts
        Only with ``return_report=True``; counts messages, one a row.

    Raises
    ------
    FileNotFoundError
        A path does not exist.
    ValueError
        A path holds no message file, is a damaged or unsafe archive, or an option is not known.

    Warns
    -----
    DataWarning
        Once a call, if rows had to be left out because they cannot be read.

    Notes
    -----
    *Known properties of the data, and what happens to them*

    - Prices are whole numbers of 1/10,000 dollar: they become dollars. The panel holds them as float32, 24 bits: a
      price of 585 to 6e-5 dollars; finer moves need ``prices="bp"``, computed in float64 before.
    - The day and the symbol are only in the file name, the time is in seconds after midnight in New York.
    - Many messages share an instant, since one order can execute many: they are kept as simultaneous events in the
      order of the file, and counted.
    - Trading halts (type 7) carry a code (-1, 0, 1) in place of a price: they are left out and counted.
    - Order ids are not read: they are names. ``_orderbook_`` files, the book after each message, are listed as other
      files.
    - Newer exports add a seventh field (a participant, or ``null``): it is not read either.
    - Rows with other than six or seven fields, an unreadable time, one beyond the day, an unreadable number, another type or direction, or a price or size not
      above zero are left out, counted and warned of.

    Source: https://lobsterdata.com, academic licence; samples of one day are free for research at
    https://lobsterdata.com/info/DataSamples.php. The files stay with the user.

    References
    ----------
    R. Huang, T. Polak. "LOBSTER: limit order book reconstruction system." SSRN 1977207, 2011.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> rows = ["34200.017459617,5,0,1,2238200,-1", "34200.18960767,1,11885113,21,2238100,1"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "AMZN_2012-06-21_34200000_57600000_message_1.csv")
    ...     _ = file.write_text(chr(10).join(rows))
    ...     panel = read_lobster(folder)
    >>> panel.records.tolist(), panel.channels, panel.time[::4].tolist()
    (['AMZN 2012-06-21'], ('type', 'size', 'price', 'direction'), [34200.017459617, 34200.18960767])
    >>> panel.value[[0, 1, 3]].tolist(), round(float(panel.value[2]), 2)
    ([5.0, 1.0, -1.0], 223.82)
    """
    check_choice("by", by, ("day", "symbol"))
    check_choice("prices", prices, ("quoted", "bp"))
    paths = as_paths(path)
    records = TickRecords(by == "day", ZONE)
    parts, positions, others = _read(paths, records)
    documented: Counter[str] = Counter()
    unforeseen = sum((part.unforeseen for part in parts), Counter[str]())
    noticed = sum((part.noticed for part in parts), Counter[str]())
    rank, symbols, days = records.in_order()
    record = rank[np.concatenate(positions)] if len(rank) else np.zeros(0, dtype=np.int64)
    instant = np.concatenate([part.instant for part in parts])
    value = np.concatenate([part.value for part in parts], axis=1)
    quotes = Quotes(record, instant, value, _LAYOUT.channels, symbols, days)
    quotes = in_order(_checked(quotes, documented, unforeseen), noticed)
    report = ReadCounts(
        "messages",
        sources=tuple(map(str, paths)),
        n_files=len(parts),
        n_records=len(symbols),
        n_found=sum(part.n_rows for part in parts),
        n_kept=len(quotes.instant),
        documented=dict(+documented),
        unforeseen=dict(+unforeseen),
        noticed=dict(+noticed),
        empty_records=tuple(
            f"{symbol} {day}".strip()
            for place, (symbol, day) in enumerate(zip(symbols, days, strict=True))
            if not (quotes.record == place).any()
        ),
        other_files=tuple(others),
    )
    panel = as_panel(quotes, first_midnight(quotes, ZONE), ZONE, "ns", logarithmic=prices == "bp", units=_units(prices))
    tell(report, "LOBSTER messages")
    return (panel, report) if return_report else panel


def _units(prices: str) -> dict[str, str]:
    return {"size": "shares", "price": "bp" if prices == "bp" else "USD"}


def _read(paths: Sequence[PathLike], records: TickRecords) -> tuple[list[TickRows], list[NDArray], list[str]]:
    parts: list[TickRows] = []
    positions: list[NDArray] = []
    others: list[str] = []
    for name, content in read_sources(paths, _is_message):
        found = _NAME.fullmatch(name.rsplit("/", 1)[-1])
        day = date_in_name(name) if found else None
        if content is None or found is None or day is None:
            others.append(name)
            continue
        rows = parse_ticks(content, _LAYOUT, day)
        parts.append(rows)
        positions.append(records.assign(rows, found[1], day))
    if not parts:
        raise nothing_found(paths, "files named like AAPL_2012-06-21_34200000_57600000_message_10.csv", others)
    return parts, positions, others


def _is_message(name: str) -> bool:
    return _NAME.fullmatch(name.rsplit("/", 1)[-1]) is not None


def _checked(quotes: Quotes, documented: Counter[str], unforeseen: Counter[str]) -> Quotes:
    """The messages that describe an order, with prices in dollars."""
    kind, size, price, direction = quotes.value
    left = np.ones(len(kind), dtype=bool)
    faults = {
        BAD_TYPE: ~np.isin(kind, np.arange(1, HALT + 1)),
        "a trading halt": kind == HALT,
        BAD_DIRECTION: ~np.isin(direction, (-1, 1)),
        BAD_AMOUNT: ~((price > 0) & (size > 0)),
    }
    for fault, found in faults.items():
        (documented if fault == "a trading halt" else unforeseen)[fault] += int((left & found).sum())
        left &= ~found
    kept = quotes.rows(np.flatnonzero(left))
    value = kept.value / np.array([[1.0], [1.0], [PER_DOLLAR], [1.0]])
    return Quotes(kept.record, kept.instant, value, kept.channels, kept.symbols, kept.days)
