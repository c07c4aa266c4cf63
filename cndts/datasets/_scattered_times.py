"""Irregular observation times of generated records."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def scattered_times(
    rng: np.random.Generator, n_records: int, n_channels: int, n_observations: float, duration: float
) -> Rows:
    """Record, channel and time of observations, sorted by record and time.

    Every channel of every record has times of its own: a Poisson number with mean ``n_observations``, uniform from 0 to
    ``duration``.

    Examples
    --------
    >>> record, channel, time = scattered_times(np.random.default_rng(0), 2, 3, 10, 5.0)
    >>> len(record) == len(channel) == len(time), bool(time.max() <= 5.0)
    (True, True)
    """
    if n_records < 0 or not n_observations >= 0 or not 0 < duration < np.inf:
        raise ValueError(
            f"wanted n_records and n_observations of 0 or more and a positive duration; got {n_records}, "
            f"{n_observations} and {duration}."
        )
    lengths = rng.poisson(n_observations, size=(n_records, n_channels))
    record = np.repeat(np.arange(n_records), lengths.sum(axis=1))
    channel = np.repeat(np.tile(np.arange(n_channels), n_records), lengths.ravel())
    time = rng.uniform(0, duration, size=len(record))
    order = np.lexsort((channel, time, record))
    return record[order], channel[order], time[order]
