"""From the least to the greatest value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cndts.transforms._linear_scaler import LinearScaler


class ChannelMinMaxScaler(LinearScaler):
    """Map the range of the training values of each channel onto an interval.

    See `ChannelScaler` for what scaling a panel means for targets. Later values may lie outside the interval. One extreme training
    value squeezes all others together: clip first, or use `ChannelRobustScaler`.

    Parameters
    ----------
    value_range : tuple of float, default=(0.0, 1.0)
        The interval.

    Attributes
    ----------
    data_min_, data_max_ : ndarray of shape (n_channels,)
        Range of the events of the training records, NaN for a channel without any.
    center_, scale_ : ndarray of shape (n_channels,)
        Value that becomes 0, and difference that becomes 1.

    Examples
    --------
    >>> from cndts import IrregularPanel
    >>> panel = IrregularPanel([0, 3], [0.0, 1.0, 2.0], [0, 0, 0], [60.0, 70.0, 80.0], channels=["HR"])
    >>> ChannelMinMaxScaler((-1.0, 1.0)).fit(panel).transform(panel).value
    array([-1.,  0.,  1.], dtype=float32)
    """

    def __init__(self, value_range: tuple[float, float] = (0.0, 1.0)) -> None:
        self.value_range = value_range

    def _measure(self, channel: NDArray[np.int32], value: NDArray[np.float64], n_channels: int) -> None:
        low, high = self.value_range
        if not low < high:
            raise ValueError(f"value_range must rise; got {self.value_range!r}. Try (0, 1).")
        least, most = np.full(n_channels, np.inf), np.full(n_channels, -np.inf)
        np.minimum.at(least, channel, value)
        np.maximum.at(most, channel, value)
        seen = least <= most
        self.data_min_, self.data_max_ = np.where(seen, least, np.nan), np.where(seen, most, np.nan)
        spread = np.where(seen & (most > least), most - least, 0.0)
        least = np.where(seen, least, 0.0)
        self._keep(least, spread / (high - low))
        shift = np.where(seen, low, 0.0)
        self.center_ = least - shift * self.scale_
