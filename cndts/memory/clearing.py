"""Long-term memory that an event can clear."""

from typing import ClassVar

import torch
from torch import Tensor

from cndts.event_batch import EventBatch
from cndts.memory.compressed import FORGOTTEN, CompressedMemory, CompressedState
from cndts.memory.dropped_since import dropped_since
from cndts.memory.gates import ClearingGate, ForgetGate


class ClearingMemory(CompressedMemory):
    r"""Compressed memory of which an event first drops a share, and then enters.

    .. math:: \dot m = -\lambda m, \quad \dot n = -\lambda n \quad \text{between events}; \qquad
        m \leftarrow e^{-d_i} m + w_i v_i, \quad n \leftarrow e^{-d_i} n + w_i \quad \text{at } t_i,

    with the share :math:`e^{-d_i} = \sigma(-f(u_i))` of a `ClearingGate` in place of a pace, and weights, contents and rates as in
    `CompressedMemory`. The state at the last event :math:`T` of the series is the sum
    :math:`m(T) = \sum_i e^{-\lambda (T - t_i) - D_i} w_i v_i` with :math:`D_i = \sum_{j > i} d_j`, exact for any gaps.

    For data in which one event ends what counted before: a reset, a change of machine, a transfer to another ward. See
    :doc:`/decisions/0015-forgetting-at-an-event`.

    Parameters
    ----------
    n_channels, width, n_timescales, n_content : int
        As in `CompressedMemory`.
    shortest, longest : float
        Range of the initial time scales 1 / lambda, in model time.
    write_gate, forget_gate : bool
        Whether the gates are learned; without them every weight is 1 and nothing is dropped.

    Examples
    --------
    >>> memory = ClearingMemory(n_channels=3, width=8, n_timescales=4, n_content=5, shortest=0.01, longest=4.0)
    >>> memory.n_features
    28
    """

    forgetting: ClassVar[type[ForgetGate | ClearingGate]] = ClearingGate

    def write(self, encoded: Tensor, batch: EventBatch, before: CompressedState | None = None) -> CompressedState:
        """Accumulate the events of each series: ``encoded`` has shape (n_events, width)."""
        drop = self.forget_gate(encoded)
        dropped, rate = dropped_since(drop, batch), self.log_rate.exp()
        faded = rate.index_select(0, batch.channel) * batch.age[:, None] + dropped
        weight = torch.exp(self.write_gate(encoded) - faded.clamp(max=FORGOTTEN))
        content = torch.cat([self.content(encoded), batch.value[:, None]], dim=-1)
        nothing = self.empty(len(batch.series_node))
        moment = nothing.moment.to(encoded).index_add(0, batch.series, weight[:, :, None] * content[:, None, :])
        mass = nothing.mass.to(encoded).index_add(0, batch.series, weight)
        if before is not None:
            first = batch.series_start
            # In the precision of the state: in a stream single precision would not resolve slow decay over short gaps.
            waited = (batch.gap + batch.age).index_select(0, first)[:, None].to(before.mass)
            faded = rate.index_select(0, batch.series_channel) * waited + (drop + dropped).index_select(0, first)
            kept = torch.exp(-faded.clamp(max=FORGOTTEN))
            moment, mass = moment + kept[:, :, None] * before.moment, mass + kept * before.mass
        return CompressedState(moment, mass, torch.ones_like(mass))
