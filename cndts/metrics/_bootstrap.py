"""How sure a difference between two models is: resampling the records that both were tested on.

With sums over a record's targets as rows, a resample's score is a ratio of weighted sums of rows, so that thousands
of resamples are one matrix product (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 6 and 13).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cndts.metrics._average import Average
from cndts.metrics._bootstrap_difference import BootstrapDifference
from cndts.metrics._predictions import points_of, truth_of
from cndts.metrics._sums import ratio, record_channel_counts, record_channel_sums
from cndts.metrics._tables import reference_loss
from cndts.targets import Targets

Metric = Literal["mae", "mse", "skill"]
Predictions = Targets | ArrayLike | Sequence[Targets] | Sequence[ArrayLike]
Matrix = NDArray[np.float64]

# (resample, record) weights held at a time: 32 MB
_WEIGHTS_AT_ONCE = 4_000_000


def paired_bootstrap(
    y: Targets,
    y_hat_a: Predictions,
    y_hat_b: Predictions,
    *,
    metric: Metric = "mae",
    average: Average = "channel",
    means: ArrayLike | None = None,
    min_targets: int = 200,
    n_resamples: int = 1000,
    random_state: int | np.random.Generator | None = 0,
) -> BootstrapDifference:
    """Difference between two models' scores, with an interval from resampling records.

    Records are drawn with replacement, the same for both models, so that what makes a record hard for both cancels.
    Several seeds of a model enter with the mean of their losses.

    Parameters
    ----------
    y : Targets
        True values; NaN where not known.
    y_hat_a, y_hat_b : Targets or array-like of shape (n_targets,), or a sequence of these
        Predictions of the two models; a sequence (or an array of shape (n_seeds, n_targets)) for several seeds.
    metric : {"mae", "mse", "skill"}, default="mae"
        ``"skill"`` is :func:`mean_skill`: the mean over channels of 1 - MSE / MSE(channel mean).
    average : {"observation", "channel", "record"}, default="channel"
        What errors are averaged over; skill is averaged over channels whatever is given here.
    means : array-like of shape (n_channels,), optional
        Means of the channels in training; needed for skill.
    min_targets : int, default=200
        Skill leaves out channels with fewer known targets in ``y``.
    n_resamples : int, default=1000
        Number of resamples.
    random_state : int, numpy.random.Generator or None, default=0
        Seed of the draw.

    Returns
    -------
    BootstrapDifference
        Score of ``y_hat_a`` minus score of ``y_hat_b``. A resample in which a channel has no target leaves that
        channel out.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from cndts import Queries
    >>> queries = Queries(np.arange(101), np.zeros(100), np.zeros(100))
    >>> y = Targets(queries, np.linspace(0, 1, 100), pd.RangeIndex(100), ["HR"])
    >>> found = paired_bootstrap(y, y.value + 0.1, y.value + 0.3)
    >>> round(found.difference, 3), found.excludes_zero, found.share
    (-0.2, True, 1.0)
    """
    numerator, denominator, sign = _terms(y, y_hat_a, y_hat_b, metric, means)
    if metric == "skill":
        enough = record_channel_counts(y).sum(axis=0) >= min_targets
        numerator, denominator = numerator[:, enough], denominator[:, enough]
    else:
        numerator, denominator = _pooled(numerator, denominator, average)
    draws = _row_means(_resampled(numerator, denominator, n_resamples, random_state))
    observed = _row_means(ratio(numerator.sum(axis=0), denominator.sum(axis=0))[None])
    return _summary(float(observed[0]), draws, sign)


def paired_bootstrap_by_channel(
    y: Targets,
    y_hat_a: Predictions,
    y_hat_b: Predictions,
    *,
    metric: Metric = "mae",
    means: ArrayLike | None = None,
    n_resamples: int = 1000,
    random_state: int | np.random.Generator | None = 0,
) -> pd.DataFrame:
    """:func:`paired_bootstrap` of every channel on its own, from the same resamples.

    Parameters
    ----------
    y : Targets
        True values; NaN where not known.
    y_hat_a, y_hat_b : Targets or array-like of shape (n_targets,), or a sequence of these
        Predictions of the two models; a sequence (or an array of shape (n_seeds, n_targets)) for several seeds.
    metric : {"mae", "mse", "skill"}, default="mae"
        Score within a channel.
    means : array-like of shape (n_channels,), optional
        Means of the channels in training; needed for skill.
    n_resamples : int, default=1000
        Number of resamples.
    random_state : int, numpy.random.Generator or None, default=0
        Seed of the draw.

    Returns
    -------
    DataFrame
        One row a channel, in the order of ``y.channels``, with columns count (known targets), difference, low, high
        and share, as in :class:`BootstrapDifference`; NaN for channels without targets. The intervals are not
        adjusted for looking at many channels.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from cndts import Queries
    >>> queries = Queries(np.arange(101), np.zeros(100), np.zeros(100))
    >>> y = Targets(queries, np.linspace(0, 1, 100), pd.RangeIndex(100), ["HR", "Temp"])
    >>> paired_bootstrap_by_channel(y, y.value + 0.1, y.value + 0.3).round(3)
          count  difference  low  high  share
    HR      100        -0.2 -0.2  -0.2    1.0
    Temp      0         NaN  NaN   NaN    NaN
    """
    numerator, denominator, sign = _terms(y, y_hat_a, y_hat_b, metric, means)
    draws = _resampled(numerator, denominator, n_resamples, random_state)
    observed = ratio(numerator.sum(axis=0), denominator.sum(axis=0))
    found = [_summary(float(at), draws[:, channel], sign) for channel, at in enumerate(observed)]
    table = pd.DataFrame(
        {name: [getattr(row, name) for row in found] for name in ("difference", "low", "high", "share")},
        index=pd.Index(y.channels, dtype=object),
    )
    table.insert(0, "count", record_channel_counts(y).sum(axis=0).astype(np.int64))
    return table


def _terms(
    y: Targets, y_hat_a: Predictions, y_hat_b: Predictions, metric: str, means: ArrayLike | None
) -> tuple[Matrix, Matrix, float]:
    """Numerator and denominator of the difference per record and channel, and the sign of an advantage of a."""
    if metric not in ("mae", "mse", "skill"):
        raise ValueError(f'metric must be "mae", "mse" or "skill"; got {metric!r}.')
    power = 1 if metric == "mae" else 2
    excess = record_channel_sums(y, _mean_loss(y, y_hat_a, "y_hat_a", power) - _mean_loss(y, y_hat_b, "y_hat_b", power))
    if metric != "skill":
        return excess, record_channel_counts(y), -1.0
    if means is None:
        raise ValueError("skill compares with the channels' training means; give means=channel_means(y_train).")
    return -excess, record_channel_sums(y, reference_loss(y, means)), 1.0


def _mean_loss(y: Targets, y_hat: Predictions, name: str, power: int) -> NDArray[np.float64]:
    seeds = [np.abs(truth_of(y) - points_of(y, seed, name)) ** power for seed in _seeds(y_hat)]
    return np.mean(seeds, axis=0)


def _seeds(y_hat: Predictions) -> Sequence[Targets | ArrayLike]:
    if isinstance(y_hat, Targets):
        return [y_hat]
    if isinstance(y_hat, (list, tuple)) and len(y_hat) and np.ndim(y_hat[0]) == 1:
        return y_hat
    array = np.asarray(y_hat)
    return list(array) if array.ndim == 2 and len(array) else [array]


def _pooled(excess: Matrix, count: Matrix, average: str) -> tuple[Matrix, Matrix]:
    """Reduce the columns so that the mean over columns of a ratio of sums is the average asked for."""
    if average == "channel":
        return excess, count
    if average not in ("observation", "record"):
        raise ValueError(f'average must be "observation", "channel" or "record"; got {average!r}.')
    excess, count = excess.sum(axis=1, keepdims=True), count.sum(axis=1, keepdims=True)
    if average == "observation":
        return excess, count
    return np.nan_to_num(ratio(excess, count)), (count > 0).astype(np.float64)


def _resampled(
    numerator: Matrix, denominator: Matrix, n_resamples: int, random_state: int | np.random.Generator | None
) -> Matrix:
    """Ratios of the column sums in every resample of the rows, shape (n_resamples, n_columns)."""
    n_records, n_columns = numerator.shape
    if n_records == 0 or n_resamples < 1:
        raise ValueError(f"a bootstrap needs records and resamples; got {n_records} records, {n_resamples} resamples.")
    rng = np.random.default_rng(random_state)
    both = np.hstack([numerator, denominator])
    parts = []
    for start in range(0, n_resamples, at_once := max(1, _WEIGHTS_AT_ONCE // n_records)):
        total = _weights(rng, min(at_once, n_resamples - start), n_records) @ both
        parts.append(ratio(total[:, :n_columns], total[:, n_columns:]))
    return np.concatenate(parts)


def _weights(rng: np.random.Generator, n_resamples: int, n_records: int) -> Matrix:
    """How often each record is drawn, shape (n_resamples, n_records)."""
    drawn = rng.integers(n_records, size=(n_resamples, n_records)) + n_records * np.arange(n_resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=n_resamples * n_records).reshape(n_resamples, -1).astype(np.float64)


def _row_means(ratios: Matrix) -> NDArray[np.float64]:
    return ratio(np.nansum(ratios, axis=1), (~np.isnan(ratios)).sum(axis=1))


def _summary(observed: float, draws: NDArray[np.float64], sign: float) -> BootstrapDifference:
    draws = draws[~np.isnan(draws)]
    if not len(draws):
        return BootstrapDifference(observed, float("nan"), float("nan"), float("nan"))
    low, high = np.percentile(draws, [2.5, 97.5])
    return BootstrapDifference(observed, float(low), float(high), float(np.mean(sign * draws > 0)))
