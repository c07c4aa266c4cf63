"""Reader of the PhysioNet/CinC Challenge 2012 data."""

from __future__ import annotations

import dataclasses
import logging
import os
import warnings
from collections.abc import Sequence
from typing import Literal, overload

import numpy as np
import pandas as pd

from cndts.datasets._cache import ArrayCache, cache_folder
from cndts.datasets._data_warning import DataWarning
from cndts.datasets._physionet2012_format import CHANNELS, MISSING, RECORD_ID, STATIC_COLUMNS, UNITS
from cndts.datasets._physionet2012_outcomes import read_outcomes
from cndts.datasets._physionet2012_set import RecordSet, read_set
from cndts.datasets._report import ReadReport
from cndts.datasets._sources import as_paths
from cndts.panel import IrregularPanel

logger = logging.getLogger(__name__)

PathLike = str | os.PathLike[str]
Duplicates = Literal["mean", "first", "last", "keep", "error"]


@overload
def read_physionet2012(
    path: PathLike | Sequence[PathLike],
    outcomes: PathLike | Sequence[PathLike] | None = ...,
    *,
    duplicates: Duplicates = ...,
    missing_codes: Literal["drop", "keep"] = ...,
    cache: bool | PathLike = ...,
    return_report: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def read_physionet2012(
    path: PathLike | Sequence[PathLike],
    outcomes: PathLike | Sequence[PathLike] | None = ...,
    *,
    duplicates: Duplicates = ...,
    missing_codes: Literal["drop", "keep"] = ...,
    cache: bool | PathLike = ...,
    return_report: Literal[True],
) -> tuple[IrregularPanel, ReadReport]: ...


def read_physionet2012(
    path: PathLike | Sequence[PathLike],
    outcomes: PathLike | Sequence[PathLike] | None = None,
    *,
    duplicates: Duplicates = "mean",
    missing_codes: Literal["drop", "keep"] = "drop",
    cache: bool | PathLike = True,
    return_report: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, ReadReport]:
    """Read ICU stays of the PhysioNet/Computing in Cardiology Challenge 2012.

    Each of the three published sets (a, b, c) holds the first 48 hours of 4,000 intensive-care stays. Every
    measurement keeps its own minute; nothing is gridded, rounded or filled.

    Parameters
    ----------
    path : path-like or sequence of path-like
        A set as published: the folder of its text files (at any depth), ``.tar.gz``, ``.tgz``, ``.tar`` or ``.zip``.
        Several sets follow each other in the order given; inside a set, records are in id order.
    outcomes : path-like or sequence of path-like, optional
        ``Outcomes-a.txt`` and so on, in any order.
    duplicates : {"mean", "first", "last", "keep", "error"}, default="mean"
        What to do with several values of one parameter at the same minute of the same stay. ``"keep"`` leaves them
        as simultaneous events, ``"error"`` refuses them.
    missing_codes : {"drop", "keep"}, default="drop"
        The published code for missing is -1. ``"drop"`` makes it NaN in ``static`` and leaves such observations out;
        ``"keep"`` leaves -1 as a value in both.
    cache : bool or path-like, default=True
        Keep what was read in the folder named by the environment variable ``CNDTS_CACHE``, else in the platform's
        cache folder; or in the folder given here; or not at all. Entries belong to the content of the source (SHA-256)
        and to the options, are checked when read, and may be deleted at any time.
    return_report : bool, default=False
        Also return the counts of all that was met.

    Returns
    -------
    panel : IrregularPanel
        Records named by RecordID, 37 channels (below), times in hours since admission (hour + minute / 60).
        ``static`` holds Age (years), Gender (0 female, 1 male), Height (cm), ICUType (1 coronary care, 2 cardiac
        surgery recovery, 3 medical, 4 surgical) and Weight (kg) at admission. ``outcomes`` holds SAPS-I and SOFA (points),
        Length_of_stay (days), Survival (days between admission and death, **-1 for patients known to have
        survived**) and In-hospital_death (0/1); -1 means unknown in the first three and becomes NaN.
    report : ReadReport
        Only with ``return_report=True``.

    Raises
    ------
    FileNotFoundError
        A path does not exist.
    ValueError
        A path holds no record, is no archive, is a damaged or unsafe archive, the outcomes file is something else, or
        ``duplicates="error"`` met a repeated row.

    Warns
    -----
    DataWarning
        Once a call, if rows had to be left out for a reason that the format does not document.

    Notes
    -----
    *Channels.* ALP, ALT, AST (IU/L), Albumin (g/dL), BUN, Bilirubin, Cholesterol, Creatinine, Glucose, Mg (mg/dL), DiasABP, MAP,
    NIDiasABP, NIMAP, NISysABP, PaCO2, PaO2, SysABP (mmHg), FiO2 (fraction), GCS (points), HCO3, Lactate (mmol/L), HCT,
    SaO2 (%), HR, RespRate (1/min), K, Na (mEq/L), MechVent (0/1), Platelets, WBC (1/nL), Temp (°C), TroponinI, TroponinT
    (µg/L), Urine (mL), Weight (kg), pH (pH). NI marks pressures that are measured without a catheter; MechVent is 1 while a
    machine ventilates. ``panel.channels`` has the order of the benchmarks, which begins with Weight. Set a has 1,733,910
    observations: of HR 228,538 in 3,937 stays, of Temp 86,202 in 3,936, of Lactate 8,024 in 2,183, of TroponinI 435 in 205.

    *Known properties of the data, and what happens to them*

    - Set a has 4,000 records and 1,757,980 rows, 554 patients (13.85 %) died in hospital. Records 140501, 140936 and
      141264 have no measurement; they stay, as records without events.
    - 3,744 rows of set a repeat the minute and parameter of another row, always with another value: ``duplicates``.
    - Weight is both: the first row at 00:00 is the static (-1 in 326 stays of set a), and unless it is -1 it is
      also the first observation of the channel Weight.
    - -1 stands for unknown Height (1,894 stays of set a) and Gender (3): ``missing_codes``.
    - Rows with an empty or unknown parameter name, an empty or unreadable value or time, or another number of fields
      than three cannot be placed; they are left out, counted and warned of.
    - Implausible values (Temp -17.8, pH 735, HR 0, Urine 11,000) are in the published data and stay.
    - The publisher states Mg in mmol/L. Half of all values lie in 1.8 to 2.2, the normal range in mg/dL (0.7 to 0.9
      mmol/L): ``units`` says mg/dL, the numbers are kept.
    - The id of a record comes from its RecordID row, else from its file name. The second file of an id is left out,
      counted and warned of. Other files (hidden ones, pages, tables) are listed in the report.

    Source: https://physionet.org/content/challenge-2012/1.0.0/, Open Data Commons Attribution License 1.0.

    References
    ----------
    I. Silva, G. Moody, D. J. Scott, L. A. Celi, R. G. Mark. "Predicting in-hospital mortality of ICU patients: The
    PhysioNet/Computing in Cardiology Challenge 2012." Computing in Cardiology 39:245-248, 2012.

    Examples
    --------
    A folder with one record in the published format, which repeats a heart rate:

    >>> import pathlib, tempfile
    >>> rows = ["Time,Parameter,Value", "00:00,RecordID,132539", "00:00,Age,54", "00:00,Gender,0", "00:00,Height,-1"]
    >>> rows += ["00:00,ICUType,4", "00:00,Weight,-1", "00:07,HR,73", "00:07,HR,75", "00:37,Temp,35.1"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "132539.txt").write_text(chr(10).join(rows))
    ...     panel, report = read_physionet2012(folder, cache=False, return_report=True)
    >>> len(panel), panel.n_events, panel.value.round(1).tolist()[0], panel.time.round(3).tolist()
    (1, 2, 74.0, [0.117, 0.617])
    >>> panel.static.loc[132539].to_dict()
    {'Age': 54.0, 'Gender': 0.0, 'Height': nan, 'ICUType': 4.0, 'Weight': nan}
    >>> report.repeated, report.unknown_descriptors, report.n_left_out
    ({'HR': 1}, {'Height': 1, 'Weight': 1}, 1)
    """
    _check_choice("duplicates", duplicates, ("mean", "first", "last", "keep", "error"))
    _check_choice("missing_codes", missing_codes, ("drop", "keep"))
    paths = as_paths(path)
    folder = cache_folder(cache)
    store = None if folder is None else ArrayCache(folder)
    sets: list[RecordSet] = []
    seen: set[int] = set()
    for each in paths:
        records = read_set(each, duplicates=duplicates, missing_codes=missing_codes, cache=store).without(seen)
        seen.update(records.record.tolist())
        sets.append(records)
    ids = pd.Index(np.concatenate([records.record for records in sets]), name=RECORD_ID)
    labels, outcome_counts = read_outcomes(_as_list("outcomes", outcomes), ids)
    panel = _panel(sets, ids, labels, keep_codes=missing_codes == "keep")
    report = dataclasses.replace(ReadReport.combine(records.report for records in sets), **outcome_counts)
    _tell(report)
    return (panel, report) if return_report else panel


def _panel(sets: list[RecordSet], ids: pd.Index, outcomes: pd.DataFrame | None, *, keep_codes: bool) -> IrregularPanel:
    lengths = np.concatenate([np.diff(records.offsets) for records in sets])
    minute = np.concatenate([records.minute for records in sets])
    static = pd.DataFrame(
        np.concatenate([records.static for records in sets]), index=ids, columns=pd.Index(STATIC_COLUMNS)
    )
    return IrregularPanel(
        np.concatenate([[0], np.cumsum(lengths)]),
        minute // 60 + (minute % 60) / 60.0,
        np.concatenate([records.channel for records in sets]),
        np.concatenate([records.value for records in sets]),
        records=ids,
        channels=CHANNELS,
        units=UNITS,
        static=static if keep_codes else static.where(static != MISSING),
        outcomes=outcomes,
        time_unit="h",
    )


def _tell(report: ReadReport) -> None:
    logger.info("read_physionet2012: %s", report)
    found = report.unforeseen()
    if found:
        warnings.warn(
            f"{report.n_unforeseen:,} of {report.n_rows:,} rows are left out because the format of PhysioNet 2012 does "
            f"not foresee them: {found}. Pass return_report=True for all counts.",
            DataWarning,
            stacklevel=3,
        )


def _check_choice(name: str, got: object, allowed: Sequence[str]) -> None:
    if got not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}; got {got!r}.")


def _as_list(name: str, given: object) -> list[PathLike]:
    none_given = given is None or isinstance(given, Sequence) and not isinstance(given, str) and not given
    return [] if none_given else as_paths(given, name)
