"""Long-term memory whose modes turn while they fade."""

import math
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from cndts.event_batch import EventBatch
from cndts.memory.gated_age import gated_age
from cndts.memory.gates import ForgetGate, WriteGate
from cndts.memory.long_term import LongTermMemory
from cndts.memory.settings import Memory

# As in `CompressedMemory`: e^-60 is nothing beside the last event's 1.
_FORGOTTEN = 60.0


class OscillatingState(NamedTuple):
    """What the oscillating memory holds of each series at its last event.

    Attributes
    ----------
    moment : Tensor of shape (n_series, 2, n_timescales, n_content)
        Sums of weighted contents that turn and fade: real and imaginary parts.
    total : Tensor of shape (n_series, n_timescales)
        Sum of weighted values that fades without turning.
    mass : Tensor of shape (n_series, n_timescales)
        Sum of weights that fades.
    pace : Tensor of shape (n_series, n_timescales)
        The forget gate's factor on the modes from the last event on.
    """

    moment: Tensor
    total: Tensor
    mass: Tensor
    pace: Tensor


class OscillatingMemory(LongTermMemory[OscillatingState]):
    r"""Leaky accumulators that rotate: what happened when, within a period.

    The compressed memory's ODE with complex modes, per channel and time scale:

    .. math:: \dot m = \phi_i (-\lambda + i \omega) m, \quad \dot n = -\phi_i \lambda n \quad \text{on } (t_i, t_{i+1}); \qquad
        m \mathrel{+}= w_i v_i, \quad n \mathrel{+}= w_i \quad \text{at } t_i,

    with :math:`\omega = \lambda \kappa`. Solved exactly for any gaps,
    :math:`m(T) = \sum_i e^{(-1 + i \kappa) \lambda a_i} w_i v_i` with the gated age :math:`a_i` of event i. It is read as
    the real and imaginary parts of :math:`m / n`, of which a linear layer makes any phase. Gates, contents and normaliser
    are those of `CompressedMemory`; the value is summed once more without turning, for the averages.

    Complex diagonal modes are those of Gu et al., *On the Parameterization and Initialization of Diagonal State Space
    Models*, NeurIPS 2022, section 3; the turns :math:`\kappa` per time constant start at :math:`\pi` and are learned, as the
    rates are, by channel and time scale. With :math:`\kappa = 0` the memory is a `CompressedMemory`.

    Parameters
    ----------
    n_channels, width, n_timescales, n_content : int
        Channels, length of an encoded event, modes per channel, learned contents (the value is one more).
    shortest, longest : float
        Range of the initial time scales 1 / lambda, in model time.
    write_gate, forget_gate : bool
        Whether the gates are learned.

    Examples
    --------
    >>> OscillatingMemory(n_channels=3, width=8, n_timescales=4, n_content=5, shortest=0.01, longest=4.0).n_features
    56
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
        self.turn = nn.Parameter(torch.full((n_channels, n_timescales), math.pi))
        self.write_gate = WriteGate(width, n_timescales, write_gate)
        self.forget_gate = ForgetGate(width, n_timescales, forget_gate)
        self.content = nn.Linear(width, n_content)
        self.n_timescales, self.n_content = n_timescales, n_content + 1
        self.n_features = n_timescales * (2 * self.n_content + 2)

    @classmethod
    def build(cls, n_channels: int, width: int, settings: Memory) -> Self:
        """As many modes as there are time scales."""
        sizes = (settings.timescales, settings.contents, settings.shortest, settings.longest)
        return cls(n_channels, width, *sizes, write_gate=settings.write_gate, forget_gate=settings.forget_gate)

    def empty(self, n_rows: int) -> OscillatingState:
        """Modes at zero."""
        mass = self.log_rate.new_zeros(n_rows, self.n_timescales)
        moment = mass.new_zeros(n_rows, 2, self.n_timescales, self.n_content)
        return OscillatingState(moment, mass, torch.zeros_like(mass), torch.ones_like(mass))

    def write(self, encoded: Tensor, batch: EventBatch, before: OscillatingState | None = None) -> OscillatingState:
        """Accumulate the events of each series: ``encoded`` has shape (n_events, width)."""
        pace = self.forget_gate(encoded)
        age = gated_age(pace, batch)
        faded, cosine, sine = self._passed(age, batch.channel)
        weight = torch.exp(self.write_gate(encoded) - faded)
        turned = weight[:, None] * torch.stack([cosine, sine], dim=1)
        content = torch.cat([self.content(encoded), batch.value[:, None]], dim=-1)
        nothing = self.empty(len(batch.series_node))
        moment = nothing.moment.index_add(0, batch.series, turned[..., None] * content[:, None, None])
        total = nothing.total.index_add(0, batch.series, weight * batch.value[:, None])
        mass = nothing.mass.index_add(0, batch.series, weight)
        if before is not None:
            first = batch.series_start
            waited = before.pace * batch.gap.index_select(0, first)[:, None] + age.index_select(0, first)
            older = self._aged(before, waited, batch.series_channel)
            moment, total, mass = moment + older.moment, total + older.total, mass + older.mass
        return OscillatingState(moment, total, mass, pace.index_select(0, batch.series_end))

    def _passed(self, waited: Tensor, channel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log of what was lost, cosine and sine of the turn, after some gated time; each of shape (n, n_timescales)."""
        faded = (self.log_rate.exp().index_select(0, channel) * waited).clamp(max=_FORGOTTEN)
        turn = self.turn.index_select(0, channel) * faded
        return faded, turn.cos(), turn.sin()

    def _aged(self, state: OscillatingState, waited: Tensor, channel: Tensor) -> OscillatingState:
        faded, cosine, sine = self._passed(waited, channel)
        kept = torch.exp(-faded)
        real, imaginary = state.moment.unbind(1)
        cosine, sine = (kept * cosine)[..., None], (kept * sine)[..., None]
        turned = torch.stack([cosine * real - sine * imaginary, sine * real + cosine * imaginary], dim=1)
        return state._replace(moment=turned, total=kept * state.total, mass=kept * state.mass)

    def read(self, state: OscillatingState) -> Tensor:
        """Normalised contents, real and imaginary, averages and log masses, shape (n_series, n_features)."""
        contents = (state.moment / state.mass[:, None, :, None]).flatten(1)
        return torch.cat([contents, self.averages(state), state.mass.log()], dim=1)

    def averages(self, state: OscillatingState) -> Tensor:
        """Weighted mean of the values on each time scale, shape (n_series, n_timescales)."""
        return state.total / state.mass
