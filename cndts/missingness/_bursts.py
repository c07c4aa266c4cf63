"""Stretches of time in which nothing is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from cndts._panel_required import check_is_panel
from cndts.missingness._choice import Seed, chosen_channels
from cndts.panel import IrregularPanel


@overload
def drop_bursts(
    panel: IrregularPanel,
    n_bursts: float = ...,
    *,
    length: float,
    together: bool = ...,
    channels: str | Sequence[str] | None = ...,
    random_state: Seed = ...,
    return_truth: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def drop_bursts(
    panel: IrregularPanel,
    n_bursts: float = ...,
    *,
    length: float,
    together: bool = ...,
    channels: str | Sequence[str] | None = ...,
    random_state: Seed = ...,
    return_truth: Literal[True],
) -> tuple[IrregularPanel, NDArray[np.bool_]]: ...


def drop_bursts(
    panel: IrregularPanel,
    n_bursts: float = 1.0,
    *,
    length: float,
    together: bool = True,
    channels: str | Sequence[str] | None = None,
    random_state: Seed = 0,
    return_truth: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, NDArray[np.bool_]]:
    """Drop all observations in random stretches of time, as when a link is down or a patient is away.

    Parameters
    ----------
    panel : IrregularPanel
        Records; queries stay as they are.
    n_bursts : float, default=1.0
        Mean number of bursts in a record (Poisson), or in a channel of a record where channels fail apart. They begin anywhere
        between the first and last event of the record.
    length : float
        Mean length of a burst in the panel's time unit; lengths are exponential.
    together : bool, default=True
        Whether all channels fail at the same times.
    channels : str or sequence of str, optional
        Channels to act on; all by default.
    random_state : int, numpy.random.Generator or None, default=0
        Seed.
    return_truth : bool, default=False
        Also return what was done.

    Returns
    -------
    panel : IrregularPanel
        The events that are left.
    kept : ndarray of bool, shape (panel.n_events,)
        Only with ``return_truth=True``: which events of the given panel are left.

    Raises
    ------
    ValueError
        If ``n_bursts`` or ``length`` is negative or not finite, or a channel is unknown.

    Examples
    --------
    >>> from cndts.datasets import make_oscillators
    >>> panel = make_oscillators(50)
    >>> left, kept = drop_bursts(panel, 2, length=1.0, return_truth=True)
    >>> bool(np.diff(left.time).max() > np.diff(panel.time).max()), bool(kept.mean() < 0.95)
    (True, True)
    """
    check_is_panel(panel)
    if not (0 <= n_bursts < np.inf and 0 <= length < np.inf):
        raise ValueError(f"n_bursts and length must be 0 or more, and finite; got {n_bursts} and {length}.")
    rng = np.random.default_rng(random_state)
    n_series = 1 if together else len(panel.channels)
    number = rng.poisson(n_bursts, len(panel) * n_series)
    owner = np.repeat(np.arange(len(number)), number)
    start = np.nan_to_num(panel.first_time)
    span = np.nan_to_num(panel.last_time) - start
    record = owner // n_series if n_series else owner
    begin = start[record] + span[record] * rng.random(len(owner))
    end = begin + rng.exponential(length, len(owner))
    series = panel.record if together else panel.record * n_series + panel.channel
    kept = ~_inside(series, panel.time, owner, begin, end) | ~chosen_channels(panel, channels)[panel.channel]
    return (panel.where(kept), kept) if return_truth else panel.where(kept)


def _inside(series: NDArray, time: NDArray, owner: NDArray, begin: NDArray, end: NDArray) -> NDArray[np.bool_]:
    """Whether each time lies in a stretch of its own series: more stretches have begun than ended."""
    # numpy orders complex numbers by real, then imaginary part: one search serves all series
    at = series + 1j * time
    begun = np.searchsorted(np.sort(owner + 1j * begin), at, side="right")
    ended = np.searchsorted(np.sort(owner + 1j * end), at, side="left")
    return begun > ended
