"""Reader of astronomical light curves: time, band, value and error of each measurement."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.datasets._light_curve_objects import read_objects
from cndts.datasets._read_counts import ReadCounts, tell
from cndts.datasets._row_events import BAD_FIELDS, BAD_NUMBER, BAD_TIME, panel_of_events
from cndts.datasets._sources import PathLike, as_paths, check_choice, nothing_found, read_sources
from cndts.datasets._text_rows import TextRows, distinct_names, in_blocks, plain_text, separator_of
from cndts.panel import IrregularPanel

ROLES = ("record", "time", "band", "value", "error")
# names in the public catalogues (PLAsTiCC, ZTF, OGLE, MACHO, ATLAS, ASAS-SN, Gaia), in lower case
NAMES = {
    "record": ("object_id", "objectid", "oid", "object", "source_id", "snid", "id", "name"),
    "time": ("mjd", "hjd", "bjd", "jd", "time", "obstime", "t"),
    "band": ("passband", "band", "filter", "filtercode", "fid", "flt", "f"),
    "value": ("flux", "mag", "magnitude", "fluxcal", "psfmag", "magpsf", "ujy", "m"),
    "error": ("flux_err", "fluxerr", "flux_error", "fluxcalerr", "mag_err", "magerr", "mag_error", "sigmapsf", "duJy".lower(),
              "e_mag", "error", "err", "e"),
}  # fmt: skip
NO_DETECTION = "a magnitude beyond 90, which stands for no detection"
BAD_BAND, NO_ERROR = "no band", "a value without a usable error"


@dataclass
class _Found:
    files: int = 0
    n_found: int = 0
    others: list[str] = field(default_factory=list)
    parts: list[tuple[list[str], NDArray, list[str], NDArray, NDArray]] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    documented: Counter[str] = field(default_factory=Counter)
    unforeseen: Counter[str] = field(default_factory=Counter)
    noticed: Counter[str] = field(default_factory=Counter)
    empty: list[str] = field(default_factory=list)


@overload
def read_light_curves(
    path: PathLike | Sequence[PathLike],
    *,
    columns: Mapping[str, str] | Sequence[str | None] | None = ...,
    bands: Mapping[str, str] | None = ...,
    errors: Literal["channel", "drop"] = ...,
    objects: PathLike | None = ...,
    return_report: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def read_light_curves(
    path: PathLike | Sequence[PathLike],
    *,
    columns: Mapping[str, str] | Sequence[str | None] | None = ...,
    bands: Mapping[str, str] | None = ...,
    errors: Literal["channel", "drop"] = ...,
    objects: PathLike | None = ...,
    return_report: Literal[True],
) -> tuple[IrregularPanel, ReadCounts]: ...


def read_light_curves(
    path: PathLike | Sequence[PathLike],
    *,
    columns: Mapping[str, str] | Sequence[str | None] | None = None,
    bands: Mapping[str, str] | None = None,
    errors: Literal["channel", "drop"] = "channel",
    objects: PathLike | None = None,
    return_report: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, ReadCounts]:
    """Read light curves: brightness of stars, supernovae or galaxies, at the times and in the bands that a survey happened to see.

    Parameters
    ----------
    path : path-like or sequence of path-like
        ``.csv``, ``.txt`` or ``.dat`` tables, folders of them, or archives: many objects in one table (PLAsTiCC), or
        one object a file (OGLE, MACHO, ZTF). Commas, semicolons, bars, tabs or blanks between the columns.
    columns : mapping or sequence, optional
        The columns, if their names are not recognised: from the roles ``"record"``, ``"time"``, ``"band"``,
        ``"value"``, ``"error"`` to the names in the header; or, for tables without a header, the role of each column in
        order, None for others. Without a record column an object is a file; without a band column all values are one
        channel.
    bands : mapping from str to str, optional
        Names for the bands, such as ``{"0": "u", "1": "g"}`` for PLAsTiCC; the others keep theirs.
    errors : {"channel", "drop"}, default="channel"
        Whether the published errors of the values become channels ``"g error"`` beside ``"g"``, at the same times. As
        channels they are seen by the model, and forecast too.
    objects : path-like, optional
        A table of the objects, as PLAsTiCC's metadata: its numbers become ``static``, its columns ``target``,
        ``true_target``, ``class`` and ``type`` become ``outcomes``.
    return_report : bool, default=False
        Also return the counts of all that was met.

    Returns
    -------
    panel : IrregularPanel
        One record an object, in the order of the names; times in days as published (MJD, HJD, ...); one channel a band,
        ordered by name, in the unit of the value column (``"mag"`` where its name says so).
    report : ReadCounts
        Only with ``return_report=True``; counts measurements, one a row.

    Raises
    ------
    FileNotFoundError
        A path does not exist.
    ValueError
        No table with a time and a value is found, ``columns`` do not fit, or an archive is damaged or unsafe.

    Warns
    -----
    DataWarning
        Once a call, if rows had to be left out because they cannot be read.

    Notes
    -----
    *Known properties of such data, and what happens to them*

    - A magnitude beyond 90 (99, 99.999, -99) is a survey's code for no detection: left out and counted.
    - Magnitudes fall as objects get brighter; fluxes of faint objects are noise around zero and may be negative. Both
      are kept.
    - Errors that are not above zero, or unreadable, are left out; the value stays, and the report counts it.
    - Two values of a band at one instant are kept as simultaneous events. Rows out of order are sorted and counted.
    - Lines that begin with ``#`` are comments; the last of them may be the header.
    - Rows with another number of fields, an unreadable time or value, or without a band are left out, counted and
      warned of.

    Licence and citation are those of the survey; PLAsTiCC (https://doi.org/10.5281/zenodo.2539456, CC BY 4.0) has 7,848
    training objects with 1,421,705 measurements in six bands.

    References
    ----------
    R. Hlozek et al. "Results of the Photometric LSST Astronomical Time-series Classification Challenge (PLAsTiCC)." The
    Astrophysical Journal Supplement Series 267:25, 2023.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> rows = ["object_id,mjd,passband,flux,flux_err,detected", "615,59750.4229,2,-544.8,3.6,1", "615,59750.4306,1,-816.4,5.5,1"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "training_set.csv").write_text(chr(10).join(rows))
    ...     panel = read_light_curves(folder, bands={"1": "g", "2": "r"})
    >>> panel.records.tolist(), panel.channels, panel.time_unit
    (['615'], ('g', 'g error', 'r', 'r error'), 'D')
    >>> panel.time.tolist(), panel.value.round().tolist()
    ([59750.4229, 59750.4229, 59750.4306, 59750.4306], [-545.0, 4.0, -816.0, 6.0])
    """
    check_choice("errors", errors, ("channel", "drop"))
    paths = as_paths(path)
    _check_columns(columns)
    found = _Found()
    for name, content in read_sources(paths, _is_table):
        roles, text = (None, b"") if content is None else _table(content, columns)
        if roles is None:
            found.others.append(name)
            continue
        found.files += 1
        _parse(text, roles, name.rsplit("/", 1)[-1].rsplit(".", 1)[0], found)
    if not found.files:
        raise nothing_found(paths, "tables with a time and a value (or columns=...)", found.others)
    panel, n_kept = _panel(found, bands or {}, with_errors=errors == "channel", objects=objects)
    report = ReadCounts(
        "measurements",
        sources=tuple(map(str, paths)),
        n_files=found.files,
        n_records=len(panel),
        n_found=found.n_found,
        n_kept=n_kept,
        documented=dict(+found.documented),
        unforeseen=dict(+found.unforeseen),
        noticed=dict(+found.noticed),
        empty_records=tuple(panel.records[panel.counts == 0]),
        other_files=tuple(found.others),
    )
    tell(report, "light curves")
    return (panel, report) if return_report else panel


def _is_table(name: str) -> bool:
    return name.lower().endswith((".csv", ".txt", ".dat", ".tsv"))


def _check_columns(columns: object) -> None:
    if columns is None:
        return
    given = list(columns) if isinstance(columns, (Mapping, Sequence)) else []
    named = [role for role in given if role is not None]
    if not {"time", "value"} <= set(named) or set(named) - set(ROLES) or len(set(named)) != len(named):
        raise ValueError(
            f"columns must give each role at most once, of {', '.join(ROLES)}, and time and value at least; got {columns!r}."
        )


def _table(content: bytes, columns: object) -> tuple[tuple[str | None, ...] | None, bytes]:
    """Role of each column and the rows below the header, or None if this is no table of measurements."""
    # the separator is read off the first line, the last comment before the data may be the header
    lines = re.match(rb"(?:\xef\xbb\xbf)?((?:[ \t]*(?:#[^\r\n]*)?[\r\n]+)*)([^\r\n]*)", content)
    comments = [line.strip()[1:] for line in lines[1].splitlines() if line.strip()] if lines else []
    first = lines[2] if lines else b""
    text = plain_text(content[lines.start(2) if lines else 0 :], separator_of(first))
    if isinstance(columns, Sequence):
        roles: tuple[str | None, ...] | None = tuple(columns)
        return (roles, text) if text.strip() or not content.strip() else (None, b"")
    for line in (first, *reversed(comments)):
        header = plain_text(line, separator_of(line)).rstrip(b"\n")
        names = distinct_names([name.strip(b" \t\"'").decode("utf-8", "replace") for name in header.split(b",")])
        roles = _roles(names, columns if isinstance(columns, Mapping) else None)
        if roles is not None:
            return roles, text[text.find(b"\n") + 1 :] if line is first else text
    return None, b""


def _roles(names: Sequence[str], given: Mapping[str, str] | None) -> tuple[str | None, ...] | None:
    """Role of each named column; None unless there are a time and a value."""
    lowered = [name.lower() for name in names]
    roles: list[str | None] = [None] * len(names)
    for role in ROLES:
        wanted = NAMES[role] if given is None else (given.get(role, "").lower(),)
        place = next((lowered.index(name) for name in wanted if name and name in lowered), None)
        if place is not None and roles[place] is None:
            roles[place] = role if role != "value" else f"value:{lowered[place]}"
    found = [role.split(":")[0] for role in roles if role]
    return tuple(roles) if {"time", "value"} <= set(found) else None


def _parse(text: bytes, roles: tuple[str | None, ...], stem: str, found: _Found) -> None:
    kind = next((role for role in roles if role and role.startswith("value")), "value")
    found.kinds.add(kind.partition(":")[2])
    n_before = sum(len(part[0]) for part in found.parts)
    for block in in_blocks(text):
        rows = TextRows(block, roles)
        found.n_found += len(rows) + len(rows.wrong)
        found.unforeseen[BAD_FIELDS] += len(rows.wrong)
        found.parts.append(_usable(rows, kind, stem, found))
    if "record" not in roles and sum(len(part[0]) for part in found.parts) == n_before:
        found.empty.append(stem)


def _usable(
    rows: TextRows, kind: str, stem: str, found: _Found
) -> tuple[list[str], NDArray, list[str], NDArray, NDArray]:
    """Object, time, band, value and error of the usable rows."""
    time = rows.numbers("time", largest=1e12).number[:, 0]
    value = rows.numbers(kind).number[:, 0]
    band, bands = rows.words("band") if "band" in rows.columns else (np.zeros(len(rows), dtype=np.int64), ["value"])
    named = np.array([bool(name) for name in bands] or [False])[band]
    record, records = rows.words("record") if "record" in rows.columns else (np.zeros(len(rows), np.int64), [stem])
    faults = {BAD_TIME: np.isnan(time), BAD_NUMBER: np.isnan(value), BAD_BAND: ~named}
    left = np.ones(len(rows), dtype=bool)
    for fault, wrong in faults.items():
        found.unforeseen[fault] += int((left & wrong).sum())
        left &= ~wrong
    if "mag" in kind:
        undetected = left & (np.abs(value) > 90)
        found.documented[NO_DETECTION] += int(undetected.sum())
        left &= ~undetected
    error = rows.numbers("error").number[:, 0] if "error" in rows.columns else np.full(len(rows), np.nan)
    error = np.where(error > 0, error, np.nan)
    if "error" in rows.columns:
        found.noticed[NO_ERROR] += int(np.isnan(error[left]).sum())
    kept = np.flatnonzero(left)
    objects = [records[each] for each in record[kept].tolist()]
    return objects, time[kept], [bands[each] for each in band[kept].tolist()], value[kept], error[kept]


def _panel(
    found: _Found, bands: Mapping[str, str], *, with_errors: bool, objects: PathLike | None
) -> tuple[IrregularPanel, int]:
    owner = [name for part in found.parts for name in part[0]]
    band = [bands.get(name, name) for part in found.parts for name in part[2]]
    time, value, error = (np.concatenate([part[each] for part in found.parts]) for each in (1, 3, 4))
    ids = pd.Index(sorted({*owner, *found.empty}), name="object", dtype=object)
    names = sorted(set(band)) or ["value"]
    with_errors = with_errors and bool((~np.isnan(error)).any())
    n_kinds = 1 + with_errors
    channels = [f"{name}{kind}" for name in names for kind in ("", " error")[:n_kinds]]
    record = ids.get_indexer(pd.Index(owner, dtype=object))
    channel = pd.Index(names).get_indexer(pd.Index(band, dtype=object)) * n_kinds
    event = np.stack([value, error], axis=1)[:, :n_kinds].ravel()
    known = ~np.isnan(event)
    static, outcomes = (None, None) if objects is None else read_objects(objects, ids)
    panel = panel_of_events(
        np.repeat(record, n_kinds)[known],
        np.repeat(time, n_kinds)[known],
        (channel[:, None] + np.arange(n_kinds)).ravel()[known],
        event[known],
        records=ids,
        noticed=found.noticed,
        channels=channels,
        units=dict.fromkeys(channels, "mag") if all("mag" in kind for kind in found.kinds) else None,
        static=static,
        outcomes=outcomes,
        time_unit="D",
    )
    return panel, len(value)
