"""Errors that a user can mend become one line on stderr and exit code 1; wrong usage stays exit code 2."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

_MENDABLE = (ValueError, TypeError, LookupError, OSError, ImportError, RuntimeError)


class OneLineErrors(TyperGroup):
    """A command group whose subcommands fail with one line, or with the traceback under ``--debug``."""

    def invoke(self, ctx: Any) -> Any:
        """Run the subcommand."""
        try:
            return super().invoke(ctx)
        except _MENDABLE as error:
            if ctx.params.get("debug") or isinstance(error, _control_flow()):
                raise
            typer.echo(f"cndts: error: {one_line(error)}", err=True)
            raise typer.Exit(1) from None


def one_line(error: BaseException) -> str:
    """The message of an error without line breaks; its type where it has none."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return " ".join(text.split()) or type(error).__name__


def _control_flow() -> tuple[type[BaseException], ...]:
    """Exceptions by which typer itself ends a command; they derive from RuntimeError."""
    return (typer.Exit, typer.Abort)
