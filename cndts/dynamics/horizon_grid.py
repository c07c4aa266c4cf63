"""Where the steps of a fixed-step solve end, as a function of the number of steps alone.

Times are in model time: one unit is the longest horizon of training.
"""

import torch
from torch import Tensor

# Fixed steps reach a little beyond the longest horizon of training, so that a late last event needs no further step.
REACH = 1.25
FURTHEST = 250.0
"""Beyond this many training horizons the state is held."""

# Forecasts move fast at first and settle: n steps grow by the n-th root of this each, so that more steps are finer
# everywhere.
_GROWTH = 27.0
# Beyond the reach steps start smaller than the last one within it, and grow more slowly: the field was not trained there.
_FURTHER_GROWTH = 128.0
_FURTHER_STEPS = 8


def step_ends(n_steps: int) -> Tensor:
    """Step ends from 0 to ``REACH``, each step longer than the one before by the same factor.

    Returns
    -------
    Tensor of shape (n_steps + 1,), float64

    Examples
    --------
    >>> [round(end, 3) for end in step_ends(3).tolist()]
    [0.0, 0.096, 0.385, 1.25]
    """
    return REACH * _growing(n_steps, _GROWTH)


def further_step_ends(n_steps: int, until: float) -> Tensor:
    """Step ends from ``REACH`` on, until they pass ``until`` or arrive at ``FURTHEST``.

    There are at most 8 ``n_steps`` steps, and asking for a later end only appends steps.

    Returns
    -------
    Tensor of shape (n_further + 1,), float64

    Examples
    --------
    >>> [round(end, 2) for end in further_step_ends(3, until=2.5).tolist()]
    [1.25, 1.69, 2.23, 2.88]
    >>> len(further_step_ends(3, until=1e9)) - 1
    24
    """
    ends = REACH + (FURTHEST - REACH) * _growing(_FURTHER_STEPS * n_steps, _FURTHER_GROWTH)
    n_further = int(torch.searchsorted(ends, torch.tensor(until, dtype=ends.dtype)))
    return ends[: max(n_further, 1) + 1]


def _growing(n_steps: int, growth: float) -> Tensor:
    """Ends from 0 to 1 of steps that grow by the same factor, over all of them by about ``growth`` (float64)."""
    return (growth ** (torch.arange(n_steps + 1, dtype=torch.float64) / n_steps) - 1) / (growth - 1)
