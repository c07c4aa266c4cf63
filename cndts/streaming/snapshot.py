"""Everything known of a record up to a visit, and what it says at queries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cndts.heads import Forecast
from cndts.memory import SeriesFacts
from cndts.streaming.ledger import Ledger
from cndts.streaming.served_model import ServedModel

# Events that are written at once; more would be faster by nothing and take more memory.
_PIECE = 16_384


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Facts of the channels and the state of each network; never written in place.

    Parameters
    ----------
    ledger : Ledger
        Facts of the channels.
    states : tuple
        One state for each member of the ensemble.
    """

    ledger: Ledger
    states: tuple[Any, ...]

    @classmethod
    def empty(cls, served: ServedModel, static: Tensor) -> "Snapshot":
        """Before any event; ``static`` has shape (1, n_static)."""
        states = tuple(stepper.start(static) for stepper in served.steppers)
        return cls(Ledger.empty(len(served.channels)), states)

    def written(
        self, served: ServedModel, time: NDArray[np.float64], channel: NDArray[np.int64], value: NDArray[np.float32]
    ) -> "Snapshot":
        """After whole further visits, in the order of time: arrays of shape (n_events,)."""
        ledger, states = self.ledger, self.states
        for rows in _pieces(time):
            ledger, batch = ledger.advanced(time[rows], channel[rows], value[rows], served.scaling)
            batch = served.move(batch)
            states = tuple(stepper.write(state, batch) for stepper, state in zip(served.steppers, states, strict=True))
        return Snapshot(ledger, states)


def ready_for_queries(served: ServedModel, snapshots: Sequence[Snapshot], static: Tensor) -> list[Any]:
    """What each member answers queries from, for some records at once; ``static`` has shape (n_records, n_static)."""
    many = len(snapshots) > 1
    facts = [snapshot.ledger.facts(served.scaling.time_scale) for snapshot in snapshots]
    if many:
        facts = [own._replace(node=own.node + k * len(served.channels)) for k, own in enumerate(facts)]
    known = joined(facts) if many else facts[0]
    if served.device != "cpu":
        known = SeriesFacts(*(part.to(served.device) for part in known))
    members = zip(*(snapshot.states for snapshot in snapshots), strict=True)
    return [
        stepper.ready(joined(states) if many else states[0], known, static)
        for stepper, states in zip(served.steppers, members, strict=True)
    ]


def forecast(
    served: ServedModel, ready: list[Any], node: NDArray[np.int64], channel: NDArray[np.int64], horizon: NDArray
) -> Forecast:
    """Average forecast of the members at queries of shape (n_queries,), horizons in model time."""
    asked = [torch.from_numpy(part).to(served.device) for part in (node, channel, horizon.astype(np.float32))]
    answers = []
    for member, state in zip(served.members, ready, strict=True):
        at = member.backbone.at(state, *asked)
        answers.append(member.head(at.features, at.anchors))
    return served.network.head.average(answers)


def joined(states: Sequence[Any]) -> Any:
    """States of several records, one after the other."""
    first = states[0]
    if first is None:
        return None
    if isinstance(first, Tensor):
        return torch.cat(list(states))
    return type(first)(*(joined(parts) for parts in zip(*states, strict=True)))


def _pieces(time: NDArray[np.float64]) -> Iterator[slice]:
    """Stretches of sorted times that split no visit."""
    start = 0
    while start < len(time):
        stop = min(start + _PIECE, len(time))
        stop = int(np.searchsorted(time, time[stop - 1], side="right"))
        yield slice(start, stop)
        start = stop
