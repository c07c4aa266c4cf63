"""The drawings of a report, from plain arrays to self-contained SVG."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
# A skill below this is drawn as an arrow to the left, so that one bad channel does not squeeze all others.
LOWEST_SKILL = -0.5

INK, MUTED, GRID = "#1f2933", "#7b8794", "#e4e7eb"
FORECAST, TRUTH, TARGET = "#1f5fbf", "#c2410c", "#c2410c"
# Okabe and Ito's palette without its blues and yellow: told apart with any colour vision, and from the forecaster.
BASELINES = ("#D55E00", "#009E73", "#CC79A7", "#8C6D1F", "#6B7280", "#A3A3A3", "#000000")
STYLE: dict[str, Any] = {
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "cndts",
}


@dataclass(frozen=True, eq=False)
class Example:
    """One channel of one record: what was seen, what came, and what was forecast.

    Parameters
    ----------
    title, unit : str
        What the drawing shows, and the unit of the values.
    cut : float
        End of the context.
    seen, came : tuple of (times, values)
        Observations before and after the cut.
    truth : tuple of (times, values) or None
        The curve behind the observations, where it is known.
    grid : ndarray of shape (n_times,)
        Times of the forecast.
    bands : ndarray of shape (n_times, 5)
        Forecast quantiles 0.05, 0.25, 0.5, 0.75, 0.95.
    """

    title: str
    unit: str
    cut: float
    seen: tuple[Floats, Floats]
    came: tuple[Floats, Floats]
    truth: tuple[Floats, Floats] | None
    grid: Floats
    bands: Floats


def load_pyplot() -> Any:
    """Matplotlib's pyplot, or an error that names the extra to install."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError('drawing needs matplotlib: pip install "cndts[plot]"') from error
    return plt


def forecast_figure(examples: Sequence[Example], time_unit: str, columns: int = 2) -> Figure:
    """Observations, true curve and forecast with 50 % and 90 % bands, one panel an example."""
    plt = load_pyplot()
    rows = -(-len(examples) // columns)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(rows, columns, figsize=(9.6, 2.35 * rows + 0.5), squeeze=False, sharex=True)
        for axis, example in zip(axes.flat, examples, strict=False):
            _draw_example(axis, example)
        for axis in axes.flat[len(examples) :]:
            axis.set_axis_off()
        for axis in axes[-1]:
            axis.set_xlabel(f"time ({time_unit})")
        handles, labels = axes.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper center", ncols=len(labels), bbox_to_anchor=(0.5, 1.0))
        figure.tight_layout(rect=(0, 0, 1, 1 - 0.32 / (2.35 * rows + 0.5)))
    return figure


def _draw_example(axis: Axes, example: Example) -> None:
    low90, low50, middle, high50, high90 = example.bands.T
    axis.axvline(example.cut, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    axis.fill_between(example.grid, low90, high90, color=FORECAST, alpha=0.16, linewidth=0, label="90 % band")
    axis.fill_between(example.grid, low50, high50, color=FORECAST, alpha=0.30, linewidth=0, label="50 % band")
    axis.plot(example.grid, middle, color=FORECAST, linewidth=1.7, label="forecast (median)")
    if example.truth is not None:
        axis.plot(*example.truth, color=TRUTH, linewidth=1.0, alpha=0.9, label="true curve")
    axis.plot(*example.seen, "o", color=INK, markersize=3.2, label="observed before the cut")
    axis.plot(
        *example.came, "o", markerfacecolor="white", markeredgecolor=INK, markersize=3.8, label="observed after it"
    )
    axis.set_title(example.title)
    axis.set_ylabel(example.unit or "value")
    axis.margins(x=0.02, y=0.08)


def horizon_figure(errors: Mapping[str, Floats], edges: Floats, time_unit: str, ylabel: str) -> Figure:
    """Error against the horizon, one line a model; the first model is drawn strongest."""
    plt = load_pyplot()
    middle = (edges[1:] + edges[:-1]) / 2
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(9.6, 3.6))
        for rank, (name, error) in enumerate(errors.items()):
            axis.plot(middle, error, marker="o", markersize=4 if rank == 0 else 3, label=name, **_line(rank))
        axis.set_xlabel(f"horizon: time after the end of the context ({time_unit})")
        axis.set_ylabel(ylabel)
        axis.set_xticks(edges)
        axis.set_ylim(bottom=0)
        _label_line_ends(axis, errors, float(middle[-1]), float(edges[-1] - edges[0]))
        figure.tight_layout()
    return figure


def _line(rank: int) -> dict[str, Any]:
    if rank == 0:
        return {"color": FORECAST, "linewidth": 2.4, "zorder": 5}
    return {"color": BASELINES[(rank - 1) % len(BASELINES)], "linewidth": 1.2}


def _label_line_ends(axis: Axes, lines: Mapping[str, Floats], end: float, width: float) -> None:
    """Names at the right ends of the lines, moved apart where they would overlap."""
    heights = np.array([line[np.isfinite(line)][-1] if np.isfinite(line).any() else 0.0 for line in lines.values()])
    gap = 0.062 * axis.get_ylim()[1]
    order = np.argsort(heights)
    placed = heights[order].copy()
    for i in range(1, len(placed)):
        placed[i] = max(placed[i], placed[i - 1] + gap)
    placed -= max(placed[-1] - 0.97 * axis.get_ylim()[1], 0.0)
    axis.set_xlim(right=end + 0.28 * width)
    backing = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    for rank, (name, height) in zip(order, zip(np.array(list(lines))[order], placed, strict=True), strict=True):
        style = _line(int(rank))
        weight = "bold" if rank == 0 else "normal"
        axis.text(end + 0.02 * width, height, name, color=style["color"], va="center", fontweight=weight, bbox=backing)


def coverage_figure(levels: Floats, covered: Mapping[str, Floats]) -> Figure:
    """Share of the targets inside central intervals against what the intervals promise."""
    plt = load_pyplot()
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(4.9, 4.3))
        axis.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), label="as promised")
        for rank, (name, share) in enumerate(covered.items()):
            axis.plot(levels, share, marker="o", markersize=3, label=name, **_line(rank))
        axis.set(xlim=(0, 1), ylim=(0, 1), xlabel="coverage promised", ylabel="coverage on test records")
        axis.set_aspect("equal")
        axis.legend(loc="upper left", fontsize=8)
        figure.tight_layout()
    return figure


def skill_figure(skills: Mapping[str, Floats], channels: Sequence[str]) -> Figure:
    """Skill of every model on every channel, the first model drawn strongest."""
    plt = load_pyplot()
    place = np.arange(len(channels))
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(4.9, 4.3))
        for rank, skill in reversed(list(enumerate(skills.values()))):
            size = 6.5 if rank == 0 else 4.5
            style = {
                "color": _line(rank)["color"],
                "linestyle": "none",
                "markersize": size,
                "zorder": 5 if rank == 0 else 3,
            }
            off = skill < LOWEST_SKILL
            axis.plot(skill[~off], place[~off], marker="o", **style)
            axis.plot(np.full(off.sum(), LOWEST_SKILL), place[off], marker="<", **style)
        axis.axvline(0, color=MUTED, linewidth=0.9)
        axis.set_yticks(place, list(channels))
        axis.invert_yaxis()
        axis.grid(axis="y", linewidth=0.4)
        lowest = min(float(np.nanmin(skill)) for skill in skills.values())
        axis.set_xlim(max(lowest, LOWEST_SKILL) - 0.05, 1.0)
        axis.set_xlabel("skill: 1 - MSE / MSE(channel mean)")
        figure.tight_layout()
    return figure


def as_svg(figure: Figure) -> str:
    """The figure as a data URI, closed afterwards; as an image it shares no ids with its neighbours."""
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    load_pyplot().close(figure)
    return "data:image/svg+xml;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
