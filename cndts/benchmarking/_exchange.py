"""Panels with their targets as plain arrays on disk, so that another process can read them without unpickling."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._whole_file import whole_file
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.targets import Targets

_EVENTS = ("offsets", "time", "channel", "value")


def write_arrays(path: Path, **arrays: NDArray[Any]) -> None:
    """Write an ``.npz`` whole or not at all."""
    with whole_file(path) as unfinished, open(unfinished, "wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]


def write_json(path: Path, content: object) -> None:
    """Write JSON whole or not at all."""
    with whole_file(path) as unfinished:
        unfinished.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def write_task(path: Path, X: IrregularPanel, y: Targets) -> None:
    """Write context, queries and target values.

    Records are numbered by position: a model has no use for their names. Outcomes stay behind, as they are no input.
    """
    arrays = {name: np.asarray(getattr(X, name)) for name in _EVENTS}
    arrays |= {f"query_{name}": np.asarray(getattr(y.queries, name)) for name in ("offsets", "time", "channel")}
    arrays |= {f"static_{i}": _plain(column) for i, (_, column) in enumerate(X.static.items())}
    if X.groups is not None:
        arrays["groups"] = _plain(pd.Series(X.groups))
    about = {
        "channels": list(X.channels),
        "units": X.units,
        "static": [str(name) for name in X.static.columns],
        "time_unit": X.time_unit,
        "origin": None if X.origin is None else [type(X.origin).__name__, X.origin.isoformat()],
    }
    write_arrays(path, about=np.array(json.dumps(about)), target=np.asarray(y.value), **arrays)


def read_task(path: Path) -> tuple[IrregularPanel, Targets]:
    """Read what :func:`write_task` wrote."""
    with np.load(path, allow_pickle=False) as file:
        about = json.loads(str(file["about"]))
        static = pd.DataFrame({name: file[f"static_{i}"] for i, name in enumerate(about["static"])})
        queries = Queries(file["query_offsets"], file["query_time"], file["query_channel"])
        panel = IrregularPanel(
            *(file[name] for name in _EVENTS),
            channels=about["channels"],
            units=about["units"],
            static=static if len(static.columns) else None,
            time_unit=about["time_unit"],
            origin=None if about["origin"] is None else _origin(*about["origin"]),
            groups=file.get("groups"),
            queries=queries,
        )
        return panel, Targets(queries, file["target"], panel.records, panel.channels)


def _origin(kind: str, text: str) -> pd.Timestamp | pd.Timedelta:
    return pd.Timedelta(text) if kind == "Timedelta" else pd.Timestamp(text)


def _plain(column: pd.Series) -> NDArray[Any]:
    """Numbers and truth values as they are, everything else as text."""
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        return column.astype(str).to_numpy(dtype=np.str_)
    return column.to_numpy(dtype=np.float64, na_value=np.nan)
