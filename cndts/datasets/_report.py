"""What a reader found, kept, merged and left out."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ReadReport:
    """Counts of everything a reader met, so that nothing is dropped silently.

    Every row is counted exactly once:
    ``n_rows == n_observations + n_merged + n_descriptors + n_left_out``.

    Parameters
    ----------
    sources : tuple of str
        What was read.
    n_files, n_records, n_rows : int
        Files taken as records, records in the panel, data rows (headers and blank lines are not rows).
    n_observations : int
        Events in the panel.
    n_descriptors : int
        Rows with the record id or a static descriptor.
    n_merged : int
        Rows that the duplicates policy folded into another row of the same record, time and channel.
    repeated : dict of str to int
        Rows that repeat a (record, time, channel), by channel, whatever the policy did with them.
    missing_codes : dict of str to int
        Rows with the format's code for "missing" in a time-varying channel, by channel.
    kept_missing_codes : bool
        Whether those rows stayed as values.
    unknown_descriptors, absent_descriptors : dict of str to int
        Records whose descriptor holds the code for "missing", and records without a usable row for it.
    repeated_descriptors : int
        Further rows of a descriptor that a record has already given.
    empty_names, empty_values, malformed_rows, malformed_times, malformed_values : int
        Rows left out for an empty parameter name, an empty value, a number of fields other than three, a time that is
        not ``HH:MM``, or a value that is no finite number.
    unknown_names : dict of str to int
        Rows left out for a parameter that the format does not list, by name.
    late_rows : int
        Observations after the documented end of the records; they are kept.
    empty_records : tuple of int
        Records without any observation; they are kept.
    repeated_records : tuple of int
        Ids met a second time; the later file is left out.
    repeated_record_rows : int
        Rows of those files; of records met in an earlier source, their observations.
    unidentified_files : tuple of str
        Files with rows but without a record id, inside or in the name; left out.
    unidentified_rows : int
        Rows of those files.
    ids_from_names : int
        Records whose id comes from the file name because no row gives it.
    conflicting_names : tuple of str
        Files named after another id than they hold; the id inside counts.
    headless_files : int
        Record files without the header line.
    other_files : tuple of str
        Files that are no records.
    records_without_outcome, unused_outcomes, repeated_outcomes, malformed_outcomes : int
        Records without a row in the outcomes, outcome rows without a record, second rows of an id, and unreadable
        cells.
    from_cache : bool
        Whether the rows came from the cache.
    """

    sources: tuple[str, ...] = ()
    n_files: int = 0
    n_records: int = 0
    n_rows: int = 0
    n_observations: int = 0
    n_descriptors: int = 0
    n_merged: int = 0
    repeated: dict[str, int] = field(default_factory=dict)
    missing_codes: dict[str, int] = field(default_factory=dict)
    kept_missing_codes: bool = False
    unknown_descriptors: dict[str, int] = field(default_factory=dict)
    absent_descriptors: dict[str, int] = field(default_factory=dict)
    repeated_descriptors: int = 0
    empty_names: int = 0
    empty_values: int = 0
    malformed_rows: int = 0
    malformed_times: int = 0
    malformed_values: int = 0
    unknown_names: dict[str, int] = field(default_factory=dict)
    late_rows: int = 0
    empty_records: tuple[int, ...] = ()
    repeated_records: tuple[int, ...] = ()
    repeated_record_rows: int = 0
    unidentified_files: tuple[str, ...] = ()
    unidentified_rows: int = 0
    ids_from_names: int = 0
    conflicting_names: tuple[str, ...] = ()
    headless_files: int = 0
    other_files: tuple[str, ...] = ()
    records_without_outcome: int = 0
    unused_outcomes: int = 0
    repeated_outcomes: int = 0
    malformed_outcomes: int = 0
    from_cache: bool = False

    @property
    def n_unforeseen(self) -> int:
        """Rows left out for a reason that the format does not document."""
        return sum(self._unforeseen().values())

    @property
    def n_left_out(self) -> int:
        """Rows that are neither in the events nor in the statics nor merged into another row."""
        return self.n_unforeseen + (0 if self.kept_missing_codes else sum(self.missing_codes.values()))

    def unforeseen(self) -> str:
        """What was left out for undocumented reasons, in words; empty if nothing was."""
        found = [f"{count:,} with {what}" for what, count in self._unforeseen().items() if count]
        if self.repeated_records:
            found.append(f"second files of the records {_brief(self.repeated_records)}")
        if self.unidentified_files:
            found.append(f"files without a record id: {_brief(self.unidentified_files)}")
        return ", ".join(found)

    def _unforeseen(self) -> dict[str, int]:
        names = ", ".join(repr(name) for name in list(self.unknown_names)[:3])
        return {
            "an empty parameter name": self.empty_names,
            f"an unknown parameter ({names})": sum(self.unknown_names.values()),
            "an empty value": self.empty_values,
            "a value that is no finite number": self.malformed_values,
            "a time that is not HH:MM": self.malformed_times,
            "a number of fields other than three": self.malformed_rows,
            "a descriptor given before": self.repeated_descriptors,
            "a record id met before": self.repeated_record_rows,
            "no record id": self.unidentified_rows,
        }

    @classmethod
    def combine(cls, reports: Iterable[ReadReport]) -> ReadReport:
        """One report over several sources: counts add up, lists are joined.

        Examples
        --------
        >>> both = ReadReport.combine([ReadReport(n_rows=2), ReadReport(n_rows=3, repeated={"HR": 1})])
        >>> both.n_rows, both.repeated
        (5, {'HR': 1})
        """
        reports = list(reports)
        names = [each.name for each in dataclasses.fields(cls)]
        joined: dict[str, Any] = {name: _joined([getattr(report, name) for report in reports]) for name in names}
        return cls(**joined)

    @classmethod
    def from_dict(cls, entries: Mapping[str, Any]) -> ReadReport:
        """The report that ``dataclasses.asdict`` (and JSON) turned into a dict."""
        fields: dict[str, Any] = {
            name: tuple(entry) if isinstance(entry, list) else entry for name, entry in entries.items()
        }
        return cls(**fields)

    def __str__(self) -> str:
        lines = [
            f"{self.n_records:,} records ({len(self.empty_records):,} without observations) from {self.n_files:,} files",
            (
                f"{self.n_rows:,} rows: {self.n_observations:,} observations, {self.n_descriptors:,} descriptors, "
                f"{self.n_merged:,} merged, {self.n_left_out:,} left out"
            ),
        ]
        skipped = ("sources", "n_files", "n_records", "n_rows", "n_observations", "n_descriptors", "n_merged")
        for name, entry in dataclasses.asdict(self).items():
            if entry and name not in skipped:
                lines.append(f"{name}: {_brief(entry)}")
        return "\n  ".join(lines)


def _joined(entries: list[Any]) -> Any:
    first = entries[0] if entries else 0
    if isinstance(first, bool):
        return all(entries)
    if isinstance(first, dict):
        return dict(sum((Counter(entry) for entry in entries), Counter()))
    return sum(entries, type(first)())


def _brief(entry: object) -> str:
    if isinstance(entry, tuple) and len(entry) > 5:
        return f"{', '.join(map(str, entry[:5]))}, ... ({len(entry):,} in all)"
    if isinstance(entry, tuple):
        return ", ".join(map(str, entry))
    return str(entry)
