"""Fixed-length features of records from a forecaster's network."""

from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from cndts._ragged import offsets_from_lengths
from cndts.backbones import HybridMemoryBackbone
from cndts.backbones.hybrid_memory import EncodedRecords
from cndts.dynamics.row_names import rows_named
from cndts.estimators._alignment import align_channels
from cndts.estimators._hybrid_memory_forecaster import HybridMemoryForecaster
from cndts.estimators._nested_settings import NestedSettings
from cndts.estimators._neural_forecaster import NeuralForecaster
from cndts.estimators._record_blocks import record_batches
from cndts.estimators._record_input import RecordInput
from cndts.event_batch import EventBatch
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.targets import Targets


class HybridMemoryEncoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, NestedSettings, RecordInput):
    """Turns records into rows of numbers that any scikit-learn model can read.

    A forecaster learns from the records themselves: what comes before a random time is context, what comes after is asked
    (no labels are needed, and none are used). What its network then holds of a whole record, the states of all
    channels at the last event beside last values and averages on every time scale, is reduced to principal components.

    Parameters
    ----------
    forecaster : HybridMemoryForecaster or FrozenEstimator, optional
        What learns, a forecaster with a hybrid-memory backbone; a copy of it is fitted. To use one that is fitted
        already, wrap it in ``sklearn.frozen.FrozenEstimator``. None stands for `HybridMemoryForecaster` with its defaults.
    n_components : int or None, default=64
        Principal components, at most as many as there are training records; None gives the states themselves.
    random_state : int, RandomState or None, default=None
        Seed of a forecaster that has none of its own.

    Attributes
    ----------
    forecaster_ : NeuralForecaster
        The fitted forecaster.
    components_ : ndarray of shape (n_components, n_states) or None
        Directions of largest variance among the states of the training records.
    center_ : ndarray of shape (n_states,)
        Mean state of the training records.
    channels_in_, n_features_in_, feature_names_in_, n_records_in_, time_unit_in_
        As of `HybridMemoryClassifier`.

    See Also
    --------
    RecordSummary : Features without learning; the two go together well (``sklearn.pipeline.make_union``).

    Examples
    --------
    >>> from cndts.datasets import make_oscillators
    >>> from cndts.training import Training
    >>> X = make_oscillators(30, random_state=0)
    >>> small = HybridMemoryForecaster(width=8, training=Training(epochs=1, members=1), random_state=0)
    >>> encoder = HybridMemoryEncoder(small, n_components=4).fit(X)
    >>> encoder.transform(X).shape, encoder.get_feature_names_out()[:2]
    ((30, 4), array(['hybridmemoryencoder0', 'hybridmemoryencoder1'], dtype=object))
    """

    _settings: ClassVar[dict[str, type[BaseEstimator]]] = {"forecaster": HybridMemoryForecaster}

    def __init__(
        self,
        forecaster: NeuralForecaster | FrozenEstimator | None = None,
        *,
        n_components: int | None = 64,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.forecaster = forecaster
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X: Any, y: object = None) -> Self:
        """Learn from records.

        Parameters
        ----------
        X : IrregularPanel of n_records, or array-like of shape (n_records, n_steps)
            Training records; a plain array is one channel on a grid, with NaN where nothing was observed.
        y : Targets or anything
            Targets at ``X.queries`` are what the forecaster is fitted to; nothing else is used, so labels of records, which
            a pipeline hands on, do no harm.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there is nothing to forecast, or the forecaster has another backbone.
        """
        if self.n_components is not None and self.n_components < 1:
            raise ValueError(f"n_components must be 1 or more, or None for all states; got {self.n_components!r}.")
        panel = self._read_fitting(X)
        self.forecaster_ = self._fitted_forecaster(X if isinstance(y, Targets) else panel, y)
        states = self._states(panel)
        self.center_ = states.mean(axis=0)
        self.components_ = None if self.n_components is None else _components(states, self.n_components)
        return self

    def _fitted_forecaster(self, X: IrregularPanel, y: object) -> NeuralForecaster:
        if isinstance(self.forecaster, FrozenEstimator):
            model: NeuralForecaster = self.forecaster.estimator
            check_is_fitted(model, "network_")
            _check_backbone(model)
            return model
        model = HybridMemoryForecaster() if self.forecaster is None else clone(self.forecaster)
        if model.random_state is None and self.random_state is not None:
            seed = check_random_state(self.random_state).randint(2**31 - 1)
            model = model.set_params(random_state=seed)
        pair = (X, y) if isinstance(y, Targets) else _halves(X)
        model.fit(*pair)
        _check_backbone(model)
        return model

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Encode records.

        Parameters
        ----------
        X : IrregularPanel of n_records, or array-like of shape (n_records, n_steps)
            The records; channels are matched by name.

        Returns
        -------
        ndarray of shape (n_records, n_features)
        """
        check_is_fitted(self, "forecaster_")
        states = self._states(self._read(X))
        return states if self.components_ is None else (states - self.center_) @ self.components_.T

    def _states(self, panel: IrregularPanel) -> NDArray[np.float64]:
        """What the network holds of every record, shape (n_records, n_states)."""
        model = self.forecaster_
        panel, parts = align_channels(panel, model.channels_in_), []
        model.network_.eval()
        with torch.no_grad():
            for records, batch in record_batches(panel, model.scaling_, model.static_):
                with rows_named(records, panel.channels):
                    encoded = [_encode(member, batch.to(model.device)) for member in model.network_.members]
                # anchors are all but the same in every member
                tables = [*(state.nodes for state in encoded), encoded[0].anchors]
                parts.append(torch.cat([table.reshape(len(records), -1) for table in tables], dim=1).cpu())
        return torch.cat(parts).double().numpy()

    @property
    def _n_features_out(self) -> int:
        return len(self.center_ if self.components_ is None else self.components_)

    # ---- files ---------------------------------------------------------------------------------

    def _stored_parameters(self) -> dict[str, Any]:
        found = super()._stored_parameters()
        # a frozen forecaster is found again among the fitted parts
        return found | ({"forecaster": None} if isinstance(self.forecaster, FrozenEstimator) else {})

    def _stored_parts(self) -> dict[str, Any]:
        return super()._stored_parts() | {"_is_frozen": isinstance(self.forecaster, FrozenEstimator)}

    def _take_parts(self, parts: dict[str, Any]) -> None:
        is_frozen = parts.pop("_is_frozen")
        super()._take_parts(parts)
        if is_frozen:
            self.forecaster = FrozenEstimator(self.forecaster_)


def _encode(member: Any, batch: EventBatch) -> EncodedRecords:
    return member.backbone.encode(batch)


def _check_backbone(model: NeuralForecaster) -> None:
    kinds = {type(member.get_submodule("backbone")) for member in model.network_.members}
    if kinds != {HybridMemoryBackbone}:
        names = sorted(kind.__name__ for kind in kinds)
        raise ValueError(
            f"the forecaster must have a hybrid-memory backbone, whose states can be read at once; got {names}. "
            "Use HybridMemoryForecaster."
        )


def _halves(X: IrregularPanel) -> tuple[IrregularPanel, Targets]:
    """The first half of each record's span as context, the events of the second as targets."""
    start, end = np.zeros(len(X)), np.zeros(len(X))
    filled = np.diff(X.offsets) > 0
    start[filled], end[filled] = X.time[X.offsets[:-1][filled]], X.time[X.offsets[1:][filled] - 1]
    is_context = X.time <= ((start + end) / 2)[X.record]
    if is_context.all():
        raise ValueError(
            f"X has nothing to forecast: none of its {len(X)} records, with {X.n_events} events in all, has events at two "
            "times or more (n_features=1 in a plain array). Give the encoder a fitted forecaster: "
            "HybridMemoryEncoder(FrozenEstimator(model))."
        )
    asked = ~is_context
    offsets = offsets_from_lengths(np.bincount(X.record[asked], minlength=len(X)))
    queries = Queries(offsets, X.time[asked], X.channel[asked])
    return X.where(is_context).with_queries(queries=queries), Targets(queries, X.value[asked], X.records, X.channels)


def _components(states: NDArray[np.float64], n_components: int) -> NDArray[np.float64]:
    """Principal axes of standardised states, shape (at most n_components, n_states), for states less their mean."""
    deviation = states.std(axis=0)
    unit = np.where(deviation > 1e-9, deviation, 1.0)
    # a seed of its own: the same states always give the same axes
    pca = PCA(min(n_components, *states.shape), random_state=0).fit((states - states.mean(axis=0)) / unit)
    return np.asarray(pca.components_ / unit)
