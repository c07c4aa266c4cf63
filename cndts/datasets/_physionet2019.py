"""Reader of the PhysioNet/CinC Challenge 2019 data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.datasets._physionet2019_format import CHANNELS, LABEL, LONGEST_STAY, STATICS, TIME, UNITS
from cndts.datasets._read_counts import ReadCounts, tell
from cndts.datasets._row_events import BAD_FIELDS, BAD_NUMBER, BAD_TIME, descriptors, panel_of_rows
from cndts.datasets._sources import PathLike, as_paths, check_choice, nothing_found, read_sources
from cndts.datasets._text_rows import (
    Cells,
    TextRows,
    distinct_names,
    in_batches,
    joined_rows,
    line_count,
    plain_text,
    split_header,
)
from cndts.panel import IrregularPanel

BAD_LABEL, BAD_HOUR = "a label other than 0 or 1", "a time after more than a year"

_KNOWN = (*CHANNELS, *STATICS, TIME, LABEL)


@dataclass
class _Found:
    """What the files held: bodies by their columns, and the counts so far."""

    position: dict[str, int] = field(default_factory=dict)
    texts: dict[tuple[str, ...], list[bytes]] = field(default_factory=dict)
    records: dict[tuple[str, ...], list[int]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    unforeseen: Counter[str] = field(default_factory=Counter)
    noticed: Counter[str] = field(default_factory=Counter)
    n_found: int = 0

    def leave_out(self, reason: str, count: int) -> None:
        self.unforeseen[reason] += count
        self.n_found += count


@overload
def read_physionet2019(
    path: PathLike | Sequence[PathLike],
    *,
    labels: Literal["outcomes", "channel"] = ...,
    return_report: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def read_physionet2019(
    path: PathLike | Sequence[PathLike],
    *,
    labels: Literal["outcomes", "channel"] = ...,
    return_report: Literal[True],
) -> tuple[IrregularPanel, ReadCounts]: ...


def read_physionet2019(
    path: PathLike | Sequence[PathLike],
    *,
    labels: Literal["outcomes", "channel"] = "outcomes",
    return_report: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, ReadCounts]:
    """Read ICU stays of the PhysioNet/Computing in Cardiology Challenge 2019 (early prediction of sepsis).

    Rows are hourly; what is irregular is which cells are measured (19 % of the vital signs and laboratory values).
    Cells that were not measured are no events.

    Parameters
    ----------
    path : path-like or sequence of path-like
        ``.psv`` files, the folders ``training_setA`` and ``training_setB`` (at any depth), or archives of them.
    labels : {"outcomes", "channel"}, default="outcomes"
        Where the sepsis labels go: into ``outcomes`` for each record, or, in addition, for each hour as the channel
        ``SepsisLabel``. A channel can be asked for at any time, and is seen by the model unless it is removed from
        the context.
    return_report : bool, default=False
        Also return the counts of all that was met.

    Returns
    -------
    panel : IrregularPanel
        Records named by their files (``"p000001"``) and in that order; 34 channels; times are ``ICULOS``, hours since
        admission to intensive care. ``static`` holds Age (years, 100 for those above 89), Gender (0 female, 1 male),
        Unit1 and Unit2 (1 if medical, surgical intensive care) and HospAdmTime (hours from admission to the ICU to that
        to the hospital, mostly negative). ``outcomes`` holds ``Sepsis`` (1 if any hour is labelled, NaN without labels)
        and ``SepsisTime``, the first labelled hour (NaN for none).
    report : ReadCounts
        Only with ``return_report=True``; counts values, and a row that cannot be read as one value.

    Raises
    ------
    FileNotFoundError
        A path does not exist.
    ValueError
        A path holds no record, is a damaged or unsafe archive, or an option is not known.

    Warns
    -----
    DataWarning
        Once a call, if something had to be left out that the format does not foresee.

    Notes
    -----
    *Channels.* HR, Resp (1/min), O2Sat, SaO2, Hct (%), Temp (°C), SBP, MAP, DBP, EtCO2, PaCO2 (mmHg), BaseExcess, HCO3,
    Chloride, Potassium, Lactate (mmol/L), FiO2 (fraction), pH (pH), AST, Alkalinephos (IU/L), BUN, Calcium, Creatinine,
    Bilirubin_direct, Bilirubin_total, Glucose, Magnesium, Phosphate, Fibrinogen (mg/dL), TroponinI (ng/mL), Hgb (g/dL),
    PTT (s), WBC, Platelets (10^3/µL).

    *Known properties of the data, and what happens to them*

    - The label is 1 from six hours before the onset of sepsis on, so that ``SepsisTime + 6`` is the onset unless the
      record already starts with a label of 1. It is known only afterwards: never give it to a model as input.
    - A record need not start at hour 1: the time is kept, not the number of the row.
    - ``NaN`` means not measured and is no value. Many laboratory channels are empty for whole records.
    - The descriptors stand in every row; the first number of each counts, later ones that differ are counted. Unit1 and
      Unit2 are unknown for many patients (NaN in ``static``).
    - The publisher states FiO2 in percent, Lactate in mg/dL and Magnesium in mmol/dL. Their medians (0.4, 2.0, 2.0) can
      only be a fraction, mmol/L (2.0 mg/dL of lactate would be 0.2 mmol/L, below any patient) and mg/dL (2.0 mmol/dL of
      magnesium would be lethal): ``units`` says so. The numbers are kept as they are, implausible ones too.
    - Set A and set B come from two hospitals, B with ids from p100001 on; a random split mixes them.
    - Rows with another number of fields than the header, unreadable times and numbers, times above 8,784 hours (a year; the
      publisher's records end at 336), labels other than 0 or 1, columns that the format does not list, files without
      a header and the second file of a record are left out, counted and warned of.

    Both training sets have 40,336 records with 1,552,210 rows; the first 2,000 of set B have 76,725 rows, 495,641
    values, and 118 records with sepsis.

    Source: https://physionet.org/content/challenge-2019/1.0.0/ (doi:10.13026/v64v-d857), Creative Commons Attribution
    4.0.

    References
    ----------
    M. A. Reyna, C. S. Josef, R. Jeter, S. P. Shashikumar, M. B. Westover, S. Nemati, G. D. Clifford, A. Sharma. "Early
    prediction of sepsis from clinical data: the PhysioNet/Computing in Cardiology Challenge 2019." Critical Care
    Medicine 48(2):210-217, 2020.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = ["HR|Temp|Age|ICULOS|SepsisLabel", "80|NaN|61|2|0", "NaN|36.9|61|3|1"]
    ...     _ = pathlib.Path(folder, "p000001.psv").write_text(chr(10).join(rows))
    ...     panel = read_physionet2019(folder)
    >>> panel.to_long().drop(columns="record").to_numpy().tolist(), panel.static["Age"].tolist()
    ([[2.0, 'HR', 80.0], [3.0, 'Temp', 36.900001525878906]], [61.0])
    >>> panel.outcomes.loc["p000001"].to_dict()
    {'Sepsis': 1.0, 'SepsisTime': 3.0}
    """
    check_choice("labels", labels, ("outcomes", "channel"))
    paths = as_paths(path)
    found = _read(paths)
    if not found.position:
        raise nothing_found(paths, "files named .psv whose header names ICULOS", found.others)
    names = sorted(found.position)
    rank = np.empty(len(names), dtype=np.int64)
    rank[[found.position[name] for name in names]] = np.arange(len(names))
    channels = (*CHANNELS, LABEL) if labels == "channel" else CHANNELS
    record, time, value, static, label = _rows(found, channels)
    record = rank[record]
    first, n_changes = descriptors(record, static, len(names))
    found.noticed["a descriptor that changes within its record"] += n_changes
    ids = pd.Index(names, name="record", dtype=object)
    panel = panel_of_rows(
        record,
        time,
        value,
        records=ids,
        noticed=found.noticed,
        channels=channels,
        units=UNITS,
        static=pd.DataFrame(first, index=ids, columns=list(STATICS)),
        outcomes=_outcomes(ids, record, time, label),
        time_unit="h",
    )
    report = ReadCounts(
        "values",
        sources=tuple(map(str, paths)),
        n_files=len(names),
        n_records=len(names),
        n_found=found.n_found,
        n_kept=panel.n_events,
        unforeseen=dict(+found.unforeseen),
        noticed=dict(+found.noticed),
        empty_records=tuple(ids[panel.counts == 0]),
        other_files=tuple(found.others),
    )
    tell(report, "PhysioNet 2019")
    return (panel, report) if return_report else panel


def _is_record(name: str) -> bool:
    return name.lower().endswith(".psv")


def _read(paths: Sequence[PathLike]) -> _Found:
    found = _Found()
    for name, content in read_sources(paths, _is_record):
        if content is None:
            found.others.append(name)
            continue
        header, body = split_header(plain_text(content, "|"))
        record = name.rsplit("/", 1)[-1][: -len(".psv")]
        if TIME not in header:
            found.others.append(name)
            found.leave_out("no header that names ICULOS", line_count(body) + bool(any(header)))
        elif record in found.position:
            found.leave_out("a record met before", line_count(body))
        else:
            columns = distinct_names(header)
            found.records.setdefault(columns, []).append(found.position.setdefault(record, len(found.position)))
            found.texts.setdefault(columns, []).append(body)
    return found


def _rows(found: _Found, channels: Sequence[str]) -> tuple[NDArray, ...]:
    """Record, time, values, descriptors and label of every usable row."""
    parts: list[tuple[NDArray, ...]] = []
    for columns, texts in found.texts.items():
        records = iter(found.records[columns])
        for batch in in_batches(texts):
            owner = np.array([next(records) for _ in batch], dtype=np.int64)
            parts.append(_parse(batch, owner, columns, channels, found))
    return tuple(np.concatenate([part[each] for part in parts]) for each in range(5))


def _parse(
    texts: Sequence[bytes],
    owner: NDArray[np.int64],
    columns: tuple[str, ...],
    channels: Sequence[str],
    found: _Found,
) -> tuple[NDArray, ...]:
    rows, file = joined_rows(texts, columns)
    found.leave_out(BAD_FIELDS, len(rows.wrong))
    time = rows.numbers(TIME).number[:, 0]
    usable = (time >= 0) & (time <= LONGEST_STAY)
    found.leave_out(BAD_HOUR, int((time > LONGEST_STAY).sum()))
    found.leave_out(BAD_TIME, int((~usable & ~(time > LONGEST_STAY)).sum()))

    cells = _cells(rows, CHANNELS)
    found.n_found += int((~cells.absent[usable]).sum())
    found.unforeseen[BAD_NUMBER] += int(cells.unreadable[usable].sum())
    about = _cells(rows, STATICS)
    found.noticed["an unreadable descriptor"] += int(about.unreadable[usable].sum())
    label = _labels(rows, usable, found)
    value = cells.number
    if LABEL in channels:
        found.n_found += int((~np.isnan(label[usable])).sum())
        value = np.column_stack([value, label])

    for name in columns:
        if name not in _KNOWN:
            strange = int((~rows.numbers(name).absent[usable]).sum())
            found.leave_out("a column that the format does not list", strange)
    return owner[file[usable]], time[usable], value[usable], about.number[usable], label[usable]


def _cells(rows: TextRows, names: Sequence[str]) -> Cells:
    """Numbers of columns in the given order; those that the file lacks are absent."""
    if set(names) <= set(rows.columns):
        return rows.numbers(*names)
    shape = len(rows), len(names)
    number, absent, unreadable = np.full(shape, np.nan), np.ones(shape, dtype=bool), np.zeros(shape, dtype=bool)
    present = [name for name in names if name in rows.columns]
    places = [names.index(name) for name in present]
    found = rows.numbers(*present)
    number[:, places], absent[:, places], unreadable[:, places] = found.number, found.absent, found.unreadable
    return Cells(number, absent, unreadable)


def _labels(rows: TextRows, usable: NDArray[np.bool_], found: _Found) -> NDArray[np.float64]:
    """The label of each row, NaN where there is none; anything else than 0 or 1 is left out."""
    label = _cells(rows, (LABEL,))
    is_label = (label.number[:, 0] == 0) | (label.number[:, 0] == 1)
    found.leave_out(BAD_LABEL, int((usable & ~label.absent[:, 0] & ~is_label).sum()))
    return np.where(is_label, label.number[:, 0], np.nan)


def _outcomes(
    ids: pd.Index, record: NDArray[np.int64], time: NDArray[np.float64], label: NDArray[np.float64]
) -> pd.DataFrame:
    sepsis = np.full(len(ids), np.nan)
    labelled = ~np.isnan(label)
    sepsis[record[labelled]] = 0.0
    septic = label > 0
    sepsis[record[septic]] = 1.0
    onset = np.full(len(ids), np.inf)
    np.minimum.at(onset, record[septic], time[septic])
    return pd.DataFrame({"Sepsis": sepsis, "SepsisTime": np.where(np.isinf(onset), np.nan, onset)}, index=ids)
