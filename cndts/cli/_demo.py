"""``cndts demo``: everything in under two minutes, on generated records."""

from __future__ import annotations

import json as json_format
import time
from pathlib import Path
from typing import Annotated

import typer

from cndts.cli._progress import progress_bar
from cndts.cli._settings import split_list
from cndts.cli._tables import print_table

# In forecasting, linear interpolation is the last value: it would only draw the same line twice.
MODELS = "hybrid-memory,boosted-trees,ridge,decay-to-mean,last-value,channel-mean"
# A terminal is 80 characters wide.
_ONLY_IN_THE_REPORT = ("CRPS", "in 50 %", "predict (s)")


def demo(
    report: Annotated[Path, typer.Option(help="The HTML page to write.")] = Path("cndts-report.html"),
    models: Annotated[str, typer.Option(help="Names separated by commas; the report is about the first.")] = MODELS,
    records: Annotated[int, typer.Option(min=50, help="Number of generated patients.")] = 600,
    epochs: Annotated[int, typer.Option(min=1, help="Passes of hybrid-memory over the training records.")] = 60,
    seed: Annotated[int, typer.Option(help="Seed of records and models.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Write the scores as JSON to stdout.")] = False,
) -> None:
    """Generate ICU-like records, fit the forecaster and its baselines, and write a report with plots."""
    from cndts.report import demonstrate, demonstration_page, headline, load_pyplot, score_cells, write_page

    load_pyplot().switch_backend("agg")
    if not report.absolute().parent.is_dir():
        raise FileNotFoundError(f"there is no folder {report.parent}; make it first.")
    start = time.perf_counter()
    names = split_list(models)
    settings = {"hybrid-memory": {"training__epochs": epochs}}
    with progress_bar() as bar:
        task = bar.add_task("generating records", total=len(names) + 1)
        found = demonstrate(
            names,
            n_records=records,
            random_state=seed,
            settings=settings,
            progress=lambda what, done, total: bar.update(task, description=what, completed=done),
        )
        bar.update(task, description="drawing the report", completed=len(names))
        write_page(report, demonstration_page(found))
    scores, differences = found.comparison.scores(), found.comparison.differences()
    if json:
        content = {"report": str(report), "seconds": time.perf_counter() - start}
        content |= {"models": json_format.loads(scores.to_json(orient="index"))}
        typer.echo(json_format.dumps(content, indent=1))
        return
    cells = score_cells(scores, differences)
    shown = cells[[heading for heading in cells.columns if heading not in _ONLY_IN_THE_REPORT]]
    print_table(None, list(shown.columns), shown.itertuples(index=False))
    typer.echo("\n" + headline(found.comparison, scores, differences))
    typer.echo(f"report: {report} ({time.perf_counter() - start:.0f} s)")
