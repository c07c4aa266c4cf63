"""How the learned fields see the time."""

import torch
from torch import Tensor

from cndts._layers import log_time

N_TIME_FEATURES = 2


def time_features(t: Tensor) -> Tensor:
    r"""Bounded and slowly growing views of times (n_rows, 1) >= 0, :math:`(t / (1 + t), \log(1 + 10 t))`: (n_rows, 2)."""
    return torch.cat([t / (1 + t), log_time(t)], dim=-1)
