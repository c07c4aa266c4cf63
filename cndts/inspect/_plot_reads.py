"""A forecast beside the events that it rested on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._panel_time import write_times
from cndts._panel_validation import shown
from cndts.inspect._pyplot import ROW_HEIGHT, load_pyplot, time_label
from cndts.inspect._reads import episodic_reads, working_reads
from cndts.inspect._subject import Subject, check_follows
from cndts.panel import IrregularPanel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_N_TIMES = 80
_FORECAST = "#1f5fbf"
_SMALLEST, _LARGEST = 18.0, 150.0  # area of a marker, in points squared


def plot_reads(
    model: Any, X: IrregularPanel, *, record: Any = None, channel: str | None = None, memory: str = "episodic"
) -> Figure:
    """Draw a forecast, the events of its record, and which of them it read.

    The channel asked for is on top, with the forecast and its bands from the last event to the last query; below are the channels
    from which remembered events come. Small dots are all events; large ones are held by the memory, the larger and darker the larger
    their share in what the forecast read, averaged over heads and members.

    Parameters
    ----------
    model : fitted forecaster
        With a hybrid-memory backbone.
    X : IrregularPanel
        Holds the record, with queries after its last event.
    record : record id, optional
        The first record with queries by default.
    channel : str, optional
        Channel asked for; by default the record's first query decides.
    memory : {"episodic", "working"}, default="episodic"
        Whose reads to draw.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model has another backbone, or ``X`` is no panel.
    ValueError
        If the record or channel is unknown or not asked for, or `episodic_reads` cannot answer.
    ImportError
        If matplotlib is missing.

    Examples
    --------
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_oscillators
    >>> from cndts.estimators import HybridMemoryForecaster
    >>> from cndts.training import Training
    >>> X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(30, random_state=0))
    >>> model = HybridMemoryForecaster(width=8, training=Training(epochs=1), random_state=0).fit(X, y)
    >>> figure = plot_reads(model, X, record=X.records[3])
    >>> figure.axes[0].get_title()
    'record 3: what the forecast of x0 read from episodic memory'
    """
    if memory not in _READERS:
        raise ValueError(f"memory must be one of {tuple(_READERS)}; got {memory!r}.")
    plt = load_pyplot()
    subject = Subject(model, X, _asked_record(X) if record is None else record)
    check_follows(subject.panel)
    one, asked, until = subject.panel, *_asked_channel(subject.panel, channel)
    reads = _READERS[memory](model, one.with_queries(until, one.channels[asked]))
    held = reads[reads["time"].notna()]
    shown_channels = [
        asked,
        *(k for k, name in enumerate(one.channels) if k != asked and (held["channel"] == name).any()),
    ]
    size = (8.5, 1.2 + ROW_HEIGHT * (len(shown_channels) + 1))
    ratios = [2.0] + [1.0] * (len(shown_channels) - 1)
    figure, axes = plt.subplots(
        len(ratios), 1, sharex=True, squeeze=False, figsize=size, height_ratios=ratios, layout="constrained"
    )
    largest = max(float(held["share"].max()), 1e-9) if len(held) else 1.0
    for position, axis in zip(shown_channels, axes[:, 0], strict=True):
        marks = _draw_events(axis, one, position, held, largest)
    _draw_forecast(axes[0, 0], model, one, asked, until)
    name = one.channels[asked]
    axes[0, 0].set_title(f"record {one.records[0]}: what the forecast of {name} read from {memory} memory")
    axes[0, 0].legend(frameon=False, fontsize=8, loc="upper left")
    nothing = reads["share"][reads["time"].isna()].sum()
    axes[-1, 0].set_xlabel(time_label(one))
    figure.colorbar(marks, ax=axes[:, 0].tolist(), label=f"share of the read ({nothing:.0%} is nothing)", aspect=40)
    return figure


_READERS = {"episodic": episodic_reads, "working": working_reads}


def _asked_record(X: Any) -> Any:
    if not isinstance(X, IrregularPanel):
        return None  # the subject refuses it
    if X.queries is None or not X.queries.n_queries:
        raise ValueError("X has no queries, so there is no forecast to draw; use X.with_queries(times=...).")
    return X.records[int(X.queries.record[0])]


def _asked_channel(one: IrregularPanel, channel: str | None) -> tuple[int, float]:
    """Position of the channel, and its last query time."""
    queries = one.queries
    if queries is None or not queries.n_queries:
        raise ValueError(f"record {shown(one.records[0])} has no queries; use X.with_queries(times=...).")
    if channel is not None and channel not in one.channels:
        raise ValueError(f"the model has no channel {channel!r}; its channels are {list(one.channels)}.")
    position = int(queries.channel[0]) if channel is None else one.channels.index(channel)
    times = queries.time[queries.channel == position]
    if not len(times):
        raise ValueError(
            f"record {shown(one.records[0])} is not asked for {channel!r}; add X.with_queries(times, {channel!r})."
        )
    return position, float(times.max())


def _draw_events(axis: Axes, one: IrregularPanel, position: int, held: pd.DataFrame, largest: float) -> Any:
    """All events of a channel, and those held with their shares; returns what a colour bar needs."""
    is_here, name = one.channel == position, one.channels[position]
    times = write_times(one.time[is_here], one.time_unit, one.origin)
    axis.plot(times, one.value[is_here], "o-", color="0.6", markersize=2.5, linewidth=0.6, label="observed")
    here = held[held["channel"] == name]
    area = _SMALLEST + (_LARGEST - _SMALLEST) * here["share"] / largest
    style: dict[str, Any] = {
        "cmap": "YlOrRd",
        "vmin": 0.0,
        "vmax": largest,
        "edgecolors": "0.25",
        "linewidths": 0.6,
        "zorder": 3,
    }
    marks = axis.scatter(list(here["time"]), here["value"], s=area, c=here["share"], label="held", **style)
    axis.set_ylabel(f"{name} ({one.units[name]})" if name in one.units else name)
    return marks


def _draw_forecast(axis: Axes, model: Any, one: IrregularPanel, asked: int, until: float) -> None:
    start = one.last_time[0] if one.n_events else until
    grid = np.linspace(start, until, _N_TIMES)
    bands: NDArray = model.predict_quantiles(one.with_queries(grid, one.channels[asked]), _LEVELS).T
    times = write_times(grid, one.time_unit, one.origin)
    axis.fill_between(times, bands[0], bands[4], color=_FORECAST, alpha=0.16, linewidth=0, label="90 % band")
    axis.fill_between(times, bands[1], bands[3], color=_FORECAST, alpha=0.30, linewidth=0, label="50 % band")
    axis.plot(times, bands[2], color=_FORECAST, linewidth=1.6, label="forecast (median)")
    axis.axvline(times[0], color="0.5", linewidth=0.9, linestyle=(0, (4, 3)))
