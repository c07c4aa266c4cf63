"""Mean 0 and deviation 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cndts.transforms._linear_scaler import LinearScaler


class ChannelStandardScaler(LinearScaler):
    """Subtract the mean of each channel and divide by its standard deviation.

    See `ChannelScaler` for what scaling a panel means for targets. A channel that does not vary is divided by 1.

    Attributes
    ----------
    center_, scale_ : ndarray of shape (n_channels,)
        Mean and standard deviation over the events of the training records.

    Examples
    --------
    >>> from cndts import IrregularPanel
    >>> panel = IrregularPanel([0, 3], [0.0, 1.0, 2.0], [0, 0, 1], [60.0, 80.0, 36.6], channels=["HR", "Temp"])
    >>> scaler = ChannelStandardScaler().fit(panel)
    >>> scaler.transform(panel).value, scaler.inverse_transform(scaler.transform(panel)).equals(panel)
    (array([-1.,  1.,  0.], dtype=float32), True)
    """

    def _measure(self, channel: NDArray[np.int32], value: NDArray[np.float64], n_channels: int) -> None:
        count = np.maximum(np.bincount(channel, minlength=n_channels), 1)
        mean = np.bincount(channel, value, n_channels) / count
        variance = np.bincount(channel, (value - mean[channel]) ** 2, n_channels) / count
        self._keep(mean, np.sqrt(variance))
