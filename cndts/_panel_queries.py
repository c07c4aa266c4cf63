"""Building the queries of a panel from times, names and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._panel_frames import read_query_frame
from cndts._panel_time import read_times
from cndts._panel_validation import as_name_index, shown
from cndts._ragged import offsets_from_lengths
from cndts.queries import Queries

if TYPE_CHECKING:
    from cndts._panel_storage import PanelStorage

COLUMNS = {"record": "record", "time": "time", "channel": "channel"}


def check_asks(X: PanelStorage, what: str = "X") -> Queries:
    """The queries of a panel; refuse a panel that asks for nothing."""
    if X.queries is None:
        raise ValueError(
            f"{what} has no queries, so there is nothing to predict: {len(X)} records, {X.n_events} events. Use "
            "Extrapolation(...).split(panel), panel.with_queries(times=...) or predict(panel, times=[...])."
        )
    return X.queries


def build_queries(panel: PanelStorage, times: Any, channels: str | Sequence[str] | None) -> Queries:
    """Queries at the times, each time with every one of the channels."""
    channels = [channels] if isinstance(channels, str) else channels
    asked = channel_positions(panel, channels)
    if isinstance(times, pd.DataFrame) or hasattr(times, "__arrow_c_stream__") and not isinstance(times, pd.Series):
        return read_query_frame(times, panel, COLUMNS, channels)
    if isinstance(times, Mapping):
        codes, flat = _by_record(panel, times)
    elif isinstance(times, np.ndarray) and times.ndim == 2:
        codes, flat = _by_row(panel, times)
    else:
        each = _as_series(times)
        codes = np.repeat(np.arange(len(panel)), len(each))
        return _crossed(panel, codes, np.tile(_numbers(panel, each, None), len(panel)), asked)
    return _crossed(panel, codes, _numbers(panel, flat, codes), asked)


def channel_positions(panel: PanelStorage, channels: Sequence[str] | None) -> NDArray[np.int64]:
    """Positions of the named channels, all of them for None."""
    if channels is None:
        return np.arange(len(panel.channels))
    position = as_name_index(panel.channels).get_indexer(as_name_index(channels))
    unknown = [str(name) for name in np.asarray(channels, dtype=object)[position < 0]]
    if unknown:
        raise ValueError(f"the panel has no channels {unknown}; its channels are {list(panel.channels)}.")
    return position


def _crossed(
    panel: PanelStorage, codes: NDArray[np.int64], time: NDArray[np.float64], asked: NDArray[np.int64]
) -> Queries:
    """Each time with each channel; the codes rise."""
    lengths = np.bincount(codes, minlength=len(panel)) * len(asked)
    return Queries(offsets_from_lengths(lengths), np.repeat(time, len(asked)), np.tile(asked, len(time)))


def _by_record(panel: PanelStorage, times: Mapping) -> tuple[NDArray[np.int64], pd.Series]:
    ids = pd.Index(list(times), dtype=panel.records.dtype if len(times) == 0 else None)
    codes = panel.records.get_indexer(ids)
    if (codes < 0).any():
        raise ValueError(f"the panel has no record {shown(ids[codes < 0][0])}; query its own records.")
    columns = [_as_series(own) for own in times.values()]
    order = np.argsort(codes, kind="stable")
    lengths = np.array([len(columns[i]) for i in order], dtype=np.int64)
    filled = [columns[i] for i in order if len(columns[i])]
    flat = pd.concat(filled, ignore_index=True) if filled else pd.Series([], dtype=np.float64)
    return np.repeat(codes[order], lengths), flat


def _by_row(panel: PanelStorage, times: NDArray) -> tuple[NDArray[np.int64], pd.Series]:
    if len(times) != len(panel):
        raise ValueError(f"a 2-D array of query times needs one row per record ({len(panel)}); got {len(times)} rows.")
    return np.repeat(np.arange(len(panel)), times.shape[1]), pd.Series(times.ravel())


def _as_series(times: Any) -> pd.Series:
    if isinstance(times, pd.Series):
        return times.reset_index(drop=True)
    if not isinstance(times, (pd.Index, np.ndarray)):
        times = list(times) if isinstance(times, Sequence) and not isinstance(times, str) else [times]
    series = pd.Series(np.atleast_1d(times) if isinstance(times, np.ndarray) else times, name="times")
    return series.astype(np.float64) if len(series) == 0 else series


def _numbers(panel: PanelStorage, times: pd.Series, codes: NDArray[np.int64] | None) -> NDArray[np.float64]:
    def place(row: int) -> str:
        return f"query time {row}" if codes is None else f"query time {row} (record {shown(panel.records[codes[row]])})"

    return read_times(times, panel.time_unit, panel.origin, place)[0]
