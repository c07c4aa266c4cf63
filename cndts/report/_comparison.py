"""Several forecasters on one task, in this process: what a report is made from."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.benchmarking import make_model, reference_means, score_distribution, score_skill
from cndts.metrics import by_horizon, channel_table, interval_coverage, mean_absolute_error, paired_bootstrap
from cndts.panel import IrregularPanel
from cndts.targets import Targets

if TYPE_CHECKING:
    from cndts.estimators import BaseForecaster

LEVELS = np.round(np.linspace(0.05, 0.95, 19), 2)
Task = tuple[IrregularPanel, Targets]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Forecasts:
    """What one model said about the test records, and what it took.

    Parameters
    ----------
    model : BaseForecaster
        The fitted model.
    value : ndarray of shape (n_targets,)
        Point forecasts.
    quantiles : ndarray of shape (n_targets, 19)
        Forecast quantiles at 0.05, 0.10, ..., 0.95.
    fit_seconds, predict_seconds : float
        Wall-clock times.
    """

    model: BaseForecaster
    value: Floats
    quantiles: Floats
    fit_seconds: float
    predict_seconds: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several models on the same test records.

    Errors are in standard deviations of the channel's training targets, so that channels can be averaged.

    Parameters
    ----------
    test : tuple of IrregularPanel and Targets
        Context with queries, and the values there.
    forecasts : mapping of str to Forecasts
        By model name; the first is the one that the report is about.
    means, deviations : ndarray of shape (n_channels,)
        Mean and standard deviation of the training targets of every channel.
    sizes : mapping of str to int
        Numbers of records and events in the parts.
    """

    test: Task
    forecasts: Mapping[str, Forecasts]
    means: Floats
    deviations: Floats
    sizes: Mapping[str, int]

    def standardised(self) -> Targets:
        """Test targets in standard deviations from the mean."""
        y = self.test[1]
        return y.with_values(self._standard(np.asarray(y.value, dtype=np.float64)))

    def _standard(self, value: Floats) -> Floats:
        channel = self.test[1].channel
        shape = (-1,) + (1,) * (value.ndim - 1)
        return (value - self.means[channel].reshape(shape)) / self.deviations[channel].reshape(shape)

    def scores(self, min_targets: int = 30) -> pd.DataFrame:
        """One row a model with skill, errors, coverages and seconds."""
        y, rows = self.standardised(), {}
        for name, forecast in self.forecasts.items():
            value, quantiles = self._standard(forecast.value), self._standard(forecast.quantiles)
            skill = score_skill(y, value, np.zeros_like(self.means), min_targets)
            rows[name] = {"skill": skill, "mae": mean_absolute_error(y, value, average="channel")}
            rows[name] |= score_distribution(y, quantiles, LEVELS)
            rows[name] |= {"fit_seconds": forecast.fit_seconds, "predict_seconds": forecast.predict_seconds}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")

    def differences(self) -> pd.DataFrame:
        """Mean absolute error of the first model minus that of each other one, with 95 % intervals over records."""
        y = self.standardised()
        values = {name: self._standard(forecast.value) for name, forecast in self.forecasts.items()}
        first, *others = values
        found = {other: vars(paired_bootstrap(y, values[first], values[other], metric="mae")) for other in others}
        return pd.DataFrame.from_dict(found, orient="index").rename_axis("against")

    def errors_by_horizon(self, since: float, edges: Floats) -> dict[str, Floats]:
        """Mean absolute error in bands of the horizon, averaged over channels."""
        y = self.standardised()
        bands = {"bands": list(edges), "average": "channel", "since": since}
        return {
            name: by_horizon(y, self._standard(forecast.value), **bands)["mae"].to_numpy()  # type: ignore[arg-type]
            for name, forecast in self.forecasts.items()
        }

    def coverage(self) -> tuple[Floats, dict[str, Floats]]:
        """Coverage that central intervals promise, and share of the test targets inside them by model."""
        n = len(LEVELS) // 2
        promised = np.array([LEVELS[-1 - i] - LEVELS[i] for i in range(n)])[::-1]
        covered = {}
        for name, forecast in self.forecasts.items():
            ends = [forecast.quantiles[:, [i, -1 - i]] for i in range(n)][::-1]
            covered[name] = np.array([interval_coverage(self.test[1], end, average="observation") for end in ends])
        return promised, covered

    def skill_by_channel(self, min_targets: int = 30) -> tuple[list[str], dict[str, Floats]]:
        """Channels with enough targets, best forecast first, and the skill of every model on them."""
        y = self.test[1]
        tables = {name: channel_table(y, forecast.value, means=self.means) for name, forecast in self.forecasts.items()}
        first = next(iter(tables.values()))
        order = first[first["count"] >= min_targets].sort_values("skill", ascending=False).index
        return [str(channel) for channel in order], {
            name: table.loc[order, "skill"].to_numpy(dtype=np.float64) for name, table in tables.items()
        }


def compare_forecasters(
    train: Task,
    validation: Task,
    test: Task,
    models: Sequence[str],
    *,
    random_state: int = 0,
    settings: Mapping[str, Mapping[str, object]] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Comparison:
    """Fit models by name on the same records and forecast the test records with each.

    Parameters
    ----------
    train, validation, test : tuple of (IrregularPanel, Targets)
        Context with queries, and the values there.
    models : sequence of str
        Names from :func:`cndts.benchmarking.available_models`.
    random_state : int, default=0
        Seed of the models that have one.
    settings : mapping of str to mapping, optional
        Parameters by model name.
    progress : callable, optional
        Called with the model's name, the number of models done and the number of models.

    Returns
    -------
    Comparison
    """
    forecasts = {}
    for done, name in enumerate(models):
        if progress is not None:
            progress(f"fitting {name}", done, len(models))
        model = make_model(name, random_state=random_state, **(settings or {}).get(name, {}))
        forecasts[name] = _fit_and_predict(model, train, validation, test[0])
    deviation = _deviations(train[1])
    sizes = {
        "train": len(train[0]),
        "validation": len(validation[0]),
        "test": len(test[0]),
        "events": train[0].n_events,
    }
    return Comparison(test, forecasts, reference_means(train[1]), deviation, sizes)


def _fit_and_predict(model: BaseForecaster, train: Task, validation: Task, X: IrregularPanel) -> Forecasts:
    start = time.perf_counter()
    model.fit(*train, X_val=validation[0], y_val=validation[1])
    fitted = time.perf_counter()
    value = np.asarray(model.predict(X), dtype=np.float64)
    predicted = time.perf_counter()
    return Forecasts(model, value, model.predict_quantiles(X, LEVELS), fitted - start, predicted - fitted)


def _deviations(y: Targets) -> Floats:
    """Standard deviation of the targets of every channel; 1 where it is zero or unknown."""
    n_channels = len(y.channels)
    residual = np.asarray(y.value, dtype=np.float64) - reference_means(y)[y.channel]
    known = ~np.isnan(residual)
    count = np.bincount(y.channel[known], minlength=n_channels)
    deviation = np.sqrt(np.bincount(y.channel[known], residual[known] ** 2, n_channels) / np.maximum(count, 1))
    return np.where(deviation > 0, deviation, 1.0)
