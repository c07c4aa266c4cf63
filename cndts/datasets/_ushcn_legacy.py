"""Reader of the older USHCN-Daily state files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal, overload

import pandas as pd

from cndts.datasets._archives import ArchiveLimits
from cndts.datasets._ghcn_elements import LEGACY_METRIC, LEGACY_US
from cndts.datasets._read_counts import ReadCounts, tell
from cndts.datasets._sources import PathLike, as_paths, check_choice
from cndts.datasets._station_days import as_panel, check_elements, read_days
from cndts.datasets._station_months import Choice, MonthLayout
from cndts.panel import IrregularPanel

_LAYOUTS = {
    "metric": MonthLayout(6, rb"[0-9]{6}", LEGACY_METRIC),
    "us": MonthLayout(6, rb"[0-9]{6}", LEGACY_US),
}
# a national file lies beside the state files in the publisher's archive; it is passed over, but has to be passed
_LIMITS = ArchiveLimits(member_bytes=2**30)


@overload
def read_ushcn_legacy(
    path: PathLike | Sequence[PathLike],
    *,
    units: Literal["metric", "us"] = ...,
    elements: Sequence[str] | None = ...,
    years: tuple[int, int] | None = ...,
    failed_checks: Literal["drop", "keep"] = ...,
    traces: Literal["keep", "drop"] = ...,
    return_report: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def read_ushcn_legacy(
    path: PathLike | Sequence[PathLike],
    *,
    units: Literal["metric", "us"] = ...,
    elements: Sequence[str] | None = ...,
    years: tuple[int, int] | None = ...,
    failed_checks: Literal["drop", "keep"] = ...,
    traces: Literal["keep", "drop"] = ...,
    return_report: Literal[True],
) -> tuple[IrregularPanel, ReadCounts]: ...


def read_ushcn_legacy(
    path: PathLike | Sequence[PathLike],
    *,
    units: Literal["metric", "us"] = "metric",
    elements: Sequence[str] | None = None,
    years: tuple[int, int] | None = None,
    failed_checks: Literal["drop", "keep"] = "drop",
    traces: Literal["keep", "drop"] = "keep",
    return_report: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, ReadCounts]:
    """Read daily weather from the older state files of the U.S. Historical Climatology Network.

    These files (``state37_RI.txt``) are where the USHCN benchmark of GRU-ODE-Bayes, and of all who followed it, comes from.

    Parameters
    ----------
    path : path-like or sequence of path-like
        State files, folders of them, or archives. ``us.txt``, which repeats all states, is read only if it is named
        itself.
    units : {"metric", "us"}, default="metric"
        Millimetres and degrees Celsius, as :func:`read_ghcn_daily` gives them, or inches and degrees Fahrenheit, as
        they were observed.
    elements : sequence of str, optional
        Elements to keep, in the order of the channels; all five by default.
    years : (int, int), optional
        First and last year to keep.
    failed_checks : {"drop", "keep"}, default="drop"
        What to do with values whose QFLAG says that they failed a quality check.
    traces : {"keep", "drop"}, default="keep"
        What to do with traces (MFLAG ``T``): amounts too small to measure, stored as 0.
    return_report : bool, default=False
        Also return the counts of all that was met.

    Returns
    -------
    panel : IrregularPanel
        One record a station, named by its six-digit COOP id and in id order; channels PRCP, SNOW, SNWD, TMAX, TMIN;
        times in days (``"D"``) since 1 January of the first year that has a value, which is ``origin``. ``static``
        holds State, the first two digits of the id.
    report : ReadCounts
        Only with ``return_report=True``; counts values, and a line that cannot be read as one value.

    Raises
    ------
    FileNotFoundError, ValueError
        As for :func:`read_ghcn_daily`.

    Warns
    -----
    DataWarning
        Once a call, if values had to be left out for a reason that the format does not document.

    Notes
    -----
    A line has 264 characters: COOP id, year, month, element, and 31 groups of value, MFLAG, QFLAG and SFLAG. Stored are
    hundredths of an inch (PRCP), tenths of an inch (SNOW), inches (SNWD) and degrees Fahrenheit. What
    :func:`read_ghcn_daily` says about missing values, flags and repeated lines holds here too. A ``.txt`` file is taken
    for data if one of its first lines has this form.

    The file of Rhode Island has three stations with 383,284 values in 12,950 lines, from 1893 to 2014.

    Source: https://www.ncei.noaa.gov/products/land-based-station/us-historical-climatology-network, formerly at the
    Carbon Dioxide Information Analysis Center; a work of the U.S. Government, in the public domain.

    References
    ----------
    M. J. Menne, C. N. Williams, R. S. Vose. "United States Historical Climatology Network Daily temperature,
    precipitation, and snow data." Carbon Dioxide Information Analysis Center, Oak Ridge National Laboratory, 2015.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> line = "370896192712TMAX" + "   50  6" + "-9999   " * 30
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "state37_RI.txt").write_text(line)
    ...     read_ushcn_legacy(folder).to_long()
       record       time channel  value
    0  370896 1927-12-01    TMAX   10.0
    """
    check_choice("units", units, tuple(_LAYOUTS))
    check_choice("failed_checks", failed_checks, ("drop", "keep"))
    check_choice("traces", traces, ("drop", "keep"))
    layout = _LAYOUTS[units]
    choice = Choice(*check_elements(elements, years, layout), failed_checks, traces)
    paths = as_paths(path)
    wanted = _is_text if any(_is_national(str(each)) for each in paths) else _is_state
    days, report = read_days(paths, layout, choice, wanted, "state files of USHCN-Daily (.txt)", _LIMITS)
    ids = pd.Index(days.stations, name="station", dtype=object)
    panel = as_panel(days, layout, pd.DataFrame({"State": ids.str[:2]}, index=ids))
    tell(report, "USHCN-Daily")
    return (panel, report) if return_report else panel


def _is_text(name: str) -> bool:
    return name.lower().endswith(".txt")


def _is_state(name: str) -> bool:
    return _is_text(name) and not _is_national(name)


def _is_national(name: str) -> bool:
    return os.path.basename(name).lower() in ("us.txt", "us.txt.gz")
