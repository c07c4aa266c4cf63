"""Columns of a table that have a value somewhere."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin


class KnownColumns(TransformerMixin, BaseEstimator):
    """Leaves out columns without any value in training: the slope of what is measured once a record, for example.

    ``HistGradientBoostingClassifier`` of scikit-learn 1.9 fails where a column is NaN throughout.

    Attributes
    ----------
    known_ : ndarray of bool, shape (n_features,)
        Which columns are kept.
    """

    def fit(self, X: NDArray[np.float64], y: object = None) -> Self:
        """See which columns have a value."""
        self.known_ = ~np.isnan(X).all(axis=0)
        return self

    def transform(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Keep these columns."""
        return X[:, self.known_]
