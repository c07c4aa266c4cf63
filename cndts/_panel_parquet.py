"""A panel as one Parquet file: a row per record, events in list columns, the rest in the schema's metadata."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._panel_parquet_map import map_column
from cndts._panel_time import Origin
from cndts._ragged import offsets_from_lengths
from cndts._whole_file import whole_file
from cndts.queries import Queries

if TYPE_CHECKING:
    from cndts._panel_storage import PanelStorage

KEY = b"cndts.panel"
VERSION = 1
EVENTS = {"time": np.float64, "channel": np.int32, "value": np.float32}
QUERIES = {"query_time": np.float64, "query_channel": np.int32}
# One page per column, as long as it fits: only then do the numbers lie in one piece that can be mapped.
LONGEST_PAGE = 2**31 - 1


def write_panel(panel: PanelStorage, path: str | os.PathLike[str], compression: str) -> None:
    """Write the file whole or not at all."""
    pq = _pyarrow("parquet")
    table = _table(panel)
    with whole_file(Path(path)) as unfinished:
        pq.write_table(
            table,
            unfinished,
            compression=compression,
            use_dictionary=False,
            write_statistics=False,
            data_page_size=LONGEST_PAGE,
            row_group_size=max(len(panel), 1),
        )


def read_panel(path: str | os.PathLike[str], memory_map: bool) -> tuple[dict[str, Any], bool]:
    """Fields of the panel, and whether their events should be checked (mapped ones are left on disk)."""
    with _opened(Path(path), memory_map) as file:
        about = _about(file, path)
        small = [name for name in file.schema_arrow.names if name not in EVENTS and name not in QUERIES]
        table = file.read(columns=small)
        offsets, asked = (offsets_from_lengths(table[name].to_numpy()) for name in ("n_events", "n_queries"))
        flat = {
            name: map_column(path, file, name, dtype, int(ends[-1])) if memory_map else _flat(file, name, dtype)
            for columns, ends in ((EVENTS, offsets), (QUERIES, asked))
            for name, dtype in columns.items()
        }
    fields = _fields(about, table) | {name: flat[name] for name in EVENTS} | {"offsets": offsets}
    fields["queries"] = Queries(asked, flat["query_time"], flat["query_channel"]) if about["has_queries"] else None
    return fields, not memory_map


def _pyarrow(module: str | None = None) -> Any:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ImportError('Parquet files need pyarrow: pip install "cndts[arrow]".') from error
    return pq if module == "parquet" else pa


# ---- writing ------------------------------------------------------------------------------------


def _table(panel: PanelStorage) -> Any:
    pa = _pyarrow()
    about = _description(panel)
    columns = _record_columns(panel, about)
    queries = panel.queries or Queries(np.zeros(len(panel) + 1, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=int))
    for name in EVENTS:
        columns[name] = _lists(panel.offsets, getattr(panel, name))
    for name in QUERIES:
        columns[name] = _lists(queries.offsets, getattr(queries, name.removeprefix("query_")))
    columns |= {"n_events": pa.array(np.diff(panel.offsets)), "n_queries": pa.array(np.diff(queries.offsets))}
    schema = pa.schema(
        [pa.field(name, column.type, nullable=name in about["nullable"]) for name, column in columns.items()],
        metadata={KEY: json.dumps(about, ensure_ascii=False).encode()},
    )
    return pa.table(list(columns.values()), schema=schema)


def _lists(offsets: NDArray[np.int64], flat: NDArray) -> Any:
    pa = _pyarrow()
    values = pa.array(np.require(flat, requirements=["C", "A"]))
    kind = pa.large_list(pa.field("item", values.type, nullable=False))
    return pa.LargeListArray.from_arrays(pa.array(offsets), values, type=kind)


def _description(panel: PanelStorage) -> dict[str, Any]:
    return {
        "version": VERSION,
        "channels": list(panel.channels),
        "units": panel.units,
        "time_unit": panel.time_unit,
        "origin": _origin_as_json(panel.origin),
        "has_queries": panel.queries is not None,
    }


def _record_columns(panel: PanelStorage, about: dict[str, Any]) -> dict[str, Any]:
    """Ids, groups and the tables as Arrow columns; what they lose on the way goes into ``about``."""
    ids = pd.DataFrame({"record": pd.Series(panel.records)})
    tables = {"records": ids, "static": panel.static, "outcomes": panel.outcomes}
    if panel.groups is not None:
        tables["groups"] = pd.DataFrame({"group": panel.groups})
        about["groups_dtype"] = panel.groups.dtype.str
    about["record_name"] = panel.records.name
    about["tables"] = {}
    columns: dict[str, Any] = {}
    for what, frame in tables.items():
        arrow = _arrow_of(what, frame)
        names = [name if what in ("records", "groups") else f"{what}/{name}" for name in arrow.column_names]
        columns |= dict(zip(names, arrow.columns, strict=True))
        pandas = json.loads((arrow.schema.metadata or {}).get(b"pandas", b"null"))
        about["tables"][what] = {
            "columns": names,
            "labels": _labels(frame.columns),
            "pandas": pandas,
            "categories": _categories(frame),
        }
    about["nullable"] = list(columns)
    return columns


def _arrow_of(what: str, frame: pd.DataFrame) -> Any:
    pa = _pyarrow()
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, ValueError) as error:
        raise TypeError(f"the {what} cannot be written to Parquet: {error}. Give each column one type.") from error


def _labels(columns: pd.Index) -> list | None:
    """Column labels where JSON can hold them: Arrow turns numbers among them into text."""
    labels = columns.tolist()
    return labels if all(isinstance(label, (str, int)) for label in labels) else None


def _categories(frame: pd.DataFrame) -> dict[str, list]:
    """Categories by column position, unobserved ones included: Arrow files keep only those that occur."""
    return {
        str(position): frame.iloc[:, position].cat.categories.tolist()
        for position, dtype in enumerate(frame.dtypes)
        if isinstance(dtype, pd.CategoricalDtype)
    }


# ---- reading ------------------------------------------------------------------------------------


@contextmanager
def _opened(path: Path, memory_map: bool) -> Iterator[Any]:
    pq, pa = _pyarrow("parquet"), _pyarrow()
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no file {str(path)!r}; write panels with to_parquet(), and open folders of them with ParquetPanel "
            f"(working in {os.getcwd()!r})."
        )
    try:
        file = pq.ParquetFile(path, memory_map=memory_map)
    except pa.ArrowInvalid as error:
        raise ValueError(f"{path} is no Parquet file ({error}); write panels with to_parquet().") from error
    with file:
        yield file


def _about(file: Any, path: object) -> dict[str, Any]:
    metadata = file.schema_arrow.metadata or {}
    if KEY not in metadata:
        raise ValueError(
            f"{path} is a Parquet file but holds no panel; read a table of events with "
            "IrregularPanel.from_long(pandas.read_parquet(path), ...)."
        )
    about = json.loads(metadata[KEY])
    if about["version"] > VERSION:
        raise ValueError(
            f"{path} has panel version {about['version']}, and this cndts reads up to {VERSION}; install a newer one."
        )
    return about


def _flat(file: Any, name: str, dtype: type) -> NDArray:
    chunks = [chunk.flatten().to_numpy() for chunk in file.read(columns=[name])[name].chunks]
    return np.concatenate([np.zeros(0, dtype=dtype), *chunks]) if len(chunks) != 1 else chunks[0]


def _fields(about: dict[str, Any], table: Any) -> dict[str, Any]:
    frames = {what: _frame_of(table, saved) for what, saved in about["tables"].items()}
    records = pd.Index(frames["records"]["record"]).rename(about["record_name"])
    groups = frames["groups"]["group"].to_numpy() if "groups" in frames else None
    return {
        "records": records,
        "channels": about["channels"],
        "units": about["units"],
        "static": frames["static"].set_axis(records, axis=0),
        "outcomes": frames["outcomes"].set_axis(records, axis=0),
        "time_unit": about["time_unit"],
        "origin": _origin_from_json(about["origin"]),
        "groups": None if groups is None else groups.astype(about["groups_dtype"]),
    }


def _frame_of(table: Any, saved: dict[str, Any]) -> pd.DataFrame:
    names: Sequence[str] = saved["columns"]
    if not names:
        return pd.DataFrame(index=range(len(table)))
    part = table.select(names)
    inner = [column["field_name"] for column in saved["pandas"]["columns"]]
    part = part.rename_columns(inner).replace_schema_metadata({b"pandas": json.dumps(saved["pandas"]).encode()})
    frame = part.to_pandas()
    for position, categories in saved["categories"].items():
        name = frame.columns[int(position)]
        frame[name] = frame[name].cat.set_categories(categories)
    return frame if saved["labels"] is None else frame.set_axis(saved["labels"], axis=1)


def _origin_as_json(origin: Origin) -> dict[str, Any] | None:
    if origin is None:
        return None
    if isinstance(origin, pd.Timedelta):
        return {"kind": "timedelta", "ticks": int(origin.to_timedelta64().astype(np.int64)), "unit": origin.unit}
    zone = None if origin.tz is None else str(origin.tz)
    ticks = int(origin.to_datetime64().astype(np.int64))
    return {"kind": "timestamp", "ticks": ticks, "unit": origin.unit, "zone": zone}


def _origin_from_json(saved: dict[str, Any] | None) -> Origin:
    if saved is None:
        return None
    if saved["kind"] == "timedelta":
        return pd.Timedelta(np.timedelta64(saved["ticks"], saved["unit"]))
    naive = pd.Timestamp(np.datetime64(saved["ticks"], saved["unit"]))
    return naive if saved["zone"] is None else naive.tz_localize("UTC").tz_convert(saved["zone"])
