"""Reader of NOAA's Global Historical Climatology Network - Daily."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, overload

import pandas as pd

from cndts.datasets._ghcn_elements import GHCN_ELEMENTS
from cndts.datasets._ghcn_stations import read_stations
from cndts.datasets._read_counts import ReadCounts, tell
from cndts.datasets._sources import PathLike, as_paths, check_choice
from cndts.datasets._station_days import as_panel, check_elements, read_days
from cndts.datasets._station_months import Choice, MonthLayout
from cndts.panel import IrregularPanel

_LAYOUT = MonthLayout(11, rb"[A-Z]{2}[A-Z0-9][A-Z0-9_\-]{8}", GHCN_ELEMENTS)


@overload
def read_ghcn_daily(
    path: PathLike | Sequence[PathLike],
    stations: PathLike | None = ...,
    *,
    elements: Sequence[str] | None = ...,
    years: tuple[int, int] | None = ...,
    failed_checks: Literal["drop", "keep"] = ...,
    traces: Literal["keep", "drop"] = ...,
    return_report: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def read_ghcn_daily(
    path: PathLike | Sequence[PathLike],
    stations: PathLike | None = ...,
    *,
    elements: Sequence[str] | None = ...,
    years: tuple[int, int] | None = ...,
    failed_checks: Literal["drop", "keep"] = ...,
    traces: Literal["keep", "drop"] = ...,
    return_report: Literal[True],
) -> tuple[IrregularPanel, ReadCounts]: ...


def read_ghcn_daily(
    path: PathLike | Sequence[PathLike],
    stations: PathLike | None = None,
    *,
    elements: Sequence[str] | None = None,
    years: tuple[int, int] | None = None,
    failed_checks: Literal["drop", "keep"] = "drop",
    traces: Literal["keep", "drop"] = "keep",
    return_report: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, ReadCounts]:
    """Read daily weather of stations from ``.dly`` files (GHCN-Daily, of which today's USHCN-Daily is a part).

    Elements, months and stations are missing independently of each other; nothing is filled.

    Parameters
    ----------
    path : path-like or sequence of path-like
        ``.dly`` files, folders of them (at any depth), or archives as published (``ghcnd_hcn.tar.gz``).
    stations : path-like, optional
        The publisher's ``ghcnd-stations.txt``; adds coordinates to ``static``.
    elements : sequence of str, optional
        Elements to keep, in the order of the channels; by default the five core elements, whether there or not, and
        after them in alphabetical order all others that occur.
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
        One record a station, named by its id and in id order; times in days (``"D"``) since 1 January of the first year
        that has a value, which is ``origin`` (local days, without time zone). ``static`` holds Country (FIPS code) and
        Network from the id, and with ``stations`` Latitude, Longitude (degrees) and Elevation (m).
    report : ReadCounts
        Only with ``return_report=True``; counts values, and a line that cannot be read as one value.

    Raises
    ------
    FileNotFoundError
        A path does not exist.
    ValueError
        A path holds no ``.dly`` file, is a damaged or unsafe archive, or an option is not known.

    Warns
    -----
    DataWarning
        Once a call, if values had to be left out for a reason that the format does not document.

    Notes
    -----
    *Channels.* PRCP precipitation (mm), SNOW snowfall (mm), SNWD snow depth (mm), TMAX and TMIN highest and lowest
    temperature (°C), and every other element of the publisher's readme. Tenths become whole units; fastest-mile and
    peak-gust times (FMTM, PGTM), stored as HHMM, become hours; weather types (WT**, WV**) are 1 where observed. Multi-day
    totals (MD**) and the days that they cover (DA**) stay apart.

    *Known properties of the data, and what happens to them*

    - -9999 means missing, also for days that a month does not have; such entries are no values and are not counted. A
      value on a day that the month does not have is left out, counted and warned of.
    - Values that failed a check stay in the published files: ``failed_checks``; the report counts them by flag.
    - A trace is stored as 0 and flagged: ``traces``. Zeros flagged ``P``, "missing presumed zero", are kept and counted.
    - The time of observation within the day is not in the files; many cooperative stations observe in the
      morning, so that a day's highest temperature may be the day before's.
    - A second value of the same station, day and element is left out, counted and warned of; so are
      unknown elements and lines of another length than 269 characters, but for blanks cut from their end.
    - Stations without any value that is kept stay, as records without events.

    Of the 1,218 stations of the U.S. Historical Climatology Network in version 3.25, the years 1996 to 2000 of 1,193
    hold 10,060,488 values of the five core elements in 337,518 lines; 69,280 failed a check, 188,219 are traces.

    Source: https://www.ncei.noaa.gov/products/land-based-station/global-historical-climatology-network-daily; a work of
    the U.S. Government, in the public domain.

    References
    ----------
    M. J. Menne, I. Durre, R. S. Vose, B. E. Gleason, T. G. Houston. "An overview of the Global Historical Climatology
    Network-Daily database." Journal of Atmospheric and Oceanic Technology 29:897-910, 2012.
    doi:10.1175/JTECH-D-11-00103.1.

    Examples
    --------
    Two days of January 1996, of which the second failed a check:

    >>> import pathlib, tempfile
    >>> line = "USC00011084199601TMAX  170  0  250 I0" + "-9999   " * 29
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "USC00011084.dly").write_text(line)
    ...     panel, report = read_ghcn_daily(folder, return_report=True)
    >>> panel.to_long()
            record       time channel  value
    0  USC00011084 1996-01-01    TMAX   17.0
    >>> report.documented
    {'a failed quality check (I)': 1}
    """
    check_choice("failed_checks", failed_checks, ("drop", "keep"))
    check_choice("traces", traces, ("drop", "keep"))
    choice = Choice(*check_elements(elements, years, _LAYOUT), failed_checks, traces)
    days, report = read_days(as_paths(path), _LAYOUT, choice, _is_dly, "files named .dly")
    ids = pd.Index(days.stations, name="station", dtype=object)
    static = pd.DataFrame({"Country": ids.str[:2], "Network": ids.str[2]}, index=ids)
    if stations is not None:
        static = static.join(read_stations(stations).reindex(ids))
    panel = as_panel(days, _LAYOUT, static)
    tell(report, "GHCN-Daily")
    return (panel, report) if return_report else panel


def _is_dly(name: str) -> bool:
    return name.lower().endswith(".dly")
