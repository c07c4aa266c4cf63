"""``cndts predict``: fill in what a table of events leaves blank."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from cndts.cli._events import (
    ChannelColumn,
    Columns,
    Duplicates,
    RecordColumn,
    StaticFile,
    TimeColumn,
    TimeUnit,
    ValueColumn,
    calendar_times,
    check_writable,
    parse_times_option,
    read_events,
    write_table,
)
from cndts.cli._progress import working
from cndts.cli._settings import split_list

if TYPE_CHECKING:
    from cndts.panel import IrregularPanel


def predict(
    model: Annotated[Path, typer.Argument(help="A model saved by `cndts fit`.")],
    data: Annotated[Path, typer.Argument(help="Events as CSV or Parquet; rows with a blank value are filled.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="CSV, Parquet or JSON; CSV to stdout if left out.")
    ] = None,
    times: Annotated[str | None, typer.Option(help="Times to forecast for every record, separated by commas.")] = None,
    channels: Annotated[
        str | None, typer.Option(help="With --times: only these channels, separated by commas.")
    ] = None,
    interval: Annotated[float, typer.Option(help="Coverage of the interval in columns lower and upper.")] = 0.9,
    record: RecordColumn = "record",
    time: TimeColumn = "time",
    channel: ChannelColumn = "channel",
    value: ValueColumn = "value",
    time_unit: TimeUnit = "h",
    static: StaticFile = None,
    duplicates: Duplicates = "error",
    json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False,
) -> None:
    """Forecast with a saved model: blank values of the table, or given times of every record."""
    import numpy as np

    from cndts.cli._saved import check_channels, load_model
    from cndts.targets import Targets

    if not 0 < interval < 1:
        raise ValueError(f"--interval is a coverage in (0, 1); got {interval}.")
    if out is not None:
        check_writable(out)
    columns = Columns(record, time, channel, value)
    forecaster = load_model(model)
    events = read_events(data, columns, time_unit, static, duplicates)
    check_channels(events, forecaster, data)
    panel = asking(events, times, channels, data)
    with working(f"forecasting {len(panel):,} records"):
        forecast = cast(Targets, forecaster.predict(panel))
        bounds = forecaster.predict_interval(panel, coverage=interval)
    frame = forecast.to_frame().set_axis(list(columns.names), axis=1)
    frame[time] = calendar_times(frame[time].to_numpy(), panel)
    frame["lower"], frame["upper"] = bounds.astype(np.float32).T
    if json:
        typer.echo(frame.to_json(orient="records", date_format="iso", double_precision=15))
    if out is not None or not json:
        write_table(frame, out)


def asking(panel: IrregularPanel, times: str | None, channels: str | None, data: Path) -> IrregularPanel:
    """The panel with the queries that the options or its blank rows stand for."""
    wanted = None if channels is None else split_list(channels)
    at = parse_times_option(times, panel)
    if at is not None:
        return panel.with_queries(times=at, channels=wanted)
    if wanted is not None:
        raise ValueError("--channels says which channels to forecast at --times; give both, or leave values blank.")
    if panel.queries is None or panel.queries.n_queries == 0:
        raise ValueError(f"{data} asks for nothing: leave the values blank that you want forecast, or give --times.")
    return panel
