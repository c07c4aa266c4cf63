"""Scores of predictions, and how sure the differences between models are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.metrics import (
    channel_means,
    channel_table,
    crps,
    interval_coverage,
    interval_width,
    mean_skill,
    paired_bootstrap,
    paired_bootstrap_by_channel,
)
from cndts.metrics._average import Average
from cndts.targets import Targets

MIN_TARGETS = 200
_SCORES = ("mae", "mse", "skill")
Floats = NDArray[np.float64]


def reference_means(y: Targets) -> Floats:
    """Mean training target of every channel, which skill compares with; 0 for channels that have none."""
    return np.nan_to_num(channel_means(y))


def score_distribution(y: Targets, quantiles: Floats, levels: Floats) -> dict[str, float]:
    """CRPS over the channels, and coverage and width of the central 50 % and 90 % intervals over all targets."""
    scores = {"crps": crps(y, quantiles=quantiles, levels=levels, average="channel")}
    for percent, ends in ((50, (0.25, 0.75)), (90, (0.05, 0.95))):
        interval = quantiles[:, [int(np.argmin(np.abs(levels - end))) for end in ends]]
        scores[f"coverage_{percent}"] = interval_coverage(y, interval, average="observation")
        scores[f"coverage_{percent}_by_channel"] = interval_coverage(y, interval, average="channel")
        scores[f"width_{percent}"] = interval_width(y, interval, average="channel")
    return scores


def score_skill(y: Targets, value: Floats, means: Floats, min_targets: int = MIN_TARGETS) -> float:
    """Mean skill over the channels with enough targets."""
    return mean_skill(y, value, means=means, min_targets=min_targets)


def channel_scores(y: Targets, predictions: Mapping[str, Sequence[Floats]], means: Floats) -> pd.DataFrame:
    """Count and errors of every channel with a target, by model; seeds enter with their mean error."""
    parts = []
    for model, seeds in predictions.items():
        tables = pd.concat([channel_table(y, value, means=means).rename_axis("channel") for value in seeds])
        mean = tables.groupby("channel", sort=False).mean().reset_index()
        parts.append(mean.assign(model=model, count=mean["count"].astype(np.int64)))
    scores = pd.concat(parts, ignore_index=True)
    return scores.loc[scores["count"] > 0, ["model", "channel", "count", "mse", "mae", "skill"]].reset_index(drop=True)


def compare_models(
    y: Targets,
    predictions: Mapping[str, Sequence[Floats]],
    means: Floats,
    *,
    average: Average = "channel",
    n_resamples: int = 1000,
    min_targets: int = MIN_TARGETS,
    random_state: int = 0,
) -> pd.DataFrame:
    """Differences between every two models with 95 % intervals from a paired bootstrap over records.

    Returns
    -------
    DataFrame
        Columns model, against, metric, channel (``"all"`` or a name), count, difference (model minus against),
        low, high, share (of the resamples in which ``model`` is better). ``mae`` and ``mse`` are means over what
        ``average`` names, ``skill`` the mean over channels with at least ``min_targets`` targets; only those appear on their own.
    """
    rows = []
    for first, second in combinations(predictions, 2):
        pair = (y, list(predictions[first]), list(predictions[second]))
        for metric in _SCORES:
            common: dict[str, Any] = {
                "metric": metric,
                "means": means,
                "n_resamples": n_resamples,
                "random_state": random_state,
            }
            whole = paired_bootstrap(*pair, **common, average=average, min_targets=min_targets)
            entry: dict[Any, Any] = {"channel": "all", "count": int((~np.isnan(y.value)).sum()), **vars(whole)}
            by_channel = paired_bootstrap_by_channel(*pair, **common)
            enough = by_channel[by_channel["count"] >= min_targets].rename_axis("channel").reset_index()
            for found in (entry, *enough.to_dict("records")):
                rows.append({"model": first, "against": second, "metric": metric} | found)
    columns = ["model", "against", "metric", "channel", "count", "difference", "low", "high", "share"]
    return pd.DataFrame(rows, columns=columns)
