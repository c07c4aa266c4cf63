"""Which record and channel a row of a solve belongs to."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import pandas as pd

_names: ContextVar[tuple[Sequence | pd.Index, Sequence[str]] | None] = ContextVar("names of rows", default=None)


@contextmanager
def rows_named(records: Sequence | pd.Index, channels: Sequence[str]) -> Iterator[None]:
    """Let solves that fail inside name records and channels beside their rows.

    A solver knows nodes, ``record * n_channels + channel``; who calls it knows what they stand for.

    Parameters
    ----------
    records : sequence of n_records
        Ids of the records of the batch.
    channels : sequence of str
        Names of the channels.

    Examples
    --------
    >>> with rows_named(["a", "b"], ["HR", "Temp"]):
    ...     names_of([1, 2])
    (('a', 'Temp'), ('b', 'HR'))
    """
    token = _names.set((records, channels))
    try:
        yield
    finally:
        _names.reset(token)


def names_of(rows: Sequence[int]) -> tuple[tuple[object, str], ...]:
    """Record id and channel name of each row; nothing outside `rows_named`."""
    known = _names.get()
    if known is None:
        return ()
    records, channels = known
    return tuple((records[row // len(channels)], channels[row % len(channels)]) for row in rows)
