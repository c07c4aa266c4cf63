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
    *,
    at_least_one: bool = False,
) -> NDArray[np.int64]:
    """Draw records to be set aside.

    Parameters
    ----------
    records : ndarray of shape (n,)
        Positions to choose from.
    groups : ndarray of shape (n_records,) or None
        Groups of all records; a group is set aside whole or not at all.
    fraction : float
        Share of the records, or of the groups, rounded down; with ``at_least_one`` of the records in either case, as
        near as whole groups come.
    random : RandomState
        What to draw with.
    strata : ndarray of shape (n_records,), optional
        Classes of all records. Without groups each is drawn from in proportion, as far as its size and the share allow.
        Not with ``at_least_one``.
    at_least_one : bool, default=False
        Whether two records suffice to set one aside, whatever the share. Records of a single group are then drawn from
        one by one.

    Returns
    -------
    ndarray of shape (n_held,)
        Positions, rising.

    Examples
    --------
    >>> held_out(np.arange(4), np.array([0, 0, 1, 1]), 0.5, np.random.RandomState(0)) % 2
    array([0, 1])
    """
    if at_least_one:
        return records[_near_share(np.zeros(len(records)) if groups is None else groups[records], fraction, random)]
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


def _near_share(groups: NDArray, fraction: float, random: np.random.RandomState) -> NDArray[np.int64]:
    """Positions of groups drawn in turn, each where it brings their size nearer to the share; else of the smallest."""
    units = np.unique(groups, return_inverse=True)[1] if len(np.unique(groups)) > 1 else np.arange(len(groups))
    sizes, wanted = np.bincount(units), max(1, round(fraction * len(units)))
    if len(sizes) < 2:
        return np.zeros(0, dtype=np.int64)
    order, drawn, n_held = random.permutation(len(sizes)), [], 0
    for unit, size in zip(order, sizes[order].tolist(), strict=True):
        n_more = n_held + size
        if n_more < len(units) and abs(n_more - wanted) < abs(n_held - wanted):
            drawn.append(unit)
            n_held = n_more
    return np.flatnonzero(np.isin(units, drawn or order[sizes[order].argmin()]))
