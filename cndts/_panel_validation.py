"""Checks of what goes into a panel: what was got, what was wanted, what to do, and where."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from cndts._panel_storage import PanelStorage


def shown(label: object) -> str:
    """A label as the user wrote it: numpy scalars without their wrapper."""
    return repr(label.item() if isinstance(label, np.generic) else label)


def as_index(labels: Any) -> pd.Index:
    """Record ids or names as an index."""
    return pd.Index(labels)


def as_name_index(names: Any) -> pd.Index:
    """Names as an index of Python objects, whatever kind of text pandas would choose."""
    return pd.Index(names, dtype=object)


def faults(wrong: NDArray[np.bool_], place: Callable[[int], str], text: str) -> str:
    """Where the first fault is, what it is, and how many there are."""
    count = int(wrong.sum())
    return f"{place(int(np.flatnonzero(wrong)[0]))} {text}." + (f" {count} rows have this fault." if count > 1 else "")


def as_times(time: ArrayLike) -> NDArray[np.float64]:
    """One-dimensional float64 times; datetimes and text are refused."""
    array = np.asarray(time)
    if array.dtype.kind not in "iufb" and array.size:
        raise TypeError(
            f"times must be numbers in the panel's time_unit; got dtype {array.dtype}. "
            "Use IrregularPanel.from_long for datetimes."
        )
    return _one_dimensional("time", array.astype(np.float64, copy=False))


def as_positions(channel: ArrayLike) -> NDArray[np.int32]:
    """One-dimensional int32 channel positions; fractions and names are refused."""
    array = np.asarray(channel)
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(
            f"channel holds positions in channels (integers); got dtype {array.dtype}. "
            "Use IrregularPanel.from_long for channel names."
        )
    return _one_dimensional("channel", array.astype(np.int32, copy=False))


def as_values(value: ArrayLike) -> NDArray[np.float32]:
    """One-dimensional float32 values; what float32 cannot hold becomes infinite and is refused later."""
    array = np.asarray(value)
    if array.dtype.kind not in "iufb" and array.size:
        raise TypeError(f"values must be numbers; got dtype {array.dtype}.")
    with np.errstate(over="ignore"):
        return _one_dimensional("value", array.astype(np.float32, copy=False))


def as_offsets(offsets: ArrayLike) -> NDArray[np.int64]:
    """One-dimensional int64 segment bounds with at least the leading zero."""
    array = _one_dimensional("offsets", np.asarray(offsets, dtype=np.int64))
    if len(array) == 0:
        raise ValueError("offsets must start with 0: got an empty array. A panel without records has offsets [0].")
    return array


def _one_dimensional(name: str, array: NDArray) -> NDArray:
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, flat over all records; got shape {array.shape}.")
    return array


def check_names(panel: PanelStorage) -> None:
    """Record ids and channel names must be unique and fit the arrays."""
    n_records = len(panel.offsets) - 1
    if len(panel.records) != n_records:
        raise ValueError(f"got {len(panel.records)} record ids for {n_records} records; give one id per record.")
    if panel.records.isna().any():
        row = int(np.flatnonzero(panel.records.isna())[0])
        raise ValueError(f"record {row} has no id ({panel.records[row]}); give every record an id.")
    check_unique("record id", panel.records)
    check_unique("channel name", as_name_index(panel.channels))
    check_units(panel)
    check_groups(panel)


def check_unique(what: str, names: pd.Index) -> None:
    """Names must differ from each other."""
    if names.has_duplicates:
        raise ValueError(f"{what} {shown(names[names.duplicated()][0])} occurs more than once; make them unique.")


def check_units(panel: PanelStorage) -> None:
    """Units must belong to channels of the panel."""
    unknown = sorted(set(panel.units) - set(panel.channels))
    if unknown:
        raise ValueError(f"units name channels that the panel lacks: {unknown}; channels are {list(panel.channels)}.")


def check_groups(panel: PanelStorage) -> None:
    """Groups must give one label a record."""
    if panel.groups is not None and panel.groups.shape != (len(panel),):
        raise ValueError(f"groups need one label per record ({len(panel)}); got shape {panel.groups.shape}.")


def check_events(panel: PanelStorage) -> None:
    """Times finite and sorted within records, values finite, channels known."""
    offsets, time, channel, value = panel.offsets, panel.time, panel.channel, panel.value
    if not len(time) == len(channel) == len(value) == offsets[-1] or offsets[0] != 0 or (np.diff(offsets) < 0).any():
        raise ValueError(
            f"offsets must rise from 0 to the number of events; got {offsets[0]}..{offsets[-1]} for "
            f"{len(time)} times, {len(channel)} channels and {len(value)} values."
        )
    if not np.isfinite(time).all():
        raise ValueError(_at(panel, ~np.isfinite(time), "has the time {time}; times must be finite numbers"))
    if not np.isfinite(value).all():
        raise ValueError(_at(panel, ~np.isfinite(value), "has the value {value}; leave out what was not observed"))
    if len(channel) and (channel.min() < 0 or channel.max() >= len(panel.channels)):
        wrong = (channel < 0) | (channel >= len(panel.channels))
        raise ValueError(
            _at(panel, wrong, f"has channel {{channel}}; channels run from 0 to {len(panel.channels) - 1}")
        )
    falls = np.concatenate([[False], np.diff(time) < 0])[: len(time)]
    falls[offsets[:-1][offsets[:-1] < len(time)]] = False
    if falls.any():
        raise ValueError(
            _at(panel, falls, "comes before the row above it (time {time}); sort each record by time, or use from_long")
        )


def check_queries(panel: PanelStorage) -> None:
    """Queries must have one segment a record and name known channels."""
    queries = panel.queries
    if queries is None:
        return
    if len(queries) != len(panel):
        raise ValueError(f"queries need one segment per record ({len(panel)}); got {len(queries)}.")
    known = (queries.channel >= 0) & (queries.channel < len(panel.channels))
    if not known.all():
        row = int(np.flatnonzero(~known)[0])
        position = int(queries.record[row])
        raise ValueError(
            f"record {shown(panel.records[position])}, query {row - int(queries.offsets[position])} asks for channel "
            f"{queries.channel[row]}; channels run from 0 to {len(panel.channels) - 1}."
        )


def check_table(what: str, table: pd.DataFrame | None, records: pd.Index) -> pd.DataFrame:
    """A table with one row a record, indexed by the record ids and in their order."""
    if table is None:
        return pd.DataFrame(index=records)
    if table.index.has_duplicates:
        twice = table.index[table.index.duplicated()][0]
        raise ValueError(f"{what} has more than one row for record {shown(twice)}; give one row per record.")
    missing = records[table.index.get_indexer(records) < 0]
    if len(missing):
        raise ValueError(
            f"{what} lacks a row for record {shown(missing[0])}; index it by the record ids "
            f"({len(missing)} are missing)."
        )
    if len(table) != len(records):
        extra = table.index[records.get_indexer(table.index) < 0]
        raise ValueError(
            f"{what} needs one row per record ({len(records)}); got {len(table)} rows. Record {shown(extra[0])} is not "
            f"in the panel: take {what}.loc[panel.records], or name it in records= to keep it without events."
        )
    return table.reindex(records) if not table.index.equals(records) else table.set_axis(records, axis=0)


def _at(panel: PanelStorage, wrong: NDArray[np.bool_], text: str) -> str:
    row = int(np.flatnonzero(wrong)[0])
    detail = text.format(time=panel.time[row], value=panel.value[row], channel=panel.channel[row])
    return faults(wrong, lambda row: _place(panel, row), detail)


def _place(panel: PanelStorage, row: int) -> str:
    position = int(np.searchsorted(panel.offsets, row, side="right")) - 1
    return f"record {shown(panel.records[position])}, row {row - int(panel.offsets[position])}"
