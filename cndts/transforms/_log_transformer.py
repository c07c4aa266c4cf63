"""Logarithms of positive channels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cndts.transforms._channel_scaler import ChannelScaler
from cndts.transforms._fitted_channels import check_names


class ChannelLogTransformer(ChannelScaler):
    r"""Natural logarithms of channels whose values are positive, such as concentrations; other channels stay as they are.

    A later value that is not positive counts as half of the least training value of its channel. See `ChannelScaler` for what
    transforming a panel means for targets.

    Parameters
    ----------
    channels : sequence of str, optional
        Channels to transform; by default all whose training values are all positive.

    Attributes
    ----------
    is_log_ : ndarray of bool, shape (n_channels,)
        Which channels are transformed.
    floor_ : ndarray of shape (n_channels,)
        What a value that is not positive counts as: half of the least training value.

    Raises
    ------
    ValueError
        At ``fit``, if a channel asked for is unknown or has training values that are not positive.

    Examples
    --------
    >>> from cndts import IrregularPanel
    >>> panel = IrregularPanel([0, 3], [0.0, 1.0, 2.0], [0, 0, 1], [1.0, 100.0, -3.0], channels=["CRP", "BE"])
    >>> log = ChannelLogTransformer().fit(panel)
    >>> log.is_log_, log.transform(panel).value.round(2)
    (array([ True, False]), array([ 0.  ,  4.61, -3.  ], dtype=float32))
    """

    def __init__(self, channels: Sequence[str] | None = None) -> None:
        self.channels = channels

    def _measure(self, channel: NDArray[np.int32], value: NDArray[np.float64], n_channels: int) -> None:
        least = np.full(n_channels, np.inf)
        np.minimum.at(least, channel, value)
        positive = (least > 0) & (least < np.inf)
        self.is_log_ = positive if self.channels is None else self._asked(self.channels, least)
        self.floor_ = np.where(self.is_log_ & positive, least / 2, np.finfo(np.float32).tiny)

    def _asked(self, channels: Sequence[str], least: NDArray[np.float64]) -> NDArray[np.bool_]:
        check_names(channels, self.channels_in_, "channels")
        asked = np.isin(np.asarray(self.channels_in_, dtype=object), list(channels))
        wrong = np.flatnonzero(asked & ~(least > 0))
        if len(wrong):
            raise ValueError(
                f"channel {self.channels_in_[wrong[0]]!r} has the training value {least[wrong[0]]:g}, and only positive "
                "values have a logarithm. Leave it out, or clip it first with ValueClipper."
            )
        return asked

    def _forward(self, channel: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
        known = np.where(value <= 0, self.floor_[channel], value)
        return np.where(self.is_log_[channel], np.log(np.where(self.is_log_[channel], known, 1.0)), value)

    def _backward(self, channel: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(self.is_log_[channel], np.exp(np.where(self.is_log_[channel], value, 0.0)), value)
