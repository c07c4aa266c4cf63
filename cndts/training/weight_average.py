"""Exponential average of the weights."""

from typing import cast

import torch
from skorch.callbacks import Callback
from skorch.net import NeuralNet
from torch import Tensor

from cndts.training.network import Network


class WeightAverage(Callback):
    r"""Keeps :math:`\bar\theta \leftarrow d_k \bar\theta + (1 - d_k) \theta` after each step k.

    The decay :math:`d_k = \min(d, (1 + k) / (10 + k))` grows with the steps, so that a short training is not held back by
    its first weights (Polyak and Juditsky, 1992, on averaging; the warm-up is that of TensorFlow's moving averages).

    Parameters
    ----------
    decay : float
        The final decay d; 0 follows the weights themselves.
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay

    def on_train_begin(self, net: NeuralNet, **kwargs: object) -> None:
        """Start from the initial weights."""
        self.average_ = averaged(net.module_, self.decay)

    def on_batch_end(self, net: NeuralNet, training: bool = False, **kwargs: object) -> None:
        """Take in the weights after a step."""
        if training:
            self.average_.update_parameters(net.module_)

    @property
    def module(self) -> Network:
        """The module with averaged weights."""
        return cast(Network, self.average_.module)


def averaged(network: Network, final_decay: float) -> torch.optim.swa_utils.AveragedModel:
    """A copy of the network to be given the weights after each step, see `WeightAverage`."""

    def blend(average: Tensor, weight: Tensor, n_averaged: Tensor | int) -> Tensor:
        decay = min(final_decay, (1 + int(n_averaged)) / (10 + int(n_averaged)))
        return torch.lerp(weight, average, decay)

    return torch.optim.swa_utils.AveragedModel(network, avg_fn=blend)
