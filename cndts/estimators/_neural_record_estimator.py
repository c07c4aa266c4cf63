"""What estimators of whole records around the hybrid-memory backbone share: fitting and asking the network."""

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback
from torch import Tensor

from cndts.backbones.record_pooling import RecordPooling
from cndts.dynamics.row_names import rows_named
from cndts.estimators._held_out import held_out
from cndts.estimators._hybrid_backbone import check_width, hybrid_backbone
from cndts.estimators._record_blocks import record_batches
from cndts.estimators._record_input import RecordInput
from cndts.estimators._record_weights import record_weights
from cndts.estimators._setting_checks import check_neural_settings
from cndts.estimators._stored_network import StoredNetwork
from cndts.heads import QuantileHead, RecordHead
from cndts.memory import Memory
from cndts.panel import IrregularPanel
from cndts.scaling import Scaling
from cndts.static_features import StaticEncoding
from cndts.training import (
    FitResult,
    Network,
    RecordEnsemble,
    RecordNetwork,
    RecordSamples,
    Training,
    fit_members,
    fit_network,
    n_processes,
    record_score,
)

_N_QUESTIONS = 4


class Lessons(NamedTuple):
    """Records with what is to be said of them, as the head's loss takes it, and their weights."""

    X: IrregularPanel
    target: NDArray
    weight: NDArray[np.float64]

    def at(self, records: NDArray[np.int64]) -> Self:
        """Some of the records."""
        return type(self)(self.X[records], self.target[records], self.weight[records])


class NeuralRecordEstimator(StoredNetwork, RecordInput):
    """Fits an ensemble of record networks; a subclass holds the constructor, reads ``y`` and makes the head."""

    _settings: ClassVar[dict[str, type[BaseEstimator]]] = {"memory": Memory, "training": Training}
    _least_records: ClassVar[int] = 2
    # a search stops hopeless fits through these
    _epoch_callbacks: tuple[tuple[str, Callback], ...] = ()

    memory: Memory | None
    training: Training | None
    forecast_weight: float
    width: int
    layers: int
    dropout: float
    device: str
    random_state: int | np.random.RandomState | None
    verbose: int
    network_: RecordEnsemble

    @abstractmethod
    def _learn(self, y: ArrayLike) -> NDArray:
        """Check the training outcomes, remember what they are made of, and give them as `_targets` does."""

    @abstractmethod
    def _targets(self, y: ArrayLike) -> NDArray:
        """Outcomes as the head's loss takes them, one row a record."""

    @abstractmethod
    def _head(self) -> RecordHead:
        """A new head for what is remembered."""

    def _class_weights(self, y: ArrayLike) -> NDArray[np.float64] | float:
        """Weights by class, shape (n_records,)."""
        return 1.0

    def _strata(self, target: NDArray) -> NDArray[np.int64] | None:
        """Classes that held-out records are drawn from in proportion."""
        return None

    # ---- fit -----------------------------------------------------------------------------------

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        X_val: Any = None,
        y_val: ArrayLike | None = None,
    ) -> Self:
        """Fit to outcomes of records.

        Parameters
        ----------
        X : IrregularPanel of n_records, or array-like of shape (n_records, n_steps)
            Training records; a plain array is one channel on a grid, with NaN where nothing was observed. Queries are not
            used.
        y : array-like of shape (n_records,) or (n_records, n_outputs)
            Outcomes.
        sample_weight : array-like of shape (n_records,), optional
            Weights of the records; one of weight 0 is left out.
        X_val, y_val : as X and y, optional
            Other records, to select the epoch. By default ``training__validation_fraction`` of the records is held out,
            whole groups together where ``X.groups`` says so.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            If ``X`` or ``y`` cannot be read, their lengths differ, or a setting is out of range.
        FloatingPointError
            If the loss is no longer finite.
        """
        if (X_val is None) != (y_val is None):
            raise ValueError(f"X_val and y_val go together; got only {'y_val' if X_val is None else 'X_val'}.")
        try:
            self._fit_members(X, y, sample_weight, X_val, y_val)
        except BaseException:  # Ctrl-C too: half a fit, or the remains of an earlier one, must not predict
            self._forget()
            raise
        return self

    def _fit_members(self, X: Any, y: Any, sample_weight: ArrayLike | None, X_val: Any, y_val: Any) -> None:
        training = self.training or Training()
        self._drop_network()
        self._check_settings(training)
        random = check_random_state(self.random_state)
        train = self._read_lessons(X, y, sample_weight)
        validation: Lessons | None = None
        if X_val is not None:
            validation = self._read_validation(X_val, y_val)
        else:
            train, validation = self._hold_out(train, training.validation_fraction, random)
        self.scaling_ = Scaling.fit(train.X, None)
        self.static_ = StaticEncoding.fit(train.X.static)
        samples = self._samples(train, training)
        unseen = None if validation is None else self._samples(validation, training)
        seeds = random.randint(2**31 - 1, size=training.members).tolist()
        n_jobs = n_processes(training, samples, len(train.X.time), device=self.device, verbose=self.verbose)
        if self._epoch_callbacks:  # they belong to this process
            n_jobs = 1
        fits = fit_members(partial(self._fit_member, samples, unseen, training), seeds, n_jobs)
        self.fit_results_ = tuple(result for _, result in fits)
        self._keep_network(RecordEnsemble([member for member, _ in fits]))

    def _check_settings(self, training: Training) -> None:
        check_width(self.width)
        check_neural_settings(self)
        if not 0 <= self.forecast_weight < np.inf:
            raise ValueError(
                f"forecast_weight must be 0 or more, and finite; got {self.forecast_weight!r}. Use 0 to learn from outcomes alone."
            )

    def _read_lessons(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> Lessons:
        if y is None:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None.")
        panel = self._read_fitting(X)
        check_consistent_length(panel, y)
        weight = record_weights(len(panel), sample_weight)
        counted = np.flatnonzero(weight)
        if len(counted) < len(panel):
            panel, y, weight = panel[counted], np.asarray(y)[counted], weight[counted]
        return Lessons(panel, self._learn(y), weight * self._class_weights(y))

    def _read_validation(self, X: Any, y: Any) -> Lessons:
        panel = self._read(X, "X_val")
        check_consistent_length(panel, y)
        return Lessons(panel, self._targets(y), np.ones(len(panel)) * self._class_weights(y))

    def _hold_out(
        self, train: Lessons, fraction: float, random: np.random.RandomState
    ) -> tuple[Lessons, Lessons | None]:
        """Set records aside to select the epoch."""
        everyone = np.arange(len(train.X))
        held = held_out(everyone, train.X.groups, fraction, random, self._strata(train.target))
        return (train, None) if len(held) == 0 else (train.at(np.setdiff1d(everyone, held)), train.at(held))

    def _samples(self, lessons: Lessons, training: Training) -> RecordSamples:
        static = self.static_.transform(lessons.X.static)
        return RecordSamples(*lessons, self.scaling_, static, training.channel_balance)

    def _fit_member(
        self, train: RecordSamples, validation: RecordSamples | None, training: Training, seed: int
    ) -> tuple[RecordNetwork, FitResult]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = self._network().to(self.device)
        options: dict[str, Any] = {"device": self.device, "seed": seed, "verbose": self.verbose, "score": record_score}
        callbacks = list(self._epoch_callbacks)
        return network, fit_network(network, train, validation, training, callbacks=callbacks, **options)

    def _network(self) -> RecordNetwork:
        n_static = self.static_.n_features
        backbone = hybrid_backbone(
            len(self.channels_in_),
            n_static,
            self.memory,
            None,
            width=self.width,
            layers=self.layers,
            dropout=self.dropout,
            time_unit=self.time_unit_in_,
            scaling=self.scaling_,
        )
        forecaster = Network(backbone, QuantileHead(self.width, backbone.n_anchors, self.dropout))
        pooling = RecordPooling(self.width, n_static, _N_QUESTIONS, self.dropout)
        return RecordNetwork(forecaster, pooling, self._head(), self.forecast_weight)

    # ---- predict -------------------------------------------------------------------------------

    def _ask(self, X: Any, part: Callable[[RecordHead, Any], Tensor]) -> NDArray[np.float64]:
        """A part of what the network says of every record."""
        check_is_fitted(self, "network_")
        panel, answers = self._read(X), []
        self.network_.eval()
        with torch.no_grad():
            for records, batch in record_batches(panel, self.scaling_, self.static_):
                with rows_named(records, panel.channels):
                    answers.append(part(self.network_.head, self.network_(batch.to(self.device))).cpu())
        return torch.cat(answers).double().numpy()

    # ---- files ---------------------------------------------------------------------------------

    def _new_ensemble(self) -> RecordEnsemble:
        return RecordEnsemble([self._network() for _ in range((self.training or Training()).members)])
