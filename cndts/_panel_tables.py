"""Tables with one row a record, brought into the order of the records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cndts._panel_interchange import as_pandas
from cndts._panel_validation import as_index, shown


@dataclass(frozen=True)
class RecordTables:
    """What a panel knows about its records beside events.

    ``ids`` is the order of the records, or None where the events decide.
    """

    ids: pd.Index | None
    static: pd.DataFrame | None
    outcomes: pd.DataFrame | None


def read_tables(records: ArrayLike | None, static: Any, outcomes: Any, record: str | None) -> RecordTables:
    """Record order from ``records``, else from the rows of ``static``, else of ``outcomes``."""
    static, outcomes = (_indexed_by_record(table, record) for table in (static, outcomes))
    tables = [table.index for table in (static, outcomes) if table is not None]
    ids = as_index(records) if records is not None else next(iter(tables), None)
    if ids is not None and ids.has_duplicates:
        raise ValueError(f"record id {shown(ids[ids.duplicated()][0])} occurs more than once; give one row per record.")
    return RecordTables(ids, static, outcomes)


def _indexed_by_record(table: Any, record: str | None) -> pd.DataFrame | None:
    if table is None:
        return None
    if isinstance(table, pd.Series):
        table = table.to_frame(table.name if table.name is not None else "value")
    frame = as_pandas(table)
    return frame.set_index(record) if record in frame.columns else frame


def groups_of_records(groups: ArrayLike | Mapping | pd.Series | None, records: pd.Index) -> NDArray | None:
    """One label a record from a mapping or Series by record id, or from an array in record order."""
    if groups is None:
        return None
    if isinstance(groups, Mapping):
        groups = pd.Series(dict(groups))
    if not isinstance(groups, pd.Series):
        return np.asarray(groups)
    missing = records[groups.index.get_indexer(records) < 0]
    if len(missing):
        raise ValueError(f"groups lack a label for record {shown(missing[0])} ({len(missing)} are missing).")
    return groups.loc[records].to_numpy()


def constant_by_code(
    column: pd.Series, codes: NDArray[np.int64], labels: Sequence[object] | pd.Index, what: str, remedy: str
) -> pd.Series:
    """The one value that a column has per label; an error where it has several."""
    pairs = pd.DataFrame({"code": codes, "value": column.to_numpy()}).dropna().drop_duplicates()
    several = pairs["code"].duplicated()
    if several.any():
        code = pairs["code"][several].iloc[0]
        found = [shown(item) for item in pairs["value"][pairs["code"] == code].iloc[:2]]
        row = int(pairs.index[several][0])
        raise ValueError(f"{what} {shown(labels[code])} has {found[0]} and, in row {row}, {found[1]}; {remedy}.")
    index = pd.Index(labels)[pairs["code"].to_numpy()]
    return pd.Series(pairs["value"].to_numpy(), index=index)
