"""The light curves of PLAsTiCC: fetch, verify, read."""

from __future__ import annotations

import os
from typing import Any

from cndts.datasets._fetch_files import fetch_files
from cndts.datasets._light_curves import read_light_curves

PathLike = str | os.PathLike[str]

_BANDS = dict(zip("012345", "ugrizy", strict=True))


def fetch_plasticc(
    *, folder: PathLike | None = None, download: bool = True, progress: bool = True, **options: Any
) -> Any:
    """Download and read the training set of PLAsTiCC, simulated light curves of 7,848 objects, about 22 MB.

    Parameters
    ----------
    folder : path-like, optional
        Where the files lie or go; by default ``downloads/plasticc`` in the folder that the environment variable
        ``CNDTS_CACHE`` names, else in the platform's cache folder. A file put there by hand is verified and used.
    download : bool, default=True
        Whether to download what is missing, resuming what was interrupted.
    progress : bool, default=True
        Show a bar on stderr, if somebody watches.
    **options
        Options of :func:`read_light_curves`, which says what is read, and how. The bands are named u, g, r, i, z
        and y, and ``objects`` is the table that comes along, unless you say otherwise.

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
    The checksums are the publisher's, which states MD5 alone, as public repositories quote them. The eleven files of the
    test set, of hundreds of megabytes each, are not fetched; once unpacked, :func:`read_light_curves` reads them. Licence:
    Creative Commons Attribution 4.0.

    Examples
    --------
    >>> panel = fetch_plasticc(errors="drop")  # doctest: +SKIP
    """
    curves, objects = fetch_files("plasticc", folder=folder, download=download, progress=progress)
    return read_light_curves(curves, **{"bands": _BANDS, "objects": objects, **options})
