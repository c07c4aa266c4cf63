"""Models on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cndts.estimators import HybridMemoryForecaster
    from cndts.panel import IrregularPanel


def load_model(path: Path) -> HybridMemoryForecaster:
    """A model that `cndts fit` has saved."""
    if not path.exists():
        raise FileNotFoundError(f"there is no model {path}; `cndts fit DATA --out {path}` writes one.")
    from cndts.estimators import HybridMemoryForecaster

    return HybridMemoryForecaster.load(path)


def check_channels(panel: IrregularPanel, forecaster: HybridMemoryForecaster, data: Path) -> None:
    """Refuse channels that the model was not fitted on."""
    known = forecaster.channels_in_
    unknown = [name for name in panel.channels if name not in known]
    if unknown:
        raise ValueError(
            f"{data} has channels that the model was not fitted on: {', '.join(unknown)}. It knows "
            f"{', '.join(known)}. Rename or drop them."
        )
