"""What a reader of cells or rows found, kept, merged and left out."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

from cndts.datasets._data_warning import DataWarning

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReadCounts:
    """Counts of everything a reader met, so that nothing is dropped silently.

    Every entry (a value, a quote, a reading: ``counted`` says what) is counted exactly once:
    ``n_found == n_kept + n_merged + sum(documented.values()) + sum(unforeseen.values())``.

    Parameters
    ----------
    counted : str
        What the numbers count.
    sources : tuple of str
        What was read.
    n_files, n_records, n_found, n_kept : int
        Files taken as data, records in the panel, entries met, and entries that are in the panel.
    n_merged : int
        Entries that the duplicates policy folded into another one.
    documented : dict of str to int
        Entries left out as the format or an option says, by reason.
    unforeseen : dict of str to int
        Entries left out because the format does not foresee them, by reason.
    noticed : dict of str to int
        What is worth knowing and was kept, by kind; other units are named.
    empty_records : tuple of str
        Records without any observation; they are kept.
    other_files : tuple of str
        Files that hold no data.

    Examples
    --------
    >>> counts = ReadCounts("quotes", n_files=1, n_records=1, n_found=9, n_kept=7, unforeseen={"an unreadable time": 2})
    >>> counts.n_left_out
    2
    >>> print(counts)
    1 records (0 without observations) from 1 files
      9 quotes: 7 kept, 0 merged, 2 left out
      left out, not foreseen: 2 with an unreadable time
    """

    counted: str = "values"
    sources: tuple[str, ...] = ()
    n_files: int = 0
    n_records: int = 0
    n_found: int = 0
    n_kept: int = 0
    n_merged: int = 0
    documented: dict[str, int] = field(default_factory=dict)
    unforeseen: dict[str, int] = field(default_factory=dict)
    noticed: dict[str, int] = field(default_factory=dict)
    empty_records: tuple[str, ...] = ()
    other_files: tuple[str, ...] = ()

    @property
    def n_unforeseen(self) -> int:
        """Entries left out for a reason that the format does not document."""
        return sum(self.unforeseen.values())

    @property
    def n_left_out(self) -> int:
        """Entries that are neither in the panel nor merged into another one."""
        return self.n_unforeseen + sum(self.documented.values())

    def warning(self, what: str) -> str:
        """The sentence for a :class:`DataWarning`; empty if nothing unforeseen was left out."""
        if not self.n_unforeseen:
            return ""
        return (
            f"{self.n_unforeseen:,} of {self.n_found:,} {self.counted} are left out because the format of {what} does "
            f"not foresee them: {_in_words(self.unforeseen)}. Pass return_report=True for all counts."
        )

    def __str__(self) -> str:
        lines = [
            f"{self.n_records:,} records ({len(self.empty_records):,} without observations) from {self.n_files:,} files",
            f"{self.n_found:,} {self.counted}: {self.n_kept:,} kept, {self.n_merged:,} merged, {self.n_left_out:,} left out",
        ]
        details = {
            "left out": self.documented,
            "left out, not foreseen": self.unforeseen,
            "noticed": self.noticed,
        }
        lines += [f"{name}: {_in_words(counts)}" for name, counts in details.items() if counts]
        if self.other_files:
            lines.append(f"other files: {_first(self.other_files)}")
        return "\n  ".join(lines)


def tell(counts: ReadCounts, what: str, *, stacklevel: int = 3) -> None:
    """Log the counts, and warn once if something unforeseen was left out."""
    logger.info("%s: %s", what, counts)
    if counts.n_unforeseen:
        warnings.warn(counts.warning(what), DataWarning, stacklevel=stacklevel)


def _in_words(counts: Mapping[str, int]) -> str:
    found = [f"{count:,} with {what}" for what, count in counts.items()]
    return ", ".join(found[:12]) + (f" and {len(found) - 12:,} more reasons" if len(found) > 12 else "")


def _first(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (f", ... ({len(names):,} in all)" if len(names) > 5 else "")
