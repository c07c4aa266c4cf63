"""Events as visits, and cells run over them, against plain loops."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cndts._ragged import offsets_from_lengths
from cndts.backbones.visit_loop import VisitLoop
from cndts.backbones.visit_table import VisitTable, last_observed, visit_bounds, visit_gaps
from cndts.batching import EventStore
from cndts.event_batch import EventBatch
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling

N_CHANNELS = 3


@st.composite
def batches(draw: st.DrawFn) -> tuple[EventBatch, list[dict[float, dict[int, list[float]]]]]:
    """A batch, and its values by record, time and channel; some records are empty, some channels repeat at one time."""
    lengths = draw(st.lists(st.integers(0, 8), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    n, record = sum(lengths), np.repeat(np.arange(len(lengths)), lengths)
    time = rng.integers(0, 6, n) / 2
    order = np.lexsort((time, record))
    channel, value = rng.integers(0, N_CHANNELS, n), rng.normal(size=n).astype(np.float32)
    names = [f"c{i}" for i in range(N_CHANNELS)]
    panel = IrregularPanel(offsets_from_lengths(lengths), time[order], channel, value, channels=names)
    scaling = Scaling(np.zeros(3), np.ones(3), 1.0, RankScale.unknown(3))
    nothing = Queries(np.zeros(len(lengths) + 1, dtype=int), [], [])
    batch = EventStore(panel, scaling, np.zeros((len(lengths), 0))).batch(np.arange(len(lengths)), nothing)
    visits: list[dict[float, dict[int, list[float]]]] = [{} for _ in lengths]
    for row, at in enumerate(panel.time.tolist()):
        at_visit = visits[panel.record[row]].setdefault(at, {})
        at_visit.setdefault(int(panel.channel[row]), []).append(float(panel.value[row]))
    return batch, visits


@settings(max_examples=40)
@given(batches())
def test_table_equals_the_loop(drawn: tuple[EventBatch, list[dict[float, dict[int, list[float]]]]]) -> None:
    """Rows are the time stamps of each record in order; several values of a channel at one time are averaged."""
    batch, visits = drawn
    table, gap, (first, last) = VisitTable.of(batch), visit_gaps(batch), visit_bounds(batch)
    row = 0
    for record, found in enumerate(visits):
        times = sorted(found)
        assert (first[record], last[record]) == (row, row + len(times) - 1)
        for k, time in enumerate(times):
            following = times[k + 1] if k + 1 < len(times) else time
            assert gap[row].item() == pytest.approx(following - time, abs=1e-6)
            for channel in range(N_CHANNELS):
                values = found[time].get(channel)
                assert table.observed[row, channel].item() == (values is not None)
                assert table.value[row, channel].item() == pytest.approx(np.mean(values) if values else 0.0, abs=1e-6)
            row += 1
    assert row == batch.n_visits == len(table.value)


@settings(max_examples=40)
@given(batches(), st.booleans())
def test_loop_equals_the_loop_by_record(
    drawn: tuple[EventBatch, list[dict[float, dict[int, list[float]]]]], backward: bool
) -> None:
    """Each record's state is that of running the cell over its own visits; without visits it is where it started."""
    batch, visits = drawn
    table = VisitTable.of(batch)
    start = torch.randn(len(visits), N_CHANNELS)

    def cell(state: Tensor, value: Tensor, age: Tensor) -> Tensor:
        return torch.tanh(0.5 * state + value) + age

    inputs = (table.value, batch.visit_age[:, None])
    found = VisitLoop(batch.visit_record, batch.n_records, backward=backward).run(cell, start, *inputs)
    for record in range(len(visits)):
        state = start[record]
        rows = (batch.visit_record == record).nonzero().flatten().tolist()
        for row in reversed(rows) if backward else rows:
            state = cell(state, *(part[row] for part in inputs))
        torch.testing.assert_close(found[record], state)


def test_last_observed_equals_the_loop() -> None:
    """The row at or before each row in which a column was last true."""
    observed = torch.rand(20, 4, generator=torch.Generator().manual_seed(0)) < 0.2
    found = last_observed(observed)
    for row in range(20):
        for column in range(4):
            rows = observed[: row + 1, column].nonzero().flatten().tolist()
            assert found[row, column] == (rows[-1] if rows else -1)
