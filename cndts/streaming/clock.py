"""Times of a stream as float64 numbers, as a panel counts them."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._panel_time import Origin, move_origin, read_times


@dataclass(frozen=True)
class Clock:
    """Unit and origin of a stream's times.

    Parameters
    ----------
    time_unit : str
        Unit of numbers.
    origin : Timestamp, Timedelta or None
        What they count from; None as long as only numbers were seen.

    Examples
    --------
    >>> time, clock = Clock("h").read(pd.Timestamp("2024-01-01 08:00"), is_started=False)
    >>> clock.read(pd.Timestamp("2024-01-01 09:30"), is_started=True)[0]
    array([1.5])
    """

    time_unit: str
    origin: Origin = None

    def read(self, times: Any, *, is_started: bool) -> tuple[NDArray[np.float64], Self]:
        """Numbers of shape (n_times,), and the clock that counts them.

        Parameters
        ----------
        times : number, datetime, timedelta or sequence of them
            Datetimes need an origin; the first ones of a stream set it.
        is_started : bool
            Whether there are times already, which a new origin would shift.
        """
        array = np.atleast_1d(np.asarray(times))
        if array.ndim == 1 and array.dtype.kind in "fiu":
            return _finite(array.astype(np.float64)), self
        column = times if isinstance(times, pd.Series) else pd.Series(times if np.ndim(times) else [times])
        if self.origin is None and is_started and column.dtype.kind == "M":
            raise ValueError(
                f"this session counts elapsed {self.time_unit} from numbers; got the time {column.iloc[0]}. Give numbers, "
                "or start the session with origin=."
            )
        column = column.reset_index(drop=True)
        numbers, origin = read_times(column, self.time_unit, self.origin, _place, find_origin=not is_started)
        return numbers, type(self)(self.time_unit, origin)

    def moved(self, time: NDArray[np.float64], origin: Origin, *, is_started: bool) -> tuple[NDArray[np.float64], Self]:
        """Numbers that count from another origin, as this clock counts them, and the clock."""
        if self.origin is None:
            if origin is not None and is_started:
                raise ValueError(
                    f"this session counts elapsed {self.time_unit} from numbers; got a panel that counts from {origin}. "
                    "Start the session with origin=."
                )
            return time, type(self)(self.time_unit, origin)
        if type(origin) is not type(self.origin) and origin is not None:
            raise ValueError(
                f"times that count from {origin} cannot be counted from {self.origin}; use one kind of time."
            )
        return move_origin(time, self.time_unit, origin, self.origin), self

    def as_text(self, time: float) -> str:
        """A time for messages."""
        return f"{time:.12g} {self.time_unit}"

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        if self.origin is None:
            return {"time_unit": self.time_unit, "kind": None}
        zone = None if isinstance(self.origin, pd.Timedelta) or self.origin.tz is None else str(self.origin.tz)
        kind, unit = type(self.origin).__name__, self.origin.unit
        ticks = int(self.origin.to_numpy().astype(np.int64))
        return {"time_unit": self.time_unit, "kind": kind, "ticks": ticks, "unit": unit, "zone": zone}

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Self:
        """What `as_json` gave."""
        if saved["kind"] is None:
            return cls(saved["time_unit"])
        if saved["kind"] == "Timedelta":
            return cls(saved["time_unit"], pd.Timedelta(np.timedelta64(saved["ticks"], saved["unit"])))
        instant = pd.Timestamp(np.datetime64(saved["ticks"], saved["unit"]))
        if saved["zone"] is not None:
            instant = instant.tz_localize("UTC").tz_convert(saved["zone"])
        return cls(saved["time_unit"], instant)


def _finite(time: NDArray[np.float64]) -> NDArray[np.float64]:
    wrong = ~np.isfinite(time)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(f"{_place(row)} is {time[row]}; times must be finite numbers. Leave it out.")
    return time


def _place(row: int) -> str:
    return f"time {row}"
