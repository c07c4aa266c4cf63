"""``cndts benchmark``: compare models under a published protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cndts.cli._progress import progress_bar
from cndts.cli._protocol_data import read_protocol_data
from cndts.cli._settings import parse_model_settings, parse_seeds, split_list


def benchmark(
    protocol: Annotated[str, typer.Argument(help="For example t-patchgnn/physionet2012; `cndts info` lists them.")],
    more: Annotated[list[Path] | None, typer.Argument(hidden=True)] = None,
    data: Annotated[list[Path] | None, typer.Option(help="Files or folders of the data set: --data PATH...")] = None,
    models: Annotated[str, typer.Option(help="Names separated by commas; `cndts info` lists them.")] = "hybrid-memory",
    seeds: Annotated[str, typer.Option(help="Seeds separated by commas.")] = "0",
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of a fit; all cores if left out.")] = None,
    resamples: Annotated[int, typer.Option(min=1, help="Resamples of the paired bootstrap over records.")] = 1000,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many records, for a quick look.")] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="A parameter: MODEL:NAME=VALUE or protocol:NAME=VALUE, the value as JSON. Repeatable."
        ),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep the predictions for the test records: MODEL/seed-SEED.npz."),
    ] = None,
    json: Annotated[
        Path | None, typer.Option("--json", metavar="OUT", help="Write everything as JSON to this file.")
    ] = None,
) -> None:
    """Fit models on a protocol's training records and compare them on its test records.

    Every fit runs in a process of its own. The result holds errors under the protocol's averaging, time, memory, interval
    coverage, a table by channel, and paired bootstrap intervals of every difference between two models.
    """
    from cndts.benchmarking import run_benchmark
    from cndts.cli._benchmark_tables import print_result

    if json is not None and not json.absolute().parent.is_dir():
        raise FileNotFoundError(f"there is no folder {json.parent}; make it first.")
    paths = [*(data or []), *(more or [])]
    names, numbers = split_list(models), parse_seeds(seeds)
    settings = parse_model_settings(setting or [], [*names, "protocol"])
    protocol_settings = settings.pop("protocol", {})
    with progress_bar() as bar:
        task = bar.add_task("reading", total=None)
        panel = read_protocol_data(protocol, paths, protocol_settings)
        panel = panel if limit is None else panel[:limit]
        result = run_benchmark(
            protocol,
            panel,
            names,
            numbers,
            settings=settings,
            protocol_settings=protocol_settings,
            threads=threads,
            n_resamples=resamples,
            predictions_folder=predictions,
            progress=lambda what, done, total: bar.update(task, description=what, completed=done, total=total),
        )
    if json is not None:
        result.save(json)
    print_result(result)
