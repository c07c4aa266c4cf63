"""The ragged container that every part of cndts reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cndts._panel_arrays import array_fields, to_grid
from cndts._panel_changes import PanelChanges
from cndts._panel_duplicates import Duplicates
from cndts._panel_frames import RecordOptions, long_fields, to_long_frame, to_wide_frame, wide_fields
from cndts._panel_repr import as_html, as_text
from cndts._panel_time import Origin

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.figure import Figure


class IrregularPanel(PanelChanges):
    """Records of irregularly timed observations, stored flat without grid or padding.

    The events of all records lie in flat arrays, one record after the other and sorted by time within each.
    The panel is immutable: its arrays refuse writes, and every method returns another panel, which shares the
    arrays wherever they stay the same. scikit-learn slices it by record like an array of one dimension.

    Most users come from a table (:meth:`from_long`, :meth:`from_wide`), an array (:meth:`from_array`) or a file
    (:meth:`from_parquet`); the constructor takes what is stored.

    Parameters
    ----------
    offsets : array-like of int, shape (n_records + 1,)
        Segment bounds, rising from 0 to n_events: record ``i`` owns the events ``offsets[i]:offsets[i + 1]``.
        Records may be empty.
    time : array-like of float, shape (n_events,)
        Event times in ``time_unit``, finite, rising (not strictly) within a record.
    channel : array-like of int, shape (n_events,)
        Position in ``channels`` of each event.
    value : array-like of float, shape (n_events,)
        Observed values in the channel's unit, finite; stored as float32.
    records : array-like of shape (n_records,), optional
        Unique record identifiers; ``0, 1, ...`` by default.
    channels : sequence of str, optional
        Unique channel names; ``x0, x1, ...`` by default. Channels that are never observed are fine.
    units : mapping from channel name to str, optional
        Units, for the channels that have one.
    static : DataFrame with one row per record, optional
        Time-constant features, indexed by record id.
    outcomes : DataFrame with one row per record, optional
        Labels known only after the record, indexed by record id; never an input of a model.
    time_unit : str, default "h"
        One of ``"ns", "us", "ms", "s", "min", "h", "D"``, or another word for times that only count (``"step"``).
    origin : Timestamp or Timedelta, optional
        Calendar time of ``time == 0`` with its time zone; a Timedelta where times came as timedeltas. Its own
        ``unit`` is the resolution of the datetimes handed back.
    groups : array-like of shape (n_records,), optional
        Labels for grouped splitting.
    queries : Queries, optional
        Times and channels that are asked for.

    Attributes
    ----------
    offsets, time, channel, value, records, channels, units, static, outcomes, time_unit, origin, groups, queries
        As above; arrays are read-only, tables are copies.
    record : ndarray of int, shape (n_events,)
        Record position of each event.
    n_events : int
        Number of observations.
    counts : ndarray of int, shape (n_records,)
        Number of events of each record.
    first_time, last_time : ndarray of float, shape (n_records,)
        First and last event time of each record in ``time_unit``, NaN for empty records.
    shape : tuple
        ``(n_records,)``.

    Raises
    ------
    ValueError
        If lengths disagree, names repeat, times are not finite or not sorted within a record, values are not
        finite, or channels, units, groups or queries do not fit; the text says where and what to do.
    TypeError
        If times, channels or values have a dtype that is no number.

    Examples
    --------
    Two patients, two channels:

    >>> panel = IrregularPanel([0, 3, 4], [0.0, 0.5, 2.0, 1.0], [0, 1, 0, 0], [80, 36.9, 84, 71],
    ...                        records=["p1", "p2"], channels=["HR", "Temp"], units={"HR": "bpm"})
    >>> panel
    IrregularPanel: 2 records, 4 events, 2 channels (HR, Temp)
      events a record: 1 to 3, median 2
      time: 0 to 2 h; span of a record: median 1 h, at most 2 h
      gaps: median 1 h (5 %: 0.55 h, 95 %: 1.45 h)
    >>> panel["p1" == panel.records].n_events, panel[-1].records[0]
    (3, 'p2')
    """

    # ---- tables --------------------------------------------------------------------------------

    @classmethod
    def from_long(
        cls,
        frame: Any,
        *,
        record: str | None = "record",
        time: str = "time",
        channel: str | None = "channel",
        value: str = "value",
        time_unit: str | None = None,
        origin: Origin = None,
        records: ArrayLike | None = None,
        channels: Sequence[str] | None = None,
        static: Any = None,
        outcomes: Any = None,
        units: Mapping[str, str] | str | None = None,
        groups: Any = None,
        duplicates: Duplicates = "error",
    ) -> Self:
        """A panel from a table with one row per observation.

        Rows may come in any order. Rows without a value become queries: leave blank what you want predicted.

        Parameters
        ----------
        frame : DataFrame, Arrow table or mapping of columns
            pandas, or whatever exports the Arrow stream interface (polars, pyarrow, duckdb; needs pyarrow).
            Levels of a pandas index count as columns.
        record, time, channel, value : str
            Names of the columns. ``record=None`` means one record, ``channel=None`` one channel named as the value.
        time_unit : str, default "h"
            Unit of numeric times, and the unit in which datetimes and timedeltas are counted.
        origin : Timestamp, optional
            Calendar time of ``time == 0``; for datetimes the earliest one by default.
        records : array-like, optional
            All record ids in order, those without rows included. By default the index of ``static``, else of
            ``outcomes``, else the ids in order of first appearance.
        channels : sequence of str, optional
            All channel names in order. By default the categories of a categorical column, else the names in
            order of first appearance.
        static, outcomes : DataFrame, optional
            One row per record, with the ids as index or in a column named like ``record``.
        units : mapping, or str, optional
            Unit by channel, or the column that holds the unit of each row; a channel in two units is an error.
        groups : array-like, mapping, Series or str, optional
            Group labels in record order or by record id, or the column that holds them.
        duplicates : {"error", "mean", "first", "last", "keep"}
            What becomes of several values of one channel of one record at one time.

        Returns
        -------
        IrregularPanel

        Raises
        ------
        ValueError
            If columns, ids, channels or times are missing, times or values are text or infinite, channels,
            records or units do not fit, or rows repeat; the text names record and row.
        TypeError
            If ``frame`` is no table.

        Warns
        -----
        UserWarning
            If float64 cannot hold the times exactly (nanoseconds over more than 26 days).

        Examples
        --------
        >>> frame = pd.DataFrame({
        ...     "id": ["a", "a", "a", "b"], "hours": [2.0, 0.5, 6.0, 1.0],
        ...     "variable": ["HR", "Temp", "HR", "HR"], "value": [80.0, 36.9, None, 71.0]})
        >>> panel = IrregularPanel.from_long(frame, record="id", time="hours", channel="variable")
        >>> panel.time, panel.queries.time
        (array([0.5, 2. , 1. ]), array([6.]))

        Datetimes keep their zone and come back exactly:

        >>> frame["hours"] = pd.Timestamp("2024-03-31 00:30", tz="Europe/Paris") + pd.to_timedelta(frame["hours"], "h")
        >>> panel = IrregularPanel.from_long(frame, record="id", time="hours", channel="variable")
        >>> panel.origin.isoformat(), panel.to_long()["time"].iloc[-1].isoformat()
        ('2024-03-31T01:00:00+01:00', '2024-03-31T01:30:00+01:00')
        """
        options = RecordOptions(record, time, time_unit, origin, records, static, outcomes, units, groups, duplicates)
        return cls(**long_fields(frame, options, channel=channel, value=value, channels=channels))

    def to_long(
        self, *, record: str = "record", time: str = "time", channel: str = "channel", value: str = "value"
    ) -> pd.DataFrame:
        """One row per observation, sorted by record and time; queries follow their record with NaN as value.

        Times are datetimes or timedeltas where the panel came from such, else numbers in ``time_unit``.

        Parameters
        ----------
        record, time, channel, value : str
            Names of the four columns.

        Returns
        -------
        DataFrame of n_events + n_queries rows

        Examples
        --------
        >>> panel = IrregularPanel([0, 1], [0.5], [0], [80.0], records=["a"], channels=["HR"])
        >>> panel.with_queries(6.0).to_long(record="id")
          id  time channel  value
        0  a   0.5      HR   80.0
        1  a   6.0      HR    NaN
        """
        return to_long_frame(self, record, time, channel, value)

    @classmethod
    def from_wide(
        cls,
        frame: Any,
        *,
        record: str | None = "record",
        time: str = "time",
        channels: Sequence[str] | None = None,
        time_unit: str | None = None,
        origin: Origin = None,
        records: ArrayLike | None = None,
        static: Any = None,
        outcomes: Any = None,
        units: Mapping[str, str] | None = None,
        groups: Any = None,
        duplicates: Duplicates = "error",
    ) -> Self:
        """A panel from a table with one row per record and time, one column per channel, NaN where not observed.

        Parameters
        ----------
        frame : DataFrame, Arrow table or mapping of columns
            As for :meth:`from_long`. Index levels count as columns, so sktime's ``pd-multiindex`` works, and its
            ``df-list`` after ``pandas.concat(dict(enumerate(frames)), names=["record", "time"])``.
        record, time : str
            Names of the columns; ``record=None`` means one record.
        channels : sequence of str, optional
            Columns to read; by default all that are not record, time or groups.
        time_unit, origin, records, static, outcomes, units, groups, duplicates
            As for :meth:`from_long`.

        Returns
        -------
        IrregularPanel
            Without queries. A row of nothing but NaN leaves no trace except the record's id.

        Raises
        ------
        ValueError, TypeError
            As for :meth:`from_long`.

        Examples
        --------
        >>> frame = pd.DataFrame({"record": ["a", "a"], "time": [0.0, 1.5], "HR": [80, 82], "Temp": [None, 36.9]})
        >>> panel = IrregularPanel.from_wide(frame)
        >>> panel.n_events, panel.channels
        (3, ('HR', 'Temp'))
        """
        options = RecordOptions(record, time, time_unit, origin, records, static, outcomes, units, groups, duplicates)
        return cls(**wide_fields(frame, options, channels=channels))

    def to_wide(self, *, record: str = "record", time: str = "time") -> pd.DataFrame:
        """One row per record and distinct time, one column per channel, NaN where not observed.

        Queries and records without events have no row.

        Parameters
        ----------
        record, time : str
            Names of the two leading columns.

        Returns
        -------
        DataFrame

        Raises
        ------
        ValueError
            If a channel is observed twice at one time, or a channel is named like one of the leading columns.

        Examples
        --------
        >>> panel = IrregularPanel([0, 2], [0.0, 1.5], [0, 1], [80.0, 36.5], records=["a"], channels=["HR", "Temp"])
        >>> panel.to_wide()
          record  time    HR  Temp
        0      a   0.0  80.0   NaN
        1      a   1.5   NaN  36.5
        """
        return to_wide_frame(self, record, time)

    # ---- arrays --------------------------------------------------------------------------------

    @classmethod
    def from_array(
        cls,
        values: ArrayLike,
        times: ArrayLike | None = None,
        *,
        channels: Sequence[str] | None = None,
        time_unit: str | None = None,
        **fields: Any,
    ) -> Self:
        """A panel from an array with NaN where nothing was observed.

        Parameters
        ----------
        values : array-like of shape (n_records, n_times) or (n_records, n_times, n_channels)
            Two dimensions mean one channel.
        times : array-like of shape (n_times,) or (n_records, n_times), optional
            Times in ``time_unit``, in any order; ``0, 1, ..., n_times - 1`` by default.
        channels : sequence of str, optional
            Channel names; ``x0, x1, ...`` by default.
        time_unit : str, optional
            ``"step"`` by default without ``times``, else ``"h"``.
        **fields
            ``records``, ``units``, ``static``, ``outcomes``, ``origin``, ``groups`` as for the constructor.

        Returns
        -------
        IrregularPanel

        Raises
        ------
        ValueError
            If the shapes do not fit, a time is missing, or a value or time is infinite.

        Examples
        --------
        >>> panel = IrregularPanel.from_array([[1.0, None, 3.0], [4.0, 5.0, None]])
        >>> panel.time, panel.value, panel.time_unit
        (array([0., 2., 0., 1.]), array([1., 3., 4., 5.], dtype=float32), 'step')
        """
        if time_unit is None:
            time_unit = "step" if times is None else "h"
        return cls(**array_fields(values, times, channels), time_unit=time_unit, **fields)

    def to_array(self, times: ArrayLike | None = None) -> tuple[NDArray, NDArray]:
        """The events on a common grid of times, NaN where nothing was observed.

        Parameters
        ----------
        times : array-like of shape (n_times,), optional
            Times that hold every event; by default all distinct event times, sorted.

        Returns
        -------
        values : ndarray of float32, shape (n_records, n_times, n_channels)
        times : ndarray of float64, shape (n_times,)

        Raises
        ------
        ValueError
            If an event lies off the given times, or two events fall into one cell.

        Examples
        --------
        >>> panel = IrregularPanel([0, 2, 3], [0.0, 1.5, 0.0], [0, 0, 0], [80, 82, 71])
        >>> values, times = panel.to_array()
        >>> values[..., 0], times
        (array([[80., 82.],
               [71., nan]], dtype=float32), array([0. , 1.5]))
        """
        return to_grid(self, times)

    # ---- files and pictures --------------------------------------------------------------------

    def to_parquet(self, path: str | PathLike[str], *, compression: str = "none") -> None:
        """Write everything the panel holds into one Parquet file, one row per record (needs pyarrow).

        The file appears whole or not at all. Other tools see list columns ``time``, ``channel`` and ``value``.

        Parameters
        ----------
        path : str or path-like
            File to write; replaced where it exists.
        compression : str, default "none"
            Only uncompressed files can be memory-mapped by :meth:`from_parquet`; ``"zstd"`` makes small ones.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> panel = IrregularPanel([0, 1], [0.5], [0], [80.0], records=["a"], channels=["HR"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     panel.to_parquet(pathlib.Path(folder, "panel.parquet"))
        ...     IrregularPanel.from_parquet(pathlib.Path(folder, "panel.parquet")).equals(panel)
        True
        """
        from cndts._panel_parquet import write_panel

        write_panel(self, path, compression)

    @classmethod
    def from_parquet(cls, path: str | PathLike[str], *, memory_map: bool = False) -> Self:
        """Read a panel that :meth:`to_parquet` wrote (needs pyarrow).

        Parameters
        ----------
        path : str or path-like
            File to read.
        memory_map : bool, default False
            Whether to leave the events on disk and map them, so that panels larger than memory open at once;
            slices then read what they touch, and event values are not checked again. The file must stay in place.

        Returns
        -------
        IrregularPanel

        Raises
        ------
        ValueError
            If the file is no panel, comes from a newer version, or was compressed and ``memory_map`` is asked for.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> panel = IrregularPanel([0, 1], [0.5], [0], [80.0], records=["a"], channels=["HR"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     panel.to_parquet(pathlib.Path(folder, "panel.parquet"))
        ...     mapped = IrregularPanel.from_parquet(pathlib.Path(folder, "panel.parquet"), memory_map=True)
        ...     mapped.value.tolist()
        [80.0]
        """
        from cndts._panel_parquet import read_panel

        fields, checked = read_panel(path, memory_map)
        return cls(**fields) if checked else cls._unchecked(fields)

    def plot(self, record: Any = None, *, channels: str | Sequence[str] | None = None) -> Figure:
        """Draw one record: a panel per observed channel, events as points, queries as ticks (needs matplotlib).

        Parameters
        ----------
        record : record id, optional
            The first record with events by default.
        channels : str or sequence of str, optional
            Channels to draw; by default those with events or queries.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ValueError
            If the record or a channel is unknown.

        Examples
        --------
        >>> panel = IrregularPanel([0, 2], [0.0, 1.5], [0, 1], [80.0, 36.5], records=["a"], channels=["HR", "Temp"])
        >>> figure = panel.plot("a")
        >>> [axes.get_ylabel() for axes in figure.axes]
        ['HR', 'Temp']
        """
        from cndts.plotting import plot_record

        return plot_record(self, record, channels=channels)

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)
