"""Memory maps of the numbers inside an uncompressed Parquet column.

A plain, uncompressed data page ends with its values as little-endian numbers, without anything between them. Where a
column is one such page, its last ``n_values`` items are the array, and the file can be mapped in place.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER_MOST_BYTES = 1024


def map_column(path: str | os.PathLike[str], file: Any, name: str, dtype: type, n_values: int) -> NDArray:
    """The flat values of a list column, read from disk when touched; ValueError where they do not lie in one page."""
    item = np.dtype(dtype)
    if n_values == 0:
        return np.zeros(0, dtype=item)
    if file.metadata.num_row_groups != 1:
        raise ValueError(_refusal(path, "it has several row groups"))
    group = file.metadata.row_group(0)
    chunk = next(c for c in map(group.column, range(group.num_columns)) if c.path_in_schema.split(".")[0] == name)
    plain = set(chunk.encodings) <= {"PLAIN", "RLE"} and not chunk.has_dictionary_page
    if chunk.compression != "UNCOMPRESSED" or not plain:
        raise ValueError(_refusal(path, f"column {name!r} is compressed"))
    raw = np.memmap(path, dtype=np.uint8, mode="r")
    start, end = chunk.data_page_offset, chunk.data_page_offset + chunk.total_compressed_size
    header = end - start - _page_size(bytes(raw[start : start + HEADER_MOST_BYTES]))
    if not 0 < header < HEADER_MOST_BYTES:
        raise ValueError(_refusal(path, f"column {name!r} has several pages"))
    return np.frombuffer(raw, dtype=item.newbyteorder("<"), count=n_values, offset=end - n_values * item.itemsize)


def _refusal(path: object, reason: str) -> str:
    return (
        f"{path} cannot be memory-mapped: {reason}. Read it with memory_map=False, or write it with "
        "to_parquet(path, compression='none')."
    )


def _page_size(header: bytes) -> int:
    """``compressed_page_size``, third field of the page header in Thrift's compact protocol."""
    at, number = 0, 0
    for _ in range(3):
        at, number = _varint(header, at + 1)  # each field: one byte of id and type, then the number
    return (number >> 1) ^ -(number & 1)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number, shift = 0, 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return at, number
