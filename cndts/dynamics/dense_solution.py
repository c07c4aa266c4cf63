"""Continuous solution of a batch of initial value problems."""

from dataclasses import dataclass

import torch
from torch import Tensor

from cndts.dynamics._types import SolverStatistics


@dataclass(frozen=True, eq=False)
class DenseSolution:
    r"""States and slopes at knots, joined by cubic Hermite polynomials.

    Parameters
    ----------
    knots : Tensor of shape (n_knots,) or (n_rows, n_knots)
        Rising times, common to all rows or one list per row.
    state : Tensor of shape (n_knots, n_rows, n_state)
        Solution at the knots.
    slope : Tensor of shape (n_knots, n_rows, n_state)
        Vector field at the knots.
    statistics : SolverStatistics
        What the solve cost.

    Notes
    -----
    With :math:`\theta = (t - t_k) / h` and :math:`h = t_{k+1} - t_k`, Hairer, Nørsett and Wanner, *Solving
    Ordinary Differential Equations I* (1993), equation II.6.7:

    .. math:: z(t) = (1 - \theta) z_k + \theta z_{k+1}
        + \theta (\theta - 1) [(1 - 2 \theta)(z_{k+1} - z_k) + (\theta - 1) h f_k + \theta h f_{k+1}],

    which is accurate to fourth order in h when states and slopes are.

    Examples
    --------
    A parabola is reproduced between its knots:

    >>> t = torch.tensor([0.0, 2.0])
    >>> parabola = DenseSolution(t, t.square().view(2, 1, 1), 2 * t.view(2, 1, 1), SolverStatistics("exact", 1, 0, 0))
    >>> parabola.at(torch.tensor([0]), torch.tensor([1.0])).item()
    1.0
    """

    knots: Tensor
    state: Tensor
    slope: Tensor
    statistics: SolverStatistics

    def at(self, row: Tensor, t: Tensor) -> Tensor:
        """Evaluate rows at times: both of shape (n_queries,); returns (n_queries, n_state).

        Times outside the knots give the state at the nearest end.
        """
        t = t.contiguous()  # torch warns otherwise
        knots = self.knots if self.knots.ndim == 1 else self.knots[row]
        inner = knots[..., 1:-1].contiguous()
        left = torch.searchsorted(inner, t[:, None]).squeeze(1) if inner.ndim == 2 else torch.bucketize(t, inner)
        start, end = self._bounds(knots, left)
        width = end - start
        theta = ((t - start) / width.clamp(min=torch.finfo(t.dtype).tiny)).clamp(0, 1)[:, None]
        width = width[:, None]
        # One index into the flattened tables: the gradient of index_select is several times cheaper than that of [].
        n_rows = self.state.shape[1]
        place = left * n_rows + row
        z0, z1 = (self.state.flatten(0, 1).index_select(0, at) for at in (place, place + n_rows))
        f0, f1 = (self.slope.flatten(0, 1).index_select(0, at) for at in (place, place + n_rows))
        bend = (1 - 2 * theta) * (z1 - z0) + (theta - 1) * width * f0 + theta * width * f1
        return torch.lerp(z0, z1, theta) + theta * (theta - 1) * bend

    @staticmethod
    def _bounds(knots: Tensor, left: Tensor) -> tuple[Tensor, Tensor]:
        if knots.ndim == 1:
            return knots[left], knots[left + 1]
        column = left[:, None]
        return knots.gather(1, column).squeeze(1), knots.gather(1, column + 1).squeeze(1)
