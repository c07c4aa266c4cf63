"""The older state files of USHCN: fetch, verify, read."""

from __future__ import annotations

import os
from typing import Any

from cndts.datasets._fetch_files import fetch_files
from cndts.datasets._ushcn_legacy import read_ushcn_legacy

PathLike = str | os.PathLike[str]


def fetch_ushcn_legacy(
    *, folder: PathLike | None = None, download: bool = True, progress: bool = True, **options: Any
) -> Any:
    """Download and read the older state files of the U.S. Historical Climatology Network: 48 states, to 2014.

    Parameters
    ----------
    folder : path-like, optional
        Where the files lie or go; by default ``downloads/ushcn-legacy`` in the folder that the environment variable
        ``CNDTS_CACHE`` names, else in the platform's cache folder. A file put there by hand is verified and used.
    download : bool, default=True
        Whether to download what is missing, resuming what was interrupted.
    progress : bool, default=True
        Show a bar on stderr, if somebody watches.
    **options
        Options of :func:`read_ushcn_legacy`, which says what is read, and how.

    Returns
    -------
    panel : IrregularPanel
        And the report, with ``return_report=True``.

    Raises
    ------
    ConnectionError
        A file is missing and cannot be downloaded; the message says where to put it by hand.
    ValueError
        A file has another checksum than the one that is known, or the archive holds no state file.

    Notes
    -----
    The archive moved from the Carbon Dioxide Information Analysis Center to ESS-DIVE. Its checksum is that pinned by the
    TSDM library. Its state files unpack to about 2 GB, in memory one by one. Public domain.

    Examples
    --------
    >>> panel = fetch_ushcn_legacy(years=(1996, 2000))  # doctest: +SKIP
    """
    files = fetch_files("ushcn-legacy", folder=folder, download=download, progress=progress)
    return read_ushcn_legacy(files, **options)
