"""From the files of daily station data to a panel and its counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._ragged import offsets_from_lengths
from cndts.datasets._archives import ArchiveLimits
from cndts.datasets._ghcn_elements import CORE
from cndts.datasets._read_counts import ReadCounts
from cndts.datasets._sources import PathLike, nothing_found, read_sources, with_line_feeds
from cndts.datasets._station_months import Choice, DayValues, MonthLayout, looks_like_months, parse_months
from cndts.panel import IrregularPanel

REPEATED = "a station, day and element given before"
_BATCH_BYTES = 2**23


@dataclass(frozen=True)
class StationDays:
    """Daily values sorted by station, day and channel.

    Parameters
    ----------
    stations : tuple of str
        Ids in order.
    channels : tuple of str
    station, day, channel : ndarray of shape (n,)
        Positions; days since 1970-01-01.
    value : ndarray of shape (n,)
    n_repeated : int
        Values left out because an earlier one has the same station, day and channel.
    """

    stations: tuple[str, ...]
    channels: tuple[str, ...]
    station: NDArray[np.int32]
    day: NDArray[np.int32]
    channel: NDArray[np.int16]
    value: NDArray[np.float32]
    n_repeated: int


def check_elements(elements: object, years: object, layout: MonthLayout) -> tuple[tuple[str, ...] | None, None | tuple]:
    """Elements and years to keep, None for all of them; an error for anything else."""
    names = None if elements is None else (elements,) if isinstance(elements, str) else tuple(elements)  # type: ignore[arg-type]
    unknown = [name for name in names or () if name not in layout.elements]
    if unknown or names == ():
        raise ValueError(f"elements must be some of {', '.join(list(layout.elements)[:12])}, ...; got {elements!r}.")
    if years is None:
        return names, None
    try:
        first, last = (int(year) for year in years)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise ValueError(f"years must be the first and the last year, such as (1996, 2000); got {years!r}.") from None
    if first > last:
        raise ValueError(f"years must not fall: got {first} to {last}.")
    return names, (first, last)


def read_days(
    paths: Sequence[PathLike],
    layout: MonthLayout,
    choice: Choice,
    wanted: Callable[[str], bool],
    what: str,
    limits: ArchiveLimits | None = None,
) -> tuple[StationDays, ReadCounts]:
    """Values of all files, sorted by station, day and element, and the counts."""
    others: list[str] = []
    stations: dict[str, int] = {}
    files: list[int] = []
    texts = _data_texts(read_sources(paths, wanted, limits=limits), layout, others, files)
    parts = [parse_months(text, layout, choice, stations) for text in _batches(texts)]
    if not parts:
        raise nothing_found(paths, what, others)
    values = _joined(parts)
    days = _sorted(values, list(layout.elements), choice.elements)
    empty = np.bincount(days.station, minlength=len(stations)) == 0
    counts = ReadCounts(
        "values",
        sources=tuple(map(str, paths)),
        n_files=len(files),
        n_records=len(stations),
        n_found=values.n_found,
        n_kept=len(days.value),
        documented=dict(values.documented),
        unforeseen=dict(+(values.unforeseen + Counter({REPEATED: days.n_repeated}))),
        noticed=dict(values.noticed),
        empty_records=tuple(name for name, without in zip(days.stations, empty.tolist(), strict=True) if without),
        other_files=tuple(others),
    )
    return days, counts


def _data_texts(
    found: Iterator[tuple[str, bytes | None]], layout: MonthLayout, others: list[str], files: list[int]
) -> Iterator[bytes]:
    for name, content in found:
        if content is None or not name.lower().endswith(".dly") and not looks_like_months(content, layout):
            others.append(name)
            continue
        files.append(len(content))
        yield with_line_feeds(content)


def _batches(texts: Iterator[bytes]) -> Iterator[bytes]:
    """Several small files at once, and large ones in parts that end with a line."""
    waiting: list[bytes] = []
    size = 0
    for text in texts:
        begin = 0
        while len(text) - begin > 2 * _BATCH_BYTES:
            end = text.find(b"\n", begin + _BATCH_BYTES) + 1
            yield text[begin:end]
            begin = end
        waiting.append(text[begin:])
        size += len(text) - begin
        if size > _BATCH_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def _joined(parts: list[DayValues]) -> DayValues:
    def joined(name: str) -> NDArray:
        return np.concatenate([getattr(part, name) for part in parts])

    def added(name: str) -> Counter[str]:
        return sum((getattr(part, name) for part in parts), Counter())

    return DayValues(
        parts[0].stations,
        joined("station"),
        joined("day"),
        joined("element"),
        joined("value"),
        sum(part.n_found for part in parts),
        added("documented"),
        added("unforeseen"),
        added("noticed"),
    )


def _sorted(values: DayValues, elements: list[str], asked: tuple[str, ...] | None) -> StationDays:
    """By station id, day and channel; the first of several values counts."""
    names = sorted(values.stations)
    rank = np.empty(len(names), dtype=np.int64)
    rank[[values.stations[name] for name in names]] = np.arange(len(names))
    met = {elements[code] for code in np.unique(values.element).tolist()}
    channels = asked or (*CORE, *sorted(met - set(CORE)))
    position = np.array([channels.index(name) if name in channels else -1 for name in elements])

    first = int(values.day.min(initial=0))
    span = int(values.day.max(initial=0)) - first + 1
    key = (rank[values.station] * span + (values.day - first)) * len(channels) + position[values.element]
    order = np.argsort(key, kind="stable")
    key = key[order]
    kept = np.ones(len(key), dtype=bool)
    kept[1:] = key[1:] != key[:-1]
    n_repeated = len(key) - int(kept.sum())
    if n_repeated:
        key, order = key[kept], order[kept]
    when, channel = np.divmod(key, len(channels))
    station, day = np.divmod(when, span)
    ids = station.astype(np.int32), (day + first).astype(np.int32), channel.astype(np.int16)
    return StationDays(tuple(names), channels, *ids, values.value[order], n_repeated)


def as_panel(days: StationDays, layout: MonthLayout, static: pd.DataFrame) -> IrregularPanel:
    """One record a station, days since 1 January of the first year that has a value."""
    earliest = days.day.min() if len(days.day) else np.int32(0)
    start = earliest.astype("M8[D]").astype("M8[Y]").astype("M8[D]")
    return IrregularPanel(
        offsets_from_lengths(np.bincount(days.station, minlength=len(days.stations))),
        (days.day - start.astype(np.int64)).astype(np.float64),
        days.channel,
        days.value,
        records=static.index,
        channels=days.channels,
        units={name: layout.elements[name].unit for name in days.channels},
        static=static,
        time_unit="D",
        origin=pd.Timestamp(start.astype("M8[s]")),
    )
