"""One set of PhysioNet 2012: from its files to sorted arrays and a report, through the cache."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cndts._ragged import offsets_from_lengths, take
from cndts.datasets._archives import fingerprint, read_files
from cndts.datasets._cache import ArrayCache
from cndts.datasets._physionet2012_format import (
    CHANNELS,
    CODE,
    HEADER,
    LAST_MINUTE,
    MISSING,
    N_CHANNELS,
    RECORD_ID,
    STATIC_COLUMNS,
    STATICS,
)
from cndts.datasets._physionet2012_rows import Rows, parse_rows
from cndts.datasets._report import ReadReport

logger = logging.getLogger(__name__)

_VERSION = 1
_ARRAYS = ("record", "offsets", "minute", "channel", "value", "static")


@dataclass(frozen=True)
class RecordSet:
    """Records of one source in id order.

    Parameters
    ----------
    record : ndarray of shape (n_records,)
        Ids, rising.
    offsets : ndarray of shape (n_records + 1,)
    minute, channel, value : ndarray of shape (n_events,)
        Events sorted by record, time and channel.
    static : ndarray of shape (n_records, 5)
        Age, Gender, Height, ICUType, Weight; -1 where the file says so, NaN where it says nothing.
    report : ReadReport
    """

    record: NDArray[np.int64]
    offsets: NDArray[np.int64]
    minute: NDArray[np.int32]
    channel: NDArray[np.uint8]
    value: NDArray[np.float32]
    static: NDArray[np.float64]
    report: ReadReport

    def without(self, seen: set[int]) -> RecordSet:
        """The set without records met before, which its report then counts."""
        again = np.array([int(record) in seen for record in self.record], dtype=bool)
        if not again.any():
            return self
        index = np.flatnonzero(~again)
        offsets, rows = take(self.offsets, index)
        gone = tuple(self.record[again].tolist())
        lost = int(self.offsets[-1] - offsets[-1])
        report = dataclasses.replace(
            self.report,
            n_records=len(index),
            n_observations=int(offsets[-1]),
            repeated_records=(*self.report.repeated_records, *gone),
            repeated_record_rows=self.report.repeated_record_rows + lost,
            empty_records=tuple(record for record in self.report.empty_records if record not in gone),
        )
        kept = self.minute[rows], self.channel[rows], self.value[rows]
        return RecordSet(self.record[index], offsets, *kept, self.static[index], report)


def read_set(
    path: str | os.PathLike[str], *, duplicates: str, missing_codes: str, cache: ArrayCache | None
) -> RecordSet:
    """Read one folder or archive, or what the cache keeps of it."""
    if cache is None:
        return _read(path, duplicates, missing_codes)
    options = json.dumps(["physionet2012", _VERSION, fingerprint(path, is_record_name), duplicates, missing_codes])
    key = f"physionet2012-{hashlib.sha256(options.encode()).hexdigest()[:40]}"
    kept = cache.load(key)
    if kept is not None:
        arrays, header = kept
        report = ReadReport.from_dict({**header, "sources": (str(path),), "from_cache": True})
        return RecordSet(**{name: arrays[name] for name in _ARRAYS}, report=report)
    records = _read(path, duplicates, missing_codes)
    cache.store(key, {name: getattr(records, name) for name in _ARRAYS}, dataclasses.asdict(records.report))
    return records


def is_record_name(name: str) -> bool:
    """Whether a file may be a record by its name: text, and not one of the hidden files that macOS leaves."""
    parts = name.split("/")
    return parts[-1].lower().endswith((".txt", ".csv")) and not parts[-1].startswith(".") and "__MACOSX" not in parts


def _read(path: str | os.PathLike[str], duplicates: str, missing_codes: str) -> RecordSet:
    names, texts, others, headless = _record_files(path)
    rows = parse_rows(texts)
    record, identity = _identify(names, rows)
    tally = {
        **{fault: count for fault, count in rows.faults.items() if fault != "unknown_names"},
        **identity,
        "unknown_names": dict(rows.unknown_names),
        "sources": (str(path),),
        "n_files": len(names),
        "n_rows": int(rows.n_rows.sum()),
        "headless_files": headless,
        "other_files": tuple(others),
    }
    return _assemble(rows, record, duplicates, missing_codes, tally)


def _record_files(path: str | os.PathLike[str]) -> tuple[list[str], list[bytes], list[str], int]:
    """Names and headless texts of record files, names of the other files, and how many records had no header."""
    names: list[str] = []
    texts: list[bytes] = []
    others: list[str] = []
    headless = 0
    for name, content in read_files(path, is_record_name):
        text = None if content is None else _below_header(content)
        if content is None or text is None and _id_in_name(name) is None:
            others.append(name)
            continue
        headless += text is None
        names.append(name)
        texts.append(content if text is None else text)
    if not names:
        raise ValueError(
            f"{path} holds no record of PhysioNet 2012: wanted text files that begin with 'Time,Parameter,Value' or are "
            f"named after a record (132539.txt), got {_listed(others)}; archives inside are not opened, pass them directly."
        )
    return names, texts, others, headless


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:3])
    return (
        f"{shown} and {len(names) - 3:,} more file{'s' if len(names) > 4 else ''}"
        if len(names) > 3
        else shown or "no files"
    )


def _below_header(content: bytes) -> bytes | None:
    """What follows the header line, or None if the file does not begin with one."""
    match = re.match(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*([^\r\n]*)(?:\r\n|\r|\n|$)", content[:256])
    if match is None or re.sub(rb"[ \t\"']", b"", match[1]).lower() != HEADER:
        return None
    return content[match.end() :]


def _id_in_name(name: str) -> int | None:
    stem = name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return int(stem) if re.fullmatch(r"[0-9]{1,15}", stem) else None


def _identify(names: list[str], rows: Rows) -> tuple[NDArray[np.int64], dict[str, object]]:
    """Id of each file, -1 for files to leave out; the id inside counts before the one in the name."""
    named = [_id_in_name(name) for name in names]
    inside = _first_per_file(rows, CODE[RECORD_ID], len(names))
    valid = (inside >= 0) & (inside < 2**53) & (inside == np.floor(inside))
    record = np.array([-1 if each is None else each for each in named], dtype=np.int64)
    conflicting = [
        name for name, one, ok, two in zip(names, named, valid, inside, strict=True) if ok and one not in (None, two)
    ]
    from_names = int((~valid & (record >= 0)).sum())
    record[valid] = inside[valid].astype(np.int64)

    unidentified = record < 0
    by_id = np.argsort(record, kind="stable")
    again = np.zeros(len(record), dtype=bool)
    again[by_id[1:]] = record[by_id[1:]] == record[by_id[:-1]]
    again &= ~unidentified
    left_out = record[again].tolist()
    record[again] = -1
    return record, {
        "ids_from_names": from_names,
        "conflicting_names": tuple(conflicting),
        "unidentified_files": tuple(name for name, found in zip(names, unidentified, strict=True) if found),
        "unidentified_rows": _usable_rows(rows, unidentified),
        "repeated_records": tuple(left_out),
        "repeated_record_rows": _usable_rows(rows, again),
    }


def _usable_rows(rows: Rows, files: NDArray[np.bool_]) -> int:
    return int(files[rows.file].sum())


def _first_per_file(rows: Rows, parameter: int, n_files: int, minute: int | None = None) -> NDArray[np.float64]:
    """First value of a parameter in each file, NaN where there is none."""
    found = np.flatnonzero((rows.parameter == parameter) & (True if minute is None else rows.minute == minute))
    first = np.full(n_files, np.nan)
    first[rows.file[found][::-1]] = rows.value[found][::-1]
    return first


def _assemble(
    rows: Rows, record: NDArray[np.int64], duplicates: str, missing_codes: str, tally: dict[str, object]
) -> RecordSet:
    files = np.argsort(record, kind="stable")
    files = files[record[files] >= 0]
    position = np.full(len(record), -1)
    position[files] = np.arange(len(files))
    columns = [_first_per_file(rows, CODE[name], len(record))[files] for name in STATICS]
    columns.append(_first_per_file(rows, CODE["Weight"], len(record), minute=0)[files])
    static = np.stack(columns, axis=1)

    owned = position[rows.file] >= 0
    varying = owned & (rows.parameter < N_CHANNELS)
    coded = varying & (rows.value == MISSING)
    kept = varying if missing_codes == "keep" else varying & ~coded
    events = _sorted_events(rows, position, kept, record[files], duplicates)
    n_first, n_descriptors = _count_descriptors(rows, owned)
    lengths = np.bincount(events["record"], minlength=len(files))
    report = ReadReport(
        **tally,  # type: ignore[arg-type]
        n_records=len(files),
        n_observations=len(events["value"]),
        n_descriptors=n_first,
        n_merged=int(kept.sum()) - len(events["value"]),
        repeated=events["repeated"],
        missing_codes=_by_channel(rows.parameter[coded]),
        kept_missing_codes=missing_codes == "keep",
        unknown_descriptors=_by_column(static == MISSING),
        absent_descriptors=_by_column(np.isnan(static)),
        repeated_descriptors=n_descriptors - n_first,
        late_rows=int((rows.minute[kept] > LAST_MINUTE).sum()),
        empty_records=tuple(record[files][lengths == 0].tolist()),
    )
    arrays = events["minute"].astype(np.int32), events["channel"].astype(np.uint8), events["value"].astype(np.float32)
    return RecordSet(record[files], offsets_from_lengths(lengths), *arrays, static, report)


def _count_descriptors(rows: Rows, owned: NDArray[np.bool_]) -> tuple[int, int]:
    """Descriptor rows that gave a record its value, and descriptor rows in all."""
    found = owned & (rows.parameter >= N_CHANNELS)
    return len(np.unique(rows.file[found] * len(CODE) + rows.parameter[found])), int(found.sum())


def _by_channel(codes: NDArray) -> dict[str, int]:
    return dict(Counter(CHANNELS[code] for code in codes.tolist()))


def _by_column(found: NDArray[np.bool_]) -> dict[str, int]:
    return {name: int(count) for name, count in zip(STATIC_COLUMNS, found.sum(axis=0), strict=True) if count}


def _sorted_events(
    rows: Rows, position: NDArray[np.int64], kept: NDArray[np.bool_], record: NDArray[np.int64], duplicates: str
) -> dict:
    """Kept rows by record, time and channel, with repeated (record, time, channel) settled by the policy."""
    owner, minute = position[rows.file[kept]], rows.minute[kept].astype(np.int64)
    span = int(minute.max(initial=0)) + 1
    key = (owner * span + minute) * N_CHANNELS + rows.parameter[kept]
    order = np.argsort(key, kind="stable")
    key, value = key[order], rows.value[kept][order]
    again = np.concatenate([[False], key[1:] == key[:-1]])[: len(key)]
    repeated = _by_channel(key[again] % N_CHANNELS)
    if again.any() and duplicates == "error":
        row = int(np.flatnonzero(again)[0])
        time, channel = divmod(int(key[row] % (span * N_CHANNELS)), N_CHANNELS)
        raise ValueError(
            f"record {record[key[row] // (span * N_CHANNELS)]} has more than one {CHANNELS[channel]} at "
            f"{time // 60:02d}:{time % 60:02d} ({value[row - 1]:g} and {value[row]:g}; {int(again.sum()):,} such rows); "
            'choose duplicates="mean", "first", "last" or "keep".'
        )
    if duplicates != "keep":
        key, value = key[~again], _settled(value, again, duplicates)
    when = key // N_CHANNELS
    return {
        "record": when // span,
        "minute": when % span,
        "channel": key % N_CHANNELS,
        "value": value,
        "repeated": repeated,
    }


def _settled(value: NDArray[np.float64], again: NDArray[np.bool_], duplicates: str) -> NDArray[np.float64]:
    """One value for each run of repeated rows."""
    start = np.flatnonzero(~again)
    if duplicates == "mean" and len(value):
        return np.add.reduceat(value, start) / np.diff(np.append(start, len(value)))
    if duplicates == "last" and len(value):
        return value[np.append(start[1:], len(value)) - 1]
    return value[start]
