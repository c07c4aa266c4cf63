"""Tables in the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

# What a table may take where nobody's window limits it, for example in a log.
WIDTH_OF_A_FILE = 160
_UNLIMITED = 100_000


def terminal() -> Console:
    """Standard output; wide where it is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH_OF_A_FILE)


def print_text(text: str, console: Console | None = None, style: str = "") -> None:
    """Print words as they are: brackets are no markup, numbers have no colours."""
    (console or terminal()).print(text, markup=False, highlight=False, style=style)


def print_table(
    title: str | None, headings: Sequence[str], rows: Iterable[Sequence[object]], console: Console | None = None
) -> None:
    """Print a light table with every cell whole: columns that find no room follow below, beside the first one again."""
    console = console or terminal()
    columns = [[heading, *map(str, cells)] for heading, *cells in zip(headings, *rows, strict=True)]
    if title is not None:
        print_text(title, console, style="italic")
    for position, part in enumerate(_parts(columns, console)):
        if position:
            console.print()
        console.print(_table(part))


def _parts(columns: list[list[str]], console: Console) -> Iterator[list[list[str]]]:
    """The columns in groups that fit, each with the first column before it."""
    first, *others = columns
    part = [first]
    for column in others:
        if len(part) > 1 and _width([*part, column], console) > console.width:
            yield part
            part = [first]
        part.append(column)
    yield part


def _width(columns: list[list[str]], console: Console) -> int:
    return console.measure(_table(columns), options=console.options.update_width(_UNLIMITED)).maximum


def _table(columns: list[list[str]]) -> Table:
    """The first column to the left, all others to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for position, (heading, *_) in enumerate(columns):
        # folding shows all of a cell where even two columns are too wide; an ellipsis would hide digits
        table.add_column(Text(heading), justify="left" if position == 0 else "right", overflow="fold")
    for row in zip(*(cells for _, *cells in columns), strict=True):
        table.add_row(*map(Text, row))
    return table
