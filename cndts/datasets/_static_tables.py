"""Tables with one row a record: features, labels and outcomes that lie beside the events."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from cndts.datasets._archives import decompress, unpacked_name
from cndts.datasets._sources import PathLike, with_line_feeds
from cndts.datasets._text_rows import NO_NUMBER, distinct_names


def text_table(path: PathLike, what: str) -> pd.DataFrame:
    """Cells of comma-separated text as text, empty ones as empty text, below the names in the first line.

    Parameters
    ----------
    path : path-like
        A text file, or one packed as ``.gz``.
    what : str
        What the file should be, for the errors.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is no table, a row has another number of cells than there are names, or a quoted cell runs over several lines.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"there is no file {str(path)!r} to read as {what}; check the path (working in {os.getcwd()!r})."
        )
    try:
        content = Path(path).read_bytes()
        if unpacked_name(str(path)) is not None:
            content = decompress(content, str(path))
        rows = _rows(with_line_feeds(content).decode())
        header = next(rows, None)
        if header is None:
            raise ValueError("it is empty")
        names = distinct_names([name or f"Unnamed: {place}" for place, name in enumerate(header)])
        return pd.DataFrame(list(rows), columns=list(names), dtype=str)
    except ValueError as error:  # errors of decoding are ValueErrors
        raise ValueError(
            f"{path} cannot be read as {what} ({error}); wanted comma-separated text with a header line and one row a line, "
            "as published."
        ) from error


def _rows(text: str) -> Iterator[list[str]]:
    """Cells of every line that is not blank, all as many as in the first."""
    reader = csv.reader(io.StringIO(text), strict=True, skipinitialspace=True)
    line, width = 1, 0
    try:
        for cells in reader:
            # a lone quotation mark takes the lines up to the next one for a single cell
            if reader.line_num > line:
                raise csv.Error("a quoted cell runs over several lines")
            if len(cells) > 1 or any(cells):
                width = width or len(cells)
                if len(cells) != width:
                    raise csv.Error(f"{len(cells):,} cells in place of the {width:,} of the header")
                yield cells
            line += 1
    except csv.Error as error:
        raise ValueError(f"line {line:,}: {error}") from error


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
    table = text_table(path, "a table")
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
    table = table.mask(table.apply(lambda column: column.str.strip().str.lower().isin(NO_NUMBER)))
    return table.apply(_as_numbers).set_axis(pd.Index(index, dtype=object))


def _as_numbers(column: pd.Series) -> pd.Series:
    """Numbers where every cell that is not empty holds one, else the text."""
    number = pd.to_numeric(column, errors="coerce")
    return number.astype(float) if bool((number.notna() | column.isna()).all()) else column.astype(object)
