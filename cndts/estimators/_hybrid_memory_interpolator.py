"""Interpolation by the hybrid-memory neural ODE."""

from cndts.backbones import HybridMemoryBackbone
from cndts.estimators._hybrid_memory_forecaster import HybridMemoryForecaster
from cndts.estimators._neural_interpolator import NeuralInterpolator


class HybridMemoryInterpolator(NeuralInterpolator, HybridMemoryForecaster):
    """Hybrid-memory neural ODE that reads both sides of a gap.

    Encoder and memories run forward over what comes before the gap in which a query lies, and backward over what comes after
    it; the ODE carries the state from the last event before the gap to the query. A query after the last event is a
    forecast: nothing comes after it. See `HybridMemoryBackbone` and `LaterSide`.

    A query is answered from the events of its record before and after its gap. All queries between the same two
    visits share one encoding, so the cost grows with the number of gaps that are asked about.

    Parameters
    ----------
    memory : Memory, optional
        Sizes of the memories. Times are multiples of the length of the longest gaps asked about in training.
    solver : Solver, optional
        How the ODE is solved.
    training : Training, optional
        Epochs, learning rate, augmentation, stopping. ``cut_share`` is the share of steps that hide other visits than those
        given.
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
        Seed of initial weights, batch order, gaps and dropout.
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

    See Also
    --------
    HybridMemoryForecaster : Answers from earlier events alone.

    Examples
    --------
    >>> from cndts import Interpolation
    >>> from cndts.datasets import make_oscillators
    >>> from cndts.training import Training
    >>> X, y = Interpolation(observed=0.5, random_state=0).split(make_oscillators(30, random_state=0))
    >>> model = HybridMemoryInterpolator(width=8, training=Training(epochs=1), random_state=0).fit(X, y)
    >>> len(model.predict(X)) == len(y), model.predict_quantiles(X, [0.1, 0.5, 0.9]).shape[1]
    (True, 3)
    """

    def _backbone(self) -> HybridMemoryBackbone:
        return self._hybrid_backbone(two_sided=True)
