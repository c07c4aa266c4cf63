"""Observations lost completely at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from cndts._panel_required import check_is_panel
from cndts.missingness._choice import ByChannel, Seed, chosen_channels, shares
from cndts.panel import IrregularPanel


@overload
def drop_at_random(
    panel: IrregularPanel,
    share: ByChannel = ...,
    *,
    visits: bool = ...,
    channels: str | Sequence[str] | None = ...,
    random_state: Seed = ...,
    return_truth: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def drop_at_random(
    panel: IrregularPanel,
    share: ByChannel = ...,
    *,
    visits: bool = ...,
    channels: str | Sequence[str] | None = ...,
    random_state: Seed = ...,
    return_truth: Literal[True],
) -> tuple[IrregularPanel, NDArray[np.bool_]]: ...


def drop_at_random(
    panel: IrregularPanel,
    share: ByChannel = 0.3,
    *,
    visits: bool = False,
    channels: str | Sequence[str] | None = None,
    random_state: Seed = 0,
    return_truth: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, NDArray[np.bool_]]:
    """Drop observations completely at random: which ones are lost depends on nothing.

    Parameters
    ----------
    panel : IrregularPanel
        Records; queries stay as they are.
    share : float or mapping from channel to float, default=0.3
        Probability that an observation is lost, from 0 to 1; channels that the mapping lacks lose nothing.
    visits : bool, default=False
        Whether all observations of a record at one time are lost together. Then ``share`` is one number.
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
        If a share lies outside 0 to 1, a channel is unknown, or shares by channel are given for whole visits.

    References
    ----------
    D. B. Rubin. "Inference and missing data." Biometrika 63:581-592, 1976: missing completely at random.

    Examples
    --------
    >>> from cndts.datasets import make_oscillators
    >>> panel = make_oscillators(50)
    >>> left, kept = drop_at_random(panel, 0.4, return_truth=True)
    >>> bool(left.n_events == kept.sum()), round(1 - float(kept.mean()), 1)
    (True, 0.4)
    """
    check_is_panel(panel)
    rng = np.random.default_rng(random_state)
    chance = shares(panel, share)
    if not visits:
        draw = rng.random(panel.n_events)
    elif np.ptp(chance):
        raise ValueError(f"whole visits are lost with one probability; got shares by channel {share!r}.")
    else:
        is_new = np.ones(panel.n_events, dtype=bool)
        is_new[1:] = (np.diff(panel.record) != 0) | (np.diff(panel.time) != 0)
        draw = rng.random(int(is_new.sum()))[np.cumsum(is_new) - 1]
    kept = (draw >= chance[panel.channel]) | ~chosen_channels(panel, channels)[panel.channel]
    return (panel.where(kept), kept) if return_truth else panel.where(kept)
