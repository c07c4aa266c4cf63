"""Tables of other libraries as pandas frames with numpy columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd


def as_pandas(frame: Any, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """A pandas frame from pandas, a mapping of columns, or anything that exports the Arrow stream interface."""
    if isinstance(frame, Mapping):
        frame = pd.DataFrame(dict(frame))
    if isinstance(frame, pd.DataFrame):
        return _numpy_backed(frame)
    if not hasattr(frame, "__arrow_c_stream__"):
        raise TypeError(
            f"got {type(frame).__name__}; give a pandas or polars DataFrame, an Arrow table, or a dict of columns"
            + (" (call collect() on the lazy frame)." if hasattr(frame, "collect") else ".")
        )
    try:
        import pyarrow as pa
    except ImportError as error:
        raise ImportError(
            f'reading a {type(frame).__name__} needs pyarrow: pip install "cndts[arrow]", or hand over a pandas frame.'
        ) from error
    table = pa.table(frame)
    if columns is not None:
        table = table.select([name for name in table.column_names if name in set(columns)])
    return table.to_pandas(date_as_object=False)


def _numpy_backed(frame: pd.DataFrame) -> pd.DataFrame:
    arrow = [position for position, dtype in enumerate(frame.dtypes) if isinstance(dtype, pd.ArrowDtype)]
    if not arrow:
        return frame
    import pyarrow as pa

    columns = {
        name: pa.array(column).to_pandas(date_as_object=False).set_axis(frame.index)
        if isinstance(column.dtype, pd.ArrowDtype)
        else column
        for name, column in frame.items()
    }
    return pd.DataFrame(columns, index=frame.index)
