"""Signals of one WFDB record, with the segments that it may consist of."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Events = tuple[NDArray[np.float64], NDArray[np.float64]]

_SAMPLES_PER_BYTE = 64  # more than any of the formats packs, so that a damaged header cannot ask for all memory
_GAP = "~"  # stands for a segment of which nothing was recorded
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class WaveRecord:
    """What a record holds.

    Parameters
    ----------
    signals : dict from str to (times, values)
        In seconds since the beginning; NaN for invalid samples.
    units : list of (str, str)
        Name and unit of every signal of every segment.
    start : str
        When the record begins, empty if it is not told.
    rate, seconds : float
        Frames a second, and length; infinite if it is not told.
    """

    signals: dict[str, Events]
    units: list[tuple[str, str]]
    start: str
    rate: float
    seconds: float


def read_record(wfdb: Any, header: Path) -> WaveRecord:
    """The signals of a record, those of its segments one after the other.

    Parameters
    ----------
    wfdb : module
        The package, which is optional.
    header : Path

    Raises
    ------
    Exception
        Of any kind: the package has no errors of its own for damaged files.
    """
    parts: dict[str, list[Events]] = {}
    units: list[tuple[str, str]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of wfdb about the pandas that it uses
        head = wfdb.rdheader(str(header.with_suffix("")))
        for start, segment in _singles(wfdb, header, head):
            for name, events in _signals(segment, start, units).items():
                parts.setdefault(name, []).append(events)
    begin = head.base_datetime or head.base_time
    rate = float(head.fs)
    if not 0 < rate < np.inf:
        raise ValueError(f"the sampling rate is {rate}")
    return WaveRecord(
        {name: _joined(events) for name, events in parts.items()},
        units,
        "" if begin is None else begin.isoformat(),
        rate,
        head.sig_len / rate if head.sig_len else np.inf,
    )


def unused_name(name: str, taken: dict[str, Events]) -> str:
    """The name, with a number if it is taken."""
    number = 2
    unused = name
    while unused in taken:
        unused = f"{name} ({number})"
        number += 1
    return unused


def _singles(wfdb: Any, header: Path, head: Any) -> Iterator[tuple[int, Any]]:
    """The record, or its segments, each with the number of its first frame.

    wfdb could join the segments, but fills the gaps between them with samples, however long they are.
    """
    if not hasattr(head, "seg_name"):
        _check_size(head, header)
        yield 0, wfdb.rdrecord(str(header.with_suffix("")), smooth_frames=False)
        return
    if head.sig_len not in (None, sum(head.seg_len)):
        raise ValueError(f"the segments have {sum(head.seg_len):,} frames, the header promises {head.sig_len:,}")
    start = 0
    for name, length in zip(head.seg_name, head.seg_len, strict=True):
        if length and name != _GAP:
            base = str(header.parent / name)
            _check_size(wfdb.rdheader(base), header)
            segment = wfdb.rdrecord(base, smooth_frames=False)
            if (segment.sig_len, segment.fs) != (length, head.fs):
                raise ValueError(
                    f"the segment {name} has {segment.sig_len} frames at {segment.fs} Hz, "
                    f"the header promises {length} at {head.fs} Hz"
                )
            yield start, segment
        start += length


def _signals(record: Any, start: int, units: list[tuple[str, str]]) -> dict[str, Events]:
    """Times and values of the signals of a record without segments."""
    found: dict[str, Events] = {}
    for place, signal in enumerate(record.e_p_signal if record.e_p_signal is not None else []):
        name = unused_name(str(record.sig_name[place] or f"signal {place + 1}"), found)
        units.append((name, str(record.units[place] or "")))
        per_frame = int(record.samps_per_frame[place] or 1)
        rate = float(record.fs) * per_frame
        if not 0 < rate < np.inf:
            raise ValueError(f"the sampling rate is {rate}")
        values = np.asarray(signal, dtype=np.float64)
        times = (start * per_frame + np.arange(len(values))) / rate
        found[name] = times, np.where(np.abs(values) <= _LARGEST, values, np.nan)
    return found


def _joined(parts: Sequence[Events]) -> Events:
    return np.concatenate([times for times, _ in parts]), np.concatenate([values for _, values in parts])


def _check_size(head: Any, header: Path) -> None:
    """Refuse a header that asks for more samples than its signal files can hold."""
    names = {name for name in getattr(head, "file_name", None) or [] if name and name != _GAP}
    size = sum(os.path.getsize(header.parent / name) for name in names)
    asked = int(head.sig_len or 0) * sum(int(each or 1) for each in getattr(head, "samps_per_frame", None) or [])
    if names and asked > _SAMPLES_PER_BYTE * size:
        raise ValueError(f"the header promises {asked:,} samples, the signal files have {size:,} bytes")
