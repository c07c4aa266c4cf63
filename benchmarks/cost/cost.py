"""What training, forecasts and long records cost: ``python benchmarks/cost/cost.py --json cost.json --plot cost.png``."""

import argparse
import json
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

from lengths import measure_length, slope
from parts import measure_parts

from cndts.benchmarking import run_jobs, versions
from cndts.datasets import make_icu, read_physionet2012

FORECAST = (100, 1_000, 10_000, 100_000, 1_000_000)
TRAIN = (100, 1_000, 10_000, 100_000, 300_000)
# Below this a record is so short that the fixed cost of a call rules.
LONG = 10_000


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="*", help="archives of PhysioNet 2012; by default simulated stays")
    parser.add_argument("--json", required=True, help="file of results")
    parser.add_argument("--plot", help="picture of cost against events (PNG or SVG)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--longest", type=int, default=max(FORECAST), help="events of the longest record")
    arguments = parser.parse_args()
    result = measure(arguments)
    Path(arguments.json).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    if arguments.plot:
        draw(result, arguments.plot)


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Parts first, since the processes that measure lengths would disturb them."""
    panel = read_physionet2012(arguments.data)[:200] if arguments.data else make_icu(200, random_state=0)
    return {
        "machine": {"cores": os.cpu_count(), "processor": platform.machine(), "versions": versions()},
        "data": "PhysioNet 2012" if arguments.data else "simulated stays",
        "parts": measure_parts(panel, arguments.threads, arguments.rounds),
        **measure_lengths(arguments.longest, arguments.threads),
    }


def measure_lengths(longest: int, threads: int) -> dict[str, Any]:
    """Every length in a process of its own, so that memory is its own."""
    plan = {"forecast": FORECAST, "train": TRAIN}
    jobs = [
        {"work": work, "events": events, "threads": threads}
        for work, lengths in plan.items()
        for events in lengths
        if events <= longest
    ]
    with tempfile.TemporaryDirectory() as folder:
        lines = run_jobs(measure_length, jobs, Path(folder) / "lengths.jsonl", parallel=1, threads=threads)
    return {"lengths": lines, "slopes": {work: slopes(lines, work) for work in plan}}


def slopes(lines: list[dict[str, Any]], work: str) -> dict[str, float]:
    """Slopes over all lengths, over the long ones, and of the last step."""
    points = [(line["events"], line["seconds"]) for line in lines if line["work"] == work]
    chosen = {"all": points, "long": [point for point in points if point[0] >= LONG], "last": points[-2:]}
    return {name: round(slope(*zip(*part, strict=True)), 3) for name, part in chosen.items() if len(part) > 1}


def draw(result: dict[str, Any], path: str) -> None:
    """Seconds against events, both logarithmic."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3.5), layout="constrained")
    axes = figure.add_subplot()
    for work, label in (("forecast", "forecast"), ("train", "gradient step")):
        points = [(line["events"], line["seconds"]) for line in result["lengths"] if line["work"] == work]
        axes.loglog(*zip(*points, strict=True), marker="o", label=label)
    last_events, last_seconds = next((e, s) for e, s in reversed(points))
    axes.loglog([LONG, last_events], [last_seconds * LONG / last_events, last_seconds], "k:", label="slope 1")
    axes.set(xlabel="events in the record", ylabel="seconds")
    axes.legend()
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    main()
