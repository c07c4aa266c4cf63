"""The phase of cycles since a record began, as its queries see it."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RecordClock(nn.Module):
    r"""What the phase of a cycle, counted from a record's first event, says of a channel.

    Temperature rises every morning and ozone every afternoon, whatever was measured last. A query at time :math:`e` after the first
    event of its record adds to its state

    .. math:: W_2\, \mathrm{SiLU}\bigl(W_1 (\sin 2\pi e / P_k, \cos 2\pi e / P_k)_k + b_c\bigr)

    with cycles of length :math:`P_k`, such as a day, and a vector :math:`b_c` of its channel. The lengths are given and not learned: over
    many cycles a hair's breadth of a wrong length is a wrong phase, which no gradient sets right. Counting from the first event, a
    shift of all times changes nothing; the phase says something where records begin at the same place of the cycle, or can be told from
    their values.

    Parameters
    ----------
    n_channels, width : int
        Channels, length of the state.
    cycles : sequence of float
        Lengths of the cycles in model time, one at least.

    Examples
    --------
    >>> clock = RecordClock(n_channels=3, width=4, cycles=[1.0])
    >>> clock(torch.tensor([0.25, 7.0]), torch.tensor([0, 2])).shape
    torch.Size([2, 4])
    """

    rate: Tensor

    def __init__(self, n_channels: int, width: int, cycles: Sequence[float]) -> None:
        super().__init__()
        rate = 2 * math.pi / torch.tensor(cycles, dtype=torch.float64)
        self.register_buffer("rate", rate.to(torch.get_default_dtype()), persistent=False)
        self.inward = nn.Linear(2 * len(cycles), width)
        self.channel = nn.Embedding(n_channels, width)
        nn.init.normal_(self.channel.weight, std=0.5)
        self.outward = nn.Linear(width, width)

    def forward(self, elapsed: Tensor, channel: Tensor) -> Tensor:
        """Added to the states of queries, shape (n_queries, width).

        Parameters
        ----------
        elapsed : Tensor of shape (n_queries,)
            Model time from the first event of the record to the query; below 0 before it.
        channel : Tensor of shape (n_queries,)
            Channels asked for.
        """
        phase = elapsed[:, None] * self.rate
        hidden = self.inward(torch.cat([phase.sin(), phase.cos()], dim=-1))
        return self.outward(F.silu(hidden + self.channel.weight.index_select(0, channel)))
