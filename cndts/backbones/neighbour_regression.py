"""Values that go with each other, by plain linear regression."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cndts.backbones.nearest_values import NearestValues

# AdamW moves a weight by about its rate at a step, and coefficients are of order 1: this many steps at once.
_STRIDE = 8.0
_FADED = 60.0


class NeighbourRegression(nn.Module):
    r"""A forecast of each channel from the nearest values of all channels, as one more anchor.

    .. math:: a_c = \sum_{s, j} B_{csj} \, e^{-\rho_{csj} d_{sj}} \, x_{sj},

    with the last standardised value :math:`x_{sj}` of channel :math:`j` on side :math:`s` of the query, at the distance
    :math:`d_{sj}` in time. Pressures, fractions of a sum and totals of their parts are linear in each other and mostly measured
    together; vectors of a network, which blur numbers, take long to learn that.

    The coefficients begin at 0, where the anchor is the training mean, and the rates at :math:`\log(1 + e^4)`.

    Parameters
    ----------
    n_channels, n_sides : int
        Channels; 1 for what comes before the query, 2 for both sides.

    Examples
    --------
    >>> regression = NeighbourRegression(n_channels=2, n_sides=1)
    >>> nearest = NearestValues(torch.tensor([[3.0], [4.0]]), torch.zeros(2, 1))
    >>> regression(nearest, torch.tensor([1]), torch.tensor([1]), torch.zeros(1, 1))
    tensor([0.], grad_fn=<SumBackward1>)
    """

    def __init__(self, n_channels: int, n_sides: int) -> None:
        super().__init__()
        self.n_channels, self.n_sides = n_channels, n_sides
        self.coefficient = nn.Parameter(torch.zeros(n_channels, n_sides * n_channels))
        self.rate = nn.Parameter(torch.full((n_channels, n_sides * n_channels), 4.0 / _STRIDE))

    def forward(self, nearest: NearestValues, query_node: Tensor, query_channel: Tensor, reach: Tensor) -> Tensor:
        """The anchor of each query, shape (n_queries,).

        Parameters
        ----------
        nearest : NearestValues
            Of all nodes; a side that is not given has none.
        query_node, query_channel : Tensor of shape (n_queries,)
            What is asked.
        reach : Tensor of shape (n_queries, n_sides) or (n_queries, 1)
            Time from the query to the record's nearest event on each side that is given.
        """
        record = torch.div(query_node, self.n_channels, rounding_mode="floor")
        value, distance = (self._by_record(part).index_select(0, record) for part in nearest)
        distance = (distance.unflatten(1, (self.n_sides, -1)) + reach[:, :, None]).flatten(1)
        rate = F.softplus(_STRIDE * self.rate).index_select(0, query_channel)
        weight = _STRIDE * self.coefficient.index_select(0, query_channel)
        return (weight * torch.exp(-(rate * distance).clamp(max=_FADED)) * value).sum(dim=1)

    def _by_record(self, part: Tensor) -> Tensor:
        """From (n_nodes, sides that are given) to (n_records, n_sides * n_channels)."""
        padded = F.pad(part, (0, self.n_sides - part.shape[1]))
        return padded.view(-1, self.n_channels, self.n_sides).transpose(1, 2).flatten(1)
