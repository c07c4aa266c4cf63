"""The prepared USHCN table of GRU-ODE-Bayes: fetch, verify."""

from __future__ import annotations

import os
from pathlib import Path

from cndts.datasets._fetch_files import fetch_files

PathLike = str | os.PathLike[str]


def fetch_sporadic_csv(*, folder: PathLike | None = None, download: bool = True, progress: bool = True) -> Path:
    """Download the USHCN table that GRU-ODE-Bayes prepared, on which the USHCN protocols of the field rest.

    Parameters
    ----------
    folder : path-like, optional
        Where the files lie or go; by default ``downloads/ushcn-sporadic`` in the folder that the environment variable
        ``CNDTS_CACHE`` names, else in the platform's cache folder. A file put there by hand is verified and used.
    download : bool, default=True
        Whether to download what is missing, resuming what was interrupted.
    progress : bool, default=True
        Show a bar on stderr, if somebody watches.

    Returns
    -------
    Path
        The verified file, for :func:`cndts.protocols.read_sporadic_csv`, or ``--data`` of ``cndts benchmark``.

    Raises
    ------
    ConnectionError
        A file is missing and cannot be downloaded; the message says where to put it by hand.
    ValueError
        A file has another checksum than the one that is known.

    Notes
    -----
    The checksum is that pinned by the TSDM library. Licence of the repository: MIT; the data are in the public domain.

    Examples
    --------
    >>> from cndts.protocols import read_sporadic_csv
    >>> panel = read_sporadic_csv(fetch_sporadic_csv())  # doctest: +SKIP
    """
    return fetch_files("ushcn-sporadic", folder=folder, download=download, progress=progress)[0]
