"""Panels as the row groups of one Parquet file: written one after the other, read one at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cndts._panel_parquet import EVENTS, KEY, QUERIES, _about, _fields, _flat, _opened, _pyarrow, _table
from cndts._panel_validation import shown
from cndts._ragged import offsets_from_lengths
from cndts._whole_file import whole_file
from cndts.queries import Queries

if TYPE_CHECKING:
    from cndts.panel import IrregularPanel

# Labels of several lengths share a column, and only the first panel's would fix its width.
_ANY_LABELS = "|O"


def write_groups(
    panels: Iterable[IrregularPanel], path: str | os.PathLike[str], compression: str, ignore_records: bool
) -> None:
    """Write every panel that has records as one row group; the file appears whole or not at all."""
    pa, pq = _pyarrow(), _pyarrow("parquet")
    filled = _numbered(panels) if ignore_records else (panel for panel in panels if len(panel))
    first = next(filled, None)
    if first is None:
        raise ValueError("there is no panel with a record to write; got none, or empty ones alone.")
    table, about = _described(first)
    seen = pd.Index(first.records)
    with whole_file(Path(path)) as unfinished:
        options = {"compression": compression, "use_dictionary": False, "write_statistics": False}
        with pq.ParquetWriter(unfinished, table.schema, **options) as writer:
            writer.write_table(table, row_group_size=len(first))
            for number, panel in enumerate(filled, start=1):
                following, theirs = _described(panel)
                _check_alike(about, theirs, number)
                seen = _with_new(seen, panel.records, number)
                try:
                    writer.write_table(following.cast(table.schema), row_group_size=len(panel))
                except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
                    raise ValueError(
                        f"the tables of panel {number} differ from those of the first: {error}."
                    ) from error


def read_group(path: str | os.PathLike[str], group: int) -> dict[str, Any]:
    """Fields of the panel in one row group."""
    with _opened(Path(path), False) as file:
        about = _about(file, path)
        table = file.read_row_group(group)
    offsets, asked = (offsets_from_lengths(table[name].to_numpy()) for name in ("n_events", "n_queries"))
    read = _ReadTable(table)
    flat = {name: _flat(read, name, dtype) for name, dtype in (EVENTS | QUERIES).items()}
    fields = _fields(about, table) | {name: flat[name] for name in EVENTS} | {"offsets": offsets}
    fields["queries"] = Queries(asked, flat["query_time"], flat["query_channel"]) if about["has_queries"] else None
    return fields


def read_records(path: str | os.PathLike[str]) -> tuple[dict[str, Any], pd.DataFrame]:
    """What a file says of itself, and one row a record: ``record``, ``n_events``, row ``group`` and ``label`` where there are groups."""
    with _opened(Path(path), False) as file:
        about = _about(file, path)
        columns = ["record", "n_events", *(["group"] if "groups" in about["tables"] else [])]
        table = file.read(columns=columns)
        lengths = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
    frame = pd.DataFrame({"record": table["record"].to_pandas(), "n_events": table["n_events"].to_numpy()})
    frame["group"] = np.repeat(np.arange(len(lengths)), lengths)
    return about, frame.assign(label=table["group"].to_pandas()) if "group" in columns else frame


class _ReadTable:
    """A table that is in memory, with the one method of a file that `_flat` calls."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def read(self, columns: list[str]) -> Any:
        return self._table.select(columns)


def _described(panel: IrregularPanel) -> tuple[Any, dict[str, Any]]:
    """The Arrow table of a panel, and what it says of itself."""
    table = _table(panel)
    about = json.loads(table.schema.metadata[KEY])
    if "groups_dtype" in about and panel.groups is not None and panel.groups.dtype.kind == "U":
        about["groups_dtype"] = _ANY_LABELS
    return table.replace_schema_metadata({KEY: json.dumps(about, ensure_ascii=False).encode()}), about


def _numbered(panels: Iterable[IrregularPanel]) -> Iterator[IrregularPanel]:
    """The panels that have records, numbered through."""
    start = 0
    for panel in panels:
        if len(panel):
            ids = pd.RangeIndex(start, start + len(panel))
            start += len(panel)
            tables = {name: getattr(panel, name).set_axis(ids, axis=0) for name in ("static", "outcomes")}
            yield panel._trusted(panel, records=ids, **tables)


def _check_alike(first: dict[str, Any], other: dict[str, Any], number: int) -> None:
    for name, wanted in first.items():
        got = other.get(name)
        if got != wanted:
            raise ValueError(
                f"panel {number} does not fit into the file: its {name} is {_shown(got)}, that of the first panel "
                f"{_shown(wanted)}. Give all panels the same channels, units, clock and tables (with_channels, with_units, with_static)."
            )


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 200 else text[:197] + "..."


def _with_new(seen: pd.Index, records: pd.Index, number: int) -> pd.Index:
    repeated = records[records.isin(seen)]
    if len(repeated):
        raise ValueError(
            f"panel {number} repeats the record {shown(repeated[0])}; ids must differ over the whole file. Number them anew with "
            "ignore_records=True."
        )
    return seen.append(pd.Index(records))
