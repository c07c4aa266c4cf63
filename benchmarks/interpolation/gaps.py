"""Random-block gaps in PhysioNet 2012: whole windows of a stay are hidden and filled from both sides."""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from cndts import Interpolation
from cndts.benchmarking import make_model
from cndts.datasets import read_physionet2012
from cndts.metrics import channel_means, mean_skill, paired_bootstrap
from cndts.targets import Targets
from cndts.tasks import RecordSplit


def main() -> None:
    """Fit each model with each seed, score it on the test stays, compare the first with the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--hours", type=float, default=6.0, help="length of a hidden window")
    parser.add_argument("--observed", type=float, default=0.7, help="share of the span outside the windows")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="the baselines take the first alone")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, help="passes of neural models; by default their own number")
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    result = compare(given)
    print(table(result))
    if given.json:
        given.json.write_text(json.dumps(result, indent=1))


def compare(given: argparse.Namespace) -> dict:
    """Scores by model and seed on hidden values of the test stays, and differences of the first model to the others."""
    panel = read_physionet2012(given.data)
    parts = RecordSplit.draw(panel, fractions=(0.6, 0.2, 0.2), random_state=42).apply(panel)
    task = Interpolation(
        observed=given.observed, pattern="blocks", per="record", block_length=given.hours, random_state=0
    )
    (X, y), (X_val, y_val), (X_test, y_test) = (task.split(part) for part in parts)
    means, forecasts, runs = channel_means(y), {}, []
    for name in given.models:
        for seed in given.seeds if name == given.models[0] else given.seeds[:1]:
            model, start = make_model(name, random_state=seed), time.perf_counter()
            if given.epochs and "training" in model.get_params(deep=False):
                model.set_params(training__epochs=given.epochs)
            model.fit(X, y, X_val=X_val, y_val=y_val)
            fitted = time.perf_counter()
            y_hat = model.predict(X_test)
            seconds = {"fit_seconds": fitted - start, "predict_seconds": time.perf_counter() - fitted}
            forecasts.setdefault(name, []).append(np.asarray(y_hat))
            scores = {"skill": mean_skill(y_test, y_hat, means=means, min_targets=100)}
            low, high = model.predict_interval(X_test, coverage=0.9).T
            scores["coverage_90"] = float(((low <= y_test.value) & (y_test.value <= high)).mean())
            runs.append({"model": name, "seed": seed} | scores | seconds)
            print(runs[-1], flush=True)
    first, *others = given.models
    return {
        "hours": given.hours,
        "observed": given.observed,
        "threads": given.threads,
        "targets": len(y_test.value),
        "runs": runs,
        "differences": [difference(y_test, forecasts, first, other, means) for other in others],
    }


def difference(y: Targets, forecasts: dict, first: str, other: str, means: np.ndarray) -> dict:
    """Skill of the first minus skill of the other, with its interval."""
    found = paired_bootstrap(y, forecasts[first], forecasts[other], metric="skill", means=means, min_targets=100)
    return {"against": other, "skill": found.difference, "low": found.low, "high": found.high}


def table(result: dict) -> str:
    """Means and deviations over seeds as Markdown."""
    names = list(dict.fromkeys(run["model"] for run in result["runs"]))
    rows = ["| model | mean skill | in 90 % interval | fit s |", "| --- | --- | --- | --- |"]
    for name in names:
        own = [run for run in result["runs"] if run["model"] == name]
        skill, held, seconds = (np.array([run[key] for run in own]) for key in ("skill", "coverage_90", "fit_seconds"))
        spread = f" ± {skill.std(ddof=1):.3f}" if len(own) > 1 else ""
        rows.append(f"| {name} | {skill.mean():.3f}{spread} | {100 * held.mean():.1f} % | {seconds.mean():.0f} |")
    for found in result["differences"]:
        rows.append(f"\n{result['runs'][0]['model']} - {found['against']}: {found['skill']:+.3f} ")
        rows[-1] += f"[{found['low']:+.3f}, {found['high']:+.3f}]"
    return "\n".join(rows)


MODELS = (
    "hybrid-memory-interpolator",
    "boosted-trees-interpolator",
    "boosted-trees-interpolator-absolute",
    "ornstein-uhlenbeck-interpolator",
    "linear-interpolator",
)


if __name__ == "__main__":
    main()
