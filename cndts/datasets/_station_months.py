"""From fixed-width lines, one month of one element of one station each, to arrays of daily values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cndts.datasets._ghcn_elements import Element
from cndts.datasets._sources import with_line_feeds

MISSING = -9999
_DAYS, _GROUP = 31, 8
_HEADER = 10  # year, month and element

BAD_LINE = "a line of another length"
BAD_HEADER = "a line without a readable station, year, month or element"
BAD_VALUE = "an unreadable number"
BAD_DAY = "a day that the month does not have"
BAD_CLOCK = "a time of day that is not HHMM"
FAILED = "a failed quality check"
NOT_ASKED = "an element or year that was not asked for"
TRACE, PRESUMED = "a trace", "missing presumed zero"

Planes = NDArray[np.uint8]


@dataclass(frozen=True)
class MonthLayout:
    """What the lines of a publication look like.

    Parameters
    ----------
    id_width : int
        Characters of the station id.
    id_pattern : bytes
        Regular expression of a station id.
    elements : mapping from str to Element
    """

    id_width: int
    id_pattern: bytes
    elements: Mapping[str, Element]

    @property
    def width(self) -> int:
        """Characters of a line."""
        return self.id_width + _HEADER + _DAYS * _GROUP


@dataclass(frozen=True)
class Choice:
    """What to keep of the values that can be read.

    Parameters
    ----------
    elements : sequence of str or None
    years : (int, int) or None
        First and last year.
    failed_checks, traces : {"drop", "keep"}
    """

    elements: tuple[str, ...] | None
    years: tuple[int, int] | None
    failed_checks: str
    traces: str


@dataclass(frozen=True)
class DayValues:
    """Daily values in the order of the lines.

    Parameters
    ----------
    stations : dict from station id to position
        Every station that has a readable line.
    station, day, element : ndarray of shape (n,)
        Position of the station, days since 1970-01-01, position in the layout's elements.
    value : ndarray of shape (n,)
    n_found : int
        Values met, kept or not; a line that cannot be read counts as one.
    documented, unforeseen, noticed : Counter
        As in :class:`ReadCounts`.
    """

    stations: dict[str, int]
    station: NDArray[np.int32]
    day: NDArray[np.int32]
    element: NDArray[np.int16]
    value: NDArray[np.float32]
    n_found: int
    documented: Counter[str]
    unforeseen: Counter[str]
    noticed: Counter[str]


def looks_like_months(content: bytes, layout: MonthLayout) -> bool:
    """Whether one of the first lines of a file has the length and the beginning of the layout."""
    start = re.compile(layout.id_pattern + rb"\d{6}[A-Z0-9]{4}")
    lines = content[: 20 * layout.width].splitlines()
    return any(start.match(line) and layout.width - 3 <= len(line.rstrip()) <= layout.width for line in lines)


def parse_months(text: bytes, layout: MonthLayout, choice: Choice, stations: dict[str, int]) -> DayValues:
    """Interpret lines.

    Parameters
    ----------
    text : bytes
    layout : MonthLayout
    choice : Choice
    stations : dict from station id to position
        Stations met so far; those of this text are added.

    Returns
    -------
    DayValues
    """
    lines, n_wrong = _lines(with_line_feeds(text), layout.width)
    unforeseen = Counter({BAD_LINE: n_wrong})
    station, month, year, element, unknown = _headers(lines, layout, stations)
    unforeseen.update(unknown)
    lines, station, month, year, element = _where((station >= 0) & (element >= 0), lines, station, month, year, element)

    planes = _planes(lines, layout)
    stored, readable = _integers(planes[:5])
    found = ~readable | (stored != MISSING)
    n_found = int(found.sum()) + sum(unforeseen.values())
    first = month.astype("M8[M]").astype("M8[D]").astype(np.int64)
    length = (month + 1).astype("M8[M]").astype("M8[D]").astype(np.int64) - first
    elements = list(layout.elements.values())
    is_clock = np.array([each.is_clock for each in elements])[element][:, None]

    # the first reason of a value, in this order, is the one that counts
    documented, noticed = Counter[str](), Counter[str]()
    left = _drop(found, ~readable, BAD_VALUE, unforeseen)
    left = _drop(left, np.arange(_DAYS) >= length[:, None], BAD_DAY, unforeseen)
    left = _drop(left, is_clock & ((stored < 0) | (stored > 2400) | (stored % 100 > 59)), BAD_CLOCK, unforeseen)
    left = _drop(left, ~_asked(year, element, layout, choice)[:, None], NOT_ASKED, documented)
    left = _quality(left, planes, choice, documented, noticed)

    line, in_month = np.nonzero(left)
    code, kept = element[line], stored[line, in_month].astype(np.float64)
    clock = np.array([each.is_clock for each in elements])[code]
    kept[clock] = kept[clock] // 100 + kept[clock] % 100 / 60
    value = kept * np.array([each.scale for each in elements])[code]
    value += np.array([each.offset for each in elements])[code]
    return DayValues(
        stations,
        station[line].astype(np.int32),
        (first[line] + in_month).astype(np.int32),
        code.astype(np.int16),
        value.astype(np.float32),
        n_found,
        +documented,
        +unforeseen,
        +noticed,
    )


def _lines(text: bytes, width: int) -> tuple[Planes, int]:
    """Lines as a table of characters, and how many have another length; blanks may lack at the end."""
    content = np.frombuffer(text, dtype=np.uint8)
    end = np.flatnonzero(content == 10)
    start = np.concatenate([[0], end[:-1] + 1])[: len(end)]
    whole = end - start == width
    if not whole.any():
        table = np.zeros((0, width), dtype=np.uint8)
    elif len(end) * (width + 1) == len(text) and whole.all():
        table = content.reshape(-1, width + 1)[:, :width]
    else:
        table = np.lib.stride_tricks.sliding_window_view(content, width)[start[whole]]
    others = [text[i:j].rstrip() for i, j in zip(start[~whole].tolist(), end[~whole].tolist(), strict=True)]
    padded = [line.ljust(width) for line in others if width - 3 <= len(line) <= width]
    if padded:
        table = np.concatenate([table, np.frombuffer(b"".join(padded), dtype=np.uint8).reshape(-1, width)])
    return table, sum(map(bool, others)) - len(padded)


def _headers(
    lines: Planes, layout: MonthLayout, stations: dict[str, int]
) -> tuple[NDArray, NDArray, NDArray, NDArray, Counter[str]]:
    """Station (-1 where any part is unreadable), months since 1970, year, element (-1 where unknown), and faults."""
    at = layout.id_width
    station = _stations(lines[:, :at], layout, stations)
    date, readable = _integers(np.ascontiguousarray(lines[:, at : at + 6].T))
    year, month = date // 100, date % 100
    readable &= (month >= 1) & (month <= 12) & (year >= 1)
    name, names = _distinct_elements(lines[:, at + 6 : at + 10])
    readable &= np.array([re.fullmatch(rb"[A-Z0-9]{4}", each) is not None for each in names], dtype=bool)[name]
    position = {each.encode(): code for code, each in enumerate(layout.elements)}
    element = np.array([position.get(each, -1) for each in names], dtype=np.int64)[name]
    station = np.where(readable, station, -1)
    faults = Counter({BAD_HEADER: int((station < 0).sum())})
    for code, count in enumerate(np.bincount(name[(station >= 0) & (element < 0)]).tolist()):
        if count:
            faults[f"the unknown element {names[code].decode('ascii')!r}"] = count
    return station, (year.astype(np.int64) - 1970) * 12 + month - 1, year, element, faults


def _stations(names: Planes, layout: MonthLayout, stations: dict[str, int]) -> NDArray[np.int64]:
    """Position of the station of each line, -1 where the id is unreadable; lines of a station follow each other."""
    is_first = np.ones(len(names), dtype=bool)
    is_first[1:] = (names[1:] != names[:-1]).any(axis=1)
    codes = []
    for row in np.flatnonzero(is_first).tolist():
        name = names[row].tobytes()
        readable = re.fullmatch(layout.id_pattern, name)
        codes.append(stations.setdefault(name.decode("ascii"), len(stations)) if readable else -1)
    return np.array(codes, dtype=np.int64)[np.cumsum(is_first) - 1]


def _distinct_elements(names: Planes) -> tuple[NDArray[np.int64], list[bytes]]:
    """Which of the distinct element names each line has, and these."""
    distinct, inverse = np.unique(np.ascontiguousarray(names).view("<u4").ravel(), return_inverse=True)
    return inverse.ravel(), [word.to_bytes(4, "little") for word in distinct.tolist()]


def _where(kept: NDArray[np.bool_], *arrays: NDArray) -> tuple[NDArray, ...]:
    return arrays if kept.all() else tuple(array[kept] for array in arrays)


def _planes(lines: Planes, layout: MonthLayout) -> Planes:
    """Characters of the groups of days, shape (8, n_lines, 31)."""
    groups = lines[:, layout.id_width + _HEADER :].reshape(len(lines), _DAYS, _GROUP)
    return np.ascontiguousarray(groups.transpose(2, 0, 1))


def _integers(planes: Planes) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Numbers written as blanks, at most one minus, digits; and where that is what is written.

    Examples
    --------
    >>> texts = np.frombuffer(b"  -10" b"   4-", dtype=np.uint8).reshape(2, 5)
    >>> numbers, readable = _integers(texts.T)
    >>> int(numbers[0]), readable.tolist()
    (-10, [True, False])
    """
    shape = planes.shape[1:]
    number, negative = np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=bool)
    begun, readable = np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
    is_digit = begun
    for plane in planes:
        digit = plane - np.uint8(48)
        is_digit, is_minus = digit < 10, plane == ord("-")
        readable &= is_digit | ~begun & (is_minus | (plane == ord(" ")))
        number *= np.int32(10)
        number += np.where(is_digit, digit, np.uint8(0))
        negative |= is_minus
        begun = begun | is_digit | is_minus
    # what is readable and ends in a digit has digits only after the first character that is not blank
    return np.where(negative, -number, number), readable & is_digit


def _drop(left: NDArray[np.bool_], wrong: NDArray[np.bool_], reason: str, counter: Counter[str]) -> NDArray[np.bool_]:
    counter[reason] += int((left & wrong).sum())
    return left & ~wrong


def _asked(year: NDArray, element: NDArray, layout: MonthLayout, choice: Choice) -> NDArray[np.bool_]:
    asked = np.ones(len(year), dtype=bool)
    if choice.years is not None:
        asked &= (year >= choice.years[0]) & (year <= choice.years[1])
    if choice.elements is not None:
        asked &= np.isin(np.array(list(layout.elements)), choice.elements)[element]
    return asked


def _quality(
    left: NDArray[np.bool_], planes: Planes, choice: Choice, documented: Counter[str], noticed: Counter[str]
) -> NDArray[np.bool_]:
    measured, checked = planes[5], planes[6]
    failed = checked != ord(" ")
    flags, counts = np.unique(checked[left & failed], return_counts=True)
    for flag, count in zip(flags.tolist(), counts.tolist(), strict=True):
        where = noticed if choice.failed_checks == "keep" else documented
        where[f"{FAILED} ({chr(flag)})"] += count
    if choice.failed_checks == "drop":
        left = left & ~failed
    is_trace = measured == ord("T")
    if choice.traces == "drop":
        left = _drop(left, is_trace, TRACE, documented)
    noticed[TRACE] += int((left & is_trace).sum())
    noticed[PRESUMED] += int((left & (measured == ord("P"))).sum())
    return left
