"""The times and channels that a panel asks for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cndts._ragged import as_record_index, read_only, record_of_row, take


@dataclass(frozen=True, eq=False)
class Queries:
    """Ragged list of (time, channel) pairs to predict, one segment a record.

    Parameters
    ----------
    offsets : ndarray of shape (n_records + 1,)
        Segment ``offsets[i]:offsets[i + 1]`` holds the queries of record ``i``.
    time : ndarray of shape (n_queries,)
        Query times in the panel's time unit; any order, repeats allowed.
    channel : ndarray of shape (n_queries,)
        Positions in the panel's ``channels``.

    Raises
    ------
    ValueError
        If lengths disagree, offsets fall, or a time is not finite.

    Examples
    --------
    >>> queries = Queries(np.array([0, 2, 3]), np.array([5.0, 6.0, 7.0]), np.array([0, 1, 0]))
    >>> len(queries), queries.n_queries, queries[1:].time
    (2, 3, array([7.]))
    """

    offsets: NDArray[np.int64]
    time: NDArray[np.float64]
    channel: NDArray[np.int32]

    def __post_init__(self) -> None:
        for name, dtype in (("offsets", np.int64), ("time", np.float64), ("channel", np.int32)):
            object.__setattr__(self, name, read_only(np.asarray(getattr(self, name), dtype=dtype)))
        if len(self.offsets) == 0 or self.offsets[0] != 0 or (np.diff(self.offsets) < 0).any():
            raise ValueError(f"query offsets must start with 0 and never fall; got {self.offsets}.")
        if not len(self.time) == len(self.channel) == self.offsets[-1]:
            raise ValueError(
                f"queries need one time and one channel each: offsets end at {self.offsets[-1]}, got "
                f"{len(self.time)} times and {len(self.channel)} channels."
            )
        wrong = ~np.isfinite(self.time)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise ValueError(f"query {row} has the time {self.time[row]}; query times must be finite numbers.")

    def __setstate__(self, state: dict[str, NDArray]) -> None:
        """Unpickled arrays are writable; make them read-only again."""
        for name, array in state.items():
            object.__setattr__(self, name, read_only(array))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def n_queries(self) -> int:
        """Number of queries over all records."""
        return len(self.time)

    @property
    def record(self) -> NDArray[np.int64]:
        """Record position of each query, shape (n_queries,)."""
        return record_of_row(self.offsets)

    def __getitem__(self, key: object) -> "Queries":
        offsets, rows = take(self.offsets, as_record_index(key, len(self)))
        return Queries(offsets, self.time[rows], self.channel[rows])
