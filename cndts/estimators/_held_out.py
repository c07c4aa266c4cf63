"""Which training records select the epoch."""

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupShuffleSplit, StratifiedShuffleSplit


def held_out(
    records: NDArray[np.int64],
    groups: NDArray | None,
    fraction: float,
    random: np.random.RandomState,
    strata: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Draw records to be set aside.

    Parameters
    ----------
    records : ndarray of shape (n,)
        Positions to choose from.
    groups : ndarray of shape (n_records,) or None
        Groups of all records; a group is set aside whole or not at all.
    fraction : float
        Share of the records, or of the groups, rounded down.
    random : RandomState
        What to draw with.
    strata : ndarray of shape (n_records,), optional
        Classes of all records. Without groups each is drawn from in proportion, as far as its size and the share allow.

    Returns
    -------
    ndarray of shape (n_held,)
        Positions, rising.

    Examples
    --------
    >>> held_out(np.arange(4), np.array([0, 0, 1, 1]), 0.5, np.random.RandomState(0)) % 2
    array([0, 1])
    """
    units = records if groups is None else groups[records]
    n_held = int(fraction * len(np.unique(units)))
    if n_held == 0:
        return np.zeros(0, dtype=np.int64)
    if groups is None and strata is not None:
        sizes = np.unique(strata[records], return_counts=True)[1]
        if sizes.min() > 1 and len(sizes) <= min(n_held, len(records) - n_held):
            stratified = StratifiedShuffleSplit(1, test_size=n_held, random_state=random)
            return np.sort(records[next(stratified.split(records, strata[records]))[1]])
    splitter = GroupShuffleSplit(1, test_size=n_held, random_state=random)
    return np.sort(records[next(splitter.split(records, groups=units))[1]])
