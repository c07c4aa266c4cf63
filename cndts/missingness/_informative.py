"""Observations whose loss says something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._panel_required import check_is_panel
from cndts.missingness._choice import Seed, chosen_channels
from cndts.panel import IrregularPanel

_N_HALVINGS = 60


@overload
def drop_informative(
    panel: IrregularPanel,
    share: float = ...,
    *,
    strength: float = ...,
    depends_on: Literal["value", "previous"] = ...,
    channels: str | Sequence[str] | None = ...,
    random_state: Seed = ...,
    return_truth: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def drop_informative(
    panel: IrregularPanel,
    share: float = ...,
    *,
    strength: float = ...,
    depends_on: Literal["value", "previous"] = ...,
    channels: str | Sequence[str] | None = ...,
    random_state: Seed = ...,
    return_truth: Literal[True],
) -> tuple[IrregularPanel, NDArray[np.bool_]]: ...


def drop_informative(
    panel: IrregularPanel,
    share: float = 0.3,
    *,
    strength: float = 2.0,
    depends_on: Literal["value", "previous"] = "value",
    channels: str | Sequence[str] | None = None,
    random_state: Seed = 0,
    return_truth: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, NDArray[np.bool_]]:
    r"""Drop observations with a probability that depends on their value, or on the one before.

    With ``"value"`` the loss is not at random: low values are missing because they are low, as when only the sick are measured, and the
    mean of what is left is wrong. With ``"previous"`` the loss depends on what was seen before, so a
    model that reads it can make up for the loss.

    Parameters
    ----------
    panel : IrregularPanel
        Records; queries stay as they are.
    share : float, default=0.3
        Expected share of the observations of each channel that are lost, between 0 and 1.
    strength : float, default=2.0
        :math:`s` below. Positive: low values are lost more often; negative: high ones; 0: at random.
    depends_on : {"value", "previous"}, default="value"
        What the loss depends on. The first observation of a channel in a record has no previous one and counts as average.
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
        If ``share`` lies outside 0 to 1, or a setting is unknown.

    Notes
    -----
    An observation with standardised value :math:`z` (by channel, over the panel) is lost with probability

    .. math:: p = \frac{1}{1 + e^{-(b_c - s z)}}

    where :math:`b_c` is such that the mean of :math:`p` over the channel is the share.

    References
    ----------
    D. B. Rubin. "Inference and missing data." Biometrika 63:581-592, 1976: missing at random, and not at random.

    Examples
    --------
    >>> from cndts.datasets import make_oscillators
    >>> panel = make_oscillators(50)
    >>> left, kept = drop_informative(panel, 0.4, return_truth=True)
    >>> round(1 - float(kept.mean()), 1), bool(left.value.mean() > panel.value.mean() + 0.1)
    (0.4, True)
    """
    check_is_panel(panel)
    if not 0 <= share <= 1:
        raise ValueError(f"share must lie between 0 and 1; got {share!r}.")
    if depends_on not in ("value", "previous"):
        raise ValueError(f'depends_on must be "value" or "previous"; got {depends_on!r}.')
    if not np.isfinite(strength):
        raise ValueError(f"strength must be a finite number; got {strength!r}.")
    rng = np.random.default_rng(random_state)
    z = _standardised(panel) if depends_on == "value" else _previous(panel, _standardised(panel))
    chance = _chances(-strength * z, panel.channel, len(panel.channels), share)
    kept = (rng.random(panel.n_events) >= chance) | ~chosen_channels(panel, channels)[panel.channel]
    return (panel.where(kept), kept) if return_truth else panel.where(kept)


def _standardised(panel: IrregularPanel) -> NDArray[np.float64]:
    """Values in deviations from the mean of their channel; 0 where a channel does not vary."""
    values = pd.Series(panel.value.astype(np.float64)).groupby(panel.channel)
    spread = values.transform("std", ddof=0).to_numpy()
    return (panel.value - values.transform("mean").to_numpy()) / np.where(spread > 0, spread, np.inf)


def _previous(panel: IrregularPanel, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each event the number of the event before in its series; 0 for the first."""
    series = panel.record * len(panel.channels) + panel.channel
    return np.asarray(pd.Series(z).groupby(series).shift(1).fillna(0.0), dtype=np.float64)


def _chances(slope: NDArray, channel: NDArray, n_channels: int, share: float) -> NDArray[np.float64]:
    """Logistic probabilities whose mean in every channel is the share: the intercept is found by bisection."""
    if share in (0, 1):
        return np.full(len(slope), float(share))
    count = np.maximum(np.bincount(channel, minlength=n_channels), 1)
    reach = np.abs(slope).max(initial=0.0) + 50.0
    low, high = np.full(n_channels, -reach), np.full(n_channels, reach)
    for _ in range(_N_HALVINGS):
        middle = (low + high) / 2
        too_many = np.bincount(channel, _logistic(middle[channel] + slope), n_channels) / count > share
        low, high = np.where(too_many, low, middle), np.where(too_many, middle, high)
    return _logistic(middle[channel] + slope)


def _logistic(x: NDArray) -> NDArray[np.float64]:
    return np.asarray(0.5 + 0.5 * np.tanh(x / 2), dtype=np.float64)
