"""The outcomes files of PhysioNet 2012."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cndts.datasets._physionet2012_format import MISSING, OUTCOME_COLUMNS, OUTCOMES_WITH_MISSING, RECORD_ID
from cndts.datasets._static_tables import text_table


def read_outcomes(
    paths: Sequence[str | os.PathLike[str]], records: pd.Index
) -> tuple[pd.DataFrame | None, dict[str, Any]]:
    """Outcomes of the given records (None without files) and counts for the report."""
    if not paths:
        return None, {}
    parts = [_read_one(Path(path)) for path in paths]
    table = pd.concat([part for part, _ in parts])
    repeated = table.index.duplicated()
    table = table[~repeated]
    counts = {
        "records_without_outcome": int((~records.isin(table.index)).sum()),
        "unused_outcomes": int((~table.index.isin(records)).sum()),
        "repeated_outcomes": int(repeated.sum()),
        "malformed_outcomes": sum(malformed for _, malformed in parts),
    }
    return table.reindex(records), counts


def _read_one(path: Path) -> tuple[pd.DataFrame, int]:
    raw = text_table(path, "an outcomes file")
    raw.columns = [str(name).strip() for name in raw.columns]
    known = [name for name in OUTCOME_COLUMNS if name in raw.columns]
    if RECORD_ID not in raw.columns or not known or raw.columns.has_duplicates:
        raise ValueError(
            f"{path} is no outcomes file of PhysioNet 2012: wanted the columns {RECORD_ID} and some of "
            f"{', '.join(OUTCOME_COLUMNS)}, got {', '.join(map(repr, raw.columns[:6]))}."
        )
    ids = pd.to_numeric(raw[RECORD_ID], errors="coerce").to_numpy(dtype=float)
    usable = np.isfinite(ids) & (np.abs(ids) < 2**53) & (ids == np.floor(ids))
    numbers = raw.loc[usable, known].apply(pd.to_numeric, errors="coerce").astype(np.float64)
    malformed = int((numbers.isna() & (raw.loc[usable, known] != "")).to_numpy().sum() + (~usable).sum())
    table = numbers.reindex(columns=list(OUTCOME_COLUMNS))
    table.index = pd.Index(ids[usable].astype(np.int64), name=RECORD_ID)
    for name in OUTCOMES_WITH_MISSING:
        table[name] = table[name].where(table[name] != MISSING)
    return table, malformed
