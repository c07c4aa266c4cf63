"""The linear anchor from the nearest values of all channels: its formula, what it learns, and its place in the models."""

from typing import Any

import numpy as np
import pytest
import torch

from cndts import Interpolation, IrregularPanel
from cndts.backbones import HybridMemoryBackbone
from cndts.backbones.nearest_values import NearestValues
from cndts.backbones.neighbour_regression import NeighbourRegression
from cndts.batching import EventStore
from cndts.dynamics import Solver
from cndts.estimators import HybridMemoryForecaster, HybridMemoryInterpolator
from cndts.memory import Memory
from cndts.queries import Queries
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling
from cndts.training import Training

CHANNELS = ("a", "b", "c")


def panel_of(lengths: list[int], seed: int = 0) -> IrregularPanel:
    """Random events between 0 and 10."""
    rng = np.random.default_rng(seed)
    record, n = np.repeat(np.arange(len(lengths)), lengths), sum(lengths)
    time = rng.uniform(0, 10, n)
    time = time[np.lexsort((time, record))]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return IrregularPanel(offsets, time, rng.integers(0, 3, n), rng.normal(size=n), channels=CHANNELS)


def backbone(two_sided: bool) -> HybridMemoryBackbone:
    torch.manual_seed(0)
    memory = Memory(window=2, timescales=2, contents=2, episodic_slots=3, regression=True)
    sizes: dict[str, Any] = {"width": 8, "n_heads": 2, "n_layers": 1, "dropout": 0.0, "two_sided": two_sided}
    module = HybridMemoryBackbone(3, 0, memory, Solver(), **sizes).double().eval()
    assert module.regression is not None
    with torch.no_grad():
        for weight in module.regression.parameters():
            weight.copy_(torch.randn(weight.shape) / 4)
    return module


def store_of(panel: IrregularPanel) -> EventStore:
    scaling = Scaling(np.zeros(3), np.ones(3), 1.0, RankScale.unknown(3))
    return EventStore(panel, scaling, np.zeros((len(panel), 0)))


def expected(
    module: HybridMemoryBackbone, panel: IrregularPanel, record: int, channel: int, at: float, gap: Any
) -> float:
    """The formula, event by event: nearest values on either side of the gap, faded by their distance in time."""
    regression, total = module.regression, 0.0
    assert regression is not None
    rows = slice(panel.offsets[record], panel.offsets[record + 1])
    time, of, value = panel.time[rows], panel.channel[rows], panel.value[rows].astype(np.float64)
    for side in range(regression.n_sides):
        inside = time <= gap[0] if side == 0 else time >= gap[1]
        for j in range(3):
            seen = np.flatnonzero(inside & (of == j))
            if len(seen):
                nearest = seen[-1] if side == 0 else seen[0]
                k = side * 3 + j
                rate = np.log1p(np.exp(8 * regression.rate[channel, k].item()))
                fading = np.exp(-rate * abs(at - time[nearest]))
                total += 8 * regression.coefficient[channel, k].item() * fading * value[nearest]
    return total


@pytest.mark.parametrize("lengths", [[12, 1, 30], [6, 0, 2]])
def test_both_sides_of_a_gap(lengths: list[int]) -> None:
    """Records with events on both sides, on one side and on none."""
    module, panel = backbone(True), panel_of(lengths)
    lower, upper, n = 4.0, 6.0, len(lengths)
    at, channel = np.repeat([4.5, 5.5], 3), np.tile(np.arange(3), 2)
    queries = Queries(np.arange(n + 1) * 6, np.tile(at, n), np.tile(channel, n))
    batch = store_of(panel).gaps(np.arange(n), np.full(n, lower), np.full(n, upper), queries)
    found = module(batch.to(dtype=torch.float64)).anchors[:, -1].detach().reshape(n, 6).numpy()
    for record in range(n):
        wanted = [expected(module, panel, record, c, t, (lower, upper)) for c, t in zip(channel, at, strict=True)]
        np.testing.assert_allclose(found[record], wanted, rtol=0, atol=1e-5)  # times are kept in single precision


@pytest.mark.parametrize("two_sided", [False, True])
def test_what_came_before(two_sided: bool) -> None:
    """Forecasts rest on one side; so do those of a model that could read both."""
    module, panel = backbone(two_sided), panel_of([12, 30])
    batch = store_of(panel).batch(np.arange(2), panel.with_queries([10.0, 12.0]).queries)
    found = module(batch.to(dtype=torch.float64)).anchors
    assert found.shape == (12, module.n_anchors)
    for k, (record, at, channel) in enumerate((r, t, c) for r in range(2) for t in (10.0, 12.0) for c in range(3)):
        wanted = expected(module, panel, record, channel, at, (np.inf, np.inf))
        assert found[k, -1].item() == pytest.approx(wanted, abs=1e-5)


def test_it_learns_what_is_linear() -> None:
    """A mean pressure from the two others, by AdamW at the rate of the estimators."""
    rng = np.random.default_rng(0)
    values = torch.tensor(rng.normal(size=(400, 3)), dtype=torch.float32)
    values[:, 2] = 0.3 * values[:, 0] + 0.7 * values[:, 1]
    seen = values.clone()
    seen[:, 2] = 0
    nearest = NearestValues(seen.reshape(-1, 1), torch.zeros(1200, 1))
    node, channel, nothing = torch.arange(400) * 3 + 2, torch.full((400,), 2), torch.zeros(400, 1)
    regression = NeighbourRegression(3, 1)
    optimizer = torch.optim.AdamW(regression.parameters(), lr=2e-3, weight_decay=0.2)
    for _ in range(300):
        optimizer.zero_grad()
        loss = (regression(nearest, node, channel, nothing) - values[:, 2]).square().mean()
        loss.backward()
        optimizer.step()
    assert loss.item() < 1e-3


@pytest.mark.parametrize("kind", [HybridMemoryForecaster, HybridMemoryInterpolator])
def test_estimators_take_it(kind: Any) -> None:
    """A setting among others: its coefficients are learnt and change what is predicted; it is refused where it says nothing."""
    X, y = Interpolation(random_state=0).split(panel_of([30] * 10))
    quick = {"width": 8, "training": Training(epochs=2, members=1), "random_state": 0}
    model = kind(memory=Memory(regression=True), **quick).fit(X, y)
    coefficients = [weight for name, weight in model.network_.named_parameters() if "regression.coefficient" in name]
    with_it = np.asarray(model.predict(X))
    assert np.isfinite(with_it).all()
    assert min(weight.abs().max().item() for weight in coefficients) > 1e-6
    with torch.no_grad():
        for weight in coefficients:
            weight.zero_()
    assert np.abs(np.asarray(model.predict(X)) - with_it).max() > 1e-6
    plain = kind(memory=Memory(regression=False), **quick).fit(X, y)
    assert not [name for name, _ in plain.network_.named_parameters() if "regression" in name]
    with pytest.raises(ValueError, match="memory__regression must be True or False; got 'both'"):
        kind(memory=Memory(regression="both"), **quick).fit(X, y)
