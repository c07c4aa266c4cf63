"""Encoding of single events, with exchange between those that happen at the same time."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cndts._layers import log_time
from cndts.event_batch import EventBatch


class EventEncoder(nn.Module):
    """One vector per event from its value, its rank, its change, its gap and its channel.

    Events that share a time stamp are averaged, and the average is shown to each of them. The average is a sum over a
    set, so that the order of simultaneous events has no effect. An event's vector depends on nothing after its time.

    Parameters
    ----------
    n_channels, width : int
        Channels and length of the vector.

    Examples
    --------
    >>> sum(p.numel() for p in EventEncoder(n_channels=3, width=8).parameters())
    216
    """

    def __init__(self, n_channels: int, width: int) -> None:
        super().__init__()
        self.channel = nn.Embedding(n_channels, width)
        nn.init.normal_(self.channel.weight, std=0.3)
        self.inward = nn.Linear(5, width)
        self.mixing = nn.Linear(width, width)
        self.outward = nn.Linear(width, width)

    def forward(self, batch: EventBatch) -> Tensor:
        """Encode the events of a batch: shape (n_events, width)."""
        facts = torch.stack([batch.value, batch.score, batch.change, log_time(batch.gap), batch.is_first], dim=-1)
        encoded = F.silu(self.inward(facts) + self.channel.weight.index_select(0, batch.channel))
        return F.silu(self.outward(encoded + self._company(encoded, batch)))

    def _company(self, encoded: Tensor, batch: EventBatch) -> Tensor:
        """What was seen at the same time, shape (n_events, width)."""
        total = encoded.new_zeros(batch.n_visits, encoded.shape[1]).index_add(0, batch.visit, encoded)
        count = encoded.new_zeros(batch.n_visits).index_add(0, batch.visit, torch.ones_like(batch.value))
        return self.mixing(total / count.clamp(min=1)[:, None]).index_select(0, batch.visit)
