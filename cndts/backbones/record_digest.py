"""What every channel of a record last showed, seen at once."""

import torch
from torch import Tensor, nn

from cndts._layers import Dropout, two_layers
from cndts.event_batch import EventBatch


class RecordDigest(nn.Module):
    """One vector per record from the exact latest facts of all its channels.

    Attention mixes channels by weighted averages and so blurs numbers; combinations of exact values (a gap between
    electrolytes, a ratio of pressures) need a dense layer over all of them. Each channel contributes its last value and
    its rank score, its average over the time scales of the compressed memory, the freshness exp(-4 age) of the last value, and whether it
    was ever observed.

    Parameters
    ----------
    n_channels, hidden, width : int
        Channels, length of the hidden layer and of the vector.
    dropout : float
        Applied to the facts and the hidden layer.

    Examples
    --------
    >>> sum(p.numel() for p in RecordDigest(n_channels=3, hidden=8, width=4, dropout=0.0).parameters())
    164
    """

    def __init__(self, n_channels: int, hidden: int, width: int, dropout: float) -> None:
        super().__init__()
        self.dropout = Dropout(dropout)
        self.layers = two_layers(5 * n_channels, hidden, width, dropout)

    def forward(self, averages: Tensor, batch: EventBatch) -> Tensor:
        """Digest of shape (n_records, width) from averages of shape (n_series, n_timescales)."""
        freshness = torch.exp(-4 * batch.series_age)
        last, score = batch.value[batch.series_end], batch.score[batch.series_end]
        facts = torch.stack([last, score, averages.mean(dim=1), freshness, torch.ones_like(freshness)], dim=-1)
        table = facts.new_zeros(batch.n_records * batch.n_channels, 5).index_put((batch.series_node,), facts)
        return self.layers(self.dropout(table.view(batch.n_records, -1)))
