"""What a panel stores, and its selection by record: the part of IrregularPanel that scikit-learn touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cndts._panel_time import Origin
from cndts._panel_validation import (
    as_index,
    as_offsets,
    as_positions,
    as_times,
    as_values,
    check_events,
    check_names,
    check_queries,
    check_table,
)
from cndts._ragged import as_record_index, read_only, record_of_row, take
from cndts.queries import Queries


class PanelStorage:
    """Flat arrays, ids and tables of a panel; see :class:`cndts.IrregularPanel`."""

    def __init__(
        self,
        offsets: ArrayLike,
        time: ArrayLike,
        channel: ArrayLike,
        value: ArrayLike,
        *,
        records: ArrayLike | None = None,
        channels: Sequence[str] | None = None,
        units: Mapping[str, str] | None = None,
        static: pd.DataFrame | None = None,
        outcomes: pd.DataFrame | None = None,
        time_unit: str = "h",
        origin: Origin = None,
        groups: ArrayLike | None = None,
        queries: Queries | None = None,
    ) -> None:
        self._offsets = as_offsets(offsets)
        self._time = as_times(time)
        self._channel = as_positions(channel)
        self._value = as_values(value)
        self._records = pd.RangeIndex(len(self._offsets) - 1) if records is None else as_index(records)
        if channels is None:
            channels = [f"x{i}" for i in range(int(self._channel.max(initial=-1)) + 1)]
        self._channels = tuple(str(name) for name in channels)
        self._units = dict(units or {})
        self._time_unit = time_unit
        self._origin = origin
        self._groups = None if groups is None else np.asarray(groups)
        self._queries = queries
        check_names(self)
        self._static = check_table("static", static, self._records)
        self._outcomes = check_table("outcomes", outcomes, self._records)
        check_events(self)
        check_queries(self)
        self._freeze()

    def _freeze(self) -> None:
        for name in ("_offsets", "_time", "_channel", "_value", "_groups"):
            if self.__dict__[name] is not None:
                setattr(self, name, read_only(self.__dict__[name]))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Unpickled arrays are writable; make them read-only again."""
        self.__dict__.update(state)
        self._freeze()

    @classmethod
    def _trusted(cls, like: PanelStorage, **fields: object) -> Self:
        """A panel with some fields of another one replaced, without validating again."""
        panel = cls.__new__(cls)
        panel.__dict__.update(like.__dict__)
        panel.__dict__.update({f"_{name}": field for name, field in fields.items()})
        panel._freeze()
        return panel

    @classmethod
    def _unchecked(cls, fields: dict[str, Any]) -> Self:
        """A panel whose ids, names and tables are checked, and whose events are taken as they are."""
        events = ("offsets", "time", "channel", "value", "queries")
        n_records = len(fields["offsets"]) - 1
        empty = {"offsets": np.zeros(n_records + 1, dtype=np.int64), "time": [], "channel": [], "value": []}
        return cls._trusted(cls(**fields | empty | {"queries": None}), **{name: fields[name] for name in events})

    # ---- what it holds -------------------------------------------------------------------------

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Segment bounds, shape (n_records + 1,): events of record i are ``offsets[i]:offsets[i + 1]``."""
        return self._offsets

    @property
    def time(self) -> NDArray[np.float64]:
        """Event times in ``time_unit``, shape (n_events,), sorted within a record."""
        return self._time

    @property
    def channel(self) -> NDArray[np.int32]:
        """Channel position of each event, shape (n_events,)."""
        return self._channel

    @property
    def value(self) -> NDArray[np.float32]:
        """Observed values in the channel's unit, shape (n_events,)."""
        return self._value

    @property
    def record(self) -> NDArray[np.int64]:
        """Record position of each event, shape (n_events,)."""
        return record_of_row(self._offsets)

    @property
    def records(self) -> pd.Index:
        """Record identifiers, length n_records."""
        return self._records

    @property
    def channels(self) -> tuple[str, ...]:
        """Channel names, length n_channels."""
        return self._channels

    @property
    def units(self) -> dict[str, str]:
        """Unit by channel name, for the channels that have one (a copy)."""
        return dict(self._units)

    @property
    def static(self) -> pd.DataFrame:
        """Time-constant features, one row a record (no columns where there are none; a copy)."""
        return self._static.copy()

    @property
    def outcomes(self) -> pd.DataFrame:
        """Labels known only after the record, one row a record; never an input of a model (a copy)."""
        return self._outcomes.copy()

    @property
    def time_unit(self) -> str:
        """Unit of all times: one of ``"ns", "us", "ms", "s", "min", "h", "D"`` or another word for plain numbers."""
        return self._time_unit

    @property
    def origin(self) -> Origin:
        """Calendar time of ``time == 0`` (with its time zone), a Timedelta for timedeltas, or None for numbers."""
        return self._origin

    @property
    def groups(self) -> NDArray | None:
        """Group label of each record for grouped splitting, shape (n_records,), or None."""
        return self._groups

    @property
    def queries(self) -> Queries | None:
        """What the panel asks for, or None."""
        return self._queries

    @property
    def n_events(self) -> int:
        """Number of observations over all records."""
        return len(self._time)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of events of each record, shape (n_records,)."""
        return np.diff(self._offsets)

    @property
    def first_time(self) -> NDArray[np.float64]:
        """Time of the first event of each record, shape (n_records,); NaN for empty records."""
        return self._time_at(self._offsets[:-1])

    @property
    def last_time(self) -> NDArray[np.float64]:
        """Time of the last event of each record, shape (n_records,); NaN for empty records."""
        return self._time_at(self._offsets[1:] - 1)

    def _time_at(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        time = np.full(len(self), np.nan)
        filled = self.counts > 0
        time[filled] = self._time[rows[filled]]
        return time

    # ---- scikit-learn's container contract -----------------------------------------------------

    @property
    def shape(self) -> tuple[int]:
        """``(n_records,)``: what scikit-learn counts and slices."""
        return _OneAxis((len(self),))

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, key: object) -> Self:
        """Select records by position; the type is kept for every kind of key.

        An int gives a panel of one record; ``(key, ...)`` is what scikit-learn sends. Slices with step 1 are views.

        Parameters
        ----------
        key : int, slice, list, array of int or bool, or ``(key, ...)``
            Positions of the records; repeats are allowed.

        Returns
        -------
        IrregularPanel

        Raises
        ------
        IndexError
            If a position is out of range, a boolean key has the wrong length, or a second axis is indexed.
        """
        index = as_record_index(_row_key(key), len(self))
        offsets, rows = take(self._offsets, index)
        return self._trusted(
            self,
            offsets=offsets,
            time=self._time[rows],
            channel=self._channel[rows],
            value=self._value[rows],
            records=self._records[index],
            static=self._static.iloc[index],
            outcomes=self._outcomes.iloc[index],
            groups=None if self._groups is None else self._groups[index],
            queries=None if self._queries is None else self._queries[index],
        )

    def __array__(self, dtype: object = None, copy: bool | None = None) -> NDArray:
        """Refuse: the number of events differs from record to record."""
        raise TypeError("a panel is ragged and no array; use to_array() for a grid or to_long() for a table.")

    def equals(self, other: object) -> bool:
        """Whether two panels hold the same: events, ids, names, units, tables, clock, groups and queries.

        Examples
        --------
        >>> from cndts.panel import IrregularPanel
        >>> panel = IrregularPanel([0, 1], [0.5], [0], [7.0])
        >>> panel.equals(panel[:]), panel.equals(panel[:0])
        (True, False)
        """
        if not isinstance(other, PanelStorage):
            return False
        return all(_same(mine, other.__dict__[name]) for name, mine in self.__dict__.items())


_ONE_AXIS = "a panel has one axis (records) and no columns"
_OF_CHANNELS = (
    "Select channels with panel.where(np.isin(panel.channel, ...)), static features with panel.static[...]; records by their ids "
    "with panel[panel.records.get_indexer(ids)]."
)


class _OneAxis(tuple[int]):
    """The shape of a panel, which says what is missing where columns are counted (ColumnTransformer does)."""

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int) and not -1 <= key < 1:
            raise IndexError(
                f"{_ONE_AXIS}; got shape[{key}]. What picks columns, such as ColumnTransformer, takes tables: put RecordSummary or "
                "InterpolatedTable before it."
            )
        return super().__getitem__(key)


def _row_key(key: object) -> object:
    """The part of a key that selects records, as something with one axis."""
    if isinstance(key, tuple):
        rest_is_full = all(part is Ellipsis or (isinstance(part, slice) and part == slice(None)) for part in key[1:])
        if not key or not rest_is_full:
            raise IndexError(f"{_ONE_AXIS}; got the key {key!r}. {_OF_CHANNELS}")
        key = key[0]
    if isinstance(key, str) or (isinstance(key, list) and any(isinstance(name, str) for name in key)):
        raise IndexError(f"{_ONE_AXIS}, indexed by position; got the key {key!r}. {_OF_CHANNELS}")
    if isinstance(key, (bool, np.bool_)):
        raise IndexError(f"records are indexed by position; got {key!r}. Use a list or array of one boolean a record.")
    if key is Ellipsis:
        return slice(None)
    return [key] if isinstance(key, (int, np.integer)) else key


def _same(mine: Any, yours: Any) -> bool:
    if mine is None or yours is None or isinstance(mine, (str, tuple, dict, pd.Timestamp, pd.Timedelta)):
        return type(mine) is type(yours) and mine == yours
    if isinstance(mine, Queries):
        return isinstance(yours, Queries) and all(
            np.array_equal(getattr(mine, name), getattr(yours, name)) for name in ("offsets", "time", "channel")
        )
    if isinstance(mine, np.ndarray):
        return np.array_equal(mine, yours)
    return bool(mine.equals(yours))
