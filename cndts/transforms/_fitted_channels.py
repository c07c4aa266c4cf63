"""What a transformer knows of the panel it was fitted on, and checks of what it is given later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from cndts.panel import IrregularPanel


def check_panel(X: object) -> IrregularPanel:
    """Refuse anything that is not a panel."""
    if not isinstance(X, IrregularPanel):
        raise TypeError(
            f"X must be an IrregularPanel; got {type(X).__name__}. "
            "Build one with IrregularPanel.from_long(frame) or IrregularPanel.from_wide(frame)."
        )
    return X


def remember_panel(transformer: Any, X: object) -> IrregularPanel:
    """Note what a transformer is fitted to; refuse anything but a panel with records."""
    X = check_panel(X)
    if len(X) == 0:
        raise ValueError(
            f"X has no records (n_samples=0); {type(transformer).__name__} needs at least one to be fitted. "
            "Records without events are fine."
        )
    transformer.channels_in_ = X.channels
    transformer.feature_names_in_ = np.asarray(X.channels, dtype=object)
    transformer.n_features_in_ = len(X.channels)
    transformer.time_unit_in_ = X.time_unit
    return X


def check_alike(transformer: Any, X: object) -> IrregularPanel:
    """Refuse what a transformer was not fitted to: anything but a panel with times in the same unit."""
    check_is_fitted(transformer, "channels_in_")
    X = check_panel(X)
    if X.time_unit != transformer.time_unit_in_:
        raise ValueError(
            f"X has times in {X.time_unit!r}, the {type(transformer).__name__} was fitted on times in "
            f"{transformer.time_unit_in_!r}; build both panels with the same time_unit."
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
