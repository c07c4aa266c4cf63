"""Maps of the values of each channel that can be undone."""

from __future__ import annotations

from abc import abstractmethod
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from cndts.panel import IrregularPanel
from cndts.targets import Targets
from cndts.transforms._base import PanelTransformer
from cndts.transforms._fitted_channels import positions

Ragged = TypeVar("Ragged", IrregularPanel, Targets)


class ChannelScaler(PanelTransformer):
    """A rising map of the values of each channel that can be undone, fitted on training records.

    Scaled panels have no units; `inverse_transform` gives them back. In a plain pipeline a scaler changes ``X`` alone, and a forecaster
    behind it would be fitted to targets in other units than its context: put both into `TransformedTargetForecaster`, which scales ``y``
    too and brings forecasts back. A channel without training values stays as it is.

    A subclass implements ``_measure``, ``_forward`` and ``_backward``; the latter two take positions in ``channels_in_`` and values, both of
    shape (n,), and give float64 values.

    Attributes
    ----------
    units_in_ : dict of str to str
        Units of the training panel.
    """

    def _fit(self, X: IrregularPanel) -> None:
        self.units_in_ = X.units
        self._measure(X.channel, X.value.astype(np.float64), len(X.channels))

    @abstractmethod
    def _measure(self, channel: NDArray[np.int32], value: NDArray[np.float64], n_channels: int) -> None:
        """Learn the map of every channel."""

    @abstractmethod
    def _forward(self, channel: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale."""

    @abstractmethod
    def _backward(self, channel: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Undo `_forward`."""

    def _transform(self, X: IrregularPanel, place: NDArray[np.int64]) -> IrregularPanel:
        value = self._forward(place[X.channel], X.value.astype(np.float64))
        return IrregularPanel._trusted(X, value=value.astype(np.float32), units={})

    def transform_targets(self, y: Targets) -> Targets:
        """Scale targets like the events of their channels.

        Parameters
        ----------
        y : Targets
            In the units of the training panel; NaN stays NaN.

        Returns
        -------
        Targets
        """
        check_is_fitted(self, "channels_in_")
        return y.with_values(
            self._forward(positions(y.channels, self.channels_in_)[y.channel], y.value.astype(np.float64))
        )

    def inverse_transform(self, X: Ragged) -> Ragged:
        """Bring scaled values back to the units of the training panel.

        Parameters
        ----------
        X : IrregularPanel or Targets
            Scaled events or forecasts.

        Returns
        -------
        IrregularPanel or Targets
        """
        check_is_fitted(self, "channels_in_")
        value = self.inverse_values(positions(X.channels, self.channels_in_)[X.channel], X.value)
        if isinstance(X, Targets):
            return X.with_values(value)
        units = {name: unit for name, unit in self.units_in_.items() if name in X.channels}
        return IrregularPanel._trusted(X, value=value.astype(np.float32), units=units)

    def inverse_values(self, channel: NDArray[np.integer], value: NDArray[np.floating]) -> NDArray[np.float64]:
        """Bring plain arrays back, such as quantiles: rising maps keep their order.

        Parameters
        ----------
        channel : ndarray of int, shape (n,)
            Positions in ``channels_in_``.
        value : ndarray of shape (n,) or (n, k)
            Scaled values.

        Returns
        -------
        ndarray of the shape of ``value``
        """
        check_is_fitted(self, "channels_in_")
        scaled: NDArray[np.float64] = np.array(value, dtype=np.float64)
        repeated = np.broadcast_to(np.reshape(channel, (-1,) + (1,) * (scaled.ndim - 1)), scaled.shape)
        return self._backward(repeated.ravel().astype(np.int64), scaled.ravel()).reshape(scaled.shape)
