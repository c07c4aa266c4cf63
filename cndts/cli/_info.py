"""``cndts info``: what is installed, and what it knows of protocols."""

from __future__ import annotations

import json as json_format
from importlib.util import find_spec
from inspect import signature
from typing import TYPE_CHECKING, Annotated

import typer

from cndts.cli._settings import parse_setting

if TYPE_CHECKING:
    from cndts.protocols import Protocol

EXTRAS = {
    "plot": "matplotlib",
    "arrow": "pyarrow",
    "polars": "polars",
    "sktime": "sktime",
    "tune": "optuna",
    "wfdb": "wfdb",
}


def info(
    protocol: Annotated[
        str | None, typer.Argument(help="A protocol to explain, for example t-patchgnn/physionet2012.")
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="A parameter of the protocol: NAME=VALUE, the value as JSON. Repeatable."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False,
) -> None:
    """Versions, extras, threads, devices, models and protocols; or the rules and published results of one protocol."""
    settings = dict(map(parse_setting, setting or []))
    if protocol is not None:
        explain(protocol, settings, json)
        return
    if settings:
        raise ValueError(f"--set {next(iter(settings))} needs a protocol: cndts info PROTOCOL --set NAME=VALUE.")
    about = found_here()
    if json:
        typer.echo(json_format.dumps(about, indent=1))
        return
    for name, content in about.items():
        typer.echo(f"{name:<11} {in_words(content)}")


def found_here() -> dict[str, object]:
    """What is installed and what has names."""
    import torch

    from cndts.benchmarking import available_classifiers, available_models, available_threads, versions
    from cndts.protocols import available_protocols

    return {
        "versions": versions(),
        "extras": {extra: find_spec(module) is not None for extra, module in EXTRAS.items()},
        "threads": available_threads(),
        "devices": ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))],
        "models": available_models(),
        "classifiers": available_classifiers(),
        "protocols": available_protocols(),
    }


def explain(name: str, settings: dict[str, object], json: bool) -> None:
    """Rules, parameters and published results of a protocol."""
    from cndts.benchmarking._result import published_as_json
    from cndts.cli._benchmark_tables import print_published
    from cndts.cli._tables import print_text, terminal
    from cndts.protocols import protocol as by_name

    rules = by_name(name, **settings)
    published, parameters = rules.published(), _parameters(rules)
    if json:
        about = {
            "protocol": name,
            "parameters": parameters,
            "description": rules.describe(),
            **published_as_json(published),
        }
        typer.echo(json_format.dumps(about, indent=1))
        return
    console = terminal()
    print_text(rules.describe(), console)
    if parameters:
        words = ", ".join(f"{key}={json_format.dumps(value)}" for key, value in parameters.items())
        print_text(f"parameters: {words}\n", console)
    print_published(published, console)


def _parameters(rules: Protocol) -> dict[str, object]:
    """What may be set, as it is now."""
    return {name: getattr(rules, name) for name in signature(type(rules)).parameters}


def in_words(content: object) -> str:
    """A dict or list on one line."""
    if isinstance(content, dict):
        return ", ".join(f"{name} {_yes_no(entry)}" for name, entry in content.items())
    return ", ".join(content) if isinstance(content, list) else str(content)


def _yes_no(entry: object) -> str:
    return {True: "yes", False: "no"}[entry] if isinstance(entry, bool) else str(entry)
