"""``cndts evaluate``: score a saved model on a table of events."""

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
from cndts.cli._lessons import Observed, lesson_for
from cndts.cli._progress import working
from cndts.cli._tables import print_table

if TYPE_CHECKING:
    import pandas as pd


def evaluate(
    model: Annotated[Path, typer.Argument(help="A model saved by `cndts fit`.")],
    data: Annotated[Path, typer.Argument(help="Events as CSV or Parquet; not those that the model was fitted to.")],
    observe: Annotated[float, typer.Option(help="Length of the context, in the time unit.")] = 24.0,
    horizon: Annotated[float, typer.Option(help="How far ahead to forecast, in the time unit.")] = 24.0,
    since: Since = None,
    observed: Observed = 0.5,
    record: RecordColumn = "record",
    time: TimeColumn = "time",
    channel: ChannelColumn = "channel",
    value: ValueColumn = "value",
    time_unit: TimeUnit = "h",
    static: StaticFile = None,
    duplicates: Duplicates = "error",
    json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False,
) -> None:
    """Forecast the events after a cut from those before it, and compare with what came (an interpolator: hidden times).

    Errors are in the unit of each channel. Skill is 1 - MSE / MSE(training mean of the channel): 1 is perfect, 0 is no
    better than that mean. The last two columns say how many values lie in the 90 % interval, and its width.
    """
    from cndts.cli._saved import check_channels, load_model
    from cndts.metrics import channel_table

    forecaster = load_model(model)
    panel = read_events(data, Columns(record, time, channel, value), time_unit, static, duplicates)
    check_channels(panel, forecaster, data)
    panel = panel.with_channels(forecaster.channels_in_)
    X, y = lesson_for(forecaster, panel, observe, horizon, since, observed, data)
    with working(f"forecasting {len(X):,} records"):
        y_hat = forecaster.predict(X)
        interval = forecaster.predict_interval(X, coverage=0.9)
    table = channel_table(y, y_hat, means=forecaster.channel_means_)
    table["coverage_90"], table["width_90"] = _by_channel(y, interval)
    table = table[table["count"] > 0]
    if json:
        content: dict[str, Any] = {"records": len(X), "targets": len(y.value), "skill": float(table["skill"].mean())}
        content["channels"] = json_format.loads(table.rename_axis("channel").reset_index().to_json(orient="records"))
        typer.echo(json_format.dumps(content, indent=1))
    else:
        _print(table)


def _by_channel(y: Any, interval: Any) -> tuple[Any, Any]:
    """Share of the targets inside the interval, and its mean width, for every channel."""
    import numpy as np

    inside = (interval[:, 0] <= y.value) & (y.value <= interval[:, 1])
    n_channels = len(y.channels)
    count = np.maximum(np.bincount(y.channel, minlength=n_channels), 1)
    width = np.bincount(y.channel, interval[:, 1] - interval[:, 0], n_channels) / count
    return np.bincount(y.channel, inside, n_channels) / count, width


def _print(table: pd.DataFrame) -> None:
    rows = (
        (
            name,
            f"{row['count']:,.0f}",
            f"{row['mse'] ** 0.5:.4g}",
            f"{row['mae']:.4g}",
            f"{row['skill']:.3f}",
            f"{row['coverage_90']:.1%}",
            f"{row['width_90']:.4g}",
        )
        for name, row in table.iterrows()
    )
    print_table(None, ("channel", "targets", "RMSE", "MAE", "skill", "in 90 %", "width"), rows)
    typer.echo(f"\nmean skill over {len(table)} channels: {table['skill'].mean():.3f}")
