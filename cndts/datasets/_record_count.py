"""How many records to generate."""

from __future__ import annotations

import operator


def check_record_count(n_records: int) -> None:
    """An error unless it is a whole number of 0 or more.

    Raises
    ------
    TypeError, ValueError

    Examples
    --------
    >>> check_record_count(-1)
    Traceback (most recent call last):
    ValueError: n_records must be a whole number of 0 or more; got -1.
    """
    wanted = f"n_records must be a whole number of 0 or more; got {n_records!r}."
    try:
        count = operator.index(n_records)
    except TypeError:
        raise TypeError(wanted) from None
    if count < 0:
        raise ValueError(wanted)
