"""Long-term compressed memory: leaky accumulators on several time scales, solved exactly."""

import math
from typing import ClassVar, NamedTuple, Self

import torch
from torch import Tensor, nn

from cndts.event_batch import EventBatch
from cndts.memory.gated_age import gated_age
from cndts.memory.gates import ClearingGate, ForgetGate, WriteGate
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
    pace : Tensor of shape (n_series, n_timescales)
        The forget gate's factor on the decay rates from the last event on.
    """

    moment: Tensor
    mass: Tensor
    pace: Tensor


class CompressedMemory(LongTermMemory[CompressedState]):
    r"""Constant-size summary of all events of a series.

    For every channel and time scale a linear ODE decays between events and jumps at them, beside its normaliser:

    .. math:: \dot m = -\phi_i \lambda m, \quad \dot n = -\phi_i \lambda n \quad \text{on } (t_i, t_{i+1}); \qquad
        m \mathrel{+}= w_i v_i, \quad n \mathrel{+}= w_i \quad \text{at } t_i.

    Write gate :math:`w_i = \exp(g(u_i))`, forget gate :math:`\phi_i = 2 \sigma(f(u_i))` and content
    :math:`v_i = (V u_i, x_i)` come from the encoded event :math:`u_i`. The equations are linear, so the state at the last
    event :math:`T` of the series is a plain sum, :math:`m(T) = \sum_i e^{-\lambda a_i} w_i v_i` with the gated age
    :math:`a_i = \sum_{j \ge i} \phi_j (t_{j+1} - t_j)`, exact for any gaps. Since the last event has decay 1, :math:`m / n`
    needs no guard. The decay rates :math:`\lambda` are learned by channel from a log-spaced start.

    Input-dependent decay of a linear recurrence is that of Gu and Dao, *Mamba: Linear-Time Sequence Modeling with Selective
    State Spaces*, 2023, section 3.2, here in continuous time.

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
        Whether the gates are learned; without them every weight and every pace is 1.

    Examples
    --------
    >>> memory = CompressedMemory(n_channels=3, width=8, n_timescales=4, n_content=5, shortest=0.01, longest=4.0)
    >>> memory.n_features
    28
    """

    forgetting: ClassVar[type[ForgetGate | ClearingGate]] = ForgetGate

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
        self.forget_gate = self.forgetting(width, n_timescales, forget_gate)
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
        return CompressedState(mass.new_zeros(n_rows, self.n_timescales, self.n_content), mass, torch.ones_like(mass))

    def write(self, encoded: Tensor, batch: EventBatch, before: CompressedState | None = None) -> CompressedState:
        """Accumulate the events of each series: ``encoded`` has shape (n_events, width)."""
        faded, older, pace = self._fading(encoded, batch, before)
        weight = torch.exp(self.write_gate(encoded) - faded.clamp(max=_FORGOTTEN))
        content = torch.cat([self.content(encoded), batch.value[:, None]], dim=-1)
        n_series = len(batch.series_node)
        moment = encoded.new_zeros(n_series, self.n_timescales, self.n_content)
        moment = moment.index_add(0, batch.series, weight[:, :, None] * content[:, None, :])
        mass = encoded.new_zeros(n_series, self.n_timescales).index_add(0, batch.series, weight)
        if before is not None and older is not None:
            kept = torch.exp(-older.clamp(max=_FORGOTTEN))
            moment, mass = moment + kept[:, :, None] * before.moment, mass + kept * before.mass
        return CompressedState(moment, mass, pace)

    def _fading(
        self, encoded: Tensor, batch: EventBatch, before: CompressedState | None
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        """What each event and the older state have lost at the end of the series, in negative logs, and the pace from there on."""
        pace = self.forget_gate(encoded)
        age = batch.age[:, None] if self.forget_gate.layer is None else gated_age(pace, batch)
        rate, older = self.log_rate.exp(), None
        if before is not None:
            first = batch.series_start
            waited = before.pace * batch.gap.index_select(0, first)[:, None] + age.index_select(0, first)
            older = rate.index_select(0, batch.series_channel) * waited
        return rate.index_select(0, batch.channel) * age, older, pace.index_select(0, batch.series_end)

    def read(self, state: CompressedState) -> Tensor:
        """Normalised contents and log masses, shape (n_series, n_features)."""
        return torch.cat([(state.moment / state.mass[:, :, None]).flatten(1), state.mass.log()], dim=1)

    @staticmethod
    def averages(state: CompressedState) -> Tensor:
        """Weighted mean of the values on each time scale, shape (n_series, n_timescales)."""
        return state.moment[:, :, -1] / state.mass
