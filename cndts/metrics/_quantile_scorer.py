"""A scorer of forecast distributions for scikit-learn's model selection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from cndts.metrics._average import Average
from cndts.metrics._probabilistic import crps, pinball_loss
from cndts.targets import Targets

_LEVELS = (0.05, 0.15, 0.25, 0.35, 0.45, 0.5, 0.55, 0.65, 0.75, 0.85, 0.95)


class _QuantileScorer:
    """``scorer(estimator, X, y)``; a class, so that worker processes can load it."""

    def __init__(self, metric: str, levels: tuple[float, ...], average: Average) -> None:
        self.metric, self.levels, self.average = metric, levels, average

    def __call__(self, estimator: Any, X: Any, y: Targets) -> float:
        quantiles = estimator.predict_quantiles(X, list(self.levels))
        if self.metric == "crps":
            return -crps(y, quantiles=quantiles, levels=self.levels, average=self.average)
        return -pinball_loss(y, quantiles, self.levels, average=self.average)

    def __repr__(self) -> str:
        return f"quantile_scorer({self.metric!r}, {list(self.levels)}, average={self.average!r})"


def quantile_scorer(
    metric: Literal["crps", "pinball"], levels: Sequence[float] = _LEVELS, *, average: Average
) -> _QuantileScorer:
    """A scorer of ``predict_quantiles`` for ``cross_val_score`` and ``GridSearchCV``: negative, so that higher is better.

    Parameters
    ----------
    metric : {"crps", "pinball"}
        :func:`crps` from quantiles, or :func:`pinball_loss`.
    levels : sequence of float, default from 0.05 to 0.95
        Rising probabilities of the quantiles that are asked for.
    average : {"observation", "channel", "record"}
        What the mean runs over, see :mod:`cndts.metrics`.

    Returns
    -------
    callable
        ``scorer(estimator, X, y)``, as scikit-learn wants it.

    Raises
    ------
    ValueError
        If there is no such metric, or the levels do not rise between 0 and 1.

    Examples
    --------
    >>> quantile_scorer("pinball", [0.1, 0.5, 0.9], average="channel")
    quantile_scorer('pinball', [0.1, 0.5, 0.9], average='channel')
    """
    if metric not in ("crps", "pinball"):
        raise ValueError(f"metric must be one of crps, pinball; got {metric!r}. Errors of points have error_scorer.")
    found = tuple(float(level) for level in levels)
    if not found or any(not 0 < level < 1 for level in found) or list(found) != sorted(set(found)):
        raise ValueError(f"levels must rise and lie between 0 and 1 (both excluded); got {list(levels)!r}.")
    return _QuantileScorer(metric, found, average)
