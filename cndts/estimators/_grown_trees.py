"""Boosted trees as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cndts.estimators._boosted_trees_forecaster import ShortenedBoosting

_FIELDS = ("feature_idx", "num_threshold", "missing_go_to_left", "left", "right", "is_leaf", "value")
# Rows of the design matrix that walk down the trees together, which bounds memory.
_ROWS = 4096


@dataclass(frozen=True, eq=False)
class GrownTrees:
    """Regression trees whose leaf values are added up: what is left of a fitted gradient boosting when it has to predict.

    Parameters
    ----------
    start : float
        What the sum starts from.
    columns : ndarray of shape (n_columns,)
        Columns of the design matrix that the trees read.
    root : ndarray of shape (n_trees,)
        Row of each tree's first node.
    feature, threshold, missing_left, left, right, is_leaf, value : ndarray of shape (n_nodes,)
        Of each node: position among ``columns``, largest value that goes left, whether NaN goes left, rows of the children,
        whether it is a leaf, and what a leaf adds.

    Examples
    --------
    One tree: below 0.5 nothing, above it (and where nothing is known) 2 on top of the start:

    >>> trees = GrownTrees(
    ...     start=1.0,
    ...     columns=np.array([0]),
    ...     root=np.array([0]),
    ...     feature=np.array([0, 0, 0]),
    ...     threshold=np.array([0.5, 0.0, 0.0]),
    ...     missing_left=np.array([False, False, False]),
    ...     left=np.array([1, 1, 2]),
    ...     right=np.array([2, 1, 2]),
    ...     is_leaf=np.array([False, True, True]),
    ...     value=np.array([0.0, 0.0, 2.0]),
    ... )
    >>> trees.predict(np.array([[0.5], [0.6], [np.nan]]))
    array([1., 3., 3.])
    """

    start: float
    columns: NDArray[np.int64]
    root: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    missing_left: NDArray[np.bool_]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    is_leaf: NDArray[np.bool_]
    value: NDArray[np.float64]

    @property
    def n_rounds(self) -> int:
        """Number of trees."""
        return len(self.root)

    @classmethod
    def of(cls, trees: ShortenedBoosting) -> Self:
        """The nodes of trees that scikit-learn has grown.

        Raises
        ------
        TypeError
            If the installed scikit-learn keeps its trees in another way, so that the nodes would not predict the same.
        """
        if trees.n_rounds == 0:
            return cls._assembled(trees.constant, trees.columns, [])
        try:
            kept = list(islice(trees.boosting._predictors, trees.n_rounds))
            start = float(np.asarray(trees.boosting._baseline_prediction).item())
            grown = cls._assembled(start, trees.columns, [tree.nodes for (tree,) in kept])
        except (AttributeError, KeyError, ValueError, TypeError) as error:
            raise TypeError(_refusal(f"reading its trees failed: {error}")) from error
        probe = grown._probe()
        if not np.array_equal(grown.predict(probe), trees.predict(probe)):
            raise TypeError(_refusal("its trees predict otherwise than their nodes"))
        return grown

    @classmethod
    def _assembled(cls, start: float, columns: NDArray, tables: list[NDArray]) -> Self:
        """One table of all nodes, children counted from its first row; leaves are their own children."""
        if any(table["is_categorical"].any() for table in tables):
            raise ValueError("a split on categories")
        n_nodes = np.array([len(table) for table in tables], dtype=np.int64)
        root = np.cumsum(n_nodes) - n_nodes
        whole = {name: np.concatenate([np.zeros(0), *(table[name] for table in tables)]) for name in _FIELDS}
        is_leaf, own = whole["is_leaf"].astype(bool), np.arange(n_nodes.sum())
        first = np.repeat(root, n_nodes)
        left, right = (np.where(is_leaf, own, first + whole[side].astype(np.int64)) for side in ("left", "right"))
        return cls(
            start,
            np.asarray(columns, dtype=np.int64),
            root,
            np.where(is_leaf, 0, whole["feature_idx"]).astype(np.int64),
            whole["num_threshold"].astype(np.float64),
            whole["missing_go_to_left"].astype(bool),
            left,
            right,
            is_leaf,
            whole["value"].astype(np.float64),
        )

    def predict(self, design: NDArray[np.float32]) -> NDArray[np.float64]:
        """Sum of the leaves of each row, shape (n_rows,)."""
        known = design[:, self.columns].astype(np.float64)
        blocks = [known[first : first + _ROWS] for first in range(0, len(known), _ROWS)]
        return np.concatenate([np.zeros(0), *map(self._sum, blocks)])

    def _sum(self, known: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.full(len(known), self.start)
        rows = np.arange(len(known))
        for root in self.root.tolist():
            node = np.full(len(known), root)
            while not self.is_leaf[node].all():
                found = known[rows, self.feature[node]]
                goes_left = np.where(np.isnan(found), self.missing_left[node], found <= self.threshold[node])
                node = np.where(goes_left, self.left[node], self.right[node])
            total += self.value[node]
        return total

    def _probe(self, n_rows: int = 256) -> NDArray[np.float32]:
        """Rows that walk through many nodes: values at and around thresholds, and NaN."""
        random = np.random.default_rng(0)
        splits = np.flatnonzero(~self.is_leaf)
        design = np.full((n_rows, int(self.columns.max(initial=0)) + 1), np.nan, dtype=np.float32)
        for place in range(len(self.columns)):
            thresholds = self.threshold[splits[self.feature[splits] == place]]
            drawn = random.choice(thresholds, n_rows) if len(thresholds) else np.zeros(n_rows)
            shift = random.choice([0.0, 1e-3, -1e-3, 1.0, -1.0], n_rows)
            design[:, self.columns[place]] = np.where(random.random(n_rows) < 0.1, np.nan, drawn + shift)
        return design


def _refusal(reason: str) -> str:
    return (
        f"the boosted trees of this version of scikit-learn cannot be stored without pickle: {reason}. Store the model with "
        "skops.io.dump, see 'Saving and loading' in the documentation."
    )
