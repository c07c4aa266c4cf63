"""The data set that a protocol is about, from the publisher's files or from the protocol itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cndts.panel import IrregularPanel
    from cndts.protocols import Protocol


def read_protocol_data(protocol: str, paths: list[Path], settings: dict[str, Any] | None = None) -> IrregularPanel:
    """The panel that a protocol is about, from the publisher's files; made where the protocol says how.

    Raises
    ------
    FileNotFoundError
        If a path does not exist.
    ValueError
        If the protocol is unknown, files are missing where it needs some, or given where it makes its own.
    """
    from cndts.protocols import protocol as by_name

    rules = by_name(protocol, **(settings or {}))
    makes_its_own = rules.data not in READERS
    if makes_its_own and paths:
        raise ValueError(f"{protocol} makes its own data; leave --data out.")
    if makes_its_own:
        return rules.generate()
    if not paths:
        try:
            return rules.generate()
        except ValueError as published:
            needed = f"{protocol} needs the data set's files: --data PATH... ({WANTED[rules.data]})."
            raise ValueError(needed) from published
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise FileNotFoundError(f"there is no file or folder {missing[0]}; --data names the data set's own files.")
    return READERS[rules.data](rules, paths)


def _physionet2012(rules: Protocol, paths: list[Path]) -> IrregularPanel:
    """Sets, and outcomes among them told by their name."""
    from cndts.datasets import read_physionet2012

    outcomes = [path for path in paths if path.is_file() and path.name.lower().startswith("outcomes")]
    sets = [path for path in paths if path not in outcomes]
    if not sets:
        raise ValueError(f"{rules.name} needs a set beside the outcomes: --data set-a.tar.gz --data Outcomes-a.txt.")
    # hourly means count every value, as their source does; a mean of means would not
    duplicates: Any = "keep" if hasattr(rules, "binning") else "mean"
    return read_physionet2012(_one_or_more(sets), outcomes or None, duplicates=duplicates)


def _ushcn(rules: Protocol, paths: list[Path]) -> IrregularPanel:
    """The prepared table, GHCN-Daily files, or state files: told by the name of what is given or found."""
    from cndts.datasets import read_ghcn_daily, read_ushcn_legacy
    from cndts.protocols import read_sporadic_csv

    if len(paths) == 1 and paths[0].suffix.lower() == ".csv":
        return read_sporadic_csv(paths[0])
    try:
        return read_ghcn_daily(_one_or_more(paths), elements=("SNOW", "SNWD", "PRCP", "TMAX", "TMIN"))
    except ValueError as no_daily_files:
        try:
            return read_ushcn_legacy(_one_or_more(paths))
        except ValueError:
            raise no_daily_files from None


def _human_activity(rules: Protocol, paths: list[Path]) -> IrregularPanel:
    from cndts.datasets import read_human_activity

    return read_human_activity(_one_or_more(paths))


def _trajectories(rules: Protocol, paths: list[Path]) -> IrregularPanel:
    """A folder with one Parquet or CSV file for each record: a column ``t``, all others channels."""
    import pandas as pd

    from cndts.panel import IrregularPanel

    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.iterdir()))]
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {".parquet": pd.read_parquet, ".csv": pd.read_csv}
    tables = {file.stem: readers[file.suffix](file) for file in files if file.suffix in readers}
    wrong = [name for name, table in tables.items() if "t" not in table]
    if wrong or not tables:
        raise ValueError(
            f"{rules.name} reads one Parquet or CSV file for each record, with a column t and one for each channel; "
            + (f"{wrong[0]} has no column t." if wrong else f"{paths[0]} holds none.")
        )
    frame = pd.concat(tables, names=["record", None]).reset_index("record")
    return IrregularPanel.from_wide(frame, time="t", time_unit="s")


def _one_or_more(paths: list[Path]) -> Path | list[Path]:
    return paths if len(paths) > 1 else paths[0]


READERS: dict[str, Callable[[Any, list[Path]], IrregularPanel]] = {
    "physionet2012": _physionet2012,
    "ushcn": _ushcn,
    "human-activity": _human_activity,
    "trajectories": _trajectories,
}
WANTED = {
    "physionet2012": "set-a.tar.gz, set-b.tar.gz ...; Outcomes-a.txt for mortality",
    "ushcn": "small_chunked_sporadic.csv, .dly files or state files, folders or archives of them",
    "human-activity": "ConfLongDemo_JSI.txt",
    "trajectories": "a folder with one Parquet or CSV file for each record; none with --set 'protocol:data_set=\"LEN02\"' and "
    "other sets that are simulated",
}
