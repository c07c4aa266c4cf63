"""``cndts tune``: search the settings of a model on a table of events."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cndts.cli._events import (
    ChannelColumn,
    Columns,
    Duplicates,
    RecordColumn,
    Since,
    StaticFile,
    TimeColumn,
    TimeUnit,
    ValueColumn,
    read_events,
)
from cndts.cli._lessons import Observed, hold_out, lesson_for
from cndts.cli._progress import progress_bar
from cndts.cli._settings import parse_setting

if TYPE_CHECKING:
    from cndts.estimators import TuningResult

_SHOWN = 5


def tune(
    data: Annotated[Path, typer.Argument(help="Events as CSV or Parquet.")],
    observe: Annotated[float, typer.Option(help="Length of the context, in the time unit.")] = 24.0,
    horizon: Annotated[float, typer.Option(help="How far ahead to learn, in the time unit.")] = 24.0,
    model: Annotated[str, typer.Option(help="Which model; `cndts info` lists them.")] = "hybrid-memory",
    trials: Annotated[
        int, typer.Option(min=1, help="Trials in all, those of earlier runs in --storage included.")
    ] = 30,
    timeout: Annotated[float | None, typer.Option(help="Seconds after which no further trial starts.")] = None,
    storage: Annotated[
        Path | None, typer.Option(help="File that keeps every trial, to go on after an interruption (.db: SQLite).")
    ] = None,
    space: Annotated[
        Path | None, typer.Option(help="JSON file with the parameters to search; the model's own space if left out.")
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter to hold fixed: NAME=VALUE, as JSON. Repeatable.")
    ] = None,
    prune: Annotated[bool, typer.Option(help="Stop hopeless trials of neural models early.")] = True,
    validation: Annotated[float, typer.Option(help="Share of the records to score on.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    since: Since = None,
    observed: Observed = 0.5,
    record: RecordColumn = "record",
    time: TimeColumn = "time",
    channel: ChannelColumn = "channel",
    value: ValueColumn = "value",
    time_unit: TimeUnit = "h",
    static: StaticFile = None,
    duplicates: Duplicates = "error",
    json: Annotated[bool, typer.Option("--json", help="Write everything as JSON to stdout.")] = False,
) -> None:
    """Search the settings of a model: fit with many, score on held-out records, and print the best for `cndts fit`."""
    from cndts.benchmarking import make_model
    from cndts.estimators import default_space
    from cndts.estimators import tune as search

    if not 0 < validation < 1:
        raise ValueError(f"--validation is a share between 0 and 1; got {validation}.")
    fixed = dict(map(parse_setting, setting or []))
    estimator = make_model(model, random_state=seed, **fixed)
    wanted = default_space(estimator) if space is None else read_space(space)
    wanted = {name: entry for name, entry in wanted.items() if name not in fixed}
    panel = read_events(data, Columns(record, time, channel, value), time_unit, static, duplicates)
    kept, held_out = hold_out(panel, validation, seed)
    if held_out is None:
        raise ValueError(f"{data} has {len(panel)} records, too few to hold {validation:g} of them out; give more.")
    cut = (observe, horizon, since, observed, data)
    (X, y), (X_val, y_val) = lesson_for(estimator, kept, *cut), lesson_for(estimator, held_out, *cut)
    with progress_bar() as bar:
        task = bar.add_task(f"tuning {model}", total=trials)
        result = search(
            estimator,
            X,
            y,
            X_val=X_val,
            y_val=y_val,
            space=wanted,
            n_trials=trials,
            timeout=timeout,
            storage=storage,
            study=model,
            prune=prune,
            random_state=seed,
            progress=lambda found: bar.update(
                task, completed=len(found.trials), description=f"tuning {model}: {found.best_score:.4f}"
            ),
        )
    if json:
        typer.echo(result.to_json())
        return
    show(result, model, fixed)


def read_space(path: Path) -> dict[str, Any]:
    """Parameters to search, from a JSON file."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; --space names a JSON file with the parameters to search.")
    try:
        found = json_format.loads(path.read_text(encoding="utf-8"))
    except (json_format.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise TypeError(f'{path} must hold an object such as {{"width": [32, 64]}}; got {type(found).__name__}.')
    return found


def show(result: TuningResult, model: str, fixed: dict[str, Any]) -> None:
    """The best trials, and the best settings as options of ``cndts fit``."""
    from cndts.cli._tables import print_table

    best = result.to_frame().head(_SHOWN)
    names = list(result.best_params)
    rows = (
        (int(row["number"]), row["state"], f"{row['score']:.4f}", *(_short(row[name]) for name in names))
        for _, row in best[best["score"].notna()].iterrows()
    )
    typer.echo(
        f"{model}: {result.n_complete} trials complete, {result.n_pruned} stopped early, {result.n_failed} failed\n"
    )
    print_table(None, ["trial", "state", "score", *names], rows)
    gain = "" if result.default_score is None else f" (as given: {result.default_score:.4f})"
    typer.echo(f"\nbest score: {result.best_score:.4f}{gain}")
    settings = (fixed | result.best_params).items()
    plain = ((name, entry if isinstance(entry, str) else json_format.dumps(entry)) for name, entry in settings)
    options = " ".join(f"--set {name}={entry}" for name, entry in plain)
    typer.echo(f"for cndts fit: --model {model} {options}")


def _short(entry: Any) -> str:
    return f"{entry:.4g}" if isinstance(entry, float) else str(entry)
