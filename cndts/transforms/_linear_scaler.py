"""Scalers that subtract and divide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cndts.transforms._channel_scaler import ChannelScaler


class LinearScaler(ChannelScaler):
    """A scaler with ``center_`` and ``scale_``, both of shape (n_channels,) and in the units of the channels."""

    center_: NDArray[np.float64]
    scale_: NDArray[np.float64]

    def _keep(self, center: NDArray[np.float64], scale: NDArray[np.float64]) -> None:
        """Remember; a spread of nothing, or of what rounding to float32 makes of a constant, scales by 1."""
        varies = scale > 1e-6 * np.maximum(np.abs(center), 1e-12)
        self.center_, self.scale_ = np.nan_to_num(center), np.where(varies, scale, 1.0)

    def _forward(self, channel: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
        return (value - self.center_[channel]) / self.scale_[channel]

    def _backward(self, channel: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
        return value * self.scale_[channel] + self.center_[channel]
