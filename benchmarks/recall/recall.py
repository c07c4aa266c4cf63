"""What each memory and each gate is needed for: ``python benchmarks/recall/recall.py --json recall.jsonl``."""

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd

from cndts.benchmarking import finished_jobs, run_jobs
from cndts.datasets import make_recall
from cndts.estimators import HybridMemoryForecaster
from cndts.panel import IrregularPanel
from cndts.targets import Targets

KINDS = ("cue", "window", "level", "reset", "key")
VARIANTS: dict[str, dict[str, Any]] = {
    "full": {},
    "no working": {"memory__window": 0},
    "no compressed": {"memory__timescales": 0},
    "no episodic": {"memory__episodic_slots": 0},
    "no write gate": {"memory__write_gate": False},
    "no read gate": {"memory__read_gate": False},
    "no forget gate": {"memory__forget_gate": False},
    "no second round": {"memory__second_round": False},
    "direct decoding": {"solver__method": "direct"},
    "clearing memory": {"memory__long_term": "clearing"},
}
# Events before the question in training: many short records, which are cheap, and a few long ones, by which distance matters.
TRAINED = (10, 100, 1000, 3000)
N_TRAINING_EVENTS = 600_000
N_TEST_EVENTS = 1_000_000
SETTINGS = {
    "width": 32,
    "layers": 1,
    "dropout": 0.0,  # the tasks have exact answers
    "memory__longest": 1000.0,  # in units of the longest horizon, here about seven gaps between events
    "training__members": 1,
    "training__learning_rate": 5e-3,
    "training__averaging": 0.98,
    "training__cut_share": 0.0,  # the question is at the end
    "training__validation_fraction": 0.05,
    "training__batch_size": 32,
}


def main() -> None:
    """Fit what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", required=True, help="file of results, one line a fit; finished fits are not repeated")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument(
        "--distances", nargs="+", type=int, default=[1000, 10_000], help="tested events before the question"
    )
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--records", type=int, default=2000, help="training records of a length, at most")
    parser.add_argument("--epochs", type=int, default=6, help="passes over them")
    parser.add_argument("--jobs", type=int, default=1, help="processes of one thread each; 0 works in this one")
    parser.add_argument("--table", action="store_true", help="print the table of what is there, and fit nothing")
    arguments = parser.parse_args()
    if not arguments.table:
        run_jobs(recall, planned(arguments), arguments.json, parallel=arguments.jobs, progress=tell)
    print(table(finished_jobs(arguments.json)))


def planned(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """One job for each kind, seed and variant."""
    sizes = {"records": arguments.records, "epochs": arguments.epochs, "distances": sorted(arguments.distances)}
    return [
        {"kind": kind, "variant": variant, "seed": seed, **sizes}
        for seed in arguments.seeds
        for kind in arguments.kinds
        for variant in arguments.variants
    ]


def training_records(kind: str, n_records: int, seed: int) -> tuple[IrregularPanel, Targets]:
    """Records of all trained lengths, of a long one as many as the budget of events allows."""
    random = np.random.default_rng([seed, 0])
    sizes = {distance: min(n_records, N_TRAINING_EVENTS // distance) for distance in TRAINED}
    parts = [make_recall(n, distance, kind=kind, random_state=random) for distance, n in sizes.items()]
    X = IrregularPanel.concat([X for X, _ in parts], ignore_records=True)
    return X, Targets(X.queries, np.concatenate([y.value for _, y in parts]), X.records, X.channels)


def recall(job: dict[str, Any]) -> dict[str, Any]:
    """Fit one variant to one task and score it on fresh records of each distance."""
    model = HybridMemoryForecaster(random_state=job["seed"]).set_params(
        **SETTINGS, training__epochs=job["epochs"], **VARIANTS[job["variant"]]
    )
    start = time.process_time()  # of this process alone, whatever else runs
    model.fit(*training_records(job["kind"], job["records"], job["seed"]))
    seconds = time.process_time() - start
    asked = [asked_after(model, job["kind"], distance, job["seed"]) for distance in job["distances"]]
    return {"asked": asked, "fit_seconds": seconds}


def asked_after(model: HybridMemoryForecaster, kind: str, distance: int, seed: int) -> dict[str, float]:
    """Skill on fresh records of one distance, beside the best that is possible."""
    n_records = max(20, min(1000, N_TEST_EVENTS // distance))
    random = np.random.default_rng([seed, 1, distance])
    X, y, truth = make_recall(n_records, distance, kind=kind, random_state=random, return_truth=True)
    errors = [float(np.mean((value - y.value) ** 2)) for value in (model.predict(X).value, truth.best)]
    skill, best = (1 - error / truth.blind_error for error in errors)
    return {"distance": distance, "records": n_records, "skill": skill, "best_skill": best}


def tell(line: dict[str, Any]) -> None:
    """One line a finished fit."""
    skills = ", ".join(f"{asked['skill']:.3f} after {asked['distance']:,}" for asked in line["asked"])
    print(f"{line['kind']} {line['variant']} {line['seed']}: {skills} in {line['fit_seconds']:.0f} s", flush=True)


def table(lines: list[dict[str, Any]]) -> str:
    """Markdown: mean and range over seeds of the skill on fresh records, one column a variant."""
    if not lines:
        return "nothing has been fitted"
    names = ("kind", "variant", "seed")
    runs = pd.DataFrame([{name: line[name] for name in names} | asked for line in lines for asked in line["asked"]])
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
