"""Latency and memory of a session over a long stream: ``python benchmarks/streaming/stream.py --json OUT``."""

import argparse
import json
import platform
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cndts import Extrapolation
from cndts.datasets import make_icu
from cndts.estimators import HybridMemoryForecaster
from cndts.streaming import Session
from cndts.training import Training


def main() -> None:
    """Fit a model of default size, stream, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument(
        "--probes", type=int, default=200, help="observe-predict pairs that are timed at each checkpoint"
    )
    parser.add_argument("--members", type=int, default=2, help="networks in the ensemble")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, required=True, help="where to write the result")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = fitted(arguments.members)
    session = model.session()
    probe(session, stream(arguments.probes, 0, session), arguments.probes)  # warms up
    session, checkpoints, done = model.session(), [], 0
    for target in targets(arguments.events):
        observed = observe_all(session, stream(target - done, done, session))
        checkpoint = probe(session, stream(arguments.probes, target, session), arguments.probes)
        checkpoints.append({"events": session.n_events, "observe only": observed} | checkpoint)
        done = target
    result = {
        "threads": arguments.threads,
        "members": arguments.members,
        "channels": len(session.channels),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "bulk": bulk(model, min(arguments.events, 100_000)),
        "fork": microseconds(seconds_of(session.fork) for _ in range(arguments.probes)),
        "checkpoints": checkpoints,
    }
    arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def fitted(members: int) -> HybridMemoryForecaster:
    """Default sizes; what the weights are does not matter for the time."""
    X, y = Extrapolation(observe=24, horizon=24).split(make_icu(40, random_state=0))
    return HybridMemoryForecaster(training=Training(epochs=1, members=members), random_state=0).fit(X, y)


def targets(n_events: int) -> list[int]:
    """10, 100, ... up to ``n_events``."""
    powers = [10**k for k in range(1, 12) if 10**k < n_events]
    return [*powers, n_events]


Events = list[tuple[float, str, float]]


def stream(n_events: int, seed: int, session: Session) -> Events:
    """Irregular events after the last one of a session, one in five at the time of its predecessor."""
    random = np.random.default_rng(seed)
    gaps = random.exponential(0.05, n_events) * (random.random(n_events) > 0.2)
    start = 0.0 if np.isnan(session.last_time) else session.last_time
    channel = np.array(session.channels)[random.integers(0, len(session.channels), n_events)]
    return list(
        zip((start + np.cumsum(gaps)).tolist(), channel.tolist(), random.normal(80, 20, n_events).tolist(), strict=True)
    )


def observe_all(session: Session, events: Events) -> dict[str, float]:
    """Observe one by one without asking; the rare slow calls write what waited."""
    timed = np.empty(len(events))
    for k, (at, channel, value) in enumerate(events):
        begin = time.perf_counter()
        session.observe(time=at, channel=channel, value=value)
        timed[k] = time.perf_counter() - begin
    return microseconds(timed)


def probe(session: Session, events: Events, n_probes: int) -> dict[str, Any]:
    """Ask after every observation, once more without news, and for all channels at ten times."""
    spent: dict[str, list[float]] = {"observe": [], "predict": [], "predict again": [], "predict all, ten times": []}
    channel = session.channels[0]
    for at, name, value in events[:n_probes]:
        calls: dict[str, Callable[[], object]] = {
            "observe": lambda at=at, name=name, value=value: session.observe(time=at, channel=name, value=value),
            "predict": lambda at=at: session.predict([at + 1.0], [channel]),
            "predict again": lambda at=at: session.predict([at + 2.0], [channel]),
            "predict all, ten times": lambda at=at: session.predict(at + np.arange(1.0, 11.0)),
        }
        for what, call in calls.items():
            spent[what].append(seconds_of(call))
    timings = {what: microseconds(values) for what, values in spent.items()}
    return timings | {"state bytes": session.state_bytes, "resident MB": resident_mb(), "peak MB": peak_mb()}


def bulk(model: HybridMemoryForecaster, n_events: int) -> dict[str, float]:
    """Microseconds an event where many are observed in one call."""
    session = model.session()
    at, channel, value = zip(*stream(n_events, 1, session), strict=True)
    seconds = seconds_of(lambda: session.observe(time=at, channel=channel, value=value))
    return {"events": n_events, "microseconds an event": round(1e6 * seconds / n_events, 2)}


def seconds_of(call: Callable[[], object]) -> float:
    """Wall time of one call."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def microseconds(seconds: Any) -> dict[str, float]:
    """Median, tails and mean."""
    values = 1e6 * np.fromiter(seconds, dtype=np.float64)
    shares = {"median": 50, "p95": 95, "p99": 99, "max": 100}
    found = {name: round(float(np.percentile(values, share)), 1) for name, share in shares.items()}
    return found | {"mean": round(float(values.mean()), 1)}


def resident_mb() -> float | None:
    """Resident memory now, where the system tells (Linux)."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return None
    line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmRSS"))
    return round(int(line.split()[1]) / 1024, 1)


def peak_mb() -> float:
    """Highest resident memory so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


if __name__ == "__main__":
    main()
