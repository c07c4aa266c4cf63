"""Where a training step of the forecaster spends its time: ``python benchmarks/physionet2012/step_time.py DATA``."""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from cndts import protocol
from cndts.backbones import HybridMemoryBackbone
from cndts.datasets import read_physionet2012
from cndts.dynamics import Solver
from cndts.heads import QuantileHead
from cndts.memory import Memory, SeriesFacts
from cndts.scaling import Scaling
from cndts.static_features import StaticEncoding
from cndts.training import Network, Sample, Samples, Training


def main() -> None:
    """Measure and print as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+", help="archives or folders of PhysioNet 2012")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    samples = training_samples(arguments.data)
    sample = next(samples.ordered(64))
    result = {
        "threads": arguments.threads,
        "records": sample.batch.n_records,
        "events": len(sample.batch.value),
        "queries": len(sample.value),
        "solver": Solver().method,
        "milliseconds": medians(steps(sample, samples), arguments.rounds),
    }
    print(json.dumps(result, indent=2))


def training_samples(data: list[str]) -> Samples:
    """The training records of the t-PatchGNN protocol, as the forecaster sees them."""
    X, y = protocol("t-patchgnn/physionet2012").split(read_physionet2012(data)).train
    static = StaticEncoding.fit(X.static).transform(X.static)
    return Samples(X, y, Scaling.fit(X, y), static, Training().channel_balance)


def steps(sample: Sample, samples: Samples) -> dict[str, Callable[[], object]]:
    """Each part forward and backward on inputs of its own, and the whole step with both read-outs."""
    network, direct = make_network(samples, Solver()), make_network(samples, Solver("direct"))
    backbone, head, batch = network.backbone, network.head, sample.batch
    with torch.no_grad():
        events = backbone.encoder(batch)
        facts = SeriesFacts.of(batch)
        nodes, anchors = backbone.encode(batch)[:2]
        state, _ = backbone.readout(nodes, batch.query_node, batch.query_horizon)

    def memory() -> None:
        asked = leaf(nodes).view(batch.n_records, batch.n_channels, -1)
        written = backbone.memory.write(leaf(events), batch)
        read = backbone.memory.read(written, facts)
        (read.sum() + backbone.memory.recall(written, facts, asked).read.sum()).backward()

    def attention() -> None:
        mixed = leaf(nodes).view(batch.n_records, batch.n_channels, -1)
        for layer in (*backbone.first_round, backbone.second_round):
            mixed = layer(mixed)
        mixed.sum().backward()

    def readout(net: Network) -> Callable[[], None]:
        return lambda: net.backbone.readout(leaf(nodes), batch.query_node, batch.query_horizon)[0].sum().backward()

    def query_head() -> None:
        forecast = head(leaf(state), leaf(anchors[batch.query_node]))
        (head.loss(forecast, sample.value).sum() + forecast.mean.sum()).backward()

    random = np.random.default_rng(0)
    return {
        "batch": lambda: next(samples.shuffled(64, 1.0, random)),
        "encoder": lambda: backbone.encoder(batch).sum().backward(),
        "memory": memory,
        "attention": attention,
        "ode": readout(network),
        "direct": readout(direct),
        "head": query_head,
        "step with ode": whole_step(network, sample),
        "step with direct": whole_step(direct, sample),
        "inference with ode": lambda: network(batch),
    }


def make_network(samples: Samples, solver: Solver) -> Network:
    """The forecaster's default network."""
    n_channels, n_static = samples.given.n_channels, samples.given.static.shape[1]
    backbone = HybridMemoryBackbone(
        n_channels, n_static, Memory(), solver, width=64, n_heads=4, n_layers=1, dropout=0.2
    )
    return Network(backbone, QuantileHead(64, backbone.n_anchors, 0.2)).train()


def whole_step(network: Network, sample: Sample) -> Callable[[], None]:
    """Forward, loss, backward, clipping and optimiser."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4)

    def step() -> None:
        optimiser.zero_grad()
        network.loss(network(sample.batch), sample.value, sample.weight, 2.0).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()

    return step


def leaf(tensor: Tensor) -> Tensor:
    """A copy that gradients end at."""
    return tensor.detach().requires_grad_()


def medians(parts: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median milliseconds of each part; the parts take turns, so that drifts of the machine hit all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in parts}
    for turn in range(rounds + 1):
        for name, part in parts.items():
            start = time.perf_counter()
            part()
            if turn:  # the first round warms up
                seconds[name].append(time.perf_counter() - start)
    return {name: round(1000 * statistics.median(values), 1) for name, values in seconds.items()}


if __name__ == "__main__":
    main()
