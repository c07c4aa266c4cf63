"""Memory, threads and versions of the running process."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import cndts

LIBRARIES = ("numpy", "pandas", "scikit-learn", "torch", "torchdiffeq")
_PROCESS = Path("/proc/self")


def restart_peak() -> None:
    """Let the peak count from now on, where the system can do that (Linux); elsewhere it counts from the start."""
    try:
        (_PROCESS / "clear_refs").write_text("5")
    except OSError:
        return


def resident_mb() -> float:
    """Memory resident now, in MB (10^6 bytes)."""
    return _status_mb("VmRSS")


def peak_mb() -> float:
    """Highest resident memory since the last :func:`restart_peak`, in MB (10^6 bytes), that of processes it started and
    that are still there added; NaN where unknown.
    """
    return _status_mb("VmHWM") + sum(_status_mb("VmHWM", child) for child in _children())


def _children() -> list[Path]:
    """Processes that this one has started, on Linux."""
    try:
        started = [pid for thread in (_PROCESS / "task").iterdir() for pid in (thread / "children").read_text().split()]
    except OSError:
        return []
    return [_PROCESS.parent / pid for pid in started]


def _status_mb(field: str, process: Path = _PROCESS) -> float:
    try:
        lines = (process / "status").read_text().splitlines()
    except OSError:
        return _highest_mb() if process == _PROCESS else 0.0
    # a process that has ended, but was not asked for its result yet, has no memory
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(f"{field}:")), 0.0)


def _highest_mb() -> float:
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def available_threads() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_settings(threads: int) -> dict[str, str]:
    """Environment that holds the numerical libraries of a new process to so many threads."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    return dict.fromkeys(names, str(threads))


def versions() -> dict[str, str]:
    """Versions of Python, cndts and the libraries under it.

    Examples
    --------
    >>> sorted(versions())[:2]
    ['cndts', 'numpy']
    """
    found = {"cndts": cndts.__version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
