"""From the texts of many records, one a file, to events: long and wide tables with any columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.datasets._record_times import read_times
from cndts.datasets._row_events import BAD_FIELDS, BAD_NUMBER, BAD_TIME, descriptors
from cndts.datasets._text_rows import Cells, TextRows, distinct_names, in_batches, joined_rows

NO_CHANNEL, DESCRIPTOR, IGNORED, CODED = (
    "no channel name",
    "a static descriptor",
    "a channel to ignore",
    "a code for missing",
)


@dataclass(frozen=True)
class RecordLayout:
    """What the files look like.

    Parameters
    ----------
    long : bool
        One row a value, else one row a time.
    columns : tuple of str or None
        Time, channel and value; or time and the channels.
    time_format, time_unit : str
    absent : tuple of str
        Words for "no value", in lower case.
    codes : tuple of float
        Numbers for "no value".
    static : tuple of str
    ignore : frozenset of str
    """

    long: bool
    columns: tuple[str, ...] | None
    time_format: str
    time_unit: str
    absent: tuple[str, ...]
    codes: tuple[float, ...]
    static: tuple[str, ...]
    ignore: frozenset[str]

    def fits(self, header: Sequence[str]) -> bool:
        """Whether a file with these columns can be read."""
        if self.columns is None:
            return len(header) >= (3 if self.long else 2)
        needed = self.columns if self.long else self.columns[:1]
        return set(needed) <= set(header) and (self.long or bool(set(self.columns[1:]) & set(header)))

    def roles(self, names: Sequence[str]) -> tuple[str, ...]:
        """Time, channel and value; or time and the channels that a file has."""
        if self.columns is None:
            return tuple(names[:3]) if self.long else tuple(names)
        return tuple(name for name in self.columns if name in names)


@dataclass
class RecordFiles:
    """Texts of the records by their columns, and the counts so far."""

    position: dict[str, int] = field(default_factory=dict)
    texts: dict[tuple[str, ...], list[bytes]] = field(default_factory=dict)
    records: dict[tuple[str, ...], list[int]] = field(default_factory=dict)
    documented: Counter[str] = field(default_factory=Counter)
    unforeseen: Counter[str] = field(default_factory=Counter)
    noticed: Counter[str] = field(default_factory=Counter)
    n_found: int = 0

    def add(self, record: str, header: Sequence[str], body: bytes) -> None:
        """Take a file as the record of this name."""
        columns = distinct_names(header)
        self.records.setdefault(columns, []).append(self.position.setdefault(record, len(self.position)))
        self.texts.setdefault(columns, []).append(body)

    def leave_out(self, reason: str, count: int, *, foreseen: bool = False) -> None:
        """Count entries that are found and not kept."""
        (self.documented if foreseen else self.unforeseen)[reason] += count
        self.n_found += count


@dataclass(frozen=True)
class FileEvents:
    """Events of all files in the order met, and the descriptors.

    Parameters
    ----------
    record, time, channel, value : ndarray of shape (n_events,)
    channels : list of str
    described : list of (record, name, value)
        Descriptors in the order met: records, name, numbers.
    """

    record: NDArray[np.int64]
    time: NDArray[np.float64]
    channel: NDArray[np.int64]
    value: NDArray[np.float64]
    channels: list[str]
    described: list[tuple[NDArray[np.int64], str, NDArray[np.float64]]]

    def static_table(self, names: Sequence[str], rank: NDArray[np.int64], ids: pd.Index) -> pd.DataFrame:
        """First number of each descriptor in each record."""
        columns = {}
        for name in names:
            given = [(record, value) for record, named, value in self.described if named == name]
            record = np.concatenate([each for each, _ in given]) if given else np.zeros(0, dtype=np.int64)
            value = np.concatenate([each for _, each in given]) if given else np.zeros(0)
            columns[name] = descriptors(rank[record], value[:, None], len(ids))[0][:, 0]
        return pd.DataFrame(columns, index=ids)


def parse_files(found: RecordFiles, layout: RecordLayout) -> FileEvents:
    """Events of all files; what is left out is counted in ``found``."""
    channels: dict[str, int] = {}
    parts: list[tuple[NDArray, ...]] = []
    described: list[tuple[NDArray, str, NDArray]] = []
    for columns, texts in found.texts.items():
        records = iter(found.records[columns])
        for batch in in_batches(texts):
            owner = np.array([next(records) for _ in batch], dtype=np.int64)
            rows, file = joined_rows(batch, columns)
            parse = _parse_long if layout.long else _parse_wide
            parts.append(parse(rows, owner[file], layout, channels, described, found))
    record, time, channel, value = (np.concatenate([part[each] for part in parts]) for each in range(4))
    names = list(channels)
    if layout.long:
        names = sorted(channels)
        channel = np.array([names.index(name) for name in channels] or [0], dtype=np.int64)[channel]
    return FileEvents(record, time, channel, value, names or ["value"], described)


def _timed(
    rows: TextRows, time_column: str, layout: RecordLayout, found: RecordFiles
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    found.leave_out(BAD_FIELDS, len(rows.wrong))
    time = read_times(rows, time_column, layout.time_format, layout.time_unit)
    found.leave_out(BAD_TIME, int(np.isnan(time).sum()))
    return time, ~np.isnan(time)


def _kept(cells: Cells, rows: NDArray[np.bool_], layout: RecordLayout, found: RecordFiles) -> NDArray[np.bool_]:
    """Cells of the given rows that hold a value; the others that hold anything are counted."""
    there = rows & ~cells.absent
    coded = there & np.isin(cells.number, layout.codes)
    found.leave_out(CODED, int(coded.sum()), foreseen=True)
    found.leave_out(BAD_NUMBER, int((there & cells.unreadable).sum()))
    kept = there & ~coded & ~cells.unreadable
    found.n_found += int(kept.sum())
    return kept


def _parse_long(
    rows: TextRows,
    owner: NDArray[np.int64],
    layout: RecordLayout,
    channels: dict[str, int],
    described: list,
    found: RecordFiles,
) -> tuple[NDArray, ...]:
    time_column, name_column, value_column = layout.roles([str(name) for name in rows.columns])
    time, usable = _timed(rows, time_column, layout, found)
    code, names = rows.words(name_column)
    unnamed = np.array([not name for name in names] or [True])[code]
    found.leave_out(NO_CHANNEL, int((usable & unnamed).sum()))
    usable &= ~unnamed
    cells = rows.numbers(value_column, absent=layout.absent)
    flat = Cells(cells.number[:, 0], cells.absent[:, 0], cells.unreadable[:, 0])
    # a row of a long table without a number has lost its value
    found.leave_out("an empty value", int((usable & flat.absent).sum()), foreseen=True)
    kept = _kept(flat, usable, layout, found)
    for place, name in enumerate(names):
        if name in layout.static or name in layout.ignore:
            here = kept & (code == place)
            found.documented[DESCRIPTOR if name in layout.static else IGNORED] += int(here.sum())
            if name in layout.static:
                described.append((owner[here], name, flat.number[here]))
            kept &= ~here
    place_of = np.full(max(len(names), 1), -1, dtype=np.int64)
    for place in np.unique(code[kept]).tolist():
        place_of[place] = channels.setdefault(names[place], len(channels))
    return owner[kept], time[kept], place_of[code[kept]], flat.number[kept]


def _parse_wide(
    rows: TextRows,
    owner: NDArray[np.int64],
    layout: RecordLayout,
    channels: dict[str, int],
    described: list,
    found: RecordFiles,
) -> tuple[NDArray, ...]:
    time_column, *names = layout.roles([str(name) for name in rows.columns])
    time, usable = _timed(rows, time_column, layout, found)
    for name in (str(name) for name in rows.columns):
        side = rows.numbers(name, absent=layout.absent) if name != time_column else None
        if side is None:
            continue
        if name in layout.static:
            fine = usable & ~np.isnan(side.number[:, 0]) & ~np.isin(side.number[:, 0], layout.codes)
            described.append((owner[fine], name, side.number[fine, 0]))
            found.noticed["an unreadable descriptor"] += int((usable & side.unreadable[:, 0]).sum())
        elif name not in names or name in layout.ignore:
            found.leave_out(IGNORED, int((usable & ~side.absent[:, 0]).sum()), foreseen=True)
    taken = [name for name in names if name not in layout.static and name not in layout.ignore]
    cells = rows.numbers(*taken, absent=layout.absent)
    kept = _kept(cells, usable[:, None], layout, found)
    row, column = np.nonzero(kept)
    place = np.array([channels.setdefault(name, len(channels)) for name in taken] or [0], dtype=np.int64)
    return owner[row], time[row], place[column], cells.number[row, column]
