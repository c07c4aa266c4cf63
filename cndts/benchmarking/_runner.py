"""Fit, predict and score several models under one protocol."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import cndts
from cndts.benchmarking._classifiers import check_asks_for_labels
from cndts.benchmarking._comparison import (
    channel_scores,
    compare_models,
    reference_means,
    score_distribution,
    score_skill,
)
from cndts.benchmarking._exchange import write_arrays, write_json, write_task
from cndts.benchmarking._models import check_hides_something, check_models
from cndts.benchmarking._resources import available_threads, thread_settings
from cndts.benchmarking._result import BenchmarkResult
from cndts.panel import IrregularPanel
from cndts.protocols import Protocol, ProtocolSplit, protocol
from cndts.targets import Targets

Progress = Callable[[str, int, int], None]
_PARTS = ("train", "validation", "test")


def run_benchmark(
    protocol_name: str,
    panel: IrregularPanel,
    models: Sequence[str],
    seeds: Sequence[int] = (0,),
    *,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    protocol_settings: Mapping[str, Any] | None = None,
    threads: int | None = None,
    n_resamples: int = 1000,
    predictions_folder: str | Path | None = None,
    progress: Progress | None = None,
) -> BenchmarkResult:
    """Fit every model with every seed on the protocol's training part and score it on the test part.

    Each fit runs in a process of its own, one after the other, so that time and memory are the model's own. Validation
    records are handed to ``fit`` as ``X_val``, ``y_val``; test records are predicted once. Where the protocol asks for
    values that the context holds, its own scores count them; skill, CRPS, coverage, errors by channel and comparisons
    do not, unless it asks for no others.

    Where every record has one target, 0 or 1, classifiers of records run too: they learn ``np.asarray(y)``, and their
    predictions are probabilities of 1. They have no CRPS and no coverage.

    Parameters
    ----------
    protocol_name : str
        A name that :func:`cndts.protocols.protocol` knows.
    panel : IrregularPanel
        The data set that the protocol is about.
    models : sequence of str
        Names from :func:`available_models` or :func:`available_classifiers`.
    seeds : sequence of int, default=(0,)
        Seeds for each model; the split is the protocol's and does not depend on them.
    settings : mapping of str to mapping, optional
        Parameters by model name, as for ``set_params``.
    protocol_settings : mapping, optional
        What the protocol leaves open, as for :func:`cndts.protocols.protocol`.
    threads : int, optional
        Threads of a fit; all available cores by default.
    n_resamples : int, default=1000
        Resamples of the paired bootstrap over test records.
    predictions_folder : str or Path, optional
        Where to keep ``MODEL/seed-SEED.npz`` with arrays ``value`` and ``true``, the predictions for the test targets and what came to
        be, as soon as a fit is done. Made if it is not there.
    progress : callable, optional
        Called with what is being done, the number of fits done and the number of fits.

    Returns
    -------
    BenchmarkResult

    Raises
    ------
    ValueError
        If the protocol, a model or a setting is unknown, a seed is repeated, classifiers are asked for what is no
        label, or interpolators for nothing but what they see.
    RuntimeError
        If a fit fails; the message carries the last line that it wrote.
    """
    check_models(models)
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"give at least one seed and each only once; got {list(seeds)}.")
    rule = protocol(protocol_name, **(protocol_settings or {}))
    split = rule.split(panel)
    check_asks_for_labels(models, protocol_name, split)
    (_, y_train), (_, y) = split.train, split.test
    check_hides_something(models, rule, y_train)
    means, hidden = reference_means(y_train), rule.hidden(y)
    asked = y.with_values(np.where(hidden, y.value, np.nan)) if hidden.any() else y
    threads = threads or available_threads()
    jobs = [(model, seed) for model in models for seed in seeds]
    predictions: dict[str, list[NDArray[np.float64]]] = {model: [] for model in models}
    runs = []
    with tempfile.TemporaryDirectory(prefix="cndts-benchmark-") as scratch:
        tasks = Path(scratch)
        for part in _PARTS:
            write_task(tasks / f"{part}.npz", *getattr(split, part))
        for done, (model, seed) in enumerate(jobs):
            _tell(progress, f"{model}, seed {seed}", done, len(jobs))
            measured, forecast = _fit_apart(tasks, model, seed, (settings or {}).get(model, {}), threads)
            value = forecast["value"]
            predictions[model].append(value)
            if predictions_folder is not None:
                kept = Path(predictions_folder, model)
                kept.mkdir(parents=True, exist_ok=True)
                write_arrays(kept / f"seed-{seed}.npz", value=value, true=y.value)
            scores = rule.score(y, value) | _scores_of_unseen(rule, asked, forecast, means)
            runs.append({"model": model, "seed": seed, **scores, **measured})
    _tell(progress, "comparing", len(jobs), len(jobs))
    return BenchmarkResult(
        protocol=protocol_name,
        description=rule.describe(),
        data=_sizes(split) | {"test_hidden_targets": int(hidden.sum())},
        runs=runs,
        channels=channel_scores(asked, predictions, means),
        comparisons=compare_models(asked, predictions, means, average=rule.average, n_resamples=n_resamples),
        average=rule.average,
        published=rule.published(),
        protocol_settings=dict(protocol_settings or {}),
        machine={"cores": os.cpu_count(), "processor": platform.machine(), "system": platform.platform(terse=True)},
    )


def _scores_of_unseen(
    rule: Protocol, asked: Targets, forecast: Mapping[str, NDArray[np.float64]], means: NDArray[np.float64]
) -> dict[str, float]:
    """Scores beside the protocol's own; those of quantiles and of normal forecasts where the model has such."""
    scores = {"skill": score_skill(asked, forecast["value"], means)}
    if "quantiles" in forecast:
        scores |= score_distribution(asked, forecast["quantiles"], forecast["levels"])
    if "std" in forecast:
        scores |= rule.score_normal(asked, forecast["value"], forecast["std"])
    return scores


def _tell(progress: Progress | None, what: str, done: int, total: int) -> None:
    if progress is not None:
        progress(what, done, total)


def _sizes(split: ProtocolSplit) -> dict[str, int]:
    sizes = {f"{part}_records": len(getattr(split, part)[0]) for part in _PARTS}
    return sizes | {f"{part}_targets": len(getattr(split, part)[1].value) for part in _PARTS}


def _fit_apart(
    tasks: Path, model: str, seed: int, settings: Mapping[str, Any], threads: int
) -> tuple[dict[str, Any], dict[str, NDArray[np.float64]]]:
    """What was measured, and the arrays of `run_job`."""
    folder = tasks / f"{model}-{seed}"
    folder.mkdir()
    write_json(folder / "job.json", {"tasks": str(tasks), "model": model, "seed": seed, "settings": dict(settings)})
    # The package may run from a checkout that is not installed.
    paths = [str(Path(cndts.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "cndts.benchmarking._fit_in_process", str(folder)],
        env={**os.environ, **thread_settings(threads), "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"the process ended with code {done.returncode}"])[-1]
        raise RuntimeError(f"{model} with seed {seed} failed: {last}")
    measured = json.loads((folder / "measured.json").read_text(encoding="utf-8"))
    with np.load(folder / "predictions.npz", allow_pickle=False) as file:
        return measured, dict(file)
