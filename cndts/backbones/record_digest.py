"""What every channel of a record last showed, seen at once."""

import torch
from torch import Tensor, nn

from cndts._layers import Dropout, two_layers
from cndts.memory import SeriesFacts

_N_FACTS = 8


class RecordDigest(nn.Module):
    """One vector per node from the exact latest facts of all channels of its record.

    Attention mixes channels by weighted averages and so blurs numbers; combinations of exact values (a gap between
    electrolytes, a ratio of pressures) need a dense layer over all of them. Each channel contributes its last value, its
    rank score and its change, its average over all time scales of the compressed memory and over the longest, the freshness
    exp(-4 age) of the last value, how often and whether it was observed. The hidden layer is common, the last one
    each channel's own: what matters for lactate is not what matters for the heart rate.

    Parameters
    ----------
    n_channels, hidden, width : int
        Channels, length of the hidden layer and of the vectors.
    dropout : float
        Applied to the facts and the hidden layer.

    Examples
    --------
    >>> sum(p.numel() for p in RecordDigest(n_channels=3, hidden=8, width=4, dropout=0.0).parameters())
    308
    """

    def __init__(self, n_channels: int, hidden: int, width: int, dropout: float) -> None:
        super().__init__()
        self.n_channels = n_channels
        self.dropout = Dropout(dropout)
        self.layers = two_layers(_N_FACTS * n_channels, hidden, n_channels * width, dropout)

    def forward(self, averages: Tensor, series: SeriesFacts, n_records: int) -> Tensor:
        """Digest of shape (n_records, n_channels, width) from averages of shape (n_series, n_timescales)."""
        freshness = torch.exp(-4 * series.age)
        count = series.count.log1p() / 3  # of the order of 1, as the other facts
        nothing = torch.zeros_like(count)
        overall, longest = (averages.mean(dim=1), averages[:, -1]) if averages.shape[1] else (nothing, nothing)
        last = [series.value, series.score, series.change]
        facts = torch.stack([*last, overall, longest, freshness, count, torch.ones_like(count)], dim=-1)
        table = facts.new_zeros(n_records * self.n_channels, _N_FACTS).index_put((series.node,), facts)
        return self.layers(self.dropout(table.view(n_records, -1))).view(n_records, self.n_channels, -1)
