"""The ``cndts`` command."""

from cndts.cli._app import app

__all__ = ["app"]
