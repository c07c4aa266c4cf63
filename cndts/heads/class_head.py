"""Classes of records."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cndts._layers import two_layers
from cndts.heads.record_head import RecordHead


class ClassOutcome(NamedTuple):
    """Log probabilities of shape (n_records, n_classes); with ``several``, (n_records, n_labels, 2) of no and yes."""

    log_probability: Tensor


class ClassHead(RecordHead):
    r"""Probabilities of classes that exclude each other, or of labels that do not.

    Classes share one softmax, :math:`p_k \propto e^{a_k}`; each of several labels has its own logistic probability
    :math:`p_k = 1 / (1 + e^{-a_k})`. The loss is the cross entropy, of labels its mean over labels (Bishop, *Pattern Recognition and
    Machine Learning*, 2006, equations 4.108 and 4.90).

    Parameters
    ----------
    width, n_outputs : int
        Length of the vector of a record; number of classes or labels.
    dropout : float
        Dropout rate.
    several : bool, default=False
        Whether a record may have several labels.

    Examples
    --------
    >>> head = ClassHead(width=4, n_outputs=3, dropout=0.0)
    >>> head.probabilities(head(torch.zeros(5, 4))).sum(dim=1).allclose(torch.ones(5))
    True
    """

    def __init__(self, width: int, n_outputs: int, dropout: float, several: bool = False) -> None:
        super().__init__()
        self.several = several
        self.norm = nn.LayerNorm(width)
        self.layers = two_layers(width, width, n_outputs, dropout)

    def forward(self, vector: Tensor) -> ClassOutcome:
        """Outcome of records from vectors (n_records, width)."""
        logit = self.layers(self.norm(vector))
        if not self.several:
            return ClassOutcome(logit.log_softmax(-1))
        return ClassOutcome(torch.stack([F.logsigmoid(-logit), F.logsigmoid(logit)], dim=-1))

    def loss(self, outcome: ClassOutcome, target: Tensor) -> Tensor:
        """Cross entropy of each record, shape (n_records,).

        Parameters
        ----------
        outcome : ClassOutcome
            Of the records.
        target : Tensor
            Positions of the classes, shape (n_records,); with ``several`` 0 and 1, shape (n_records, n_labels).
        """
        picked = outcome.log_probability.gather(-1, target.long().unsqueeze(-1)).squeeze(-1)
        return -picked.mean(dim=-1) if self.several else -picked

    def average(self, outcomes: list[ClassOutcome]) -> ClassOutcome:
        """The equal mixture of the distributions."""
        logs = torch.stack([outcome.log_probability for outcome in outcomes])
        return ClassOutcome(logs.logsumexp(0) - torch.log(torch.tensor(float(len(outcomes)))).to(logs))

    def probabilities(self, outcome: ClassOutcome) -> Tensor:
        """Probabilities of shape (n_records, n_outputs); with ``several`` of each label by itself."""
        return (outcome.log_probability[..., 1] if self.several else outcome.log_probability).exp()
