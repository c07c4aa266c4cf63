"""Lengths of time in a panel's time unit."""

import math

import pandas as pd

REAL_UNITS = ("ns", "us", "ms", "s", "min", "h", "D")


def in_time_unit(length: float | pd.Timedelta, time_unit: str, name: str) -> float:
    """A non-negative length of time as a number in the panel's unit.

    Examples
    --------
    >>> in_time_unit(pd.Timedelta("1D"), "h", "observe")
    24.0
    """
    if isinstance(length, pd.Timedelta) and time_unit not in REAL_UNITS:
        raise TypeError(
            f"{name} is {length}, but the panel's time unit {time_unit!r} is no unit of time; give {name} as a number."
        )
    try:
        number = float(length / pd.Timedelta(f"1{time_unit}") if isinstance(length, pd.Timedelta) else length)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number in the panel's unit or a pandas.Timedelta; got {length!r}.") from None
    if math.isnan(number) or number < 0:
        raise ValueError(f"{name} must be zero or more; got {length!r}.")
    return number
