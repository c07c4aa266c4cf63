"""Quantile output."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from cndts.heads._anchored_mean import AnchoredMean
from cndts.heads.head import Head

LEVELS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)


class QuantileForecast(NamedTuple):
    """Mean of shape (n_queries,) and quantiles at ``LEVELS`` of shape (n_queries, 9), in standardised units."""

    mean: Tensor
    at_levels: Tensor


class QuantileHead(Head):
    r"""Nine quantiles at each query, which never cross, beside the mean.

    The median is an offset from the mean, the others are steps away from it, :math:`q_{k+1} = q_k + \mathrm{softplus}(s_k)`.
    Trained by the pinball loss (Koenker and Bassett, *Regression Quantiles*, Econometrica 1978, equation 2.1), summed over
    levels: twice its average approximates the continuous ranked probability score.

    Parameters
    ----------
    width, n_anchors : int
        Length of the state, number of anchors.
    dropout : float
        Dropout rate.

    Examples
    --------
    >>> head = QuantileHead(width=4, n_anchors=2, dropout=0.0)
    >>> forecast = head(torch.randn(5, 4), torch.zeros(5, 2))
    >>> bool((forecast.at_levels.diff(dim=1) > 0).all())
    True
    """

    levels: Tensor

    def __init__(self, width: int, n_anchors: int, dropout: float) -> None:
        super().__init__()
        self.mean = AnchoredMean(width, n_anchors, len(LEVELS), dropout)
        self.register_buffer("levels", torch.tensor(LEVELS), persistent=False)

    def forward(self, state: Tensor, anchors: Tensor) -> QuantileForecast:
        """Forecast from states (n_queries, width) and anchors (n_queries, n_anchors)."""
        mean, more = self.mean(state, anchors)
        middle = len(LEVELS) // 2
        median = mean[:, None] + more[:, :1]
        steps = F.softplus(more[:, 1:] - 1)
        below = median - steps[:, :middle].cumsum(1).flip(1)
        above = median + steps[:, middle:].cumsum(1)
        return QuantileForecast(mean, torch.cat([below, median, above], dim=1))

    def loss(self, forecast: QuantileForecast, target: Tensor) -> Tensor:
        """Mean pinball loss over the levels, shape (n_queries,)."""
        error = target[:, None] - forecast.at_levels
        return torch.maximum(self.levels * error, (self.levels - 1) * error).mean(dim=1)

    def average(self, forecasts: list[QuantileForecast]) -> QuantileForecast:
        """Means and quantiles averaged level by level, which keeps the width of the bands (Vincent averaging)."""
        mean, at_levels = (torch.stack(parts).mean(0) for parts in zip(*forecasts, strict=True))
        return QuantileForecast(mean, at_levels)

    def quantiles(self, forecast: QuantileForecast, levels: list[float]) -> Tensor:
        """Quantiles of shape (n_queries, n_levels), linear between the trained levels in normal scores."""
        known = torch.special.ndtri(self.levels.double())
        score = torch.special.ndtri(torch.tensor(levels, dtype=torch.float64, device=known.device))
        left = (torch.searchsorted(known, score) - 1).clamp(0, len(known) - 2)
        part = ((score - known[left]) / (known[left + 1] - known[left])).to(forecast.mean)
        return torch.lerp(forecast.at_levels[:, left], forecast.at_levels[:, left + 1], part)
