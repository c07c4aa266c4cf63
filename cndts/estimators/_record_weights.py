"""Weights of records in a loss."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def record_weights(n_records: int, sample_weight: ArrayLike | None) -> NDArray[np.float64]:
    """Check weights; all are 1 where none are given.

    Parameters
    ----------
    n_records : int
        Number of records.
    sample_weight : array-like of shape (n_records,) or None
        Weights given by the user.

    Returns
    -------
    ndarray of shape (n_records,)

    Raises
    ------
    ValueError
        If the weights do not fit the records, are negative or not finite, or are all zero.

    Examples
    --------
    >>> record_weights(3, [1, 2, 3])
    array([1., 2., 3.])
    """
    weight = np.ones(n_records) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n_records,):
        raise ValueError(
            f"sample_weight must have one weight per record, shape ({n_records},); got shape {weight.shape}. "
            "Slice it by the same records as X."
        )
    wrong = np.flatnonzero(~np.isfinite(weight) | (weight < 0))
    if len(wrong):
        raise ValueError(
            f"sample_weight must be finite and at least 0; got {weight[wrong[0]]} at record {wrong[0]}. "
            "Use 0 to leave a record out."
        )
    if not weight.any():
        raise ValueError(f"all {n_records} weights in sample_weight are 0; records of zero weight teach nothing.")
    return weight
