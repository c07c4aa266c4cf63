"""Tables of events on disk: reading them into panels and writing forecasts."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cndts._whole_file import whole_file

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from cndts.panel import IrregularPanel
    from cndts.tasks import Extrapolation

RecordColumn = Annotated[str, typer.Option("--record", help="Column with the record ids.")]
TimeColumn = Annotated[str, typer.Option("--time", help="Column with the times.")]
ChannelColumn = Annotated[str, typer.Option("--channel", help="Column with the channel names.")]
ValueColumn = Annotated[str, typer.Option("--value", help="Column with the values; blank asks for a forecast.")]
TimeUnit = Annotated[str, typer.Option(help="Unit of numeric times: ns, us, ms, s, min, h, D or any other word.")]
StaticFile = Annotated[Path | None, typer.Option("--static", help="Table with one row a record and its constants.")]
Duplicates = Annotated[str, typer.Option(help="Several values of a channel at one time: error, mean, first or last.")]
Since = Annotated[
    str | None,
    typer.Option(help="Where the context starts: time zero, or the first event of each record (for calendar times)."),
]

READABLE = (".csv", ".csv.gz", ".parquet")
WRITABLE = (".csv", ".parquet", ".json")


@dataclass(frozen=True)
class Columns:
    """Where a table keeps what an event consists of."""

    record: str = "record"
    time: str = "time"
    channel: str = "channel"
    value: str = "value"

    @property
    def names(self) -> tuple[str, str, str, str]:
        """Record, time, channel and value."""
        return self.record, self.time, self.channel, self.value


def read_table(path: Path) -> pd.DataFrame:
    """A CSV or Parquet file as a frame."""
    import pandas as pd

    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; give a table of events ({', '.join(READABLE)}).")
    if path.name.endswith(".parquet"):
        try:
            return pd.read_parquet(path)
        except ImportError as error:
            raise ImportError(f'reading {path} needs pyarrow: pip install "cndts[arrow]"') from error
    if not path.name.endswith((".csv", ".csv.gz")):
        raise ValueError(
            f"{path} is of an unknown kind; tables of events are {', '.join(READABLE)}. Read a publisher's files with "
            "cndts.datasets, and write panel.to_long() to such a table."
        )
    try:
        return pd.read_csv(path)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read as CSV: {error}.") from error


def read_events(
    path: Path, columns: Columns, time_unit: str | None = None, static: Path | None = None, duplicates: str = "error"
) -> IrregularPanel:
    """A table of events as a panel; rows without a value become queries."""
    import pandas as pd

    from cndts.panel import IrregularPanel

    frame = read_table(path)
    missing = [name for name in columns.names if name not in frame.columns]
    if missing:
        raise ValueError(
            f"{path} has no column {missing[0]!r}; its columns are {', '.join(map(str, frame.columns))}. "
            "Name them with --record, --time, --channel and --value."
        )
    if frame.empty:
        raise ValueError(f"{path} holds no events; a table needs at least one row below its header.")
    frame = frame[list(columns.names)].copy()
    frame[columns.time] = parse_times(frame[columns.time], path)
    frame[columns.value] = parse_values(frame[columns.value], path)
    frame[columns.channel] = frame[columns.channel].astype(str)
    constants = None if static is None else read_static(static, columns.record)
    numeric = pd.api.types.is_numeric_dtype(frame[columns.time])
    return IrregularPanel.from_long(
        frame,
        record=columns.record,
        time=columns.time,
        channel=columns.channel,
        value=columns.value,
        time_unit=time_unit if numeric else None,
        static=constants,
        duplicates=duplicates,  # type: ignore[arg-type]
    )


def task_for(panel: IrregularPanel, observe: float, horizon: float, since: str | None) -> Extrapolation:
    """The cut between context and targets; on a calendar each record starts at its first event."""
    from cndts.tasks import Extrapolation

    start = since or ("zero" if panel.origin is None else "first")
    return Extrapolation(observe=observe, horizon=horizon, since=start)  # type: ignore[arg-type]


def read_static(path: Path, record: str) -> pd.DataFrame:
    """A table of constants, indexed by record."""
    table = read_table(path)
    if record not in table.columns:
        raise ValueError(f"{path} has no column {record!r}; its columns are {', '.join(map(str, table.columns))}.")
    return table.set_index(record)


def parse_times(column: pd.Series, path: Path) -> pd.Series:
    """Numbers or calendar times; the first entry that is neither is named with its row."""
    import numpy as np
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        times = column
    else:
        times = pd.to_numeric(column, errors="coerce")
        if times.isna().all() and column.notna().any():
            times = pd.to_datetime(column, errors="coerce", format="ISO8601", utc=_has_offsets(column))
    wrong = times.isna().to_numpy()
    if pd.api.types.is_numeric_dtype(times):
        wrong = wrong | ~np.isfinite(times.to_numpy(dtype=np.float64, na_value=np.nan))
    if wrong.any():
        raise ValueError(_fault(column, wrong, path, "time", "a finite number or a calendar time (ISO 8601)"))
    return times


def parse_values(column: pd.Series, path: Path) -> pd.Series:
    """Finite numbers, NaN where blank."""
    import numpy as np
    import pandas as pd

    values = pd.to_numeric(column, errors="coerce").astype(np.float64)
    wrong = (values.isna() & column.notna()).to_numpy() | np.isinf(values.to_numpy())
    if wrong.any():
        raise ValueError(_fault(column, wrong, path, "value", "a finite number, or blank to ask for a forecast"))
    return values


def _has_offsets(column: pd.Series) -> bool:
    """Whether the times name a time zone or an offset from UTC."""
    return bool(column.dropna().astype(str).str.contains(r"(?:Z|[+-]\d\d:?\d\d)$").any())


def _fault(column: pd.Series, wrong: object, path: Path, what: str, wanted: str) -> str:
    import numpy as np

    rows = np.flatnonzero(np.asarray(wrong))
    got = column.iloc[int(rows[0])]
    shown = repr(got) if isinstance(got, str) else str(got)
    more = f" {len(rows)} rows have this fault." if len(rows) > 1 else ""
    # The header is line 1 of the file.
    return f"{path}, line {rows[0] + 2}: {what} is {shown}; it must be {wanted}.{more}"


def parse_times_option(text: str | None, panel: IrregularPanel) -> list[object] | None:
    """Comma-separated query times: numbers, or calendar times where the panel has an origin."""
    import pandas as pd

    if text is None:
        return None
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    try:
        if not isinstance(panel.origin, pd.Timestamp):
            return [float(entry) for entry in entries]
        return [_in_zone(pd.Timestamp(entry), panel.origin.tz) for entry in entries]
    except ValueError:
        kind = "calendar times (ISO 8601)" if isinstance(panel.origin, pd.Timestamp) else "numbers"
        raise ValueError(f"--times must be {kind} separated by commas; got {text!r}.") from None


def _in_zone(time: pd.Timestamp, zone: tzinfo | None) -> pd.Timestamp:
    return time.tz_localize(zone) if time.tz is None and zone is not None else time


def calendar_times(time: NDArray[np.float64], panel: IrregularPanel) -> NDArray | pd.Index:
    """Times in the panel's unit, on its calendar where it has one."""
    from cndts._panel_time import write_times

    return write_times(time, panel.time_unit, panel.origin)


def write_table(frame: pd.DataFrame, path: Path | None) -> None:
    """Write a frame by the file's ending, whole or not at all; CSV to stdout without a file."""
    if path is None:
        typer.echo(frame.to_csv(index=False), nl=False)
        return
    check_writable(path)
    buffer = io.BytesIO()
    if path.suffix == ".parquet":
        frame.to_parquet(buffer, index=False)
    elif path.suffix == ".json":
        buffer.write(frame.to_json(orient="records", date_format="iso", double_precision=15).encode())
    else:
        buffer.write(frame.to_csv(index=False).encode())
    with whole_file(path) as unfinished:
        unfinished.write_bytes(buffer.getvalue())


def check_writable(path: Path) -> None:
    """Refuse a file ending or a folder that writing would stumble over, before any work is done."""
    if path.suffix not in WRITABLE:
        raise ValueError(f"cannot write {path}; the file's name must end in {', '.join(WRITABLE)}.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent}; make it first.")
