"""Random numbers that belong to a record, wherever the record stands in its panel."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def record_keys(records: pd.Index, random_state: int | None) -> NDArray[np.uint64]:
    """One 64-bit key per record, from the seed and the record's id alone."""
    seed = np.random.SeedSequence(random_state).generate_state(1, np.uint64)
    ids = records.infer_objects()
    if ids.dtype.kind == "i":
        ids = ids.astype(np.int64)
    return _mix(pd.util.hash_pandas_object(ids, index=False).to_numpy().astype(np.uint64) ^ seed)


def uniform(keys: NDArray[np.uint64], counter: NDArray[np.int64] | int) -> NDArray[np.float64]:
    """Numbers in [0, 1): the ``counter``-th of the sequence that each key starts.

    The sequence is SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, figure 17).
    """
    bits = _mix(keys + (np.asarray(counter).astype(np.uint64) + np.uint64(1)) * _GOLDEN)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def shuffled_within(record: NDArray[np.int64], draws: NDArray[np.float64], n_records: int) -> NDArray[np.int64]:
    """Order of the rows by record, and by draw within a record.

    Record and leading bits of the draw form one integer, which sorts ten times faster than two keys. The number of
    bits does not vary with the panel below 16 million records, so that a subset keeps its order.
    """
    bits = 63 - max(24, n_records.bit_length())
    return np.argsort((record << bits) | (draws * 2.0**bits).astype(np.int64), kind="stable")


def _mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
