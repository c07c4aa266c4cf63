"""Rows of delimited text as columns of cells: numbers, words, and what could not be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from cndts.datasets._decimals import read_decimals, read_integers
from cndts.datasets._fields import Positions, distinct_fields, split_rows
from cndts.datasets._sources import with_line_feeds

NO_NUMBER = ("", "nan", "na", "null", "none")
LARGEST = float(np.finfo(np.float32).max)

_WORD = 8
_SEPARATORS = ("|", ";", "\t", ",")
_BATCH_BYTES = 2**24


@dataclass(frozen=True)
class Cells:
    """The numbers of one or more columns.

    Parameters
    ----------
    number : ndarray
        NaN where a cell is absent or unreadable.
    absent : ndarray of bool
        Cells that are empty or hold a word for "no number".
    unreadable : ndarray of bool
        Cells that hold anything else than a finite number within the limit.
    """

    number: NDArray[np.float64]
    absent: NDArray[np.bool_]
    unreadable: NDArray[np.bool_]


class TextRows:
    r"""Rows of comma-separated text with the same columns.

    Parameters
    ----------
    text : bytes
        Rows that each end with a line feed, as from :func:`plain_text`.
    columns : sequence of str or None
        Names of the fields in order; a field called None is skipped.

    Attributes
    ----------
    start : ndarray of shape (n_rows,)
        Where each row with the right number of fields begins.
    wrong : ndarray
        Where the other rows begin that hold anything.

    Examples
    --------
    >>> rows = TextRows(b"A01,0.5,NaN\nA02,x,-3\nA03,1\n", ("name", "x", "y"))
    >>> cells = rows.numbers("x", "y")
    >>> cells.number.tolist(), cells.unreadable[:, 0].tolist(), len(rows.wrong)
    ([[0.5, nan], [nan, -3.0]], [False, True], 1)
    >>> rows.words("name")[1]
    ['A01', 'A02']
    """

    def __init__(self, text: bytes, columns: Sequence[str | None]) -> None:
        self.text = text
        self.columns = tuple(columns)
        self._begin, self._end, self.wrong = split_rows(text, len(self.columns))
        self.start: Positions = self._begin[0]

    def __len__(self) -> int:
        return len(self.start)

    def bounds(self, *names: str) -> tuple[Positions, Positions]:
        """Where the fields of columns begin and end, one column after the other."""
        fields = [self.columns.index(name) for name in names]
        return np.concatenate([self._begin[i] for i in fields]), np.concatenate([self._end[i] for i in fields])

    def numbers(self, *names: str, absent: Iterable[str] = NO_NUMBER, largest: float = LARGEST) -> Cells:
        """Numbers of columns, shape (n_rows, n_columns); the words in ``absent`` are compared in lower case."""
        if not names:
            nothing = np.zeros((len(self), 0))
            return Cells(nothing, nothing.astype(bool), nothing.astype(bool))
        begin, end = self.bounds(*names)
        words = [word.encode() for word in absent]
        missing = self._is_word(begin, end, words)
        number = np.full(len(begin), np.nan)
        present = np.flatnonzero(~missing)
        number[present] = read_decimals(self.text, begin[present], end[present])
        unreadable = ~missing & ~(np.abs(number) <= largest)
        rows = np.flatnonzero(unreadable)
        if len(rows):
            bare = [self._bare(i, j).lower() in words for i, j in zip(begin[rows], end[rows], strict=True)]
            missing[rows] = bare
            unreadable[rows[np.array(bare, dtype=bool)]] = False
            number[rows] = np.nan
        shape = len(names), len(self)
        return Cells(number.reshape(shape).T, missing.reshape(shape).T, unreadable.reshape(shape).T)

    def integers(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Whole numbers of a column to the last digit, and which cells hold one."""
        return read_integers(self.text, *self.bounds(name))

    def words(self, name: str) -> tuple[NDArray[np.int64], list[str]]:
        """Position of each cell of a column in the list of different words, without blanks and quotes around them."""
        code, distinct = distinct_fields(self.text, *self.bounds(name))
        bare = [_strip(field).decode("utf-8", "replace") for field in distinct]
        names = list(dict.fromkeys(bare))
        position = {word: place for place, word in enumerate(names)}
        return np.array([position[word] for word in bare] or [0], dtype=np.int64)[code], names

    def _is_word(self, begin: Positions, end: Positions, words: Sequence[bytes]) -> NDArray[np.bool_]:
        """Cells that hold one of some short words, in any case, without anything around it."""
        length = end - begin
        found = (length == 0) & (b"" in words)
        for word in words:
            if 0 < len(word) <= _WORD:
                rows = np.flatnonzero(length == len(word))
                same = np.ones(len(rows), dtype=bool)
                for position, letter in enumerate(word):
                    same &= (self._lower[begin[rows] + position]) == letter
                found[rows[same]] = True
        return found

    @cached_property
    def _lower(self) -> NDArray[np.uint8]:
        content = np.frombuffer(self.text, dtype=np.uint8)
        capital = (content >= ord("A")) & (content <= ord("Z"))
        return content | capital.astype(np.uint8) * np.uint8(ord("a") - ord("A"))

    def _bare(self, begin: int, end: int) -> bytes:
        return _strip(self.text[begin:end])


def plain_text(content: bytes, separator: str = ",", decimal: str = ".") -> bytes:
    r"""The text with line feeds, commas between fields and points in numbers, whatever the publisher uses.

    Parameters
    ----------
    content : bytes
    separator : str
        One character; a blank stands for any run of blanks and tabs.
    decimal : {".", ","}

    Examples
    --------
    >>> plain_text(b"a;1,5\r\nb;2,25", ";", ","), plain_text(b"  a  1\t2 \n", " ")
    (b'a,1.5\nb,2.25\n', b'a,1,2\n')
    """
    text = with_line_feeds(content)
    if separator == " ":
        text = re.sub(rb"(?m)^[ \t]+|[ \t]+$", b"", text)
        return re.sub(rb"[ \t]+", b",", text)
    swaps = {decimal: ".", separator: ","}  # where both are the same, it separates
    # what looked like a comma or a point before must not become one of the new ones
    if separator != ",":
        swaps.setdefault(",", separator)
    return text.translate(bytes.maketrans("".join(swaps).encode(), "".join(swaps.values()).encode()))


def separator_of(line: bytes) -> str:
    """The separator that a header line uses most: a bar, a semicolon, a tab, a comma, else blanks.

    Examples
    --------
    >>> separator_of(b"HR|Temp|ICULOS"), separator_of(b"mjd band mag err")
    ('|', ' ')
    """
    counts = {each: line.count(each.encode()) for each in _SEPARATORS}
    best = max(counts, key=lambda each: counts[each])
    return best if counts[best] else " "


def split_header(text: bytes) -> tuple[list[str], bytes]:
    r"""Names in the first line that is not blank, and the text below it.

    Examples
    --------
    >>> split_header(b'\n"No","wd"\n1,N\n')
    (['No', 'wd'], b'1,N\n')
    """
    found = re.match(rb"\s*([^\n]*)\n?", text)
    line = found[1] if found else b""
    return list(_names(line)), text[found.end() if found else 0 :]


@lru_cache(maxsize=64)
def _names(line: bytes) -> tuple[str, ...]:
    return tuple(_strip(name).decode("utf-8", "replace") for name in line.split(b","))


@lru_cache(maxsize=64)
def _told_apart(header: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        name if name not in header[:place] else f"{name} (column {place + 1})" for place, name in enumerate(header)
    )


def distinct_names(header: Sequence[str]) -> tuple[str, ...]:
    """The names of columns; one that repeats an earlier one gets its place behind it, so that none hides another.

    Examples
    --------
    >>> distinct_names(["time", "HR", "HR"])
    ('time', 'HR', 'HR (column 3)')
    """
    return _told_apart(tuple(header))


def joined_rows(texts: Sequence[bytes], columns: Sequence[str | None]) -> tuple[TextRows, NDArray[np.int64]]:
    r"""Rows of several texts with the same columns, and which text each row comes from.

    Examples
    --------
    >>> joined_rows([b"1,2\n", b"", b"3,4\n5,6\n"], ("x", "y"))[1].tolist()
    [0, 2, 2]
    """
    starts = np.concatenate([[0], np.cumsum([len(text) for text in texts])])
    rows = TextRows(b"".join(texts), columns)
    return rows, np.searchsorted(starts, rows.start, side="right") - 1


def line_count(text: bytes) -> int:
    """Lines that hold more than blanks."""
    return sum(1 for line in text.split(b"\n") if line.strip())


def in_batches(texts: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Texts in order, some 16 MB together, which bounds the memory for the positions of fields."""
    waiting: list[bytes] = []
    size = 0
    for text in texts:
        waiting.append(text)
        size += len(text)
        if size > _BATCH_BYTES:
            yield waiting
            waiting, size = [], 0
    if waiting:
        yield waiting


def in_blocks(text: bytes) -> Iterator[bytes]:
    """A long text in parts of some 16 MB that end with a line; at least one."""
    begin = 0
    while len(text) - begin > _BATCH_BYTES:
        end = text.find(b"\n", begin + _BATCH_BYTES) + 1 or len(text)
        yield text[begin:end]
        begin = end
    if begin < len(text) or not text:
        yield text[begin:]


def _strip(field: bytes) -> bytes:
    return field.strip(b" \t\"'")
