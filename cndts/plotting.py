"""Pictures of panels (matplotlib loads when one is drawn)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cndts._panel_time import write_times
from cndts._panel_validation import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cndts._panel_storage import PanelStorage

ROW_HEIGHT = 1.3  # inches per channel


def plot_record(panel: PanelStorage, record: Any = None, *, channels: str | Sequence[str] | None = None) -> Figure:
    """Draw one record: one axes per channel, events as points joined by thin lines, query times as ticks below.

    Parameters
    ----------
    panel : IrregularPanel
        Holds the record.
    record : record id, optional
        The first record with events by default.
    channels : str or sequence of str, optional
        Channels to draw, in this order; by default those with events or queries.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the panel is empty, or the record or a channel is unknown.
    ImportError
        If matplotlib is missing.

    Examples
    --------
    >>> from cndts import IrregularPanel
    >>> panel = IrregularPanel([0, 2], [0.0, 1.5], [0, 1], [80.0, 36.5], channels=["HR", "Temp"], units={"HR": "bpm"})
    >>> figure = plot_record(panel.with_queries(3.0, "HR"))
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['HR (bpm)', 'Temp']
    """
    plt = _pyplot()
    one = panel[_position_of(panel, record)]
    drawn = _channels_to_draw(one, channels)
    figure, axes = plt.subplots(
        max(len(drawn), 1),
        1,
        sharex=True,
        squeeze=False,
        figsize=(8, 1 + ROW_HEIGHT * max(len(drawn), 1)),
        layout="constrained",
    )
    for position, axis in zip(drawn, axes[:, 0], strict=False):
        _draw_channel(axis, one, position)
    axes[0, 0].set_title(f"record {one.records[0]}")
    axes[-1, 0].set_xlabel("time" if _is_calendar(one) else f"time ({one.time_unit})")
    return figure


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError('plots need matplotlib: pip install "cndts[plot]".') from error
    return plt


def _position_of(panel: PanelStorage, record: Any) -> int:
    if not len(panel):
        raise ValueError("the panel has no records to draw.")
    if record is None:
        return int(np.argmax(panel.counts > 0))
    places = np.flatnonzero(panel.records == record)
    if not len(places):
        raise ValueError(
            f"the panel has no record {shown(record)}; its ids run from {shown(panel.records[0])} to "
            f"{shown(panel.records[-1])} (see panel.records)."
        )
    return int(places[0])


def _channels_to_draw(one: PanelStorage, channels: str | Sequence[str] | None) -> list[int]:
    if channels is None:
        asked = [] if one.queries is None else one.queries.channel.tolist()
        return sorted({*one.channel.tolist(), *asked})
    names = [channels] if isinstance(channels, str) else list(channels)
    unknown = [name for name in names if name not in one.channels]
    if unknown:
        raise ValueError(f"the panel has no channels {unknown}; its channels are {list(one.channels)}.")
    return [one.channels.index(name) for name in names]


def _draw_channel(axis: Axes, one: PanelStorage, position: int) -> None:
    observed = one.channel == position
    axis.plot(_axis_times(one, one.time[observed]), one.value[observed], "o-", markersize=3, linewidth=0.7)
    if one.queries is not None:
        asked = one.queries.time[one.queries.channel == position]
        bottom = axis.get_xaxis_transform()
        axis.plot(_axis_times(one, asked), np.full(len(asked), 0.03), "|", color="C1", markersize=8, transform=bottom)
    name = one.channels[position]
    axis.set_ylabel(f"{name} ({one.units[name]})" if name in one.units else name)


def _axis_times(one: PanelStorage, time: NDArray[np.float64]) -> Any:
    return write_times(time, one.time_unit, one.origin) if _is_calendar(one) else time


def _is_calendar(one: PanelStorage) -> bool:
    return hasattr(one.origin, "tz")
