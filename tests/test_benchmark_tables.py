"""Tables in the terminal: every number and name is whole, however narrow the window."""

import io
import re

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from typer.testing import CliRunner

from cndts.benchmarking import BenchmarkResult
from cndts.cli import app
from cndts.cli._benchmark_tables import print_differences, print_published, print_scores, published_number
from cndts.cli._tables import WIDTH_OF_A_FILE, print_table
from cndts.protocols import available_protocols, protocol

PUBLISHED = [(name, {}) for name in available_protocols()] + [("physiome-ode", {"data_set": "LEN02"})]
WIDTHS = [80, WIDTH_OF_A_FILE]


def printed(width: int, show, *content) -> str:
    console = Console(file=io.StringIO(), width=width)
    show(*content, console)
    return console.file.getvalue()


def lines_of(text: str, name: str) -> str:
    """All lines that begin with a name as a cell, one after the other."""
    return "\n".join(line for line in text.splitlines() if re.match(re.escape(name) + r"($| {2})", line))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("name", "settings"), PUBLISHED, ids=str)
def test_published_numbers_are_whole(name: str, settings: dict, width: int) -> None:
    """Each beside the name of its model, and every source in words."""
    published = protocol(name, **settings).published()
    text = printed(width, print_published, published)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    for model, row in published.iterrows():
        beside = lines_of(text, model).split()
        for score, value in row.drop("source").dropna().items():
            assert published_number(score, value) in beside
    for source in published["source"].unique():
        assert source in " ".join(text.split())


@pytest.mark.parametrize("name", available_protocols())
def test_printed_published_numbers_are_those_published(name: str) -> None:
    """The form that they are printed in keeps all their digits."""
    for score, values in protocol(name).published().drop(columns="source").items():
        for value in values.dropna():
            assert float(published_number(score, value)) == pytest.approx(value, rel=1e-9)


def test_piped_information_has_the_numbers() -> None:
    """Through the command itself."""
    published = protocol("grafiti/ushcn").published()
    result = CliRunner().invoke(app, ["info", "grafiti/ushcn"])
    for value in published["mse"]:
        assert f"{value:.3e}" in result.stdout


@pytest.fixture(scope="module")
def result() -> BenchmarkResult:
    """Three models, two seeds, all scores that a table may show."""
    names = ["mse", "mae", "nll", "auroc", "auprc", "rmse", "mse_hidden", "mae_hidden", "skill", "crps", "coverage_90"]
    names += ["fit_seconds", "predict_seconds", "peak_mb"]
    models = ["boosted-trees-interpolator-absolute", "ornstein-uhlenbeck-interpolator", "channel-mean"]
    random = np.random.default_rng(0)
    runs = [
        {"model": model, "seed": seed, **dict(zip(names, random.random(len(names)), strict=True))}
        for model in models
        for seed in (0, 1)
    ]
    comparisons = pd.DataFrame(
        [
            {"model": models[0], "against": other, "metric": metric, "channel": "all", "count": 9}
            | dict(zip(("difference", "low", "high"), np.sort(random.normal(size=3)), strict=True))
            for other in models[1:]
            for metric in ("mae", "mse", "skill")
        ]
    )
    sizes = {"test_records": 12, "test_targets": 1234}
    return BenchmarkResult(
        "mtan/physionet2012", "", sizes, runs, pd.DataFrame(), comparisons, "observation", pd.DataFrame()
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_scores_and_differences_are_whole(result: BenchmarkResult, width: int) -> None:
    """Means, deviations and both ends of every interval; nothing is cut or broken over two lines."""
    scores, differences = (printed(width, show, result) for show in (print_scores, print_differences))
    assert max(len(line) for line in (scores + differences).splitlines()) <= width
    for model, row in result.summary().iterrows():
        assert f"{row['mse', 'mean']:.3e} ±{row['mse', 'std']:.3e}" in lines_of(scores, model)
        assert f"{row['coverage_90', 'mean']:.1%} ±{row['coverage_90', 'std']:.1%}" in lines_of(scores, model)
        assert f"{row['peak_mb', 'mean']:.0f} ±{row['peak_mb', 'std']:.0f}" in lines_of(scores, model)
    for row in result.comparisons.query("metric != 'skill'").to_dict("records"):
        interval = f"{row['difference']:+.2e} [{row['low']:+.2e}, {row['high']:+.2e}]"
        assert interval in lines_of(differences, row["against"])
    assert "errors over observations, skill over channels" in " ".join(differences.split())


def test_a_column_too_many_goes_below() -> None:
    """Beside the first column again; where everything fits there is one table."""
    table = (None, ["model", "MSE", "MAE"], [["ridge", "1.000", "2.000"]])
    assert len(printed(40, print_table, *table).splitlines()) == 3
    assert [line.split() for line in printed(16, print_table, *table).splitlines() if "ridge" in line] == [
        ["ridge", "1.000"],
        ["ridge", "2.000"],
    ]


def test_brackets_are_no_markup() -> None:
    """An interval without numbers is printed too."""
    assert "nan [nan, nan]" in printed(80, print_table, "[title]", ["a", "b"], [["x", "nan [nan, nan]"]])
    assert "[title]" in printed(80, print_table, "[title]", ["a", "b"], [["x", "y"]])


def test_a_window_too_narrow_folds() -> None:
    """All characters are there, on more lines."""
    text = printed(12, print_table, None, ["model", "MSE"], [["hybrid-memory", "1.234e-05"]])
    assert "…" not in text
    assert sorted("".join(text.split()).replace("─", "")) == sorted("modelMSEhybrid-memory1.234e-05")
