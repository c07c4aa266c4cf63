"""Reader of WFDB records (PhysioNet's format for signals) through the package wfdb."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import pandas as pd

from cndts.datasets._read_counts import ReadCounts, tell
from cndts.datasets._row_events import panel_of_events
from cndts.datasets._sources import PathLike, as_paths, nothing_found
from cndts.datasets._wfdb_annotations import read_annotations
from cndts.datasets._wfdb_records import Events, WaveRecord, read_record, unused_name
from cndts.panel import IrregularPanel

DAMAGED = "a record that cannot be read"
OTHER_UNIT = "a unit that differs from the first record's"


@overload
def read_wfdb(
    path: PathLike | Sequence[PathLike], *, annotations: str | None = ..., return_report: Literal[False] = ...
) -> IrregularPanel: ...


@overload
def read_wfdb(
    path: PathLike | Sequence[PathLike], *, annotations: str | None = ..., return_report: Literal[True]
) -> tuple[IrregularPanel, ReadCounts]: ...


def read_wfdb(
    path: PathLike | Sequence[PathLike], *, annotations: str | None = None, return_report: bool = False
) -> IrregularPanel | tuple[IrregularPanel, ReadCounts]:
    """Read WFDB records: waveforms and numerics of PhysioNet's databases, each signal at its own rate.

    Needs the package wfdb (``pip install "cndts[wfdb]"``).

    Parameters
    ----------
    path : path-like or sequence of path-like
        Header files (``100.hea``), record names without the ending, or folders of them (at any depth). Archives must be
        unpacked.
    annotations : str, optional
        Ending of an annotation file, such as ``"atr"``: its annotations become a channel of that name, whose values are
        the codes of the symbols (1 normal beat, 5 premature ventricular contraction, ...;
        ``wfdb.io.annotation.ann_labels``).
    return_report : bool, default=False
        Also return the counts of all that was met.

    Returns
    -------
    panel : IrregularPanel
        Records named by their path below the folder, without ending, and in that order; times in seconds since the
        beginning of the record; one channel for each name of a signal, in physical units as the header names them
        (``units``; the first where records or segments differ, which is counted; values stay). ``static`` holds
        ``Start``, the date and time of the beginning (or the time alone) as text, where the header tells it.
    report : ReadCounts
        Only with ``return_report=True``; counts samples and annotations.

    Raises
    ------
    ImportError
        wfdb is not installed.
    FileNotFoundError
        A path does not exist.
    ValueError
        A path holds no record that can be read.

    Warns
    -----
    DataWarning
        Once a call, if records had to be left out because they are damaged.

    Notes
    -----
    *Known properties of such data, and what happens to them*

    - A sample marked invalid in the file is NaN for wfdb and no event here; the report counts it as documented.
    - Signals of different rates keep their own times: nothing is resampled.
    - Two signals of the same name in a record get a number: ``"ECG"``, ``"ECG (2)"``.
    - A multi-segment record becomes one record: the master header says where its segments begin, and there are no events in
      the gaps between them. Segments that it names are no records of their own.
    - A record that is damaged or whose signal file is missing is left out and warned of; as its samples cannot be
      counted, it counts as one. So does an annotation file that is damaged or cut short; its record stays. Annotations
      before the beginning or after the end of their record are left out too.
    - A waveform of hours has millions of events: this model is for numerics (one value a minute) and annotations
      rather.

    Source: https://physionet.org/about/database/; licence and citation are those of the database.

    References
    ----------
    A. L. Goldberger et al. "PhysioBank, PhysioToolkit, and PhysioNet: components of a new research resource for complex
    physiologic signals." Circulation 101(23):e215-e220, 2000.

    Examples
    --------
    >>> panel = read_wfdb("mitdb", annotations="atr")  # doctest: +SKIP
    >>> panel.channels  # doctest: +SKIP
    ('MLII', 'V5', 'atr')
    """
    wfdb = _import()
    paths = as_paths(path)
    headers = [found for each in paths for found in _headers(Path(each))]
    documented: Counter[str] = Counter()
    unforeseen: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    units: dict[str, str] = {}
    records: dict[str, dict[str, Events]] = {}
    starts: dict[str, str] = {}
    parts = _segments(headers)
    reasons: list[str] = []
    for name, header in headers:
        if str(header) in parts:
            continue
        if name in records:
            unforeseen["a record met before"] += 1
            continue
        try:
            found = read_record(wfdb, header)
        except (MemoryError, KeyboardInterrupt):
            raise
        except Exception as error:  # noqa: BLE001 (wfdb has no errors of its own: a damaged header can raise anything)
            unforeseen[DAMAGED] += 1
            reasons.append(f"{header}: {type(error).__name__}: {error}")
            continue
        records[name], starts[name] = found.signals, found.start
        noticed[OTHER_UNIT] += sum(units.setdefault(signal, unit) != unit for signal, unit in found.units)
        if annotations is not None:
            _annotate(found, header.with_suffix(f".{annotations}"), unforeseen, reasons)
    if not records:
        raise _nothing(paths, reasons, [name for name, _ in headers])
    panel, n_invalid = _panel(records, starts, units)
    documented["a sample marked invalid"] += n_invalid
    report = ReadCounts(
        "samples",
        sources=tuple(map(str, paths)),
        n_files=len(records),
        n_records=len(records),
        n_found=panel.n_events + n_invalid + sum(unforeseen.values()),
        n_kept=panel.n_events,
        documented=dict(+documented),
        unforeseen=dict(+unforeseen),
        noticed=dict(+noticed),
        empty_records=tuple(panel.records[panel.counts == 0]),
        other_files=tuple(reasons),
    )
    tell(report, "WFDB records")
    return (panel, report) if return_report else panel


def _annotate(record: WaveRecord, path: Path, unforeseen: Counter[str], reasons: list[str]) -> None:
    """Add the annotations of a file, if there is one, to the signals of its record."""
    if not path.is_file():
        return
    try:
        samples, codes, rate = read_annotations(path.read_bytes())
    except ValueError as error:
        unforeseen["an annotation file that cannot be read"] += 1
        reasons.append(f"{path}: {error}")
        return
    times = samples / (rate or record.rate)
    inside = (times >= 0) & (times <= record.seconds)
    unforeseen["an annotation outside its record"] += int((~inside).sum())
    name = unused_name(path.suffix[1:], record.signals)
    record.signals[name] = times[inside], codes[inside].astype(np.float64)


def _import() -> Any:
    try:
        import wfdb
    except ImportError as error:
        raise ImportError('reading WFDB records needs the package wfdb: pip install "cndts[wfdb]"') from error
    return wfdb


def _headers(path: Path) -> list[tuple[str, Path]]:
    """Name and header of the records at a path."""
    if path.is_dir():
        return [
            (found.relative_to(path).with_suffix("").as_posix(), found)
            for found in sorted(path.rglob("*.hea"))
            if not found.name.startswith(".")
        ]
    header = path if path.suffix == ".hea" else path.with_name(path.name + ".hea")
    if not header.is_file():
        raise FileNotFoundError(f"there is no record {str(path)!r}; check the path (working in {os.getcwd()!r}).")
    return [(header.stem, header)]


def _segments(headers: Sequence[tuple[str, Path]]) -> set[str]:
    """Headers that belong to a multi-segment record among the others."""
    parts: set[str] = set()
    for _, header in headers:
        lines = header.read_text(encoding="latin-1").splitlines()
        lines = [line for line in lines if line.strip() and not line.startswith("#")]
        if lines and "/" in lines[0].split()[0]:
            parts.update(str(header.parent / f"{line.split()[0]}.hea") for line in lines[1:])
    return parts


def _panel(
    records: dict[str, dict[str, Events]], starts: dict[str, str], units: dict[str, str]
) -> tuple[IrregularPanel, int]:
    names = sorted(records)
    channels = list(dict.fromkeys(channel for name in names for channel in records[name])) or ["signal 1"]
    record, time, code, value = [], [], [], []
    for place, name in enumerate(names):
        for channel, (times, values) in records[name].items():
            record.append(np.full(len(times), place))
            time.append(times)
            code.append(np.full(len(times), channels.index(channel)))
            value.append(values)
    numbers = np.concatenate(value) if value else np.zeros(0)
    known = ~np.isnan(numbers)
    place_of, when, which = (np.concatenate(each)[known] if each else np.zeros(0) for each in (record, time, code))
    ids = pd.Index(names, name="record", dtype=object)
    static = pd.DataFrame({"Start": [starts[name] for name in names]}, index=ids)
    panel = panel_of_events(
        place_of.astype(np.int64),
        when,
        which.astype(np.int64),
        numbers[known],
        records=ids,
        channels=channels,
        units={each: unit for each, unit in units.items() if unit},
        static=static if any(starts.values()) else None,
        time_unit="s",
    )
    return panel, int((~known).sum())


def _nothing(paths: Sequence[PathLike], reasons: Sequence[str], names: Sequence[str]) -> ValueError:
    if reasons:
        return ValueError(f"no WFDB record can be read: {'; '.join(reasons[:3])}. Fetch the files again.")
    return nothing_found(paths, "WFDB headers (.hea)", names)
