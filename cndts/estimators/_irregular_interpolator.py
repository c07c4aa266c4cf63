"""Interpolation by any backbone."""

from cndts.backbones import TWO_SIDED_BACKBONES, Backbone
from cndts.estimators._irregular_forecaster import IrregularForecaster
from cndts.estimators._neural_interpolator import NeuralInterpolator


class IrregularInterpolator(NeuralInterpolator, IrregularForecaster):
    """One of several neural models that read both sides of a gap, behind one interface, one training and one file format.

    ``"latent-ode"`` reads all events of a record backward in time and explains them by one trajectory, as in its paper (before the first
    event the state is held); of ``"gru-d"`` one network runs forward up to the gap and another one backward
    (`TwoSidedBackbone`); ``"hybrid-memory"`` runs its memories both ways (`LaterSide`). Scaling, lessons, loss, heads and intervals are
    the same for all.

    A query is answered from the events of its record before and after its gap. All queries between the same two
    visits share one encoding, so the cost grows with the number of gaps that are asked about.

    Parameters
    ----------
    backbone : str, default="hybrid-memory"
        ``"hybrid-memory"``, ``"latent-ode"`` or ``"gru-d"``: a name in ``cndts.backbones.TWO_SIDED_BACKBONES``.
        `HybridMemoryInterpolator` has more settings for the first.
    solver : Solver, optional
        How the backbone's differential equation is solved; None takes the backbone's own default. ``"gru-d"`` has none.
    training : Training, optional
        Epochs, learning rate, augmentation, stopping. ``cut_share`` is the share of steps that hide other visits than those
        given.
    head : {"quantile", "gaussian"}, default="quantile"
        Form of the predictive distribution.
    width : int, default=64
        Length of the state; a multiple of 4 for ``"hybrid-memory"``.
    dropout : float, default=0.2
        Dropout rate.
    device : str, default="cpu"
        Where to compute.
    random_state : int, RandomState or None, default=None
        Seed of initial weights, batch order, gaps, draws and dropout.
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
    IrregularForecaster : Answers from earlier events alone.
    HybridMemoryInterpolator : The default backbone with all its settings.

    Examples
    --------
    >>> from cndts import Interpolation
    >>> from cndts.datasets import make_oscillators
    >>> from cndts.training import Training
    >>> X, y = Interpolation(observed=0.5, random_state=0).split(make_oscillators(30, random_state=0))
    >>> quick = Training(epochs=1, members=1)
    >>> model = IrregularInterpolator("gru-d", training=quick, width=8, random_state=0).fit(X, y)
    >>> len(model.predict(X)) == len(y), model.predict_quantiles(X, [0.1, 0.5, 0.9]).shape[1]
    (True, 3)
    """

    def _backbone(self) -> Backbone:
        return self._built(TWO_SIDED_BACKBONES)
