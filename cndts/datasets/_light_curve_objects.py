"""The table of objects that comes with light curves: features and classes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cndts.datasets._sources import PathLike
from cndts.datasets._static_tables import read_static_table

CLASSES = ("target", "true_target", "class", "type")
_NAMES = ("object_id", "objectid", "oid", "object", "source_id", "snid", "id", "name")


def read_objects(path: PathLike, ids: pd.Index) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """Numbers of the objects, and their classes; None where the table has none."""
    table = read_static_table(path, _NAMES).reindex(ids)
    classes = [name for name in table.columns if str(name).lower() in CLASSES]
    numbers = table.drop(columns=classes).apply(pd.to_numeric, errors="coerce").astype(np.float64)
    numbers = numbers.loc[:, numbers.notna().any()]
    return (numbers if len(numbers.columns) else None), (table[classes] if classes else None)
