"""One fit, one prediction, in a process of their own: ``python -m cndts.benchmarking._fit_in_process JOB_FOLDER``.

The folder holds ``job.json`` and the tasks as ``train.npz``, ``validation.npz`` and ``test.npz``; the results go beside
them as ``predictions.npz`` and ``measured.json``. The model itself ends with the process.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cndts.benchmarking._classifiers import CLASSIFIERS, LabelModel, make_label_model
from cndts.benchmarking._exchange import read_task, write_arrays, write_json
from cndts.benchmarking._models import make_model
from cndts.benchmarking._resources import peak_mb, resident_mb, restart_peak, versions
from cndts.panel import IrregularPanel

LEVELS = tuple(round(0.05 * k, 2) for k in range(1, 20))


def run_job(folder: Path) -> None:
    """Fit on train with validation beside it, predict test once, write predictions and measurements."""
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    tasks = Path(job["tasks"])
    (X, y), (X_val, y_val), (X_test, _) = (read_task(tasks / f"{part}.npz") for part in ("train", "validation", "test"))
    make: Any = make_label_model if job["model"] in CLASSIFIERS else make_model
    model = make(job["model"], random_state=job["seed"], **job["settings"])
    before = resident_mb()
    restart_peak()

    start = time.perf_counter()
    model.fit(X, y, X_val=X_val, y_val=y_val)
    fitted = time.perf_counter()
    value = np.asarray(model.predict(X_test))
    predicted = time.perf_counter()
    peak = peak_mb()

    write_arrays(folder / "predictions.npz", value=value, **spread(model, X_test))
    measured = {
        "fit_seconds": fitted - start,
        "predict_seconds": predicted - fitted,
        "peak_mb": max(peak - before, 0.0),
        "peak_process_mb": peak,
        "threads": int(os.environ.get("OMP_NUM_THREADS", "0")),
        "parameters": {name: repr(setting) for name, setting in model.get_params(deep=False).items()},
        "versions": versions(),
    }
    write_json(folder / "measured.json", measured)


def spread(model: Any, X: IrregularPanel) -> dict[str, NDArray[np.float64]]:
    """What a forecaster says beyond its best guess: quantiles, and the deviation of a normal forecast; of labels nothing."""
    if isinstance(model, LabelModel):
        return {}
    quantiles = {"quantiles": model.predict_quantiles(X, list(LEVELS)), "levels": np.array(LEVELS)}
    if getattr(model, "head", None) == "gaussian":
        quantiles["std"] = model.predict_distribution(X).std
    return quantiles


if __name__ == "__main__":
    run_job(Path(sys.argv[1]))
