"""Settings of the hybrid memory."""

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

from cndts._parameters import NamedParameters


class Memory(NamedParameters):
    """Sizes of the memories of a hybrid-memory model, and which of its parts are there.

    Parameters
    ----------
    window : int, default=6
        Events per channel that the working memory keeps exactly; 0 leaves it out.
    timescales : int, default=6
        Accumulators per channel in the long-term memory; 0 leaves it out.
    contents : int, default=16
        Learned contents that each accumulator sums, beside the value itself.
    shortest, longest : float, default=0.01 and 4.0
        Range of the accumulators' initial time scales, as multiples of the longest training horizon. The ``"legendre"``
        memory has no time scales of its own and ignores it.
    long_term : str, default="decay"
        Kind of long-term memory, a name in `cndts.memory.LONG_TERM`: ``"decay"`` (`CompressedMemory`), ``"clearing"``
        (`ClearingMemory`, the same with a forget gate by which one event can clear it), ``"oscillating"``
        (`OscillatingMemory`) or ``"legendre"`` (`LegendreMemory`, with ``timescales`` coefficients).
    episodic_slots : int, default=16
        Salient events per record that the episodic memory keeps; 0 leaves it out.
    write_gate, read_gate, forget_gate : bool, default=True
        Whether the gates are learned. Open gates take in, read and forget everything at one rate.
    second_round : bool, default=True
        Whether working and episodic memory are read again once the channels have exchanged.
    regression : bool, default=False
        Whether a plain linear regression on the nearest values of all channels is one more forecast to start from
        (`NeighbourRegression`). For channels that are measured together and go with each other, as blood pressures do.
    cycles : "calendar" or sequence of float, default="calendar"
        Lengths of cycles, in the panel's time unit, whose phase since the record's first event is known to a query, such as ``(12.42,)`` for
        the tide in hours; ``()`` for none. ``"calendar"`` takes the day, the week and the year, as far as the panel counts in a unit of
        time and they come round three times in half of the training records. Records should begin at the same place of the cycle, as days do at
        midnight, or show by their values where they are.
    chunk : int, default=32768
        Events that are written at once. Longer batches are written piece by piece, which bounds memory; in training each piece
        is computed again for its gradient.

    Examples
    --------
    >>> Memory(window=12).get_params()["window"]
    12
    """

    def __init__(
        self,
        *,
        window: int = 6,
        timescales: int = 6,
        contents: int = 16,
        shortest: float = 0.01,
        longest: float = 4.0,
        long_term: str = "decay",
        episodic_slots: int = 16,
        write_gate: bool = True,
        read_gate: bool = True,
        forget_gate: bool = True,
        second_round: bool = True,
        regression: bool = False,
        cycles: str | Sequence[float] = "calendar",
        chunk: int = 32_768,
    ) -> None:
        self.window = window
        self.timescales = timescales
        self.contents = contents
        self.shortest = shortest
        self.longest = longest
        self.long_term = long_term
        self.episodic_slots = episodic_slots
        self.write_gate = write_gate
        self.read_gate = read_gate
        self.forget_gate = forget_gate
        self.second_round = second_round
        self.regression = regression
        self.cycles = cycles
        self.chunk = chunk


_LEAST = {"window": 0, "timescales": 0, "contents": 1, "episodic_slots": 0, "chunk": 1}


def check_memory(settings: Memory) -> None:
    """Refuse settings that no memory can be built from.

    Parameters
    ----------
    settings : Memory
        To be checked; the kind of long-term memory is left to where it is built.

    Raises
    ------
    ValueError
        If a size is not an integer or too small, ``regression`` is no truth value, the time scales are not a rising pair of finite numbers above 0, or the cycles are
        not lengths.

    Examples
    --------
    >>> check_memory(Memory(window=-1))
    Traceback (most recent call last):
        ...
    ValueError: memory__window must be an integer of 0 or more; got -1.
    """
    for name, least in _LEAST.items():
        value = getattr(settings, name)
        if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
            raise ValueError(f"memory__{name} must be an integer of {least} or more; got {value!r}.")
    if settings.regression not in (True, False):
        raise ValueError(f"memory__regression must be True or False; got {settings.regression!r}.")
    shortest, longest = settings.shortest, settings.longest
    if not all(isinstance(value, Real) for value in (shortest, longest)) or not 0 < shortest < longest < float("inf"):
        raise ValueError(
            "memory__shortest must be above 0 and below memory__longest, both finite; "
            f"got shortest={shortest!r}, longest={longest!r}."
        )
    _check_cycles(settings.cycles)


def _check_cycles(cycles: Any) -> None:
    if isinstance(cycles, str) and cycles == "calendar":
        return
    is_series = isinstance(cycles, Iterable) and not isinstance(cycles, str)
    if not is_series or not all(isinstance(length, Real) and 0 < float(length) < float("inf") for length in cycles):
        raise ValueError(
            "memory__cycles must be 'calendar', or finite lengths above 0 in the time unit of the panel such as (24.0,), "
            f"() for none; got {cycles!r}."
        )
