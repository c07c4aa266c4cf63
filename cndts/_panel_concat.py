"""Joining panels record-wise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._panel_time import Origin, move_origin
from cndts._panel_validation import as_name_index, shown
from cndts._ragged import offsets_from_lengths
from cndts.queries import Queries

if TYPE_CHECKING:
    from cndts._panel_storage import PanelStorage


def joined_fields(panels: Sequence[PanelStorage], ignore_records: bool) -> dict[str, Any]:
    """Fields of the panel that holds the records of all panels, one after the other."""
    _check_clocks(panels)
    channels = tuple(dict.fromkeys(name for panel in panels for name in panel.channels))
    moved = [as_name_index(channels).get_indexer(as_name_index(panel.channels)) for panel in panels]
    records = _joined_records(panels, ignore_records)
    origin = panels[0].origin
    return {
        "offsets": offsets_from_lengths(np.concatenate([panel.counts for panel in panels])),
        "time": np.concatenate([_moved(panel.time, panel, origin) for panel in panels]),
        "channel": np.concatenate([new[panel.channel] for new, panel in zip(moved, panels, strict=True)]),
        "value": np.concatenate([panel.value for panel in panels]),
        "records": records,
        "channels": channels,
        "units": _joined_units(panels),
        "static": pd.concat([panel.static for panel in panels]).set_axis(records, axis=0),
        "outcomes": pd.concat([panel.outcomes for panel in panels]).set_axis(records, axis=0),
        "time_unit": panels[0].time_unit,
        "origin": origin,
        "groups": _joined_groups(panels),
        "queries": _joined_queries(panels, moved, origin),
    }


def _moved(time: NDArray[np.float64], panel: PanelStorage, origin: Origin) -> NDArray[np.float64]:
    return move_origin(time, panel.time_unit, panel.origin, origin)


def _check_clocks(panels: Sequence[PanelStorage]) -> None:
    if not panels:
        raise ValueError("there is nothing to join; give at least one panel.")
    first = panels[0]
    for number, panel in enumerate(panels):
        if panel.time_unit != first.time_unit:
            raise ValueError(
                f"panel {number} counts in {panel.time_unit!r} and panel 0 in {first.time_unit!r}; read both in one unit."
            )
        if type(panel.origin) is not type(first.origin) or _zoned(panel.origin) != _zoned(first.origin):
            raise ValueError(
                f"panel {number} counts from {panel.origin} and panel 0 from {first.origin}; "
                "their times cannot be put on one clock."
            )


def _zoned(origin: Origin) -> bool:
    return isinstance(origin, pd.Timestamp) and origin.tz is not None


def _joined_records(panels: Sequence[PanelStorage], ignore_records: bool) -> pd.Index:
    if ignore_records:
        return pd.RangeIndex(sum(len(panel) for panel in panels))
    records = panels[0].records.append([panel.records for panel in panels[1:]])
    if records.has_duplicates:
        twice = records[records.duplicated()]
        raise ValueError(
            f"record id {shown(twice[0])} occurs in more than one place ({len(twice)} such ids); rename them, "
            "or number the records anew with ignore_records=True."
        )
    return records


def _joined_units(panels: Sequence[PanelStorage]) -> dict[str, str]:
    units: dict[str, str] = {}
    for number, panel in enumerate(panels):
        for name, unit in panel.units.items():
            if units.setdefault(name, unit) != unit:
                raise ValueError(
                    f"channel {name!r} is in {units[name]!r} and, in panel {number}, in {unit!r}; "
                    "convert the values to one unit first."
                )
    return units


def _joined_groups(panels: Sequence[PanelStorage]) -> NDArray | None:
    have = [panel.groups for panel in panels if panel.groups is not None]
    if not have:
        return None
    if len(have) < len(panels):
        raise ValueError(f"{len(have)} of {len(panels)} panels have groups; give them to all or to none.")
    return np.concatenate(have)


def _joined_queries(
    panels: Sequence[PanelStorage], moved: Sequence[NDArray[np.int64]], origin: Origin
) -> Queries | None:
    if all(panel.queries is None for panel in panels):
        return None
    nothing = [Queries(np.zeros(len(panel) + 1, dtype=np.int64), np.zeros(0), np.zeros(0, int)) for panel in panels]
    queries = [panel.queries or none for panel, none in zip(panels, nothing, strict=True)]
    return Queries(
        offsets_from_lengths(np.concatenate([np.diff(each.offsets) for each in queries])),
        np.concatenate([_moved(each.time, panel, origin) for each, panel in zip(queries, panels, strict=True)]),
        np.concatenate([new[each.channel] for each, new in zip(queries, moved, strict=True)]),
    )
