"""Splitting delimited text into fields with array operations, robust against any content."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Positions = NDArray[np.int64]

_WORD = 8
_MASKS = np.array([(1 << (8 * length)) - 1 for length in range(_WORD + 1)], dtype=np.uint64)


def split_rows(text: bytes, n_fields: int, n_more: int = 0) -> tuple[list[Positions], list[Positions], Positions]:
    r"""Where the fields of comma-separated rows begin and end.

    Parameters
    ----------
    text : bytes
        Rows that each end with a line feed.
    n_fields : int
        Number of fields a row should have.
    n_more : int, default=0
        How many fields may follow them; they are skipped.

    Returns
    -------
    begin, end : list of n_fields ndarrays of shape (n_rows,)
        Bounds of each field in the well-formed rows.
    wrong : ndarray
        Positions of the rows with another number of fields; rows of white space only are in neither.

    Examples
    --------
    >>> begin, end, wrong = split_rows(b"00:07,HR,73\n\n00:08,HR\n", 3)
    >>> [int(each[0]) for each in begin], [int(each[0]) for each in end], wrong.tolist()
    ([0, 6, 9], [5, 8, 11], [13])
    >>> split_rows(b"1,2\n3,4,5\n6,7,8,9\n", 2, n_more=1)[1][1].tolist()
    [3, 7]
    """
    content = np.frombuffer(text, dtype=np.uint8)
    marks = np.flatnonzero((content == 10) | (content == 44))
    line_ends = np.flatnonzero(content[marks] == 10)
    first = np.concatenate([[0], line_ends[:-1] + 1])[: len(line_ends)]
    start = np.concatenate([[0], marks[line_ends[:-1]] + 1])[: len(line_ends)]
    n_marks = line_ends - first
    good = (n_marks >= n_fields - 1) & (n_marks < n_fields + n_more)
    end = [marks[first[good] + field] for field in range(n_fields)]
    begin = [start[good], *(each + 1 for each in end[:-1])]
    wrong = [
        position
        for position, stop in zip(start[~good].tolist(), marks[line_ends[~good]].tolist(), strict=True)
        if text[position:stop].strip()
    ]
    return begin, end, np.array(wrong, dtype=np.int64)


def distinct_fields(text: bytes, begin: Positions, end: Positions) -> tuple[NDArray[np.int64], list[bytes]]:
    """Distinct contents of fields and which of them each field holds.

    Text of measurements repeats the same few thousand strings, so that interpreting each distinct string once in
    Python is both exact and fast.

    Parameters
    ----------
    text : bytes
        Text without NUL bytes.
    begin, end : ndarray of shape (n_fields,)
        Bounds of the fields.

    Returns
    -------
    code : ndarray of shape (n_fields,)
        Position of each field's content in ``distinct``.
    distinct : list of bytes

    Examples
    --------
    >>> code, distinct = distinct_fields(b"HR,Temp,HR", np.array([0, 3, 8]), np.array([2, 7, 10]))
    >>> code.tolist(), distinct
    ([0, 1, 0], [b'HR', b'Temp'])
    """
    length = end - begin
    short = length <= _WORD
    padded = text + bytes(_WORD)
    words = np.ndarray((len(text) + 1,), dtype="<u8", buffer=padded, strides=(1,))
    short_code, short_words = pd.factorize(words[begin[short]] & _MASKS[length[short]])
    distinct = [int(word).to_bytes(_WORD, "little").rstrip(b"\0") for word in short_words]
    code = np.empty(len(begin), dtype=np.int64)
    code[short] = short_code
    if not short.all():
        long_code, long_distinct = _distinct_slices(text, begin[~short], end[~short])
        code[~short] = long_code + len(distinct)
        distinct += long_distinct
    return code, distinct


def _distinct_slices(text: bytes, begin: Positions, end: Positions) -> tuple[NDArray[np.int64], list[bytes]]:
    seen: dict[bytes, int] = {}
    code = [seen.setdefault(text[i:j], len(seen)) for i, j in zip(begin.tolist(), end.tolist(), strict=True)]
    return np.array(code, dtype=np.int64), list(seen)
