"""From the rows of tick files to a panel: records, order, repeated instants, crossed quotes, mid prices."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._ragged import offsets_from_lengths
from cndts.datasets._tick_rows import SECONDS, midnight
from cndts.panel import IrregularPanel

PRICES = ("bid", "ask", "mid", "price")
CROSSED, LOCKED = "crossed prices (bid above ask)", "equal bid and ask"
NOT_POSITIVE = "a price that is not above zero"
UNSORTED, SHARED = "a time before the row above", "the time of the row above"


@dataclass(frozen=True)
class Quotes:
    """Rows of all files, with the record that each belongs to.

    Parameters
    ----------
    record : ndarray of shape (n,)
        Position in ``symbols`` and ``days``.
    instant : ndarray of shape (n,)
        Nanoseconds since 1970-01-01 UTC.
    value : ndarray of shape (n_channels, n)
    channels : tuple of str
    symbols, days : list of str
        Of each record; an empty day where a record spans all days.
    """

    record: NDArray[np.int64]
    instant: NDArray[np.int64]
    value: NDArray[np.float64]
    channels: tuple[str, ...]
    symbols: list[str]
    days: list[str]

    def rows(self, index: NDArray) -> Quotes:
        """Some of the rows."""
        return Quotes(
            self.record[index], self.instant[index], self.value[:, index], self.channels, self.symbols, self.days
        )


def in_order(quotes: Quotes, noticed: Counter[str]) -> Quotes:
    """Sorted by record and instant; rows of equal instants keep their order."""
    same = quotes.record[1:] == quotes.record[:-1]
    step = np.diff(quotes.instant)
    noticed[UNSORTED] += int((same & (step < 0)).sum())
    noticed[SHARED] += int((same & (step == 0)).sum())
    if (quotes.record[1:] < quotes.record[:-1]).any() or (same & (step < 0)).any():
        quotes = quotes.rows(np.lexsort((quotes.instant, quotes.record)))
    return quotes


def settle(quotes: Quotes, duplicates: str) -> tuple[Quotes, int]:
    """One row for each instant of a record, by the policy, and how many rows were folded."""
    again = np.zeros(len(quotes.record), dtype=bool)
    again[1:] = (np.diff(quotes.record) == 0) & (np.diff(quotes.instant) == 0)
    if duplicates == "keep" or not again.any():
        return quotes, 0
    if duplicates == "error":
        row = int(np.flatnonzero(again)[0])
        raise ValueError(
            f"{quotes.symbols[quotes.record[row]]} has more than one row at {pd.Timestamp(quotes.instant[row])} UTC "
            f'({int(again.sum()):,} such rows); choose duplicates="last", "first", "mean" or "keep".'
        )
    start = np.flatnonzero(~again)
    settled = quotes.rows(start)
    return Quotes(settled.record, settled.instant, _folded(quotes.value, start, duplicates), *_names(settled)), int(
        again.sum()
    )


def _names(quotes: Quotes) -> tuple[tuple[str, ...], list[str], list[str]]:
    return quotes.channels, quotes.symbols, quotes.days


def _folded(value: NDArray[np.float64], start: NDArray[np.int64], duplicates: str) -> NDArray[np.float64]:
    """One column for each run; an empty field gives way to a number of the same run."""
    n = value.shape[1]
    known = ~np.isnan(value)
    if duplicates == "mean":
        count = np.add.reduceat(known, start, axis=1, dtype=np.int64)
        total = np.add.reduceat(np.where(known, value, 0.0), start, axis=1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)
    rows = np.arange(n)
    if duplicates == "first":
        chosen = np.minimum.reduceat(np.where(known, rows, n), start, axis=1)
    else:
        chosen = np.maximum.reduceat(np.where(known, rows, -1), start, axis=1)
    absent = (chosen < 0) | (chosen == n)
    return np.where(absent, np.nan, np.take_along_axis(value, np.where(absent, 0, chosen), axis=1))


def check_prices(
    quotes: Quotes, crossed: str, logarithmic: bool, documented: Counter[str], noticed: Counter[str]
) -> Quotes:
    """Count crossed and implausible prices, and leave out what the options say."""
    kept = np.ones(len(quotes.record), dtype=bool)
    prices = [row for row, name in enumerate(quotes.channels) if name in PRICES]
    wrong = (quotes.value[prices] <= 0).any(axis=0)
    (documented if logarithmic else noticed)[NOT_POSITIVE] += int(wrong.sum())
    if logarithmic:
        kept &= ~wrong
    if {"bid", "ask"} <= set(quotes.channels):
        bid, ask = (quotes.value[quotes.channels.index(name)] for name in ("bid", "ask"))
        noticed[LOCKED] += int((kept & (bid == ask)).sum())
        is_crossed = kept & (bid > ask)
        (documented if crossed == "drop" else noticed)[CROSSED] += int(is_crossed.sum())
        if crossed == "drop":
            kept &= ~is_crossed
    return quotes if kept.all() else quotes.rows(np.flatnonzero(kept))


def with_mid(quotes: Quotes) -> Quotes:
    """With the mean of bid and ask as a last channel."""
    bid, ask = (quotes.value[quotes.channels.index(name)] for name in ("bid", "ask"))
    value = np.concatenate([quotes.value, ((bid + ask) / 2)[None]])
    return Quotes(quotes.record, quotes.instant, value, (*quotes.channels, "mid"), quotes.symbols, quotes.days)


def as_panel(
    quotes: Quotes,
    origin: int,
    zone: str,
    resolution: Literal["us", "ns"],
    *,
    logarithmic: bool,
    units: Mapping[str, str] | None = None,
) -> IrregularPanel:
    """Seconds since ``origin``, one event for each number of a row."""
    if units is None and logarithmic:
        units = dict.fromkeys([name for name in quotes.channels if name in PRICES], "bp")
    n_channels, n_rows = quotes.value.shape
    reference = _references(quotes)
    value = quotes.value
    if logarithmic:
        is_price = np.array([name in PRICES for name in quotes.channels])[:, None]
        value = np.where(is_price, 1e4 * np.log(np.where(is_price, value, 1) / reference[quotes.record]), value)
    known = ~np.isnan(value.T).ravel()
    record, time = (np.repeat(each, n_channels)[known] for each in (quotes.record, (quotes.instant - origin) / SECONDS))
    names = [f"{symbol} {day}" if day else symbol for symbol, day in zip(quotes.symbols, quotes.days, strict=True)]
    ids = pd.Index(names, name="record", dtype=object)
    static = pd.DataFrame({"Symbol": quotes.symbols}, index=ids)
    if logarithmic:
        static["Reference"] = reference
    return IrregularPanel(
        offsets_from_lengths(np.bincount(record, minlength=len(ids))),
        time,
        np.tile(np.arange(n_channels), n_rows)[known],
        value.T.ravel()[known],
        records=ids,
        channels=quotes.channels,
        units=units,
        static=static,
        groups=np.array(quotes.days, dtype=object) if any(quotes.days) else None,
        time_unit="s",
        origin=pd.Timestamp(origin, unit="ns", tz="UTC").tz_convert(zone).as_unit(resolution),
    )


def first_midnight(quotes: Quotes, zone: str) -> int:
    """The midnight before everything, in nanoseconds since 1970 UTC."""
    days = [datetime.date.fromisoformat(day) for day in quotes.days if day]
    if len(quotes.instant):
        first = pd.Timestamp(int(quotes.instant.min()), unit="ns", tz="UTC").tz_convert(zone)
        days.append(first.date())
    return midnight(min(days), zone) if days else 0


def _references(quotes: Quotes) -> NDArray[np.float64]:
    """The first price of each record, of the last price channel that it has."""
    reference = np.full(len(quotes.symbols), np.nan)
    for row, name in enumerate(quotes.channels):
        if name in PRICES:
            known = np.flatnonzero(~np.isnan(quotes.value[row]))[::-1]
            reference[quotes.record[known]] = quotes.value[row, known]
    return reference
