"""Selection of the best epoch."""

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch.callbacks import Callback
from skorch.net import NeuralNet
from torch import Tensor

from cndts.dynamics.row_names import rows_named
from cndts.training.gap_samples import GapSamples
from cndts.training.network import Network
from cndts.training.samples import Samples
from cndts.training.weight_average import WeightAverage

# Channels with fewer validation targets than this have errors that are mostly chance.
_MIN_TARGETS = 100


class ValidationScore(Callback):
    r"""Scores the averaged weights after each epoch and keeps the best.

    The score is the mean over channels of :math:`1 - \tfrac12 (\mathrm{MSE}_c / \mathrm{MSE}_c^0 + \mathrm{MAE}_c /
    \mathrm{MAE}_c^0)`, where 0 marks the forecast by the training mean. Only channels with at least 100 validation targets
    count (all, where no channel has as many), every one of them alike: neither a channel with a handful of targets nor one
    with large units can swing it.

    Parameters
    ----------
    samples : Samples, GapSamples or None
        Validation records; None keeps the last weights.
    average : WeightAverage
        Where the weights come from; must be called before this one.
    batch_size : int
        Records a batch.
    score : callable, optional
        Another score of a network, samples and a batch size, the higher the better.
    """

    def __init__(
        self, samples: Any, average: WeightAverage, batch_size: int, score: Callable[..., float] | None = None
    ) -> None:
        self.samples = samples
        self.average = average
        self.batch_size = batch_size
        self.score = score

    def on_train_begin(self, net: NeuralNet, **kwargs: object) -> None:
        """Forget earlier trainings."""
        self.best_score_, self.best_epoch_ = -np.inf, 0
        self.best_weights_: dict[str, Tensor] | None = None

    def on_epoch_end(self, net: NeuralNet, **kwargs: object) -> None:
        """Record ``valid_score`` and keep the weights if it is the best so far."""
        if self.samples is None:
            return
        score = (self.score or validation_score)(self.average.module, self.samples, self.batch_size)
        net.history.record("valid_score", score)
        net.history.record("valid_score_best", score > self.best_score_)
        if score > self.best_score_:
            self.best_score_, self.best_epoch_ = score, len(net.history)
            self.best_weights_ = copy.deepcopy(self.average.module.state_dict())

    def on_train_end(self, net: NeuralNet, X: object = None, y: object = None, **kwargs: object) -> None:
        """Put the selected weights into the net."""
        net.module_.load_state_dict(self.best_weights_ or self.average.module.state_dict())


def validation_score(network: Network, samples: Samples | GapSamples, batch_size: int) -> float:
    """Mean skill over channels, see `ValidationScore`; NaN where nothing varies, so that no epoch is preferred."""
    channel, error, target = _errors(network, samples, batch_size)
    count = np.bincount(channel)
    skill = np.zeros(len(count))
    for power in (1, 2):
        model = np.bincount(channel, np.abs(error) ** power)
        plain = np.bincount(channel, np.abs(target) ** power)
        skill += 0.5 * (1 - model / np.maximum(plain, 1e-12))
    varies = np.bincount(channel, target**2) > 1e-9 * count
    counted = varies & (count >= _MIN_TARGETS)
    counted = counted if counted.any() else varies
    return float(skill[counted].mean()) if counted.any() else math.nan


@torch.no_grad()
def _errors(network: Network, samples: Samples | GapSamples, batch_size: int) -> tuple[NDArray, NDArray, NDArray]:
    network.eval()
    device = next(network.parameters()).device
    parts = []
    for batch, value, _, records in samples.ordered(batch_size):
        with rows_named(records, samples.channels):
            mean = network(batch.to(device)).forecast.mean.cpu()
        parts.append((batch.query_channel.numpy(), (mean - value).double().numpy(), value.double().numpy()))
    channel, error, target = zip(*parts, strict=True)
    return np.concatenate(channel), np.concatenate(error), np.concatenate(target)
