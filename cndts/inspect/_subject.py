"""A fitted model and a panel, checked and cut into batches."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from cndts._panel_time import write_times
from cndts._panel_validation import shown
from cndts.backbones import HybridMemoryBackbone
from cndts.batching import EventStore
from cndts.event_batch import EventBatch
from cndts.panel import IrregularPanel
from cndts.queries import Queries

# Records are looked at together until their events and queries reach this number, which bounds memory.
_ROWS_PER_BATCH = 50_000


@dataclass(frozen=True, eq=False)
class Piece:
    """Some records of a panel as the model reads them.

    Parameters
    ----------
    batch : EventBatch
        Events and queries, in model units.
    first : int
        Position in the panel of the batch's first record.
    event : ndarray of shape (n_events,)
        Row in the panel of each event of the batch.
    """

    batch: EventBatch
    first: int
    event: NDArray[np.int64]


class Subject:
    """What the functions of this package look at.

    Parameters
    ----------
    model : fitted forecaster
        With a hybrid-memory backbone.
    X : IrregularPanel
        Records; channels are matched by name.
    record : record id, optional
        Keep this record alone.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model has another backbone, interpolates from both sides, or ``X`` is no panel.
    ValueError
        If the record, a channel or the time unit is unknown to the model or the panel.
    """

    def __init__(self, model: Any, X: IrregularPanel, record: Any = None) -> None:
        self.model = model
        self.backbones = backbones_of(model)
        if any(getattr(backbone, "later_side", None) is not None for backbone in self.backbones):
            raise TypeError(
                f"a {type(model).__name__} reads its memories on both sides of every gap, which is not shown here; only half_lives "
                "looks into it. Use a forecaster."
            )
        self.panel = _aligned(model, X)
        if record is not None:
            self.panel = self.panel[[record_position(self.panel, record)]]

    @cached_property
    def asked(self) -> NDArray[np.int64]:
        """Nodes (record, channel) that the panel asks for, rising; all of them where it has no queries."""
        queries, n_channels = self.panel.queries, len(self.panel.channels)
        if queries is None:
            return np.arange(len(self.panel) * n_channels)
        return np.unique(queries.record * n_channels + queries.channel)

    def pieces(self) -> Iterator[Piece]:
        """The panel in batches of bounded size, on the model's device."""
        panel = self.panel
        queries = panel.queries or Queries(np.zeros(len(panel) + 1, np.int64), np.zeros(0), np.zeros(0, np.int32))
        # Batches hold their events sorted by record, channel, time and value.
        order = np.lexsort((panel.value, panel.time, panel.channel, panel.record))
        store = EventStore(panel, self.model.scaling_, self.model.static_.transform(panel.static))
        device = next(self.model.network_.parameters()).device
        rows = np.cumsum(np.diff(panel.offsets) + np.diff(queries.offsets))
        bounds = np.flatnonzero(np.diff(rows // _ROWS_PER_BATCH, prepend=-1, append=np.inf))
        for first, end in pairwise(bounds.tolist()):
            batch = store.batch(np.arange(first, end), queries[first:end]).to(device)
            yield Piece(batch, first, order[panel.offsets[first] : panel.offsets[end]])

    def asked_in(self, piece: Piece) -> NDArray[np.int64]:
        """Nodes asked for, as the piece's batch numbers them."""
        first = piece.first * len(self.panel.channels)
        node = self.asked - first
        return node[(node >= 0) & (node < piece.batch.n_records * piece.batch.n_channels)]

    # ---- columns -------------------------------------------------------------------------------

    def records(self, position: Any) -> pd.Index:
        """Ids of records."""
        return self.panel.records.take(position)

    def channels(self, position: NDArray) -> NDArray:
        """Names of channels."""
        return np.asarray(self.panel.channels, dtype=object)[position]

    def events(self, row: NDArray) -> dict[str, Any]:
        """Time, channel and value of events, as ``to_long`` writes them; missing where the row is -1."""
        is_event = pd.Series(row >= 0)
        picked, panel = np.maximum(row, 0), self.panel
        if not panel.n_events:
            missing = np.full(len(row), np.nan)
            return {"time": missing, "channel": missing.astype(object), "value": missing}
        return {
            "time": pd.Series(write_times(panel.time[picked], panel.time_unit, panel.origin)).where(is_event),
            "channel": pd.Series(self.channels(panel.channel[picked])).where(is_event),
            "value": pd.Series(panel.value[picked]).where(is_event),
        }


def backbones_of(model: Any) -> list[HybridMemoryBackbone]:
    """Backbones of a fitted model's members, ready to predict."""
    network = getattr(model, "network_", None)
    if network is None:
        check_is_fitted(model)
    backbones = [member.backbone for member in getattr(network, "members", [])]
    others = [type(backbone).__name__ for backbone in backbones if not isinstance(backbone, HybridMemoryBackbone)]
    if others or not backbones:
        raise TypeError(
            f"this looks into models with a hybrid-memory backbone; got a {type(model).__name__}"
            f"{' with a ' + others[0] if others else ''}. Use HybridMemoryForecaster or "
            'IrregularForecaster(backbone="hybrid-memory").'
        )
    model.network_.eval()
    return backbones


def record_position(panel: IrregularPanel, record: Any) -> int:
    """Position of a record by its id."""
    places = np.flatnonzero(panel.records == record)
    if not len(places):
        raise ValueError(f"X has no record {shown(record)}; its ids are listed in X.records.")
    return int(places[0])


def check_follows(panel: IrregularPanel) -> None:
    """Refuse queries before the last event of their record, which are answered from a shorter record."""
    queries = panel.queries
    if queries is None:
        return
    is_early = queries.time < panel.last_time[queries.record]
    if is_early.any():
        row = int(np.flatnonzero(is_early)[0])
        record, time = int(queries.record[row]), queries.time[row]
        raise ValueError(
            f"record {shown(panel.records[record])} is asked at {time:g}, before its last event at "
            f"{panel.last_time[record]:g}; such a query is answered from the events up to its time. Look at it with a panel that "
            f"ends there: X.where(X.time <= {time:g})."
        )


@contextmanager
def watched(module: nn.Module) -> Iterator[list[tuple[tuple, Any]]]:
    """Collect (arguments, result) of every call of a module."""
    calls: list[tuple[tuple, Any]] = []
    handle = module.register_forward_hook(lambda _, given, said: calls.append((given, said)))
    try:
        yield calls
    finally:
        handle.remove()


def as_array(tensor: Tensor) -> NDArray:
    """A tensor without its history, as an array."""
    return tensor.detach().cpu().numpy()


def averaged(frame: pd.DataFrame, keys: list[str], value: str, n_members: int) -> pd.DataFrame:
    """Sum over members divided by their number: a row that a member lacks counts as 0."""
    summed = frame.groupby(keys, sort=False, as_index=False, dropna=False)[value].sum()
    return summed.assign(**{value: summed[value] / n_members})


def _aligned(model: Any, X: IrregularPanel) -> IrregularPanel:
    if not isinstance(X, IrregularPanel):
        raise TypeError(f"X must be an IrregularPanel; got {type(X).__name__}.")
    if X.time_unit != model.time_unit_in_:
        raise ValueError(f"X has times in {X.time_unit!r}, the model was fitted on times in {model.time_unit_in_!r}.")
    unknown = [name for name in X.channels if name not in model.channels_in_]
    if unknown:
        raise ValueError(f"X has channels that the model was not fitted on: {unknown}. Leave them out or rename them.")
    return X if X.channels == model.channels_in_ else X.with_channels(model.channels_in_)
