"""The result of a benchmark as tables in the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cndts.cli._tables import make_table, terminal

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

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


def print_result(result: BenchmarkResult) -> None:
    """Scores by model, differences of the first model to the others, published numbers."""
    console = terminal()
    console.print(scores_table(result), "")
    if len(result.comparisons):
        console.print(differences_table(result), "")
    if len(result.published):
        console.print(published_table(result.published))
        if caution := result.published.attrs.get("caution"):
            console.print(f"\n{caution}")


def scores_table(result: BenchmarkResult) -> Table:
    """One row a model: mean over seeds, and the standard deviation where there are several."""
    data, seeds = result.data, len({run["seed"] for run in result.runs})
    title = (
        f"{result.protocol}: {data['test_records']:,} test records, {data['test_targets']:,} targets, seeds: {seeds}"
    )
    summary = result.summary()
    columns = {name: column for name, column in _COLUMNS.items() if name in summary}
    rows = (
        (model, *(_spread(row[name], form) for name, (_, form) in columns.items())) for model, row in summary.iterrows()
    )
    return make_table(title, ["model", *(heading for heading, _ in columns.values())], rows)


def differences_table(result: BenchmarkResult) -> Table:
    """The first model against every other one, with 95 % intervals and the channels it wins and loses beyond them."""
    first = result.comparisons["model"].iloc[0]
    rows = result.comparisons[result.comparisons["model"] == first]
    cells = [_against(str(other), rows[rows["against"] == other]) for other in rows["against"].unique()]
    headings = ("against", "MAE", "MSE", "skill", "channels won", "lost")
    title = f"{first} minus another model, means over {result.average}s, 95 % interval over records"
    return make_table(title, headings, cells)


def published_table(published: pd.DataFrame) -> Table:
    """What others have reported under the protocol; columns that nobody has reported are left out."""
    published = published.dropna(axis="columns", how="all")
    rows = ((model, *map(_published, row)) for model, row in zip(published.index, published.to_numpy(), strict=True))
    return make_table("published under this protocol", ["model", *map(str, published.columns)], rows)


def _against(other: str, pair: pd.DataFrame) -> tuple[str, ...]:
    whole = pair[pair["channel"] == "all"].set_index("metric")
    channels = pair[(pair["channel"] != "all") & (pair["metric"] == "skill")]
    won, lost = int((channels["low"] > 0).sum()), int((channels["high"] < 0).sum())
    differences = (_interval(whole.loc[[metric]].iloc[0], form) for metric, form in _DIFFERENCES.items())
    return (other, *differences, f"{won} of {len(channels)}", str(lost))


def _interval(row: pd.Series, form: str) -> str:
    difference, low, high = (form.format(row[name]) for name in ("difference", "low", "high"))
    return f"{difference} [{low}, {high}]"


def _spread(cell: pd.Series, form: str) -> str:
    mean, deviation = cell["mean"], cell["std"]
    return form.format(mean) if math.isnan(deviation) else f"{form.format(mean)} ±{form.format(deviation)}"


def _published(entry: object) -> str:
    if isinstance(entry, float):
        return "" if math.isnan(entry) else f"{entry:.2e}"
    return str(entry)
