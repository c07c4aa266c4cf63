"""Checks of what is observed, before a session changes."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cndts.panel import IrregularPanel
from cndts.streaming.clock import Clock
from cndts.streaming.served_model import ServedModel

Read = tuple[Clock, NDArray[np.float64], NDArray[np.int64], NDArray[np.float32]]


def read_many(
    served: ServedModel, clock: Clock, time: Any, channel: str | Sequence[str], value: Any, since: float
) -> Read:
    """Observations as arrays of shape (n_events,), and the clock that counts them.

    Parameters
    ----------
    served : ServedModel
        Knows the channels.
    clock : Clock
        Of the session.
    time, channel, value
        As given by the user.
    since : float
        Last observed time, -inf where there is none.
    """
    times, clock = clock.read(time, is_started=np.isfinite(since))
    values = _numbers(value)
    names = [channel] * len(times) if isinstance(channel, str) else list(channel)
    if not len(times) == len(names) == len(values):
        raise ValueError(
            f"observe needs as many times as channels and values; got {len(times)} times, {len(names)} channels, "
            f"{len(values)} values."
        )
    position = served.positions(names)
    wrong = ~np.isfinite(values)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"observation {row} (channel {names[row]!r} at {clock.as_text(times[row])}) has the value {values[row]}; values "
            "must be finite in single precision. Leave out what was not measured, and ask for it with predict."
        )
    _check_order(clock, times, since)
    return clock, times, position, values


def read_record(served: ServedModel, clock: Clock, panel: Any, since: float) -> Read:
    """The events of a panel with one record."""
    if not isinstance(panel, IrregularPanel):
        raise TypeError(
            f"panel must be an IrregularPanel; got {type(panel).__name__}. For arrays use session.observe(time, channel, value)."
        )
    if len(panel) != 1:
        raise ValueError(f"a session is one record; got a panel of {len(panel)}. Select one: panel[[0]].")
    if panel.time_unit != served.time_unit:
        raise ValueError(
            f"the panel has times in {panel.time_unit!r}, the model was fitted on times in {served.time_unit!r}; "
            "build both with the same time_unit."
        )
    times, clock = clock.moved(panel.time, panel.origin, is_started=np.isfinite(since))
    used = np.unique(panel.channel)
    position = np.zeros(len(panel.channels), dtype=np.int64)
    position[used] = served.positions([panel.channels[k] for k in used])
    _check_order(clock, times, since)
    return clock, times, position[panel.channel], panel.value


def _numbers(value: Any) -> NDArray[np.float32]:
    array = np.atleast_1d(np.asarray(value))
    if array.dtype.kind == "O":
        with suppress(TypeError, ValueError, OverflowError):
            array = array.astype(np.float64)
    if array.dtype.kind not in "fiub" or array.ndim != 1:
        raise ValueError(f"values must be numbers, one for each observation; got {value!r}.")
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def _check_order(clock: Clock, time: NDArray[np.float64], since: float) -> None:
    """Refuse to go back in time."""
    if not len(time):
        return
    if time[0] < since:
        raise ValueError(
            f"an observation at {clock.as_text(time[0])} comes after one at {clock.as_text(since)}; a session does not go "
            "back in time, and nothing was changed. Observe in the order of time, or start again from the whole history with "
            "Session.from_panel(model, panel)."
        )
    falls = np.flatnonzero(time[1:] < time[:-1])
    if len(falls):
        row = int(falls[0])
        raise ValueError(
            f"times must not fall: observation {row + 1} at {clock.as_text(time[row + 1])} follows one at "
            f"{clock.as_text(time[row])}. Nothing was changed; sort the observations by time."
        )
