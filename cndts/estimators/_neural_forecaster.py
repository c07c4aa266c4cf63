"""What forecasters around a neural backbone share: fitting, predicting, files."""

from abc import abstractmethod
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtr
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback

from cndts._panel_queries import check_asks
from cndts.backbones import Backbone
from cndts.batching import EventStore
from cndts.distributions import ForecastDistribution, NormalDistribution
from cndts.dynamics import Solver
from cndts.dynamics.row_names import rows_named
from cndts.estimators._adaptable import Adaptable
from cndts.estimators._base import BaseForecaster
from cndts.estimators._causal_context import causal_context
from cndts.estimators._held_out import held_out
from cndts.estimators._setting_checks import check_neural_settings
from cndts.estimators._solver_choice import SolverChoice
from cndts.estimators._stored_network import StoredNetwork
from cndts.estimators._streamed_fit import StreamedFit
from cndts.event_batch import EventBatch
from cndts.heads import HEADS
from cndts.heads.quantile import LEVELS
from cndts.memory import Memory
from cndts.panel import IrregularPanel
from cndts.scaling import Scaling
from cndts.static_features import StaticEncoding
from cndts.streaming import Session
from cndts.targets import Targets
from cndts.training import (
    AnySamples,
    Ensemble,
    FitResult,
    GapSamples,
    Network,
    Samples,
    Training,
    fit_members,
    fit_network,
    n_processes,
)

# Records are predicted together until their events and queries reach this number, which bounds memory.
_ROWS_PER_BATCH = 50_000
# Queries inside the span repeat their record; repeating few records at a time bounds memory too.
_RECORDS_PER_BLOCK = 256


class NeuralForecaster(Adaptable, StreamedFit, SolverChoice, StoredNetwork, BaseForecaster):
    """Fits an ensemble of networks; a subclass holds the constructor and builds the backbone.

    A subclass stores ``training``, ``head``, ``dropout``, ``device``, ``random_state`` and ``verbose`` beside its own
    parameters, and lists in ``_settings`` which of its parameters are settings objects (None stands for the defaults),
    and in ``_left_open`` those of them whose None the backbone interprets.
    """

    _settings: ClassVar[dict[str, type[BaseEstimator]]] = {"memory": Memory, "solver": Solver, "training": Training}
    # a search stops hopeless fits through these
    _epoch_callbacks: tuple[tuple[str, Callback], ...] = ()

    training: Training | None
    head: str
    dropout: float
    device: str
    verbose: int
    network_: Ensemble

    @abstractmethod
    def _backbone(self) -> Backbone:
        """A new backbone for the fitted channels and static features."""

    # ---- fit -----------------------------------------------------------------------------------

    def _fit(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None) -> None:
        try:
            self._fit_members(X, y, X_val, y_val)
        except BaseException:  # Ctrl-C too: half a fit, or the remains of an earlier one, must not predict
            self._forget()
            raise

    def _fit_members(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None) -> None:
        training = self.training or Training()
        self._drop_network()
        self._check_settings()
        random = check_random_state(self.random_state)
        if X_val is None:
            X, y, X_val, y_val = _hold_out(X, y, training.validation_fraction, random)
        self.scaling_ = self._measure(X, y)
        self.static_ = StaticEncoding.fit(X.static)
        train = self._lessons(X, y, training)
        validation = None if X_val is None or y_val is None else self._samples(X_val, y_val, training)
        seeds = random.randint(2**31 - 1, size=training.members).tolist()
        n_jobs = n_processes(training, train, len(X.time), device=self.device, verbose=self.verbose)
        if self._epoch_callbacks:  # they belong to this process
            n_jobs = 1
        fits = fit_members(partial(self._fit_member, train, validation, training), seeds, n_jobs)
        self.fit_results_ = tuple(result for _, result in fits)
        self._keep_network(Ensemble([member for member, _ in fits]))

    def _fit_member(
        self, train: AnySamples, validation: AnySamples | None, training: Training, seed: int
    ) -> tuple[Network, FitResult]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = self._network().to(self.device)
        options: dict[str, Any] = {"device": self.device, "seed": seed, "verbose": self.verbose}
        return network, fit_network(
            network, train, validation, training, callbacks=list(self._epoch_callbacks), **options
        )

    def _check_settings(self) -> None:
        if self.head not in HEADS:
            raise ValueError(f"head must be one of {sorted(HEADS)}; got {self.head!r}.")
        check_neural_settings(self)

    def _network(self) -> Network:
        backbone = self._backbone()
        return Network(backbone, HEADS[self.head](backbone.width, backbone.n_anchors, self.dropout))

    def _measure(self, X: IrregularPanel, y: Targets) -> Scaling:
        return Scaling.fit(X, y)

    def _samples(self, X: IrregularPanel, y: Targets, training: Training) -> Samples | GapSamples:
        return Samples(X, y, self.scaling_, self.static_.transform(X.static), training.channel_balance)

    # ---- predict -------------------------------------------------------------------------------

    def _predict(self, X: IrregularPanel) -> NDArray[np.float64]:
        return self._answer(X, lambda forecast: forecast.mean)

    def _predict_quantiles(self, X: IrregularPanel, quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
        order = np.argsort(quantiles)
        levels = quantiles[order].tolist()
        bands = self._answer(X, lambda forecast: self.network_.head.quantiles(forecast, levels))
        return bands.reshape(-1, len(levels))[:, np.argsort(order)]

    def _distribution(self, aligned: IrregularPanel, X: IrregularPanel) -> ForecastDistribution:
        if self.head == "gaussian":
            mean, above = self._answer_quantiles(aligned, np.array([0.5, ndtr(1.0)])).T
            return NormalDistribution(mean, np.maximum(above - mean, 0.0), check_asks(X), X.records, X.channels)
        return self._through(LEVELS, aligned, X, "normal")

    @torch.no_grad()
    def _answer(self, X: IrregularPanel, part: Any) -> NDArray[np.float64]:
        """A part of the head's forecast at every query, in the units of the data."""
        self.network_.eval()
        blocks = [X[first : first + _RECORDS_PER_BLOCK] for first in range(0, len(X), _RECORDS_PER_BLOCK)]
        answers = [self._answer_block(block, part) for block in blocks if check_asks(block).n_queries]
        answer = np.concatenate(answers) if answers else np.zeros(0)
        return self.scaling_.restore(check_asks(X).channel, answer)

    def _answer_block(self, X: IrregularPanel, part: Any) -> NDArray[np.float64]:
        panel, position = causal_context(X)
        source = np.arange(len(panel))
        source[check_asks(panel).record[position]] = check_asks(X).record
        answers = []
        for records, batch in self._batches(panel):
            with rows_named(X.records[source[records]], X.channels):
                answers.append(part(self.network_(batch.to(self.device)).forecast).cpu())
        return torch.cat(answers).double().numpy()[position]

    def _batches(self, X: IrregularPanel) -> Iterator[tuple[NDArray[np.int64], EventBatch]]:
        store = EventStore(X, self.scaling_, self.static_.transform(X.static))
        queries = check_asks(X)
        rows = np.cumsum(np.diff(X.offsets) + np.diff(queries.offsets))
        bounds = np.flatnonzero(np.diff(rows // _ROWS_PER_BATCH, prepend=-1, append=np.inf))
        for first, end in pairwise(bounds):
            if queries.offsets[end] > queries.offsets[first]:
                records = np.arange(first, end)
                yield records, store.batch(records, queries[first:end])

    # ---- streaming -----------------------------------------------------------------------------

    def session(self, static: Any = None, *, origin: Any = None) -> Session:
        """Start a stream of one record: observe and predict at constant cost.

        Parameters
        ----------
        static : mapping, Series or DataFrame of one row, optional
            Static features of the record; all unknown by default.
        origin : Timestamp or Timedelta, optional
            Calendar time of ``time == 0``; by default the first datetime that is observed.

        Returns
        -------
        Session
        """
        check_is_fitted(self, "network_")
        return Session(self, static, origin=origin)

    # ---- files ---------------------------------------------------------------------------------

    def _new_ensemble(self) -> Ensemble:
        return Ensemble([self._network() for _ in range((self.training or Training()).members)])


def _hold_out(
    X: IrregularPanel, y: Targets, fraction: float, random: np.random.RandomState
) -> tuple[IrregularPanel, Targets, IrregularPanel | None, Targets | None]:
    """Set records with targets aside to select the epoch, whole groups together."""
    held = held_out(np.flatnonzero(np.diff(y.offsets)), X.groups, fraction, random)
    if len(held) == 0:
        return X, y, None, None
    kept = np.setdiff1d(np.arange(len(X)), held)
    return X[kept], y[kept], X[held], y[held]
