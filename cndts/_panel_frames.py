"""Long and wide tables to the fields of a panel, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cndts._panel_duplicates import Duplicates, check_policy, settle_duplicates
from cndts._panel_interchange import as_pandas
from cndts._panel_sorting import order_of_events
from cndts._panel_tables import constant_by_code, groups_of_records, read_tables
from cndts._panel_time import Origin, read_times, write_times
from cndts._panel_validation import as_name_index, faults, shown
from cndts._ragged import offsets_from_lengths
from cndts.queries import Queries

if TYPE_CHECKING:
    from cndts._panel_storage import PanelStorage

Fields = dict[str, Any]


@dataclass(frozen=True)
class RecordOptions:
    """What the readers of all kinds of tables share: names of columns, clock, and tables by record."""

    record: str | None
    time: str
    time_unit: str | None
    origin: Origin
    records: ArrayLike | None
    static: Any
    outcomes: Any
    units: Mapping[str, str] | str | None
    groups: Any
    duplicates: Duplicates


@dataclass(frozen=True)
class Rows:
    """Record, time and place of every row of a table, before they are sorted."""

    codes: NDArray[np.int64]
    ids: pd.Index
    time: NDArray[np.float64]
    origin: Origin

    def place(self, row: int) -> str:
        """Where a row is, for an error message."""
        return f"record {shown(self.ids[self.codes[row]])}, row {row}"


def long_fields(
    frame: Any, options: RecordOptions, *, channel: str | None, value: str, channels: Sequence[str] | None
) -> Fields:
    """Fields of a panel from one row per observation; rows without a value become queries."""
    check_policy(options.duplicates)
    unit = options.units if isinstance(options.units, str) else None
    group = options.groups if isinstance(options.groups, str) else None
    wanted = [name for name in (options.record, options.time, channel, value, unit, group) if name is not None]
    frame = _with_columns(as_pandas(frame, wanted), wanted)
    fields, rows = _record_fields(frame, options, group)
    position, names = _channel_codes(frame, channel, value, channels, rows)
    values = _read_values(frame[value], rows)
    fields["channels"] = names
    fields["units"] = _units(frame, unit, position, names) if unit else options.units
    blank = np.isnan(values)
    fields["queries"] = _blank_queries(rows, position, blank) if blank.any() else None
    kept = np.flatnonzero(~blank) if blank.any() else None
    return fields | event_fields(rows, position, values, kept, names, options.duplicates)


def wide_fields(frame: Any, options: RecordOptions, *, channels: Sequence[str] | None) -> Fields:
    """Fields of a panel from one row per record and time, one column per channel, NaN where not observed."""
    check_policy(options.duplicates)
    group = options.groups if isinstance(options.groups, str) else None
    keys = [name for name in (options.record, options.time, group) if name is not None]
    frame = _with_columns(as_pandas(frame), [*keys, *(channels or ())])
    columns = list(channels) if channels is not None else [name for name in frame.columns if name not in keys]
    fields, rows = _record_fields(frame, options, group)
    values = np.empty((len(frame), len(columns)))
    for column, name in enumerate(columns):
        values[:, column] = _read_values(frame[name], rows)
    row, position = np.nonzero(~np.isnan(values))
    names = [str(name) for name in columns]
    fields |= {"channels": names, "units": options.units, "queries": None}
    cells = Rows(rows.codes[row], rows.ids, rows.time[row], rows.origin)
    return fields | event_fields(cells, position, values[row, position], None, names, options.duplicates, row)


def event_fields(
    rows: Rows,
    position: NDArray,
    values: NDArray,
    kept: NDArray[np.int64] | None,
    names: Sequence[str],
    duplicates: Duplicates,
    row_numbers: NDArray[np.int64] | None = None,
) -> Fields:
    """Sorted flat arrays with duplicates settled; ``kept`` selects rows, ``row_numbers`` names them in errors."""
    codes, time = rows.codes, rows.time
    if kept is not None:
        codes, time, position, values = codes[kept], time[kept], position[kept], values[kept]
        row_numbers = kept if row_numbers is None else row_numbers[kept]
    order = order_of_events(codes, time)
    if order is not None:
        codes, time, position, values = codes[order], time[order], position[order], values[order]

    def place(event: int) -> str:
        row = event if order is None else int(order[event])
        row = row if row_numbers is None else int(row_numbers[row])
        return f"record {shown(rows.ids[codes[event]])}, row {row}"

    survivors, values = settle_duplicates(codes, time, position, values, duplicates, names, place)
    if survivors is not None:
        codes, time, position = codes[survivors], time[survivors], position[survivors]
    return {
        "offsets": offsets_from_lengths(np.bincount(codes, minlength=len(rows.ids))),
        "time": time,
        "channel": position.astype(np.int32, copy=False),
        "value": values.astype(np.float32, copy=False),
    }


def read_query_frame(
    frame: Any, panel: PanelStorage, names: Mapping[str, str], channels: Sequence[str] | None
) -> Queries:
    """Queries from a table with a record, a time and (unless every channel is meant) a channel column."""
    frame = as_pandas(frame)
    channel = names["channel"] if names["channel"] in frame.columns else None
    frame = _with_columns(frame, [name for name in (names["record"], names["time"], channel) if name is not None])
    codes, ids = _record_codes(frame, names["record"], panel.records)
    place = Rows(codes, ids, np.zeros(0), None).place
    time, _ = read_times(frame[names["time"]], panel.time_unit, panel.origin, place)
    rows = Rows(codes, ids, time, panel.origin)
    if channel is not None:
        position, _ = _channel_codes(frame, channel, "", panel.channels, rows)
        return queries_of_rows(rows, position)
    asked = as_name_index(panel.channels).get_indexer(as_name_index(panel.channels if channels is None else channels))
    repeated = Rows(np.repeat(codes, len(asked)), ids, np.repeat(time, len(asked)), panel.origin)
    return queries_of_rows(repeated, np.tile(asked, len(codes)))


def queries_of_rows(rows: Rows, position: NDArray) -> Queries:
    """Queries by record, in the order of the rows within each."""
    order = np.argsort(rows.codes, kind="stable")
    offsets = offsets_from_lengths(np.bincount(rows.codes, minlength=len(rows.ids)))
    return Queries(offsets, rows.time[order], position[order])


def to_long_frame(panel: PanelStorage, record: str, time: str, channel: str, value: str) -> pd.DataFrame:
    """One row per event, and after the events of each record one row without value per query."""
    codes, times, position, values = panel.record, panel.time, panel.channel, panel.value
    queries = panel.queries
    if queries is not None and queries.n_queries:
        codes = np.concatenate([codes, queries.record])
        order = np.argsort(codes, kind="stable")
        codes = codes[order]
        times = np.concatenate([times, queries.time])[order]
        position = np.concatenate([position, queries.channel])[order]
        values = np.concatenate([values, np.full(queries.n_queries, np.nan, dtype=np.float32)])[order]
    names = pd.Index(panel.channels) if panel.channels else pd.Index([], dtype=object)
    columns = {
        record: panel.records.take(codes),
        time: write_times(times, panel.time_unit, panel.origin),
        channel: names.take(position),
        value: np.array(values),
    }
    if len(columns) < 4:
        raise ValueError(f"the four columns need four names; got {[record, time, channel, value]}.")
    return pd.DataFrame(columns)


def to_wide_frame(panel: PanelStorage, record: str, time: str) -> pd.DataFrame:
    """One row per record and distinct time, one column per channel, NaN where not observed."""
    clash = sorted({record, time} & set(panel.channels))
    if clash:
        raise ValueError(f"channels are called {clash}; choose other column names with record= and time=.")
    codes, times = panel.record, panel.time
    new = np.ones(len(times), dtype=bool)
    new[1:] = (codes[1:] != codes[:-1]) | (times[1:] != times[:-1])
    row = np.cumsum(new) - 1
    grid = np.full((int(new.sum()), len(panel.channels)), np.nan, dtype=np.float32)
    grid[row, panel.channel] = panel.value
    if np.count_nonzero(~np.isnan(grid)) < panel.n_events:
        raise ValueError(
            "the panel has several observations of one channel at one time, and a wide table has one cell for them; "
            "call deduplicate('mean' | 'first' | 'last') first, or use to_long()."
        )
    keys = pd.DataFrame(
        {record: panel.records.take(codes[new]), time: write_times(times[new], panel.time_unit, panel.origin)}
    )
    cells = pd.DataFrame(grid, columns=pd.Index(panel.channels) if panel.channels else pd.Index([], dtype=object))
    return pd.concat([keys, cells], axis=1)


def _with_columns(frame: pd.DataFrame, wanted: Sequence[str]) -> pd.DataFrame:
    """The frame with index levels turned into columns where those are asked for."""
    if any(name not in frame.columns and name in frame.index.names for name in wanted):
        frame = frame.reset_index()
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        raise ValueError(
            f"the table has no column {missing[0]!r}; its columns are {list(frame.columns)}. "
            "Say which columns to use with record=, time=, channel= and value=."
        )
    repeated = [name for name in wanted if list(frame.columns).count(name) > 1]
    if repeated:
        raise ValueError(f"the table has several columns called {repeated[0]!r}; rename them.")
    return frame


def _record_fields(frame: pd.DataFrame, options: RecordOptions, group: str | None) -> tuple[Fields, Rows]:
    """Fields of a panel that depend on records and times, and the rows for the events."""
    tables = read_tables(options.records, options.static, options.outcomes, options.record)
    codes, ids = _record_codes(frame, options.record, tables.ids)
    place = Rows(codes, ids, np.zeros(0), None).place
    time_unit = options.time_unit or "h"
    time, origin = read_times(frame[options.time], time_unit, options.origin, place, find_origin=True)
    if group is not None:
        labels = constant_by_code(frame[group], codes, ids, "record", "a record belongs to one group")
        groups = groups_of_records(labels, ids)
    else:
        groups = groups_of_records(options.groups, ids)
    fields = {
        "records": ids,
        "static": tables.static,
        "outcomes": tables.outcomes,
        "time_unit": time_unit,
        "origin": origin,
        "groups": groups,
    }
    return fields, Rows(codes, ids, time, origin)


def _record_codes(frame: pd.DataFrame, record: str | None, ids: pd.Index | None) -> tuple[NDArray[np.int64], pd.Index]:
    """Position of each row's record, and the ids: as given, or in order of first appearance."""
    if record is None:
        ids = pd.RangeIndex(1) if ids is None else ids
        return np.zeros(len(frame), dtype=np.int64), ids
    codes, found = pd.factorize(frame[record])
    if (codes < 0).any():
        row = int(np.flatnonzero(codes < 0)[0])
        raise ValueError(f"row {row} has no record id in column {record!r}; fill it in or drop the row.")
    found = _plain(found)
    if ids is None:
        return codes.astype(np.int64, copy=False), found
    position = ids.get_indexer(found)
    if (position < 0).any():
        unknown = found[position < 0]
        row = int(np.flatnonzero(position[codes] < 0)[0])
        raise ValueError(
            f"row {row} belongs to record {shown(unknown[0])}, which the given records lack ({len(unknown)} such "
            "records); add it to records= or static, or drop its rows."
        )
    return position[codes], ids


def _plain(index: pd.Index) -> pd.Index:
    return index.astype(index.categories.dtype) if isinstance(index, pd.CategoricalIndex) else pd.Index(index)


def _channel_codes(
    frame: pd.DataFrame, channel: str | None, value: str, channels: Sequence[str] | None, rows: Rows
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Position of each row's channel, and the names: as given, as categories, or in order of first appearance."""
    if channel is None:
        return np.zeros(len(frame), dtype=np.int64), (value,)
    column = frame[channel]
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, found = column.cat.codes.to_numpy().astype(np.int64), column.cat.categories
    else:
        codes, found = pd.factorize(column)
    if (codes < 0).any():
        raise ValueError(
            faults(codes < 0, rows.place, f"has no channel in column {channel!r}; name it or drop the row")
        )
    names = [str(name) for name in found]
    if channels is None:
        return codes, tuple(names)
    position = as_name_index(channels).get_indexer(as_name_index(names))
    unknown = position[codes] < 0
    if unknown.any():
        extra = [name for code, name in enumerate(names) if position[code] < 0 and (codes == code).any()]
        first = names[codes[int(np.flatnonzero(unknown)[0])]]
        raise ValueError(
            faults(unknown, rows.place, f"has the channel {first!r}, which is not among the {len(channels)} channels")
            + f" Unknown: {extra}; add them to channels= or drop their rows."
        )
    return position[codes], tuple(str(name) for name in channels)


def _read_values(column: pd.Series, rows: Rows) -> NDArray[np.float64]:
    """Values as float64, NaN where blank; text and infinities are refused."""
    try:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError) as error:
        _refuse_text(column, rows, error)
    with np.errstate(over="ignore"):
        infinite = np.isinf(values.astype(np.float32))
    if infinite.any():
        text = (
            f"has the value {values[infinite][0]}; values must be finite in float32, or blank to ask for a prediction"
        )
        raise ValueError(faults(infinite, rows.place, text))
    return values


def _refuse_text(column: pd.Series, rows: Rows, error: Exception) -> None:
    text = (pd.to_numeric(column, errors="coerce").isna() & column.notna()).to_numpy()
    if not text.any():
        raise ValueError(f"the value column {column.name!r} cannot be read as numbers: {error}.") from error
    got = f"has {column[text].iloc[0]!r} in column {column.name!r}; values must be numbers (pandas.to_numeric)"
    raise ValueError(faults(text, rows.place, got)) from error


def _units(frame: pd.DataFrame, unit: str, position: NDArray[np.int64], names: Sequence[str]) -> dict[str, str]:
    """Unit of each channel from a column; a channel in two units is an error."""
    units = constant_by_code(
        frame[unit], position, pd.Index(names), "channel", "convert its values to one unit before reading"
    )
    return {str(name): str(text) for name, text in units.items()}


def _blank_queries(rows: Rows, position: NDArray[np.int64], blank: NDArray[np.bool_]) -> Queries:
    asked = Rows(rows.codes[blank], rows.ids, rows.time[blank], rows.origin)
    return queries_of_rows(asked, position[blank])
