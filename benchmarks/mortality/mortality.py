"""Who dies in hospital: ``python benchmarks/mortality/mortality.py set-a.tar.gz --outcomes Outcomes-a.txt --json mortality.jsonl``."""

import argparse
import time
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline, make_union

from cndts.benchmarking import finished_jobs, run_jobs
from cndts.datasets import read_physionet2012
from cndts.estimators import HybridMemoryClassifier, HybridMemoryEncoder, HybridMemoryForecaster, RecordSummary
from cndts.panel import IrregularPanel
from cndts.training import Training

LABEL = "In-hospital_death"
SIZES = ("epochs", "members", "width")  # of networks
MODELS = ("summary", "encoder", "summary and encoder", "classifier", "vote")


def main() -> None:
    """Fit what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="archive or folder of PhysioNet 2012")
    parser.add_argument("--outcomes", required=True, help="Outcomes-a.txt")
    parser.add_argument("--json", required=True, help="file of results, one line a fit; finished fits are not repeated")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--folds", nargs="+", type=int, default=[0, 1, 2, 3, 4], help="which of the five")
    parser.add_argument(
        "--seeds", nargs="+", type=int, default=[0], help="of the models; the folds are always the same"
    )
    parser.add_argument(
        "--epochs", type=int, help="passes over the training stays; by default as many as the models take"
    )
    parser.add_argument("--members", type=int, default=2, help="networks that are averaged")
    parser.add_argument("--width", type=int, default=64, help="length of the networks' vectors")
    parser.add_argument("--stays", type=int, help="use the first so many stays alone, to try things out")
    parser.add_argument("--jobs", type=int, default=1, help="processes of one thread each; 0 works in this one")
    parser.add_argument("--table", action="store_true", help="print the table of what is there, and fit nothing")
    arguments = parser.parse_args()
    if not arguments.table:
        work = partial(one_fold, data=arguments.data, outcomes=arguments.outcomes)
        run_jobs(work, planned(arguments), arguments.json, parallel=arguments.jobs, progress=tell)
    print(table(finished_jobs(arguments.json)))


def planned(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """One job for each seed, model and fold."""
    sizes = {name: getattr(arguments, name) for name in SIZES}
    return [
        {"model": model, "fold": fold, "seed": seed, "stays": arguments.stays} | ({} if model == "summary" else sizes)
        for seed in arguments.seeds
        for model in arguments.models
        for fold in arguments.folds
    ]


def one_fold(job: dict[str, Any], *, data: str, outcomes: str) -> dict[str, Any]:
    """Fit a model to four fifths of the stays and score it on the fifth."""
    panel = read_physionet2012(data, outcomes=outcomes)
    panel = panel if job["stays"] is None else panel[: job["stays"]]
    y = panel.outcomes[LABEL].to_numpy().astype(int)
    train, test = list(StratifiedKFold(5, shuffle=True, random_state=0).split(y, y))[job["fold"]]
    start = time.process_time()  # of this process alone, whatever else runs
    model = made(job).fit(panel[train], y[train])
    seconds = time.process_time() - start
    return scores(model, panel[test], y[test]) | {"fit_seconds": round(seconds, 1)}


def made(job: dict[str, Any]) -> Any:
    """The model of a job."""
    if job["model"] == "summary":
        return make_pipeline(RecordSummary(), trees(job["seed"]))
    network = {
        "training": Training(members=job["members"], epochs=job["epochs"]),
        "width": job["width"],
        "random_state": job["seed"],
    }
    if job["model"] == "classifier":
        return HybridMemoryClassifier(**network)
    if job["model"] == "vote":
        members = [("trees", made(job | {"model": "summary"})), ("network", made(job | {"model": "classifier"}))]
        return VotingClassifier(members, voting="soft")
    encoder = HybridMemoryEncoder(HybridMemoryForecaster(**network))
    features = encoder if job["model"] == "encoder" else make_union(RecordSummary(), encoder)
    return make_pipeline(features, trees(job["seed"]))


def trees(seed: int) -> HistGradientBoostingClassifier:
    """Slow learning with few features a split, which suits a few thousand stays of some hundred features."""
    return HistGradientBoostingClassifier(
        learning_rate=0.03, max_iter=200, max_leaf_nodes=15, l2_regularization=1.0, max_features=0.3, random_state=seed
    )


def scores(model: Any, X: IrregularPanel, y: NDArray[np.int64]) -> dict[str, float]:
    """Area under the ROC curve, average precision and cross entropy."""
    risk = model.predict_proba(X)[:, 1]
    return {
        "auroc": float(roc_auc_score(y, risk)),
        "auprc": float(average_precision_score(y, risk)),
        "log_loss": float(log_loss(y, risk)),
    }


def tell(line: dict[str, Any]) -> None:
    """One line a finished fit."""
    what = f"{line['model']}, fold {line['fold']}, seed {line['seed']}"
    print(f"{what}: AUROC {line['auroc']:.4f}, AUPRC {line['auprc']:.4f} in {line['fit_seconds']:.0f} s", flush=True)


def table(lines: list[dict[str, Any]]) -> str:
    """Markdown: mean and standard deviation over folds, those of several seeds averaged first."""
    if not lines:
        return "nothing has been fitted"
    runs = pd.DataFrame([{"settings": _settings(line), **line} for line in lines])
    rows = [["model", "settings", "folds", "seeds", "AUROC", "AUPRC", "log loss", "fit, s"], ["---"] * 8]
    for (model, settings), group in runs.groupby(["model", "settings"], sort=False):
        by_fold = group.groupby("fold")[["auroc", "auprc", "log_loss", "fit_seconds"]].mean()
        cells = [_spread(by_fold[name]) for name in ("auroc", "auprc", "log_loss")]
        counts = [str(len(by_fold)), str(group["seed"].nunique())]
        rows.append([model, settings, *counts, *cells, f"{by_fold['fit_seconds'].mean():.0f}"])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _settings(line: dict[str, Any]) -> str:
    return ", ".join(f"{name} {line[name]}" for name in (*SIZES, "stays") if line.get(name) is not None)


def _spread(score: pd.Series) -> str:
    return f"{score.mean():.4f}" + (f" ± {score.std():.4f}" if len(score) > 1 else "")


if __name__ == "__main__":
    main()
