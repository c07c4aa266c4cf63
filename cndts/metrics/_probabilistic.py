"""Scores of forecasts that say how sure they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cndts.metrics._average import Average, average_loss
from cndts.metrics._predictions import points_of, rows_of, truth_of
from cndts.targets import Targets


def negative_log_likelihood(y: Targets, mean: Targets | ArrayLike, std: ArrayLike, *, average: Average) -> float:
    r"""Negative log density of the targets under normal forecasts.

    The loss of a target is
    :math:`\tfrac12 \log(2\pi\sigma^2) + (y - \mu)^2 / (2\sigma^2)`.

    Parameters
    ----------
    y : Targets
        True values; NaN where not known.
    mean : Targets or array-like of shape (n_targets,)
        Predicted means :math:`\mu`.
    std : array-like of shape (n_targets,)
        Predicted standard deviations :math:`\sigma`, above zero.
    average : {"observation", "channel", "record"}
        What the mean runs over, see :mod:`cndts.metrics`.

    Returns
    -------
    float
        In nats; it depends on the unit of the values.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from cndts import Queries
    >>> queries = Queries(np.array([0, 1]), np.array([5.0]), np.array([0]))
    >>> y = Targets(queries, [1.0], pd.Index(["a"]), ["HR"])
    >>> round(negative_log_likelihood(y, [1.0], [1.0], average="observation"), 4)
    0.9189
    """
    sigma = _positive(y, std)
    z = (truth_of(y) - points_of(y, mean, "mean")) / sigma
    return average_loss(0.5 * np.log(2 * np.pi) + np.log(sigma) + 0.5 * z**2, y, average)


def crps(
    y: Targets,
    *,
    average: Average,
    mean: Targets | ArrayLike | None = None,
    std: ArrayLike | None = None,
    quantiles: ArrayLike | None = None,
    levels: ArrayLike | None = None,
    samples: ArrayLike | None = None,
) -> float:
    r"""Continuous ranked probability score, :math:`\int (F(x) - 1[x \ge y])^2\,dx`, of three kinds of forecast.

    Give ``mean`` and ``std`` of normal forecasts, or ``quantiles`` at ``levels``, or ``samples``.

    Parameters
    ----------
    y : Targets
        True values; NaN where not known.
    average : {"observation", "channel", "record"}
        What the mean runs over, see :mod:`cndts.metrics`.
    mean : Targets or array-like of shape (n_targets,), optional
        Predicted means.
    std : array-like of shape (n_targets,), optional
        Predicted standard deviations, above zero.
    quantiles : array-like of shape (n_targets, n_levels), optional
        Predicted quantiles.
    levels : array-like of shape (n_levels,), optional
        Levels of the quantiles, rising, between 0 and 1.
    samples : array-like of shape (n_targets, n_samples), optional
        Draws from the forecast; the score is that of their empirical distribution.

    Returns
    -------
    float
        In the unit of the values; equal to the absolute error where the forecast is a point.

    Notes
    -----
    Normal forecasts use the closed form of Gneiting and Raftery (JASA 2007), equation 21. Quantiles use
    :math:`2\int_0^1 \rho_\tau\,d\tau` with the pinball loss :math:`\rho_\tau`, each level standing for the levels
    nearest to it; with the levels ``(i - 0.5) / k`` this is twice the mean pinball loss. A few levels lose most of
    the tails. Samples use :math:`E|X - y| - \tfrac12 E|X - X'|` (equation 20) over all pairs.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from cndts import Queries
    >>> queries = Queries(np.array([0, 1]), np.array([5.0]), np.array([0]))
    >>> y = Targets(queries, [1.0], pd.Index(["a"]), ["HR"])
    >>> round(crps(y, mean=[1.0], std=[1.0], average="observation"), 4)
    0.2337
    >>> crps(y, samples=[[0.0, 2.0]], average="observation")
    0.5
    """
    truth = truth_of(y)
    match mean, std, quantiles, levels, samples:
        case None, None, None, None, rows if rows is not None:
            loss = _crps_samples(truth, rows_of(y, rows, "samples"))
        case centre, spread, None, None, None if centre is not None and spread is not None:
            loss = _crps_normal(truth, points_of(y, centre, "mean"), _positive(y, spread))
        case None, None, rows, tau, None if rows is not None and tau is not None:
            loss = _crps_quantiles(truth, _at_levels(y, rows, _checked_levels(tau)), _checked_levels(tau))
        case _:
            raise TypeError("crps needs one of: mean and std, quantiles and levels, samples.")
    return average_loss(loss, y, average)


def pinball_loss(y: Targets, quantiles: ArrayLike, levels: float | ArrayLike, *, average: Average) -> float:
    r"""Mean of :math:`\rho_\tau = \max(\tau (y - q), (\tau - 1)(y - q))` over levels and known targets.

    Parameters
    ----------
    y : Targets
        True values; NaN where not known.
    quantiles : array-like of shape (n_targets, n_levels)
        Predicted quantiles; shape (n_targets,) for a single level.
    levels : float or array-like of shape (n_levels,)
        Levels of the quantiles, rising, between 0 and 1.
    average : {"observation", "channel", "record"}
        What the mean over targets runs over, see :mod:`cndts.metrics`.

    Returns
    -------
    float
        In the unit of the values; half the absolute error for the level 0.5.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from cndts import Queries
    >>> queries = Queries(np.array([0, 1]), np.array([5.0]), np.array([0]))
    >>> y = Targets(queries, [1.0], pd.Index(["a"]), ["HR"])
    >>> pinball_loss(y, [3.0], 0.75, average="observation")
    0.5
    """
    tau = _checked_levels(levels)
    rows = np.asarray(quantiles, dtype=np.float64)
    rows = rows[:, None] if rows.ndim == 1 and np.ndim(levels) == 0 else rows
    return average_loss(_pinball(truth_of(y), _at_levels(y, rows, tau), tau).mean(axis=1), y, average)


def interval_coverage(y: Targets, interval: ArrayLike, *, average: Average) -> float:
    """Share of the known targets that lie in their interval, ends included.

    Parameters
    ----------
    y : Targets
        True values; NaN where not known.
    interval : array-like of shape (n_targets, 2)
        Lower and upper ends.
    average : {"observation", "channel", "record"}
        What the mean runs over, see :mod:`cndts.metrics`.

    Returns
    -------
    float
        Between 0 and 1.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from cndts import Queries
    >>> queries = Queries(np.array([0, 2]), np.array([5.0, 6.0]), np.array([0, 0]))
    >>> y = Targets(queries, [1.0, 9.0], pd.Index(["a"]), ["HR"])
    >>> interval_coverage(y, [[0.0, 2.0], [0.0, 2.0]], average="observation")
    0.5
    """
    low, high = _ends(y, interval)
    truth = truth_of(y)
    return average_loss(((low <= truth) & (truth <= high)).astype(np.float64), y, average)


def interval_width(y: Targets, interval: ArrayLike, *, average: Average) -> float:
    """Mean width of the intervals at the known targets.

    Parameters
    ----------
    y : Targets
        True values; they only say where a target is known.
    interval : array-like of shape (n_targets, 2)
        Lower and upper ends.
    average : {"observation", "channel", "record"}
        What the mean runs over, see :mod:`cndts.metrics`.

    Returns
    -------
    float
        In the unit of the values.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from cndts import Queries
    >>> queries = Queries(np.array([0, 2]), np.array([5.0, 6.0]), np.array([0, 0]))
    >>> y = Targets(queries, [1.0, 9.0], pd.Index(["a"]), ["HR"])
    >>> interval_width(y, [[0.0, 2.0], [0.0, 4.0]], average="observation")
    3.0
    """
    low, high = _ends(y, interval)
    return average_loss(high - low, y, average)


def _ends(y: Targets, interval: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    ends = rows_of(y, interval, "interval")
    if ends.shape[1] != 2:
        raise ValueError(f"interval must have two columns, lower and upper end; got {ends.shape[1]}.")
    crossed = ends[:, 0] > ends[:, 1]
    if crossed.any():
        row = int(np.flatnonzero(crossed)[0])
        raise ValueError(
            f"interval has its lower end above its upper end in {crossed.sum()} rows, the first is row {row}: "
            f"{ends[row, 0]:g} > {ends[row, 1]:g}. Sort the ends."
        )
    return ends[:, 0], ends[:, 1]


def _positive(y: Targets, std: ArrayLike) -> NDArray[np.float64]:
    # what is not scored may be certain, as observed values are to an interpolator
    sigma = np.where(np.isnan(truth_of(y)), 1.0, points_of(y, std, "std"))
    if (sigma <= 0).any():
        raise ValueError(
            f"std must be above zero; got {sigma[sigma <= 0][0]:g} in row {np.flatnonzero(sigma <= 0)[0]}."
        )
    return sigma


def _checked_levels(levels: float | ArrayLike) -> NDArray[np.float64]:
    tau = np.atleast_1d(np.asarray(levels, dtype=np.float64))
    if tau.ndim != 1 or not ((tau > 0) & (tau < 1)).all() or (np.diff(tau) <= 0).any():
        raise ValueError(f"levels must rise and lie between 0 and 1 (both excluded); got {levels!r}.")
    return tau


def _at_levels(y: Targets, quantiles: ArrayLike, tau: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = rows_of(y, quantiles, "quantiles")
    if rows.shape[1] != len(tau):
        raise ValueError(f"quantiles has {rows.shape[1]} columns for {len(tau)} levels; give one column per level.")
    return rows


def _pinball(
    truth: NDArray[np.float64], quantiles: NDArray[np.float64], tau: NDArray[np.float64]
) -> NDArray[np.float64]:
    above = truth[:, None] - quantiles
    return np.maximum(tau * above, (tau - 1) * above)


def _crps_quantiles(
    truth: NDArray[np.float64], quantiles: NDArray[np.float64], tau: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Each level stands for those nearest to it."""
    middle = (tau[1:] + tau[:-1]) / 2
    return 2 * _pinball(truth, quantiles, tau) @ np.diff(np.concatenate([[0.0], middle, [1.0]]))


def _crps_normal(
    truth: NDArray[np.float64], mean: NDArray[np.float64], std: NDArray[np.float64]
) -> NDArray[np.float64]:
    from scipy.special import ndtr

    z = (truth - mean) / std
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    return std * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi))


def _crps_samples(truth: NDArray[np.float64], samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """The pair term by sorting: sum over pairs of |x_i - x_j| is 2 sum_i (2 i - m - 1) x_(i)."""
    n_samples = samples.shape[1]
    weight = (2 * np.arange(1, n_samples + 1) - n_samples - 1) / n_samples**2
    return np.abs(samples - truth[:, None]).mean(axis=1) - np.sort(samples, axis=1) @ weight
