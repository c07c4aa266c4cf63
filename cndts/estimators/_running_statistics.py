"""Statistics of a channel's values so far, after each of its observations."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cndts._panel_histories import ChannelHistories, Index

Statistics = dict[str, NDArray[np.float64]]


def running_statistics(histories: ChannelHistories, timescales: Sequence[float]) -> Statistics:
    r"""Statistics of the rows of each record and channel up to and including every row.

    Parameters
    ----------
    histories : ChannelHistories
        Events sorted by record, channel and time.
    timescales : sequence of float
        Time constants :math:`\tau` of the exponentially weighted means, in time units.

    Returns
    -------
    dict of str to ndarray of shape (n_rows,)
        ``count, mean, std, slope, min, max`` and one ``ewm<k>`` per time constant. ``slope`` is that of the
        least-squares line over time, NaN for a single row.

    Notes
    -----
    An inclusive scan by doubling: after step :math:`k` a row summarises the last :math:`2^k` rows of its segment, so
    :math:`\lceil \log_2 n \rceil` vectorised steps suffice for segments of any length. Moments of two adjacent
    windows merge by the pairwise update of Chan, Golub and LeVeque (1983), which never subtracts large sums.

    Examples
    --------
    >>> from cndts.panel import IrregularPanel
    >>> panel = IrregularPanel([0, 3], [0.0, 1.0, 3.0], [0, 0, 0], [1.0, 2.0, 4.0])
    >>> statistics = running_statistics(ChannelHistories.of(panel), [2.0])
    >>> statistics["slope"]
    array([nan,  1.,  1.])
    >>> statistics["ewm0"].round(3)
    array([1.   , 1.622, 3.117])
    """
    window, step = _single_rows(histories, len(timescales)), 1
    while (later := np.flatnonzero(histories.rank >= step)).size:
        _join_earlier(window, later, later - step, timescales, histories.time)
        step *= 2
    return _finished(window, len(timescales))


def _single_rows(histories: ChannelHistories, n_timescales: int) -> Statistics:
    value, zero = histories.value, np.zeros_like(histories.value)
    window = {"count": zero + 1, "mean": value, "mean_time": histories.time, "xx": zero, "tx": zero, "tt": zero}
    window |= {"min": value, "max": value}
    for k in range(n_timescales):
        window |= {f"sum{k}": value, f"weight{k}": zero + 1}
    return {name: array.copy() for name, array in window.items()}


def _join_earlier(window: Statistics, later: Index, earlier: Index, timescales: Sequence[float], time: NDArray) -> None:
    """Let the windows of ``later`` rows take in those of ``earlier`` rows, in place."""
    old, new = ({name: array[rows] for name, array in window.items()} for rows in (earlier, later))
    joined = _merged_moments(old, new)
    joined |= {"min": np.minimum(old["min"], new["min"]), "max": np.maximum(old["max"], new["max"])}
    gap = time[later] - time[earlier]
    for k, timescale in enumerate(timescales):
        fade = np.exp(-gap / timescale)
        joined |= {name: new[name] + fade * old[name] for name in (f"sum{k}", f"weight{k}")}
    for name, array in joined.items():
        window[name][later] = array


def _merged_moments(a: Statistics, b: Statistics) -> Statistics:
    count = a["count"] + b["count"]
    share = b["count"] / count
    dx, dt = b["mean"] - a["mean"], b["mean_time"] - a["mean_time"]
    cross = a["count"] * share
    return {
        "count": count,
        "mean": a["mean"] + share * dx,
        "mean_time": a["mean_time"] + share * dt,
        "xx": a["xx"] + b["xx"] + cross * dx * dx,
        "tx": a["tx"] + b["tx"] + cross * dt * dx,
        "tt": a["tt"] + b["tt"] + cross * dt * dt,
    }


def _finished(window: Statistics, n_timescales: int) -> Statistics:
    statistics = {name: window[name] for name in ("count", "mean", "min", "max")}
    statistics["std"] = np.sqrt(window["xx"] / window["count"])
    several = window["tt"] > 0
    statistics["slope"] = np.full(len(several), np.nan)
    statistics["slope"][several] = window["tx"][several] / window["tt"][several]
    return statistics | {f"ewm{k}": window[f"sum{k}"] / window[f"weight{k}"] for k in range(n_timescales)}
