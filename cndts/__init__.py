"""Forecasting, interpolation and classification of irregularly sampled time series.

Names load on first use, so that ``import cndts`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cndts.panel import IrregularPanel
    from cndts.parquet_panel import ParquetPanel
    from cndts.protocols import protocol
    from cndts.queries import Queries
    from cndts.targets import Targets
    from cndts.tasks import Extrapolation, Interpolation, RecordSplit

    __version__: str

__all__ = [
    "Extrapolation",
    "Interpolation",
    "IrregularPanel",
    "ParquetPanel",
    "Queries",
    "RecordSplit",
    "Targets",
    "__version__",
    "protocol",
]

_HOME = {
    "Extrapolation": "cndts.tasks",
    "Interpolation": "cndts.tasks",
    "IrregularPanel": "cndts.panel",
    "ParquetPanel": "cndts.parquet_panel",
    "Queries": "cndts.queries",
    "RecordSplit": "cndts.tasks",
    "Targets": "cndts.targets",
    "protocol": "cndts.protocols",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        return _version()
    if name not in _HOME:
        raise AttributeError(f"module 'cndts' has no attribute {name!r}")
    found = getattr(import_module(_HOME[name]), name)
    globals()[name] = found
    return found


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("cndts")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0+unknown"


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
