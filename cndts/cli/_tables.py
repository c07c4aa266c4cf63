"""Tables in the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

# What a table may take where nobody's window limits it, for example in a log.
WIDTH_OF_A_FILE = 160


def terminal() -> Console:
    """Standard output; wide where it is no terminal, so that no cell is cut."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH_OF_A_FILE)


def make_table(title: str | None, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A light table: the first column to the left, all others to the right, no cell broken."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for position, heading in enumerate(headings):
        table.add_column(heading, justify="left" if position == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(str, row))
    return table
