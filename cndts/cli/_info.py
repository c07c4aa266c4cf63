"""``cndts info``: what is installed, and what it knows."""

from __future__ import annotations

import json as json_format
from importlib.util import find_spec
from typing import Annotated

import typer

EXTRAS = {
    "plot": "matplotlib",
    "arrow": "pyarrow",
    "polars": "polars",
    "sktime": "sktime",
    "tune": "optuna",
    "wfdb": "wfdb",
}


def info(json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False) -> None:
    """Versions, extras, threads, devices, models and protocols."""
    import torch

    from cndts.benchmarking import available_models, available_threads, versions
    from cndts.protocols import available_protocols

    about = {
        "versions": versions(),
        "extras": {extra: find_spec(module) is not None for extra, module in EXTRAS.items()},
        "threads": available_threads(),
        "devices": ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))],
        "models": available_models(),
        "protocols": available_protocols(),
    }
    if json:
        typer.echo(json_format.dumps(about, indent=1))
        return
    for name, content in about.items():
        typer.echo(f"{name:<10} {in_words(content)}")


def in_words(content: object) -> str:
    """A dict or list on one line."""
    if isinstance(content, dict):
        return ", ".join(f"{name} {_yes_no(entry)}" for name, entry in content.items())
    return ", ".join(content) if isinstance(content, list) else str(content)


def _yes_no(entry: object) -> str:
    return {True: "yes", False: "no"}[entry] if isinstance(entry, bool) else str(entry)
