"""What a model of Physiome-ODE consists of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Field = Callable[[float, Sequence[float], Sequence[float]], list[float]]


@dataclass(frozen=True)
class PhysiomeModel:
    """Equations of a biological model with the settings under which Physiome-ODE simulates it.

    Parameters
    ----------
    source : str
        Name of the model in the Physiome Model Repository.
    field : callable
        ``field(t, x, c)`` of a time, the states and the constants, as numbers; returns the derivatives.
    start, constants : dict
        States at time 0 and constants of the publication, in the order in which the source draws them. Constants that
        follow from others are in the list too: the source varies each on its own.
    units : dict
        Unit of every state.
    time_unit : str
        Unit of the time.
    simulated : float
        How long is simulated; a record is half of it.
    start_spread, constant_spread : float
        States and constants are uniform within this share around their values.
    asked : tuple of str
        The ten states that are forecast, where there are more; the source chose them with trajectories twice as long.
    """

    source: str
    field: Field
    start: dict[str, float]
    constants: dict[str, float]
    units: dict[str, str]
    time_unit: str
    simulated: float
    start_spread: float
    constant_spread: float
    asked: tuple[str, ...] = ()
