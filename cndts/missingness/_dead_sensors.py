"""Sensors that fall silent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from cndts._panel_required import check_is_panel
from cndts.missingness._choice import ByChannel, Seed, chosen_channels, shares
from cndts.panel import IrregularPanel


@overload
def drop_dead_sensors(
    panel: IrregularPanel,
    share: ByChannel = ...,
    *,
    from_start: bool = ...,
    channels: str | Sequence[str] | None = ...,
    random_state: Seed = ...,
    return_truth: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def drop_dead_sensors(
    panel: IrregularPanel,
    share: ByChannel = ...,
    *,
    from_start: bool = ...,
    channels: str | Sequence[str] | None = ...,
    random_state: Seed = ...,
    return_truth: Literal[True],
) -> tuple[IrregularPanel, NDArray[np.float64]]: ...


def drop_dead_sensors(
    panel: IrregularPanel,
    share: ByChannel = 0.2,
    *,
    from_start: bool = False,
    channels: str | Sequence[str] | None = None,
    random_state: Seed = 0,
    return_truth: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, NDArray[np.float64]]:
    """Silence some channels of some records, from a random time on or from the start.

    Parameters
    ----------
    panel : IrregularPanel
        Records; queries stay as they are.
    share : float or mapping from channel to float, default=0.2
        Probability that a channel of a record dies, from 0 to 1; channels that the mapping lacks never do.
    from_start : bool, default=False
        Whether a dead sensor was never alive; otherwise it dies at a time uniform over the span of the record.
    channels : str or sequence of str, optional
        Channels to act on; all by default.
    random_state : int, numpy.random.Generator or None, default=0
        Seed.
    return_truth : bool, default=False
        Also return what was done.

    Returns
    -------
    panel : IrregularPanel
        The events before the end of their sensor.
    death : ndarray of shape (n_records, n_channels)
        Only with ``return_truth=True``: when each sensor died, in the panel's time unit; ``inf`` where it did not, ``-inf`` where it was
        never alive. Events at that time or later are lost.

    Raises
    ------
    ValueError
        If a share lies outside 0 to 1, or a channel is unknown.

    Examples
    --------
    >>> from cndts.datasets import make_oscillators
    >>> panel = make_oscillators(50)
    >>> left, death = drop_dead_sensors(panel, 0.5, return_truth=True)
    >>> death.shape, bool((left.time < death[left.record, left.channel]).all())
    ((50, 2), True)
    """
    check_is_panel(panel)
    rng = np.random.default_rng(random_state)
    shape = (len(panel), len(panel.channels))
    dies = (rng.random(shape) < shares(panel, share)) & chosen_channels(panel, channels)
    start = np.nan_to_num(panel.first_time)[:, None]
    span = np.nan_to_num(panel.last_time)[:, None] - start
    at = np.full(shape, -np.inf) if from_start else start + span * rng.random(shape)
    death = np.where(dies, at, np.inf)
    left = panel.where(panel.time < death[panel.record, panel.channel])
    return (left, death) if return_truth else left
