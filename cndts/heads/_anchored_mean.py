"""Expected value as a correction to plain forecasts."""

import torch
from torch import Tensor, nn

from cndts._layers import two_layers


class AnchoredMean(nn.Module):
    r"""Mean :math:`\mu = \sum_j \pi_j a_j + \delta`, with shares :math:`\pi` and correction :math:`\delta` from the state.

    The anchors :math:`a_j` are the last value, averages of the series and the training mean: from the first step of
    training on the model forecasts as well as they do, and learns when to trust which.

    Parameters
    ----------
    width, n_anchors, n_more : int
        Length of the state, number of anchors, and outputs beyond the mean for the head's own use.
    dropout : float
        Dropout rate.
    """

    def __init__(self, width: int, n_anchors: int, n_more: int, dropout: float) -> None:
        super().__init__()
        self.n_anchors = n_anchors
        self.norm = nn.LayerNorm(width)
        self.layers = two_layers(width, width, n_anchors + 1 + n_more, dropout)
        outward = self.layers.get_submodule("3")
        with torch.no_grad():
            outward.get_parameter("weight").mul_(0.3)
            outward.get_parameter("bias").zero_()[0] = 1.0  # at first the last value counts most

    def forward(self, state: Tensor, anchors: Tensor) -> tuple[Tensor, Tensor]:
        """Mean of shape (n_queries,) and further outputs of shape (n_queries, n_more)."""
        share, correction, more = self.layers(self.norm(state)).tensor_split([self.n_anchors, self.n_anchors + 1], -1)
        return (share.softmax(-1) * anchors).sum(-1) + correction.squeeze(-1), more
