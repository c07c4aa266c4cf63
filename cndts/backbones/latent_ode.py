"""Latent ODE: a variational autoencoder whose decoder is a differential equation."""

from copy import copy
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from cndts.backbones.autonomous_field import AutonomousField
from cndts.backbones.backbone import Backbone, QueryStates
from cndts.backbones.ode_rnn import OdeRnn
from cndts.backbones.visit_table import comes_later, spans
from cndts.dynamics import Solver, SolverStatistics, solve_adaptive, solve_fixed_step
from cndts.dynamics.adaptive import METHODS as ADAPTIVE_METHODS
from cndts.dynamics.fixed_step import METHODS as FIXED_STEP_METHODS
from cndts.event_batch import EventBatch

# The divergence is infinite at a spread of 0.
_LEAST_STD = 1e-4
# The observation noise of the likelihood, in standard deviations of a channel. The authors take 0.01 of a channel's range, which
# spans about ten deviations.
_NOISE_STD = 0.1
# The weight of the divergence after k steps is 1 - _ANNEALING^k.
_ANNEALING = 0.99
# What a trajectory is solved by; the rest of the settings belongs to the read-out of the hybrid memory.
_USED = ("method", "steps", "rtol", "atol", "adjoint", "max_evaluations")
# Steps over the span of the longest records, whose steps grow: the cost of a solve stays bounded.
_MOST_STEPS = 200
# Beyond this horizon the state is held.
_FURTHEST = 250.0


class LatentOdeState(NamedTuple):
    """What is known of each record at its first event.

    Attributes
    ----------
    start : Tensor of shape (n_records, n_latent)
        Initial value of the trajectory: drawn in training, the posterior's mean otherwise.
    mean, std : Tensor of shape (n_records, n_latent)
        The posterior q(z0 | x).
    span : Tensor of shape (n_records,)
        Model time from the first to the last event.
    is_back : Tensor of shape (n_records,)
        Whether a record is asked in a gap before its first event.
    """

    start: Tensor
    mean: Tensor
    std: Tensor
    span: Tensor
    is_back: Tensor


class LatentOdeBackbone(Backbone[LatentOdeState]):
    r"""Latent ODE of Rubanova, Chen and Duvenaud, *Latent Ordinary Differential Equations for Irregularly-Sampled Time
    Series*, NeurIPS 2019, section 3.2, with the ODE-RNN encoder.

    The recognition network reads a record backward in time (`OdeRnn`) and gives a posterior of the state at its first event; one
    trajectory from there explains everything observed and everything asked:

    .. math:: q(z_0 \mid x) = N(\mu, \sigma^2), \quad (\mu, |\sigma|) = g(\text{ODE-RNN}(x)), \qquad
        z_0 \sim q, \quad \frac{dz}{dt} = f(z), \quad x(t) \mid z(t) \sim p .

    Training maximises the evidence lower bound :math:`E_q \log p(x \mid z) - \mathrm{KL}(q \,\|\, N(0, 1))`. The head's loss stands for the
    likelihood. With Gaussian noise of standard deviation :math:`\nu` the squared error is :math:`2 \nu^2` times the negative log
    likelihood, so the penalty is

    .. math:: 2 \nu^2 \, (1 - 0.99^k) \, \overline{\mathrm{KL}}, \qquad \nu = 0.1,

    after k training steps, with the mean over latent dimensions and records as in the authors' code.

    Parameters
    ----------
    n_channels, n_static : int
        Channels, and length of the encoded static features.
    n_latent, width : int
        Length of the latent state; length of recognition state, hidden layers and features.
    solver : Solver, optional
        How the trajectory is solved; by default ``Solver("rk4", steps=10)``. A fixed-step method takes ``steps`` steps per unit of
        model time (but not more than 200 over the span of a record), once per record with dense output; an adaptive one
        solves once per query. Beyond 250 units from the last event the state is held.

    Notes
    -----
    Where it departs from the paper and its code: visits are those of a record, not the union over the batch; static
    features enter the recognition network; one sample in training and the posterior's mean in prediction, in place of three samples
    each; targets alone are reconstructed, not the context; k counts steps (the code counts epochs, and starts after the
    tenth); AdamW, and the head of the estimator in place of a linear map to all channels.
    The trajectory of a record is decided by all its events: later observations change it from the first event on.

    For queries inside a gap the recognition network reads what comes after the gap too, and the trajectory explains both sides, which is the
    interpolation of the paper. Before the first event the state is held.

    Examples
    --------
    >>> LatentOdeBackbone(n_channels=3, n_static=0, n_latent=4, width=8).solver
    Solver(method='rk4', steps=10)
    """

    n_anchors = 1
    n_steps: Tensor

    def __init__(
        self, n_channels: int, n_static: int, *, n_latent: int, width: int, solver: Solver | None = None
    ) -> None:
        super().__init__()
        self.solver = copy(solver) or Solver("rk4", steps=10)
        _check(self.solver)
        self.width = width
        self.n_channels = n_channels
        self.recognition = OdeRnn(n_channels, width, width)
        self.to_posterior = nn.Sequential(
            nn.Linear(2 * width + n_static, width), nn.Tanh(), nn.Linear(width, 2 * n_latent)
        )
        self.field = AutonomousField(n_latent, width)
        self.read = nn.Linear(n_latent, width)
        self.channel = nn.Embedding(n_channels, width)
        nn.init.normal_(self.channel.weight, std=0.5)
        self.register_buffer("n_steps", torch.zeros((), dtype=torch.int64))

    @classmethod
    def build(cls, n_channels: int, n_static: int, *, width: int, dropout: float, solver: Solver | None) -> Self:
        """Make the backbone; half of ``width`` is latent, and there is no dropout beside that of the head."""
        return cls(n_channels, n_static, n_latent=max(1, width // 2), width=width, solver=solver)

    def encode(self, batch: EventBatch) -> LatentOdeState:
        """Posterior of the state at the first event of each record, and a draw from it in training."""
        known = torch.cat([self.recognition(batch), batch.static], dim=1)
        mean, spread = self.to_posterior(known).chunk(2, dim=1)
        std = spread.abs() + _LEAST_STD
        if self.training:
            self.n_steps += 1
        start = mean + std * torch.randn_like(std) if self.training else mean
        return LatentOdeState(start, mean, std, spans(batch), comes_later(batch))

    def at(
        self, state: LatentOdeState, query_node: Tensor, query_channel: Tensor, query_horizon: Tensor
    ) -> QueryStates:
        """Answer queries from the trajectory of their record."""
        latent, statistics = self._solve(state, query_node, query_horizon.clamp(0, _FURTHEST))
        features = self.read(latent) + self.channel(query_channel)
        return QueryStates(features, features.new_zeros(len(features), 1), statistics, self._penalty(state))

    def _solve(self, state: LatentOdeState, node: Tensor, horizon: Tensor) -> tuple[Tensor, SolverStatistics]:
        """State at horizons of the records that nodes belong to, shape (n_queries, n_latent)."""
        record = torch.div(node, self.n_channels, rounding_mode="floor")
        horizon = torch.where(state.is_back.index_select(0, record), 0.0, horizon)
        time = state.span.index_select(0, record) + horizon
        solver = self.solver
        if solver.method in ADAPTIVE_METHODS:
            start = state.start.index_select(0, record)
            return solve_adaptive(
                self.field,
                start,
                time,
                method=solver.method,
                rtol=solver.rtol,
                atol=solver.atol,
                adjoint=solver.adjoint,
                max_evaluations=solver.max_evaluations,
                row_names=node,
            )
        step = (state.span / _MOST_STEPS).clamp(min=1 / solver.steps)
        # More knots than a record needs change nothing: knots depend on the record alone, and the batch says how many.
        n_steps = int(torch.ceil(time / step.index_select(0, record)).amax()) if len(time) else 0
        knots = step[:, None] * torch.arange(max(n_steps, 1) + 1).to(step)
        solution = solve_fixed_step(self.field, state.start, knots, solver.method)
        return solution.at(record, time), solution.statistics

    def _penalty(self, state: LatentOdeState) -> Tensor | None:
        """The divergence in units of the squared error, scaled up over the training steps; None outside training."""
        if not self.training:
            return None
        weight = 1 - _ANNEALING ** self.n_steps.to(state.mean)
        return 2 * _NOISE_STD**2 * weight * divergence(state.mean, state.std).mean()


def divergence(mean: Tensor, std: Tensor) -> Tensor:
    r"""Kullback-Leibler divergence of :math:`N(\mu, \sigma^2)` from :math:`N(0, 1)`, entry by entry.

    :math:`(\mu^2 + \sigma^2 - 1) / 2 - \log \sigma` (Kingma and Welling, *Auto-Encoding Variational Bayes*, ICLR 2014, appendix B).

    Examples
    --------
    >>> divergence(torch.tensor([0.0, 2.0]), torch.tensor([1.0, 1.0]))
    tensor([0., 2.])
    """
    return (mean.square() + std.square() - 1) / 2 - std.log()


def _check(solver: Solver) -> None:
    methods = (*FIXED_STEP_METHODS, *ADAPTIVE_METHODS)
    if solver.method not in methods:
        raise ValueError(f"solver__method of latent-ode must be one of {methods}; got {solver.method!r}.")
    if solver.steps < 1:
        raise ValueError(f"solver__steps must be 1 or more; got {solver.steps!r}.")
    for name, default in Solver().get_params().items():
        if name not in _USED and getattr(solver, name) != default:
            raise ValueError(
                f"latent-ode has no solver__{name}; got {getattr(solver, name)!r}. Leave it at {default!r}."
            )
