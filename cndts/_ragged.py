"""Row selection in ragged arrays stored as offsets into flat arrays."""

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.int64]
RowIndex = NDArray[np.int64]


def as_record_index(key: object, n_records: int) -> slice | RowIndex:
    """Turn a scikit-learn row key into a forward slice or an integer array.

    Neighbours in order become slices with step 1, so that the flat arrays behind them can be viewed, not copied.
    """
    if isinstance(key, slice):
        start, stop, step = key.indices(n_records)
        if step == 1:
            return slice(start, max(start, stop))
        return np.arange(start, stop, step, dtype=np.int64)
    index = np.asarray(key)
    if index.ndim != 1:
        raise IndexError(f"a record key must be one-dimensional; got shape {index.shape}. Index records with one axis.")
    if index.dtype == bool:
        if len(index) != n_records:
            raise IndexError(
                f"a boolean record key needs one entry per record ({n_records}); got {len(index)} entries."
            )
        return _as_slice(np.flatnonzero(index))
    if index.size == 0:
        return np.zeros(0, dtype=np.int64)
    if not np.issubdtype(index.dtype, np.integer):
        raise IndexError(f"records are indexed by position (integers or booleans); got dtype {index.dtype}.")
    index = index.astype(np.int64)
    wrong = (index < -n_records) | (index >= n_records)
    if wrong.any():
        raise IndexError(f"record position {index[wrong][0]} is out of range for {n_records} records.")
    return _as_slice(np.where(index < 0, index + n_records, index))


def _as_slice(index: RowIndex) -> slice | RowIndex:
    """A slice in place of neighbours in order."""
    if len(index) and (np.diff(index) == 1).all():
        return slice(int(index[0]), int(index[-1]) + 1)
    return index


def take(offsets: Offsets, index: slice | RowIndex) -> tuple[Offsets, slice | RowIndex]:
    """Select records: return the new offsets and the key of their rows in the flat arrays."""
    if isinstance(index, slice):
        kept = offsets[index.start : index.stop + 1] if index.stop > index.start else offsets[:1]
        return kept - kept[0], slice(int(kept[0]), int(kept[-1]))
    lengths = np.diff(offsets)[index]
    new = offsets_from_lengths(lengths)
    rows = np.arange(new[-1], dtype=np.int64) + np.repeat(offsets[:-1][index] - new[:-1], lengths)
    return new, rows


def offsets_from_lengths(lengths: NDArray[np.int64]) -> Offsets:
    """Offsets ``0, l0, l0 + l1, ...`` of records with the given lengths."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def record_of_row(offsets: Offsets) -> RowIndex:
    """Position of the record that each flat row belongs to."""
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def read_only(array: NDArray) -> NDArray:
    """A view of the array that refuses writes."""
    view = array.view()
    view.flags.writeable = False
    return view
