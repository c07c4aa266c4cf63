"""What one record costs, from a hundred events to a million."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from parts import clock, make_network

from cndts import IrregularPanel, Queries, Targets
from cndts.batching import EventStore
from cndts.benchmarking._resources import peak_mb, resident_mb, restart_peak
from cndts.dynamics import Solver
from cndts.scaling import Scaling
from cndts.training import Network, Samples

N_CHANNELS, N_QUERIES = 2, 20
LEAST_ROUNDS, MOST_ROUNDS, ENOUGH_SECONDS = 3, 9, 2.0


def measure_length(job: dict[str, Any]) -> dict[str, Any]:
    """Seconds and memory of one record, forecast or trained on; a job for a process of its own.

    Parameters
    ----------
    job : dict
        ``events``, ``threads`` and ``work``, which is ``"forecast"`` or ``"train"``.
    """
    torch.set_num_threads(job["threads"])
    torch.manual_seed(0)
    run_once(2_000, job["work"])  # libraries load, and kernels are chosen
    before = resident_mb()
    restart_peak()
    seconds = [run_once(job["events"], job["work"])]
    peak = peak_mb() - before
    while len(seconds) < LEAST_ROUNDS or (sum(seconds) < ENOUGH_SECONDS and len(seconds) < MOST_ROUNDS):
        seconds.append(run_once(job["events"], job["work"]))
    return {"seconds": float(np.median(seconds)), "rounds": len(seconds), "peak_mb": peak}


def run_once(n_events: int, work: str) -> float:
    """Seconds of one record: from its panel to forecasts, or from a packed store to gradients of all weights."""
    X, y = one_record(n_events)
    scaling, network = Scaling.fit(X, y), make_network(N_CHANNELS, 0, Solver())
    answer = partial(forecast, network, X, scaling)
    if work == "train":
        answer = partial(train, network, Samples(X, y, scaling, np.zeros((1, 0)), channel_balance=0.5))
    now = clock(torch.get_num_threads())
    start = now()
    answer()
    return now() - start


@torch.no_grad()
def forecast(network: Network, X: IrregularPanel, scaling: Scaling) -> None:
    """Sort and pack the record, encode it and answer its queries, as ``predict`` does."""
    store = EventStore(X, scaling, np.zeros((1, 0)))
    network.eval()(store.batch(np.array([0]), X.queries))


def train(network: Network, samples: Samples) -> None:
    """Batch, loss and gradients of the record."""
    sample = next(samples.ordered(1))
    network.loss(network(sample.batch), sample.value, sample.weight, 2.0).backward()


def one_record(n_events: int) -> tuple[IrregularPanel, Targets]:
    """Two random walks, observed at their own times, and questions about what comes after."""
    rng = np.random.default_rng(n_events)
    time_, channel = np.sort(rng.uniform(0, n_events, n_events)), rng.integers(0, N_CHANNELS, n_events)
    value = rng.standard_normal(n_events).cumsum() / np.sqrt(n_events)
    asked = n_events + np.sort(rng.uniform(0, 50, N_QUERIES))
    queries = Queries([0, N_QUERIES], asked, rng.integers(0, N_CHANNELS, N_QUERIES))
    X = IrregularPanel([0, n_events], time_, channel, value, queries=queries)
    return X, Targets(queries, rng.standard_normal(N_QUERIES), X.records, X.channels)


def slope(events: Sequence[float], seconds: Sequence[float]) -> float:
    """Slope of the logarithm of seconds over that of events, by least squares."""
    return float(np.polyfit(np.log(events), np.log(seconds), 1)[0])
