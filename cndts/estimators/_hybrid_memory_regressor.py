"""Numbers of records by the hybrid-memory network."""

from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import Tags, check_array

from cndts.estimators._alignment import check_quantiles
from cndts.estimators._neural_record_estimator import NeuralRecordEstimator
from cndts.heads import HEADS, RecordHead, RecordRegressionHead
from cndts.memory import Memory
from cndts.training import Training


class HybridMemoryRegressor(RegressorMixin, NeuralRecordEstimator):
    """Says one number, or several, of a whole record, with intervals.

    The network is that of `HybridMemoryClassifier` with another head (`RecordRegressionHead`): a distribution of each
    number, whose point forecast minimises squared plus absolute error.

    Parameters
    ----------
    memory : Memory, optional
        Sizes of the memories. Times are multiples of the longest training record.
    training : Training, optional
        Epochs, learning rate, augmentation, stopping. ``cut_share`` is the share of steps that see records only up to a
        random time, with the outcome of the whole record, and are asked for the events that follow.
    head : {"quantile", "gaussian"}, default="quantile"
        Form of the predictive distributions.
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
    target_means_, target_scales_ : ndarray of shape (n_outputs,)
        Mean and standard deviation of the training outcomes; deviation 0 where they do not vary.
    network_ : RecordEnsemble
        The members with their selected weights.
    scaling_, static_, fit_results_
        As of `HybridMemoryForecaster`.
    channels_in_ : tuple of str
        Channels of the training panel.
    n_features_in_, feature_names_in_, n_records_in_, time_unit_in_
        Their number and names, the number of training records, their time unit.

    See Also
    --------
    HybridMemoryClassifier : Classes in place of numbers.
    HybridMemoryForecaster : Values of channels at times, not of whole records.

    Examples
    --------
    >>> from cndts.datasets import make_oscillators
    >>> X = make_oscillators(30, random_state=0)
    >>> y = np.diff(X.offsets) / 10.0
    >>> model = HybridMemoryRegressor(width=8, training=Training(epochs=1, members=1), random_state=0).fit(X, y)
    >>> model.predict(X).shape, model.predict_interval(X, coverage=0.8).shape
    ((30,), (30, 2))
    """

    def __init__(
        self,
        memory: Memory | None = None,
        training: Training | None = None,
        *,
        head: str = "quantile",
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
        self.head = head
        self.forecast_weight = forecast_weight
        self.width = width
        self.layers = layers
        self.dropout = dropout
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    # ---- outcomes ------------------------------------------------------------------------------

    def _check_settings(self, training: Training) -> None:
        super()._check_settings(training)
        if self.head not in HEADS:
            raise ValueError(f"head must be one of {sorted(HEADS)}; got {self.head!r}.")

    def _learn(self, y: ArrayLike) -> NDArray:
        table = _table(y)
        self.has_one_output_ = np.asarray(y).ndim == 1
        self.target_means_, deviation = table.mean(axis=0), table.std(axis=0)
        # what rounding leaves of a constant must not be blown up
        self.target_scales_ = np.where(deviation > 1e-9 * np.abs(self.target_means_), deviation, 0.0)
        return self._targets(y)

    def _targets(self, y: ArrayLike) -> NDArray:
        table = _table(y)
        if table.shape[1] != len(self.target_means_):
            raise ValueError(
                f"y_val has {table.shape[1]} outputs, y has {len(self.target_means_)}; give the same columns."
            )
        unit = np.where(self.target_scales_ > 0, self.target_scales_, 1.0)
        return ((table - self.target_means_) / unit).astype(np.float32)

    def _head(self) -> RecordHead:
        weight = (self.training or Training()).absolute_weight
        return RecordRegressionHead(self.width, len(self.target_means_), self.dropout, HEADS[self.head], weight)

    # ---- predict -------------------------------------------------------------------------------

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Point forecasts.

        Parameters
        ----------
        X : IrregularPanel of n_records, or array-like of shape (n_records, n_steps)
            The records; channels are matched by name.

        Returns
        -------
        ndarray of shape (n_records,) or (n_records, n_outputs)
            As ``y`` was at fit.
        """
        mean = self._ask(X, lambda head, outcome: cast(RecordRegressionHead, head).means(outcome))
        return self._shaped(mean * self.target_scales_ + self.target_means_)

    def predict_quantiles(self, X: Any, quantiles: ArrayLike) -> NDArray[np.float64]:
        """Quantiles of the predictive distributions.

        Parameters
        ----------
        X : as for `predict`
            The records.
        quantiles : sequence of float
            Probabilities strictly between 0 and 1.

        Returns
        -------
        ndarray of shape (n_records, n_quantiles) or (n_records, n_outputs, n_quantiles)
            In the order of ``quantiles``; rising with the probability.
        """
        levels = check_quantiles(quantiles)
        order = np.argsort(levels)
        rising = levels[order].tolist()
        bands = self._ask(X, lambda head, outcome: cast(RecordRegressionHead, head).quantiles(outcome, rising))
        bands = bands * self.target_scales_[:, None] + self.target_means_[:, None]
        return self._shaped(bands[..., np.argsort(order)])

    def predict_interval(self, X: Any, coverage: float = 0.9) -> NDArray[np.float64]:
        """Central interval that should hold the outcome with probability ``coverage``.

        Parameters
        ----------
        X : as for `predict`
            The records.
        coverage : float, default=0.9
            Probability strictly between 0 and 1.

        Returns
        -------
        ndarray of shape (n_records, 2) or (n_records, n_outputs, 2)
            Lower and upper bound.
        """
        if not 0 < coverage < 1:
            raise ValueError(f"coverage must lie strictly between 0 and 1; got {coverage!r}. Use 0.9 for 90 %.")
        return self.predict_quantiles(X, [(1 - coverage) / 2, (1 + coverage) / 2])

    def _shaped(self, answer: NDArray[np.float64]) -> NDArray[np.float64]:
        return answer[:, 0] if self.has_one_output_ else answer

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _table(y: ArrayLike) -> NDArray[np.float64]:
    """Outcomes as shape (n_records, n_outputs)."""
    table: NDArray[np.float64] = check_array(y, dtype=np.float64, ensure_2d=False, input_name="y")
    if table.ndim > 2:
        raise ValueError(f"y must have one row per record and one column per output; got shape {table.shape}.")
    return table.reshape(len(table), -1)
