"""Long-term memory that an event can clear."""

from typing import ClassVar

from torch import Tensor

from cndts.event_batch import EventBatch
from cndts.memory.compressed import CompressedMemory, CompressedState
from cndts.memory.gates import ClearingGate, ForgetGate
from cndts.memory.later_sum import later_sum


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

    def _fading(
        self, encoded: Tensor, batch: EventBatch, before: CompressedState | None
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        """Time fades and events drop; the pace is always 1."""
        drop = self.forget_gate(encoded)
        dropped, rate, older = later_sum(drop, batch), self.log_rate.exp(), None
        if before is not None:
            first = batch.series_start
            # In the precision of the state: in a stream single precision would not resolve slow decay over short gaps.
            waited = (batch.gap + batch.age).index_select(0, first)[:, None].to(before.mass)
            older = rate.index_select(0, batch.series_channel) * waited + (drop + dropped).index_select(0, first)
        faded = rate.index_select(0, batch.channel) * batch.age[:, None] + dropped
        return faded, older, self.empty(len(batch.series_node)).pace.to(encoded)
