"""Forecasts by the hybrid-memory neural ODE."""

import numpy as np

from cndts.backbones import HybridMemoryBackbone
from cndts.dynamics import Solver
from cndts.estimators._hybrid_backbone import check_width, hybrid_backbone
from cndts.estimators._neural_forecaster import NeuralForecaster
from cndts.memory import Memory
from cndts.training import Training


class HybridMemoryForecaster(NeuralForecaster):
    r"""Neural ODE over working, long-term and episodic memory of each record.

    Events are encoded one by one and written to the memories of their channel and record; channels exchange by
    attention. From the last event on the state of each channel obeys :math:`dz/dt = f_\theta(t, z)` (Chen et al., NeurIPS 2018) to every
    query time. See `HybridMemoryBackbone` for the parts.

    A query is answered from the events at or before its time. A record without events is forecast from its static
    features and the channel's training mean.

    Parameters
    ----------
    memory : Memory, optional
        Sizes of the memories.
    solver : Solver, optional
        How the ODE is solved.
    training : Training, optional
        Epochs, learning rate, augmentation, stopping.
    head : {"quantile", "gaussian"}, default="quantile"
        Form of the predictive distribution.
    width : int, default=64
        Length of all vectors; a multiple of 4.
    layers : int, default=1
        Layers of attention over channels.
    dropout : float, default=0.2
        Dropout rate.
    device : str, default="cpu"
        Where to compute.
    random_state : int, RandomState or None, default=None
        Seed of initial weights, batch order, cuts and dropout.
    verbose : int, default=0
        1 prints a line per epoch.

    Attributes
    ----------
    network_ : Ensemble
        The members, each a backbone and head with its selected weights.
    scaling_ : Scaling
        Units of values and time, measured on the training records.
    static_ : StaticEncoding
        Encoding of the static features.
    fit_results_ : tuple of FitResult
        Of each member: epochs run, epoch kept, history.

    Notes
    -----
    Values are standardised by channel. The point forecast minimises squared plus absolute error, so it lies between mean
    and median. With ``X_val`` the epoch is selected on it; otherwise on records held out of ``X`` (by ``X.groups`` where
    there are any).

    Examples
    --------
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_oscillators
    >>> X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(30, random_state=0))
    >>> model = HybridMemoryForecaster(width=8, training=Training(epochs=1), random_state=0).fit(X, y)
    >>> len(model.predict(X)) == len(y), model.predict_quantiles(X, [0.1, 0.5, 0.9]).shape[1]
    (True, 3)
    """

    def __init__(
        self,
        memory: Memory | None = None,
        solver: Solver | None = None,
        training: Training | None = None,
        *,
        head: str = "quantile",
        width: int = 64,
        layers: int = 1,
        dropout: float = 0.2,
        device: str = "cpu",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.memory = memory
        self.solver = solver
        self.training = training
        self.head = head
        self.width = width
        self.layers = layers
        self.dropout = dropout
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def _check_settings(self) -> None:
        super()._check_settings()
        check_width(self.width)

    def _backbone(self) -> HybridMemoryBackbone:
        return self._hybrid_backbone()

    def _hybrid_backbone(self, two_sided: bool = False) -> HybridMemoryBackbone:
        return hybrid_backbone(
            self.n_channels_in_,
            self.static_.n_features,
            self.memory,
            self.solver,
            width=self.width,
            layers=self.layers,
            dropout=self.dropout,
            time_unit=self.time_unit_in_,
            scaling=self.scaling_,
            two_sided=two_sided,
        )
