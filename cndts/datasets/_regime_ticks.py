"""Generator of quotes whose market changes its mood."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from cndts._ragged import offsets_from_lengths
from cndts.datasets._record_count import check_record_count
from cndts.datasets._regime_truth import RegimeTruth
from cndts.panel import IrregularPanel

# Calm, busy and trending markets: quotes a second, volatility (bp per square root of a second), drift (bp/s), half spread (bp).
_INTENSITY = np.array([0.1, 0.6, 0.3])
_VOLATILITY = np.array([0.15, 0.8, 0.3])
_DRIFT = np.array([0.0, 0.0, 0.05])
_HALF_SPREAD = np.array([0.3, 1.0, 0.5])
_BP = 1e-4


@overload
def make_regime_ticks(
    n_records: int = ...,
    *,
    n_regimes: int = ...,
    mean_stay: float = ...,
    duration: float = ...,
    noise: float = ...,
    random_state: int | np.random.Generator | None = ...,
    return_truth: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def make_regime_ticks(
    n_records: int = ...,
    *,
    n_regimes: int = ...,
    mean_stay: float = ...,
    duration: float = ...,
    noise: float = ...,
    random_state: int | np.random.Generator | None = ...,
    return_truth: Literal[True],
) -> tuple[IrregularPanel, RegimeTruth]: ...


def make_regime_ticks(
    n_records: int = 20,
    *,
    n_regimes: int = 2,
    mean_stay: float = 300.0,
    duration: float = 3600.0,
    noise: float = 0.2,
    random_state: int | np.random.Generator | None = 0,
    return_truth: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, RegimeTruth]:
    r"""Generate quotes at irregular times from a market that switches between regimes.

    In each regime the price is a random walk with its own volatility, and quotes arrive at their own rate: how dense the ticks
    are tells the regime, and the regime tells how far the price may go. Without a trending regime nothing beats the last value
    as a point forecast, and only intervals can gain.

    Parameters
    ----------
    n_records : int, default=20
        Number of trading hours.
    n_regimes : int, default=2
        1: calm. 2: calm and busy. 3: also one that rises by 0.05 basis points a second.
    mean_stay : float, default=300.0
        Mean length of a stay in a regime, in seconds; stays are exponential, the next regime is any other one.
    duration : float, default=3600.0
        Length of a record in seconds.
    noise : float, default=0.2
        Standard deviation of what bid and ask share beside the price, in basis points: the bounce of single quotes.
    random_state : int, numpy.random.Generator or None, default=0
        Seed.
    return_truth : bool, default=False
        Also return the regimes and the price behind the quotes.

    Returns
    -------
    panel : IrregularPanel
        Channels ``bid`` and ``ask``, quoted together, in basis points from the first price of the record; times in seconds.
    truth : RegimeTruth
        Only with ``return_truth=True``.

    Raises
    ------
    ValueError
        If ``n_regimes`` is not 1, 2 or 3, or a length of time is not positive.

    Notes
    -----
    A Markov-switching diffusion observed at the points of a Poisson process that the same chain modulates. Quotes arrive every 10 s
    in calm, every 1.7 s in busy and every 3.3 s in trending markets, with volatilities of 0.15, 0.8 and 0.3 basis points per square
    root of a second. The variance between two quotes is integrated exactly over the stays in between.

    References
    ----------
    J. D. Hamilton. "A new approach to the economic analysis of nonstationary time series and the business cycle." Econometrica
    57:357-384, 1989.

    W. Fischer, K. Meier-Hellstern. "The Markov-modulated Poisson process (MMPP) cookbook." Performance Evaluation 18:149-171,
    1993.

    Examples
    --------
    >>> panel, truth = make_regime_ticks(5, return_truth=True)
    >>> bid, ask = panel.value[panel.channel == 0], panel.value[panel.channel == 1]
    >>> panel.channels, bool((bid < ask).all()), len(truth.mid) == panel.n_events
    (('bid', 'ask'), True, True)
    """
    if n_regimes not in (1, 2, 3):
        raise ValueError(f"n_regimes must be 1, 2 or 3; got {n_regimes!r}.")
    if not (0 < mean_stay < np.inf and 0 < duration < np.inf):
        raise ValueError(f"mean_stay and duration must be positive seconds; got {mean_stay} and {duration}.")
    check_record_count(n_records)
    rng = np.random.default_rng(random_state)
    offsets, begin, regime = _stays(n_records, n_regimes, mean_stay, duration, rng)
    drift, volatility = _DRIFT[:n_regimes] * _BP, _VOLATILITY[:n_regimes] * _BP
    truth = RegimeTruth(offsets, begin, regime, np.zeros(0), drift, volatility, mean_stay, duration)
    record, time = _arrivals(truth, n_records, rng)
    now = truth.regime_at(record, time)
    price = _prices(truth, record, time, rng) / _BP
    middle = price + noise * rng.standard_normal(len(time))
    half = _HALF_SPREAD[now] * np.exp(0.2 * rng.standard_normal(len(time)))
    panel = IrregularPanel(
        offsets_from_lengths(2 * np.bincount(record, minlength=n_records)),
        np.repeat(time, 2),
        np.tile([0, 1], len(time)),
        np.stack([middle - half, middle + half], axis=1).ravel(),
        channels=("bid", "ask"),
        units={"bid": "bp", "ask": "bp"},
        time_unit="s",
    )
    if not return_truth:
        return panel
    mid = np.repeat(price, 2)
    return panel, RegimeTruth(offsets, begin, regime, mid, drift, volatility, mean_stay, duration)


def _stays(
    n_records: int, n_regimes: int, mean_stay: float, duration: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Offsets, begin and regime of the stays of all records: a chain in continuous time, at first in equilibrium."""
    first = rng.integers(0, n_regimes, (n_records, 1))
    if n_regimes == 1:
        return np.arange(n_records + 1), np.zeros(n_records), first.ravel()
    most = int(duration / mean_stay + 10 * np.sqrt(duration / mean_stay) + 20)
    begin = np.cumsum(rng.exponential(mean_stay, (n_records, most)), axis=1)
    begin = np.concatenate([np.zeros((n_records, 1)), begin], axis=1)
    jumps = rng.integers(1, n_regimes, (n_records, most))
    regime = np.cumsum(np.concatenate([first, jumps], axis=1), axis=1) % n_regimes
    inside = begin < duration
    return offsets_from_lengths(inside.sum(axis=1)), begin[inside], regime[inside]


def _arrivals(
    truth: RegimeTruth, n_records: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Record and time of the quotes: a Poisson process at the highest rate, thinned to that of the regime."""
    intensity = _INTENSITY[: len(truth.drift)]
    record = np.repeat(np.arange(n_records), rng.poisson(intensity.max() * truth.duration, n_records))
    time = rng.uniform(0, truth.duration, len(record))
    order = np.lexsort((time, record))
    time = time[order]
    kept = rng.random(len(record)) * intensity.max() < intensity[truth.regime_at(record, time)]
    return record[kept], time[kept]


def _prices(truth: RegimeTruth, record: NDArray, time: NDArray, rng: np.random.Generator) -> NDArray[np.float64]:
    """Logarithm of the price at the quotes, 0 at the start of each record."""
    mean, variance = (_integral(truth, rate, record, time) for rate in (truth.drift, truth.volatility**2))
    is_first = np.diff(record, prepend=-1) != 0
    step = np.where(is_first, variance, np.diff(variance, prepend=0.0))
    walk = np.cumsum(np.sqrt(np.maximum(step, 0.0)) * rng.standard_normal(len(time)))
    before = np.concatenate([[0.0], walk])[np.flatnonzero(is_first)]
    return mean + walk - np.repeat(before, np.diff(np.append(np.flatnonzero(is_first), len(time))))


def _integral(truth: RegimeTruth, rate: NDArray, record: NDArray, time: NDArray) -> NDArray[np.float64]:
    """Integral of a rate by regime from the start of the record to each time."""
    owner = np.repeat(np.arange(len(truth.offsets) - 1), np.diff(truth.offsets))
    end = np.append(truth.begin[1:], 0.0)
    is_last = np.diff(owner, append=-1) != 0
    whole = np.cumsum(np.where(is_last, 0.0, rate[truth.regime] * (end - truth.begin)))
    before = np.concatenate([[0.0], whole[:-1]])  # up to the beginning of each stay, over all records
    stay = np.searchsorted(owner + 1j * truth.begin, record + 1j * time, side="right") - 1
    past = before[stay] - before[truth.offsets[:-1]][record]
    return past + rate[truth.regime[stay]] * (time - truth.begin[stay])
