"""What forecasters around a neural backbone share: fitting, predicting, files."""

import os
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import asdict
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import GroupShuffleSplit
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from cndts import persistence
from cndts.backbones import Backbone
from cndts.batching import EventStore
from cndts.dynamics import Solver
from cndts.dynamics.row_names import rows_named
from cndts.estimators._adaptable import Adaptable
from cndts.estimators._alignment import check_asks
from cndts.estimators._base import BaseForecaster
from cndts.estimators._causal_context import causal_context
from cndts.estimators._solver_choice import SolverChoice
from cndts.event_batch import EventBatch
from cndts.heads import HEADS
from cndts.memory import Memory
from cndts.panel import IrregularPanel
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling
from cndts.static_features import StaticEncoding
from cndts.streaming import Session
from cndts.targets import Targets
from cndts.training import Ensemble, FitResult, GapSamples, Network, Samples, Training, fit_network

# Records are predicted together until their events and queries reach this number, which bounds memory.
_ROWS_PER_BATCH = 50_000
# Queries inside the span repeat their record; repeating few records at a time bounds memory too.
_RECORDS_PER_BLOCK = 256


class NeuralForecaster(Adaptable, SolverChoice, BaseForecaster):
    """Fits an ensemble of networks; a subclass holds the constructor and builds the backbone.

    A subclass stores ``training``, ``head``, ``dropout``, ``device``, ``random_state`` and ``verbose`` beside its own
    parameters, and lists in ``_settings`` which of its parameters are settings objects (None stands for the defaults),
    in ``_left_open`` those of them whose None the backbone interprets, and in ``_plain`` which parameters go into a file as
    they are.
    """

    _settings: ClassVar[dict[str, type[BaseEstimator]]] = {"memory": Memory, "solver": Solver, "training": Training}
    _left_open: ClassVar[tuple[str, ...]] = ()
    _plain: ClassVar[tuple[str, ...]] = ("head", "width", "layers", "dropout", "verbose")

    training: Training | None
    head: str
    dropout: float
    device: str
    verbose: int

    @abstractmethod
    def _backbone(self) -> Backbone:
        """A new backbone for the fitted channels and static features."""

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``memory__window=12`` works also where ``memory`` was left at its default."""
        for name, kind in self._settings.items():
            nested = any(key.startswith(f"{name}__") for key in params)
            if nested and params.get(name, getattr(self, name)) is None:
                params = {name: kind(), **{key: value for key, value in params.items() if key != name}}
        return super().set_params(**params)

    # ---- fit -----------------------------------------------------------------------------------

    def _fit(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None) -> None:
        try:
            self._fit_members(X, y, X_val, y_val)
        except BaseException:  # Ctrl-C too: half a fit, or the remains of an earlier one, must not predict
            self._forget()
            raise

    def _forget(self) -> None:
        """Back to the state before any fit."""
        for name in [name for name in vars(self) if name.endswith("_") and not name.startswith("_")]:
            delattr(self, name)

    def _fit_members(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None) -> None:
        training = self.training or Training()
        self._check_settings()
        random = check_random_state(self.random_state)
        if X_val is None:
            X, y, X_val, y_val = _hold_out(X, y, training.validation_fraction, random)
        self.scaling_ = self._measure(X, y)
        self.static_ = StaticEncoding.fit(X.static)
        train = self._samples(X, y, training)
        validation = None if X_val is None or y_val is None else self._samples(X_val, y_val, training)
        seeds = random.randint(2**31 - 1, size=training.members).tolist()
        members, self.fit_results_ = zip(
            *(self._fit_member(train, validation, training, s) for s in seeds), strict=True
        )
        self.network_ = Ensemble(list(members)).eval()

    def _fit_member(
        self, train: Samples | GapSamples, validation: Samples | GapSamples | None, training: Training, seed: int
    ) -> tuple[Network, FitResult]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = self._network().to(self.device)
        options: dict[str, Any] = {"device": self.device, "seed": seed, "verbose": self.verbose}
        return network, fit_network(network, train, validation, training, **options)

    def _check_settings(self) -> None:
        if self.head not in HEADS:
            raise ValueError(f"head must be one of {sorted(HEADS)}; got {self.head!r}.")
        members = (self.training or Training()).members
        if members < 1:
            raise ValueError(f"training__members must be 1 or more; got {members!r}.")

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

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to one file (safetensors with a JSON header).

        Parameters
        ----------
        path : path-like
            Where to write; an older file is replaced only when the new one is complete.
        """
        check_is_fitted(self, "network_")
        plain = {name: getattr(self, name) for name in self._plain}
        config = {
            "params": plain | self._settings_as_plain(),
            "channels": list(self.channels_in_),
            "n_records": self.n_records_in_,
            "time_unit": self.time_unit_in_,
            "time_scale": self.scaling_.time_scale,
            "static": asdict(self.static_),
        }
        arrays = {"mean": self.scaling_.mean, "std": self.scaling_.std, "knots": self.scaling_.ranks.knots}
        arrays |= {"channel_means": self.channel_means_, "channel_scales": self.channel_scales_}
        tensors = {name: persistence.as_tensor(array) for name, array in arrays.items()}
        tensors |= persistence.prefixed("network", self.network_.state_dict())
        persistence.write_model(path, type(self).__name__, config, tensors)

    def _settings_as_plain(self) -> dict[str, dict[str, Any] | None]:
        given = {name: getattr(self, name) for name in self._settings}
        found = {
            name: given[name] if name in self._left_open else given[name] or self._settings[name]() for name in given
        }
        return {name: None if part is None else part.get_params() for name, part in found.items()}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a model that `save` wrote; it computes on the CPU.

        Parameters
        ----------
        path : path-like
            The file.

        Returns
        -------
        NeuralForecaster
            Fitted, of the class it is called on.
        """
        config, tensors = persistence.read_model(path, cls.__name__)
        for name, kind in cls._settings.items():
            given = config["params"][name]
            config["params"][name] = None if given is None else kind(**given)
        model = cls(**config["params"])
        model.channels_in_ = tuple(config["channels"])
        model.n_channels_in_ = model.n_features_in_ = len(model.channels_in_)
        model.feature_names_in_ = np.asarray(model.channels_in_, dtype=object)
        model.n_records_in_, model.time_unit_in_ = config["n_records"], config["time_unit"]
        arrays = {name: tensors[name].numpy() for name in ("mean", "std", "knots", "channel_means", "channel_scales")}
        model.channel_means_, model.channel_scales_ = arrays["channel_means"], arrays["channel_scales"]
        model.scaling_ = Scaling(arrays["mean"], arrays["std"], config["time_scale"], RankScale(arrays["knots"]))
        numeric = {name: (float(mean), float(std)) for name, (mean, std) in config["static"]["numeric"].items()}
        model.static_ = StaticEncoding(numeric, config["static"]["categorical"])
        with torch.random.fork_rng(devices=[]):  # initial weights are drawn, and replaced at once
            model.network_ = Ensemble([model._network() for _ in range((model.training or Training()).members)])
        model.network_.load_state_dict(persistence.without_prefix("network", tensors))
        model.network_.eval()
        return model


def _hold_out(
    X: IrregularPanel, y: Targets, fraction: float, random: np.random.RandomState
) -> tuple[IrregularPanel, Targets, IrregularPanel | None, Targets | None]:
    """Set records with targets aside to select the epoch, whole groups together."""
    asked = np.flatnonzero(np.diff(y.offsets))
    groups = asked if X.groups is None else X.groups[asked]
    n_held = int(fraction * len(np.unique(groups)))
    if n_held == 0:
        return X, y, None, None
    splitter = GroupShuffleSplit(1, test_size=n_held, random_state=random)
    held = np.sort(asked[next(splitter.split(asked, groups=groups))[1]])
    kept = np.setdiff1d(np.arange(len(X)), held)
    return X[kept], y[kept], X[held], y[held]
