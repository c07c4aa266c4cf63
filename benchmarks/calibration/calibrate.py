"""Coverage of intervals before and after split-conformal calibration on PhysioNet 2012.

``python calibrate.py set-a.tar.gz --json calibration.json`` fits each model to training stays of the t-PatchGNN split, calibrates it
on the validation stays, and counts on the test stays. A model that needs validation stays of its own holds training stays out.
Models that the file holds already are not fitted again.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from cndts.datasets import read_physionet2012
from cndts.estimators import (
    BoostedTreesForecaster,
    ConformalForecaster,
    DecayToMeanForecaster,
    HybridMemoryForecaster,
    LastValueForecaster,
    RidgeForecaster,
)
from cndts.metrics import crps, interval_coverage, interval_width
from cndts.protocols import protocol
from cndts.targets import Targets
from cndts.training import Training

COVERAGES = (0.5, 0.8, 0.9, 0.95)
LEVELS = np.arange(0.025, 0.99, 0.025)
# a cell of a channel and a band of horizons says something with this many targets
LEAST = 100
_SMALL = HybridMemoryForecaster(width=16, layers=1, training=Training(members=1, epochs=6), random_state=0)
# a model, and how many of the training stays it gets
MODELS: dict[str, tuple[Any, int | None]] = {
    "last-value": (LastValueForecaster(), None),
    "decay-to-mean": (DecayToMeanForecaster(), None),
    "ridge": (RidgeForecaster(), None),
    "ridge, 200 stays": (RidgeForecaster(), 200),
    "hybrid-memory, small": (_SMALL, None),
    "boosted-trees": (BoostedTreesForecaster(max_iter=100, random_state=0), None),
}


def main() -> None:
    """Fit, calibrate, count, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--models", default=";".join(MODELS))
    options = parser.parse_args()
    split = protocol("t-patchgnn/physionet2012").split(read_physionet2012(options.data))
    result: dict[str, Any] = {"records": {k: len(part[0]) for k, part in split_parts(split).items()}, "models": {}}
    if options.json.exists():
        result["models"] = json.loads(options.json.read_text(encoding="utf-8"))["models"]
    for name in options.models.split(";"):
        if name in result["models"]:
            continue
        model, n_records = MODELS[name]
        (X, y), calibration, test = split_parts(split).values()
        result["models"][name] = measure(model, (X[:n_records], y[:n_records]), calibration, test)
        show(name, result["models"][name])
        part = options.json.with_suffix(".part")
        part.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        os.replace(part, options.json)


def split_parts(split: Any) -> dict[str, Any]:
    """Training, calibration and test stays."""
    return {"fit": split.train, "calibration": split.validation, "test": split.test}


def measure(model: Any, fit: tuple, calibration: tuple, test: tuple) -> dict[str, Any]:
    """Coverage and width on the test stays, before and after."""
    start = time.perf_counter()
    model.fit(*fit)
    fitted = time.perf_counter()
    kinds = {
        "before": model,
        "after, all channels and horizons in one": ConformalForecaster(model, n_bands=1, min_count=10**9),
        "after, by channel and horizon": ConformalForecaster(model),
        "after, targets counted": ConformalForecaster(model, count="target"),
    }
    found: dict[str, Any] = {"fit_seconds": round(fitted - start, 1)}
    for kind, estimator in kinds.items():
        begin = time.perf_counter()
        if kind != "before":
            estimator.calibrate(*calibration)
        found[kind] = {"calibrate_seconds": round(time.perf_counter() - begin, 1)} | scores(estimator, model, *test)
    return found


def scores(estimator: Any, model: Any, X: Any, y: Targets) -> dict[str, Any]:
    """What the intervals of an estimator hold on targets that are not known to it."""
    quantiles = estimator.predict_quantiles(X, LEVELS)
    found: dict[str, Any] = {"crps": crps(y, quantiles=quantiles, levels=LEVELS, average="channel")}
    scale = model.channel_scales_[y.channel]
    for coverage in COVERAGES:
        interval = estimator.predict_interval(X, coverage)
        relative = y.with_values(y.value / scale)
        found[f"{coverage:.0%}"] = {
            "by_target": interval_coverage(y, interval, average="observation"),
            "by_record": interval_coverage(y, interval, average="record"),
            "by_channel": interval_coverage(y, interval, average="channel"),
            "worst_cells": worst_cells(y, interval, model._reach(X)),
            "width": interval_width(relative, interval / scale[:, None], average="channel"),
        }
    return found


def worst_cells(y: Targets, interval: np.ndarray, reach: np.ndarray) -> dict[str, float]:
    """Coverage of cells of channel and quarter of the horizons with enough targets: the lowest, the fifth and 95th percentile."""
    known = ~np.isnan(y.value)
    band = np.searchsorted(np.nanquantile(reach, [0.25, 0.5, 0.75]), reach)
    cell = (y.channel * 4 + band)[known]
    inside = ((interval[:, 0] <= y.value) & (y.value <= interval[:, 1]))[known]
    count = np.bincount(cell)
    share = (np.bincount(cell, inside) / np.maximum(count, 1))[count >= LEAST]
    return {
        "cells": len(share),
        "lowest": float(share.min()),
        "p5": float(np.quantile(share, 0.05)),
        "p95": float(np.quantile(share, 0.95)),
    }


def show(name: str, found: dict[str, Any]) -> None:
    """A line for each kind."""
    for kind, line in found.items():
        if isinstance(line, dict):
            at = line["90%"]
            print(
                f"{name}: {kind}: in 90 %: {at['by_target']:.3f} by target, {at['by_record']:.3f} by record, "
                f"{at['by_channel']:.3f} by channel, lowest cell {at['worst_cells']['lowest']:.3f}, width {at['width']:.3f}"
            )


if __name__ == "__main__":
    main()
