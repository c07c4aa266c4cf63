"""Ridge regression on summary features."""

import numpy as np
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cndts.estimators._tabular_forecaster import Features, Rows, TabularForecaster

_PENALTIES = np.logspace(-1, 5, 13)


class RidgeForecaster(TabularForecaster):
    """Ridge regression on summary features of the record, one fit for each channel.

    The regression corrects the decay to the mean (:class:`DecayToMeanForecaster`), which is not linear in age.
    Features are standardised; a missing one is replaced by its mean beside an indicator that it was missing.
    Corrections are kept within their range in training, so that an implausible observation cannot carry a linear model
    away.

    Parameters
    ----------
    features : {"own", "last", "all"}, default="own"
        Summaries of the query's channel and record; the last value of every other channel besides; or also its age and
        the channel's mean. A linear model seldom
        gains from the others.
    penalties : sequence of float, optional
        Penalties to choose from by leave-one-out error, for each channel; None takes 13 between 0.1 and 100,000.

    Attributes
    ----------
    models_ : dict of int to fitted model
        By position in ``channels_in_``.
    rates_ : ndarray of shape (n_channels,)
        Decay rate of each channel, in 1 / time unit, for the forecast that the regression corrects.
    timescales_ : tuple of float
        Time constants of the exponentially weighted means: a twelfth and a third of the median context span.
    static_ : StaticEncoding
        Columns of the static table among the features: numbers as they are, categories as indicators.

    See Also
    --------
    BoostedTreesForecaster : the same features, without linearity.

    Examples
    --------
    Eight records of a line, each with its own level, seen at 0 and 1 and asked for at 2:

    >>> from cndts.panel import IrregularPanel
    >>> from cndts.queries import Queries
    >>> from cndts.targets import Targets
    >>> level = np.arange(8.0)
    >>> queries = Queries(np.arange(9), np.full(8, 2.0), np.zeros(8, dtype=int))
    >>> X = IrregularPanel(
    ...     np.arange(0, 18, 2), np.tile([0.0, 1.0], 8), np.zeros(16, dtype=int), np.repeat(level, 2), queries=queries
    ... )
    >>> model = RidgeForecaster().fit(X, Targets(queries, 10 * level, X.records, X.channels))
    >>> np.asarray(model.predict(X)).round(-1)
    array([ 0., 10., 20., 30., 40., 50., 60., 70.], dtype=float32)
    """

    def __init__(self, features: Features = "own", *, penalties: NDArray[np.float64] | None = None) -> None:
        self.features = features
        self.penalties = penalties

    def _fit_channel(self, rows: Rows, held_out: Rows | None) -> "ClippedRidge":
        return ClippedRidge(rows, _PENALTIES if self.penalties is None else np.asarray(self.penalties))


class ClippedRidge:
    """Ridge regression that stays within the range of its targets, as plain arrays."""

    def __init__(self, rows: Rows, penalties: NDArray[np.float64]) -> None:
        imputer = SimpleImputer(add_indicator=True, keep_empty_features=True)
        scaler, ridge = StandardScaler(), RidgeCV(alphas=penalties)
        make_pipeline(imputer, scaler, ridge).fit(rows.design.astype(np.float64), rows.target)
        self.stand_ins, self.indicated = imputer.statistics_, imputer.indicator_.features_
        self.means, self.scales = scaler.mean_, scaler.scale_
        self.coefficients, self.intercept = ridge.coef_, float(ridge.intercept_)
        self.low, self.high = float(rows.target.min()), float(rows.target.max())

    def predict(self, design: NDArray[np.float32]) -> NDArray[np.float64]:
        """Standardised correction of each row, shape (n_rows,)."""
        unknown = np.isnan(design)
        known = np.where(unknown, self.stand_ins, design.astype(np.float64))
        standard = (np.hstack([known, unknown[:, self.indicated]]) - self.means) / self.scales
        return np.clip(standard @ self.coefficients + self.intercept, self.low, self.high)
