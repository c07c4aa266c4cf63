"""Which events a mechanism acts on, and how strongly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cndts.panel import IrregularPanel

Seed = int | np.random.Generator | None
ByChannel = float | Mapping[str, float]


def chosen_channels(panel: IrregularPanel, channels: str | Sequence[str] | None) -> NDArray[np.bool_]:
    """Whether each channel is acted on, shape (n_channels,); all of them for None.

    Examples
    --------
    >>> panel = IrregularPanel([0], [], [], [], channels=["HR", "Temp"])
    >>> chosen_channels(panel, "Temp")
    array([False,  True])
    """
    if channels is None:
        return np.ones(len(panel.channels), dtype=bool)
    names = [channels] if isinstance(channels, str) else list(channels)
    _check_known(panel, names)
    return np.isin(np.asarray(panel.channels, dtype=object), names)


def by_channel(panel: IrregularPanel, given: ByChannel | None, default: float) -> NDArray[np.float64]:
    """A number for each channel, shape (n_channels,): one for all, or from a mapping; ``default`` where there is none."""
    if given is None:
        return np.full(len(panel.channels), default)
    if not isinstance(given, Mapping):
        return np.full(len(panel.channels), float(given))
    _check_known(panel, list(given))
    return np.array([float(given.get(name, default)) for name in panel.channels])


def shares(panel: IrregularPanel, share: ByChannel) -> NDArray[np.float64]:
    """Shares from 0 to 1 by channel."""
    found = by_channel(panel, share, 0.0)
    if not ((found >= 0) & (found <= 1)).all():
        raise ValueError(f"share must lie between 0 and 1; got {share!r}.")
    return found


def _check_known(panel: IrregularPanel, names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in panel.channels]
    if unknown:
        raise ValueError(f"unknown channels {unknown}; the panel has {list(panel.channels)}.")
