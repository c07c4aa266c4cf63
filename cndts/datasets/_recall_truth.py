"""What is known about the answers of generated recall tasks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class RecallTruth:
    """The best possible predictions for a recall task, how good they are, and what they rest on.

    Parameters
    ----------
    best : ndarray of float, shape (n_records,)
        The expectation of each answer given all events: no forecast has a smaller expected squared error.
    best_error : float
        Expected squared error of ``best``.
    blind_error : float
        Variance of the answer: the expected squared error of its mean, which is all that can be said without the
        evidence.
    evidence : ndarray of int, shape (n_records, n_evidence)
        Rows of the panel's flat arrays that the answer depends on.

    Examples
    --------
    The share of what there is to know that a forecast knows, here half of it by design:

    >>> from cndts.datasets import make_recall
    >>> X, y, truth = make_recall(4000, 50, kind="window", return_truth=True)
    >>> a, b, c, d = X.value[truth.evidence].T
    >>> error = np.mean((np.asarray(y) - (d - c) / 2) ** 2)
    >>> round(float(1 - error / truth.blind_error), 1)
    0.5
    """

    best: NDArray[np.float64]
    best_error: float
    blind_error: float
    evidence: NDArray[np.int64]
