"""Models on six real data sets: ``python benchmarks/fields/fields.py DATA --data PATH ... --folder FOLDER --json OUT``."""

import argparse
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from data import FIELDS, Parts, interpolation, some
from numpy.typing import NDArray

from cndts import IrregularPanel, Targets
from cndts.benchmarking import (
    compare_models,
    make_model,
    reference_means,
    run_jobs,
    score_distribution,
    score_skill,
    versions,
)
from cndts.benchmarking._exchange import read_task, write_arrays, write_json, write_task
from cndts.cli._settings import parse_setting
from cndts.metrics import by_distance, gap_widths, mean_absolute_error, mean_squared_error

PARTS = ("train", "validation", "test")
MODELS = {
    "extrapolation": (
        *("hybrid-memory", "gru-d", "latent-ode", "boosted-trees", "ridge"),
        *("decay-to-mean", "linear-interpolation", "last-value", "channel-mean"),
    ),
    "interpolation": (
        *("hybrid-memory-interpolator", "gru-d-interpolator", "latent-ode-interpolator", "boosted-trees-interpolator"),
        *("ornstein-uhlenbeck-interpolator", "linear-interpolator", "nearest-interpolator"),
    ),
}
SUFFIX = {"extrapolation": "", "interpolation": "-interpolator"}
LEVELS = np.round(np.arange(0.05, 1.0, 0.05), 2)


def main() -> None:
    """Fit what is missing, compare the first model with the others, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("field", choices=list(FIELDS))
    parser.add_argument("--data", nargs="+", help="the publisher's files; needed for the first run in a folder")
    parser.add_argument("--folder", required=True, help="predictions and finished fits; a run goes on there")
    parser.add_argument(
        "--json", required=True, help="scores and comparisons, written after the fits and read by --table"
    )
    parser.add_argument("--tasks", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument(
        "--models", nargs="+", help="by default all that fit the task; the first is compared with the others"
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="for models that have any use for them")
    parser.add_argument(
        "--epochs",
        nargs="+",
        default=[],
        help="passes over the training records, for all neural models (12) or one (latent-ode=4); by default their own number",
    )
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="other settings of neural models, as training__cut_share=0",
    )
    parser.add_argument("--members", type=int, help="networks of a neural model; by default its own number")
    parser.add_argument("--limit", type=int, help="so many records of each part, for a quick look")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time; 0 works in this one")
    parser.add_argument(
        "--threads",
        type=int,
        default=1,
        help="threads of each process; with more than one, members may train in processes whose seconds are not counted",
    )
    parser.add_argument("--resamples", type=int, default=1000, help="of the bootstrap over test records")
    parser.add_argument("--table", action="store_true", help="print the tables of --json, and fit nothing")
    given = parser.parse_args()
    if not given.table:
        folder = Path(given.folder) / (given.field if given.limit is None else f"{given.field}-{given.limit}")
        prepare(folder, given.field, given.data, given.limit)
        jobs = [job for task in given.tasks for job in planned(given, task)]
        lines = run_jobs(
            partial(fit, folder), jobs, folder / "fits.jsonl", parallel=given.jobs, threads=given.threads, progress=tell
        )
        result = {"field": given.field, "limit": given.limit, "threads": given.threads, "versions": versions()}
        result["tasks"] = [compare(folder, task, lines, given.resamples) for task in given.tasks]
        write_json(Path(given.json), result)
    print(table(json.loads(Path(given.json).read_text(encoding="utf-8"))))


def prepare(folder: Path, field: str, data: list[str] | None, limit: int | None) -> None:
    """Read, cut and split the data once; every fit reads arrays."""
    if all((folder / task / f"{part}.npz").exists() for task in MODELS for part in PARTS):
        return
    if not data:
        raise SystemExit(f"{folder} holds no data yet: name the publisher's files with --data.")
    parts = Parts(*(some(part, limit) for part in FIELDS[field].parts(data)))
    for task, cut in (("extrapolation", parts), ("interpolation", interpolation(parts))):
        (folder / task / "predictions").mkdir(parents=True, exist_ok=True)
        for part, (X, y) in zip(PARTS, cut, strict=True):
            write_task(folder / task / f"{part}.npz", X, y)


def planned(given: argparse.Namespace, task: str) -> list[dict[str, Any]]:
    """One job for each model and seed; a model without randomness is fitted once."""
    models = [model for model in given.models or MODELS[task] if model in MODELS[task]]
    jobs = []
    for seed in given.seeds:
        for model in models:
            is_random = "random_state" in settings_of(model)
            if is_random or seed == given.seeds[0]:
                jobs.append({"task": task, "model": model, "seed": seed} | budget(model, given))
    return jobs


def settings_of(model: str) -> set[str]:
    """Names of a model's parameters."""
    return set(make_model(model).get_params(deep=False))


def budget(model: str, given: argparse.Namespace) -> dict[str, Any]:
    """What tells fits of a neural model apart; others are the same whatever is given."""
    if "training" not in settings_of(model):
        return {}
    return {"epochs": epochs_of(model, given.epochs), "members": given.members, "set": given.set}


def epochs_of(model: str, given: list[str]) -> int | None:
    """The number for this model, or that for all; None where neither is given."""
    found = dict(text.split("=") if "=" in text else ("", text) for text in given)
    number = found.get(model, found.get(""))
    return None if number is None else int(number)


def fit(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Fit one model with one seed and score it on the test records, which it predicts once."""
    train, validation, test = (read_task(folder / job["task"] / f"{part}.npz") for part in PARTS)
    model = make_model(job["model"], random_state=job["seed"])
    sizes = {f"training__{name}": job[name] for name in ("epochs", "members") if job.get(name) is not None}
    model.set_params(**sizes, **dict(map(parse_setting, job.get("set", []))))
    start = time.process_time()  # of this process alone, whatever else runs
    model.fit(*train, X_val=validation[0], y_val=validation[1])
    fitted = time.process_time()
    value = np.asarray(model.predict(test[0]), dtype=np.float64)
    predicted = time.process_time()
    quantiles = model.predict_quantiles(test[0], list(LEVELS))
    write_arrays(predictions_file(folder, job), value=value)
    found = scores(test[1], value, reference_means(train[1])) | score_distribution(test[1], quantiles, LEVELS)
    return {"fit_seconds": fitted - start, "predict_seconds": predicted - fitted} | found


def scores(y: Targets, value: NDArray[np.float64], means: NDArray[np.float64]) -> dict[str, Any]:
    """Errors over channels and over values, in deviations of the training records, and mean skill (null where unknown)."""
    skill = score_skill(y, value, means)
    return {
        "mse": mean_squared_error(y, value, average="channel"),
        "mae": mean_absolute_error(y, value, average="channel"),
        "mse_by_value": mean_squared_error(y, value, average="observation"),
        "mae_by_value": mean_absolute_error(y, value, average="observation"),
        "skill": skill if np.isfinite(skill) else None,
    }


def predictions_file(folder: Path, job: dict[str, Any]) -> Path:
    """Where the predictions of a fit lie."""
    sizes = [str(job[name] or "own") for name in ("epochs", "members") if name in job]
    name = "-".join([job["model"], str(job["seed"]), *sizes, *job.get("set", [])])
    return folder / job["task"] / "predictions" / f"{name}.npz"


def tell(line: dict[str, Any]) -> None:
    """One line a finished fit."""
    print(f"{line['task']}, {line['model']}, seed {line['seed']}: {line['fit_seconds']:.0f} s", flush=True)


def compare(folder: Path, task: str, lines: list[dict[str, Any]], resamples: int) -> dict[str, Any]:
    """All scores of a task, errors by horizon or gap, and differences of the first model to the others."""
    own = [line for line in lines if line["task"] == task]
    means = reference_means(read_task(folder / task / "train.npz")[1])
    X, y = read_task(folder / task / "test.npz")
    found: dict[str, list[NDArray[np.float64]]] = {}
    for line in own:
        with np.load(predictions_file(folder, line)) as file:
            found.setdefault(line["model"], []).append(file["value"])
    own += vote(task, own, found, y, means)
    differences = compare_models(y, found, means, n_resamples=resamples)
    first = differences["model"] == next(iter(found), None)
    content: dict[str, Any] = {"task": task, "records": len(X), "events": X.n_events, "targets": len(y.value)}
    content |= {"runs": own, "bands": errors_by_distance(folder, task, X, y, found)}
    whole = differences[first & (differences["channel"] == "all")].replace({np.nan: None})
    return content | {"differences": whole.to_dict("records")}


def vote(
    task: str,
    runs: list[dict[str, Any]],
    found: dict[str, list[NDArray[np.float64]]],
    y: Targets,
    means: NDArray[np.float64],
) -> list[dict[str, Any]]:
    """What `VotingForecaster` of the hybrid memory and the boosted trees answers, from the answers of both that are kept.

    Its answers go into ``found``; the runs that come back have no intervals.
    """
    name, *pair = (f"{model}{SUFFIX[task]}" for model in ("vote", "hybrid-memory", "boosted-trees"))
    by_model = [[run for run in runs if run["model"] == model] for model in pair]
    voted = []
    for at, both in enumerate(zip(*by_model, strict=False)):
        value = np.mean([found[model][at] for model in pair], axis=0)
        found.setdefault(name, []).append(value)
        spent = sum(run["fit_seconds"] for run in both)
        head = {"task": task, "model": name, "seed": both[0]["seed"], "fit_seconds": spent}
        voted.append(head | scores(y, value, means))
    return voted


def errors_by_distance(
    folder: Path, task: str, X: IrregularPanel, y: Targets, found: dict[str, list[NDArray[np.float64]]]
) -> list[dict[str, Any]]:
    """Mean errors over all values of each band, by model: bands of time after the cut, or of the gap around what was hidden."""
    field = FIELDS[folder.name.split("-")[0]]
    if task == "extrapolation":
        distance, bands = y.time - field.observe, field.bands
    else:
        distance, bands = gap_widths(X), (0, *field.gaps, np.inf)
    rows = []
    for model, seeds in found.items():
        tables = [by_distance(y, value, distance, bands=bands, average="observation") for value in seeds]
        for band in tables[0].index:
            mse, mae = (float(np.mean([each.loc[band, name] for each in tables])) for name in ("mse", "mae"))
            count = int(tables[0].loc[band, "count"])
            rows.append({"model": model, "band": f"{band} {field.unit}", "count": count})
            rows[-1] |= {"mse": mse, "mae": mae} if count else {"mse": None, "mae": None}
    return rows


def table(result: dict[str, Any]) -> str:
    """Markdown: scores by model, errors by horizon or gap, and differences of the first model to the others."""
    limit = "" if result["limit"] is None else f", {result['limit']} records of each part"
    return "\n\n".join(f"{result['field']}{limit}: {_task(content)}" for content in result["tasks"])


def _task(content: dict[str, Any]) -> str:
    names = list(dict.fromkeys(run["model"] for run in content["runs"]))
    head = ["model", "MSE", "MAE", "skill", "in 90 %", "fit CPU s"]
    rows = [[name, *(_mean(content["runs"], name, key) for key in _COLUMNS)] for name in names]
    parts = [
        f"{content['task']}, {content['records']:,} test records, {content['targets']:,} targets",
        _markdown(head, rows),
    ]
    bands = list(dict.fromkeys(row["band"] for row in content["bands"]))
    errors = {(row["model"], row["band"]): row["mse"] for row in content["bands"]}
    cells = [[name, *(_number(errors[name, band]) for band in bands)] for name in names]
    what = "horizon" if content["task"] == "extrapolation" else "gap"
    parts.append(_markdown([f"MSE by {what}", *bands], cells))
    against = {row["against"]: {} for row in content["differences"]}
    for row in content["differences"]:
        against[row["against"]][row["metric"]] = _interval(row)
    if against:
        cells = [
            [other, *(found.get(metric, "") for metric in ("mae", "mse", "skill"))] for other, found in against.items()
        ]
        parts.append(_markdown([f"{names[0]} minus", "MAE", "MSE", "skill"], cells))
    return "\n\n".join(parts)


_COLUMNS = ("mse", "mae", "skill", "coverage_90", "fit_seconds")


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def _mean(runs: list[dict[str, Any]], model: str, key: str) -> str:
    values = [run[key] for run in runs if run["model"] == model and run.get(key) is not None]
    if not values:
        return ""
    spread = f" ± {np.std(values, ddof=1):.4f}" if len(values) > 1 and key != "fit_seconds" else ""
    return f"{np.mean(values):.0f}" if key == "fit_seconds" else f"{np.mean(values):.4f}{spread}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _interval(row: dict[str, Any]) -> str:
    if row["low"] is None:
        return ""
    text = f"{row['difference']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}]"
    return f"**{text}**" if row["low"] * row["high"] > 0 else text


if __name__ == "__main__":
    main()
