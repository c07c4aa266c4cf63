"""The result of a benchmark as tables in the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cndts.cli._tables import print_table, print_text, terminal

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from cndts.benchmarking import BenchmarkResult

_COLUMNS = {
    "mse": ("MSE", "{:.3e}"),
    "mae": ("MAE", "{:.3e}"),
    "nll": ("NLL", "{:.3f}"),
    "auroc": ("AUROC", "{:.3f}"),
    "auprc": ("AUPRC", "{:.3f}"),
    "rmse": ("RMSE", "{:.3e}"),
    "mse_hidden": ("MSE hidden", "{:.3e}"),
    "mae_hidden": ("MAE hidden", "{:.3e}"),
    "skill": ("skill", "{:.3f}"),
    "coverage_90": ("in 90 %", "{:.1%}"),
    "fit_seconds": ("fit (s)", "{:.1f}"),
    "predict_seconds": ("predict (s)", "{:.2f}"),
    "peak_mb": ("peak (MB)", "{:.0f}"),
}
_DIFFERENCES = {"mae": "{:+.2e}", "mse": "{:+.2e}", "skill": "{:+.3f}"}


def print_result(result: BenchmarkResult, console: Console | None = None) -> None:
    """Scores by model, differences of the first model to the others, published numbers."""
    console = console or terminal()
    print_scores(result, console)
    if len(result.comparisons):
        console.print()
        print_differences(result, console)
    if len(result.published):
        console.print()
        print_published(result.published, console)


def print_scores(result: BenchmarkResult, console: Console) -> None:
    """One row a model: mean over seeds, and the standard deviation where there are several; nothing where there is no score."""
    data, seeds = result.data, len({run["seed"] for run in result.runs})
    title = (
        f"{result.protocol}: {data['test_records']:,} test records, {data['test_targets']:,} targets, seeds: {seeds}"
    )
    summary = result.summary()
    columns = {
        name: column for name, column in _COLUMNS.items() if name in summary and summary[name, "mean"].notna().any()
    }
    rows = (
        (model, *(_spread(row[name], form) for name, (_, form) in columns.items())) for model, row in summary.iterrows()
    )
    print_table(title, ["model", *(heading for heading, _ in columns.values())], rows, console)


def print_differences(result: BenchmarkResult, console: Console) -> None:
    """The first model against every other one, with 95 % intervals and the channels it wins and loses beyond them."""
    first = result.comparisons["model"].iloc[0]
    rows = result.comparisons[result.comparisons["model"] == first]
    cells = [_against(str(other), rows[rows["against"] == other]) for other in rows["against"].unique()]
    headings = ("against", "MAE", "MSE", "skill", "channels won", "lost")
    title = (
        f"{first} minus another model, errors over {result.average}s, skill over channels, 95 % interval over records"
    )
    print_table(title, headings, cells, console)


def print_published(published: pd.DataFrame, console: Console) -> None:
    """What others have reported under the protocol, its sources numbered below, and what keeps it from comparing.

    Columns that nobody has reported are left out.
    """
    if published.empty:
        print_text("nothing is published under this protocol with these parameters", console)
    else:
        _print_numbered(published, console)
    if caution := published.attrs.get("caution"):
        console.print()
        print_text(caution, console)


def _print_numbered(published: pd.DataFrame, console: Console) -> None:
    scores = published.drop(columns="source").dropna(axis="columns", how="all")
    numbers = {source: number for number, source in enumerate(published["source"].unique(), start=1)}
    rows = (
        (model, *map(published_number, scores.columns, row), f"[{numbers[source]}]")
        for model, row, source in zip(scores.index, scores.to_numpy(), published["source"], strict=True)
    )
    headings = ("model", *map(_published_heading, scores.columns), "source")
    print_table("published under this protocol", headings, rows, console)
    console.print()
    for source, number in numbers.items():
        print_text(f"[{number}] {source}", console)


def published_number(name: str, value: float) -> str:
    """A published number in the form of our own in the same column; nothing where there is none."""
    _, form = _COLUMNS.get(name.removesuffix("_std"), ("", "{:.4g}"))
    return "" if math.isnan(value) else form.format(value)


def _published_heading(name: str) -> str:
    score = name.removesuffix("_std")
    heading, _ = _COLUMNS.get(score, (score.replace("_", " "), ""))
    return heading if score == name else f"{heading} std"


def _against(other: str, pair: pd.DataFrame) -> tuple[str, ...]:
    whole = pair[pair["channel"] == "all"].set_index("metric")
    channels = pair[(pair["channel"] != "all") & (pair["metric"] == "skill")]
    won, lost = int((channels["low"] > 0).sum()), int((channels["high"] < 0).sum())
    differences = (_interval(whole.loc[[metric]].iloc[0], form) for metric, form in _DIFFERENCES.items())
    return (other, *differences, f"{won} of {len(channels)}", str(lost))


def _interval(row: pd.Series, form: str) -> str:
    if math.isnan(row["difference"]):
        return ""
    difference, low, high = (form.format(row[name]) for name in ("difference", "low", "high"))
    return f"{difference} [{low}, {high}]"


def _spread(cell: pd.Series, form: str) -> str:
    mean, deviation = cell["mean"], cell["std"]
    if math.isnan(mean):
        return ""
    return form.format(mean) if math.isnan(deviation) else f"{form.format(mean)} ±{form.format(deviation)}"
