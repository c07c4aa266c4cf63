"""Seconds and memory to read each real data set on one core: ``OMP_NUM_THREADS=1 python benchmarks/reading/read_speed.py FOLDER``."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cndts import datasets
from cndts.benchmarking import versions
from cndts.benchmarking._resources import peak_mb, resident_mb, restart_peak

# name: reader, file below the folder, rows of the published text
SETS: dict[str, tuple[str, str, int]] = {
    "physionet2012 set a": ("read_physionet2012", "physionet2012/set-a.tar.gz", 1_757_980),
    "physionet2019, 2,000 records": (
        "read_physionet2019",
        "physionet2019/training_setB_p100001-p102000.tar.gz",
        76_725,
    ),
    "ghcn-daily hcn 1996-2000": ("read_ghcn_daily", "ushcn/ghcnd_hcn_1996-2000.tar.gz", 337_518),
    "ushcn legacy, Rhode Island": ("read_ushcn_legacy", "ushcn/ushcn_legacy_state37_RI.tar.gz", 12_950),
    "ticks eurusd, nzdusd": (
        "read_ticks",
        "fx_ticks_oanda/oanda_eurusd_nzdusd_tick_quotes_20140501-20140515.tar.gz",
        990_602,
    ),
    "ticks, a million generated": ("read_ticks", "", 1_000_000),
    "batteryless room 1": ("read_batteryless", "sensor_batteryless/S1_Dataset.tar.gz", 52_482),
    "beijing air": ("read_beijing_air", "sensor_beijing_air/PRSA_Data_20130301-20170228.tar.gz", 420_768),
    "uci air quality": ("read_air_quality", "sensor_airquality_uci/AirQualityUCI.csv", 9_357),
}


def main() -> None:
    """Measure every set in a process of its own, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of the data, laid out as SETS says")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="where to write the result; stdout without")
    parser.add_argument("--only", help="one of the sets, measured in this process")
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(measure(arguments.only, arguments.folder, arguments.rounds)))
        return
    results = {}
    for name in SETS:
        if not (arguments.folder / SETS[name][1]).exists():
            continue
        command = [sys.executable, __file__, str(arguments.folder), "--only", name, "--rounds", str(arguments.rounds)]
        results[name] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(f"{name:<30} {results[name]}", file=sys.stderr)
    text = json.dumps({"versions": versions(), "load": os.getloadavg()[0], "sets": results}, indent=1)
    if arguments.json is None:
        print(text)
    else:
        arguments.json.write_text(text + "\n", encoding="utf-8")


def measure(name: str, folder: Path, rounds: int) -> dict[str, Any]:
    """Best processor and wall-clock seconds of the rounds, and the memory of the first."""
    reader, file, rows = SETS[name]
    read: Callable[..., Any] = getattr(datasets, reader)
    options = {"cache": False} if reader == "read_physionet2012" else {}
    with tempfile.TemporaryDirectory() as made:
        path = folder / file if file else generated_ticks(Path(made), rows)
        size = path.stat().st_size
        before = resident_mb()
        restart_peak()
        processor, wall = [], []
        for each in range(rounds):
            start = time.process_time(), time.perf_counter()
            panel = read(path, **options)
            processor.append(time.process_time() - start[0])
            wall.append(time.perf_counter() - start[1])
            if each == 0:
                peak = peak_mb()
    return {
        "rows": rows,
        "events": panel.n_events,
        "file_mb": round(size / 1e6, 1),
        "processor_seconds": round(min(processor), 3),
        "wall_seconds": round(min(wall), 3),
        "rows_per_second": round(rows / min(processor)),
        "events_per_second": round(panel.n_events / min(processor)),
        "peak_mb": round(peak - before),
        "panel_mb": round(panel.n_events * 16 / 1e6),
    }


def generated_ticks(folder: Path, rows: int) -> Path:
    """A day of quotes at random milliseconds."""
    random = np.random.default_rng(0)
    times = np.sort(random.integers(0, 86_400_000, rows)).tolist()
    bids = (1.38 + 0.01 * random.standard_normal(rows)).tolist()
    path = folder / "20140501_eurusd_tick_quote.csv"
    path.write_text("".join(f"{t},{bid:.5f},{bid + 0.0001:.5f}\n" for t, bid in zip(times, bids, strict=True)))
    return path


if __name__ == "__main__":
    main()
