"""Write, forget, clearing and read gates: what enters a memory, how fast it fades, what it drops, how much of it is used."""

import torch
from torch import Tensor, nn

# Log odds with which a memory is kept at an event before training, and how unlike they are for unlike events: gates that are all alike
# at first learn to clear a memory on some seeds alone.
_KEPT, _UNLIKE = 5.0, 4.0


class WriteGate(nn.Module):
    r"""Log weight with which an event enters a memory, :math:`3 \tanh(g(u) / 3)`.

    Bounded to e^-3..e^3, so that no single event can silence all others.

    Parameters
    ----------
    width, n_out : int
        Length of an encoded event, and weights per event.
    enabled : bool
        False writes every event with weight 1.

    Examples
    --------
    >>> WriteGate(width=4, n_out=2, enabled=False)(torch.ones(3, 4)).exp().tolist()
    [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
    """

    def __init__(self, width: int, n_out: int, enabled: bool = True) -> None:
        super().__init__()
        self.n_out = n_out
        self.layer = nn.Linear(width, n_out) if enabled else None

    def forward(self, encoded: Tensor) -> Tensor:
        """Log weights of shape (n_events, n_out)."""
        if self.layer is None:
            return encoded.new_zeros(len(encoded), self.n_out)
        return 3 * torch.tanh(self.layer(encoded) / 3)


class ForgetGate(nn.Module):
    r"""Pace at which a memory forgets after an event, :math:`2 \sigma(g(u))` times its own rate.

    Between standing still and twice the rate; 1 at the start of training.

    Parameters
    ----------
    width, n_out : int
        Length of an encoded event, and paces per event.
    enabled : bool
        False keeps every pace at 1.

    Examples
    --------
    >>> ForgetGate(width=4, n_out=1)(torch.randn(3, 4)).tolist()
    [[1.0], [1.0], [1.0]]
    """

    def __init__(self, width: int, n_out: int, enabled: bool = True) -> None:
        super().__init__()
        self.n_out = n_out
        self.layer = _silent(nn.Linear(width, n_out)) if enabled else None

    def forward(self, encoded: Tensor) -> Tensor:
        """Paces of shape (n_events, n_out)."""
        if self.layer is None:
            return encoded.new_ones(len(encoded), self.n_out)
        return 2 * torch.sigmoid(self.layer(encoded))


class ClearingGate(nn.Module):
    r"""What a memory drops before an event enters it, as the negative log of the share :math:`\sigma(-g(u))` that is kept.

    The forget gate of Gers, Schmidhuber and Cummins, *Learning to Forget: Continual Prediction with LSTM*, Neural Computation
    2000, section 3: one event can clear a memory, however short the time since the last one. Before training events drop about
    1 %, each its own.

    Parameters
    ----------
    width, n_out : int
        Length of an encoded event, and shares per event.
    enabled : bool
        False drops nothing.

    Examples
    --------
    >>> ClearingGate(width=4, n_out=1)(torch.zeros(3, 4)).neg().exp()
    tensor([[0.9933],
            [0.9933],
            [0.9933]], grad_fn=<ExpBackward0>)
    """

    def __init__(self, width: int, n_out: int, enabled: bool = True) -> None:
        super().__init__()
        self.n_out = n_out
        self.layer = nn.Linear(width, n_out) if enabled else None
        if self.layer is not None:
            nn.init.normal_(self.layer.weight, std=_UNLIKE / width**0.5)
            nn.init.constant_(self.layer.bias, -_KEPT)

    def forward(self, encoded: Tensor) -> Tensor:
        """Negative log shares of shape (n_events, n_out), 0 or more."""
        if self.layer is None:
            return encoded.new_zeros(len(encoded), self.n_out)
        return nn.functional.softplus(self.layer(encoded))


class ReadGate(nn.Module):
    r"""How much of each memory's answer a node takes in, :math:`2 \sigma(g(z))` by memory.

    Parameters
    ----------
    width, n_memories : int
        Length of what the node knows, and number of memories.
    enabled : bool
        False takes in everything.

    Examples
    --------
    >>> ReadGate(width=4, n_memories=2)(torch.randn(1, 4), [torch.ones(1, 4), torch.ones(1, 4)]).tolist()
    [[2.0, 2.0, 2.0, 2.0]]
    """

    def __init__(self, width: int, n_memories: int, enabled: bool = True) -> None:
        super().__init__()
        self.n_memories = n_memories
        self.layer = _silent(nn.Linear(width, n_memories)) if enabled else None

    def opening(self, known: Tensor) -> Tensor:
        """Share of each memory, shape (..., n_memories), 1 at the start of training."""
        if self.layer is None:
            return known.new_ones(*known.shape[:-1], self.n_memories)
        return 2 * torch.sigmoid(self.layer(known))

    def forward(self, known: Tensor, reads: list[Tensor]) -> Tensor:
        """Gated sum of the reads, each of shape (..., width), by what the node knows, shape (..., n_known)."""
        openings = self.opening(known).unbind(-1)
        return torch.stack([opening[..., None] * read for opening, read in zip(openings, reads, strict=True)]).sum(0)


def _silent(layer: nn.Linear) -> nn.Linear:
    """A layer that says 0 until it is trained."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
