"""What the name of a tick file says: day and symbol."""

from __future__ import annotations

import datetime
import re

YEARS = range(1700, 2200)  # nanoseconds since 1970 reach from 1678 to 2262 in 64 bits

_DATE = re.compile(r"(?<!\d)(\d{4})([-_.]?)(\d{2})\2(\d{2})(?!\d)")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_NO_SYMBOL = {"tick", "ticks", "quote", "quotes", "trade", "trades", "bid", "ask", "csv", "txt"}


def date_in_name(name: str) -> datetime.date | None:
    """The day that a file name begins with or holds, of a year in ``YEARS``.

    Examples
    --------
    >>> date_in_name("oanda/eurusd/20140501_eurusd_tick_quote.csv"), date_in_name("EURUSD-2014-05.csv")
    (datetime.date(2014, 5, 1), None)
    """
    for year, _, month, day in _DATE.findall(name.rsplit("/", 1)[-1]):
        try:
            found = datetime.date(int(year), int(month), int(day))
        except ValueError:
            continue
        if found.year in YEARS:
            return found
    return None


def symbol_in_name(name: str) -> str:
    """The first word of a file name that is no description, else the folder's name, else the file's.

    Examples
    --------
    >>> symbol_in_name("oanda/eurusd/20140501_eurusd_tick_quote.csv"), symbol_in_name("nzdusd/20140501_quote.csv")
    ('eurusd', 'nzdusd')
    """
    *folders, last = name.split("/")
    stem = last.rsplit(".", 1)[0]
    words = [word for word in _WORD.findall(stem.replace("_", " ")) if word.lower() not in _NO_SYMBOL]
    return words[0] if words else folders[-1] if folders else stem
