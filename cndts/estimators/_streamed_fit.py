"""Fitting a neural forecaster to records that do not fit into memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from cndts.estimators._alignment import check_training_pair
from cndts.panel import IrregularPanel
from cndts.parquet_panel import ParquetPanel
from cndts.targets import Targets
from cndts.training import GapSamples, Samples, Training
from cndts.training.streamed_samples import StreamedSamples

if TYPE_CHECKING:
    from cndts.estimators._neural_forecaster import NeuralForecaster


class Task(Protocol):
    """What splits a panel into context and targets, such as `Extrapolation`."""

    def split(self, panel: IrregularPanel) -> tuple[IrregularPanel, Targets]:
        """Context with queries, and the values there."""


@dataclass(frozen=True)
class _Stream:
    """What batches are drawn from in place of the panel that ``fit`` was given."""

    source: ParquetPanel
    task: Task
    is_used: NDArray[np.bool_]
    n_records: int
    pool_events: int


class StreamedFit:
    """What `NeuralForecaster` adds for panels larger than memory: `fit_stream`."""

    _stream: _Stream | None = None

    def fit_stream(
        self,
        source: ParquetPanel,
        task: Task,
        *,
        X_val: IrregularPanel | None = None,
        y_val: Targets | None = None,
        records_per_epoch: int | None = None,
        events_in_memory: int = 1_000_000,
    ) -> Self:
        """Fit to records on disk; in memory lie as many events as asked, however many there are in all.

        Units of values and time, weights of channels and the encoding of static features are measured on a random sample of the training
        records (``events_in_memory`` events); ``n_records_in_`` counts all of them. Batches are then drawn from random shards, each read
        when it is its turn.

        Parameters
        ----------
        source : ParquetPanel
            Records with their whole course.
        task : object with ``split(panel)``
            What is to be predicted, such as ``Extrapolation(observe=24, horizon=24)``; applied to what was read.
        X_val, y_val : IrregularPanel and Targets, optional
            Records that choose the epoch. By default ``training.validation_fraction`` of the records (or groups) are held out, at most
            ``events_in_memory`` events.
        records_per_epoch : int, optional
            Records between two looks at the validation score; all training records by default. With few, an epoch draws
            other shards each time, and an early stop may come before all records were seen.
        events_in_memory : int, default=1_000_000
            Size of the pool that batches are drawn from, of the sample, and most of the validation records. About 400 bytes an event are
            needed for each of the three.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If ``source`` is not a ParquetPanel, or ``task`` cannot split.
        ValueError
            If a number is not positive, or there is nothing to learn.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from cndts import Extrapolation, ParquetPanel
        >>> from cndts.datasets import make_oscillators
        >>> from cndts.estimators import IrregularForecaster
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     shards = (make_oscillators(20, random_state=seed) for seed in range(3))
        ...     source = ParquetPanel.write(Path(folder, "panel.parquet"), shards, ignore_records=True)
        ...     model = IrregularForecaster("gru-d", training=Training(epochs=1, members=1), width=8, random_state=0)
        ...     model = model.fit_stream(source, Extrapolation(observe=6, horizon=2), events_in_memory=2000)
        >>> model.n_records_in_
        54
        """
        _check(source, task, records_per_epoch, events_in_memory)
        model = cast("NeuralForecaster", self)
        random = check_random_state(model.random_state)
        is_used = np.ones(len(source), dtype=bool)
        if X_val is None and y_val is None:
            fraction = (model.training or Training()).validation_fraction
            held = held_out_records(source, fraction, events_in_memory, random)
            is_used[held] = False
            if len(held):
                X_val, y_val = task.split(source[held])
        sample = source[sampled_records(source, np.flatnonzero(is_used), events_in_memory, random)]
        n_records = int(is_used.sum())
        stream = _Stream(source, task, is_used, min(records_per_epoch or n_records, n_records), events_in_memory)
        X, y = task.split(sample)
        del sample
        self._stream = stream
        try:
            model.fit(X, y, X_val=X_val, y_val=y_val)
        finally:
            del self._stream
        model.n_records_in_ = n_records
        return self

    def _lessons(self, X: IrregularPanel, y: Targets, training: Training) -> Samples | GapSamples | StreamedSamples:
        """What is learned from: the panel, or the stream that it is a sample of."""
        model, stream = cast("NeuralForecaster", self), self._stream
        measured = model._samples(X, y, training)
        if stream is None:
            return measured
        weight, horizon = measured.weight, getattr(measured, "horizon", None)

        def prepare(pool: IrregularPanel) -> Samples | GapSamples | None:
            X, y = stream.task.split(pool)
            if not np.isfinite(y.value).any():
                return None
            samples = model._samples(*check_training_pair(X, y), training)
            samples.weight = weight
            if isinstance(samples, Samples) and horizon is not None:
                samples.horizon = horizon
            return samples

        return StreamedSamples(
            stream.source, stream.is_used, prepare, n_records=stream.n_records, pool_events=stream.pool_events
        )


def held_out_records(
    source: ParquetPanel, fraction: float, most_events: int, random: np.random.RandomState
) -> NDArray[np.int64]:
    """Positions of random records, whole groups together: at most a share of them, and at most so many events."""
    labels = np.arange(len(source)) if source.groups is None else np.unique(source.groups, return_inverse=True)[1]
    n_labels = int(labels.max(initial=-1)) + 1
    order = random.permutation(n_labels)
    events = np.cumsum(np.bincount(labels, source.counts, n_labels)[order])
    n_held = min(int(fraction * n_labels), int((events <= most_events).sum()))
    return np.flatnonzero(np.isin(labels, order[:n_held]))


def sampled_records(
    source: ParquetPanel, records: NDArray[np.int64], most_events: int, random: np.random.RandomState
) -> NDArray[np.int64]:
    """Some of the records at random, rising: as many as hold so many events, and one at least."""
    order = random.permutation(records)
    n_taken = max(1, int((np.cumsum(source.counts[order]) <= most_events).sum()))
    return np.sort(order[:n_taken])


def _check(source: Any, task: Any, records_per_epoch: int | None, events_in_memory: int) -> None:
    if not isinstance(source, ParquetPanel):
        raise TypeError(
            f"source must be a ParquetPanel; got {type(source).__name__}. Open one with ParquetPanel(path), or fit panels in memory "
            "with fit(X, y)."
        )
    if not hasattr(task, "split"):
        raise TypeError(f"task must have split(panel); got {task!r}. Try Extrapolation(observe=24, horizon=24).")
    if len(source) == 0:
        raise ValueError("source has no records; got an empty ParquetPanel.")
    for name, number in (("records_per_epoch", records_per_epoch), ("events_in_memory", events_in_memory)):
        if number is not None and number < 1:
            raise ValueError(f"{name} must be 1 or more; got {number!r}.")
