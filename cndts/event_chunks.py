"""Cutting a batch of long records into pieces that are written one after the other."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from cndts.event_batch import EventBatch


def event_chunks(batch: EventBatch, size: int) -> Iterator[EventBatch]:
    """Pieces of a batch, forward in time, none of which splits a visit.

    Every piece holds the next stretch of every record. Gaps and changes still refer to the event before, wherever it is;
    ages count from the last event in the piece. Pieces serve to write memories: they have no queries, and what is told of
    series (count, age, span) is left out.

    Parameters
    ----------
    batch : EventBatch
        Whole histories.
    size : int
        Events in a piece, about; a visit with more events stays whole.

    Yields
    ------
    EventBatch
    """
    piece = _pieces(batch, size)
    events, visits = _grouped(piece[batch.visit]), _grouped(piece)
    latest = torch.full((batch.n_records,), torch.nan, dtype=batch.visit_age.dtype, device=piece.device)
    for rows, kept in zip(events, visits, strict=True):
        chunk = _piece(batch, rows, kept)
        record, ages = chunk.visit_record, batch.visit_age[kept]
        held = torch.zeros(batch.n_records, dtype=torch.bool, device=piece.device).index_fill(0, record, True)
        opened, closed = _first_and_last(ages, record, batch.n_records)
        yield replace(chunk, record_gap=torch.where(held & latest.isfinite(), latest - opened, 0.0))
        latest = torch.where(held, closed, latest)


def _pieces(batch: EventBatch, size: int) -> Tensor:
    """Piece of each visit, shape (n_visits,).

    Visits are counted off in the order of how many events of their record come before them, so that long and short records
    advance side by side and every piece is full, whatever the lengths of the records.
    """
    events = torch.bincount(batch.visit, minlength=batch.n_visits)
    before = events.cumsum(0) - events
    is_first = torch.ones_like(before, dtype=torch.bool)
    is_first[1:] = batch.visit_record[1:] != batch.visit_record[:-1]
    place = before - before[is_first][is_first.cumsum(0) - 1]
    order = place.argsort(stable=True)
    done = events[order].cumsum(0) - events[order]
    return torch.empty_like(done).index_copy(0, order, done // size)


def _grouped(piece: Tensor) -> tuple[Tensor, ...]:
    """Rows of each piece, in their order."""
    _, sizes = torch.unique(piece, return_counts=True)
    return piece.argsort(stable=True).split(sizes.tolist())


def _piece(batch: EventBatch, rows: Tensor, visits: Tensor) -> EventBatch:
    old, series, count = torch.unique_consecutive(batch.series[rows], return_inverse=True, return_counts=True)
    end = count.cumsum(0) - 1
    age, visit_record, visit_age = batch.age[rows], batch.visit_record[visits], batch.visit_age[visits]
    _, closed = _first_and_last(visit_age, visit_record, batch.n_records)
    nothing = batch.series_age.new_zeros(len(old))
    return replace(
        batch,
        n_visits=len(visit_record),
        **{name: getattr(batch, name)[rows] for name in _BY_EVENT},
        age=age - age[end][series],
        series=series,
        visit=torch.searchsorted(visits, batch.visit[rows]),
        series_node=batch.series_node[old],
        series_channel=batch.series_channel[old],
        series_count=nothing,
        series_end=end,
        series_age=nothing,
        series_span=nothing,
        visit_record=visit_record,
        visit_age=visit_age - closed[visit_record],
        query_node=batch.query_node[:0],
        query_channel=batch.query_channel[:0],
        query_horizon=batch.query_horizon[:0],
        later=None,
    )


_BY_EVENT = ("value", "score", "change", "gap", "is_first", "surprise", "channel")


def _first_and_last(age: Tensor, record: Tensor, n_records: int) -> tuple[Tensor, Tensor]:
    """Age of the first and the last visit of each record, shape (n_records,); 0 where there is none."""
    nothing = age.new_zeros(n_records)
    return (
        nothing.scatter_reduce(0, record, age, "amax", include_self=False),
        nothing.scatter_reduce(0, record, age, "amin", include_self=False),
    )
