"""Histogram gradient boosting on summary features."""

from inspect import signature
from itertools import islice
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.utils import check_random_state

from cndts.estimators._held_out import held_out
from cndts.estimators._tabular_forecaster import Features, Rows, TabularForecaster
from cndts.panel import IrregularPanel
from cndts.targets import Targets

# rounds without a better loss on the held-out records before a channel's fit ends
_PATIENCE = 25


class BoostedTreesForecaster(TabularForecaster):
    """Histogram gradient boosting on summary features of the record, one model for each channel.

    The trees correct the decay to the mean (:class:`DecayToMeanForecaster`) instead of forecasting the value itself: a
    sum of steps follows a nearly constant channel poorly, and the start costs nothing.

    How many rounds a channel gets is decided on records that its trees have not seen: those of ``X_val`` where ``fit``
    is given them, else a share of the training records, whole groups together where ``X.groups`` names several. (Rows
    of one record, and records of one group, resemble each other, so holding out rows would stop too late.)

    Parameters
    ----------
    features : {"own", "last", "all"}, default="last"
        Summaries of the query's channel and record; the last value of every other channel besides; or also its age and
        the channel's mean.
    loss : {"squared_error", "absolute_error"}, default="squared_error"
        What the trees and the choice of rounds minimise.
    learning_rate : float, default=0.04
        Shrinkage of each tree.
    max_iter : int, default=400
        Most rounds for a channel.
    max_leaf_nodes : int, default=31
        Most leaves of a tree.
    min_samples_leaf : int, default=40
        Fewest targets in a leaf.
    l2_regularization : float, default=0.0
        Penalty on leaf values.
    max_features : float, default=0.3
        Share of the features that each split may choose from.
    validation_fraction : float, default=0.15
        Share of the training records held out where ``fit`` gets no ``X_val``, as near as whole groups come.
    random_state : int, RandomState instance or None, default=None
        Draws the records held out and the features of each split.

    Attributes
    ----------
    models_ : dict of int to fitted model
        By position in ``channels_in_``.
    rates_ : ndarray of shape (n_channels,)
        Decay rate of each channel, in 1 / time unit, for the forecast that the models correct.
    n_rounds_ : dict of int to int
        Rounds in use, by position in ``channels_in_``.
    n_iter_ : ndarray of int, shape (n_channels,)
        Rounds fitted for each channel; 0 without a model.
    held_out_records_ : ndarray of int
        Positions of the training records that were held out; empty with ``X_val``.
    timescales_ : tuple of float
        Time constants of the exponentially weighted means: a twelfth and a third of the median context span.
    static_ : StaticEncoding
        Columns of the static table among the features: numbers as they are, categories as indicators.

    Notes
    -----
    The defaults were chosen on the 800 validation records of set A of PhysioNet 2012 (24 hours to forecast the next
    24), by the mean skill over channels with at least 200 targets and by the absolute error; test records were not
    used. Starting from the decay to the mean gained most, then the last values of the other channels (their ages and
    means nothing more), then choosing each split from a share of the features; the learning rate hardly matters.

    Examples
    --------
    >>> from cndts.queries import Queries
    >>> rng = np.random.default_rng(0)
    >>> level = rng.normal(size=400)
    >>> queries = Queries(np.arange(401), np.full(400, 2.0), np.zeros(400, dtype=int))
    >>> X = IrregularPanel(np.arange(401), np.zeros(400), np.zeros(400, dtype=int), level, channels=["x"], queries=queries)
    >>> y = Targets(queries, np.abs(level), X.records, X.channels)
    >>> model = BoostedTreesForecaster(random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.8
    True
    """

    def __init__(
        self,
        features: Features = "last",
        *,
        loss: Literal["squared_error", "absolute_error"] = "squared_error",
        learning_rate: float = 0.04,
        max_iter: int = 400,
        max_leaf_nodes: int = 31,
        min_samples_leaf: int = 40,
        l2_regularization: float = 0.0,
        max_features: float = 0.3,
        validation_fraction: float = 0.15,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.features = features
        self.loss = loss
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.max_features = max_features
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def _fit(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None) -> None:
        if self.loss not in ("squared_error", "absolute_error"):
            raise ValueError(f"loss must be 'squared_error' or 'absolute_error'; got {self.loss!r}.")
        if not 0 < self.validation_fraction < 1:
            raise ValueError(f"validation_fraction must lie between 0 and 1; got {self.validation_fraction!r}.")
        random = check_random_state(self.random_state)
        self._seed = random.randint(np.iinfo(np.int32).max)
        self.held_out_records_ = np.zeros(0, dtype=np.int64)
        if X_val is None:
            self.held_out_records_ = held_out(
                np.arange(len(X)), X.groups, self.validation_fraction, random, at_least_one=True
            )
            kept = np.setdiff1d(np.arange(len(X)), self.held_out_records_)
            X, y, X_val, y_val = X[kept], y[kept], X[self.held_out_records_], y[self.held_out_records_]
        super()._fit(X, y, X_val, y_val)
        boosted = {channel: model for channel, model in self.models_.items() if isinstance(model, ShortenedBoosting)}
        self.n_rounds_ = {channel: model.n_rounds for channel, model in boosted.items()}
        self.n_iter_ = np.zeros(self.n_channels_in_, dtype=np.int64)
        self.n_iter_[list(boosted)] = [model.boosting.n_iter_ for model in boosted.values()]

    def _calibration_set(
        self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None
    ) -> tuple[IrregularPanel, Targets]:
        held_out = self.held_out_records_
        if X_val is None and y.offsets[held_out + 1].sum() > y.offsets[held_out].sum():
            return X[held_out], y[held_out]
        return super()._calibration_set(X, y, X_val, y_val)

    def _fit_channel(self, rows: Rows, held_out: Rows | None) -> "ShortenedBoosting":
        boosting = HistGradientBoostingRegressor(
            loss=self.loss,
            learning_rate=self.learning_rate,
            max_iter=self.max_iter,
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            l2_regularization=self.l2_regularization,
            max_features=self.max_features,
            early_stopping=False,
            random_state=self._seed,
        )
        return ShortenedBoosting(boosting, rows, held_out)


class ShortenedBoosting:
    """Boosted trees up to the round with the least loss on held-out rows."""

    def __init__(self, boosting: HistGradientBoostingRegressor, rows: Rows, held_out: Rows | None) -> None:
        # scikit-learn 1.9 cannot bin a feature that is missing everywhere
        self.columns = np.flatnonzero(~np.isnan(rows.design).all(axis=0))
        self.constant = float(np.mean(rows.target) if boosting.loss == "squared_error" else np.median(rows.target))
        self.boosting = boosting
        design, n_rows = rows.design[:, self.columns], 0 if held_out is None else len(held_out.target)
        if held_out is None or n_rows == 0:
            boosting.fit(design, rows.target)
            self.n_rounds = boosting.n_iter_
            return
        seen = held_out.design[:, self.columns]
        if "X_val" in signature(boosting.fit).parameters:
            # scikit-learn before 1.7 cannot stop on given rows: there every round is fitted and the rest not used
            boosting.set_params(early_stopping=True, n_iter_no_change=_PATIENCE, tol=0.0)
            boosting.fit(design, rows.target, X_val=seen, y_val=held_out.target)
        else:
            boosting.fit(design, rows.target)
        self.n_rounds = self._best_round(seen, held_out.target)

    def _best_round(self, design: NDArray[np.float32], target: NDArray[np.float64]) -> int:
        power = 2 if self.boosting.loss == "squared_error" else 1
        losses = [np.mean(np.abs(target - self.constant) ** power)]
        losses += [np.mean(np.abs(target - stage) ** power) for stage in self.boosting.staged_predict(design)]
        return int(np.argmin(losses))

    def predict(self, design: NDArray[np.float32]) -> NDArray[np.float64]:
        """Standardised correction of each row, shape (n_rows,)."""
        if self.n_rounds == 0:
            return np.full(len(design), self.constant)
        stages = self.boosting.staged_predict(design[:, self.columns])
        return next(islice(stages, self.n_rounds - 1, None))
