"""Tables with one row a record: features and labels that lie beside the events."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from cndts.datasets._sources import PathLike


def read_static_table(path: PathLike, keys: Sequence[str]) -> pd.DataFrame:
    """A table by record, numbers as numbers and other cells as text.

    Parameters
    ----------
    path : path-like
        Comma-separated text with a header line.
    keys : sequence of str
        Lower-case names that the column with the records may have; the first found counts.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is no table, has none of the columns, or names a record twice.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no file {str(path)!r}; check the path (working in {os.getcwd()!r}).")
    try:
        table = pd.read_csv(Path(path), dtype=str, encoding="utf-8-sig", skipinitialspace=True)
    except (ValueError, OverflowError) as error:  # pandas' parser and decoding errors are ValueErrors
        raise ValueError(f"{path} cannot be read as a table ({error}); wanted comma-separated text.") from error
    lowered = {str(name).strip().lower(): name for name in table.columns}
    key = next((lowered[name] for name in keys if name in lowered), None)
    if key is None:
        raise ValueError(
            f"{path} does not say which record a row belongs to: wanted one of the columns {', '.join(keys)}, got "
            f"{', '.join(map(repr, table.columns[:6]))}."
        )
    index = table.pop(key).str.strip()
    if index.duplicated().any():
        raise ValueError(
            f"{path} has more than one row for {index[index.duplicated()].iloc[0]!r}; keep one row a record."
        )
    return table.apply(_as_numbers).set_axis(pd.Index(index, dtype=object))


def _as_numbers(column: pd.Series) -> pd.Series:
    """Numbers where every cell that is not empty holds one, else the text."""
    number = pd.to_numeric(column, errors="coerce")
    return number.astype(float) if bool((number.notna() | column.isna()).all()) else column.astype(object)
