"""Models on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cndts.estimators import HybridMemoryForecaster


def load_model(path: Path) -> HybridMemoryForecaster:
    """A model that `cndts fit` has saved."""
    if not path.exists():
        raise FileNotFoundError(f"there is no model {path}; `cndts fit DATA --out {path}` writes one.")
    from cndts.estimators import HybridMemoryForecaster

    return HybridMemoryForecaster.load(path)
