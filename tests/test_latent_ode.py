"""Latent ODE against closed forms and against its equations written as a loop."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.linalg import expm
from torch import Tensor, nn

from cndts.backbones import LatentOdeBackbone, LatentOdeState
from cndts.backbones.latent_ode import divergence
from cndts.backbones.ode_rnn import OdeRnn
from cndts.batching import EventStore
from cndts.dynamics import Solver
from cndts.event_batch import EventBatch
from cndts.panel import IrregularPanel
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling

N_CHANNELS, N_LATENT = 2, 4


def panel_of(lengths: list[int], seed: int = 0, span: float = 3.0) -> IrregularPanel:
    """Random events, some of them simultaneous, with short and long gaps."""
    rng = np.random.default_rng(seed)
    record = np.repeat(np.arange(len(lengths)), lengths)
    time = span * (rng.integers(0, 12, len(record)) / 11) ** 3
    order = np.lexsort((time, record))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    channel, value = rng.integers(0, N_CHANNELS, len(record)), rng.normal(size=len(record))
    return IrregularPanel(offsets, time[order], channel, value, channels=["a", "b"])


def batch_of(panel: IrregularPanel, times: list[float]) -> EventBatch:
    scaling = Scaling(np.zeros(N_CHANNELS), np.ones(N_CHANNELS), 1.0, RankScale.unknown(N_CHANNELS))
    store = EventStore(panel, scaling, np.arange(len(panel))[:, None] / 10)
    queries = panel.with_queries(times).queries
    assert queries is not None
    return store.batch(np.arange(len(panel)), queries).to(dtype=torch.float64)


def backbone(**options: Any) -> LatentOdeBackbone:
    torch.manual_seed(0)
    module = LatentOdeBackbone(N_CHANNELS, 1, **({"n_latent": N_LATENT, "width": 6} | options)).double().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=0.5)
    return module


class Linear(nn.Module):
    """dz/dt = A z."""

    def __init__(self, matrix: Tensor) -> None:
        super().__init__()
        self.matrix = nn.Parameter(matrix)

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        return z @ self.matrix.t()


def trajectory(solver: Solver | None, span: list[float], horizon: list[float]) -> tuple[Tensor, Tensor, Any]:
    """States of a linear trajectory at the horizons of each record, what expm says, and the statistics."""
    module = LatentOdeBackbone(N_CHANNELS, 0, n_latent=N_LATENT, width=N_LATENT, solver=solver).double().eval()
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(N_LATENT, N_LATENT, generator=generator, dtype=torch.float64)
    module.field = Linear(matrix - 2 * torch.eye(N_LATENT))
    with torch.no_grad():
        module.read.weight.copy_(torch.eye(N_LATENT))
        module.read.bias.zero_()
        module.channel.weight.zero_()
    start = torch.randn(len(span), N_LATENT, generator=generator, dtype=torch.float64)
    ahead = torch.tensor(horizon, dtype=torch.float64).repeat(len(span))
    record = torch.arange(len(span)).repeat_interleave(len(horizon))
    is_back = torch.zeros(len(span), dtype=torch.bool)
    state = LatentOdeState(start, start, torch.ones_like(start), torch.tensor(span, dtype=torch.float64), is_back)
    said = module.at(state, record * N_CHANNELS, torch.zeros_like(record), ahead)
    times = (state.span[record] + ahead).tolist()
    exact = [
        expm(module.field.matrix.detach().numpy() * t) @ start[r].numpy() for r, t in zip(record, times, strict=True)
    ]
    return said.features, torch.from_numpy(np.array(exact)), said.statistics


# ---- the decoder -------------------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize(
    ("solver", "tolerance"),
    [(None, 1e-4), (Solver("rk4", steps=50), 1e-6), (Solver("dopri5", rtol=1e-9, atol=1e-9), 1e-6)],
)
def test_linear_field_against_the_matrix_exponential(solver: Solver | None, tolerance: float) -> None:
    """Every query is answered from the trajectory that starts at the record's first event."""
    found, exact, _ = trajectory(solver, span=[0.0, 0.7, 2.0], horizon=[0.0, 0.33, 1.0, 1.5])
    torch.testing.assert_close(found, exact, rtol=0, atol=tolerance)


@torch.no_grad()
@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 2), ("rk4", 4)])
def test_order_of_the_solver_shows(method: str, order: int) -> None:
    """Twice the steps, 2^order times less error."""
    steps, errors = [16, 32], []
    for n in steps:
        found, exact, _ = trajectory(Solver(method, steps=n), span=[1.0], horizon=[0.5])
        errors.append((found - exact).abs().max().item())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.3)


@torch.no_grad()
def test_cost_of_long_records_is_bounded() -> None:
    """One solve per record, on steps that grow beyond 200, whatever the span."""
    spans = [[3.0], [30.0], [3e4], [3e6]]
    rows = [trajectory(None, span=span, horizon=[1.0, 2.0])[2] for span in spans]
    assert [statistics.n_rows for statistics in rows] == [1, 1, 1, 1]
    assert rows[0].n_evaluations == 4 * 50 + 1
    assert rows[3].n_evaluations <= rows[2].n_evaluations <= 4 * 210 + 1


@torch.no_grad()
def test_far_horizons_are_held() -> None:
    """A question about the end of time costs no more than one 250 training horizons ahead, and has its answer."""
    solver = Solver("euler", steps=2)
    (far, _, cost), (near, _, same) = (trajectory(solver, span=[1.0], horizon=[at]) for at in (1e9, 250.0))
    assert torch.equal(far, near)
    assert cost.n_evaluations == same.n_evaluations == 2 * 251 + 1


@torch.no_grad()
def test_steps_of_a_record_do_not_depend_on_others() -> None:
    """In the company of a record that lasts longer, a record is solved on its own steps."""
    company = [trajectory(Solver("euler", steps=2), span=[0.7, other], horizon=[1.0])[0] for other in (0.7, 500.0)]
    torch.testing.assert_close(company[0][0], company[1][0], rtol=0, atol=1e-12)


# ---- the recognition network -------------------------------------------------------------------------


def recognised(module: OdeRnn, panel: IrregularPanel, record: int) -> Tensor:
    """Algorithm 1 backward in time, one visit after the other."""
    rows = slice(panel.offsets[record], panel.offsets[record + 1])
    times = np.unique(panel.time[rows])
    y, s = torch.zeros(module.width).double(), torch.zeros(module.width).double()
    later = None
    into_u, into_r, into_new = module.inward.weight.chunk(3)
    bias_u, bias_r, bias_new = module.inward.bias.chunk(3)
    state_u, state_r = module.to_gates.weight.chunk(2)
    for time in times[::-1]:
        if later is not None:
            gap, span = later - time, times[-1] - times[0]
            n = max(1, int(np.ceil(np.float32(gap) * 50 / np.float32(span))))
            for _ in range(n):
                y = y - gap / n * module.field.layers(y)
        values = [panel.value[rows][(panel.time[rows] == time) & (panel.channel[rows] == c)] for c in range(N_CHANNELS)]
        x = torch.tensor(
            [*(v.mean() if len(v) else 0.0 for v in values), *(float(len(v) > 0) for v in values)]
        ).double()
        both = torch.cat([y, s])
        u = module.update((into_u @ x + bias_u + state_u @ both).tanh()).sigmoid()
        r = module.reset((into_r @ x + bias_r + state_r @ both).tanh()).sigmoid()
        shown = module.to_candidate.weight @ torch.cat([r * y, r * s])
        new_y, new_s = module.candidate((into_new @ x + bias_new + shown).tanh()).chunk(2)
        y, s, later = (1 - u) * new_y + u * y, (1 - u) * new_s.abs() + u * s, time
    return torch.cat([y, s])


@torch.no_grad()
def test_recognition_equals_the_algorithm() -> None:
    """Records of any length, with gaps of one and of several steps."""
    panel, module = panel_of([9, 0, 1, 2, 14]), backbone().recognition
    found = module(batch_of(panel, [4.0]))
    for record in range(len(panel)):
        torch.testing.assert_close(found[record], recognised(module, panel, record), rtol=0, atol=1e-5)
    assert (found[:, module.width :] >= 0).all()


# ---- the posterior -----------------------------------------------------------------------------------


def test_divergence_by_definition() -> None:
    """As torch has it, zero for the prior alone."""
    mean, std = torch.randn(50).double(), torch.rand(50).double() + 0.05
    posterior, prior = torch.distributions.Normal(mean, std), torch.distributions.Normal(0.0, 1.0)
    torch.testing.assert_close(divergence(mean, std), torch.distributions.kl_divergence(posterior, prior))
    assert (divergence(mean, std) > 0).all()
    assert divergence(torch.zeros(1), torch.ones(1)).item() == 0


def test_penalty_grows_with_the_steps_of_training() -> None:
    """2 * 0.1^2 * (1 - 0.99^k) times the mean divergence after k steps; none in evaluation."""
    module, batch = backbone(), batch_of(panel_of([5, 8]), [4.0])
    assert module(batch).penalty is None
    module.train()
    for k in (1, 2, 3):
        penalty = module(batch).penalty
        state = module.encode(batch)
        module.n_steps -= 1  # the line above is no step
        expected = 0.02 * (1 - 0.99**k) * divergence(state.mean, state.std).mean()
        assert penalty is not None
        assert penalty.item() == pytest.approx(expected.item())
    assert module.n_steps.item() == 3
    module.eval()
    module(batch)
    assert module.n_steps.item() == 3


@torch.no_grad()
def test_training_draws_from_the_posterior() -> None:
    """In training the trajectories start at draws with the posterior's moments, in evaluation at its mean."""
    module = backbone()
    panel = panel_of([6])
    once = module.encode(batch_of(panel, [4.0]))
    assert torch.equal(once.start, once.mean)
    many = module.train().encode(batch_of(panel[np.zeros(4000, dtype=int)], [4.0]))
    static = many.mean  # records differ in their static features alone
    drawn = (many.start - static) / many.std
    torch.testing.assert_close(drawn.mean(0), torch.zeros(N_LATENT).double(), rtol=0, atol=0.08)
    torch.testing.assert_close(drawn.std(0), torch.ones(N_LATENT).double(), rtol=0, atol=0.06)


def test_gradient_of_the_penalty() -> None:
    """The divergence reaches the recognition network with exact gradients."""
    module, batch = backbone(), batch_of(panel_of([4, 2]), [4.0])
    weight = module.recognition.to_gates.weight

    def mean_divergence(weight: Tensor) -> Tensor:
        state = torch.func.functional_call(Encoder(module), {"backbone.recognition.to_gates.weight": weight}, (batch,))
        return divergence(state.mean, state.std).mean()

    assert torch.autograd.gradcheck(mean_divergence, (weight,), fast_mode=True)


class Encoder(nn.Module):
    """A backbone's ``encode`` as a module's forward."""

    def __init__(self, backbone: LatentOdeBackbone) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, batch: EventBatch) -> LatentOdeState:
        return self.backbone.encode(batch)


# ---- settings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("solver", "text"),
    [
        (Solver("direct"), r"solver__method of latent-ode must be one of \('euler', .*; got 'direct'"),
        (Solver("rk4", steps=0), "solver__steps must be 1 or more; got 0"),
        (Solver("rk4", augment=2), "latent-ode has no solver__augment; got 2. Leave it at 0"),
    ],
)
def test_wrong_settings(solver: Solver, text: str) -> None:
    """What cannot be solved is said before training."""
    with pytest.raises(ValueError, match=text):
        LatentOdeBackbone.build(3, 0, width=8, dropout=0.0, solver=solver)
