"""Seconds to read PhysioNet 2012, cold and from the cache: ``OMP_NUM_THREADS=1 python benchmarks/physionet2012/read_speed.py DATA``."""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable

from cndts.datasets import read_physionet2012


def main() -> None:
    """Measure and print as JSON: medians of the rounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+", help="archives or folders of PhysioNet 2012")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        n_events = read_physionet2012(arguments.data, cache=cache).n_events
        cold = median(lambda: read_physionet2012(arguments.data, cache=False), arguments.rounds)
        cached = median(lambda: read_physionet2012(arguments.data, cache=cache), arguments.rounds)
    print(json.dumps({"events": n_events, "cold_seconds": cold, "cached_seconds": cached}, indent=2))


def median(read: Callable[[], object], rounds: int) -> float:
    """Median wall-clock seconds of a call."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        read()
        seconds.append(time.perf_counter() - start)
    return round(statistics.median(seconds), 3)


if __name__ == "__main__":
    main()
