"""Classes of records by the hybrid-memory network."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags, assert_all_finite, check_array, column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from cndts.estimators._neural_record_estimator import NeuralRecordEstimator
from cndts.heads import ClassHead
from cndts.memory import Memory
from cndts.training import Training


class HybridMemoryClassifier(ClassifierMixin, NeuralRecordEstimator):
    r"""Says which class a whole record belongs to, or which labels it carries.

    Events are read as by `HybridMemoryForecaster`: encoded one by one, written to the memories of their channel and record,
    exchanged between channels. The states of the channels at the record's last event are pooled into one vector
    (`RecordPooling`), from which a head tells probabilities (`ClassHead`). Beside the outcomes the network learns to forecast the
    events themselves, which are many where outcomes are few (`RecordNetwork`).

    Parameters
    ----------
    memory : Memory, optional
        Sizes of the memories. Times are multiples of the longest training record.
    training : Training, optional
        Epochs, learning rate, augmentation, stopping. ``cut_share`` is the share of steps that see records only up to a
        random time, with the outcome of the whole record, and are asked for the events that follow.
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of classes in the loss, as scikit-learn has them; they multiply ``sample_weight``. Several labels want a list with one
        mapping for each.
    forecast_weight : float, default=0.2
        Weight of the loss of the forecasts beside that of the outcomes; 0 learns from outcomes alone.
    width : int, default=64
        Length of all vectors; a multiple of 4.
    layers : int, default=1
        Layers of attention over channels.
    dropout : float, default=0.2
        Dropout rate.
    device : str, default="cpu"
        Where to compute.
    random_state : int, RandomState or None, default=None
        Seed of held-out records, initial weights, batch order, cuts and dropout.
    verbose : int, default=0
        1 prints a line per epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted; of several labels their positions ``0, 1, ...``.
    network_ : RecordEnsemble
        The members with their selected weights.
    scaling_, static_, fit_results_
        As of `HybridMemoryForecaster`.
    channels_in_ : tuple of str
        Channels of the training panel.
    n_features_in_, feature_names_in_, n_records_in_, time_unit_in_
        Their number and names, the number of training records, their time unit.

    Notes
    -----
    ``y`` of shape (n_records, n_labels) with 0 and 1 means labels that do not exclude each other; probabilities then have this
    shape too, and need not sum to 1. The epoch is selected by the cross entropy of records that are held out: in proportion to their
    classes, or by ``X.groups`` where there are any.

    See Also
    --------
    HybridMemoryRegressor : Numbers in place of classes.
    RecordSummary : Features for other classifiers, the baseline to beat.

    Examples
    --------
    >>> from cndts.datasets import make_oscillators
    >>> X = make_oscillators(30, random_state=0)
    >>> y = ["early" if k < 15 else "late" for k in range(30)]
    >>> model = HybridMemoryClassifier(width=8, training=Training(epochs=1, members=1), random_state=0).fit(X, y)
    >>> model.classes_, model.predict_proba(X).shape
    (array(['early', 'late'], dtype='<U5'), (30, 2))
    """

    _several: bool

    def __init__(
        self,
        memory: Memory | None = None,
        training: Training | None = None,
        *,
        class_weight: Any = None,
        forecast_weight: float = 0.2,
        width: int = 64,
        layers: int = 1,
        dropout: float = 0.2,
        device: str = "cpu",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.memory = memory
        self.training = training
        self.class_weight = class_weight
        self.forecast_weight = forecast_weight
        self.width = width
        self.layers = layers
        self.dropout = dropout
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    # ---- outcomes ------------------------------------------------------------------------------

    def _learn(self, y: ArrayLike) -> NDArray:
        assert_all_finite(np.asarray(y), input_name="y")
        check_classification_targets(y)
        self.has_several_ = type_of_target(y) == "multilabel-indicator"
        if self.has_several_:
            self.classes_ = np.arange(np.asarray(y).shape[1])
        else:
            self.classes_ = np.unique(column_or_1d(y, warn=True))
            if len(self.classes_) < 2:
                raise ValueError(
                    f"y holds one class, {self.classes_.tolist()[0]!r}, for all {len(np.asarray(y))} records; a classifier needs at least "
                    "two. Look at the selection of records."
                )
        return self._targets(y)

    def _targets(self, y: ArrayLike) -> NDArray:
        if self.has_several_:
            return self._labels(y)
        labels = column_or_1d(y, warn=True)
        position = np.searchsorted(self.classes_, labels).clip(max=len(self.classes_) - 1)
        unknown = np.unique(labels[self.classes_[position] != labels])
        if len(unknown):
            raise ValueError(
                f"y_val holds classes that y does not hold: {unknown.tolist()}; known: {self.classes_.tolist()}."
            )
        return position.astype(np.int64)

    def _labels(self, y: ArrayLike) -> NDArray[np.int64]:
        labels = check_array(y, dtype=np.int64)
        if labels.shape[1] != len(self.classes_):
            raise ValueError(f"y_val has {labels.shape[1]} labels, y has {len(self.classes_)}; give the same columns.")
        return labels

    def _class_weights(self, y: ArrayLike) -> NDArray[np.float64] | float:
        return 1.0 if self.class_weight is None else compute_sample_weight(self.class_weight, y)

    def _strata(self, target: NDArray) -> NDArray[np.int64] | None:
        return None if self.has_several_ else target

    def _head(self) -> ClassHead:
        return ClassHead(self.width, len(self.classes_), self.dropout, self.has_several_)

    # ---- predict -------------------------------------------------------------------------------

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of classes or labels.

        Parameters
        ----------
        X : IrregularPanel of n_records, or array-like of shape (n_records, n_steps)
            The records; channels are matched by name.

        Returns
        -------
        ndarray of shape (n_records, n_classes)
            Columns in the order of ``classes_``.
        """
        share = np.exp(self._log_probability(X))
        return share[..., 1] if self.has_several_ else share / share.sum(axis=1, keepdims=True)

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Logarithms of `predict_proba`, exact where it is close to 0."""
        logs = self._log_probability(X)
        return logs[..., 1] if self.has_several_ else logs

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Log odds of the second of two classes or of each label; log probabilities of more than two classes.

        Parameters
        ----------
        X : as for `predict_proba`
            The records.

        Returns
        -------
        ndarray of shape (n_records,) or (n_records, n_classes)
        """
        logs = self._log_probability(X)
        if self.has_several_ or len(self.classes_) == 2:
            return logs[..., 1] - logs[..., 0]
        return logs

    def predict(self, X: Any) -> NDArray:
        """The most probable class; of several labels those that are more probable than not.

        Parameters
        ----------
        X : as for `predict_proba`
            The records.

        Returns
        -------
        ndarray of shape (n_records,) or (n_records, n_labels)
        """
        score = self.decision_function(X)
        if self.has_several_:
            return (score > 0).astype(np.int64)
        return self.classes_[(score > 0).astype(np.int64) if score.ndim == 1 else score.argmax(axis=1)]

    def _log_probability(self, X: Any) -> NDArray[np.float64]:
        return self._ask(X, lambda head, outcome: outcome.log_probability)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
