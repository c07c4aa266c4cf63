"""Long-term compressed memory: leaky accumulators on several time scales, solved exactly."""

import math
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from cndts.event_batch import EventBatch
from cndts.memory.dropped_since import dropped_since
from cndts.memory.gates import ForgetGate, WriteGate
from cndts.memory.long_term import LongTermMemory
from cndts.memory.settings import Memory

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


class CompressedMemory(LongTermMemory[CompressedState]):
    r"""Constant-size summary of all events of a series.

    For every channel and time scale a linear ODE decays between events and jumps at them, beside its normaliser:

    .. math:: \dot m = -\lambda m, \quad \dot n = -\lambda n \quad \text{between events}; \qquad
        m \leftarrow e^{-d_i} m + w_i v_i, \quad n \leftarrow e^{-d_i} n + w_i \quad \text{at } t_i.

    Write gate :math:`w_i = \exp(g(u_i))`, forget gate :math:`e^{-d_i} = \sigma(-f(u_i))` and content
    :math:`v_i = (V u_i, x_i)` come from the encoded event :math:`u_i`. The equations are linear, so the state at the last
    event :math:`T` of the series is a plain sum, :math:`m(T) = \sum_i e^{-\lambda (T - t_i) - D_i} w_i v_i` with
    :math:`D_i = \sum_{j > i} d_j`, exact for any gaps. Since the last event has decay 1, :math:`m / n`
    needs no guard. The decay rates :math:`\lambda` are learned by channel from a log-spaced start.

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
    write_gate, forget_gate : bool
        Whether the gates are learned; without them every weight is 1 and nothing is dropped.

    Examples
    --------
    >>> memory = CompressedMemory(n_channels=3, width=8, n_timescales=4, n_content=5, shortest=0.01, longest=4.0)
    >>> memory.n_features
    28
    """

    def __init__(
        self,
        n_channels: int,
        width: int,
        n_timescales: int,
        n_content: int,
        shortest: float,
        longest: float,
        *,
        write_gate: bool = True,
        forget_gate: bool = True,
    ) -> None:
        super().__init__()
        timescales = torch.logspace(math.log10(shortest), math.log10(longest), n_timescales)
        self.log_rate = nn.Parameter(-timescales.log().repeat(n_channels, 1))
        self.write_gate = WriteGate(width, n_timescales, write_gate)
        self.forget_gate = ForgetGate(width, n_timescales, forget_gate)
        self.content = nn.Linear(width, n_content)
        self.n_timescales, self.n_content = n_timescales, n_content + 1
        self.n_features = n_timescales * (n_content + 2)

    @classmethod
    def build(cls, n_channels: int, width: int, settings: Memory) -> Self:
        """As many accumulators as there are time scales."""
        sizes = (settings.timescales, settings.contents, settings.shortest, settings.longest)
        return cls(n_channels, width, *sizes, write_gate=settings.write_gate, forget_gate=settings.forget_gate)

    def empty(self, n_rows: int) -> CompressedState:
        """Accumulators at zero."""
        mass = self.log_rate.new_zeros(n_rows, self.n_timescales)
        return CompressedState(mass.new_zeros(n_rows, self.n_timescales, self.n_content), mass)

    def write(self, encoded: Tensor, batch: EventBatch, before: CompressedState | None = None) -> CompressedState:
        """Accumulate the events of each series: ``encoded`` has shape (n_events, width)."""
        drop = self.forget_gate(encoded)
        dropped, rate = dropped_since(drop, batch), self.log_rate.exp()
        faded = rate.index_select(0, batch.channel) * batch.age[:, None] + dropped
        weight = torch.exp(self.write_gate(encoded) - faded.clamp(max=_FORGOTTEN))
        content = torch.cat([self.content(encoded), batch.value[:, None]], dim=-1)
        n_series = len(batch.series_node)
        moment = encoded.new_zeros(n_series, self.n_timescales, self.n_content)
        moment = moment.index_add(0, batch.series, weight[:, :, None] * content[:, None, :])
        mass = encoded.new_zeros(n_series, self.n_timescales).index_add(0, batch.series, weight)
        if before is not None:
            first = batch.series_start
            # In the precision of the state: in a stream single precision would not resolve slow decay over short gaps.
            waited = (batch.gap + batch.age).index_select(0, first)[:, None].to(before.mass)
            faded = rate.index_select(0, batch.series_channel) * waited + (drop + dropped).index_select(0, first)
            kept = torch.exp(-faded.clamp(max=_FORGOTTEN))
            moment, mass = moment + kept[:, :, None] * before.moment, mass + kept * before.mass
        return CompressedState(moment, mass)

    def read(self, state: CompressedState) -> Tensor:
        """Normalised contents and log masses, shape (n_series, n_features)."""
        return torch.cat([(state.moment / state.mass[:, :, None]).flatten(1), state.mass.log()], dim=1)

    @staticmethod
    def averages(state: CompressedState) -> Tensor:
        """Weighted mean of the values on each time scale, shape (n_series, n_timescales)."""
        return state.moment[:, :, -1] / state.mass
