"""What each memory is needed for: ``python benchmarks/recall/recall.py --json recall.jsonl``."""

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd

from cndts.benchmarking import finished_jobs, run_jobs
from cndts.datasets import make_recall
from cndts.estimators import HybridMemoryForecaster

KINDS = ("cue", "window", "level", "key")
VARIANTS: dict[str, dict[str, int]] = {
    "full": {},
    "no working": {"memory__window": 0},
    "no compressed": {"memory__timescales": 0},
    "no episodic": {"memory__episodic_slots": 0},
}
# Records, records a step, and epochs up to a distance: the further, the fewer records fit into the time.
SCHEDULES = {300: (1000, 32, 20), 3_000: (1000, 32, 24), 30_000: (400, 16, 20), 300_000: (100, 4, 20)}
N_TEST_EVENTS = 2_000_000
SETTINGS = {
    "width": 32,
    "layers": 1,
    "dropout": 0.0,  # the tasks have exact answers
    "training__members": 1,
    "training__learning_rate": 5e-3,
    "training__averaging": 0.98,
    "training__cut_share": 0.0,  # the question is at the end
    "training__validation_fraction": 0.05,
}


def main() -> None:
    """Fit what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", required=True, help="file of results, one line a fit; finished fits are not repeated")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--distances", nargs="+", type=int, default=[1000], help="events between evidence and question")
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--records", type=int, help="training records; by default as many as the distance allows")
    parser.add_argument("--epochs", type=int, help="passes over them; by default as many as the distance allows")
    parser.add_argument("--jobs", type=int, default=1, help="processes of one thread each; 0 works in this one")
    parser.add_argument("--table", action="store_true", help="print the table of what is there, and fit nothing")
    arguments = parser.parse_args()
    if not arguments.table:
        run_jobs(recall, planned(arguments), arguments.json, parallel=arguments.jobs, progress=tell)
    print(table(finished_jobs(arguments.json)))


def planned(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """One job for each distance, kind, seed and variant, the near ones first."""
    jobs = []
    for distance in sorted(arguments.distances):
        records, batch_size, epochs = schedule(distance)
        sizes = {"records": arguments.records or records, "batch": batch_size, "epochs": arguments.epochs or epochs}
        for kind in arguments.kinds:
            for seed in arguments.seeds:
                for variant in arguments.variants:
                    jobs.append({"kind": kind, "distance": distance, "variant": variant, "seed": seed, **sizes})
    return jobs


def schedule(distance: int) -> tuple[int, int, int]:
    """Training records, records a step, and epochs."""
    return SCHEDULES[min((limit for limit in SCHEDULES if distance <= limit), default=max(SCHEDULES))]


def recall(job: dict[str, Any]) -> dict[str, Any]:
    """Fit one variant to one task and score it on fresh records."""
    kind, distance, seed = job["kind"], job["distance"], job["seed"]
    X, y = make_recall(job["records"], distance, kind=kind, random_state=np.random.default_rng([seed, 0]))
    fresh, n_test = np.random.default_rng([seed, 1]), max(50, min(2000, N_TEST_EVENTS // distance))
    X_test, y_test, truth = make_recall(n_test, distance, kind=kind, random_state=fresh, return_truth=True)
    sizes = {"training__batch_size": job["batch"], "training__epochs": job["epochs"]}
    # The unit of model time is the longest horizon, of some gaps: the memories are told how far back they may look.
    reach = {"memory__longest": float(distance)}
    model = HybridMemoryForecaster(random_state=seed).set_params(
        **SETTINGS, **sizes, **reach, **VARIANTS[job["variant"]]
    )
    start = time.process_time()  # of this process alone, whatever else runs
    model.fit(X, y)
    seconds = time.process_time() - start
    mse = float(np.mean((model.predict(X_test).value - y_test.value) ** 2))
    best = float(np.mean((truth.best - y_test.value) ** 2))
    return {
        "skill": 1 - mse / truth.blind_error,
        "best_skill": 1 - best / truth.blind_error,
        "test_records": n_test,
        "fit_seconds": seconds,
    }


def tell(line: dict[str, Any]) -> None:
    """One line a finished fit."""
    what = " ".join(str(line[name]) for name in ("kind", "distance", "variant", "seed"))
    print(f"{what}: skill {line['skill']:.3f} of {line['best_skill']:.3f} in {line['fit_seconds']:.0f} s", flush=True)


def table(lines: list[dict[str, Any]]) -> str:
    """Markdown: mean and range over seeds of the skill on fresh records, one column a variant."""
    if not lines:
        return "nothing has been fitted"
    runs = pd.DataFrame(lines)
    variants = [name for name in VARIANTS if name in set(runs["variant"])]
    rows = [["task", "events", "seeds", "best possible", *variants], ["---"] * (4 + len(variants))]
    for (kind, distance), group in runs.groupby(["kind", "distance"], sort=False):
        cells = [_cell(group.loc[group["variant"] == name, "skill"]) for name in variants]
        rows.append([kind, f"{distance:,}", str(group["seed"].nunique()), f"{group['best_skill'].mean():.3f}", *cells])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _cell(skill: pd.Series) -> str:
    if not len(skill):
        return ""
    spread = f" ({skill.min():.2f} to {skill.max():.2f})" if len(skill) > 1 else ""
    return f"{skill.mean():.3f}{spread}"


if __name__ == "__main__":
    main()
