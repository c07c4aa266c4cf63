"""Reader of any folder that holds one text file a record."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, overload

import numpy as np
import pandas as pd

from cndts.datasets._read_counts import ReadCounts, tell
from cndts.datasets._record_files import RecordFiles, RecordLayout, parse_files
from cndts.datasets._record_times import check_time_format, from_first_day
from cndts.datasets._row_events import panel_of_events
from cndts.datasets._sources import PathLike, as_paths, check_choice, nothing_found, read_sources
from cndts.datasets._text_rows import NO_NUMBER, line_count, plain_text, separator_of, split_header
from cndts.panel import IrregularPanel

Duplicates = Literal["mean", "first", "last", "keep", "error"]


@dataclass
class _Texts:
    found: RecordFiles = field(default_factory=RecordFiles)
    others: list[str] = field(default_factory=list)


@overload
def read_physionet_style(
    folder: PathLike | Sequence[PathLike],
    *,
    layout: Literal["long", "wide"] = ...,
    columns: Sequence[str] | None = ...,
    pattern: str | Sequence[str] = ...,
    record: str = ...,
    time_format: str = ...,
    time_unit: str = ...,
    separator: str | None = ...,
    decimal: Literal[".", ","] = ...,
    missing: Sequence[str | float] = ...,
    static: Sequence[str] = ...,
    ignore: Sequence[str] = ...,
    units: Mapping[str, str] | None = ...,
    duplicates: Duplicates = ...,
    return_report: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def read_physionet_style(
    folder: PathLike | Sequence[PathLike],
    *,
    layout: Literal["long", "wide"] = ...,
    columns: Sequence[str] | None = ...,
    pattern: str | Sequence[str] = ...,
    record: str = ...,
    time_format: str = ...,
    time_unit: str = ...,
    separator: str | None = ...,
    decimal: Literal[".", ","] = ...,
    missing: Sequence[str | float] = ...,
    static: Sequence[str] = ...,
    ignore: Sequence[str] = ...,
    units: Mapping[str, str] | None = ...,
    duplicates: Duplicates = ...,
    return_report: Literal[True],
) -> tuple[IrregularPanel, ReadCounts]: ...


def read_physionet_style(
    folder: PathLike | Sequence[PathLike],
    *,
    layout: Literal["long", "wide"] = "long",
    columns: Sequence[str] | None = None,
    pattern: str | Sequence[str] = ("*.txt", "*.csv", "*.psv", "*.tsv"),
    record: str = r"(.*)\.[^.]*",
    time_format: str = "number",
    time_unit: str = "h",
    separator: str | None = None,
    decimal: Literal[".", ","] = ".",
    missing: Sequence[str | float] = (),
    static: Sequence[str] = (),
    ignore: Sequence[str] = (),
    units: Mapping[str, str] | None = None,
    duplicates: Duplicates = "mean",
    return_report: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, ReadCounts]:
    r"""Read a folder with one delimited text file a record, in the style of PhysioNet's challenges.

    Parameters
    ----------
    folder : path-like or sequence of path-like
        Folders (at any depth), archives, or single files.
    layout : {"long", "wide"}, default="long"
        One row a value (time, channel, value; as PhysioNet 2012), or one row a time with one column a channel (as
        PhysioNet 2019, or ``episode1_timeseries.csv`` of the MIMIC-III benchmarks).
    columns : sequence of str, optional
        For ``"long"`` the names of the columns of time, channel and value, by default the first three of each file; for
        ``"wide"`` the name of the time column and, after it, of the channels to read, by default the first column and
        all others.
    pattern : str or sequence of str, default=("*.txt", "*.csv", "*.psv", "*.tsv")
        What the files are called; others are listed in the report.
    record : str, default=r"(.*)\.[^.]*"
        Regular expression that a file's name (without folders) must match; its first group is the name of the record.
    time_format : str, default="number"
        ``"number"``; ``"clock"`` for ``HH:MM`` and ``HH:MM:SS`` since the beginning of the record, hours may exceed 24;
        or a ``strftime`` format for dates of the years 1700 to 2199 (in UTC), which then count from the first midnight of
        all, the panel's ``origin``; dates of other years are unreadable.
    time_unit : str, default="h"
        Unit of numeric times, or the unit to give clocks and dates in (``"s"``, ``"min"``, ``"h"``, ``"D"``).
    separator : str, optional
        One character, ``" "`` for any run of blanks; by default what the header line of each file uses.
    decimal : {".", ","}, default="."
        Decimal mark.
    missing : sequence of str or float, default=()
        Words and numbers that mean "no value"; words (in any case) are not counted as values, as empty cells and
        ``NaN``, ``NA``, ``null`` and ``None`` are not; numbers are left out and counted.
    static : sequence of str, default=()
        Channels or columns that describe the record: the first number of each goes to ``panel.static``.
    ignore : sequence of str, default=()
        Channels or columns to leave out; their values are counted.
    units : mapping from str to str, optional
        Units of channels.
    duplicates : {"mean", "first", "last", "keep", "error"}, default="mean"
        What to do with several values of a channel at the same time of a record.
    return_report : bool, default=False
        Also return the counts of all that was met.

    Returns
    -------
    panel : IrregularPanel
        One record a file, in the order of their names; channels in alphabetical order (``"long"``), or as in the files
        (``"wide"``).
    report : ReadCounts
        Only with ``return_report=True``; counts values, and a row that cannot be read as one value.

    Raises
    ------
    FileNotFoundError
        A path does not exist.
    ValueError
        No file has the name and the columns wanted, an option is not known, an archive is damaged or unsafe, or
        ``duplicates="error"`` met one.

    Warns
    -----
    DataWarning
        Once a call, if something had to be left out that the options do not foresee.

    Notes
    -----
    *What happens to defects.* Rows with another number of fields than the header, unreadable times and numbers, rows
    without a channel name, files without the columns, and the second file of a record are left out, counted and warned
    of. Rows out of order are sorted and counted. Files without a row stay, as records without events. Infinite values
    are unreadable numbers.

    Source, licence and citation are those of your files. Data sets with a reader of their own are better read by it,
    since it knows their defects: `read_physionet2012`, `read_physionet2019`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = ["minute;pulse;spo2;weight", "0;80,5;97;71", "7,5;;96;71"]
    ...     _ = pathlib.Path(folder, "bed-4.csv").write_text(chr(10).join(rows))
    ...     panel = read_physionet_style(folder, layout="wide", time_unit="min", decimal=",", static=["weight"])
    >>> panel.to_long().to_numpy().tolist()
    [['bed-4', 0.0, 'pulse', 80.5], ['bed-4', 0.0, 'spo2', 97.0], ['bed-4', 7.5, 'spo2', 96.0]]
    >>> panel.static["weight"].tolist()
    [71.0]
    """
    for name, got, allowed in (
        ("layout", layout, ("long", "wide")),
        ("decimal", decimal, (".", ",")),
        ("duplicates", duplicates, ("mean", "first", "last", "keep", "error")),
    ):
        check_choice(name, got, allowed)
    check_time_format(time_format, time_unit)
    chosen = _layout(layout, columns, time_format, time_unit, missing, static, ignore)
    paths = as_paths(folder, "folder")
    texts = _read(paths, chosen, _names(pattern), _expression(record), separator, decimal)
    found = texts.found
    if not found.position:
        raise nothing_found(paths, f"files called {pattern!r} with the columns of a {layout} table", texts.others)
    events = parse_files(found, chosen)
    time, origin = from_first_day(events.time, time_format, time_unit)
    names = sorted(found.position)
    rank = np.empty(len(names), dtype=np.int64)
    rank[[found.position[name] for name in names]] = np.arange(len(names))
    ids = pd.Index(names, name="record", dtype=object)
    described = pd.DataFrame(index=ids) if not static else events.static_table(list(static), rank, ids)
    panel = panel_of_events(
        rank[events.record],
        time,
        events.channel,
        events.value,
        records=ids,
        noticed=found.noticed,
        channels=events.channels,
        units={name: unit for name, unit in (units or {}).items() if name in events.channels},
        static=described if static else None,
        time_unit=time_unit,
        origin=origin,
    )
    settled = panel.deduplicate(duplicates)
    report = ReadCounts(
        "values",
        sources=tuple(map(str, paths)),
        n_files=len(names),
        n_records=len(names),
        n_found=found.n_found,
        n_kept=settled.n_events,
        n_merged=panel.n_events - settled.n_events,
        documented=dict(+found.documented),
        unforeseen=dict(+found.unforeseen),
        noticed=dict(+found.noticed),
        empty_records=tuple(ids[panel.counts == 0]),
        other_files=tuple(texts.others),
    )
    tell(report, "one file a record")
    return (settled, report) if return_report else settled


def _layout(
    layout: str,
    columns: Sequence[str] | None,
    time_format: str,
    time_unit: str,
    missing: Sequence[str | float],
    static: Sequence[str],
    ignore: Sequence[str],
) -> RecordLayout:
    named = None if columns is None else tuple(columns)
    if named is not None and (
        len(set(named)) != len(named) or (len(named) != 3 if layout == "long" else len(named) < 2)
    ):
        wanted = "time, channel and value" if layout == "long" else "the time column and at least one channel"
        raise ValueError(f"columns must name {wanted}, each once; got {columns!r}.")
    for name, given in (("static", static), ("ignore", ignore), ("missing", missing)):
        if isinstance(given, str):
            raise TypeError(f"{name} must be a sequence of names; got the single string {given!r}, put it in a list.")
    return RecordLayout(
        long=layout == "long",
        columns=named,
        time_format=time_format,
        time_unit=time_unit,
        absent=(*NO_NUMBER, *(word.lower() for word in missing if isinstance(word, str))),
        codes=tuple(float(code) for code in missing if not isinstance(code, str)),
        static=tuple(static),
        ignore=frozenset(ignore),
    )


def _names(pattern: str | Sequence[str]) -> tuple[str, ...]:
    return (pattern,) if isinstance(pattern, str) else tuple(pattern)


def _expression(record: str) -> re.Pattern[str]:
    try:
        expression = re.compile(record)
    except re.error as error:
        raise ValueError(f"record must be a regular expression; got {record!r} ({error}).") from None
    if expression.groups < 1:
        raise ValueError(
            f"record must have a group that is the name of the record, such as '(.*)_data'; got {record!r}."
        )
    return expression


def _read(
    paths: Sequence[PathLike],
    layout: RecordLayout,
    patterns: Sequence[str],
    expression: re.Pattern[str],
    separator: str | None,
    decimal: str,
) -> _Texts:
    def wanted(name: str) -> bool:
        last = name.rsplit("/", 1)[-1]
        return any(fnmatch.fnmatch(last, each) for each in patterns) and bool(expression.fullmatch(last))

    texts = _Texts()
    found = texts.found
    for name, content in read_sources(paths, wanted):
        if content is None:
            texts.others.append(name)
            continue
        first = content.lstrip()[:100_000].split(b"\n", 1)[0].split(b"\r", 1)[0]
        header, body = split_header(plain_text(content, separator or separator_of(first), decimal))
        match = expression.fullmatch(name.rsplit("/", 1)[-1])
        record = (match[1] if match else None) or name
        if not layout.fits(header):
            texts.others.append(name)
            found.leave_out("a header without the columns wanted", line_count(body) + any(header))
        elif record in found.position:
            found.leave_out("a record met before", line_count(body))
        else:
            found.add(record, header, body)
    return texts
