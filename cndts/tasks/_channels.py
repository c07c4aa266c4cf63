"""Which events lie in channels that are named."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from cndts.panel import IrregularPanel


def as_names(names: Iterable[str] | None, what: str) -> tuple[str, ...] | None:
    """Names as a tuple; a single string would be read letter by letter."""
    if isinstance(names, str):
        raise TypeError(f"{what} must be a list of channel names; got the string {names!r}. Write [{names!r}].")
    return None if names is None else tuple(names)


def events_in(panel: IrregularPanel, names: tuple[str, ...], what: str) -> NDArray[np.bool_]:
    """Whether each event lies in one of the channels.

    Raises
    ------
    ValueError
        If the panel does not have one of the channels.
    """
    unknown = [name for name in names if name not in panel.channels]
    if unknown:
        raise ValueError(
            f"{what} names channels that the panel does not have: {unknown}; it has {list(panel.channels)}."
        )
    return np.isin(panel.channel, [panel.channels.index(name) for name in names])
