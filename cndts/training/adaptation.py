"""Training a fitted network a little further, without letting it go far."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cndts.dynamics.row_names import rows_named
from cndts.training.gap_samples import GapSamples
from cndts.training.network import Network
from cndts.training.samples import Sample, Samples
from cndts.training.weight_average import averaged

# Draws in a row in which nothing is asked before the records count as having nothing to teach.
_EMPTY_DRAWS = 200
_LARGEST_GRADIENT = 1.0


@dataclass(frozen=True)
class AdaptationResult:
    """How an adaptation went.

    Parameters
    ----------
    losses : tuple of float
        Training loss of every step.
    distance : float
        Euclidean distance of the adapted from the fitted weights.
    """

    losses: tuple[float, ...]
    distance: float


def adapt_network(
    network: Network,
    samples: Samples | GapSamples,
    *,
    steps: int,
    learning_rate: float,
    pull: float,
    prior_records: float = 0.0,
    parts: Sequence[str] | None = None,
    batch_size: int,
    cut_share: float,
    averaging: float,
    absolute_weight: float,
    device: str,
    seed: int,
) -> AdaptationResult:
    r"""Train a network further, in place; it ends with averaged weights.

    Each step is one of Adam with a rate :math:`\eta` that falls linearly to 0, followed by the pull towards the fitted weights
    :math:`\theta^0`,

    .. math:: \theta \leftarrow \frac{\theta + \eta \alpha \, \theta^0}{1 + \eta \alpha},

    which is the proximal step of the penalty :math:`\tfrac{\alpha}{2} \lVert \theta - \theta^0 \rVert^2` (L2-SP: Li, Grandvalet and
    Davoine, *Explicit Inductive Bias for Transfer Learning with Convolutional Networks*, ICML 2018, eq. 2). Beside the loss and not in
    it, as AdamW treats weight decay (Loshchilov and Hutter, ICLR 2019), it keeps its strength whatever the size of the
    gradients: a weight that Adam drives one way comes to rest about :math:`1 / \alpha` from where it started.

    In the end the weights go back part of the way, :math:`\theta \leftarrow \theta^0 + \tfrac{n}{n + n_0} (\theta - \theta^0)` for
    :math:`n` records (Wortsman et al., *Robust Fine-Tuning of Zero-Shot Models*, CVPR 2022, eq. 1, average fitted and adapted weights
    so, with a share that is chosen; here it grows with the records as that of a sample in a posterior mean does).

    Parameters
    ----------
    network : Network
        Fitted.
    samples : Samples or GapSamples
        What to learn from.
    steps : int
        Steps; draws in which nothing is asked do not count.
    learning_rate : float
        Rate :math:`\eta` of the first step.
    pull : float
        :math:`\alpha`; 0 lets the weights go.
    prior_records : float, default=0.0
        :math:`n_0`, records that the fitted weights count for; with 0 the adapted weights stay as they are.
    parts : sequence of str, optional
        Names of the submodules that learn, such as ``"head"`` or ``"backbone.readout"``; all by default.
    batch_size : int
        Most records a step.
    cut_share, averaging, absolute_weight : float
        As in `Training`.
    device : str
        Where to train.
    seed : int
        Of batch order, cuts and dropout.

    Returns
    -------
    AdaptationResult

    Raises
    ------
    ValueError
        If the network has no such part, or nothing is ever asked.
    FloatingPointError
        If the loss is no longer finite.
    """
    learning = _parameters(network, parts)
    fitted = [parameter.detach().clone() for parameter in learning]
    optimiser = torch.optim.Adam(learning, lr=learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda k: 1 - k / steps)
    average, losses = averaged(network, averaging), []
    lessons = _lessons(samples, batch_size, cut_share, np.random.default_rng(seed))
    with torch.random.fork_rng(devices=[] if device == "cpu" else None), _frozen_but(network, learning):
        torch.manual_seed(seed)
        network.train()
        for sample in itertools.islice(lessons, steps):
            optimiser.zero_grad()
            with rows_named(sample.records, samples.channels):
                losses.append(_backward(network, sample, absolute_weight, device))
            torch.nn.utils.clip_grad_norm_(learning, _LARGEST_GRADIENT)
            optimiser.step()
            strength = float(schedule.get_last_lr()[0]) * pull
            _go_back(learning, fitted, strength / (1 + strength))
            schedule.step()
            average.update_parameters(network)
    network.load_state_dict(average.module.state_dict())
    _go_back(learning, fitted, prior_records / (prior_records + samples.n_records))
    network.eval()
    return AdaptationResult(tuple(losses), _distance(learning, fitted))


def _parameters(network: Network, parts: Sequence[str] | None) -> list[torch.nn.Parameter]:
    if parts is None:
        return list(network.parameters())
    known = dict(network.named_modules())
    wrong = [name for name in parts if not name or name not in known]
    if wrong or not parts:
        shown = sorted(name for name in known if name and name.count(".") < 2)
        raise ValueError(f"the network has no parts {wrong}; choose from {shown} or what lies below them.")
    unique = {id(parameter): parameter for name in parts for parameter in known[name].parameters()}
    if not unique:
        raise ValueError(f"the parts {list(parts)} have no weights, so there is nothing to adapt.")
    return list(unique.values())


class _frozen_but:
    """While inside, only the given parameters have gradients."""

    def __init__(self, network: Network, learning: list[torch.nn.Parameter]) -> None:
        kept = {id(parameter) for parameter in learning}
        self.frozen = [p for p in network.parameters() if id(p) not in kept and p.requires_grad]

    def __enter__(self) -> None:
        for parameter in self.frozen:
            parameter.requires_grad_(False)

    def __exit__(self, *_: object) -> None:
        for parameter in self.frozen:
            parameter.requires_grad_(True)


def _lessons(
    samples: Samples | GapSamples, batch_size: int, cut_share: float, random: np.random.Generator
) -> Iterator[Sample]:
    """Batches that ask for something, without end."""
    n_empty = 0
    while True:
        for sample in samples.shuffled(batch_size, cut_share, random):
            n_empty = 0 if float(sample.weight.sum()) > 0 else n_empty + 1
            if n_empty == 0:
                yield sample
            elif n_empty == _EMPTY_DRAWS:
                raise ValueError(_nothing(samples))


def _nothing(samples: Samples | GapSamples) -> str:
    reach = f" at most {samples.horizon:g} (the horizon) after a cut" if isinstance(samples, Samples) else ""
    return (
        f"there is nothing to learn from: {_EMPTY_DRAWS} draws of the {samples.n_records} records left no event to be asked "
        f"for. A record teaches by events{reach}; give other records, or targets y."
    )


def _backward(network: Network, sample: Sample, absolute_weight: float, device: str) -> float:
    output = network(sample.batch.to(device))
    loss = network.loss(output, sample.value.to(device), sample.weight.to(device), absolute_weight)
    if not math.isfinite(loss.item()):
        raise FloatingPointError(
            f"adaptation diverged: the loss became {loss.item()}. Lower learning_rate, or look for extreme values in the records."
        )
    loss.backward()
    return loss.item()


@torch.no_grad()
def _go_back(weights: Sequence[Tensor], fitted: Sequence[Tensor], share: float) -> None:
    for weight, start in zip(weights, fitted, strict=True):
        weight.lerp_(start, share)


@torch.no_grad()
def _distance(weights: Sequence[Tensor], fitted: Sequence[Tensor]) -> float:
    squares = (float((weight - start).double().square().sum()) for weight, start in zip(weights, fitted, strict=True))
    return math.sqrt(sum(squares))
