"""Long-term memory of a series' whole course: its coefficients against Legendre polynomials."""

from functools import cache
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cndts._layers import log_time
from cndts.event_batch import EventBatch
from cndts.memory.gated_age import gated_age
from cndts.memory.gates import ForgetGate, WriteGate
from cndts.memory.long_term import LongTermMemory
from cndts.memory.settings import Memory


class LegendreState(NamedTuple):
    """What the Legendre memory holds of each series at its last event.

    Attributes
    ----------
    coefficients : Tensor of shape (n_series, order, n_content)
        Of the course of the contents since the first event.
    held : Tensor of shape (n_series, n_content)
        Content of the last event, which stands until the next.
    span : Tensor of shape (n_series, 1)
        Gated time since the first event.
    pace : Tensor of shape (n_series, 1)
        Pace of time from the last event on.
    """

    coefficients: Tensor
    held: Tensor
    span: Tensor
    pace: Tensor


class LegendreMemory(LongTermMemory[LegendreState]):
    r"""HiPPO-LegS of the events of a series, exact for any gaps.

    The content :math:`v_i = (V u_i, x_i)` of each event stands until the next one; this step function :math:`f` on
    :math:`[0, \tau]`, from the first event to the last, is kept as its best approximation by a polynomial,

    .. math:: c_n = \int_0^1 f(\tau x)\, g_n(x)\, dx, \qquad g_n(x) = \sqrt{2 n + 1}\, P_n(2 x - 1), \quad n < N,

    which is the state of Gu et al., *HiPPO: Recurrent Memory with Optimal Polynomial Projections*, NeurIPS 2020, theorem 2,
    :math:`\dot c = (-A c + B f) / \tau`. For a step the integral is closed, :math:`2 (2 n + 1) \int P_n(2x - 1) dx = P_{n+1} - P_{n-1}`.
    On top of an earlier state, with :math:`s` the earlier share of the time,

    .. math:: c' = e^{-A \ln(1 / s)} c + \ldots = s \int_0^1 \Big(\sum_k c_k g_k(u)\Big)\, g(s u)\, du + \ldots

    :math:`g_n(su)` is a polynomial of degree n in u, so the truncated operator is lower triangular and nothing is lost;
    Gauss-Legendre quadrature with N nodes gives the integral exactly, and stably for any N, which powers of A would not.

    The history is one whole: nothing fades, the resolution does. Time runs at the pace :math:`e^{g(u_i)} \phi(u_i)` from event i on, so
    that the gates decide how large a part of the history an event stands for.

    Parameters
    ----------
    width : int
        Length of an encoded event.
    order : int
        Coefficients N.
    n_content : int
        Learned contents; the value itself is one more.
    write_gate, forget_gate : bool
        Whether the gates are learned; without them the pace of time is 1.

    Examples
    --------
    >>> LegendreMemory(width=8, order=4, n_content=5).n_features
    31
    """

    def __init__(
        self, width: int, order: int, n_content: int, *, write_gate: bool = True, forget_gate: bool = True
    ) -> None:
        super().__init__()
        self.order, self.n_content = order, n_content + 1
        self.write_gate, self.forget_gate = WriteGate(width, 1, write_gate), ForgetGate(width, 1, forget_gate)
        self.content = nn.Linear(width, n_content)
        self.n_features = (order + 1) * self.n_content + 1

    @classmethod
    def build(cls, n_channels: int, width: int, settings: Memory) -> Self:
        """One coefficient for each of ``timescales``; ``shortest`` and ``longest`` have no meaning here."""
        gates = {"write_gate": settings.write_gate, "forget_gate": settings.forget_gate}
        return cls(width, settings.timescales, settings.contents, **gates)

    def empty(self, n_rows: int) -> LegendreState:
        """A course without events."""
        span = self.content.weight.new_zeros(n_rows, 1)
        coefficients = span.new_zeros(n_rows, self.order, self.n_content)
        return LegendreState(coefficients, coefficients[:, 0].clone(), span, torch.ones_like(span))

    # ---- write ---------------------------------------------------------------------------------

    def write(self, encoded: Tensor, batch: EventBatch, before: LegendreState | None = None) -> LegendreState:
        """Go on with the course of each series: ``encoded`` has shape (n_events, width)."""
        pace = torch.exp(self.write_gate(encoded)) * self.forget_gate(encoded)
        age = gated_age(pace, batch)
        content = torch.cat([self.content(encoded), batch.value[:, None]], dim=-1)
        first, last = batch.series_start, batch.series_end
        waited = age.index_select(0, first)
        if before is not None:
            waited = waited + before.pace * batch.gap.index_select(0, first)[:, None]
        span = waited if before is None else before.span + waited
        whole = torch.where(span > 0, span, 1.0)
        place = 1 - (age / whole.index_select(0, batch.series)).squeeze(-1)
        basis = _integrals(place, self.order)
        share = basis.roll(-1, 0).index_copy(0, last, basis.index_select(0, last)) - basis
        held = content.index_select(0, last)
        nothing = share.new_zeros(len(span), self.order, self.n_content)
        coefficients = nothing.index_add(0, batch.series, share[:, :, None] * content[:, None, :])
        if before is not None:
            earlier = (before.span / whole).squeeze(-1)
            stood = basis.index_select(0, first) - _integrals(earlier, self.order)
            coefficients = coefficients + stood[:, :, None] * before.held[:, None, :]
            coefficients = coefficients + self._shrunk(before.coefficients, earlier)
        # Before any time has passed, the course is what stands at its one time.
        start = torch.nn.functional.pad(held[:, None], (0, 0, 0, self.order - 1))
        coefficients = torch.where(span[:, :, None] > 0, coefficients, start)
        return LegendreState(coefficients, held, span, pace.index_select(0, last))

    def _shrunk(self, coefficients: Tensor, part: Tensor) -> Tensor:
        """Coefficients of a course that becomes the first ``part`` of a longer one, which is 0 from there on."""
        nodes, inward = (coefficients.new_tensor(constant) for constant in _quadrature(self.order))
        outward = part[:, None, None] * _basis(part[:, None] * nodes, self.order)
        return outward.transpose(1, 2) @ (inward @ coefficients)

    # ---- read ----------------------------------------------------------------------------------

    def read(self, state: LegendreState) -> Tensor:
        """Coefficients, last content and log span, shape (n_series, n_features)."""
        return torch.cat([state.coefficients.flatten(1), state.held, log_time(state.span)], dim=1)

    def averages(self, state: LegendreState) -> Tensor:
        """Means of the polynomial of the value over the last 1/N, 2/N, ... 1 of the gated time, shape (n_series, order).

        The last one is the exact mean of the course; the others are as smooth as the polynomial.
        """
        return state.coefficients[:, :, -1] @ state.coefficients.new_tensor(_means_of_recent_parts(self.order)).T


def _legendre(x: Tensor, count: int) -> Tensor:
    """P_0 ... P_(count - 1) at 2x - 1, along a new last axis."""
    y = 2 * x - 1
    values = [torch.ones_like(y), y]
    for n in range(1, count - 1):
        values.append(((2 * n + 1) * y * values[n] - n * values[n - 1]) / (n + 1))
    return torch.stack(values[:count], dim=-1)


def _basis(x: Tensor, order: int) -> Tensor:
    """Orthonormal polynomials g_0 ... g_(order - 1) at x in [0, 1], along a new last axis."""
    return _legendre(x, order) * (2 * torch.arange(order, device=x.device, dtype=x.dtype) + 1).sqrt()


def _integrals(x: Tensor, order: int) -> Tensor:
    """Integrals of the orthonormal polynomials from 0 to x, shape (n, order)."""
    p = _legendre(x, order + 1)
    rest = (p[:, 2:] - p[:, :-2]) / (2 * (2 * torch.arange(1, order, device=x.device, dtype=x.dtype) + 1).sqrt())
    return torch.cat([x[:, None], rest], dim=1)


@cache
def _quadrature(order: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gauss-Legendre nodes on [0, 1]; and what makes weighted values at the nodes of coefficients."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    basis = _basis(torch.from_numpy((nodes + 1) / 2), order).numpy()
    return (nodes + 1) / 2, weights[:, None] / 2 * basis


@cache
def _means_of_recent_parts(order: int) -> NDArray[np.float64]:
    """Mean of each basis polynomial over the last (k + 1) / order of the course, shape (order, order)."""
    parts = torch.arange(1, order + 1, dtype=torch.float64) / order
    return ((_integrals(torch.ones_like(parts), order) - _integrals(1 - parts, order)) / parts[:, None]).numpy()
