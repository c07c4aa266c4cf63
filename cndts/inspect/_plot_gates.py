"""Readings of the gates of one record over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cndts.inspect._gate_trace import gate_trace, read_gates
from cndts.inspect._pyplot import ROW_HEIGHT, load_pyplot, time_label
from cndts.inspect._subject import Subject
from cndts.panel import IrregularPanel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LABELS = {"write": "write weight", "forget": "forget pace", "keep": "kept share", "salience": "salience"}
_NEUTRAL = {"write": 1.0, "forget": 1.0, "keep": 1.0, "salience": 0.0}


def plot_gates(model: Any, X: IrregularPanel, *, record: Any = None) -> Figure:
    """Draw what the gates said of each event of a record, and how far each channel's node let the memories in.

    One axes per memory and gate over time, one colour per channel; readings are averaged over members, and for the long-term memory
    over its time scales. Dashed lines are where an indifferent gate stands. The lowest axes shows the read gates at the record's
    last event.

    Parameters
    ----------
    model : fitted forecaster
        With a hybrid-memory backbone.
    X : IrregularPanel
        Holds the record; queries are ignored.
    record : record id, optional
        The first record with events by default.

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
        If the record is unknown or has no events.
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
    >>> len(plot_gates(model, X, record=X.records[0]).axes)
    7
    """
    plt = load_pyplot()
    subject = Subject(model, X)
    if record is None and subject.panel.n_events:
        record = subject.panel.records[int(np.argmax(subject.panel.counts > 0))]
    one = Subject(model, X, record).panel.without_queries() if record is not None else subject.panel
    if not one.n_events:
        raise ValueError("there are no events to draw gates of; choose another record with record=.")
    trace = gate_trace(model, one, average=True)
    kinds = list(trace[["memory", "gate"]].drop_duplicates().itertuples(index=False, name=None))
    size = (8.5, 1.2 + ROW_HEIGHT * (len(kinds) + 1.5))
    figure = plt.figure(figsize=size, layout="constrained")
    grid = figure.add_gridspec(len(kinds) + 1, 1, height_ratios=[1.0] * len(kinds) + [1.5])
    first = None
    for row, (memory, gate) in enumerate(kinds):
        axis = first = figure.add_subplot(grid[row], sharex=first)
        readings = trace[(trace["memory"] == memory) & (trace["gate"] == gate)]
        _draw_readings(axis, one, readings, _NEUTRAL[gate])
        axis.set_ylabel(f"{memory}\n{_LABELS[gate]}", fontsize=8)
        axis.tick_params(labelbottom=row == len(kinds) - 1)
    figure.axes[0].set_title(f"record {one.records[0]}: gates")
    figure.axes[0].legend(frameon=False, fontsize=7, ncols=6, loc="lower left", bbox_to_anchor=(0, 1.12))
    axis.set_xlabel(time_label(one))
    _draw_openings(figure.add_subplot(grid[-1]), read_gates(model, one), one)
    return figure


def _draw_readings(axis: Axes, one: IrregularPanel, readings: pd.DataFrame, neutral: float) -> None:
    axis.axhline(neutral, color="0.6", linewidth=0.8, linestyle=(0, (4, 3)))
    # Events of one channel at one time are drawn as one, at their mean.
    mean = readings.groupby(["channel", "time"], sort=True)["reading"].mean()
    for position in np.unique(one.channel):
        name = one.channels[position]
        line = mean[name]
        axis.plot(list(line.index), line, "o-", markersize=2.5, linewidth=0.7, color=f"C{position % 10}", label=name)


def _draw_openings(axis: Axes, openings: pd.DataFrame, one: IrregularPanel) -> None:
    kinds = list(openings[["round", "memory"]].drop_duplicates().itertuples(index=False, name=None))
    for rank, (number, memory) in enumerate(kinds):
        here = openings[(openings["round"] == number) & (openings["memory"] == memory)]
        place = np.array([one.channels.index(name) for name in here["channel"]])
        offset = (rank - (len(kinds) - 1) / 2) * 0.8 / len(kinds)
        axis.bar(place + offset, here["opening"], width=0.8 / len(kinds), label=f"round {number}: {memory}")
    axis.axhline(1.0, color="0.6", linewidth=0.8, linestyle=(0, (4, 3)))
    axis.set_xticks(range(len(one.channels)), one.channels, rotation=45 if len(one.channels) > 6 else 0, fontsize=7)
    axis.set_ylabel("read gate", fontsize=8)
    axis.legend(frameon=False, fontsize=7, ncols=4, loc="lower left", bbox_to_anchor=(0, 1.0))
