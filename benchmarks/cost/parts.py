"""Where a training step and a forecast spend their time, and how near that is to what the machine can do."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from cndts import Extrapolation, IrregularPanel
from cndts.backbones import HybridMemoryBackbone
from cndts.dynamics import Solver
from cndts.heads import QuantileHead
from cndts.memory import Memory, SeriesFacts
from cndts.scaling import Scaling
from cndts.static_features import StaticEncoding
from cndts.training import Network, Sample, Samples, Training

WIDTH, HEADS, LAYERS, DROPOUT = 64, 4, 1, 0.2
BATCH, HOURS = 64, 24


def training_samples(panel: IrregularPanel) -> Samples:
    """The second day of each stay from the first, as the forecaster sees them in training."""
    X, y = Extrapolation(observe=HOURS, horizon=HOURS).split(panel)
    static = StaticEncoding.fit(X.static).transform(X.static)
    return Samples(X, y, Scaling.fit(X, y), static, Training().channel_balance)


def make_network(n_channels: int, n_static: int, solver: Solver) -> Network:
    """The forecaster's default network."""
    sizes = {"width": WIDTH, "n_heads": HEADS, "n_layers": LAYERS, "dropout": DROPOUT}
    backbone = HybridMemoryBackbone(n_channels, n_static, Memory(), solver, **sizes)
    return Network(backbone, QuantileHead(WIDTH, backbone.n_anchors, DROPOUT)).train()


def measure_parts(panel: IrregularPanel, threads: int, rounds: int) -> dict[str, Any]:
    """Milliseconds of each part, rates, and the share of the machine's matrix-product rate.

    Parameters
    ----------
    panel : IrregularPanel
        Stays of 48 hours, at least 64.
    threads : int
        Threads of the measurement.
    rounds : int
        Repetitions; medians are given.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    samples = training_samples(panel)
    sample, one = next(samples.ordered(BATCH)), next(samples.ordered(1))
    sizes = (samples.given.n_channels, samples.given.static.shape[1])
    network, direct = make_network(*sizes, Solver()), make_network(*sizes, Solver("direct"))
    whole = {
        "step": training_step(network, sample),
        "step with direct decoding": training_step(direct, sample),
        "forecast of the batch": forecast(network, sample),
        "forecast of one record": forecast(network, one),
    }
    seconds = medians(parts(network, sample, samples) | whole, rounds)
    step, batch = seconds["step"], seconds["forecast of the batch"]
    work = {name: products(whole[name]) for name in ("step", "forecast of the batch")}
    peak = product_rate(threads, rounds)
    return {
        "threads": threads,
        "records": sample.batch.n_records,
        "channels": sample.batch.n_channels,
        "events": len(sample.batch.value),
        "queries": len(sample.value),
        "milliseconds": {name: round(1000 * value, 2) for name, value in seconds.items()},
        "training_events_per_second": round(len(sample.batch.value) / (step + seconds["batch"])),
        "forecast_events_per_second": round(len(sample.batch.value) / batch),
        "ode_to_direct": round(step / seconds["step with direct decoding"], 3),
        "product_gflop": {name: round(value / 1e9, 3) for name, value in work.items()},
        "peak_gflop_per_second": round(peak / 1e9, 1),
        "share_of_peak": {
            "step": round(work["step"] / step / peak, 3),
            "forecast of the batch": round(work["forecast of the batch"] / batch / peak, 3),
        },
    }


def parts(network: Network, sample: Sample, samples: Samples) -> dict[str, Callable[[], object]]:
    """Each part of a training step forward and backward, on inputs of its own."""
    backbone: Any = network.backbone
    head, batch = network.head, sample.batch
    memory, facts = backbone.memory, SeriesFacts.of(batch)
    with torch.no_grad():
        events = backbone.encoder(batch)
        averages = memory.averages(memory.write(events, batch), len(facts.node))
        nodes, anchors = backbone.encode(batch)[:2]
        state, _ = backbone.readout(nodes, batch.query_node, batch.query_horizon)
        by_record = nodes.view(batch.n_records, batch.n_channels, -1)

    def memories() -> None:
        written = memory.write(leaf(events), batch)
        read = memory.read(written, facts).sum() + memory.averages(written, len(facts.node)).sum()
        (read + memory.recall(written, facts, leaf(by_record)).read.sum()).backward()

    def attention() -> None:
        mixed = leaf(by_record)
        for layer in (*backbone.first_round, backbone.second_round):
            mixed = layer(mixed)
        mixed.sum().backward()

    def query_head() -> None:
        answer = head(leaf(state), leaf(anchors[batch.query_node]))
        (head.loss(answer, sample.value).sum() + answer.mean.sum()).backward()

    random = np.random.default_rng(0)
    return {
        "batch": lambda: next(samples.shuffled(BATCH, 0.0, random)),
        "encoder": lambda: backbone.encoder(batch).sum().backward(),
        "memories": memories,
        "digest": lambda: backbone.digest(leaf(averages), facts, batch.n_records).sum().backward(),
        "attention": attention,
        "ode": lambda: backbone.readout(leaf(nodes), batch.query_node, batch.query_horizon)[0].sum().backward(),
        "head": query_head,
        "optimiser": optimiser_step(network),
    }


def training_step(network: Network, sample: Sample) -> Callable[[], None]:
    """Forward, loss, backward, clipping and optimiser."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4)

    def step() -> None:
        network.train()
        optimiser.zero_grad()
        network.loss(network(sample.batch), sample.value, sample.weight, 2.0).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()

    return step


def optimiser_step(network: Network) -> Callable[[], None]:
    """Clipping and optimiser, on a copy of the weights."""
    weights = [nn.Parameter(weight.detach().clone()) for weight in network.parameters()]
    for weight in weights:
        weight.grad = torch.full_like(weight, 1e-3)
    optimiser = torch.optim.AdamW(weights, lr=1e-4)

    def step() -> None:
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()

    return step


def forecast(network: Network, sample: Sample) -> Callable[[], None]:
    """One forward pass as in ``predict``."""

    def answer() -> None:
        network.eval()
        with torch.no_grad():
            network(sample.batch)

    return answer


def leaf(tensor: Tensor) -> Tensor:
    """A copy that gradients end at."""
    return tensor.detach().requires_grad_()


def clock(threads: int) -> Callable[[], float]:
    """Time spent by this process where it has one thread, so that nothing else that runs counts; else the time of day."""
    return time.process_time if threads == 1 else time.perf_counter


def medians(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each call; the calls take turns, so that drifts of the machine hit all of them."""
    now = clock(torch.get_num_threads())
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            start = now()
            call()
            if turn:  # the first round warms up
                seconds[name].append(now() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def products(call: Callable[[], object]) -> int:
    """Floating-point operations in matrix products of a call."""
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


def product_rate(threads: int, rounds: int, size: int = 1024) -> float:
    """Operations per second of a product of two square matrices in single precision, the best of some rounds."""
    before, now = torch.get_num_threads(), clock(threads)
    torch.set_num_threads(threads)
    left, right = torch.randn(size, size), torch.randn(size, size)
    fastest = float("inf")
    for _ in range(rounds + 1):
        start = now()
        torch.mm(left, right)
        fastest = min(fastest, now() - start)
    torch.set_num_threads(before)
    return 2 * size**3 / fastest
