"""The tables of README.md from the results beside it: ``python benchmarks/fields/tables.py``."""

import json
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent
FIELDS = ("physionet2012", "physionet2019", "ushcn", "beijing", "batteryless", "fx")
MODELS = {
    "extrapolation": (
        *("hybrid-memory", "gru-d", "latent-ode", "boosted-trees", "vote", "ridge"),
        *("decay-to-mean", "last-value", "channel-mean"),
    ),
    "interpolation": tuple(
        f"{name}-interpolator"
        for name in (
            *("hybrid-memory", "gru-d", "latent-ode", "boosted-trees", "vote"),
            *("ornstein-uhlenbeck", "linear", "nearest"),
        )
    ),
}
AGAINST = {"extrapolation": MODELS["extrapolation"][1:6], "interpolation": MODELS["interpolation"][1:]}
IN_BANDS = {
    "extrapolation": (*MODELS["extrapolation"][:6], "last-value"),
    "interpolation": MODELS["interpolation"][:7],
}
SCORES = {"mae": "MAE", "mse": "MSE", "skill": "mean skill"}
# Values of this field are scaled to [0, 1] by its protocol, and papers print them so.
PRINTED = {("physionet2012", "mae"): 1e2, ("physionet2012", "mse"): 1e3}

Row = list[str]


def main() -> None:
    """Print all tables, task by task."""
    for task in MODELS:
        print(f"## {task}\n")
        print("\n\n".join(tables(task)))
        print()


def tables(task: str) -> list[str]:
    """Scores, seconds, differences and bands of a task, as Markdown."""
    found = {field: content for field in FIELDS if (content := read(field, task)) is not None}
    parts = [score_table(found, task, score) for score in SCORES]
    parts += [seconds_table(found, task), differences_table(found, task)]
    return parts + [bands_table(field, content, task) for field, content in found.items()]


def read(field: str, task: str) -> dict[str, Any] | None:
    """What the file of a field says of a task."""
    content = json.loads((FOLDER / f"{field}.json").read_text(encoding="utf-8"))
    return next((part for part in content["tasks"] if part["task"] == task), None)


def score_table(found: dict[str, dict[str, Any]], task: str, score: str) -> str:
    """Means over seeds, the best of each field in bold."""
    best = max if score == "skill" else min
    means = {field: {model: mean(content, model, score) for model in MODELS[task]} for field, content in found.items()}
    lead = {field: best(value for value in column.values() if value is not None) for field, column in means.items()}
    rows = []
    for model in MODELS[task]:
        cells = [_cell(means[field][model], lead[field], field, task, score) for field in found]
        rows.append([_short(model), *cells])
    return markdown([SCORES[score], *map(_code, found)], rows)


def _cell(value: float | None, lead: float, field: str, task: str, score: str) -> str:
    if value is None:
        return ""
    text = number(value, field, task, score)
    return f"**{text}**" if value == lead else text


def seconds_table(found: dict[str, dict[str, Any]], task: str) -> str:
    """Processor seconds of a fit."""
    rows = []
    for model in MODELS[task]:
        values = [mean(content, model, "fit_seconds") for content in found.values()]
        rows.append([_short(model), *("" if value is None else f"{value:.0f}" for value in values)])
    return markdown(["CPU seconds of a fit", *map(_code, found)], rows)


def differences_table(found: dict[str, dict[str, Any]], task: str) -> str:
    """The first model minus the others, bold where the interval excludes zero."""
    rows = []
    for score, name in SCORES.items():
        for other in AGAINST[task]:
            cells = [_difference(field, content, task, score, other) for field, content in found.items()]
            rows.append([f"{name}, {_short(other)}", *cells])
    rows = [row for row in rows if any(row[1:])]
    return markdown([f"{_short(MODELS[task][0])} minus", *map(_code, found)], rows)


def _difference(field: str, content: dict[str, Any], task: str, score: str, other: str) -> str:
    for row in content["differences"]:
        if (row["against"], row["metric"]) == (other, score):
            at, low, high = (number(row[name], field, task, score, "+") for name in ("difference", "low", "high"))
            text = f"{at} [{low}, {high}]"
            return f"**{text}**" if row["low"] * row["high"] > 0 else text
    return ""


def bands_table(field: str, content: dict[str, Any], task: str) -> str:
    """Squared error over all values by horizon or by the width of the gap."""
    error = {(row["model"], row["band"]): row["mse"] for row in content["bands"]}
    bands = list(dict.fromkeys(row["band"] for row in content["bands"] if row["count"]))
    rows = []
    for model in (model for model in IN_BANDS[task] if mean(content, model, "mse") is not None):
        values = [error.get((model, band)) for band in bands]
        cells = ["" if value is None else number(value, field, task, "mse") for value in values]
        rows.append([_short(model), *cells])
    return markdown([_code(field), *bands], rows)


def mean(content: dict[str, Any], model: str, key: str) -> float | None:
    """Over the seeds; None where the model was not run."""
    values = [run[key] for run in content["runs"] if run["model"] == model]
    return float(np.mean(values)) if values else None


def number(value: float, field: str, task: str, score: str, sign: str = "") -> str:
    """As many digits as tell models apart: gaps in prices are narrow."""
    digits = 4 if (field, task) == ("fx", "interpolation") else 3
    return f"{value * PRINTED.get((field, score), 1.0):{sign}.{digits}f}"


def markdown(head: Row, rows: list[Row]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("|" + "|".join(f" {cell} " if cell else " " for cell in line) + "|" for line in lines)


def _short(model: str) -> str:
    return model.removesuffix("-interpolator")


def _code(name: str) -> str:
    return f"`{name}`"


if __name__ == "__main__":
    main()
