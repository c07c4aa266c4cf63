"""Arrays with NaN to the fields of a panel, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cndts._ragged import offsets_from_lengths

if TYPE_CHECKING:
    from cndts._panel_storage import PanelStorage


def array_fields(values: ArrayLike, times: ArrayLike | None, channels: Sequence[str] | None) -> dict[str, Any]:
    """Offsets, times, channels and values of the entries that are not NaN."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim not in (2, 3):
        raise ValueError(
            f"values need the shape (n_records, n_times) or (n_records, n_times, n_channels); got {array.shape}."
            + (" Use values[None, :] for one record." if array.ndim == 1 else "")
        )
    if array.ndim == 2:
        array = array[:, :, None]
    if channels is not None and len(channels) != array.shape[2]:
        raise ValueError(f"got {len(channels)} channel names for {array.shape[2]} channels; give one name each.")
    grid = _grid(times, array.shape[0], array.shape[1])
    if (np.diff(grid, axis=1) < 0).any():
        order = np.argsort(grid, axis=1, kind="stable")
        grid = np.take_along_axis(grid, order, axis=1)
        array = np.take_along_axis(array, order[:, :, None], axis=1)
    _refuse_infinite(array, grid)
    record, step, channel = np.nonzero(~np.isnan(array))
    return {
        "offsets": offsets_from_lengths(np.bincount(record, minlength=len(array))),
        "time": grid[record, step],
        "channel": channel,
        "value": array[record, step, channel],
        "channels": [f"x{i}" for i in range(array.shape[2])] if channels is None else channels,
    }


def to_grid(panel: PanelStorage, times: ArrayLike | None) -> tuple[NDArray, NDArray]:
    """Values of shape (n_records, n_times, n_channels) on sorted times."""
    distinct = np.unique(panel.time)
    grid = distinct if times is None else np.asarray(times, dtype=np.float64)
    sorter = np.argsort(grid, kind="stable")
    step = (
        sorter[np.minimum(np.searchsorted(grid, panel.time, sorter=sorter), max(len(grid) - 1, 0))]
        if len(grid)
        else np.zeros(panel.n_events, dtype=np.int64)
    )
    off = grid[step] != panel.time if len(grid) else np.ones(panel.n_events, dtype=bool)
    if off.any():
        raise ValueError(
            f"{int(off.sum())} events lie off the given times, the first at {panel.time[off][0]:g}; "
            "leave times out to get a grid of all event times."
        )
    values = np.full((len(panel), len(grid), len(panel.channels)), np.nan, dtype=np.float32)
    values[panel.record, step, panel.channel] = panel.value
    if np.count_nonzero(~np.isnan(values)) < panel.n_events:
        raise ValueError(
            "several events of one channel fall on one time; call deduplicate('mean' | 'first' | 'last') first."
        )
    return values, grid


def _grid(times: ArrayLike | None, n_records: int, n_times: int) -> NDArray[np.float64]:
    grid = np.arange(n_times, dtype=np.float64) if times is None else np.asarray(times, dtype=np.float64)
    if grid.shape not in ((n_times,), (n_records, n_times)):
        raise ValueError(
            f"times need the shape ({n_times},) or ({n_records}, {n_times}) to fit the values; got {grid.shape}."
        )
    if not np.isfinite(grid).all():
        raise ValueError(f"times must be finite; got {grid[~np.isfinite(grid)][0]}.")
    return np.broadcast_to(grid, (n_records, n_times))


def _refuse_infinite(array: NDArray[np.float64], grid: NDArray[np.float64]) -> None:
    with np.errstate(over="ignore"):
        wrong = np.isinf(array.astype(np.float32))
    if wrong.any():
        record, step, channel = (int(part[0]) for part in np.nonzero(wrong))
        raise ValueError(
            f"record {record}, channel {channel} has the value {array[record, step, channel]} at time "
            f"{grid[record, step]:g}; values must be finite in float32, or NaN where not observed."
        )
