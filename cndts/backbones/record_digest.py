"""What every channel of a record last showed, seen at once."""

import torch
from torch import Tensor, nn

from cndts._layers import Dropout, two_layers
from cndts.event_batch import EventBatch

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
        self.dropout = Dropout(dropout)
        self.layers = two_layers(_N_FACTS * n_channels, hidden, n_channels * width, dropout)

    def forward(self, averages: Tensor, batch: EventBatch) -> Tensor:
        """Digest of shape (n_records, n_channels, width) from averages of shape (n_series, n_timescales)."""
        freshness = torch.exp(-4 * batch.series_age)
        last, score, change = (part[batch.series_end] for part in (batch.value, batch.score, batch.change))
        count = batch.series_count.log1p() / 3  # of the order of 1, as the other facts
        overall, longest = averages.mean(dim=1), averages[:, -1]
        facts = torch.stack([last, score, change, overall, longest, freshness, count, torch.ones_like(count)], dim=-1)
        table = facts.new_zeros(batch.n_records * batch.n_channels, _N_FACTS).index_put((batch.series_node,), facts)
        digest = self.layers(self.dropout(table.view(batch.n_records, -1)))
        return digest.view(batch.n_records, batch.n_channels, -1)
