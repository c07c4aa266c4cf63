"""The tensors that a backbone reads: one row an event, nothing padded."""

from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class EventBatch:
    """Events of some records, sorted by record, channel and time, with what each of them needs to know.

    A *series* is the events of one record and channel; series without events do not exist. A *node* is a (record,
    channel) pair, ``record * n_channels + channel``, with or without events. Times are in the model's unit and always
    relative, so that shifting a record in time changes nothing.

    Parameters
    ----------
    n_records, n_channels, n_visits : int
        Sizes; a visit is one time stamp of one record at which there are events.
    value : Tensor of shape (n_events,)
        Standardised values.
    score : Tensor of shape (n_events,)
        Where the value stands among the training values of its channel.
    change : Tensor of shape (n_events,)
        Value minus the previous value of the series; 0 at its first event.
    gap : Tensor of shape (n_events,)
        Time since the previous event of the series; 0 at its first event.
    is_first : Tensor of shape (n_events,)
        1.0 at the first event of a series.
    surprise : Tensor of shape (n_events,)
        Distance of the value from the mean of its series before, in the deviations of its series before.
    age : Tensor of shape (n_events,)
        Time from the event to the last event of its series.
    channel, series, visit : Tensor of shape (n_events,)
        Channel position; position among the series; position among the visits.
    series_node, series_channel, series_count, series_end : Tensor of shape (n_series,)
        Node, channel, number of events, and row of the last event.
    series_age, series_span : Tensor of shape (n_series,)
        Time from the last event of the series to the last event of the record; time from its first to its last event.
    visit_record, visit_age : Tensor of shape (n_visits,)
        Record, and time from the visit to the last event of the record. Visits are sorted by record and time.
    record_gap : Tensor of shape (n_records,)
        Where the batch goes on from an earlier one: time from the record's last event there to its first event here; else 0.
    bridge : Tensor of shape (n_records,)
        Time from the record's last event to the first in ``later``; 0 where there is none on either side.
    query_node, query_channel : Tensor of shape (n_queries,)
        Node and channel asked for.
    query_horizon : Tensor of shape (n_queries,)
        Query time minus the last event time of the record; 0 for a record without events.
    static : Tensor of shape (n_records, n_static)
        Encoded static features.
    later : EventBatch or None
        For interpolation: the events after the gap in which a record is asked, mirrored in time, without queries. A record
        that has only those is asked at the time that is left until the first of them.
    """

    n_records: int
    n_channels: int
    n_visits: int
    value: Tensor
    score: Tensor
    change: Tensor
    gap: Tensor
    is_first: Tensor
    surprise: Tensor
    age: Tensor
    channel: Tensor
    series: Tensor
    visit: Tensor
    series_node: Tensor
    series_channel: Tensor
    series_count: Tensor
    series_end: Tensor
    series_age: Tensor
    series_span: Tensor
    visit_record: Tensor
    visit_age: Tensor
    record_gap: Tensor
    bridge: Tensor
    query_node: Tensor
    query_channel: Tensor
    query_horizon: Tensor
    static: Tensor
    later: "EventBatch | None" = None

    @property
    def series_start(self) -> Tensor:
        """Row of the first event of each series in this batch, shape (n_series,)."""
        return torch.cat([self.series_end.new_zeros(1), self.series_end + 1])[:-1]

    def __len__(self) -> int:
        return self.n_records

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> "EventBatch":
        """Move to a device, or turn the floating point tensors into another dtype."""

        def move(tensor: Tensor) -> Tensor:
            return tensor.to(device, dtype if tensor.is_floating_point() else None)

        content: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        moved: dict[str, Any] = {name: move(part) for name, part in content.items() if isinstance(part, Tensor)}
        moved["later"] = None if self.later is None else self.later.to(device, dtype)
        return EventBatch(**(content | moved))
