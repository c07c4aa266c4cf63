"""The command with its subcommands."""

from __future__ import annotations

from typing import Annotated

import typer

from cndts.cli._benchmark import benchmark
from cndts.cli._datasets import datasets
from cndts.cli._demo import demo
from cndts.cli._errors import OneLineErrors
from cndts.cli._evaluate import evaluate
from cndts.cli._fit import fit
from cndts.cli._info import info
from cndts.cli._predict import predict
from cndts.cli._tune import tune

app = typer.Typer(
    cls=OneLineErrors,
    name="cndts",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in (demo, fit, predict, evaluate, tune, benchmark, info):
    app.command()(_command)
app.add_typer(datasets, name="datasets")


@app.callback()
def main(
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
) -> None:
    """Forecast irregularly sampled records.

    Tables of events have one row per observation: record, time, channel, value.
    """
