"""What a transformer knows of the panel it was fitted on, and checks of what it is given later."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cndts.panel import IrregularPanel


def check_panel(X: object) -> IrregularPanel:
    """Refuse anything that is not a panel."""
    if not isinstance(X, IrregularPanel):
        raise TypeError(
            f"X must be an IrregularPanel; got {type(X).__name__}. "
            "Build one with IrregularPanel.from_long(frame) or IrregularPanel.from_wide(frame)."
        )
    return X


def positions(channels: Sequence[str], fitted: Sequence[str]) -> NDArray[np.int64]:
    """Where each channel stands among the fitted ones, shape (n_channels,); an error for those that were not fitted."""
    known = {name: at for at, name in enumerate(fitted)}
    unknown = [name for name in channels if name not in known]
    if unknown:
        raise ValueError(
            f"X has channels that the transformer was not fitted on: {unknown}. Known channels: {list(fitted)}. "
            "Fit it on a panel that lists them; missing channels are fine."
        )
    return np.array([known[name] for name in channels], dtype=np.int64)


def check_names(given: Sequence[str], channels: Sequence[str], what: str) -> None:
    """Refuse settings for channels that the panel does not have."""
    unknown = [name for name in given if name not in channels]
    if unknown:
        raise ValueError(f"{what} names unknown channels {unknown}; the panel has {list(channels)}.")


def segments(channel: NDArray, value: NDArray, n_channels: int) -> list[NDArray[np.float64]]:
    """The sorted values of each channel, as a list over channels."""
    order = np.lexsort((value, channel))
    ends = np.cumsum(np.bincount(channel, minlength=n_channels))
    return np.split(value[order].astype(np.float64), ends[:-1]) if n_channels else []
