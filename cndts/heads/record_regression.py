"""Numbers that belong to whole records."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from cndts.heads.gaussian import GaussianHead
from cndts.heads.quantile import QuantileHead
from cndts.heads.record_head import RecordHead


class RecordNumbers(NamedTuple):
    """One forecast per output, each with a ``mean`` of shape (n_records,), in standardised units."""

    outputs: tuple[Any, ...]


class RecordRegressionHead(RecordHead):
    """A distribution of each of some numbers, by the heads that forecasts have.

    The mean is fitted by squared and absolute error, the distribution by the head's own loss, as in `Network.loss`; a training
    mean of zero is the only anchor.

    Parameters
    ----------
    width, n_outputs : int
        Length of the vector of a record; how many numbers.
    dropout : float
        Dropout rate.
    kind : type of GaussianHead or QuantileHead, default=QuantileHead
        Form of the distributions.
    absolute_weight : float, default=2.0
        Weight of the absolute beside the squared error.

    Examples
    --------
    >>> head = RecordRegressionHead(width=4, n_outputs=2, dropout=0.0)
    >>> numbers = head(torch.randn(5, 4))
    >>> head.means(numbers).shape, head.quantiles(numbers, [0.1, 0.5, 0.9]).shape
    (torch.Size([5, 2]), torch.Size([5, 2, 3]))
    """

    def __init__(
        self,
        width: int,
        n_outputs: int,
        dropout: float,
        kind: type[GaussianHead] | type[QuantileHead] = QuantileHead,
        absolute_weight: float = 2.0,
    ) -> None:
        super().__init__()
        self.absolute_weight = absolute_weight
        self.heads = nn.ModuleList(kind(width, 1, dropout) for _ in range(n_outputs))

    def forward(self, vector: Tensor) -> RecordNumbers:
        """Distributions from vectors (n_records, width)."""
        anchor = torch.zeros_like(vector[:, :1])
        return RecordNumbers(tuple(head(vector, anchor) for head in self.heads))

    def loss(self, outcome: RecordNumbers, target: Tensor) -> Tensor:
        """Mean over outputs of the loss of each record, shape (n_records,), for targets (n_records, n_outputs)."""
        losses = [
            self._of_one(head, forecast, target[:, k])
            for k, (head, forecast) in enumerate(zip(self.heads, outcome.outputs, strict=True))
        ]
        return torch.stack(losses).mean(0)

    def _of_one(self, head: Any, forecast: Any, target: Tensor) -> Tensor:
        error = forecast.mean - target
        return error.square() + self.absolute_weight * error.abs() + head.loss(forecast, target)

    def average(self, outcomes: list[RecordNumbers]) -> RecordNumbers:
        """Averages as the heads of forecasts make them."""
        by_output = zip(*(outcome.outputs for outcome in outcomes), strict=True)
        return RecordNumbers(
            tuple(head.average(list(parts)) for head, parts in zip(self.heads, by_output, strict=True))  # type: ignore[operator]
        )

    def means(self, outcome: RecordNumbers) -> Tensor:
        """Means of shape (n_records, n_outputs)."""
        return torch.stack([forecast.mean for forecast in outcome.outputs], dim=1)

    def quantiles(self, outcome: RecordNumbers, levels: list[float]) -> Tensor:
        """Quantiles of shape (n_records, n_outputs, n_levels); levels rise."""
        pairs = zip(self.heads, outcome.outputs, strict=True)
        return torch.stack([head.quantiles(forecast, levels) for head, forecast in pairs], dim=1)  # type: ignore[operator]
