"""The clock that counts from a record's first event."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cndts import Extrapolation, IrregularPanel, Targets
from cndts.backbones.record_clock import RecordClock
from cndts.batching import EventStore
from cndts.dynamics import Solver
from cndts.estimators import HybridMemoryForecaster
from cndts.estimators._hybrid_backbone import hybrid_backbone
from cndts.memory import Memory
from cndts.metrics import mean_squared_error
from cndts.queries import Queries
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling
from cndts.training import Training


def scaling(span: float, time_scale: float = 1.0) -> Scaling:
    return Scaling(np.zeros(2), np.ones(2), time_scale, RankScale.unknown(2), span)


def backbone(cycles: Any, time_unit: str = "h", span: float = 0.0, two_sided: bool = False, unit: float = 1.0) -> Any:
    sizes: dict[str, Any] = {"width": 8, "layers": 1, "dropout": 0.0}
    memory = Memory(window=2, timescales=2, contents=2, episodic_slots=2, cycles=cycles)
    units: dict[str, Any] = {"time_unit": time_unit, "scaling": scaling(span, unit)}
    return hybrid_backbone(2, 0, memory, Solver(), **sizes, **units, two_sided=two_sided)


def lengths(module: Any) -> list[float]:
    """Cycles of a backbone in model time."""
    return [] if module.clock is None else (2 * np.pi / module.clock.rate).tolist()


def test_it_comes_round() -> None:
    """A whole cycle later a channel is told the same, half a cycle later something else; channels differ."""
    torch.manual_seed(0)
    clock = RecordClock(n_channels=2, width=4, cycles=[0.5, 0.75]).double()
    at, channel = torch.tensor([0.1, 0.6, 1.6, 0.35, 0.1], dtype=torch.float64), torch.tensor([0, 0, 0, 0, 1])
    said = clock(at, channel)
    torch.testing.assert_close(said[0], said[2], rtol=0, atol=1e-6)  # 1.5 is three and two cycles
    for other in (1, 3, 4):
        assert not torch.allclose(said[0], said[other], atol=1e-3)


@pytest.mark.parametrize(
    ("time_unit", "span", "expected"),
    [
        ("h", 71.0, []),
        ("h", 72.0, [24.0]),
        ("h", 600.0, [24.0, 168.0]),
        ("min", 4320.0, [1440.0]),
        ("D", 1200.0, [1.0, 7.0, 365.2425]),
        ("step", 1e6, []),
    ],
)
def test_calendar_cycles_that_come_round_three_times(time_unit: str, span: float, expected: list[float]) -> None:
    """Day, week and year in the unit of the panel, in model time, where records last for three of them."""
    assert lengths(backbone("calendar", time_unit, span)) == pytest.approx(expected)
    assert lengths(backbone("calendar", time_unit, span, unit=12.0)) == pytest.approx([c / 12 for c in expected])


def test_given_cycles_are_taken_as_they_are() -> None:
    """However long the records are, and in the unit of the panel."""
    assert lengths(backbone((12.42, 100.0), "step", unit=2.0)) == pytest.approx([6.21, 50.0])
    assert lengths(backbone(np.array([3.0]))) == pytest.approx([3.0])
    assert lengths(backbone((), "D", 1e6)) == []


def test_span_of_the_training_records() -> None:
    """From the first event to the last event or target; the median, in which empty records have no say."""
    queries = Queries([0, 1, 1, 1, 2], [9.0, 2.0], [0, 0])
    panel = IrregularPanel([0, 2, 3, 3, 3], [1.0, 2.0, 5.0], [0, 0, 0], [0.0, 1.0, 2.0], queries=queries)
    assert Scaling.fit(panel, None).span == 4.0  # of 8 and 0
    assert Scaling.fit(panel[:1], None).span == 8.0
    assert Scaling.fit(panel[2:], None).span == 0.0


def asked_at(module: Any, batch: Any) -> NDArray[np.float64]:
    """Times that a backbone's clock is asked for."""
    seen: list[torch.Tensor] = []
    module.clock.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    module.eval()(batch)
    return torch.cat(seen).double().numpy()


def test_time_is_counted_from_the_first_event_of_the_record() -> None:
    """Of any channel; a record without events counts from its query."""
    panel = IrregularPanel([0, 3, 3, 4], [2.0, 5.0, 6.0, 40.0], [1, 0, 0, 0], [0.0, 1.0, 2.0, 3.0], channels=["a", "b"])
    store = EventStore(panel, scaling(0.0, 2.0), np.zeros((3, 0)))
    queries = Queries([0, 2, 3, 4], [7.0, 9.0, 50.0, 41.0], [0, 1, 0, 1])
    found = asked_at(backbone((8.0,), unit=2.0), store.batch(np.arange(3), queries))
    np.testing.assert_allclose(found, [2.5, 3.5, 0.0, 0.5])


def test_time_in_gaps() -> None:
    """Inside the record as after it; before its first event it is below 0."""
    panel = IrregularPanel([0, 3], [2.0, 5.0, 6.0], [0, 1, 0], [0.0, 1.0, 2.0], channels=["a", "b"])
    store = EventStore(panel, scaling(0.0), np.zeros((1, 0)))
    around = {2.5: (2.0, 5.0), 5.5: (5.0, 6.0), 8.0: (6.0, np.inf), 1.0: (-np.inf, 2.0)}
    for time, (lower, upper) in around.items():
        batch = store.gaps(np.zeros(1, int), np.array([lower]), np.array([upper]), Queries([0, 1], [time], [0]))
        assert asked_at(backbone((8.0,), two_sided=True), batch) == pytest.approx([time - 2.0])


def days(n_records: int, seed: int) -> tuple[IrregularPanel, Targets]:
    """Ten days that begin at midnight, seen twice a day at random times: hardly anything but the hour tells the value."""
    rng = np.random.default_rng(seed)
    time = np.sort(rng.uniform(0, 240, (n_records, 20)), axis=1)
    time[:, 0] = 0.0
    value = np.sin(2 * np.pi * time / 24) + rng.normal(scale=0.1, size=time.shape)
    channel, offsets = np.zeros(time.size, int), 20 * np.arange(n_records + 1)
    panel = IrregularPanel(offsets, time.ravel(), channel, value.ravel(), time_unit="h")
    return Extrapolation(observe=120, horizon=120).split(panel)


def test_it_learns_the_time_of_day() -> None:
    """Sparse values of a daily cycle, forecast from any cut, with and without knowing the hour."""
    train, (X, y) = days(60, 0), days(30, 1)
    errors = []
    for cycles in ("calendar", ()):
        memory = Memory(timescales=2, contents=2, episodic_slots=0, cycles=cycles)
        training = Training(epochs=20, members=1, learning_rate=5e-3, averaging=0.9, cut_share=1.0)
        model = HybridMemoryForecaster(memory, training=training, width=16, random_state=0).fit(*train)
        errors.append(mean_squared_error(y, model.predict(X), average="observation"))
    assert errors[0] < 0.3 * errors[1]


def test_files_and_streams_keep_the_clock(tmp_path: Path) -> None:
    """The cycles come from what the model measured when it was fitted, and a stream counts as a panel does."""
    X, y = days(12, 0)
    memory = Memory(window=2, timescales=2, contents=2, episodic_slots=2)
    model = HybridMemoryForecaster(memory, training=Training(epochs=1, members=1), width=8, random_state=0).fit(X, y)
    assert lengths(model.network_.members[0].backbone) == pytest.approx([24 / model.scaling_.time_scale])
    model.save(tmp_path / "days.cndts")
    loaded = HybridMemoryForecaster.load(tmp_path / "days.cndts")
    assert lengths(loaded.network_.members[0].backbone) == pytest.approx([24 / model.scaling_.time_scale])
    np.testing.assert_array_equal(np.asarray(loaded.predict(X)), np.asarray(model.predict(X)))
    session = loaded.session()
    session.observe_panel(X[0])
    np.testing.assert_allclose(session.predict(X[0].queries.time), np.asarray(model.predict(X[:1])), rtol=0, atol=1e-5)


@pytest.mark.parametrize("cycles", ["weekly", 24.0, (24.0, 0.0), (float("inf"),), ("24",), None])
def test_what_is_no_cycle(cycles: Any) -> None:
    """Refused in `fit`, with what is wanted."""
    X, y = days(8, 0)
    with pytest.raises(ValueError, match="memory__cycles must be 'calendar', or finite lengths above 0"):
        HybridMemoryForecaster(Memory(cycles=cycles)).fit(X, y)
