"""Sessions as files: safetensors with a JSON header, like models."""

import os
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cndts import persistence
from cndts.streaming.clock import Clock
from cndts.streaming.ledger import Ledger
from cndts.streaming.served_model import ServedModel
from cndts.streaming.snapshot import Snapshot

Waiting = tuple[list[float], list[int], list[float]]
_KIND = "Session"


def write_session(
    path: str | os.PathLike[str], served: ServedModel, clock: Clock, static: Tensor, past: Snapshot, waiting: Waiting
) -> None:
    """Write a session; its model stays where it is, and is known by its fingerprint."""
    tensors = {
        "static": static,
        "ledger": torch.from_numpy(past.ledger.table),
        "last_time": torch.tensor([past.ledger.last_time], dtype=torch.float64),
        "waiting.time": torch.tensor(waiting[0], dtype=torch.float64),
        "waiting.channel": torch.tensor(waiting[1], dtype=torch.int64),
        "waiting.value": torch.tensor(waiting[2], dtype=torch.float32),
    }
    for k, state in enumerate(past.states):
        tensors |= _named(state, f"state.{k}")
    tensors = {name: part.clone() for name, part in tensors.items()}  # members may share static features
    config = {"fingerprint": served.fingerprint, "channels": list(served.channels), "clock": clock.as_json()}
    persistence.write_model(path, _KIND, config, tensors)


def read_session(path: str | os.PathLike[str], served: ServedModel) -> tuple[Clock, Tensor, Snapshot, Waiting]:
    """Read what `write_session` wrote.

    Raises
    ------
    ValueError
        If it belongs to another model.
    """
    config, tensors = persistence.read_model(path, _KIND)
    if tuple(config["channels"]) != served.channels:
        raise ValueError(
            f"{str(path)!r} is a session over the channels {config['channels']}; the model was fitted on "
            f"{list(served.channels)}. Load it with the model that made it."
        )
    if config["fingerprint"] != served.fingerprint:
        raise ValueError(
            f"{str(path)!r} is a session of a model with other weights or units. Load it with the model that made it, or "
            "start a new session from the record's history with Session.from_panel(model, panel)."
        )
    static = tensors["static"].to(served.device)
    template = Snapshot.empty(served, static)
    states = tuple(_filled(state, f"state.{k}", tensors) for k, state in enumerate(template.states))
    past = Snapshot(Ledger(tensors["ledger"].numpy(), float(tensors["last_time"])), states)
    time, channel, value = (tensors[f"waiting.{name}"].tolist() for name in ("time", "channel", "value"))
    return Clock.from_json(config["clock"]), static, past, (time, channel, value)


def _named(state: Any, name: str) -> dict[str, Tensor]:
    """The tensors of a state by their path in it."""
    if state is None:
        return {}
    if isinstance(state, Tensor):
        return {name: state}
    found: dict[str, Tensor] = {}
    for part, content in zip(state._fields, state, strict=True):
        found |= _named(content, f"{name}.{part}")
    return found


def _filled(template: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """A state like the template with the tensors of a file."""
    if template is None:
        return None
    if isinstance(template, Tensor):
        return tensors[name].to(template.device)
    parts = zip(template._fields, template, strict=True)
    return type(template)(*(_filled(content, f"{name}.{part}", tensors) for part, content in parts))


def state_bytes(past: Snapshot) -> int:
    """Bytes of a snapshot."""
    tensors = [part for k, state in enumerate(past.states) for part in _named(state, str(k)).values()]
    return past.ledger.table.nbytes + sum(part.nbytes for part in tensors)


def as_arrays(waiting: Waiting) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Waiting events as arrays."""
    time, channel, value = waiting
    return np.array(time), np.array(channel, dtype=np.int64), np.array(value, dtype=np.float32)
