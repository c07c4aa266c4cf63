"""Repeated observations of one channel at one time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cndts._panel_validation import faults

Duplicates = Literal["error", "mean", "first", "last", "keep"]


def check_policy(policy: str) -> None:
    """Refuse a policy that does not exist."""
    if policy not in get_args(Duplicates):
        raise ValueError(f"duplicates must be one of {list(get_args(Duplicates))}; got {policy!r}.")


def settle_duplicates(
    codes: NDArray[np.int64],
    time: NDArray[np.float64],
    position: NDArray,
    values: NDArray,
    policy: Duplicates,
    names: Sequence[str],
    place: Callable[[int], str],
) -> tuple[NDArray[np.int64] | None, NDArray]:
    """Events that stay (None for all) and their values, from events sorted by record and time.

    The event that stays is the one that came first, whatever value it takes, so that the order of the others holds.
    """
    check_policy(policy)
    if policy == "keep":
        return None, values
    order, first = _repeats(codes, time, position)
    if first.all():
        return None, values
    if policy == "error":
        raise ValueError(_message(order, first, time, position, names, place))
    run = np.cumsum(first) - 1
    leaders = order[first]
    values = values.astype(np.float64)
    if policy == "mean":
        values[leaders] = np.bincount(run, weights=values[order]) / np.bincount(run)
    elif policy == "last":
        last = np.append(first[1:], True)
        values[leaders] = values[order[last]]
    gone = np.zeros(len(codes), dtype=bool)
    gone[order[~first]] = True
    survivors = np.flatnonzero(~gone)
    return survivors, values[survivors]


def _repeats(
    codes: NDArray[np.int64], time: NDArray[np.float64], position: NDArray
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Events that share record and time with another, ordered by channel; and which of them begin a run."""
    tied = (codes[1:] == codes[:-1]) & (time[1:] == time[:-1])
    candidates = np.flatnonzero(np.append(tied, False) | np.insert(tied, 0, False)) if len(codes) else np.zeros(0, int)
    # the block of equal record and time keeps blocks apart in one key
    block = np.cumsum(~np.insert(tied, 0, False))[candidates] if len(codes) else candidates
    order = np.lexsort((position[candidates], block))
    channel, block = position[candidates][order], block[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (channel[1:] != channel[:-1]) | (block[1:] != block[:-1])
    return candidates[order], first


def _message(
    order: NDArray[np.int64],
    first: NDArray[np.bool_],
    time: NDArray[np.float64],
    position: NDArray,
    names: Sequence[str],
    place: Callable[[int], str],
) -> str:
    repeated = np.zeros(len(time), dtype=bool)
    repeated[order[~first]] = True
    event = int(np.flatnonzero(repeated)[0])
    text = f"repeats the channel {names[position[event]]!r} at time {time[event]:g}"
    return (
        faults(repeated, place, text)
        + " Choose duplicates='mean', 'first', 'last' or 'keep', or drop the repeated rows."
    )
