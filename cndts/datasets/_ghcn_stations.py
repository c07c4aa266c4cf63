"""The table of stations of GHCN-Daily."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from cndts.datasets._sources import with_line_feeds

_COLUMNS = {"Latitude": slice(12, 20), "Longitude": slice(21, 30), "Elevation": slice(31, 37)}
_UNKNOWN_ELEVATION = -999.9


def read_stations(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Coordinates by station id.

    Parameters
    ----------
    path : path-like
        ``ghcnd-stations.txt`` as published.

    Returns
    -------
    DataFrame
        Columns Latitude, Longitude (degrees) and Elevation (m, NaN where the file says -999.9).

    Raises
    ------
    ValueError
        If no line has coordinates where the readme says.
    """
    # only line feeds end lines here: a name may hold any of the other characters at which str.splitlines splits
    lines = with_line_feeds(Path(path).read_bytes()).decode("latin-1").split("\n")
    numbers = {
        name: pd.to_numeric(pd.Series([line[place] for line in lines], dtype=object), errors="coerce")
        for name, place in _COLUMNS.items()
    }
    table = pd.DataFrame(numbers, dtype=np.float64).set_axis([line[:11] for line in lines], axis=0)
    table = table[table["Latitude"].abs().le(90) & table["Longitude"].abs().le(180)]
    if table.empty:
        raise ValueError(
            f"{path} is no table of stations: wanted ghcnd-stations.txt as published, with an id in the columns 1 to 11, "
            "latitude in 13 to 20 and longitude in 22 to 30."
        )
    table["Elevation"] = table["Elevation"].where(table["Elevation"] != _UNKNOWN_ELEVATION)
    return table[~table.index.duplicated()]
