"""What protocols scale values by: statistics of every channel over all events."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cndts.panel import IrregularPanel

Floats = NDArray[np.float64]


def min_and_range(panel: IrregularPanel) -> tuple[Floats, Floats]:
    """Minimum and range of every channel, a range of zero as 1e-8; 0 and 1 for a channel without events."""
    low, high = _extremes(panel)
    return low, np.where(high == low, 1e-8, high - low)


def min_and_max(panel: IrregularPanel) -> tuple[Floats, Floats]:
    """Minimum and maximum of every channel, a maximum of zero as 1; 0 and 1 for a channel without events."""
    low, high = _extremes(panel)
    return low, np.where(high == 0, 1.0, high)


def mean_and_deviation(panel: IrregularPanel, ddof: int = 0) -> tuple[Floats, Floats]:
    """Mean and standard deviation of every channel; NaN for a deviation that is not positive, 0 for an empty mean."""
    n_channels = len(panel.channels)
    count = np.bincount(panel.channel, minlength=n_channels)
    value = panel.value.astype(np.float64)
    mean = np.bincount(panel.channel, value, minlength=n_channels) / np.maximum(count, 1)
    square = np.bincount(panel.channel, (value - mean[panel.channel]) ** 2, minlength=n_channels)
    deviation = np.sqrt(square / np.maximum(count - ddof, 1))
    return mean, np.where(deviation > 0, deviation, np.nan)


def _extremes(panel: IrregularPanel) -> tuple[Floats, Floats]:
    low, high = np.full(len(panel.channels), np.inf), np.full(len(panel.channels), -np.inf)
    channel, value = panel.channel.astype(np.int64), panel.value.astype(np.float64)
    np.minimum.at(low, channel, value)
    np.maximum.at(high, channel, value)
    return np.where(low > high, 0.0, low), np.where(low > high, 1.0, high)
