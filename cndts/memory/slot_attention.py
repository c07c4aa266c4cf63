"""Attention over few slots whose keys and contents are linear in what the slots hold."""

import torch
from torch import Tensor, nn


class SlotAttention(nn.Module):
    r"""Multi-head attention from the askers of a row over the slots of that row.

    Vaswani et al., *Attention Is All You Need*, NeurIPS 2017, equation 1. Keys and contents are linear in the slots,
    :math:`q^\top (K s) = (K^\top q)^\top s` and :math:`\sum a (V s) = V \sum a s`: so where a row has fewer askers than slots, the
    matrices meet one row per asker and head instead of one per slot, which is cheaper and gives the same.

    Parameters
    ----------
    width, n_inside, n_heads : int
        Length of an asker and of what is read, length of a slot, number of heads.

    Examples
    --------
    >>> attention = SlotAttention(width=4, n_inside=6, n_heads=2)
    >>> read, share = attention(torch.randn(3, 1, 4), torch.randn(3, 5, 6), torch.zeros(3, 5))
    >>> read.shape, share.shape
    (torch.Size([3, 1, 4]), torch.Size([3, 1, 2, 5]))
    """

    def __init__(self, width: int, n_inside: int, n_heads: int) -> None:
        super().__init__()
        self.heads = (n_heads, width // n_heads)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(n_inside, width, bias=False)  # a bias would be the same for all slots
        self.content = nn.Linear(n_inside, width)
        self.out = nn.Linear(width, width)

    def forward(self, asked: Tensor, slots: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Read the slots of each row.

        Parameters
        ----------
        asked : Tensor of shape (n_rows, n_askers, width)
            Who asks.
        slots : Tensor of shape (n_rows, n_slots, n_inside)
            What is held.
        bias : Tensor of shape (n_rows, n_slots) or (n_rows, n_heads, n_slots)
            Added to the scores; -inf for an empty slot. Every row needs a slot that is not empty.

        Returns
        -------
        read : Tensor of shape (n_rows, n_askers, width)
        share : Tensor of shape (n_rows, n_askers, n_heads, n_slots)
            What each slot contributed.
        """
        query = self.query(asked).unflatten(-1, self.heads) / self.heads[1] ** 0.5
        bias = bias if bias.ndim == 3 else bias[:, None]
        read, share = (self._by_asker if asked.shape[1] < slots.shape[1] else self._by_slot)(query, slots, bias)
        return self.out(read.flatten(2)), share

    def _by_slot(self, query: Tensor, slots: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        key, content = (layer(slots).unflatten(-1, self.heads).transpose(1, 2) for layer in (self.key, self.content))
        share = (query.transpose(1, 2) @ key.transpose(2, 3) + bias[:, :, None]).softmax(dim=-1)
        return (share @ content).transpose(1, 2), share.transpose(1, 2)

    def _by_asker(self, query: Tensor, slots: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        n_askers = query.shape[1]
        key, content = self.key.weight.unflatten(0, self.heads), self.content.weight.unflatten(0, self.heads)
        sought = torch.einsum("rahk,hkf->rahf", query, key).flatten(1, 2)
        score = (sought @ slots.transpose(1, 2)).unflatten(1, (n_askers, self.heads[0]))
        share = (score + bias[:, None]).softmax(dim=-1)
        found = (share.flatten(1, 2) @ slots).unflatten(1, (n_askers, self.heads[0]))
        read = torch.einsum("rahf,hkf->rahk", found, content) + self.content.bias.unflatten(0, self.heads)
        return read, share
