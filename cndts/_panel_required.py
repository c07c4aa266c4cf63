"""Arguments that have to be panels."""

from __future__ import annotations

from cndts.panel import IrregularPanel


def check_is_panel(given: object, name: str = "panel") -> None:
    """Refuse anything that is not a panel.

    Raises
    ------
    TypeError

    Examples
    --------
    >>> check_is_panel("events.csv")
    Traceback (most recent call last):
    TypeError: panel must be an IrregularPanel; got str. Build one with IrregularPanel.from_long(frame) or ...
    """
    if not isinstance(given, IrregularPanel):
        raise TypeError(
            f"{name} must be an IrregularPanel; got {type(given).__name__}. "
            "Build one with IrregularPanel.from_long(frame) or IrregularPanel.from_wide(frame)."
        )
