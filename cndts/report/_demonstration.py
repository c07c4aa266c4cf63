"""The demonstration: generated ICU records, every forecaster, one report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cndts.benchmarking import available_threads, versions
from cndts.datasets import IcuTruth, make_icu
from cndts.report._comparison import Comparison, Forecasts, compare_forecasters
from cndts.report._figures import Example, as_svg, coverage_figure, forecast_figure, horizon_figure, skill_figure
from cndts.report._page import Section, render_page
from cndts.tasks import Extrapolation, RecordSplit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OBSERVE = HORIZON = 24.0
BANDS = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
HORIZON_EDGES = np.arange(0.0, HORIZON + 1, 4.0)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Demonstration:
    """A comparison on generated records whose true curves are known.

    Parameters
    ----------
    comparison : Comparison
        The models on the test records.
    truth : IcuTruth
        True curves by record id.
    random_state : int
        Seed of records and models.
    """

    comparison: Comparison
    truth: IcuTruth
    random_state: int


def demonstrate(
    models: Sequence[str],
    *,
    n_records: int = 600,
    random_state: int = 0,
    settings: Mapping[str, Mapping[str, object]] | None = None,
    progress: Progress | None = None,
) -> Demonstration:
    """Generate ICU-like records, cut them at 24 h, and forecast the next 24 h with every model.

    Parameters
    ----------
    models : sequence of str
        Names from :func:`cndts.benchmarking.available_models`; the first is the one that the report is about.
    n_records : int, default=600
        Number of patients: 60 % for training, 20 % for validation, 20 % for the test.
    random_state : int, default=0
        Seed of records and models.
    settings : mapping of str to mapping, optional
        Parameters by model name.
    progress : callable, optional
        Called with what is being done, the number of models done and the number of models.

    Returns
    -------
    Demonstration
    """
    panel, truth = make_icu(n_records, random_state=random_state, return_truth=True)
    task = Extrapolation(observe=OBSERVE, horizon=HORIZON)
    parts = RecordSplit.draw(panel, (0.6, 0.2, 0.2), random_state).apply(panel)
    train, validation, test = (task.split(part) for part in parts)
    comparison = compare_forecasters(
        train, validation, test, models, random_state=random_state, settings=settings, progress=progress
    )
    return Demonstration(comparison, truth, random_state)


def demonstration_page(found: Demonstration) -> str:
    """The report of a demonstration as one HTML page."""
    comparison = found.comparison
    first, scores, differences = next(iter(comparison.forecasts)), comparison.scores(), comparison.differences()
    sections = [
        Section("Scores on the test records", tables=[score_cells(scores, differences)], note=SCORE_NOTE),
        Section(
            "Forecasts and what came",
            f"One panel a channel, forecast by {first}. Everything left of the dashed line is what the model saw.",
            pictures=[("Forecasts with bands, observations and true curves", as_svg(_forecasts(found)))],
            note="Chosen before any error was known: for each channel, the record at the 80th percentile of observations "
            "before the cut times observations after it. The true curve is what the generator drew before noise; no model has seen it.",
        ),
        Section(
            "Error by horizon",
            "The further ahead, the less the last values help.",
            pictures=[("Mean absolute error by horizon for every model", as_svg(_horizons(comparison)))],
        ),
        Section(
            "Intervals and channels",
            "Left: of the values that came, how many lie inside the central interval that promised to hold so many; on "
            "the dashed line both agree. Right: what each model knows beyond the mean of a channel; an arrow stands for less than -0.5.",
            pictures=[
                (
                    "Coverage of central intervals against what they promise",
                    as_svg(coverage_figure(*comparison.coverage())),
                ),
                ("Skill of every model on every channel", as_svg(_skills(comparison))),
            ],
        ),
        Section("How this was made", _method(found)),
    ]
    return render_page(
        "Forecasting irregularly sampled ICU records", headline(comparison, scores, differences), sections
    )


SCORE_NOTE = (
    "Skill: 1 - MSE / MSE(training mean), averaged over channels; 1 is perfect, 0 no better than the mean. MAE and CRPS in "
    "standard deviations of the channel, averaged over channels; lower is better. Difference: MAE of the first model minus that of "
    "this one, with the 95 % interval of a paired bootstrap over records; below zero the first model is better."
)


def headline(comparison: Comparison, scores: pd.DataFrame, differences: pd.DataFrame) -> str:
    """The result in one or two sentences, whichever way it went."""
    first = str(scores.index[0])
    row = scores.iloc[0]
    text = (
        f"From the first {OBSERVE:g} hours of {comparison.sizes['test']} new patients, {first} forecasts the next {HORIZON:g} "
        f"with a skill of {row['skill']:.2f}; {row['coverage_90']:.0%} of what came lies in its 90 % intervals."
    )
    if differences.empty:
        return text
    won = differences.index[differences["high"] < 0]
    lost = differences.index[differences["low"] > 0]
    text += f" Its error is clearly lower than that of {len(won)} of {len(differences)} other models"
    return text + (f", and clearly higher than that of {', '.join(lost)}." if len(lost) else ".")


def score_cells(scores: pd.DataFrame, differences: pd.DataFrame) -> pd.DataFrame:
    """Scores as text, under headings for people."""
    cells = pd.DataFrame({"model": scores.index})
    for name, heading, form in _COLUMNS:
        cells[heading] = [form.format(entry) for entry in scores[name]]
    if len(differences):
        cells["difference in MAE"] = ["", *(_difference(row) for _, row in differences.iterrows())]
    return cells


_COLUMNS = (
    ("skill", "skill", "{:.3f}"),
    ("mae", "MAE", "{:.3f}"),
    ("crps", "CRPS", "{:.3f}"),
    ("coverage_50", "in 50 %", "{:.1%}"),
    ("coverage_90", "in 90 %", "{:.1%}"),
    ("fit_seconds", "fit (s)", "{:.1f}"),
    ("predict_seconds", "predict (s)", "{:.2f}"),
)


def _difference(row: pd.Series) -> str:
    return f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"


def _horizons(comparison: Comparison) -> Figure:
    errors = comparison.errors_by_horizon(OBSERVE, HORIZON_EDGES)
    return horizon_figure(errors, HORIZON_EDGES, "h", "MAE (standard deviations)")


def _skills(comparison: Comparison) -> Figure:
    channels, skills = comparison.skill_by_channel()
    return skill_figure(skills, channels)


def _forecasts(found: Demonstration) -> Figure:
    forecast = next(iter(found.comparison.forecasts.values()))
    examples = [_example(found, forecast, channel) for channel in range(len(found.truth.channels))]
    return forecast_figure(examples, "h")


def _example(found: Demonstration, forecast: Forecasts, channel: int) -> Example:
    X, y = found.comparison.test
    position = _typical_record(found.comparison, channel)
    record, name = X.records[position], X.channels[channel]
    context, came = X[position], y[position]
    seen, asked = context.channel == channel, came.channel == channel
    hours = np.linspace(0.0, OBSERVE + HORIZON, 240)
    grid = np.linspace(OBSERVE, OBSERVE + HORIZON, 97)
    bands = forecast.model.predict_quantiles(context.with_queries(times=list(grid), channels=[name]), BANDS)
    return Example(
        title=f"{name}, patient {record}",
        unit=X.units.get(name, ""),
        cut=OBSERVE,
        seen=(context.time[seen], context.value[seen]),
        came=(came.time[asked], came.value[asked]),
        truth=(hours, found.truth(record, name, hours)),
        grid=grid,
        bands=bands,
    )


def _typical_record(comparison: Comparison, channel: int) -> int:
    """The record at the 80th percentile of the number of observations of a channel, before and after the cut."""
    X, y = comparison.test
    counts = np.bincount(X.record[X.channel == channel], minlength=len(X))
    counts = counts * np.bincount(y.record[y.channel == channel], minlength=len(X))
    return int(np.argsort(counts, kind="stable")[int(0.8 * (len(X) - 1))])


def _method(found: Demonstration) -> str:
    sizes, made_by = found.comparison.sizes, versions()
    return (
        f"{sizes['train'] + sizes['validation'] + sizes['test']} patients from cndts.datasets.make_icu (seed "
        f"{found.random_state}): {sizes['train']} for training with {sizes['events']:,} observations before the cut, "
        f"{sizes['validation']} for validation, {sizes['test']} for the test, observed at irregular times, sicker patients more often. "
        f"Every model saw the same records; none saw a test record. {available_threads()} cores; "
        + ", ".join(f"{name} {version}" for name, version in made_by.items())
        + "."
    )
