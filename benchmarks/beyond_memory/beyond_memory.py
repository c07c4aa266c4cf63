"""Memory and speed of training on a panel that lies on disk: ``python benchmarks/beyond_memory/beyond_memory.py --json OUT``."""

import argparse
import json
import multiprocessing
import platform
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cndts import Extrapolation, IrregularPanel, ParquetPanel
from cndts.datasets import make_oscillators
from cndts.estimators import HybridMemoryForecaster
from cndts.training import Training

N_CHANNELS, N_OBSERVATIONS, RECORDS_PER_SHARD = 4, 125, 1000
TASK = Extrapolation(observe=7.5, horizon=2.5)


def main() -> None:
    """Write, read through, train; each in a process of its own, so that memory is its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=float, default=1e7)
    parser.add_argument("--events-in-memory", type=int, default=1_000_000)
    parser.add_argument("--records-per-epoch", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the panel is written; a temporary folder by default")
    parser.add_argument("--json", type=Path, required=True, help="where to write the result")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        path = (arguments.folder or Path(temporary)) / f"oscillators-{arguments.events:.0e}.parquet"
        result = {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "events in memory": arguments.events_in_memory,
            "write": apart(write, path, arguments),
            "read": apart(read, path, arguments),
            "train": apart(train, path, arguments),
        }
    arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def apart(step: Any, path: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """What a step reports, from a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measured, (step, path, arguments))


def measured(step: Any, path: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """Run a step; add its seconds and the resident memory before and at its peak."""
    torch.set_num_threads(arguments.threads)
    before, start, work = peak(), time.perf_counter(), time.process_time()
    report = step(path, arguments)
    times = {"seconds": time.perf_counter() - start, "processor seconds": time.process_time() - work}
    return report | times | {"resident MB before": before, "resident MB at most": peak()}


def peak() -> float:
    """Largest resident memory so far, in MB (Linux counts in kB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def write(path: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """Generate and write one shard after the other; keep a file that is there."""
    if not path.exists():
        ParquetPanel.write(path, shards(arguments.events), ignore_records=True)
    source = ParquetPanel(path)
    return {
        "events": source.n_events,
        "records": len(source),
        "shards": source.n_shards,
        "MB": path.stat().st_size / 1e6,
    }


def shards(n_events: float) -> Iterator[IrregularPanel]:
    """About so many events of oscillators."""
    for seed in range(round(n_events / (N_CHANNELS * N_OBSERVATIONS * RECORDS_PER_SHARD))):
        yield make_oscillators(
            RECORDS_PER_SHARD, n_channels=N_CHANNELS, n_observations=N_OBSERVATIONS, random_state=seed
        )


def read(path: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """Read all shards in random order, one at a time."""
    return {"events": sum(shard.n_events for shard in ParquetPanel(path).shards(random_state=0))}


def train(path: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """Fit one network of default size from disk; score it on records of its own."""
    source = ParquetPanel(path)
    n_records = min(arguments.records_per_epoch, len(source))
    training = Training(epochs=arguments.epochs, members=1, batch_size=64, patience=None)
    model = HybridMemoryForecaster(training=training, random_state=0).fit_stream(
        source, TASK, records_per_epoch=n_records, events_in_memory=arguments.events_in_memory
    )
    new = make_oscillators(200, n_channels=N_CHANNELS, n_observations=N_OBSERVATIONS, random_state=10**6)
    drawn = arguments.epochs * n_records * N_CHANNELS * N_OBSERVATIONS
    losses = [epoch["train_loss"] for epoch in model.fit_results_[0].history]
    return {
        "events drawn": drawn,
        "skill on new records": model.score(*TASK.split(new)),
        "last loss": float(np.array(losses)[-1]),
    }


if __name__ == "__main__":
    main()
