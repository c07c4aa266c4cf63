"""From the states of a record's channels to one vector."""

import math

import torch
from torch import Tensor, nn

from cndts._layers import Dropout


class RecordPooling(nn.Module):
    r"""Attention of a few learned questions over the channel nodes of each record, beside their mean.

    With nodes :math:`z_c` and questions :math:`q_k`, the answer :math:`r_k = \sum_c \mathrm{softmax}_c(q_k^\top W z_c / \sqrt{d}) \,
    V z_c` (Lee et al., *Set Transformer*, ICML 2019, equation 11, without its feed-forward part); the vector is a linear map of all
    answers, of the mean node and of the static features.

    Parameters
    ----------
    width, n_static : int
        Length of a node and of the vector; length of the encoded static features.
    n_questions : int
        Learned questions.
    dropout : float
        Applied to the nodes.

    Examples
    --------
    >>> pooling = RecordPooling(width=8, n_static=0, n_questions=2, dropout=0.0)
    >>> pooling(torch.zeros(5 * 3, 8), torch.zeros(5, 0)).shape  # 5 records of 3 channels
    torch.Size([5, 8])
    """

    def __init__(self, width: int, n_static: int, n_questions: int, dropout: float) -> None:
        super().__init__()
        self.questions = nn.Parameter(torch.randn(n_questions, width) / math.sqrt(width))
        self.key_value = nn.Linear(width, 2 * width)
        self.outward = nn.Linear((n_questions + 1) * width + n_static, width)
        self.dropout = Dropout(dropout)

    def forward(self, nodes: Tensor, static: Tensor) -> Tensor:
        """Vectors of shape (n_records, width).

        Parameters
        ----------
        nodes : Tensor of shape (n_records * n_channels, width)
            States of the channels.
        static : Tensor of shape (n_records, n_static)
            Encoded static features.
        """
        nodes = self.dropout(nodes.view(len(static), -1, nodes.shape[-1]))
        key, value = self.key_value(nodes).chunk(2, dim=-1)
        share = (self.questions @ key.transpose(1, 2) / math.sqrt(key.shape[-1])).softmax(-1)
        answers = (share @ value).flatten(1)
        return self.outward(torch.cat([answers, nodes.mean(1), static], dim=1))
