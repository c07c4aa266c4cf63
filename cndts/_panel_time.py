"""Times as float64 numbers of a unit, exact back and forth to pandas datetimes and timedeltas."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._panel_validation import faults

NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "min": 60 * 10**9,
    "h": 3600 * 10**9,
    "D": 86400 * 10**9,
}
RESOLUTIONS = ("s", "ms", "us", "ns")
# A tick count passes through one division and one multiplication, each rounding in the 53rd bit.
EXACT_TICKS = 2.0**51

Origin = pd.Timestamp | pd.Timedelta | None
Place = Callable[[int], str]


def read_times(
    column: pd.Series, time_unit: str, origin: Origin, place: Place, *, find_origin: bool = False
) -> tuple[NDArray[np.float64], Origin]:
    """Numbers of ``time_unit`` since the origin, and the origin.

    Parameters
    ----------
    column : Series
        Numbers, datetimes or timedeltas.
    time_unit : str
        Unit of the numbers.
    origin : Timestamp, Timedelta or None
        What the numbers count from.
    place : callable
        Describes a row (record and row number) for error messages.
    find_origin : bool
        Whether a missing origin is taken from the times: the earliest datetime, or zero for timedeltas.
    """
    column = _typed(column, place)
    absent = column.isna().to_numpy()
    if absent.any():
        raise ValueError(faults(absent, place, f"has no time ({column[absent].iloc[0]}); fill it in or drop the row"))
    if column.dtype.kind not in "mM":
        return _read_numbers(column, place), _fine_enough(origin)
    if time_unit not in NANOSECONDS:
        raise ValueError(
            f"datetimes and timedeltas need a time_unit of fixed length, one of {list(NANOSECONDS)}; got {time_unit!r}."
        )
    if column.dtype.kind == "m":
        return _read_timedeltas(column, time_unit, origin, find_origin)
    return _read_datetimes(column, time_unit, origin, find_origin)


def write_times(time: NDArray[np.float64], time_unit: str, origin: Origin) -> NDArray | pd.Index:
    """The inverse of ``read_times``: numbers, a DatetimeIndex or a TimedeltaIndex in the origin's own unit."""
    if origin is None:
        return np.array(time)
    ticks = to_ticks(time, time_unit, origin.unit) + _origin_ticks(origin, origin.unit)
    if isinstance(origin, pd.Timedelta):
        return pd.TimedeltaIndex(ticks.view(f"m8[{origin.unit}]"))
    index = pd.DatetimeIndex(ticks.view(f"M8[{origin.unit}]"))
    return index if origin.tz is None else index.tz_localize("UTC").tz_convert(origin.tz)


def move_origin(time: NDArray[np.float64], time_unit: str, old: Origin, new: Origin) -> NDArray[np.float64]:
    """Count the same instants from another origin of the same kind, without drift."""
    if old is None or new is None or old == new:
        return np.asarray(time)
    unit = _finest(old.unit, new.unit)
    shift = int(_origin_ticks(old, unit)) - int(_origin_ticks(new, unit))
    return _from_ticks(to_ticks(time, time_unit, unit) + shift, time_unit, unit)


def to_ticks(time: NDArray[np.float64], time_unit: str, resolution: str) -> NDArray[np.int64]:
    """Whole numbers of ``resolution``; where float64 cannot tell them apart, of the next coarser one.

    Whole seconds kept as nanoseconds over ten years come back as those seconds although float64 hours
    resolve only 50 ns there.
    """
    ticks = np.zeros(len(time), dtype=np.int64)
    left = np.ones(len(time), dtype=bool)
    for step in (1, 10**3, 10**6, 10**9):
        count = time * (NANOSECONDS[time_unit] / (NANOSECONDS[resolution] * step))
        here = left & ((np.abs(count) < EXACT_TICKS) | (step == 10**9))
        ticks[here] = np.rint(count[here]).astype(np.int64) * step
        left &= ~here
    return ticks


def _from_ticks(ticks: NDArray[np.int64], time_unit: str, resolution: str) -> NDArray[np.float64]:
    per_unit = NANOSECONDS[time_unit] / NANOSECONDS[resolution]
    return ticks / per_unit


def _read_numbers(column: pd.Series, place: Place) -> NDArray[np.float64]:
    time = column.to_numpy(dtype=np.float64, copy=True)
    infinite = ~np.isfinite(time)
    if infinite.any():
        raise ValueError(faults(infinite, place, f"has the time {time[infinite][0]}; times must be finite"))
    if column.dtype.kind in "iu" and len(time) and np.abs(time).max() > 2.0**53:
        warnings.warn(
            "integer times beyond 2**53 lose digits as float64; convert them with pandas.to_datetime(..., unit=...).",
            stacklevel=5,
        )
    return time


def _fine_enough(origin: Origin) -> Origin:
    """Numbers have no resolution of their own: a date given in days or seconds must not round them."""
    return origin.as_unit("us") if origin is not None and origin.unit in ("s", "ms") else origin


def _read_timedeltas(
    column: pd.Series, time_unit: str, origin: Origin, find_origin: bool
) -> tuple[NDArray[np.float64], Origin]:
    unit = column.dt.unit
    if origin is None and find_origin:
        origin = pd.Timedelta(0).as_unit(unit)
    ticks = column.to_numpy(dtype=f"m8[{unit}]").view(np.int64)
    if isinstance(origin, pd.Timedelta):
        unit, ticks = _since(ticks, unit, origin)
    return _checked_numbers(ticks, time_unit, unit), origin


def _read_datetimes(
    column: pd.Series, time_unit: str, origin: Origin, find_origin: bool
) -> tuple[NDArray[np.float64], Origin]:
    unit, zone = column.dt.unit, column.dt.tz
    if origin is None and find_origin:
        origin = column.min().as_unit(unit) if len(column) else pd.Timestamp(0, tz=zone).as_unit(unit)
    if origin is None or isinstance(origin, pd.Timedelta):
        raise ValueError(
            f"got calendar times ({column.iloc[0]}) for a panel that counts elapsed {time_unit} without an origin; "
            "give numbers, or build the panel with origin=."
        )
    if (zone is None) != (origin.tz is None):
        raise ValueError(
            f"times {_with_zone(zone)} cannot be counted from the origin {origin} {_with_zone(origin.tz)}; "
            "use dt.tz_localize on the one without."
        )
    # numpy's datetime64 has no zone: pandas hands over UTC, so summer time neither repeats nor skips an hour
    ticks = column.to_numpy(dtype=f"M8[{unit}]").view(np.int64)
    unit, ticks = _since(ticks, unit, origin)
    return _checked_numbers(ticks, time_unit, unit), origin


def _since(ticks: NDArray[np.int64], unit: str, origin: pd.Timestamp | pd.Timedelta) -> tuple[str, NDArray[np.int64]]:
    finest = _finest(unit, origin.unit)
    factor = NANOSECONDS[unit] // NANOSECONDS[finest]
    start = int(_origin_ticks(origin, finest))
    reach = max((abs(int(end) * factor - start) for end in (ticks.min(), ticks.max())), default=0) if len(ticks) else 0
    if reach >= 2**63:
        raise ValueError(f"times reach too far from the origin {origin} for the unit {finest}; use dt.as_unit('us').")
    return finest, ticks * factor - start


def _checked_numbers(ticks: NDArray[np.int64], time_unit: str, unit: str) -> NDArray[np.float64]:
    time = _from_ticks(ticks, time_unit, unit)
    lost = np.abs(to_ticks(time, time_unit, unit) - ticks).max(initial=0)
    if lost:
        warnings.warn(
            f"times are rounded by up to {lost} {unit}: so far from the origin float64 resolves no more. "
            "Give an origin= nearer to the times, or split the records.",
            stacklevel=5,
        )
    return time


def _origin_ticks(origin: pd.Timestamp | pd.Timedelta, unit: str) -> np.int64:
    if isinstance(origin, pd.Timedelta):
        return origin.to_timedelta64().astype(f"m8[{unit}]").astype(np.int64)
    return origin.to_datetime64().astype(f"M8[{unit}]").astype(np.int64)


def _finest(*units: str) -> str:
    return max(units, key=RESOLUTIONS.index)


def _with_zone(zone: object) -> str:
    return "without a time zone" if zone is None else f"in the zone {zone}"


def _typed(column: pd.Series, place: Place) -> pd.Series:
    """The column as float, integer, datetime or timedelta, whatever it was wrapped in."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if isinstance(column.dtype, pd.PeriodDtype):
        raise TypeError(f"the time column {column.name!r} holds periods; use dt.to_timestamp() to choose an instant.")
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind == "string" or (kind.startswith("mixed") and column.map(lambda item: isinstance(item, str)).any()):
        is_text = column.map(lambda item: isinstance(item, str)).to_numpy(dtype=bool)
        raise ValueError(
            faults(is_text, place, f"has the text {column[is_text].iloc[0]!r} as its time")
            + f" Parse the column first: pandas.to_datetime(frame[{column.name!r}]) or pandas.to_numeric."
        )
    if column.dtype == object:
        return _from_objects(column, kind)
    if pd.api.types.is_extension_array_dtype(column.dtype) and column.dtype.kind in "biuf" and not column.hasnans:
        return column.astype("int64" if column.dtype.kind in "iu" else "float64")
    return column


def _from_objects(column: pd.Series, kind: str) -> pd.Series:
    try:
        if kind in ("datetime", "datetime64", "date"):
            return pd.to_datetime(column)
        if kind in ("timedelta", "timedelta64"):
            return pd.to_timedelta(column)
        return column.astype(np.float64)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"the time column {column.name!r} mixes what cannot be one kind of time ({error}); "
            "convert it to numbers, or with pandas.to_datetime(..., utc=True)."
        ) from error
