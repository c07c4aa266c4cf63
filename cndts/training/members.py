"""Members of an ensemble, fitted one after the other or side by side."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from joblib import Parallel, delayed

from cndts.training.fitting import AnySamples, FitResult, planned_epochs
from cndts.training.settings import Training
from cndts.training.streamed_samples import StreamedSamples

Member = TypeVar("Member")
Fitted = tuple[Member, FitResult]

# Events read in all epochs of a member from which a process of its own repays its start of some seconds.
_LONG = 1_000_000


def fit_members(fit_one: Callable[[int], Fitted[Member]], seeds: Sequence[int], n_jobs: int) -> list[Fitted[Member]]:
    """Fit a member for every seed, in processes that share the threads of torch between them.

    A member depends on its seed alone. Numbers may differ in the last digits with the threads a process has, as they
    do with ``torch.set_num_threads``. Warnings of all members are given in the calling process.

    Parameters
    ----------
    fit_one : callable
        Fits the member of a seed.
    seeds : sequence of int
        One a member.
    n_jobs : int
        Processes; with 1 everything runs in the calling process.

    Returns
    -------
    list of (network, FitResult)
        In the order of the seeds.
    """
    if n_jobs == 1:
        return [fit_one(seed) for seed in seeds]
    threads = max(1, torch.get_num_threads() // n_jobs)
    # Not through memory maps: they are read-only, and torch wants tensors that may be written.
    tasks = (delayed(_fit_apart)(fit_one, seed, threads) for seed in seeds)
    fitted, told = zip(*Parallel(n_jobs, backend="loky", max_nbytes=None)(tasks), strict=True)
    for message in (message for member in told for message in member):
        warnings.warn(message, stacklevel=2)
    return list(fitted)


def _fit_apart(
    fit_one: Callable[[int], Fitted[Member]], seed: int, threads: int
) -> tuple[Fitted[Member], list[Warning]]:
    before = torch.get_num_threads()  # the worker may serve others later
    torch.set_num_threads(threads)
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("default")
            fitted = fit_one(seed)
    finally:
        torch.set_num_threads(before)
    return fitted, [warning.message for warning in told if isinstance(warning.message, Warning)]


def n_processes(training: Training, train: AnySamples, n_events: int, *, device: str, verbose: int) -> int:
    """Number of processes that members are fitted in.

    Parameters
    ----------
    training : Training
        Its ``n_jobs``; None decides by threads and length of the fit, -1 means one a thread.
    train : Samples, GapSamples, RecordSamples or StreamedSamples
        Training records. By default those on disk are read in one process, since memory is what they are short of.
    n_events : int
        Events of the training records.
    device : str
        Where to train; with anything but the CPU it is one process.
    verbose : int
        With 1, lines of several members would get mixed, and be lost in notebooks: one process by default.

    Returns
    -------
    int
        At least 1, at most one a member.
    """
    if torch.device(device).type != "cpu":
        return 1
    available = torch.get_num_threads()
    if training.n_jobs is None:
        is_long = n_events * planned_epochs(training, train.n_records) >= _LONG
        wanted = available if is_long and not verbose and not isinstance(train, StreamedSamples) else 1
    else:
        wanted = available if training.n_jobs == -1 else training.n_jobs
    return max(1, min(wanted, training.members))
