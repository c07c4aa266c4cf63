"""The kinds of recall tasks: where the evidence lies among the distractors, and what is asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# uniform on (-SPREAD, SPREAD) has variance 1 and never reaches a salient value
SPREAD = np.sqrt(3.0)
SALIENT = (3.0, 5.0)
KEYS = np.array([-6.0, -5.0, -4.0, -3.0, 3.0, 4.0, 5.0, 6.0])
LEVEL_NOISE = 3.0
WINDOW = np.array([-0.5, 0.5, -0.5, 0.5])
LEAD_IN = 10
LEAST_SINCE_RESET = 10

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RecallEvents:
    """Events of records of equal length, one row a record.

    Parameters
    ----------
    value, channel : ndarray of shape (n_records, n_events)
    visit : ndarray of shape (n_records, n_events)
        Position of the time stamp of each event.
    channels : tuple of str
    asked : int
        Channel of the answer.
    answer, best : ndarray of shape (n_records,)
        The answer, and its expectation given the events.
    best_error, blind_error : float
    evidence : ndarray of int, shape (n_records, n_evidence)
        Positions within a record that the answer depends on.
    """

    value: NDArray[np.float64]
    channel: NDArray[np.int8]
    visit: NDArray[np.int64]
    channels: tuple[str, ...]
    asked: int
    answer: NDArray[np.float64]
    best: NDArray[np.float64]
    best_error: float
    blind_error: float
    evidence: Rows


def cue(n_records: int, n_events: int, rng: np.random.Generator) -> RecallEvents:
    """One salient value among ordinary ones of the same channel."""
    value, at = _distracted(n_records, n_events, rng)
    answer = rng.uniform(*SALIENT, n_records) * rng.choice([-1.0, 1.0], n_records)
    value[np.arange(n_records), at] = answer
    low, high = SALIENT
    variance = (low**2 + low * high + high**2) / 3
    return _one_channel(value, answer, answer, 0.0, variance, at[:, None])


def cue_channel(n_records: int, n_events: int, rng: np.random.Generator) -> RecallEvents:
    """One ordinary value in a channel of its own."""
    value, at = _distracted(n_records, n_events, rng)
    record = np.arange(n_records)
    channel = np.zeros(value.shape, dtype=np.int8)
    channel[record, at] = 1
    answer = value[record, at]
    return RecallEvents(value, channel, _each_alone(value), ("x", "cue"), 0, answer, answer, 0.0, 1.0, at[:, None])


def window(n_records: int, n_events: int, rng: np.random.Generator) -> RecallEvents:
    """Half the alternating sum of the last four values."""
    n_last = len(WINDOW)
    if n_events < n_last:
        raise ValueError(f'kind="window" asks about the last {n_last} events; got n_events={n_events}.')
    value = _ordinary((n_records, n_events), rng)
    answer = value[:, -n_last:].astype(np.float32).astype(np.float64) @ WINDOW
    evidence = np.broadcast_to(np.arange(n_events - n_last, n_events), (n_records, n_last))
    return _one_channel(value, answer, answer, 0.0, float(WINDOW @ WINDOW), evidence)


def level(n_records: int, n_events: int, rng: np.random.Generator) -> RecallEvents:
    """The level of a record, of which every event tells a little."""
    answer = rng.standard_normal(n_records)
    value = answer[:, None] + LEVEL_NOISE * rng.standard_normal((n_records, n_events))
    best = value.sum(axis=1) / (n_events + LEVEL_NOISE**2)
    error = LEVEL_NOISE**2 / (n_events + LEVEL_NOISE**2)
    evidence = np.broadcast_to(np.arange(n_events), (n_records, n_events))
    return _one_channel(value, answer, best, error, 1.0, evidence)


def reset(n_records: int, n_events: int, rng: np.random.Generator) -> RecallEvents:
    """A level, drawn anew at a time that an event in a channel of its own tells."""
    shortest = min(LEAST_SINCE_RESET, n_events)
    since = np.exp(rng.uniform(np.log(shortest), np.log(n_events + 1), n_records)).astype(np.int64)
    since = since.clip(shortest, n_events)  # exp undoes log but for rounding
    n_visits = LEAD_IN + n_events
    visits = np.arange(n_visits)
    is_new = visits >= n_visits - since[:, None]
    levels = rng.standard_normal((2, n_records, 1))
    seen = np.where(is_new, levels[1], levels[0]) + rng.standard_normal((n_records, n_visits))
    # The announcement comes at the first visit of the new level, as an event of its own.
    visit = np.sort(np.column_stack([np.tile(visits, (n_records, 1)), n_visits - since]), axis=1)
    is_told = np.zeros(visit.shape, dtype=bool)
    is_told[:, 1:] = visit[:, 1:] == visit[:, :-1]
    value = np.where(is_told, _ordinary(visit.shape, rng), np.take_along_axis(seen, visit, axis=1))
    best = (seen * is_new).sum(axis=1) / (since + 1)
    error = float(np.mean(1 / (since + 1))) if n_records else 0.0
    told = np.argmax(is_told, axis=1)[:, None]
    return RecallEvents(value, is_told.astype(np.int8), visit, ("x", "new"), 0, levels[1, :, 0], best, error, 1.0, told)


def key(n_records: int, n_events: int, rng: np.random.Generator, n_pairs: int) -> RecallEvents:
    """Early pairs of a key and a value; at the end one key comes again."""
    if not 1 <= n_pairs <= len(KEYS):
        raise ValueError(f"n_pairs must lie between 1 and {len(KEYS)}, the number of different keys; got {n_pairs}.")
    n_visits = LEAD_IN + n_pairs + n_events + 1
    early = np.argsort(rng.random((n_records, LEAD_IN + n_pairs)), axis=1)
    is_pair = np.zeros((n_records, n_visits), dtype=bool)
    np.put_along_axis(is_pair, early[:, :n_pairs], True, axis=1)
    n_rows = n_visits + n_pairs
    visit = np.repeat(np.tile(np.arange(n_visits), n_records), 1 + is_pair.ravel()).reshape(n_records, n_rows)

    # the first event of a pair is its key, the second its value
    value = _ordinary((n_records, n_rows), rng)
    channel = rng.integers(0, 2, (n_records, n_rows), dtype=np.int8)
    is_value = np.zeros((n_records, n_rows), dtype=bool)
    is_value[:, 1:] = visit[:, 1:] == visit[:, :-1]
    at = np.nonzero(is_value)[1].reshape(n_records, n_pairs)
    record = np.arange(n_records)
    keys = KEYS[np.argsort(rng.random((n_records, len(KEYS))), axis=1)[:, :n_pairs]]
    np.put_along_axis(value, at - 1, keys, axis=1)
    np.put_along_axis(channel, at - 1, np.int8(0), axis=1)
    np.put_along_axis(channel, at, np.int8(1), axis=1)
    named = rng.integers(0, n_pairs, n_records)
    value[:, -1], channel[:, -1] = keys[record, named], 0
    answer = value[record, at[record, named]]
    evidence = np.stack([at[record, named] - 1, at[record, named], np.full(n_records, n_rows - 1)], axis=1)
    return RecallEvents(value, channel, visit, ("key", "value"), 1, answer, answer, 0.0, 1.0, evidence)


def _ordinary(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.uniform(-SPREAD, SPREAD, shape)


def _distracted(n_records: int, n_events: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], Rows]:
    """Ordinary values, and the early position of the cue with at least ``n_events`` events after it."""
    return _ordinary((n_records, LEAD_IN + 1 + n_events), rng), rng.integers(0, LEAD_IN + 1, n_records)


def _each_alone(value: NDArray[np.float64]) -> Rows:
    return np.broadcast_to(np.arange(value.shape[1]), value.shape)


def _one_channel(
    value: NDArray[np.float64],
    answer: NDArray[np.float64],
    best: NDArray[np.float64],
    best_error: float,
    blind_error: float,
    evidence: Rows,
) -> RecallEvents:
    channel = np.zeros(value.shape, dtype=np.int8)
    return RecallEvents(value, channel, _each_alone(value), ("x",), 0, answer, best, best_error, blind_error, evidence)
