"""Which record each tick belongs to: a symbol, or a symbol on one day."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.datasets._tick_rows import TickRows

_DAY = 86_400 * 10**9


@dataclass
class TickRecords:
    """Records met so far; ``assign`` adds those of a file.

    Parameters
    ----------
    by_day : bool
        Whether each day of a symbol is a record of its own.
    zone : str
        Where a day begins, if the file does not say which day it holds.
    """

    by_day: bool
    zone: str
    position: dict[tuple[str, str], int] = field(default_factory=dict)

    def assign(self, rows: TickRows, symbol: str, date: datetime.date | None) -> NDArray[np.int64]:
        """Position of the record of each row; a file without rows still makes its record."""
        n = len(rows.instant)
        symbols = rows.symbols if rows.symbol is not None else [symbol]
        code = rows.symbol if rows.symbol is not None else np.zeros(n, dtype=np.int64)
        if not self.by_day:
            day, days = np.zeros(n, dtype=np.int64), [""]
        elif date is not None:
            day, days = np.zeros(n, dtype=np.int64), [date.isoformat()]
        else:
            day, days = self._local_days(rows.instant)
        if n == 0 and rows.symbol is None and (date is not None or not self.by_day):
            self._find(symbols[0], days[0])
        pair, distinct = pd.factorize(code * max(len(days), 1) + day)
        found = [self._find(symbols[key // len(days)], days[key % len(days)]) for key in distinct.tolist()]
        return np.array(found, dtype=np.int64)[pair]

    def in_order(self) -> tuple[NDArray[np.int64], list[str], list[str]]:
        """New position of each record, and symbols and days in that order."""
        keys = sorted(self.position)
        rank = np.empty(len(keys), dtype=np.int64)
        rank[[self.position[key] for key in keys]] = np.arange(len(keys))
        return rank, [symbol for symbol, _ in keys], [day for _, day in keys]

    def _find(self, symbol: str, day: str) -> int:
        return self.position.setdefault((symbol, day), len(self.position))

    def _local_days(self, instant: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[str]]:
        local = pd.DatetimeIndex(instant.view("M8[ns]")).tz_localize("UTC").tz_convert(self.zone).tz_localize(None)
        day, distinct = pd.factorize(local.to_numpy("M8[ns]").view(np.int64) // _DAY)
        return day, [str(np.datetime64(int(each), "D")) for each in distinct]
