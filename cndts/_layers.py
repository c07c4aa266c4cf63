"""Small layers that dynamics, memories, backbones and heads share."""

import torch
from torch import Tensor, nn


def two_layers(n_in: int, n_hidden: int, n_out: int, dropout: float) -> nn.Sequential:
    """Linear, SiLU, dropout, linear."""
    return nn.Sequential(nn.Linear(n_in, n_hidden), nn.SiLU(), nn.Dropout(dropout), nn.Linear(n_hidden, n_out))


def log_time(duration: Tensor) -> Tensor:
    """Durations on a scale that resolves minutes and days: log(1 + 10 t), t >= 0 in model time."""
    return torch.log1p(10 * duration.clamp(min=0))
