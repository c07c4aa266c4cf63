"""Models on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cndts.estimators import BaseForecaster
    from cndts.panel import IrregularPanel


def load_model(path: Path) -> BaseForecaster:
    """A forecaster or interpolator that `cndts fit`, or `save` in Python, has written."""
    if not path.exists():
        raise FileNotFoundError(f"there is no model {path}; `cndts fit DATA --out {path}` writes one.")
    from cndts.estimators import BaseForecaster, load_estimator

    model = load_estimator(path)
    if not isinstance(model, BaseForecaster):
        raise TypeError(
            f"{path} holds a {type(model).__name__}, which forecasts no events; load it in Python: "
            "cndts.estimators.load_estimator(path)."
        )
    return model


def check_channels(panel: IrregularPanel, forecaster: BaseForecaster, data: Path) -> None:
    """Refuse channels that the model was not fitted on."""
    known = forecaster.channels_in_
    unknown = [name for name in panel.channels if name not in known]
    if unknown:
        raise ValueError(
            f"{data} has channels that the model was not fitted on: {', '.join(unknown)}. It knows "
            f"{', '.join(known)}. Rename or drop them."
        )
