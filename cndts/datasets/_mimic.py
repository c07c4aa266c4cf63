"""Reader of MIMIC-III and MIMIC-IV extracts in the layouts of the field."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.datasets._read_counts import ReadCounts, tell
from cndts.datasets._row_events import BAD_FIELDS, BAD_NUMBER, BAD_TIME, panel_of_events
from cndts.datasets._sources import PathLike, as_paths, check_choice, nothing_found, read_sources
from cndts.datasets._static_tables import read_static_table
from cndts.datasets._text_rows import Cells, TextRows, distinct_names, in_blocks, line_count, plain_text, split_header
from cndts.panel import IrregularPanel

LONG = ("UNIQUE_ID", "TIME_STAMP", "LABEL_CODE")
# the extract of MIMIC-IV; that of MIMIC-III from the same scripts, and its last cell
WIDE = (("hadm_id", "time_stamp"), ("HADM_ID", "TIME_STAMP"), ("ID", "Time"))
HOURS = {"long": 0.5, "wide": 1 / 60}
BAD_RECORD, BAD_LABEL, BAD_MASK = "an unreadable admission", "an unreadable label", "a mask other than 0 or 1"
BAD_ROW = "an unreadable admission in the static table or the outcomes"

_VALUE = re.compile(r"Value_label_(\d+)")
_KEYS = ("unique_id", "hadm_id")
_LARGEST_ID = 2.0**53


@dataclass
class _Events:
    record: list[NDArray] = field(default_factory=list)
    time: list[NDArray] = field(default_factory=list)
    label: list[NDArray] = field(default_factory=list)
    value: list[NDArray] = field(default_factory=list)
    n_found: int = 0
    unforeseen: Counter[str] = field(default_factory=Counter)
    noticed: Counter[str] = field(default_factory=Counter)
    met: set[int] = field(default_factory=set)

    def add(self, record: NDArray, time: NDArray, label: NDArray, value: NDArray) -> None:
        for name, array in (("record", record), ("time", time), ("label", label), ("value", value)):
            getattr(self, name).append(array)

    def leave_out(self, reason: str, count: int) -> None:
        self.unforeseen[reason] += count
        self.n_found += count

    def joined(self, name: str) -> NDArray:
        return np.concatenate(getattr(self, name))


@overload
def read_mimic(
    path: PathLike | Sequence[PathLike],
    *,
    labels: Mapping[int, str] | None = ...,
    values: Literal["VALUENUM", "VALUENORM"] = ...,
    hours: float | None = ...,
    static: PathLike | None = ...,
    outcomes: PathLike | None = ...,
    return_report: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def read_mimic(
    path: PathLike | Sequence[PathLike],
    *,
    labels: Mapping[int, str] | None = ...,
    values: Literal["VALUENUM", "VALUENORM"] = ...,
    hours: float | None = ...,
    static: PathLike | None = ...,
    outcomes: PathLike | None = ...,
    return_report: Literal[True],
) -> tuple[IrregularPanel, ReadCounts]: ...


def read_mimic(
    path: PathLike | Sequence[PathLike],
    *,
    labels: Mapping[int, str] | None = None,
    values: Literal["VALUENUM", "VALUENORM"] = "VALUENUM",
    hours: float | None = None,
    static: PathLike | None = None,
    outcomes: PathLike | None = None,
    return_report: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, ReadCounts]:
    """Read extracts of MIMIC-III and MIMIC-IV, as the scripts that papers share make them.

    MIMIC may not be passed on: you need access of your own, run the scripts, and point here. Nothing is downloaded.

    Parameters
    ----------
    path : path-like or sequence of path-like
        ``complete_tensor.csv`` (MIMIC-III, the scripts of GRU-ODE-Bayes: one row a value, with UNIQUE_ID, TIME_STAMP,
        LABEL_CODE, VALUENUM, MEAN, STD, VALUENORM), ``full_dataset.csv`` (MIMIC-IV, the scripts of Neural Flows: one
        row a time, with hadm_id, time_stamp, and Value_label_k, Mask_label_k of each variable k), folders or archives
        of one of them. HADM_ID, TIME_STAMP and ID, Time, which the latter write for MIMIC-III, are read too.
        Single-stay tables (``episode1_timeseries.csv``) are read by `read_physionet_style`.
    labels : mapping from int to str, optional
        Names of the variables, by their codes; without, channels are called ``"label 0"``, ``"label 1"``, ...
    values : {"VALUENUM", "VALUENORM"}, default="VALUENUM"
        For the first layout: values in their units, or standardised with the statistics of **all** stays, test stays
        included, which protocols of the field do.
    hours : float, optional
        Hours that one step of the time column stands for; by default 1/2 for the first layout (``bin_k = 2``, the
        version that papers compare on; 0.1 for ``bin_k = 10``) and 1/60 for the second.
    static, outcomes : path-like, optional
        ``complete_covariates.csv`` and ``complete_death_tags.csv``, or any table with a column UNIQUE_ID or hadm_id.
    return_report : bool, default=False
        Also return the counts of all that was met.

    Returns
    -------
    panel : IrregularPanel
        One record an admission, named by its number and in that order; times in hours since admission; channels in the
        order of their codes, without units (the extracts hold none).
    report : ReadCounts
        Only with ``return_report=True``; counts values, and a row that cannot be read as one value.

    Raises
    ------
    FileNotFoundError
        A path does not exist.
    ValueError
        A path holds no extract, or both layouts; an archive is damaged or unsafe; an option is not known.

    Warns
    -----
    DataWarning
        Once a call, if something had to be left out that the format does not foresee.

    Notes
    -----
    *Known properties of the data, and what happens to them*

    - The first extract is binned: several values of a variable in a bin were averaged before. Which bin it used is not
      in the file: ``hours``.
    - Times of the second extract are whole minutes since the first value of the admission, under 48 hours.
    - The numbering of variables depends on the run of the scripts: keep the table of codes that comes with them.
    - Where a mask is 0, the value column of the second extract holds a filler: it is no value. A number other than 0
      there is counted.
    - Two values of a variable at the same time are kept as simultaneous events.
    - Two extractions of MIMIC-III circulate, with 96 variables and other stays; their results do not compare.
    - Rows with another number of fields, an unreadable admission, time, label, number or mask are left out, counted and
      warned of; so are rows of the tables beside them with an unreadable admission. Two rows there for one are an error.

    The extract of MIMIC-III used by tables of the field has 3,082,224 rows; that of MIMIC-IV 102 variables.

    Source: https://physionet.org/content/mimiciii/, https://physionet.org/content/mimiciv/; PhysioNet Credentialed
    Health Data License. Scripts: https://github.com/edebrouwer/gru_ode_bayes,
    https://github.com/mbilos/neural-flows-experiments.

    References
    ----------
    A. E. W. Johnson et al. "MIMIC-III, a freely accessible critical care database." Scientific Data 3:160035, 2016. A.
    E. W. Johnson et al. "MIMIC-IV, a freely accessible electronic health record dataset." Scientific Data 10:1, 2023.
    E. De Brouwer, J. Simm, A. Arany, Y. Moreau. "GRU-ODE-Bayes: continuous modeling of sporadically-observed time
    series." NeurIPS 2019. M. Bilos, J. Sommer, S. S. Rangapuram, T. Januschowski, S. Gunnemann. "Neural flows:
    efficient alternative to neural ODEs." NeurIPS 2021.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> rows = [",UNIQUE_ID,LABEL_CODE,TIME_STAMP,VALUENUM,MEAN,STD,VALUENORM", "0,7,3,4,88.0,80.0,8.0,1.0"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "complete_tensor.csv").write_text(chr(10).join(rows))
    ...     panel = read_mimic(folder, labels={3: "HR"})
    >>> panel.records.tolist(), panel.channels, panel.time.tolist(), panel.value.tolist()
    ([7], ('HR',), [2.0], [88.0])
    """
    check_choice("values", values, ("VALUENUM", "VALUENORM"))
    if hours is not None and not hours > 0:
        raise ValueError(f"hours must be above zero; got {hours!r}.")
    paths = as_paths(path)
    events, layouts, files, others = _read(paths, values, hours)
    ids = pd.Index(np.array(sorted(events.met), dtype=np.int64), name="admission")
    codes = np.unique(events.joined("label"))
    noticed = events.noticed
    panel = panel_of_events(
        np.searchsorted(ids.to_numpy(), events.joined("record")),
        events.joined("time"),
        np.searchsorted(codes, events.joined("label")),
        events.joined("value"),
        records=ids,
        noticed=noticed,
        channels=_names(codes, labels or {}),
        static=_beside(static, ids, events),
        outcomes=_beside(outcomes, ids, events),
        time_unit="h",
    )
    report = ReadCounts(
        "values",
        sources=tuple(map(str, paths)),
        n_files=files,
        n_records=len(ids),
        n_found=events.n_found,
        n_kept=panel.n_events,
        unforeseen=dict(+events.unforeseen),
        noticed=dict(+noticed),
        empty_records=tuple(map(str, ids[panel.counts == 0])),
        other_files=tuple(others),
    )
    tell(report, f"MIMIC extracts ({', '.join(sorted(layouts))})")
    return (panel, report) if return_report else panel


def _read(paths: Sequence[PathLike], values: str, hours: float | None) -> tuple[_Events, set[str], int, list[str]]:
    events = _Events()
    layouts: set[str] = set()
    others: list[str] = []
    files = 0
    for name, content in read_sources(paths, lambda name: name.lower().endswith(".csv")):
        header, body = ([], b"") if content is None else split_header(plain_text(content))
        columns = distinct_names(header)
        layout = _layout(columns, values)
        if layout is None:
            others.append(name)
            intended = len({*LONG, *chain(*WIDE), values} & set(columns)) >= 2
            events.leave_out("a header of other columns", line_count(body) if intended else 0)
            continue
        layouts.add(layout)
        if len(layouts) > 1:
            raise ValueError(
                "got extracts of both layouts, whose admissions and labels are other numbers; read them one by one."
            )
        files += 1
        step = HOURS[layout] if hours is None else hours
        for block in in_blocks(body):
            rows = TextRows(block, columns)
            (_parse_long if layout == "long" else _parse_wide)(rows, values, step, events)
    if not files:
        raise nothing_found(paths, f"extracts with the columns {', '.join(LONG)} or {', '.join(WIDE[0])}", others)
    return events, layouts, files, others


def _layout(columns: Sequence[str], values: str) -> str | None:
    if {*LONG, values} <= set(columns):
        return "long"
    has_values = any(_VALUE.fullmatch(name) for name in columns)
    return "wide" if any(set(keys) <= set(columns) for keys in WIDE) and has_values else None


def _whole(cells: Cells, least: float) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Whole numbers of a single column, and where it holds one."""
    number = cells.number[:, 0]
    fine = (number >= least) & (number == np.floor(number))
    return np.where(fine, number, 0).astype(np.int64), fine


def _heads(rows: TextRows, record: str, time: str, events: _Events) -> tuple[NDArray, NDArray, NDArray[np.bool_]]:
    """Record and time of every row, and the rows that have both."""
    events.leave_out(BAD_FIELDS, len(rows.wrong))
    owner, known = _whole(rows.numbers(record, largest=_LARGEST_ID), 0)
    when = rows.numbers(time).number[:, 0]
    timed = ~np.isnan(when)
    events.leave_out(BAD_RECORD, int((~known).sum()))
    events.leave_out(BAD_TIME, int((known & ~timed).sum()))
    events.met.update(np.unique(owner[known]).tolist())
    return owner, when, known & timed


def _parse_long(rows: TextRows, values: str, step: float, events: _Events) -> None:
    owner, when, usable = _heads(rows, LONG[0], LONG[1], events)
    label, labelled = _whole(rows.numbers(LONG[2]), 0)
    events.leave_out(BAD_LABEL, int((usable & ~labelled).sum()))
    usable &= labelled
    cells = rows.numbers(values)
    events.leave_out(BAD_NUMBER, int((usable & np.isnan(cells.number[:, 0])).sum()))
    kept = usable & ~np.isnan(cells.number[:, 0])
    events.n_found += int(kept.sum())
    events.add(owner[kept], when[kept] * step, label[kept], cells.number[kept, 0])


def _parse_wide(rows: TextRows, values: str, step: float, events: _Events) -> None:
    keys = next(keys for keys in WIDE if set(keys) <= set(rows.columns))  # one of them made the layout
    owner, when, usable = _heads(rows, *keys, events)
    names = [str(name) for name in rows.columns if _VALUE.fullmatch(str(name))]
    codes = np.array([int(name.rsplit("_", 1)[1]) for name in names])
    masks = [f"Mask_label_{code}" for code in codes.tolist()]
    cells = rows.numbers(*names)
    if set(masks) <= set(rows.columns):
        # booleans are written as words by some versions of the scripts
        mask = rows.numbers(*masks, absent=("", "false"))
        truth = _true(rows, masks) if mask.unreadable.any() else np.zeros(mask.number.shape, dtype=bool)
        seen = (mask.number == 1) | truth
        wrong = ~seen & ~mask.absent & (mask.number != 0)
        events.leave_out(BAD_MASK, int(wrong[usable].sum()))
        filler = ~seen & ~wrong & (np.nan_to_num(cells.number) != 0)
        events.noticed["a number where the mask says that there is none"] += int(filler[usable].sum())
    else:
        seen = ~cells.absent
    seen = seen & usable[:, None]
    kept = seen & ~np.isnan(cells.number)
    events.leave_out(BAD_NUMBER, int((seen & ~kept).sum()))
    events.n_found += int(kept.sum())
    row, column = np.nonzero(kept)
    events.add(owner[row], when[row] * step, codes[column], cells.number[row, column])


def _true(rows: TextRows, masks: Sequence[str]) -> NDArray[np.bool_]:
    columns = [rows.words(name) for name in masks]
    return np.stack(
        [np.array([word.lower() == "true" for word in words] or [False])[code] for code, words in columns], axis=1
    )


def _names(codes: NDArray[np.int64], labels: Mapping[int, str]) -> list[str]:
    names = [labels.get(code, f"label {code}") for code in codes.tolist()]
    if len(set(names)) < len(names):
        raise ValueError(f"labels must give every variable a name of its own; got {dict(labels)!r}.")
    return names or ["label 0"]


def _beside(path: PathLike | None, ids: pd.Index, events: _Events) -> pd.DataFrame | None:
    """A table by admission; columns that only number its rows are dropped."""
    if path is None:
        return None
    table = read_static_table(path, _KEYS)
    numbers = pd.to_numeric(pd.Series(table.index), errors="coerce").to_numpy(dtype=np.float64)
    is_id = (numbers >= 0) & (numbers < _LARGEST_ID) & (numbers == np.floor(numbers))
    events.leave_out(BAD_ROW, int((~is_id).sum()))
    table = table[is_id].set_axis(pd.Index(numbers[is_id].astype(np.int64)))
    if table.index.has_duplicates:
        raise ValueError(
            f"{path} has more than one row for the admission {table.index[table.index.duplicated()][0]}, written in several "
            "ways; keep one row an admission."
        )
    return table.loc[:, [not str(name).startswith("Unnamed") for name in table.columns]].reindex(ids)
