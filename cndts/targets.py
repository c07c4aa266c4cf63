"""Ragged values at the query times of a panel: what to predict, or what was predicted."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cndts._ragged import as_record_index, read_only, record_of_row, take
from cndts.queries import Queries


class Targets:
    """Values at (record, time, channel) queries, one segment a record.

    scikit-learn may slice it by record (``len(y)`` is the number of records), and ``np.asarray(y)`` gives the
    values of all records in one dimension, in the order of the queries.

    Parameters
    ----------
    queries : Queries
        Times and channels, ragged over records.
    value : array-like of shape (n_targets,)
        One value per query; NaN where the value is not known.
    records : pandas.Index of length n_records
        Record identifiers.
    channels : sequence of str
        Channel names that ``queries.channel`` points into.

    Examples
    --------
    >>> queries = Queries(np.array([0, 2, 3]), np.array([5.0, 6.0, 7.0]), np.array([0, 1, 0]))
    >>> y = Targets(queries, [1.0, 2.0, 3.0], pd.Index(["a", "b"]), ["HR", "Temp"])
    >>> len(y), np.asarray(y[1:])
    (2, array([3.], dtype=float32))
    >>> y.to_frame()
      record  time channel  value
    0      a   5.0      HR    1.0
    1      a   6.0    Temp    2.0
    2      b   7.0      HR    3.0
    """

    def __init__(self, queries: Queries, value: ArrayLike, records: pd.Index, channels: Sequence[str]) -> None:
        self.queries = queries
        self.value = read_only(np.asarray(value, dtype=np.float32))
        self.records = records
        self.channels = tuple(channels)
        if self.value.shape != (queries.n_queries,) or len(records) != len(queries):
            raise ValueError(
                f"targets need one value per query and one id per record: got {self.value.shape} values for "
                f"{queries.n_queries} queries and {len(records)} ids for {len(queries)} records."
            )

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Segment bounds, shape (n_records + 1,)."""
        return self.queries.offsets

    @property
    def time(self) -> NDArray[np.float64]:
        """Target times in the panel's time unit, shape (n_targets,)."""
        return self.queries.time

    @property
    def channel(self) -> NDArray[np.int32]:
        """Channel position of each target, shape (n_targets,)."""
        return self.queries.channel

    @property
    def record(self) -> NDArray[np.int64]:
        """Record position of each target, shape (n_targets,)."""
        return record_of_row(self.offsets)

    @property
    def shape(self) -> tuple[int]:
        """``(n_records,)``: what scikit-learn counts and slices."""
        return (len(self),)

    def __setstate__(self, state: dict[str, object]) -> None:
        """Unpickled arrays are writable; make them read-only again."""
        self.__dict__.update(state)
        self.value = read_only(self.value)

    def __len__(self) -> int:
        return len(self.queries)

    def __getitem__(self, key: object) -> "Targets":
        if isinstance(key, tuple):
            key = key[0]
        if isinstance(key, (int, np.integer)):
            key = [key]
        index = as_record_index(key, len(self))
        _, rows = take(self.offsets, index)
        return Targets(self.queries[index], self.value[rows], self.records[index], self.channels)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray:
        if copy is False and dtype is not None and np.dtype(dtype) != self.value.dtype:
            raise ValueError(f"targets are {self.value.dtype}; converting to {dtype} needs a copy.")
        return np.array(self.value, dtype=dtype) if copy else np.asarray(self.value, dtype=dtype)

    def with_values(self, value: ArrayLike) -> "Targets":
        """The same queries with other values, for example predictions."""
        return Targets(self.queries, value, self.records, self.channels)

    def to_frame(self) -> pd.DataFrame:
        """One row per target with columns record, time, channel, value."""
        return pd.DataFrame(
            {
                "record": self.records.take(self.record),
                "time": np.array(self.time),
                "channel": np.asarray(self.channels, dtype=object)[self.channel],
                "value": np.array(self.value),
            }
        )

    def __repr__(self) -> str:
        return f"Targets({len(self)} records, {len(self.value)} targets, {len(self.channels)} channels)"
