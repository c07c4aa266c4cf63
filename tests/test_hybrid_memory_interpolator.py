"""The interpolator as users meet it, and the later side of the backbone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone

from cndts import Interpolation, IrregularPanel
from cndts.backbones import HybridMemoryBackbone
from cndts.batching import EventStore
from cndts.dynamics import Solver
from cndts.estimators import HybridMemoryForecaster, HybridMemoryInterpolator, LinearInterpolator
from cndts.memory import Memory
from cndts.queries import Queries
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling
from cndts.targets import Targets
from cndts.training import Training

PERIOD = 4.0
LEARNING = Training(epochs=100, batch_size=16, learning_rate=5e-3, members=1, averaging=0.9)


def waves(n_records: int, seed: int) -> IrregularPanel:
    """Two channels of one oscillation; the second is twice the first and is rarely seen when the first is."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 2 * np.pi, n_records)
    time = np.sort(rng.uniform(0, 8, (n_records, 60)), axis=1)
    channel = rng.integers(0, 2, time.shape)
    value = np.sin(2 * np.pi * time / PERIOD + phase[:, None]) * (1 + channel)
    return IrregularPanel(
        60 * np.arange(n_records + 1), time.ravel(), channel.ravel(), value.ravel(), channels=["a", "b"]
    )


def small(**options: Any) -> HybridMemoryInterpolator:
    given: dict[str, Any] = {"training": Training(epochs=1, batch_size=8), "width": 8, "layers": 1, "random_state": 0}
    return HybridMemoryInterpolator(**(given | options))


def hidden(panel: IrregularPanel, seed: int = 0) -> tuple[IrregularPanel, Targets]:
    return Interpolation(observed=0.4, random_state=seed).split(panel)


@pytest.fixture(scope="module")
def fitted() -> HybridMemoryInterpolator:
    return small(training=LEARNING, width=32, dropout=0.0, memory=Memory(timescales=3, episodic_slots=4)).fit(
        *hidden(waves(80, 0))
    )


def values(model: HybridMemoryInterpolator, X: IrregularPanel) -> np.ndarray:
    return np.asarray(model.predict(X))


# ---- what it learns ----------------------------------------------------------------------------------


def test_it_beats_the_straight_line_on_unseen_waves(fitted: HybridMemoryInterpolator) -> None:
    """Waves between sparse observations are no straight lines, and the other channel helps."""
    X, y = hidden(waves(40, 1), seed=1)
    line = LinearInterpolator().fit(*hidden(waves(80, 0)))
    error = (1 - fitted.score(X, y)) / (1 - line.score(X, y))
    assert error < 0.5


def test_later_events_matter_and_far_ones_hardly(fitted: HybridMemoryInterpolator) -> None:
    """The event after the gap moves the answer; a forecaster would not see it."""
    X, _ = hidden(waves(10, 2))
    asked = X.queries.time[X.queries.offsets[:-1]]
    X = X.with_queries(queries=Queries(np.arange(11), asked, np.zeros(10, dtype=np.int64)))
    limit = asked[X.record]
    causal = X.where(X.time <= limit)
    assert np.abs(values(fitted, X) - values(fitted, causal)).max() > 0.1


def test_observed_values_come_back(fitted: HybridMemoryInterpolator) -> None:
    """A query at an observation is answered by it."""
    X, _ = hidden(waves(5, 3))
    queries = Queries(X.offsets, X.time, X.channel)
    np.testing.assert_allclose(values(fitted, X.with_queries(queries=queries)), X.value, rtol=1e-6)


# ---- promises ----------------------------------------------------------------------------------------


def test_answers_depend_on_nothing_else_that_is_asked(fitted: HybridMemoryInterpolator) -> None:
    """Neither on other queries of the record, in the gap or elsewhere, nor on other records."""
    X, _ = hidden(waves(6, 4))
    together = values(fitted, X)
    for row in range(0, X.queries.n_queries, 7):
        record = X.queries.record[row]
        one = Queries([0, 1], X.queries.time[[row]], X.queries.channel[[row]])
        alone = X[[record]].with_queries(queries=one)
        assert values(fitted, alone)[0] == pytest.approx(together[row], abs=2e-5)


def test_shift_in_time_has_no_effect(fitted: HybridMemoryInterpolator) -> None:
    """Only differences of times count."""
    X, _ = hidden(waves(6, 5))
    moved = IrregularPanel(
        X.offsets,
        X.time + 64.0,
        X.channel,
        X.value,
        channels=X.channels,
        queries=Queries(X.queries.offsets, X.queries.time + 64.0, X.queries.channel),
    )
    np.testing.assert_allclose(values(fitted, moved), values(fitted, X), atol=1e-4)


def test_records_with_one_side_or_none_are_answered(fitted: HybridMemoryInterpolator) -> None:
    """Queries before the first event, after the last, and in records without events have finite answers."""
    queries = Queries([0, 2, 3], [0.5, 9.0, 1.0], [0, 1, 0])
    X = IrregularPanel([0, 2, 2], [1.0, 3.0], [0, 0], [0.5, -0.5], channels=["a", "b"], queries=queries)
    assert np.isfinite(values(fitted, X)).all()
    assert np.isfinite(fitted.predict_quantiles(X, [0.1, 0.9])).all()


def test_files_and_clones(fitted: HybridMemoryInterpolator, tmp_path: Path) -> None:
    """A saved interpolator answers the same and is no forecaster."""
    X, _ = hidden(waves(4, 6))
    fitted.save(tmp_path / "model.cndts")
    loaded = HybridMemoryInterpolator.load(tmp_path / "model.cndts")
    np.testing.assert_array_equal(values(loaded, X), values(fitted, X))
    with pytest.raises(
        ValueError, match="holds a HybridMemoryInterpolator; load it with HybridMemoryInterpolator.load"
    ):
        HybridMemoryForecaster.load(tmp_path / "model.cndts")
    assert clone(fitted).get_params()["width"] == 32


def test_the_same_seed_gives_the_same_model() -> None:
    """Gaps, cuts and thinning are drawn from the seed."""
    X, y = hidden(waves(20, 7))
    first, second, other = (small(random_state=seed).fit(X, y) for seed in (3, 3, 4))
    np.testing.assert_array_equal(values(first, X), values(second, X))
    assert not np.array_equal(values(first, X), values(other, X))


# ---- the backbone's later side -----------------------------------------------------------------------


def two_sided() -> HybridMemoryBackbone:
    torch.manual_seed(0)
    memory = Memory(window=2, timescales=2, contents=2, episodic_slots=3)
    sizes: dict[str, Any] = {"width": 8, "n_heads": 2, "n_layers": 1, "dropout": 0.0}
    return HybridMemoryBackbone(2, 0, memory, Solver(), **sizes, two_sided=True).double().eval()


def store_of(panel: IrregularPanel) -> EventStore:
    scaling = Scaling(np.zeros(2), np.ones(2), 1.0, RankScale.unknown(2))
    return EventStore(panel, scaling, np.zeros((len(panel), 0)))


def test_the_line_is_numpys_interpolation() -> None:
    """Between neighbours linear in time, outside them constant, as np.interp."""
    time, value = np.array([0.0, 1.0, 4.0, 6.0]), np.array([1.0, 3.0, -3.0, 2.0])
    panel = IrregularPanel([0, 4], time, [0, 0, 0, 0], value, channels=["a", "b"])
    bounds = np.array([-np.inf, *time, np.inf])
    backbone = two_sided()
    for asked in (-1.0, 0.25, 2.0, 3.9, 4.0, 5.0, 9.0):
        k = int(np.searchsorted(time, asked, side="right"))
        batch = store_of(panel).gaps(np.zeros(1, int), bounds[[k]], bounds[[k + 1]], Queries([0, 1], [asked], [0]))
        at = backbone(batch.to(dtype=torch.float64))
        assert at.anchors[0, 0].item() == pytest.approx(np.interp(asked, time, value), abs=1e-3)
        assert at.anchors.shape == (1, backbone.n_anchors)


def test_neighbours_of_one_side() -> None:
    """A channel seen on one side alone is carried from there."""
    panel = IrregularPanel([0, 2], [0.0, 5.0], [0, 1], [2.0, 7.0], channels=["a", "b"])
    batch = store_of(panel).gaps(
        np.zeros(1, int), np.array([0.0]), np.array([5.0]), Queries([0, 2], [1.0, 1.0], [0, 1])
    )
    at = two_sided()(batch.to(dtype=torch.float64))
    np.testing.assert_allclose(at.anchors[:, 0].detach().numpy(), [2.0, 7.0], rtol=2e-3)


def test_gradients_reach_the_later_side() -> None:
    """Every parameter of the later side moves the state, and gradients match finite differences."""
    backbone = two_sided()
    rng = np.random.default_rng(0)
    panel = IrregularPanel([0, 12], np.arange(12.0), rng.integers(0, 2, 12), rng.normal(size=12), channels=["a", "b"])
    batch = store_of(panel).gaps(
        np.zeros(1, int), np.array([5.0]), np.array([7.0]), Queries([0, 2], [6.0, 6.5], [0, 1])
    )
    batch = batch.to(dtype=torch.float64)
    names = [name for name, _ in backbone.named_parameters() if name.startswith("later_side")]
    weights = dict(backbone.named_parameters())

    def run(*parts: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(backbone, dict(zip(names, parts, strict=True)), (batch,)).features

    given = tuple(weights[name] for name in names)
    run(*given).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in given)
    assert torch.autograd.gradcheck(run, given, fast_mode=True)
