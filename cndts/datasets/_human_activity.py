"""Reader of the UCI localization data for person activity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.datasets._read_counts import ReadCounts, tell
from cndts.datasets._row_events import BAD_FIELDS, BAD_NUMBER, BAD_TIME, panel_of_rows
from cndts.datasets._sources import PathLike, as_paths, check_choice, nothing_found, read_sources
from cndts.datasets._text_rows import TextRows, in_blocks, plain_text
from cndts.panel import IrregularPanel

TAGS = {
    "010-000-024-033": "ankle_left",
    "010-000-030-096": "ankle_right",
    "020-000-033-111": "chest",
    "020-000-032-221": "belt",
}
AXES = ("x", "y", "z")
CHANNELS = tuple(f"{place}_{axis}" for place in TAGS.values() for axis in AXES)
ACTIVITIES = (
    "walking",
    "falling",
    "lying down",
    "lying",
    "sitting down",
    "sitting",
    "standing up from lying",
    "on all fours",
    "sitting on the ground",
    "standing up from sitting",
    "standing up from sitting on the ground",
)
BAD_NAME, BAD_TAG, BAD_ACTIVITY = "an unreadable sequence name", "an unknown tag", "an unknown activity"

_COLUMNS = ("sequence", "tag", "timestamp", "date", *AXES, "activity")
_PER_SECOND = 10**7  # the timestamps count 100 ns


@dataclass(frozen=True)
class _Readings:
    sequence: list[str]  # of each reading
    ticks: NDArray[np.int64]
    tag: NDArray[np.int64]
    place: NDArray[np.float64]
    activity: NDArray[np.int64]


@overload
def read_human_activity(
    path: PathLike | Sequence[PathLike],
    *,
    labels: Literal["outcomes", "channel"] = ...,
    return_report: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def read_human_activity(
    path: PathLike | Sequence[PathLike],
    *,
    labels: Literal["outcomes", "channel"] = ...,
    return_report: Literal[True],
) -> tuple[IrregularPanel, ReadCounts]: ...


def read_human_activity(
    path: PathLike | Sequence[PathLike],
    *,
    labels: Literal["outcomes", "channel"] = "outcomes",
    return_report: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, ReadCounts]:
    """Read "Localization Data for Person Activity" (UCI 196), the *Human Activity* of the field's benchmarks.

    Five people wore four tags each and repeated the same scenario five times. Every reading is the position of one tag,
    so that the three coordinates of a tag come together and the tags come at different times.

    Parameters
    ----------
    path : path-like or sequence of path-like
        ``ConfLongDemo_JSI.txt``, a folder with it, or the archive as published.
    labels : {"outcomes", "channel"}, default="outcomes"
        Where the activities go: into ``outcomes`` as the share of readings of each activity, or, in addition, as the
        channel ``activity`` (1 to 11, in the order below), once for each reading. A channel is seen by the model unless
        it is removed from the context.
    return_report : bool, default=False
        Also return the counts of all that was met.

    Returns
    -------
    panel : IrregularPanel
        One record a sequence (``"A01"`` to ``"E05"``), in that order; times in seconds since its first reading.
        Channels (m): ``ankle_left_x``, ``_y``, ``_z``, ``ankle_right_``, ``chest_``, ``belt_``. ``static`` holds Person
        and Repetition, ``groups`` are the people, so that grouped splits keep them apart. ``outcomes`` holds the shares
        of the activities and ``activity``, the number of the most frequent one.
    report : ReadCounts
        Only with ``return_report=True``; counts readings, one a row.

    Raises
    ------
    FileNotFoundError
        A path does not exist.
    ValueError
        A path holds no such file, is a damaged or unsafe archive, or an option is not known.

    Warns
    -----
    DataWarning
        Once a call, if rows had to be left out because they cannot be read.

    Notes
    -----
    *Activities, in order.* walking, falling, lying down, lying, sitting down, sitting, standing up from lying, on all
    fours, sitting on the ground, standing up from sitting, standing up from sitting on the ground.

    *Known properties of the data, and what happens to them*

    - Time stands twice in a row: as a count of 100 ns, with 18 digits that float64 does not hold, which is read to the
      last digit and used, and as a date to the millisecond, which is not.
    - Readings are out of order by some: they are sorted and counted. Readings of one tag at the same instant are kept
      as simultaneous events and counted; benchmarks of the field round to 1 or 100 ms and average.
    - The coordinates come from radio localization: they jitter and jump; nothing is smoothed.
    - Rows with other than eight fields, an unreadable name, timestamp or coordinate, an unknown tag or activity are
      left out, counted and warned of.

    The published file has 164,860 readings of 25 sequences.

    Source: https://doi.org/10.24432/C57G8X, Creative Commons Attribution 4.0.

    References
    ----------
    B. Kaluza, V. Mirchevska, E. Dovgan, M. Lustrek, M. Gams. "An agent-based approach to care in independent living."
    International Joint Conference on Ambient Intelligence, pp. 177-186, 2010.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> rows = ["A01,010-000-024-033,633790226051280329,27.05.2009 14:03:25:127,4.06,1.89,0.51,walking",
    ...         "A01,020-000-033-111,633790226052280329,27.05.2009 14:03:25:227,4.29,1.78,1.34,walking"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "ConfLongDemo_JSI.txt").write_text(chr(10).join(rows))
    ...     panel = read_human_activity(folder)
    >>> panel.records.tolist(), panel.n_events, panel.time.tolist()
    (['A01'], 6, [0.0, 0.0, 0.0, 0.1, 0.1, 0.1])
    """
    check_choice("labels", labels, ("outcomes", "channel"))
    paths = as_paths(path)
    unforeseen: Counter[str] = Counter()
    others: list[str] = []
    parts: list[_Readings] = []
    files = n_found = 0
    for name, content in read_sources(paths, _is_text):
        text = None if content is None else plain_text(content)
        if text is None or not _looks_right(text):
            others.append(name)
            continue
        files += 1
        for block in in_blocks(text):
            rows = TextRows(block, _COLUMNS)
            n_found += len(rows) + len(rows.wrong)
            parts.append(_parse(rows, unforeseen))
    if not parts:
        raise nothing_found(paths, "rows such as A01,010-000-024-033,633790226051280329,...", others)
    noticed: Counter[str] = Counter()
    panel, n_kept = _panel(parts, noticed, with_labels=labels == "channel")
    report = ReadCounts(
        "readings",
        sources=tuple(map(str, paths)),
        n_files=files,
        n_records=len(panel),
        n_found=n_found,
        n_kept=n_kept,
        unforeseen=dict(+unforeseen),
        noticed=dict(+noticed),
        other_files=tuple(others),
    )
    tell(report, "the UCI localization data")
    return (panel, report) if return_report else panel


def _is_text(name: str) -> bool:
    return name.lower().endswith((".txt", ".csv", ".data"))


def _looks_right(text: bytes) -> bool:
    """Whether any of the tags is named; other text beside the data is none of it."""
    return any(tag.encode() in text for tag in TAGS)


def _parse(rows: TextRows, unforeseen: Counter[str]) -> _Readings:
    unforeseen[BAD_FIELDS] += len(rows.wrong)
    code, names = rows.words("sequence")
    fine = np.array([len(name) == 3 and name[0] in "ABCDE" and name[1:] in _REPETITIONS for name in names] or [False])
    tag = _positions(rows, "tag", tuple(TAGS))
    activity = _positions(rows, "activity", ACTIVITIES)
    ticks, readable = rows.integers("timestamp")
    place = rows.numbers(*AXES)
    left = np.ones(len(rows), dtype=bool)
    faults = {
        BAD_NAME: ~fine[code],
        BAD_TAG: tag < 0,
        BAD_TIME: ~readable | (ticks <= 0),
        BAD_NUMBER: np.isnan(place.number).any(axis=1),
        BAD_ACTIVITY: activity < 0,
    }
    for fault, found in faults.items():
        unforeseen[fault] += int((left & found).sum())
        left &= ~found
    sequence = [names[each] for each in code[left].tolist()]
    return _Readings(sequence, ticks[left], tag[left], place.number[left], activity[left])


_REPETITIONS = ("01", "02", "03", "04", "05")


def _positions(rows: TextRows, column: str, known: Sequence[str]) -> NDArray[np.int64]:
    """Place of each cell among known words, -1 for others."""
    code, names = rows.words(column)
    return np.array([known.index(name) if name in known else -1 for name in names] or [-1], dtype=np.int64)[code]


def _panel(parts: Sequence[_Readings], noticed: Counter[str], *, with_labels: bool) -> tuple[IrregularPanel, int]:
    sequence = [name for part in parts for name in part.sequence]
    ids = pd.Index(sorted(set(sequence)), name="sequence", dtype=object)
    record = ids.get_indexer(pd.Index(sequence, dtype=object))
    ticks, tag, place, activity = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("ticks", "tag", "place", "activity")
    )
    first = np.full(len(ids), np.iinfo(np.int64).max)
    np.minimum.at(first, record, ticks)
    value = np.full((len(record), len(CHANNELS) + with_labels), np.nan)
    value[np.arange(len(record))[:, None], tag[:, None] * len(AXES) + np.arange(len(AXES))] = place
    if with_labels:
        value[:, -1] = activity + 1
    channels = (*CHANNELS, "activity") if with_labels else CHANNELS
    people = [name[0] for name in ids]
    panel = panel_of_rows(
        record,
        (ticks - first[record]) / _PER_SECOND,
        value,
        records=ids,
        noticed=noticed,
        channels=channels,
        units=dict.fromkeys(CHANNELS, "m"),
        static=pd.DataFrame({"Person": people, "Repetition": [int(name[1:]) for name in ids]}, index=ids),
        outcomes=_outcomes(ids, record, activity),
        groups=np.array(people, dtype=object),
        time_unit="s",
    )
    return panel, len(record)


def _outcomes(ids: pd.Index, record: NDArray[np.int64], activity: NDArray[np.int64]) -> pd.DataFrame:
    """Share of each activity in each sequence, and the number of the most frequent one."""
    n = len(ACTIVITIES)
    counts = np.bincount(record * n + activity, minlength=len(ids) * n).reshape(len(ids), n)
    table = pd.DataFrame(counts / counts.sum(axis=1, keepdims=True), index=ids, columns=list(ACTIVITIES))
    return table.assign(activity=counts.argmax(axis=1) + 1.0)
