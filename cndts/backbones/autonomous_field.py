"""A plain learned vector field."""

from torch import Tensor, nn

# As in the authors' code of Latent ODE: at first the state hardly moves, so that no solve explodes.
_INITIAL_STD = 0.1


class AutonomousField(nn.Module):
    r"""Vector field without time as an input, :math:`f(z) = W_3 \tanh(W_2 \tanh(W_1 z + b_1) + b_2) + b_3`.

    Rubanova, Chen and Duvenaud, *Latent Ordinary Differential Equations for Irregularly-Sampled Time Series*, NeurIPS 2019,
    use it for recognition and generation. The hidden units are bounded, so the state grows at most linearly in time.

    Parameters
    ----------
    width, hidden : int
        Length of the state and of the hidden layers.

    Examples
    --------
    >>> import torch
    >>> AutonomousField(width=4, hidden=8)(torch.zeros(2, 1), torch.zeros(2, 4))
    tensor([[0., 0., 0., 0.],
            [0., 0., 0., 0.]], grad_fn=<AddmmBackward0>)
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, width)
        )
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=_INITIAL_STD)
                nn.init.zeros_(layer.bias)

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        """Slope dz/dt at states (n_rows, width), the same at all times t."""
        return self.layers(z)
