"""Every reader on damaged files: a clear error, or a panel whose report accounts for every row; never a crash or a silence.

What stands in the lines that the damage spared must be in the panel as it was written down by hand.
"""

import dataclasses
import time
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import reader_cases as cases
import reader_damage as damage

import cndts.datasets
from cndts import IrregularPanel
from cndts.datasets import DataWarning

Event = tuple[str, float, str, str]  # record, time, channel, value to six digits
SECONDS = {"s": 1, "min": 60, "h": 3600, "D": 86_400}


# ---- what is in a file, and what is in a panel ---------------------------------------------------


def expected_events(reader: Any, lines: list[bytes]) -> list[Event]:
    """What the intact ones of some lines hold."""
    rows = [row for line in lines for row in reader.lines.get(line.decode("latin-1"), ())]
    return [
        (record, when, channel, f"{value:.6g}") for record, when, values in rows for channel, value in values.items()
    ]


def events_in(panel: IrregularPanel) -> list[Event]:
    when = panel.time
    if isinstance(panel.origin, pd.Timestamp):
        when = panel.origin.timestamp() + when * SECONDS[panel.time_unit]
    names = np.array(panel.channels, dtype=object)[panel.channel].tolist()
    owners = map(str, panel.records[panel.record])
    values = (f"{value:.6g}" for value in panel.value.tolist())
    return list(zip(owners, when.tolist(), names, values, strict=True))


def counted(events: list[Event], start: Mapping[str, float] = MappingProxyType({})) -> Counter[Event]:
    """Equal events, with times to a tenth of a millisecond since the start of their record."""
    return Counter((record, round(when - start.get(record, 0.0), 4), *rest) for record, when, *rest in events)


def starts(expected: list[Event], found: list[Event]) -> dict[str, float]:
    """Where the times of each record begin, so that the most of the expected events are found."""
    start: dict[str, float] = {}
    for record in {event[0] for event in expected}:
        mine = [event for event in expected if event[0] == record]
        tries = [when - mine[0][1] for name, when, *rest in found if (name, *rest) == (record, *mine[0][2:])]
        start[record] = min(tries, key=lambda each: (counted(mine) - counted(found, {record: each})).total(), default=0)
    return start


def check_events(reader: Any, panel: IrregularPanel, report: Any, lines: list[bytes]) -> None:
    """What stands in the untouched lines is in the panel; and nothing else if no line was touched."""
    is_headed = lines[:1] == [reader.header.encode()] if reader.header else True
    if reader.header_says and not is_headed:
        return
    below = lines[1:] if reader.header and is_headed else lines
    touched = [line for line in below if line.decode("latin-1") not in reader.lines]
    events, in_panel = expected_events(reader, below), events_in(panel)
    if reader.named_by and any(reader.named_by in line for line in touched):
        events = [(str(panel.records[0]), *rest) for _, *rest in events]
    expected, found = counted(events), counted(in_panel, starts(events, in_panel) if reader.from_first else {})
    folded = report.n_merged if reader.folds == "merged" else getattr(report, "unforeseen", {}).get(reader.folds, 0)
    missing = expected - found
    places = {event[:3] for event in found}
    most = max(len(row[2]) for rows in reader.lines.values() for row in rows)
    assert {event[:3] for event in missing} <= places, missing
    assert missing.total() <= folded * most, missing
    assert touched or folded or not found - expected, found - expected


# ---- the check -----------------------------------------------------------------------------------


def numbers(report: Any) -> tuple[int, int, int, int]:
    """Found, kept, merged and left out, in either kind of report."""
    if hasattr(report, "n_rows"):
        return report.n_rows - report.n_descriptors, report.n_observations, report.n_merged, report.n_left_out
    return report.n_found, report.n_kept, report.n_merged, report.n_left_out


def lines_told(reader: Any, report: Any) -> int:
    """Entries that the report has found, and the lines that it takes for headers: no line may be in neither."""
    if hasattr(report, "n_rows"):
        return report.n_rows + report.n_files - report.headless_files
    is_first = bool(reader.header) and reader.header_says
    return report.n_found + (1 if is_first else report.noticed.get("a header line", 0))


def check(reader: Any, path: Path, content: bytes) -> bool:
    """Whether the file could be read."""
    path.write_bytes(content)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            panel, report = reader.read(path, return_report=True, **reader.options)
        except ValueError as error:
            # an error that a user can act upon: what was wanted, or which file is wrong
            assert "wanted" in str(error) or path.name in str(error) or "choose" in str(error), error
            assert content != reader.content
            return False
    assert {each.category for each in told} <= {DataWarning}
    found, kept, merged, left_out = numbers(report)
    assert found == kept + merged + left_out, report
    if reader.per_entry:
        assert panel.n_events == kept * reader.per_entry
    assert np.isfinite(panel.time).all() and np.isfinite(panel.value).all()
    assert bool(told) == bool(report.n_unforeseen)
    lines = damage.lines_of(content)
    if reader.counts_lines and b"\x00" not in content:
        assert lines_told(reader, report) >= len(lines), (report, lines)
    check_events(reader, panel, report, lines)
    panel.to_long()
    return True


def check_damaged(reader: Any, folder: Path, count: int) -> None:
    """Most damage leaves something to read: an error for all of it would be too easy."""
    path = folder / reader.name
    assert check(reader, path, reader.content)
    could_read = []
    for kind in damage.KINDS:
        for content in damage.damages(*reader.parts, kind, str(reader), count):
            with damage.alarm(content):
                could_read.append(check(reader, path, content) and content != reader.content)
    assert sum(could_read) >= len(could_read) / 2, "too much is refused"


each_reader = pytest.mark.parametrize("reader", cases.READERS, ids=str)


@each_reader
def test_damage_is_told_or_counted(tmp_path: Path, reader: Any) -> None:
    check_damaged(reader, tmp_path, 12)


@pytest.mark.slow
@each_reader
def test_much_damage_is_told_or_counted(tmp_path: Path, reader: Any) -> None:
    check_damaged(reader, tmp_path, 300)


def test_every_reader_is_here() -> None:
    public = {name for name in cndts.datasets.__all__ if name.startswith("read_")}
    assert public == {reader.read.__name__ for reader in cases.READERS} | {"read_wfdb"}


# ---- the check of the check ----------------------------------------------------------------------


def larger(read: Callable[..., Any]) -> Callable[..., Any]:
    """A reader whose values are too large by half."""

    def mutant(path: Path, **options: Any) -> Any:
        panel, report = read(path, **options)
        return panel.scale_values(np.zeros(len(panel.channels)), np.full(len(panel.channels), 1 / 1.5)), report

    return mutant


def shorter(read: Callable[..., Any]) -> Callable[..., Any]:
    """A reader that does not see the last line."""

    def mutant(path: Path, **options: Any) -> Any:
        path.write_bytes(path.read_bytes().rstrip().rpartition(b"\n")[0] + b"\n")
        return read(path, **options)

    return mutant


@pytest.mark.parametrize("mutate", [larger, shorter])
@each_reader
def test_wrong_readers_are_caught(
    tmp_path: Path, reader: Any, mutate: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> None:
    wrong = dataclasses.replace(reader, read=mutate(reader.read))
    with pytest.raises(AssertionError):
        check(wrong, tmp_path / reader.name, reader.content)
    damaged = list(damage.damages(*reader.parts, "bits", str(reader), 24))
    n_caught = 0
    for content in damaged:
        try:
            check(wrong, tmp_path / reader.name, content)
        except AssertionError:
            n_caught += 1
    assert n_caught >= len(damaged) / 8


@each_reader
def test_readers_that_refuse_all_damage_are_caught(tmp_path: Path, reader: Any) -> None:
    def refuses(path: Path, **options: Any) -> Any:
        if path.read_bytes() != reader.content:
            raise ValueError(f"{path.name} is not as it was wanted")
        return reader.read(path, **options)

    with pytest.raises(AssertionError, match="too much is refused"):
        check_damaged(dataclasses.replace(reader, read=refuses), tmp_path, 4)


def test_a_reader_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("resource", reason="the system has no timers")
    monkeypatch.setattr(damage, "SECONDS", 0.05)
    with pytest.raises(pytest.fail.Exception, match="reading took more than 0.05 s"), damage.alarm(b"the file"):
        time.sleep(5)
