"""Forecasts by any backbone."""

from collections.abc import Callable, Mapping
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator

from cndts.backbones import BACKBONES, Backbone
from cndts.dynamics import Solver
from cndts.estimators._neural_forecaster import NeuralForecaster
from cndts.training import Training


class IrregularForecaster(NeuralForecaster):
    """One of several neural models behind one interface, one training and one file format.

    The backbone turns the events of a record into a state at every query; scaling, loss, augmentation, choice of the
    epoch, heads and intervals are the same for all, so that a comparison of two backbones compares nothing else. See
    :doc:`/backbones` for when to use which.

    Parameters
    ----------
    backbone : str, default="hybrid-memory"
        ``"hybrid-memory"`` (`HybridMemoryBackbone`), ``"latent-ode"`` (`LatentOdeBackbone`) or ``"gru-d"``
        (`GruDBackbone`): a name in ``cndts.backbones.BACKBONES``. `HybridMemoryForecaster` has more settings for the first.
    solver : Solver, optional
        How the backbone's differential equation is solved; None takes the backbone's own default. ``"gru-d"`` has none.
    training : Training, optional
        Epochs, learning rate, augmentation, stopping.
    head : {"quantile", "gaussian"}, default="quantile"
        Form of the predictive distribution.
    width : int, default=64
        Length of the state; a multiple of 4 for ``"hybrid-memory"``.
    dropout : float, default=0.2
        Dropout rate.
    device : str, default="cpu"
        Where to compute.
    random_state : int, RandomState or None, default=None
        Seed of initial weights, batch order, cuts, draws and dropout.
    verbose : int, default=0
        1 prints a line per epoch.

    Attributes
    ----------
    network_ : torch.nn.Module
        Backbones and heads with the selected weights.
    scaling_ : Scaling
        Units of values and time, measured on the training records.
    static_ : StaticEncoding
        Encoding of the static features.
    fit_results_ : tuple of FitResult
        Epochs run, epoch kept, history of each network.

    See Also
    --------
    HybridMemoryForecaster : The default backbone with all its settings.

    Examples
    --------
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_oscillators
    >>> X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(30, random_state=0))
    >>> quick = Training(epochs=1, members=1)
    >>> model = IrregularForecaster("gru-d", training=quick, width=8, random_state=0).fit(X, y)
    >>> len(model.predict(X)) == len(y), model.predict_quantiles(X, [0.1, 0.5, 0.9]).shape[1]
    (True, 3)
    """

    _settings: ClassVar[dict[str, type[BaseEstimator]]] = {"solver": Solver, "training": Training}
    _left_open: ClassVar[tuple[str, ...]] = ("solver",)

    def __init__(
        self,
        backbone: str = "hybrid-memory",
        solver: Solver | None = None,
        training: Training | None = None,
        *,
        head: str = "quantile",
        width: int = 64,
        dropout: float = 0.2,
        device: str = "cpu",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.backbone = backbone
        self.solver = solver
        self.training = training
        self.head = head
        self.width = width
        self.dropout = dropout
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def _backbone(self) -> Backbone:
        return self._built({name: kind.build for name, kind in BACKBONES.items()})

    def _built(self, builders: Mapping[str, Callable[..., Backbone]]) -> Backbone:
        if self.backbone not in builders:
            raise ValueError(f"backbone must be one of {sorted(builders)}; got {self.backbone!r}.")
        if self.width < 1:
            raise ValueError(f"width must be 1 or more; got {self.width!r}.")
        return builders[self.backbone](
            self.n_channels_in_,
            self.static_.n_features,
            width=self.width,
            dropout=self.dropout,
            solver=self.solver,
        )
