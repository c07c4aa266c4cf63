"""What each part of the model is worth on real data: ``python benchmarks/ablation/ablation.py TASK --data PATH ...``."""

import argparse
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tasks import TASKS

from cndts import Targets
from cndts.benchmarking import reference_means, run_jobs, score_skill, versions
from cndts.benchmarking._exchange import read_task, write_arrays, write_json, write_task
from cndts.estimators import HybridMemoryForecaster
from cndts.metrics import mean_absolute_error, mean_squared_error, paired_bootstrap

PARTS = ("train", "validation", "test")
VARIANTS: dict[str, dict[str, Any]] = {
    "full": {},
    "no working memory": {"memory__window": 0},
    "no long-term memory": {"memory__timescales": 0},
    "no episodic memory": {"memory__episodic_slots": 0},
    "no write gate": {"memory__write_gate": False},
    "no read gate": {"memory__read_gate": False},
    "no forget gate": {"memory__forget_gate": False},
    "no second round": {"memory__second_round": False},
    "direct decoding": {"solver__method": "direct"},
    "no attention over channels": {"layers": 0},
    "no augmentation": {"training__cut_share": 0.0},
    "oscillating long-term memory": {"memory__long_term": "oscillating"},
    "Legendre long-term memory": {"memory__long_term": "legendre"},
}
# Passes over the training records: some hundred steps, one to two minutes of one core for each fit.
EPOCHS = {"physionet2012": 8, "ushcn": 15, "batteryless": 10}
METRICS = ("mae", "mse", "skill")


def main() -> None:
    """Fit what is missing, compare with the full model, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=list(TASKS))
    parser.add_argument("--data", nargs="+", help="the publisher's files; needed for the first run in a folder")
    parser.add_argument("--folder", required=True, help="predictions and finished fits; a run goes on there")
    parser.add_argument("--json", required=True, help="comparison, written after the fits and read by --table")
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, help="passes over the training records; by default a budget by task")
    parser.add_argument("--jobs", type=int, default=1, help="processes of one thread each; 0 works in this one")
    parser.add_argument("--part", choices=PARTS[1:], default="validation", help="records to compare on")
    parser.add_argument("--table", action="store_true", help="print the table of --json, and fit nothing")
    arguments = parser.parse_args()
    if not arguments.table:
        folder = Path(arguments.folder) / arguments.task
        prepare(folder, arguments.task, arguments.data)
        lines = run_jobs(
            partial(fit, folder), planned(arguments), folder / "fits.jsonl", parallel=arguments.jobs, progress=tell
        )
        write_json(Path(arguments.json), compare(folder, arguments.task, arguments.part, lines))
    print(table(json.loads(Path(arguments.json).read_text(encoding="utf-8"))))


def prepare(folder: Path, task: str, data: list[str] | None) -> None:
    """Read and split the data once; every fit reads arrays."""
    if all((folder / f"{part}.npz").exists() for part in PARTS):
        return
    if not data:
        raise SystemExit(f"{folder} holds no data yet: name the publisher's files with --data.")
    (folder / "predictions").mkdir(parents=True, exist_ok=True)
    for part, (X, y) in zip(PARTS, TASKS[task](data), strict=True):
        write_task(folder / f"{part}.npz", X, y)


def planned(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """One job for each seed and variant: a whole row of variants before the next seed."""
    common = {"task": arguments.task, "epochs": arguments.epochs or EPOCHS[arguments.task]}
    return [{**common, "seed": seed, "variant": variant} for seed in arguments.seeds for variant in arguments.variants]


def fit(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Fit one variant with one seed; its predictions go into the folder."""
    train, validation, test = (read_task(folder / f"{part}.npz") for part in PARTS)
    model = HybridMemoryForecaster(random_state=job["seed"])
    model.set_params(training__members=1, training__epochs=job["epochs"], **VARIANTS[job["variant"]])
    start = time.process_time()  # of this process alone, whatever else runs
    model.fit(*train, X_val=validation[0], y_val=validation[1])
    seconds = time.process_time() - start
    predicted = {"validation": model.predict(validation[0]).value, "test": model.predict(test[0]).value}
    write_arrays(predictions_file(folder, job), **predicted)
    mae = mean_absolute_error(validation[1], predicted["validation"], average="channel")
    return {"validation_mae": mae, "fit_seconds": seconds, "parameters": n_parameters(model)}


def n_parameters(model: HybridMemoryForecaster) -> int:
    """Weights of the network."""
    return sum(weight.numel() for weight in model.network_.parameters())


def predictions_file(folder: Path, job: dict[str, Any]) -> Path:
    """Where the predictions of a fit lie."""
    return folder / "predictions" / f"{job['variant'].replace(' ', '-')}-{job['seed']}-{job['epochs']}.npz"


def tell(line: dict[str, Any]) -> None:
    """One line a finished fit."""
    print(f"{line['variant']}, seed {line['seed']}: {line['fit_seconds']:.0f} s", flush=True)


def compare(folder: Path, task: str, part: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Scores of every variant on one part, and its differences to the full model."""
    means = reference_means(read_task(folder / "train.npz")[1])
    X, y = read_task(folder / f"{part}.npz")
    found: dict[str, list[NDArray[np.float64]]] = {}
    for line in lines:
        with np.load(predictions_file(folder, line)) as file:
            found.setdefault(line["variant"], []).append(file[part])
    rows = []
    for variant, seeds in found.items():
        row = {"variant": variant, "seeds": len(seeds), "scores": scores(y, seeds, means)}
        row |= {name: typical(lines, variant, name) for name in ("fit_seconds", "parameters")}
        if variant != "full" and "full" in found:
            row["minus_full"] = {name: difference(y, seeds, found["full"], means, name) for name in METRICS}
        rows.append(row)
    sizes = {"records": len(X), "events": X.n_events, "targets": len(y.value), "channels": len(X.channels)}
    return {"task": task, "part": part, **sizes, "epochs": lines[0]["epochs"], "versions": versions(), "rows": rows}


def typical(lines: list[dict[str, Any]], variant: str, name: str) -> float:
    """Mean over the fits of a variant."""
    return round(float(np.mean([line[name] for line in lines if line["variant"] == variant])), 1)


def scores(y: Targets, seeds: list[NDArray[np.float64]], means: NDArray[np.float64]) -> dict[str, list[float]]:
    """Macro errors and mean skill, by seed."""
    return {
        "mae": [mean_absolute_error(y, value, average="channel") for value in seeds],
        "mse": [mean_squared_error(y, value, average="channel") for value in seeds],
        "skill": [score_skill(y, value, means) for value in seeds],
    }


def difference(
    y: Targets, seeds: list[NDArray], full: list[NDArray], means: NDArray[np.float64], metric: Any
) -> dict[str, float]:
    """Score minus that of the full model, with a 95 % interval from resampling records.

    Losses are averaged over seeds before records are drawn: the interval is about records, not about seeds.
    """
    return vars(paired_bootstrap(y, seeds, full, metric=metric, means=means))


def table(result: dict[str, Any]) -> str:
    """Markdown: scores, and differences to the full model in their third digit; bold where the interval excludes zero."""
    head = ["variant", "MAE", "MSE", "skill", "MAE minus full, 1e-3", "skill minus full, 1e-3", "CPU seconds of a fit"]
    rows = [head, ["---"] * len(head)]
    for row in result["rows"]:
        values = [_mean(row["scores"][name]) for name in METRICS]
        against = [_against(row.get("minus_full", {}).get(name)) for name in ("mae", "skill")]
        rows.append([row["variant"], *values, *against, f"{row['fit_seconds']:.0f}"])
    seeds = sorted({row["seeds"] for row in result["rows"]})
    title = (
        f"{result['task']}, {result['part']} records, {result['epochs']} epochs, seeds: {', '.join(map(str, seeds))}"
    )
    return title + "\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _mean(values: list[float]) -> str:
    digits = 4 if np.mean(values) >= 0.1 else 5
    spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread}"


def _against(found: dict[str, float] | None) -> str:
    if found is None:
        return ""
    text = f"{1e3 * found['difference']:+.2f} [{1e3 * found['low']:+.2f}, {1e3 * found['high']:+.2f}]"
    return f"**{text}**" if found["low"] * found["high"] > 0 else text


if __name__ == "__main__":
    main()
