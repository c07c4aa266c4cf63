"""Small layers that dynamics, memories, backbones and heads share."""

import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """Dropout (Srivastava et al., JMLR 2014) whose mask takes one random byte an entry.

    torch draws a float per entry, which on a CPU costs more than the linear layer behind it; eight entries from one
    64-bit draw make it four times as fast. The rate is rounded to 1/256.

    Parameters
    ----------
    rate : float
        Share of entries set to zero in training, in [0, 1).

    Examples
    --------
    >>> sorted(set(Dropout(0.5)(torch.ones(1000)).tolist()))
    [0.0, 2.0]
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f"dropout must be at least 0 and below 1; got {rate!r}.")
        self.threshold = min(round(256 * rate), 255)

    def forward(self, x: Tensor) -> Tensor:
        """Drop entries in training, pass everything on in evaluation."""
        if not self.training or self.threshold == 0:
            return x
        draws = torch.empty((x.numel() + 7) // 8, dtype=torch.int64, device=x.device).random_(-(2**63), None)
        is_kept = draws.view(torch.uint8)[: x.numel()].view(x.shape) >= self.threshold
        return x * (is_kept * (256 / (256 - self.threshold)))


def two_layers(n_in: int, n_hidden: int, n_out: int, dropout: float) -> nn.Sequential:
    """Linear, SiLU, dropout, linear."""
    return nn.Sequential(nn.Linear(n_in, n_hidden), nn.SiLU(), Dropout(dropout), nn.Linear(n_hidden, n_out))


def log_time(duration: Tensor) -> Tensor:
    """Durations on a scale that resolves minutes and days: log(1 + 10 t), t >= 0 in model time."""
    return torch.log1p(10 * duration.clamp(min=0))
