"""Gaussian output."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from cndts.heads._anchored_mean import AnchoredMean
from cndts.heads.head import Head


class GaussianForecast(NamedTuple):
    """Mean and log standard deviation, each of shape (n_queries,), in standardised units."""

    mean: Tensor
    log_std: Tensor


class GaussianHead(Head):
    r"""Normal distribution at each query.

    The spread is fitted by the negative log likelihood with the mean held fixed; the mean has its own loss. Fitting both by
    the likelihood starves the mean where the spread is large (Seitzer et al., *On the Pitfalls of Heteroscedastic
    Uncertainty Estimation*, ICLR 2022, section 3).

    Parameters
    ----------
    width, n_anchors : int
        Length of the state, number of anchors.
    dropout : float
        Dropout rate.

    Examples
    --------
    >>> head = GaussianHead(width=4, n_anchors=2, dropout=0.0)
    >>> head.quantiles(GaussianForecast(torch.zeros(1), torch.zeros(1)), [0.5, 0.975])
    tensor([[0.0000, 1.9600]])
    """

    def __init__(self, width: int, n_anchors: int, dropout: float) -> None:
        super().__init__()
        self.mean = AnchoredMean(width, n_anchors, 1, dropout)

    def forward(self, state: Tensor, anchors: Tensor) -> GaussianForecast:
        """Forecast from states (n_queries, width) and anchors (n_queries, n_anchors)."""
        mean, more = self.mean(state, anchors)
        # Between e^-6 and e^4 training deviations: outside, the likelihood of a single outlier overflows float32.
        return GaussianForecast(mean, more.squeeze(-1).clamp(-6, 4))

    def loss(self, forecast: GaussianForecast, target: Tensor) -> Tensor:
        """Negative log likelihood of the spread, shape (n_queries,)."""
        scaled = (target - forecast.mean.detach()) * torch.exp(-forecast.log_std)
        return 0.5 * scaled.square() + forecast.log_std + 0.5 * math.log(2 * math.pi)

    def average(self, forecasts: list[GaussianForecast]) -> GaussianForecast:
        """The normal distribution with mean and variance of the equal mixture."""
        means = torch.stack([forecast.mean for forecast in forecasts])
        variances = torch.stack([forecast.log_std for forecast in forecasts]).mul(2).exp()
        variance = variances.mean(0) + means.var(0, unbiased=False)
        return GaussianForecast(means.mean(0), 0.5 * variance.log())

    def quantiles(self, forecast: GaussianForecast, levels: list[float]) -> Tensor:
        """Quantiles of shape (n_queries, n_levels)."""
        score = torch.special.ndtri(torch.tensor(levels, dtype=torch.float64)).to(forecast.mean)
        return forecast.mean[:, None] + forecast.log_std.exp()[:, None] * score
