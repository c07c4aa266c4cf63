"""What a benchmark has found."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from cndts.benchmarking._exchange import write_json
from cndts.metrics._average import Average

SUMMARY = ("mse", "mae", "skill", "crps", "coverage_90", "fit_seconds", "predict_seconds", "peak_mb")
# of some protocols or models: about values that the context lacks, normal forecasts, labels, curves
FIRST = (
    *("mse_hidden", "mae_hidden", "mse_hidden_by_channel", "mae_hidden_by_channel"),
    *("nll", "auroc", "auprc", "rmse", "rmse_interpolation", "rmse_extrapolation"),
)


@dataclass(frozen=True, eq=False)
class BenchmarkResult:
    """Scores, resources and comparisons of several models under one protocol.

    Parameters
    ----------
    protocol : str
        Name of the protocol.
    description : str
        What the protocol does.
    data : dict
        Sizes of the parts and of the test task.
    runs : list of dict
        One entry per model and seed: ``model``, ``seed``, ``mse`` and ``mae`` (under the protocol's own averaging),
        ``nll`` (of models with ``head="gaussian"``), ``skill``, ``crps`` and coverages
        (not of classifiers), ``fit_seconds``, ``predict_seconds``, ``peak_mb`` (growth of resident memory from
        the start of fit to the end of predict), ``threads``, ``parameters``, ``versions``.
    channels : DataFrame
        Per model and channel: count, mse, mae and skill, averaged over seeds.
    comparisons : DataFrame
        Paired bootstrap of every two models, see ``compare_models``.
    average : {"observation", "channel", "record"}
        What the errors of ``comparisons`` are means over, as the protocol chooses: mostly the nearest to its own score.
    published : DataFrame
        Published results under the protocol; ``attrs["caution"]`` says why they do not quite compare.
    machine : dict
        Cores, processor and system.
    protocol_settings : dict
        What was chosen where the protocol leaves a choice.
    """

    protocol: str
    description: str
    data: dict[str, int]
    runs: list[dict[str, Any]]
    channels: pd.DataFrame
    comparisons: pd.DataFrame
    average: Average
    published: pd.DataFrame
    machine: dict[str, Any] = field(default_factory=dict)
    protocol_settings: dict[str, Any] = field(default_factory=dict)

    def summary(self) -> pd.DataFrame:
        """Mean and standard deviation over seeds, one row a model, columns by score and statistic."""
        runs = pd.DataFrame(self.runs)
        return runs.groupby("model", sort=False)[self._columns(runs)].agg(["mean", "std"])

    @staticmethod
    def _columns(runs: pd.DataFrame) -> list[str]:
        return [name for name in (*FIRST, *SUMMARY) if name in runs]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON types; what is not known is null."""
        return _plain(
            {
                "protocol": self.protocol,
                "protocol_settings": self.protocol_settings,
                "description": self.description,
                "data": self.data,
                "machine": self.machine,
                "runs": self.runs,
                "channels": self.channels.to_dict("records"),
                "average": self.average,
                "comparisons": self.comparisons.to_dict("records"),
                **published_as_json(self.published),
            }
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write :meth:`to_dict` as JSON, whole or not at all."""
        write_json(Path(path), self.to_dict())


def published_as_json(published: pd.DataFrame) -> dict[str, Any]:
    """Published results and what keeps them from being comparable, as plain JSON types."""
    rows = published.reset_index(drop=published.index.name is None).to_dict("records")
    return {"published": _plain(rows), "caution": published.attrs.get("caution", "")}


def _plain(content: Any) -> Any:
    if isinstance(content, dict):
        return {str(name): _plain(entry) for name, entry in content.items()}
    if isinstance(content, (list, tuple)):
        return [_plain(entry) for entry in content]
    if hasattr(content, "item"):
        content = content.item()
    return None if isinstance(content, float) and not math.isfinite(content) else content
