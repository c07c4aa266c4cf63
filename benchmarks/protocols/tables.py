"""The tables of README.md from the results beside it: ``python benchmarks/protocols/tables.py``."""

import json
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent
# Files of each protocol, and the scores that its papers print, with the unit that they print them in.
RESULTS: dict[str, tuple[list[str], dict[str, float]]] = {
    "grafiti/ushcn": (["grafiti-ushcn"], {"mse": 1.0, "mae": 1.0}),
    "pyomnits/physionet2012": (["pyomnits-physionet2012"], {"mse": 1.0, "mae": 1.0}),
    "latent-ode/physionet2012-extrapolation": (["latent-ode-extrapolation"], {"mse": 1e3, "mae": 1e2}),
    "latent-ode/physionet2012-mortality": (["latent-ode-mortality"], {"auroc": 1.0, "auprc": 1.0}),
    "contiformer/spirals": (
        ["spirals-27", "spirals-42", "spirals-1024"],
        {"rmse": 1e2, "rmse_interpolation": 1e2, "rmse_extrapolation": 1e2},
    ),
}
N_BEST = 4


def main() -> None:
    """Print a table for each protocol."""
    for name in RESULTS:
        print(f"{table(name)}\n")


def table(name: str) -> str:
    """Ours, mean and standard deviation over the runs, and what was published."""
    files, units = RESULTS[name]
    contents = [json.loads((FOLDER / f"{file}.json").read_text(encoding="utf-8")) for file in files]
    runs = [run for content in contents for run in content["runs"]]
    rows = [
        [model, *(ours(runs, model, score, unit) for score, unit in units.items()), seconds(runs, model)]
        for model in dict.fromkeys(run["model"] for run in runs)
    ]
    rows += [
        [f"*{row['model']}*", *(published(row, score, unit) for score, unit in units.items()), ""]
        for row in best(contents[0]["published"], next(iter(units)))
    ]
    head = [f"`{name}`", *(heading(score, unit) for score, unit in units.items()), "fit, s"]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("|" + "|".join(f" {cell} " if cell else " " for cell in line) + "|" for line in lines)


def best(rows: list[dict[str, Any]], score: str) -> list[dict[str, Any]]:
    """The published rows with the best values, and GRU-D and Latent ODE; ``cndts info PROTOCOL`` prints all."""
    sign = -1 if score.startswith("au") else 1
    ranked = sorted((row for row in rows if row[score] is not None), key=lambda row: sign * row[score])
    return [row for at, row in enumerate(ranked) if at < N_BEST or row["model"] in ("GRU-D", "Latent ODE")]


def heading(score: str, unit: float) -> str:
    """Name of a score, with its unit."""
    name, _, part = score.partition("_")
    return f"{name.upper()} {part}".strip() + ("" if unit == 1 else f" ×{unit:.0e}".replace("e+0", "e"))


def ours(runs: list[dict[str, Any]], model: str, score: str, unit: float) -> str:
    """Mean and spread over seeds."""
    values = [run[score] * unit for run in runs if run["model"] == model and run.get(score) is not None]
    if not values:
        return ""
    spread = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return f"{np.mean(values):.3f}" + (f" ± {spread:.3f}" if spread > 0 else "")


def published(row: dict[str, Any], score: str, unit: float) -> str:
    """A published value, with its deviation where there is one."""
    if row.get(score) is None:
        return ""
    spread = row.get(f"{score}_std")
    return f"{row[score] * unit:.3f}" + ("" if spread is None else f" ± {spread * unit:.3f}")


def seconds(runs: list[dict[str, Any]], model: str) -> str:
    """Of a fit, on average."""
    return f"{np.mean([run['fit_seconds'] for run in runs if run['model'] == model]):.0f}"


if __name__ == "__main__":
    main()
