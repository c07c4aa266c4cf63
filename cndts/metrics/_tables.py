"""Errors broken down by channel and by horizon."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cndts.metrics._average import Average, average_loss
from cndts.metrics._predictions import points_of, truth_of
from cndts.metrics._sums import ratio, record_channel_counts, record_channel_sums
from cndts.panel import IrregularPanel
from cndts.targets import Targets


def channel_means(*sources: IrregularPanel | Targets) -> NDArray[np.float64]:
    """Mean value of every channel over all values of the sources, the reference that skill compares with.

    Parameters
    ----------
    *sources : IrregularPanel or Targets
        Training data, all with the same channels. The training targets alone, as ``ChannelMeanForecaster`` uses them,
        or the context as well. Nothing of the test records.

    Returns
    -------
    ndarray of shape (n_channels,)
        NaN for channels that never occur.

    Examples
    --------
    >>> panel = IrregularPanel([0, 3], [0.0, 1.0, 2.0], [0, 0, 1], [1.0, 3.0, 5.0], channels=["HR", "Temp", "pH"])
    >>> channel_means(panel)
    array([ 2.,  5., nan])
    """
    if not sources:
        raise TypeError("channel_means needs at least one panel or Targets.")
    channels = sources[0].channels
    total, count = np.zeros(len(channels)), np.zeros(len(channels))
    for source in sources:
        if source.channels != channels:
            raise ValueError(f"all sources need the same channels; got {channels} and {source.channels}.")
        known = ~np.isnan(source.value)
        total += np.bincount(source.channel[known], source.value[known].astype(np.float64), minlength=len(channels))
        count += np.bincount(source.channel[known], minlength=len(channels))
    return ratio(total, count)


def channel_table(y: Targets, y_hat: Targets | ArrayLike, *, means: ArrayLike | None = None) -> pd.DataFrame:
    r"""Count, errors and skill of every channel.

    Skill is :math:`1 - \mathrm{MSE} / \mathrm{MSE}_0`, where :math:`\mathrm{MSE}_0` is the error of always predicting the
    channel's training mean: 1 is perfect, 0 no better than that mean.

    Parameters
    ----------
    y : Targets
        True values; NaN where not known.
    y_hat : Targets or array-like of shape (n_targets,)
        Predictions at the queries of ``y``.
    means : array-like of shape (n_channels,), optional
        Means of the channels in training, see :func:`channel_means`. Without them the table has no skill.

    Returns
    -------
    DataFrame
        One row a channel, in the order of ``y.channels``, with columns count, mse, mae and skill. Errors are NaN for
        channels without a known target; skill also where all targets equal the mean.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from cndts import Queries
    >>> queries = Queries(np.array([0, 2, 3]), np.array([5.0, 6.0, 7.0]), np.array([0, 0, 1]))
    >>> y = Targets(queries, [1.0, 2.0, 5.0], pd.Index(["a", "b"]), ["HR", "Temp"])
    >>> channel_table(y, [1.0, 3.0, 5.0], means=[0.0, 4.0])
          count  mse  mae  skill
    HR        2  0.5  0.5    0.8
    Temp      1  0.0  0.0    1.0
    """
    error = truth_of(y) - points_of(y, y_hat)
    count = record_channel_counts(y).sum(axis=0)
    mse = ratio(record_channel_sums(y, error**2).sum(axis=0), count)
    mae = ratio(record_channel_sums(y, np.abs(error)).sum(axis=0), count)
    columns = {"count": count.astype(np.int64), "mse": mse, "mae": mae}
    if means is not None:
        reference = ratio(record_channel_sums(y, reference_loss(y, means)).sum(axis=0), count)
        columns["skill"] = 1 - ratio(mse, reference)
    return pd.DataFrame(columns, index=pd.Index(y.channels, dtype=object))


def mean_skill(y: Targets, y_hat: Targets | ArrayLike, *, means: ArrayLike, min_targets: int = 200) -> float:
    """Plain mean of the skill of :func:`channel_table` over the channels with enough targets.

    Every channel weighs the same whatever its unit, and channels with few targets, whose error is mostly chance,
    cannot swing it.

    Parameters
    ----------
    y : Targets
        True values; NaN where not known.
    y_hat : Targets or array-like of shape (n_targets,)
        Predictions at the queries of ``y``.
    means : array-like of shape (n_channels,)
        Means of the channels in training, see :func:`channel_means`.
    min_targets : int, default=200
        Channels with fewer known targets are left out.

    Returns
    -------
    float
        At most 1; NaN where no channel has enough targets.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from cndts import Queries
    >>> queries = Queries(np.array([0, 2, 3]), np.array([5.0, 6.0, 7.0]), np.array([0, 0, 1]))
    >>> y = Targets(queries, [1.0, 2.0, 5.0], pd.Index(["a", "b"]), ["HR", "Temp"])
    >>> mean_skill(y, [1.0, 3.0, 5.0], means=[0.0, 4.0], min_targets=1)
    0.9
    """
    table = channel_table(y, y_hat, means=means)
    return float(table.loc[table["count"] >= min_targets, "skill"].mean())


def by_horizon(
    y: Targets,
    y_hat: Targets | ArrayLike,
    *,
    bands: Sequence[float],
    average: Average,
    since: float | ArrayLike = 0.0,
) -> pd.DataFrame:
    """Errors by the distance of the target from the end of the context.

    Parameters
    ----------
    y : Targets
        True values; NaN where not known.
    y_hat : Targets or array-like of shape (n_targets,)
        Predictions at the queries of ``y``.
    bands : sequence of float
        Rising edges of the bands, in the panel's time unit after ``since``. A band holds its left edge; the last
        band also its right edge. Targets outside all bands are left out.
    average : {"observation", "channel", "record"}
        What the means run over within a band, see :mod:`cndts.metrics`.
    since : float or array-like of shape (n_records,), default=0.0
        Where horizons start: the time of the cut, or a time per record such as that of its last event.

    Returns
    -------
    DataFrame
        One row a band with columns count, mse and mae.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from cndts import Queries
    >>> queries = Queries(np.array([0, 3]), np.array([25.0, 30.0, 47.0]), np.array([0, 0, 0]))
    >>> y = Targets(queries, [1.0, 2.0, 5.0], pd.Index(["a"]), ["HR"])
    >>> by_horizon(y, [1.0, 3.0, 3.0], bands=[0, 6, 24], since=24.0, average="observation")
               count  mse  mae
    [0, 6)         1  0.0  0.0
    [6, 24]        2  2.5  1.5
    """
    horizon = y.time - np.broadcast_to(np.asarray(since, dtype=np.float64), len(y))[y.record]
    return by_distance(y, y_hat, horizon, bands=bands, average=average)


def by_distance(
    y: Targets, y_hat: Targets | ArrayLike, distance: ArrayLike, *, bands: Sequence[float], average: Average
) -> pd.DataFrame:
    """Errors by any distance that each target has, such as the width of the gap around it (:func:`gap_widths`).

    Parameters
    ----------
    y : Targets
        True values; NaN where not known.
    y_hat : Targets or array-like of shape (n_targets,)
        Predictions at the queries of ``y``.
    distance : array-like of shape (n_targets,)
        The distances; a target whose distance is NaN is left out.
    bands : sequence of float
        Rising edges of the bands; the last may be infinite. A band holds its left edge; the last band also its right edge.
        Targets outside all bands are left out.
    average : {"observation", "channel", "record"}
        What the means run over within a band, see :mod:`cndts.metrics`.

    Returns
    -------
    DataFrame
        One row a band with columns count, mse and mae.

    Raises
    ------
    ValueError
        If the edges do not rise, or there is not one distance a target.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from cndts import Queries
    >>> queries = Queries(np.array([0, 3]), np.array([25.0, 30.0, 47.0]), np.array([0, 0, 0]))
    >>> y = Targets(queries, [1.0, 2.0, 5.0], pd.Index(["a"]), ["HR"])
    >>> by_distance(y, [1.0, 3.0, 3.0], [0.5, 2.0, np.inf], bands=[0, 1, np.inf], average="observation")
              count  mse  mae
    [0, 1)        1  0.0  0.0
    [1, inf]      2  2.5  1.5
    """
    edges = np.asarray(bands, dtype=np.float64)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise ValueError(f"bands must be two or more rising edges; got {bands!r}.")
    distance = np.asarray(distance, dtype=np.float64)
    if distance.shape != y.value.shape:
        raise ValueError(f"distance must hold one number a target ({len(y.value)}); got shape {distance.shape}.")
    error = truth_of(y) - points_of(y, y_hat)
    rows = {}
    for left, right in pairwise(edges):
        last = right == edges[-1]
        inside = (distance >= left) & ((distance <= right) if last else (distance < right))
        band = y.with_values(np.where(inside, y.value, np.nan))
        rows[f"[{left:g}, {right:g}{']' if last else ')'}"] = {
            "count": int((~np.isnan(band.value)).sum()),
            "mse": average_loss(error**2, band, average),
            "mae": average_loss(np.abs(error), band, average),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def reference_loss(y: Targets, means: ArrayLike) -> NDArray[np.float64]:
    """Squared error of predicting the channel's mean, shape (n_targets,)."""
    means = np.asarray(means, dtype=np.float64)
    if means.shape != (len(y.channels),):
        raise ValueError(f"means must hold one number per channel ({len(y.channels)}); got shape {means.shape}.")
    return (truth_of(y) - means[y.channel]) ** 2
