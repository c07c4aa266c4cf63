"""From the text of PhysioNet 2012 record files to arrays of rows, with every unusable row counted."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cndts.datasets._fields import distinct_fields, split_rows
from cndts.datasets._physionet2012_format import CODE

_BATCH_BYTES = 2**24
_TIME = re.compile(rb"(\d{1,4}):([0-5]\d)")
_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?")
_ABSENT = (b"", b"nan", b"na", b"null")
_LARGEST = float(np.finfo(np.float32).max)

EMPTY, UNKNOWN = -1, -2


@dataclass(frozen=True)
class Rows:
    """Usable rows of several files, in file order, and the count of the others.

    Parameters
    ----------
    file : ndarray of shape (n,)
        Position of the file a row comes from.
    minute : ndarray of shape (n,)
        Minutes since admission.
    parameter : ndarray of shape (n,)
        Position in ``PARAMETERS``.
    value : ndarray of shape (n,)
    n_rows : ndarray of shape (n_files,)
        Rows of each file, unusable ones included.
    faults : Counter
        Unusable rows by the names of :class:`ReadReport`.
    unknown_names : Counter
        Rows by parameter name that the format does not know.
    """

    file: NDArray[np.int64]
    minute: NDArray[np.int32]
    parameter: NDArray[np.int8]
    value: NDArray[np.float64]
    n_rows: NDArray[np.int64]
    faults: Counter[str]
    unknown_names: Counter[str]


def parse_rows(texts: Sequence[bytes]) -> Rows:
    r"""Interpret the rows (without header) of one file after the other.

    Parameters
    ----------
    texts : sequence of bytes
        Content of each file below its header line.

    Examples
    --------
    >>> rows = parse_rows([b"00:00,Age,54\n00:07,HR,73\n", b"01:30,Temp,35.1\n01:31,,-1\n"])
    >>> rows.file.tolist(), rows.minute.tolist(), rows.value.tolist(), dict(rows.faults)
    ([0, 0, 1], [0, 7, 90], [54.0, 73.0, 35.1], {'empty_names': 1})
    """
    batches = [_parse_batch(texts, first, last) for first, last in _batches(texts)]
    return Rows(
        file=np.concatenate([batch.file for batch in batches]),
        minute=np.concatenate([batch.minute for batch in batches]),
        parameter=np.concatenate([batch.parameter for batch in batches]),
        value=np.concatenate([batch.value for batch in batches]),
        n_rows=np.concatenate([batch.n_rows for batch in batches]),
        faults=sum((batch.faults for batch in batches), Counter()),
        unknown_names=sum((batch.unknown_names for batch in batches), Counter()),
    )


def _batches(texts: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Ranges of files of some 16 MB together, which bounds the memory for the positions of fields."""
    first, size = 0, 0
    for position, text in enumerate(texts):
        size += len(text)
        if size > _BATCH_BYTES:
            yield first, position + 1
            first, size = position + 1, 0
    yield first, len(texts)


def _parse_batch(texts: Sequence[bytes], first: int, last: int) -> Rows:
    ended = [_line_feeds(text) for text in texts[first:last]]
    text = b"".join(ended)
    begin, end, wrong = split_rows(text, 3)
    file_start = np.concatenate([[0], np.cumsum([len(each) for each in ended], dtype=np.int64)])
    per_file = np.diff(np.searchsorted(begin[0], file_start))
    n_rows = per_file + np.diff(np.searchsorted(wrong, file_start))

    minute = _interpret(text, begin[0], end[0], _minute, np.int32)
    name_code, names = distinct_fields(text, begin[1], end[1])
    parameter = np.array([_parameter(name) for name in names] or [EMPTY], dtype=np.int8)[name_code]
    value = _interpret(text, begin[2], end[2], _value, np.float64)

    # the first fault of a row, in this order, is the one that counts
    faults = {
        "malformed_times": minute < 0,
        "empty_names": parameter == EMPTY,
        "unknown_names": parameter == UNKNOWN,
        "empty_values": np.isnan(value),
        "malformed_values": np.isinf(value),
    }
    usable = np.ones(len(begin[0]), dtype=bool)
    counts = Counter({"malformed_rows": len(wrong)})
    unknown: Counter[str] = Counter()
    for fault, found in faults.items():
        found = found & usable
        usable &= ~found
        counts[fault] = int(found.sum())
        if fault == "unknown_names" and counts[fault]:
            unknown.update(_printable(names[code]) for code in name_code[found].tolist())
    file = np.repeat(np.arange(first, last), per_file)
    return Rows(file[usable], minute[usable], parameter[usable], value[usable], n_rows, +counts, unknown)


def _line_feeds(text: bytes) -> bytes:
    """The text with line feeds only, the last line ended, and without NUL (the filler of short fields)."""
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\0" in text:
        text = text.replace(b"\0", b"?")
    return text if text.endswith(b"\n") or not text else text + b"\n"


def _interpret(
    text: bytes, begin: NDArray[np.int64], end: NDArray[np.int64], meaning: Callable[[bytes], float], dtype: type
) -> NDArray:
    code, distinct = distinct_fields(text, begin, end)
    return np.array([meaning(field) for field in distinct] or [0], dtype=dtype)[code]


def _bare(field: bytes) -> bytes:
    return field.strip(b" \t\"'")


def _minute(field: bytes) -> int:
    """Minutes of ``HH:MM``; -1 for anything else."""
    found = _TIME.fullmatch(_bare(field))
    return int(found[1]) * 60 + int(found[2]) if found else -1


def _parameter(field: bytes) -> int:
    name = _bare(field).decode("latin-1")
    return CODE.get(name, UNKNOWN) if name else EMPTY


def _value(field: bytes) -> float:
    """The number; NaN where the field is empty, infinite where it is no number that a float32 holds."""
    field = _bare(field)
    if field.lower() in _ABSENT:
        return math.nan
    if len(field) > 400 or not _NUMBER.fullmatch(field):
        return math.inf
    number = float(field)
    return number if abs(number) <= _LARGEST else math.inf


def _printable(name: bytes) -> str:
    return _bare(name)[:40].decode("latin-1")
