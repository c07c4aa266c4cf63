"""Median 0 and interquartile range 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cndts.transforms._fitted_channels import segments
from cndts.transforms._linear_scaler import LinearScaler


class ChannelRobustScaler(LinearScaler):
    """Subtract the median of each channel and divide by the distance of two quantiles: mistyped values do no harm.

    See `ChannelScaler` for what scaling a panel means for targets. A channel whose quantiles agree is divided by 1.

    Parameters
    ----------
    quantile_range : tuple of float, default=(25.0, 75.0)
        The two quantiles, in percent.

    Attributes
    ----------
    center_, scale_ : ndarray of shape (n_channels,)
        Median and distance of the quantiles over the events of the training records.

    Examples
    --------
    >>> from cndts import IrregularPanel
    >>> panel = IrregularPanel([0, 5], range(5), [0] * 5, [7.2, 7.3, 7.4, 7.5, 735.0], channels=["pH"])
    >>> ChannelRobustScaler().fit(panel).transform(panel).value.round(2)[:4]
    array([-1. , -0.5,  0. ,  0.5], dtype=float32)
    """

    def __init__(self, quantile_range: tuple[float, float] = (25.0, 75.0)) -> None:
        self.quantile_range = quantile_range

    def _measure(self, channel: NDArray[np.int32], value: NDArray[np.float64], n_channels: int) -> None:
        low, high = self.quantile_range
        if not 0 <= low < high <= 100:
            raise ValueError(
                f"quantile_range must be two rising percentages; got {self.quantile_range!r}. Try (25, 75)."
            )
        found = [
            np.percentile(own, [low, 50, high]) if len(own) else np.array([0.0, 0.0, 1.0])
            for own in segments(channel, value, n_channels)
        ]
        lower, middle, upper = np.reshape(found, (n_channels, 3)).T
        self._keep(middle, upper - lower)
