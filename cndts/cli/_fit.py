"""``cndts fit``: learn a forecaster from a table of events."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated

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
from cndts.cli._progress import working
from cndts.cli._settings import parse_setting


def fit(
    data: Annotated[Path, typer.Argument(help="Events as CSV or Parquet.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to save the model, for example icu.cndts.")],
    observe: Annotated[float, typer.Option(help="Length of the context, in the time unit.")] = 24.0,
    horizon: Annotated[float, typer.Option(help="How far ahead to learn, in the time unit.")] = 24.0,
    model: Annotated[str, typer.Option(help="Which model; `cndts info` lists them.")] = "hybrid-memory",
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the data; the model's own number if left out.")
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of the model: NAME=VALUE, as JSON. Repeatable.")
    ] = None,
    validation: Annotated[float, typer.Option(help="Share of the records held out to choose when to stop.")] = 0.2,
    calibration: Annotated[
        float,
        typer.Option(help="Share of the other records held out to calibrate intervals (split conformal); 0 for none."),
    ] = 0.0,
    observed: Observed = 0.5,
    since: Since = None,
    record: RecordColumn = "record",
    time: TimeColumn = "time",
    channel: ChannelColumn = "channel",
    value: ValueColumn = "value",
    time_unit: TimeUnit = "h",
    static: StaticFile = None,
    duplicates: Duplicates = "error",
    json: Annotated[bool, typer.Option("--json", help="Write a summary as JSON to stdout.")] = False,
) -> None:
    """Fit a forecaster to the events before a cut, asked for those after it, and save it.

    An interpolator is fitted to some times of each record, asked for the others.
    """
    from cndts.benchmarking import make_model

    for name, share in (("validation", validation), ("calibration", calibration)):
        if not 0 <= share < 1:
            raise ValueError(f"--{name} is a share in [0, 1); got {share}.")
    if not out.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {out.parent}; make it first.")
    settings = dict(map(parse_setting, setting or []))
    if epochs is not None:
        settings["training__epochs"] = epochs
    forecaster = make_model(model, random_state=seed, **settings)
    if calibration:
        from cndts.estimators import ConformalForecaster

        forecaster = ConformalForecaster(forecaster, calibration_fraction=calibration, random_state=seed)
    panel = read_events(data, Columns(record, time, channel, value), time_unit, static, duplicates)
    kept, held_out = hold_out(panel, validation, seed)
    cut = (observe, horizon, since, observed, data)
    X, y = lesson_for(forecaster, kept, *cut)
    X_val, y_val = (None, None) if held_out is None else lesson_for(forecaster, held_out, *cut)
    with working(f"fitting {model} to {len(X):,} records, {len(y.value):,} targets"):
        forecaster.fit(X, y, X_val=X_val, y_val=y_val)
    forecaster.save(out)
    summary = {
        "model": model,
        "saved": str(out),
        "records": len(X),
        "events": X.n_events,
        "targets": len(y.value),
        "channels": list(X.channels),
        "time_unit": panel.time_unit,
        "validation_records": 0 if X_val is None else len(X_val),
        "calibration_records": len(getattr(forecaster, "calibration_records_", ())),
    }
    if json:
        typer.echo(json_format.dumps(summary, indent=1))
    else:
        typer.echo(f"saved {out}: {model}, {len(X):,} records, {len(X.channels)} channels, {len(y.value):,} targets")
