"""What the drawings of this package share."""

from __future__ import annotations

from typing import Any

from cndts.panel import IrregularPanel

ROW_HEIGHT = 1.3  # inches


def load_pyplot() -> Any:
    """Matplotlib's pyplot, or an error that names the extra to install."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError('plots need matplotlib: pip install "cndts[plot]".') from error
    return plt


def time_label(panel: IrregularPanel) -> str:
    """Label of the time axis."""
    return "time" if hasattr(panel.origin, "tz") else f"time ({panel.time_unit})"
