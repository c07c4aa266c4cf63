"""What a search has found."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from cndts._whole_file import whole_file


@dataclass(frozen=True)
class TuningResult:
    """What a search has found, over all its runs.

    Parameters
    ----------
    model : str
        Class of the estimator.
    best_params : dict
        Settings of the best trial, for ``set_params``.
    best_score : float
        Its score on the validation records. The best of many trials looks better there than it is: compare on other records.
    default_score : float or None
        Score of the settings that the search started from; None where they lie outside the space.
    n_complete, n_pruned, n_failed : int
        Trials that ran to their end, that were stopped early, and that failed.
    trials : list of dict
        Of each trial: ``number``, ``state``, ``score`` (of a pruned one the last it reached), ``params``, ``seconds``, ``epochs``
        and, of a failed one, ``error``.
    space : dict
        What was searched.
    """

    model: str
    best_params: dict[str, Any]
    best_score: float
    default_score: float | None
    n_complete: int
    n_pruned: int
    n_failed: int
    trials: list[dict[str, Any]]
    space: dict[str, Any]

    def to_frame(self) -> pd.DataFrame:
        """One row per trial, the best first, with a column for each parameter."""
        rows = [
            {key: value for key, value in trial.items() if key != "params"} | trial["params"] for trial in self.trials
        ]
        return pd.DataFrame(rows).sort_values("score", ascending=False, na_position="last", ignore_index=True)

    def to_json(self) -> str:
        """Everything as JSON."""
        return json.dumps(asdict(self), indent=1)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `to_json` to a file, whole or not at all."""
        with whole_file(path) as unfinished:
            unfinished.write_text(self.to_json() + "\n", encoding="utf-8")
