"""Tabular regressors on summaries of both sides of a query."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cndts.estimators._base_interpolator import BaseInterpolator
from cndts.estimators._ornstein_uhlenbeck_interpolator import fit_return, return_to_mean
from cndts.estimators._tabular_forecaster import TabularForecaster
from cndts.estimators._two_sided_features import (
    TwoSidedFeatures,
    two_sided_channel_feature_names,
    two_sided_feature_names,
)
from cndts.panel import IrregularPanel
from cndts.targets import Targets


class TwoSidedTabular(BaseInterpolator, TabularForecaster):
    """Correct :class:`OrnsteinUhlenbeckInterpolator` by a tabular model of features of both sides, one for each channel.

    A subclass mixes this in before a :class:`TabularForecaster` and inherits its ``_fit_channel``.

    Attributes
    ----------
    rates_, noise_shares_ : ndarray of shape (n_channels,)
        As of :class:`OrnsteinUhlenbeckInterpolator`, for the answer that the models correct.
    """

    def _fit_anchor(self, X: IrregularPanel, y: Targets) -> None:
        self.rates_, self.noise_shares_ = fit_return(X, y, self.channel_means_)

    def _anchor(self, X: IrregularPanel) -> NDArray[np.float64]:
        return return_to_mean(X, self.channel_means_, self.rates_, self.noise_shares_)

    def _summarise(self, X: IrregularPanel) -> TwoSidedFeatures:
        standard = X.scale_values(self.channel_means_, self.channel_scales_)
        return TwoSidedFeatures(standard, self.timescales_, self.static_)

    def _own_names(self) -> Sequence[str]:
        return two_sided_feature_names(len(self.timescales_), self.static_)

    def _channel_names(self, channels: Sequence[str], parts: Sequence[str]) -> Sequence[str]:
        return two_sided_channel_feature_names(channels, parts)
