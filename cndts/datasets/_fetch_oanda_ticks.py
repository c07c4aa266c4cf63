"""OANDA's quotes from the LEAN project: fetch, verify, read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from cndts.datasets._fetch_files import check_parts, fetch_files
from cndts.datasets._tick_digests import TICK_DIGESTS
from cndts.datasets._ticks import read_ticks

PathLike = str | os.PathLike[str]


def fetch_oanda_ticks(
    pairs: Sequence[str] = ("eurusd", "nzdusd"),
    *,
    folder: PathLike | None = None,
    download: bool = True,
    progress: bool = True,
    **options: Any,
) -> Any:
    """Download and read OANDA's quotes of two currency pairs, 1 to 15 May 2014, about 6 MB.

    Parameters
    ----------
    pairs : sequence of {"eurusd", "nzdusd"}, default=("eurusd", "nzdusd")
        Which pairs; 13 days each.
    folder : path-like, optional
        Where the files lie or go; by default ``downloads/oanda-ticks`` in the folder that the environment variable
        ``CNDTS_CACHE`` names, else in the platform's cache folder. A file put there by hand is verified and used.
    download : bool, default=True
        Whether to download what is missing, resuming what was interrupted.
    progress : bool, default=True
        Show a bar on stderr, if somebody watches.
    **options
        Options of :func:`read_ticks`, which says what is read, and how.

    Returns
    -------
    panel : IrregularPanel
        And the report, with ``return_report=True``.

    Raises
    ------
    ConnectionError
        A file is missing and cannot be downloaded; the message says where to put it by hand.
    ValueError
        A file has another checksum than the one that is known, or the pairs are not known.

    Notes
    -----
    The files are sample data of the LEAN repository, one day a file. The quotes in them are known here byte for byte, in
    another packing; the archives themselves are recorded at the first download, and later ones are compared with that.
    Licence of the repository: Apache 2.0; OANDA's own terms are not stated there.

    Examples
    --------
    >>> panel = fetch_oanda_ticks(["eurusd"])  # doctest: +SKIP
    """
    wanted = check_parts("pairs", pairs, tuple(TICK_DIGESTS))
    names = [f"{day}_{pair}_quote.zip" for pair in wanted for day in TICK_DIGESTS[pair]]
    return read_ticks(
        fetch_files("oanda-ticks", only=names, folder=folder, download=download, progress=progress), **options
    )
