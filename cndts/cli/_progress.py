"""Progress on stderr, so that stdout stays clean for results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def working(what: str) -> Iterator[None]:
    """A spinner with the elapsed time while one long step runs."""
    with progress_bar() as bar:
        bar.add_task(what, total=None)
        yield


def progress_bar() -> Progress:
    """A bar on stderr that vanishes when done and stays silent where nobody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
