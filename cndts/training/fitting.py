"""Fitting a network with skorch."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from skorch.callbacks import Callback, EarlyStopping, GradientNormClipping, LRScheduler
from skorch.net import NeuralNet
from torch import Tensor, nn

from cndts.dynamics.row_names import rows_named
from cndts.event_batch import EventBatch
from cndts.training.gap_samples import GapSamples
from cndts.training.network import Network, NetworkOutput
from cndts.training.record_network import RecordLesson, RecordNetwork, RecordOutput
from cndts.training.record_samples import RecordSamples
from cndts.training.samples import Samples
from cndts.training.settings import Training
from cndts.training.streamed_samples import StreamedSamples
from cndts.training.validation_score import ValidationScore
from cndts.training.weight_average import WeightAverage

AnySamples = Samples | GapSamples | RecordSamples | StreamedSamples

_MIN_EPOCHS, _MAX_EPOCHS, _STEPS = 20, 100, 2000
_MIN_BATCH, _MAX_BATCH, _STEPS_PER_EPOCH = 8, 32, 8
_SCORED_BATCH = 64


@dataclass(frozen=True)
class FitResult:
    """How a training went.

    Parameters
    ----------
    n_epochs : int
        Epochs run.
    best_epoch : int
        Epoch whose weights were kept (the last one without validation records).
    best_score : float
        Its validation score; NaN without validation records.
    history : list of dict
        Per epoch: ``epoch``, ``train_loss``, ``dur`` (seconds) and, with validation records, ``valid_score``.
    """

    n_epochs: int
    best_epoch: int
    best_score: float
    history: list[dict[str, float]]


def fit_network(
    network: Network | RecordNetwork,
    train: AnySamples,
    validation: AnySamples | None,
    training: Training,
    *,
    device: str,
    seed: int,
    verbose: int = 0,
    callbacks: list[Callback] | None = None,
    score: Callable[..., float] | None = None,
) -> FitResult:
    """Train a network in place; it ends with the averaged weights of the best epoch.

    Parameters
    ----------
    network : Network or RecordNetwork
        Freshly initialised, or to be trained further.
    train, validation : Samples, GapSamples or RecordSamples
        Training records, and those that choose the epoch (None: the last epoch is kept).
    training : Training
        Settings.
    device : str
        Where to train.
    seed : int
        Of batch order, cuts and dropout.
    verbose : int, default=0
        1 prints a line per epoch.
    callbacks : list of skorch callbacks, optional
        Called after our own.
    score : callable, optional
        What validation records are scored by, see `ValidationScore`; `validation_score` by default.

    Returns
    -------
    FitResult

    Raises
    ------
    FloatingPointError
        If the loss is no longer finite.
    KeyboardInterrupt
        If Ctrl-C ends the training; the weights are those of some step in between, not to be used.
    """
    batch_size = _batch_size(training, train.n_records)
    steps = max(1, train.n_records // batch_size)
    epochs = planned_epochs(training, train.n_records)
    average = WeightAverage(training.averaging)
    score = ValidationScore(validation, average, _SCORED_BATCH, score)
    net = _Net(
        network,
        criterion=nn.Identity,  # the loss belongs to the head, see _Net.get_loss
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=training.weight_decay,
        lr=training.learning_rate,
        max_epochs=epochs,
        batch_size=batch_size,
        iterator_train=_ShuffledBatches,
        iterator_train__cut_share=training.cut_share,
        iterator_train__random=np.random.default_rng(seed),
        train_split=None,
        callbacks=[
            ("clip", GradientNormClipping(1.0)),
            ("schedule", _one_cycle(training.learning_rate, epochs * steps)),
            ("average", average),
            ("score", score),
            *_early_stopping(training, validation),
            *(callbacks or []),
        ],
        device=device,
        verbose=verbose,
        absolute_weight=training.absolute_weight,
    )
    with torch.random.fork_rng(devices=[] if device == "cpu" else None):
        torch.manual_seed(seed)
        try:
            net.fit(_Records(train), y=None)
        except _Interrupted:
            raise KeyboardInterrupt(f"fitting was interrupted in epoch {len(net.history)} of {epochs}") from None
    network.eval()
    history = [{key: row[key] for key in _KEPT if key in row} for row in net.history]
    best_epoch = score.best_epoch_ or len(history)
    return FitResult(len(history), best_epoch, score.best_score_ if score.best_epoch_ else math.nan, history)


def planned_epochs(training: Training, n_records: int) -> int:
    """Epochs that a fit to so many training records is planned for.

    Examples
    --------
    >>> planned_epochs(Training(), 100_000), planned_epochs(Training(epochs=3), 100_000)
    (20, 3)
    """
    steps = max(1, n_records // _batch_size(training, n_records))
    return training.epochs or _between(_MIN_EPOCHS, math.ceil(_STEPS / steps), _MAX_EPOCHS)


def _batch_size(training: Training, n_records: int) -> int:
    return training.batch_size or _between(_MIN_BATCH, n_records // _STEPS_PER_EPOCH, _MAX_BATCH)


_KEPT = ("epoch", "train_loss", "dur", "valid_score")


class _Enough(Exception):
    """Patience has run out."""


class _Stop(EarlyStopping):
    """Stops in a way of its own: skorch's raises KeyboardInterrupt, as if someone had pressed Ctrl-C."""

    def on_epoch_end(self, net: NeuralNet, **kwargs: object) -> None:
        try:
            super().on_epoch_end(net, **kwargs)
        except KeyboardInterrupt:
            raise _Enough from None


class _Interrupted(Exception):
    """Stands in for KeyboardInterrupt, which skorch swallows: half a training would pass for a whole one."""


class _Net(NeuralNet):
    """skorch's loop with the hooks that it leaves open for own kinds of batches."""

    def __init__(self, *args: object, absolute_weight: float, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.absolute_weight = absolute_weight

    def fit_loop(self, *args: object, **kwargs: object) -> NeuralNet:
        try:
            return super().fit_loop(*args, **kwargs)
        except _Enough:
            return self
        except KeyboardInterrupt:
            raise _Interrupted from None

    def train_step_single(self, batch: tuple, **fit_params: object) -> dict[str, Tensor]:
        _, (_, _, names) = batch
        with rows_named(*names):
            return super().train_step_single(batch, **fit_params)

    def infer(self, x: EventBatch, **fit_params: object) -> NetworkOutput | RecordOutput:
        return self.module_(x.to(self.device))

    def get_loss(
        self,
        y_pred: NetworkOutput | RecordOutput,
        y_true: tuple[Tensor | RecordLesson, Tensor, tuple],
        X: object = None,
        training: bool = False,
    ) -> Tensor:
        value, weight = (part.to(self.device) for part in y_true[:2])
        loss = self.module_.loss(y_pred, value, weight, self.absolute_weight)
        if not torch.isfinite(loss):
            raise FloatingPointError(
                f"training diverged: the loss became {loss.item()} in epoch {len(self.history)}. Lower "
                "training__learning_rate, or look for extreme values in the training records."
            )
        return loss


class _Records(torch.utils.data.Dataset):
    """Lets skorch count the records."""

    def __init__(self, samples: AnySamples) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return self.samples.n_records


class _ShuffledBatches:
    """One pass over the training records: what skorch iterates over in an epoch."""

    def __init__(self, dataset: _Records, batch_size: int, cut_share: float, random: np.random.Generator) -> None:
        self.dataset, self.batch_size, self.cut_share, self.random = dataset, batch_size, cut_share, random

    def __iter__(self) -> Iterator[tuple[EventBatch, tuple[Tensor | RecordLesson, Tensor, tuple]]]:
        samples = self.dataset.samples
        for batch, value, weight, records in samples.shuffled(self.batch_size, self.cut_share, self.random):
            yield batch, (value, weight, (records, samples.channels))


def _between(low: int, wanted: int, high: int) -> int:
    return min(max(low, wanted), high)


def _one_cycle(learning_rate: float, n_steps: int) -> LRScheduler:
    return LRScheduler(
        torch.optim.lr_scheduler.OneCycleLR,
        max_lr=learning_rate,
        # torch counts the step before the first, and divides by zero where the rise would end on it, at 5.
        total_steps=max(n_steps + 1, 6),
        pct_start=0.2,
        step_every="batch",
    )


def _early_stopping(training: Training, validation: AnySamples | None) -> list[tuple[str, Callback]]:
    if training.patience is None or validation is None:
        return []
    stop = _Stop("valid_score", lower_is_better=False, patience=training.patience, threshold=0.0, sink=_silent)
    return [("stop", stop)]


def _silent(message: str) -> None:
    """EarlyStopping announces itself on standard output by default."""
