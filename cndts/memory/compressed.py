"""Long-term compressed memory: leaky accumulators on several time scales, solved exactly."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cndts.event_batch import EventBatch

# e^-60 is nothing beside the last event's 1, and denormal numbers below it would slow every product.
_FORGOTTEN = 60.0


class CompressedState(NamedTuple):
    """What the compressed memory holds of each series at its last event.

    Attributes
    ----------
    moment : Tensor of shape (n_series, n_timescales, n_content)
        Decayed sum of weighted contents.
    mass : Tensor of shape (n_series, n_timescales)
        Decayed sum of weights.
    """

    moment: Tensor
    mass: Tensor


class CompressedMemory(nn.Module):
    r"""Constant-size summary of all events of a series.

    For every channel and time scale a linear ODE decays between events and jumps at them, beside its normaliser:

    .. math:: \dot m = -\lambda m, \quad \dot n = -\lambda n; \qquad
        m \mathrel{+}= w_i v_i, \quad n \mathrel{+}= w_i \quad \text{at } t_i.

    The write gate :math:`w_i = \exp(g(u_i))` and the content :math:`v_i = (V u_i, x_i)` come from the encoded event
    :math:`u_i`. The equations are linear, so the state at the last event :math:`T` of the series is a plain sum,
    :math:`m(T) = \sum_i e^{-\lambda (T - t_i)} w_i v_i`, exact for any gaps. Since the last event has decay 1,
    :math:`m / n` needs no guard. The decay rates :math:`\lambda` are learned by channel from a log-spaced start.

    Parameters
    ----------
    n_channels : int
        Channels, each with its own decay rates.
    width : int
        Length of an encoded event.
    n_timescales : int
        Accumulators per channel.
    n_content : int
        Learned contents; the value itself is one more.
    shortest, longest : float
        Range of the initial time scales 1 / lambda, in model time.

    Examples
    --------
    >>> memory = CompressedMemory(n_channels=3, width=8, n_timescales=4, n_content=5, shortest=0.01, longest=4.0)
    >>> memory.n_features
    28
    """

    def __init__(
        self, n_channels: int, width: int, n_timescales: int, n_content: int, shortest: float, longest: float
    ) -> None:
        super().__init__()
        timescales = torch.logspace(math.log10(shortest), math.log10(longest), n_timescales)
        self.log_rate = nn.Parameter(-timescales.log().repeat(n_channels, 1))
        self.write_gate = nn.Linear(width, n_timescales)
        self.content = nn.Linear(width, n_content)
        self.n_features = n_timescales * (n_content + 2)

    def write(self, encoded: Tensor, batch: EventBatch) -> CompressedState:
        """Accumulate the events of each series: ``encoded`` has shape (n_events, width)."""
        # Bounded to e^-3..e^3, so that no single event can silence all others.
        opening = 3 * torch.tanh(self.write_gate(encoded) / 3)
        decay = self.log_rate.exp().index_select(0, batch.channel) * batch.age[:, None]
        weight = torch.exp(opening - decay.clamp(max=_FORGOTTEN))
        content = torch.cat([self.content(encoded), batch.value[:, None]], dim=-1)
        n_series = len(batch.series_node)
        moment = encoded.new_zeros(n_series, weight.shape[1], content.shape[1])
        moment = moment.index_add(0, batch.series, weight[:, :, None] * content[:, None, :])
        mass = encoded.new_zeros(n_series, weight.shape[1]).index_add(0, batch.series, weight)
        return CompressedState(moment, mass)

    def read(self, state: CompressedState) -> Tensor:
        """Normalised contents and log masses, shape (n_series, n_features)."""
        return torch.cat([(state.moment / state.mass[:, :, None]).flatten(1), state.mass.log()], dim=1)

    @staticmethod
    def averages(state: CompressedState) -> Tensor:
        """Weighted mean of the values on each time scale, shape (n_series, n_timescales)."""
        return state.moment[:, :, -1] / state.mass
