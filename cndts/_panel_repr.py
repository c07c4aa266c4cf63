"""What a panel says of itself."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cndts._panel_storage import PanelStorage

MOST_NAMES = 6
# Quantiles of gaps read every event; larger panels (perhaps on disk) are described by their first events.
MOST_EVENTS = 2**20


def as_text(panel: PanelStorage) -> str:
    """The title line, and below it one line per fact."""
    title, facts = describe(panel)
    return "\n".join([f"{type(panel).__name__}: {title}", *(f"  {name}: {text}" for name, text in facts)])


def as_html(panel: PanelStorage) -> str:
    """The same as a table for notebooks."""
    title, facts = describe(panel)
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(name)}</th><td style="text-align:left">{escape(text)}</td></tr>'
        for name, text in facts
    )
    return f"<div><strong>{type(panel).__name__}</strong>: {escape(title)}<table>{rows}</table></div>"


def describe(panel: PanelStorage) -> tuple[str, list[tuple[str, str]]]:
    """A title and named facts; facts that do not apply are left out."""
    title = f"{_count(len(panel), 'record')}, {_count(panel.n_events, 'event')}, {_channels(panel)}"
    facts = {
        "events a record": _events(panel),
        "time": _span(panel),
        "gaps": _gaps(panel),
        "origin": "" if panel.origin is None else str(panel.origin),
        "queries": "" if panel.queries is None else f"{panel.queries.n_queries:,}",
        "static": _names(list(panel.static.columns)),
        "outcomes": _names(list(panel.outcomes.columns)),
        "groups": "" if panel.groups is None else f"{len(set(panel.groups.tolist())):,}",
    }
    return title, [(name, text) for name, text in facts.items() if text]


def visit_gaps(panel: PanelStorage) -> NDArray[np.float64]:
    """Gaps between successive distinct times within records, in ``time_unit``, of the first events."""
    time = panel.time[:MOST_EVENTS]
    gaps = np.diff(time)
    bounds = panel.offsets[1:-1]
    gaps[bounds[(bounds > 0) & (bounds < len(time))] - 1] = 0
    return gaps[gaps > 0]


def _channels(panel: PanelStorage) -> str:
    names = _names(panel.channels)
    return _count(len(panel.channels), "channel") + (f" ({names})" if names else "")


def _names(names: object) -> str:
    listed = [str(name) for name in names]  # type: ignore[attr-defined]
    more = f", ... {len(listed) - MOST_NAMES} more" if len(listed) > MOST_NAMES else ""
    return ", ".join(listed[:MOST_NAMES]) + more


def _events(panel: PanelStorage) -> str:
    counts = panel.counts
    if not len(counts):
        return ""
    empty = int((counts == 0).sum())
    text = f"{counts.min():,} to {counts.max():,}, median {np.median(counts):g}"
    return text + (f" ({_count(empty, 'record')} without events)" if empty else "")


def _span(panel: PanelStorage) -> str:
    if not panel.n_events:
        return ""
    first, last = panel.first_time, panel.last_time
    spans = (last - first)[panel.counts > 0]
    unit = panel.time_unit
    return (
        f"{np.nanmin(first):.4g} to {np.nanmax(last):.4g} {unit}; span of a record: "
        f"median {np.median(spans):.3g} {unit}, at most {spans.max():.3g} {unit}"
    )


def _gaps(panel: PanelStorage) -> str:
    gaps = visit_gaps(panel)
    if not len(gaps):
        return ""
    low, middle, high = np.quantile(gaps, [0.05, 0.5, 0.95])
    unit = panel.time_unit
    text = f"median {middle:.3g} {unit} (5 %: {low:.3g} {unit}, 95 %: {high:.3g} {unit})"
    return text + (f", first {MOST_EVENTS:,} events" if panel.n_events > MOST_EVENTS else "")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
