"""A new ward with few stays: ``python benchmarks/few_shot/few_shot.py set-a.tar.gz --json few-shot.json``."""

import argparse
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from cndts import protocol
from cndts.datasets import read_physionet2012
from cndts.estimators import BaseForecaster, HybridMemoryForecaster, LastValueForecaster
from cndts.metrics import paired_bootstrap
from cndts.panel import IrregularPanel
from cndts.protocols import Protocol
from cndts.targets import Targets
from cndts.training import Training

SIZES = (5, 20, 100)
WARDS = {1: "coronary care", 2: "cardiac surgery", 3: "medical", 4: "surgical"}
TRAINING = Training(members=1, epochs=12)
FROM_SCRATCH = Training(members=1)
LONGER = {"steps": 100, "learning_rate": 1e-3}


class Part(NamedTuple):
    """Some stays of one part of the split."""

    X: IrregularPanel
    y: Targets

    def at(self, rows: NDArray) -> "Part":
        """The stays in these rows."""
        return Part(self.X[rows], self.y[rows])


Forecasts = dict[str, list[float]]


class Run(NamedTuple):
    """What one seed gave: forecasts of each model for the test stays of the new and the old wards, and seconds of fitting."""

    new: Forecasts
    old: Forecasts
    seconds: dict[str, float]


class Stays(NamedTuple):
    """The stays of the old wards and of the new one, by part of the split."""

    train_old: Part
    validation_old: Part
    test_old: Part
    train_new: Part
    validation_new: Part
    test_new: Part


def main() -> None:
    """Fit, adapt, compare, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+", help="archives or folders of PhysioNet 2012")
    parser.add_argument("--ward", type=int, default=2, choices=WARDS, help="ICUType that counts as new")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--keep", type=Path, help="folder in which models and forecasts of each seed are kept between runs"
    )
    parser.add_argument("--json", required=True, help="result")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rule = protocol("t-patchgnn/physionet2012")
    stays = stays_by_ward(rule, read_physionet2012(arguments.data), arguments.ward)
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    runs = [kept(stays, seed, arguments.keep) if arguments.keep else one_seed(stays, seed) for seed in seeds]
    tests = {"new": stays.test_new, "old": stays.test_old}
    result = {
        "ward": arguments.ward,
        "seeds": seeds,
        "stays": {name: len(part.X) for name, part in stays._asdict().items()},
        "seconds": [run.seconds for run in runs],
        "scores": {ward: scores(rule, part, [getattr(run, ward) for run in runs]) for ward, part in tests.items()},
        "differences": {ward: differences(part, [getattr(run, ward) for run in runs]) for ward, part in tests.items()},
    }
    Path(arguments.json).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def stays_by_ward(rule: Protocol, panel: IrregularPanel, ward: int) -> Stays:
    """The parts of the protocol's split, each in two: the stays of the other wards, and those of the new one."""
    split = rule.split(panel)
    types = panel.static["ICUType"]
    parts = [Part(*part) for part in (split.train, split.validation, split.test)]
    is_new = [(types.loc[part.X.records] == ward).to_numpy() for part in parts]
    old = [part.at(np.flatnonzero(~new)) for part, new in zip(parts, is_new, strict=True)]
    new = [part.at(np.flatnonzero(new)) for part, new in zip(parts, is_new, strict=True)]
    return Stays(*old, *new)


def few(stays: Stays, size: int, seed: int) -> Part:
    """So many training stays of the new ward; the smaller selections are part of the larger ones."""
    order = np.random.default_rng(seed).permutation(len(stays.train_new.X))
    return stays.train_new.at(np.sort(order[:size]))


def old_wards_model(stays: Stays, seed: int, folder: Path | None) -> HybridMemoryForecaster:
    """Fitted on the other wards alone."""
    path = (folder or Path()) / f"old-wards-{seed}.safetensors"
    if folder and path.exists():
        return HybridMemoryForecaster.load(path)
    model = HybridMemoryForecaster(training=TRAINING, random_state=seed)
    model.fit(*stays.train_old, X_val=stays.validation_old.X, y_val=stays.validation_old.y)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        model.save(path)
    return model


def kept(stays: Stays, seed: int, folder: Path) -> Run:
    """`one_seed`, or what it found in an earlier run."""
    path = folder / f"forecasts-{seed}.json"
    if path.exists():
        return Run(**json.loads(path.read_text(encoding="utf-8")))
    run = one_seed(stays, seed, folder)
    path.write_text(json.dumps(run._asdict()), encoding="utf-8")
    return run


def one_seed(stays: Stays, seed: int, folder: Path | None = None) -> Run:
    """Fit, adapt and forecast with one seed."""
    seconds: dict[str, float] = {}
    new: Forecasts = {}
    old: Forecasts = {}

    def take(name: str, make: Any) -> BaseForecaster:
        start = time.perf_counter()
        model = make()
        seconds[name] = round(time.perf_counter() - start, 2)
        new[name] = np.asarray(model.predict(stays.test_new.X)).tolist()
        old[name] = np.asarray(model.predict(stays.test_old.X)).tolist()
        print(seed, name, seconds[name], flush=True)
        return model

    model = take("others alone", lambda: old_wards_model(stays, seed, folder))
    for size in SIZES:
        part = few(stays, size, seed)
        take(f"adapted, {size}", lambda part=part: model.adapt(*part, random_state=seed))
        take(f"adapted longer, {size}", lambda part=part: model.adapt(*part, random_state=seed, **LONGER))
        scratch = HybridMemoryForecaster(training=FROM_SCRATCH, random_state=seed)
        take(f"from scratch, {size}", lambda part=part, scratch=scratch: scratch.fit(*part))
    take("last value", lambda: LastValueForecaster().fit(*stays.train_old))
    return Run(new, old, seconds)


def scores(rule: Protocol, part: Part, forecasts: list[Forecasts]) -> dict[str, dict[str, list[float]]]:
    """Macro MSE and MAE of each model, by seed."""
    by_model = {name: [rule.score(part.y, run[name]) for run in forecasts] for name in forecasts[0]}
    return {name: {key: [run[key] for run in runs] for key in ("mse", "mae")} for name, runs in by_model.items()}


def differences(part: Part, forecasts: list[Forecasts]) -> list[dict[str, Any]]:
    """Adapted models against the others, over all seeds, with paired intervals over stays."""
    pairs = [
        (f"{adapted}, {size}", other)
        for size in SIZES
        for adapted in ("adapted", "adapted longer")
        for other in ("others alone", f"from scratch, {size}")
    ]
    return [
        {"model": model, "against": other, "metric": metric, **vars(compare(part, forecasts, model, other, metric))}
        for model, other in pairs
        for metric in ("mae", "mse")
    ]


def compare(part: Part, forecasts: list[Forecasts], model: str, other: str, metric: Any) -> Any:
    """Macro difference with its interval."""
    a, b = (np.array([run[name] for run in forecasts]) for name in (model, other))
    return paired_bootstrap(part.y, a, b, metric=metric, average="channel")


if __name__ == "__main__":
    main()
