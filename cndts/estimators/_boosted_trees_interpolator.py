"""Histogram gradient boosting on summaries of both sides of a query."""

from cndts.estimators._boosted_trees_forecaster import BoostedTreesForecaster
from cndts.estimators._two_sided_tabular import TwoSidedTabular


class BoostedTreesInterpolator(TwoSidedTabular, BoostedTreesForecaster):
    """Histogram gradient boosting on summaries of the events before and after a query, one model for each channel.

    The trees correct :class:`OrnsteinUhlenbeckInterpolator`. They read the features of :class:`BoostedTreesForecaster`
    twice: from the events before the query, and from those after it with time running backward. See
    :class:`BaseInterpolator` for what interpolators share.

    Parameters
    ----------
    features : {"own", "last", "all"}, default="last"
        Summaries of the query's channel and record; the nearest values of every other channel on both sides besides; or
        also their ages and means.
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
    rates_, noise_shares_ : ndarray of shape (n_channels,)
        Rate of return and noise share of each channel, for the answer that the trees correct.
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

    Examples
    --------
    A value between its neighbours, but nearer to the larger one than a straight line has it:

    >>> import numpy as np
    >>> from cndts import IrregularPanel, Queries, Targets
    >>> n_records = 400
    >>> value = np.random.default_rng(0).normal(size=(n_records, 2))
    >>> queries = Queries(np.arange(n_records + 1), np.ones(n_records), np.zeros(n_records, dtype=int))
    >>> time, channel = np.tile([0.0, 2.0], n_records), np.zeros(2 * n_records, dtype=int)
    >>> X = IrregularPanel(np.arange(n_records + 1) * 2, time, channel, value.ravel(), queries=queries)
    >>> y = Targets(queries, 0.7 * value.max(axis=1) + 0.3 * value.min(axis=1), X.records, X.channels)
    >>> model = BoostedTreesInterpolator(random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    """
