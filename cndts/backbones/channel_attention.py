"""Exchange between the channels of a record."""

import torch.nn.functional as F
from torch import Tensor, nn

from cndts._layers import Dropout, two_layers


class ChannelAttention(nn.Module):
    """Pre-norm transformer block over the channel nodes of each record.

    Vaswani et al., *Attention Is All You Need*, NeurIPS 2017, equation 1, with layer norm before each part.

    Parameters
    ----------
    width, n_heads : int
        Size of a node and number of heads that share it.
    dropout : float
        Applied to what each part adds.

    Examples
    --------
    >>> import torch
    >>> ChannelAttention(width=8, n_heads=2, dropout=0.0)(torch.zeros(5, 3, 8)).shape
    torch.Size([5, 3, 8])
    """

    def __init__(self, width: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.norm_nodes, self.norm_mixed = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.feedforward = two_layers(width, 2 * width, width, dropout)
        self.dropout = Dropout(dropout)

    def forward(self, nodes: Tensor) -> Tensor:
        """Mix nodes of shape (n_records, n_channels, width)."""
        n_records, n_channels, _ = nodes.shape
        parts = self.query_key_value(self.norm_nodes(nodes)).view(n_records, n_channels, 3, self.n_heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).reshape(nodes.shape)
        nodes = nodes + self.dropout(self.out(mixed))
        return nodes + self.dropout(self.feedforward(self.norm_mixed(nodes)))
