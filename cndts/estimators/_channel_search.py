"""One-dimensional least-squares search, run for all channels at once."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_ROUNDS, _CANDIDATES = 4, 17


def search_by_channel(
    error: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    channel: NDArray[np.integer],
    n_channels: int,
    low: float,
    high: float,
) -> NDArray[np.float64]:
    """The positive parameter of each channel with the least squared error.

    Candidates are evenly spaced in the logarithm; every round narrows them to the neighbourhood of the best one.

    Parameters
    ----------
    error : callable
        Takes the parameter of each target, shape (n_targets,), and returns the error of each.
    channel : ndarray of shape (n_targets,)
        Channel position of each target.
    n_channels : int
        Number of channels.
    low, high : float
        Bounds of the search; a channel without targets gets ``low``.

    Returns
    -------
    ndarray of shape (n_channels,)

    Examples
    --------
    >>> search_by_channel(lambda rate: rate - np.array([2.0, 2.0, 5.0]), np.array([0, 0, 1]), 2, 0.1, 10.0).round(2)
    array([2., 5.])
    """
    lower, upper = np.full(n_channels, np.log(low)), np.full(n_channels, np.log(high))
    for _ in range(_ROUNDS):
        candidates = np.linspace(lower, upper, _CANDIDATES)
        squared = [np.bincount(channel, error(np.exp(log)[channel]) ** 2, n_channels) for log in candidates]
        best = np.argmin(squared, axis=0)
        each = np.arange(n_channels)
        lower, centre, upper = (candidates[np.clip(best + k, 0, _CANDIDATES - 1), each] for k in (-1, 0, 1))
    return np.exp(centre)
