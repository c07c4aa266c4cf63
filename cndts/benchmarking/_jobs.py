"""Many fits whose results are kept one by one, so that an interrupted run goes on."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cndts.benchmarking._resources import thread_settings

Job = Mapping[str, Any]
Work = Callable[[dict[str, Any]], dict[str, Any]]


def finished_jobs(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """What :func:`run_jobs` has written so far, one entry a finished job; nothing where there is no file.

    A last line that an interrupted run left unfinished is passed over.

    Parameters
    ----------
    path : path-like
        The file of results.

    Returns
    -------
    list of dict
        The entries of each job with those of its result.

    Examples
    --------
    >>> finished_jobs("no-such-file.jsonl")
    []
    """
    if not Path(path).exists():
        return []
    lines = Path(path).read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]


def run_jobs(
    work: Work,
    jobs: Sequence[Job],
    path: str | os.PathLike[str],
    *,
    parallel: int = 1,
    threads: int = 1,
    progress: Callable[[dict[str, Any]], None] | None = None,
) -> list[dict[str, Any]]:
    """Do what is not yet done, each job in a process of its own.

    Every finished job adds one line of JSON to the file: its own entries and those of its result. A job whose entries
    are all in one of the lines is done and is not repeated.

    Parameters
    ----------
    work : callable
        Takes a job and gives a dict of plain values. Defined at the top of a module, so that another process finds it.
    jobs : sequence of mapping
        Names and plain values that tell one job from all others.
    path : path-like
        The file of results; made where it is absent.
    parallel : int, default=1
        Processes at a time; 0 works in this process.
    threads : int, default=1
        Threads of each process.
    progress : callable, optional
        Called with the line of every job that finishes.

    Returns
    -------
    list of dict
        The lines of all given jobs, in their order.

    Raises
    ------
    RuntimeError
        If a job fails. The others are finished before.
    """
    missing = [dict(job) for job in jobs if _find(job, finished_jobs(path)) is None]
    _mend(Path(path))
    failed: tuple[dict[str, Any], BaseException] | None = None
    for job, outcome in _outcomes(work, missing, parallel, threads):
        if error := outcome.exception():
            failed = failed or (job, error)
            continue
        line = job | outcome.result()
        with open(path, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, allow_nan=False) + "\n")
        if progress is not None:
            progress(line)
    if failed is not None:
        job, error = failed
        raise RuntimeError(f"the job {json.dumps(job)} failed: {error!r}. Run again to repeat it alone.") from error
    done = finished_jobs(path)
    return [found for job in jobs if (found := _find(job, done)) is not None]


def _find(job: Job, lines: Sequence[Job]) -> dict[str, Any] | None:
    wanted = json.loads(json.dumps(dict(job)))  # tuples became lists in the file
    return next((dict(line) for line in lines if wanted == {name: line.get(name) for name in wanted}), None)


def _mend(path: Path) -> None:
    """Cut off an unfinished last line, so that the next one does not run on from it."""
    if path.exists():
        text = path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            path.write_text(whole, encoding="utf-8")


def _outcomes(
    work: Work, jobs: Sequence[dict[str, Any]], parallel: int, threads: int
) -> Iterator[tuple[dict[str, Any], Future[dict[str, Any]]]]:
    """Jobs as they finish or fail."""
    with _environment(thread_settings(threads)), _pool(parallel) as pool:
        waiting = {pool.submit(work, job): job for job in jobs}
        for future in as_completed(waiting):
            yield waiting[future], future


def _pool(parallel: int) -> Executor:
    if not parallel:
        return ThreadPoolExecutor(1)
    # Spawned, since a forked process inherits the locks of torch's threads.
    return ProcessPoolExecutor(parallel, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1)


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Variables for the processes that start inside the block."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
