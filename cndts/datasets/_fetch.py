"""Data sets that may be downloaded: fetch, verify, read."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cndts.datasets._air_quality import read_air_quality
from cndts.datasets._batteryless import read_batteryless
from cndts.datasets._beijing_air import read_beijing_air
from cndts.datasets._fetch_files import check_parts, fetch_files
from cndts.datasets._ghcn_daily import read_ghcn_daily
from cndts.datasets._human_activity import read_human_activity
from cndts.datasets._physionet2012 import read_physionet2012
from cndts.datasets._physionet2019 import read_physionet2019

PathLike = str | os.PathLike[str]


def fetch_physionet2012(
    sets: Sequence[str] = ("a", "b", "c"),
    *,
    folder: PathLike | None = None,
    download: bool = True,
    progress: bool = True,
    **options: Any,
) -> Any:
    """Download and read PhysioNet 2012: ICU stays of 48 hours, about 7 MB a set.

    Parameters
    ----------
    sets : sequence of {"a", "b", "c"}, default=("a", "b", "c")
        Which sets of 4,000 stays; their outcomes come along.
    folder : path-like, optional
        Where the files lie or go; by default ``downloads/physionet2012`` in the folder that the environment variable
        ``CNDTS_CACHE`` names, else in the platform's cache folder. A file put there by hand is verified and used.
    download : bool, default=True
        Whether to download what is missing, resuming what was interrupted.
    progress : bool, default=True
        Show a bar on stderr, if somebody watches.
    **options
        Options of :func:`read_physionet2012`, which says what is read, and how.

    Returns
    -------
    panel : IrregularPanel
        And the report, with ``return_report=True``.

    Raises
    ------
    ConnectionError
        A file is missing and cannot be downloaded; the message says where to put it by hand.
    ValueError
        A file has another checksum than the one that is known.

    Notes
    -----
    The checksums of the archives are those pinned by the TSDM library; set A is also recognised by its members, whose
    checksum is known here. That of ``Outcomes-a.txt`` is known; those of ``Outcomes-b.txt`` and ``Outcomes-c.txt`` are
    not: the first download is recorded, and later ones are compared with it. Licence: Open Data Commons Attribution
    License 1.0.

    Examples
    --------
    >>> panel = fetch_physionet2012()  # doctest: +SKIP
    """
    names = check_parts("sets", sets, ("a", "b", "c"))
    archives = [f"set-{each}.tar.gz" for each in names]
    tables = [f"Outcomes-{each}.txt" for each in names]
    files = fetch_files("physionet2012", only=[*archives, *tables], folder=folder, download=download, progress=progress)
    place = {file.name: file for file in files}
    return read_physionet2012([place[each] for each in archives], [place[each] for each in tables], **options)


def fetch_physionet2019(
    sets: Sequence[str] = ("A", "B"),
    *,
    folder: PathLike | None = None,
    download: bool = True,
    progress: bool = True,
    **options: Any,
) -> Any:
    """Download and read PhysioNet 2019: 40,336 ICU stays with sepsis labels, about 42 MB.

    Parameters
    ----------
    sets : sequence of {"A", "B"}, default=("A", "B")
        Which hospitals.
    folder : path-like, optional
        Where the files lie or go; by default ``downloads/physionet2019`` in the folder that the environment variable
        ``CNDTS_CACHE`` names, else in the platform's cache folder. A file put there by hand is verified and used.
    download : bool, default=True
        Whether to download what is missing, resuming what was interrupted.
    progress : bool, default=True
        Show a bar on stderr, if somebody watches.
    **options
        Options of :func:`read_physionet2019`, which says what is read, and how.

    Returns
    -------
    panel : IrregularPanel
        And the report, with ``return_report=True``.

    Raises
    ------
    ConnectionError
        A file is missing and cannot be downloaded; the message says where to put it by hand.
    ValueError
        A file has another checksum than the one that is known.

    Notes
    -----
    The checksums are those pinned by the TSDM library. Licence: Creative Commons Attribution 4.0.

    Examples
    --------
    >>> panel = fetch_physionet2019()  # doctest: +SKIP
    """
    names = [f"training_set{each}.zip" for each in check_parts("sets", sets, ("A", "B"))]
    files = fetch_files("physionet2019", only=names, folder=folder, download=download, progress=progress)
    return read_physionet2019(files, **options)


def fetch_ushcn(*, folder: PathLike | None = None, download: bool = True, progress: bool = True, **options: Any) -> Any:
    """Download and read daily weather of the U.S. Historical Climatology Network, about 300 MB.

    Parameters
    ----------
    folder : path-like, optional
        Where the files lie or go; by default ``downloads/ushcn`` in the folder that the environment variable
        ``CNDTS_CACHE`` names, else in the platform's cache folder. A file put there by hand is verified and used.
    download : bool, default=True
        Whether to download what is missing, resuming what was interrupted.
    progress : bool, default=True
        Show a bar on stderr, if somebody watches.
    **options
        Options of :func:`read_ghcn_daily`, which says what is read, and how.

    Returns
    -------
    panel : IrregularPanel
        And the report, with ``return_report=True``.

    Raises
    ------
    ConnectionError
        A file is missing and cannot be downloaded; the message says where to put it by hand.
    ValueError
        A file has another checksum than the one that is known.

    Notes
    -----
    The publisher renews the files every day, so that no checksum can be known: that of the first download is recorded,
    and later calls use the same file until you delete it; the next download is then recorded in its place. Public
    domain.

    Examples
    --------
    >>> panel = fetch_ushcn()  # doctest: +SKIP
    """
    archive, stations = fetch_files("ushcn", folder=folder, download=download, progress=progress)
    return read_ghcn_daily(archive, stations, **options)


def fetch_human_activity(
    *, folder: PathLike | None = None, download: bool = True, progress: bool = True, **options: Any
) -> Any:
    """Download and read the UCI localization data for person activity, the *Human Activity* of benchmarks.

    Parameters
    ----------
    folder : path-like, optional
        Where the files lie or go; by default ``downloads/human-activity`` in the folder that the environment variable
        ``CNDTS_CACHE`` names, else in the platform's cache folder. A file put there by hand is verified and used.
    download : bool, default=True
        Whether to download what is missing, resuming what was interrupted.
    progress : bool, default=True
        Show a bar on stderr, if somebody watches.
    **options
        Options of :func:`read_human_activity`, which says what is read, and how.

    Returns
    -------
    panel : IrregularPanel
        And the report, with ``return_report=True``.

    Raises
    ------
    ConnectionError
        A file is missing and cannot be downloaded; the message says where to put it by hand.
    ValueError
        A file has another checksum than the one that is known.

    Notes
    -----
    The checksum is one pinned by a public repository. Licence: Creative Commons Attribution 4.0.

    Examples
    --------
    >>> panel = fetch_human_activity()  # doctest: +SKIP
    """
    return _read_inside("human-activity", read_human_activity, folder, download, progress, options)


def fetch_batteryless(
    *, folder: PathLike | None = None, download: bool = True, progress: bool = True, **options: Any
) -> Any:
    """Download and read the UCI data of a batteryless wearable sensor, both rooms.

    Parameters
    ----------
    folder : path-like, optional
        Where the files lie or go; by default ``downloads/batteryless`` in the folder that the environment variable
        ``CNDTS_CACHE`` names, else in the platform's cache folder. A file put there by hand is verified and used.
    download : bool, default=True
        Whether to download what is missing, resuming what was interrupted.
    progress : bool, default=True
        Show a bar on stderr, if somebody watches.
    **options
        Options of :func:`read_batteryless`, which says what is read, and how.

    Returns
    -------
    panel : IrregularPanel
        And the report, with ``return_report=True``.

    Raises
    ------
    ConnectionError
        A file is missing and cannot be downloaded; the message says where to put it by hand.
    ValueError
        A file has another checksum than the one that is known.

    Notes
    -----
    The archive is recognised by the trials of room S1, whose checksum is known here; those of room S2 are not known. The
    whole is recorded at the first download, and later ones are compared with it. Licence: Creative Commons Attribution 4.0.

    Examples
    --------
    >>> panel = fetch_batteryless()  # doctest: +SKIP
    """
    return _read_inside("batteryless", read_batteryless, folder, download, progress, options)


def fetch_beijing_air(
    *, folder: PathLike | None = None, download: bool = True, progress: bool = True, **options: Any
) -> Any:
    """Download and read the UCI Beijing multi-site air-quality data.

    Parameters
    ----------
    folder : path-like, optional
        Where the files lie or go; by default ``downloads/beijing-air`` in the folder that the environment variable
        ``CNDTS_CACHE`` names, else in the platform's cache folder. A file put there by hand is verified and used.
    download : bool, default=True
        Whether to download what is missing, resuming what was interrupted.
    progress : bool, default=True
        Show a bar on stderr, if somebody watches.
    **options
        Options of :func:`read_beijing_air`, which says what is read, and how.

    Returns
    -------
    panel : IrregularPanel
        And the report, with ``return_report=True``.

    Raises
    ------
    ConnectionError
        A file is missing and cannot be downloaded; the message says where to put it by hand.
    ValueError
        A file has another checksum than the one that is known.

    Notes
    -----
    The checksum is that pinned by the TSDM library, on which a second repository agrees; archives packed otherwise are
    recognised by the twelve tables of the stations. Licence: Creative Commons Attribution 4.0.

    Examples
    --------
    >>> panel = fetch_beijing_air()  # doctest: +SKIP
    """
    return _read_inside("beijing-air", read_beijing_air, folder, download, progress, options)


def fetch_air_quality(
    *, folder: PathLike | None = None, download: bool = True, progress: bool = True, **options: Any
) -> Any:
    """Download and read the UCI air-quality data of an Italian road.

    Parameters
    ----------
    folder : path-like, optional
        Where the files lie or go; by default ``downloads/air-quality`` in the folder that the environment variable
        ``CNDTS_CACHE`` names, else in the platform's cache folder. A file put there by hand is verified and used.
    download : bool, default=True
        Whether to download what is missing, resuming what was interrupted.
    progress : bool, default=True
        Show a bar on stderr, if somebody watches.
    **options
        Options of :func:`read_air_quality`, which says what is read, and how.

    Returns
    -------
    panel : IrregularPanel
        And the report, with ``return_report=True``.

    Raises
    ------
    ConnectionError
        A file is missing and cannot be downloaded; the message says where to put it by hand.
    ValueError
        A file has another checksum than the one that is known.

    Notes
    -----
    The checksum is one stated by a public repository; archives packed otherwise are recognised by their table, in the
    copy that writes the time ``18:00:00``. Licence: Creative Commons Attribution 4.0.

    Examples
    --------
    >>> panel = fetch_air_quality()  # doctest: +SKIP
    """
    return _read_inside("air-quality", read_air_quality, folder, download, progress, options)


def _read_inside(
    name: str,
    reader: Callable[..., Any],
    folder: PathLike | None,
    download: bool,
    progress: bool,
    options: Mapping[str, Any],
) -> Any:
    """Read the files of a data set."""
    return reader(fetch_files(name, folder=folder, download=download, progress=progress), **options)
