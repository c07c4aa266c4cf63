"""Panels made from panels: other queries, channels, values, tables, records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cndts._panel_concat import joined_fields
from cndts._panel_duplicates import Duplicates, settle_duplicates
from cndts._panel_queries import build_queries
from cndts._panel_storage import PanelStorage
from cndts._panel_tables import groups_of_records, read_tables
from cndts._panel_validation import (
    as_name_index,
    check_groups,
    check_queries,
    check_table,
    check_unique,
    check_units,
    shown,
)
from cndts._ragged import offsets_from_lengths
from cndts.queries import Queries


class PanelChanges(PanelStorage):
    """Methods that return a changed panel; the events of the old one are shared wherever they stay the same."""

    # ---- queries -------------------------------------------------------------------------------

    def with_queries(
        self, times: Any = None, channels: str | Sequence[str] | None = None, *, queries: Queries | None = None
    ) -> Self:
        """Ask for values at times, for all records alike or for each its own.

        Queries keep the order given here, and repeats: predictions come back in that order. They replace
        queries that the panel had.

        Parameters
        ----------
        times : number, datetime, sequence, mapping, 2-D ndarray or DataFrame
            In ``time_unit``, or datetimes where the panel has an ``origin``:

            - one time or a sequence of times: the same for all records;
            - a mapping from record id to times: records it lacks get no queries;
            - a 2-D array with one row per record;
            - a table with columns ``record``, ``time`` and, optionally, ``channel``: one query a row.
        channels : str or sequence of str, optional
            Channels to ask for at each time; all by default.
        queries : Queries, optional
            Finished queries, instead of the other two.

        Returns
        -------
        IrregularPanel

        Raises
        ------
        ValueError
            If a record or channel is unknown, or a time is missing, infinite or text.

        Examples
        --------
        >>> from cndts import IrregularPanel
        >>> panel = IrregularPanel([0, 2, 3], [0.0, 1.0, 0.5], [0, 1, 0], [80, 37, 90], channels=["HR", "Temp"])
        >>> panel.with_queries([6.0, 12.0], "HR").queries.time
        array([ 6., 12.,  6., 12.])
        >>> asked = panel.with_queries({1: [24.0]}).queries
        >>> asked.record, asked.time, asked.channel
        (array([1, 1]), array([24., 24.]), array([0, 1], dtype=int32))
        """
        if (times is None) == (queries is None):
            raise ValueError("give either times (with channels) or queries=; to drop queries call without_queries().")
        if queries is not None and channels is not None:
            raise ValueError("queries= names its channels itself; leave channels out.")
        panel = self._trusted(self, queries=build_queries(self, times, channels) if queries is None else queries)
        check_queries(panel)
        return panel

    def without_queries(self) -> Self:
        """The panel without queries.

        Examples
        --------
        >>> from cndts import IrregularPanel
        >>> panel = IrregularPanel([0, 1], [0.0], [0], [80.0]).with_queries(6.0)
        >>> panel.without_queries().queries is None
        True
        """
        return self._trusted(self, queries=None)

    # ---- events --------------------------------------------------------------------------------

    def where(self, kept: ArrayLike) -> Self:
        """The panel with only some of its events; records, channels and queries stay.

        Parameters
        ----------
        kept : array-like of bool, shape (n_events,)
            True for the events to keep.

        Returns
        -------
        IrregularPanel

        Examples
        --------
        >>> from cndts import IrregularPanel
        >>> panel = IrregularPanel([0, 2, 3], [0.0, 1.0, 0.5], [0, 1, 0], [80, 37, 90])
        >>> early = panel.where(panel.time < 1)
        >>> early.counts, early.value
        (array([1, 1]), array([80., 90.], dtype=float32))
        """
        kept = np.asarray(kept)
        if kept.dtype != bool or kept.shape != (self.n_events,):
            raise ValueError(
                f"kept needs one boolean per event ({self.n_events}); got dtype {kept.dtype} and shape {kept.shape}."
            )
        return self._trusted(
            self,
            offsets=np.concatenate([[0], np.cumsum(kept)])[self._offsets],
            time=self._time[kept],
            channel=self._channel[kept],
            value=self._value[kept],
        )

    def deduplicate(self, duplicates: Duplicates = "error") -> Self:
        """Settle repeated observations of one channel of one record at one time.

        Parameters
        ----------
        duplicates : {"error", "mean", "first", "last", "keep"}
            What becomes of them: one event with their mean, the first or the last value, all of them, or an error.

        Returns
        -------
        IrregularPanel

        Raises
        ------
        ValueError
            If the policy is unknown, or is ``"error"`` and there are duplicates.

        Examples
        --------
        >>> from cndts import IrregularPanel
        >>> panel = IrregularPanel([0, 3], [1.0, 1.0, 2.0], [0, 0, 0], [80, 90, 70])
        >>> panel.deduplicate("mean").value
        array([85., 70.], dtype=float32)
        """
        codes = self.record

        def place(event: int) -> str:
            row = event - int(self._offsets[codes[event]])
            return f"record {shown(self._records[codes[event]])}, row {row}"

        survivors, values = settle_duplicates(
            codes, self._time, self._channel, self._value, duplicates, self._channels, place
        )
        if survivors is None:
            return self._trusted(self)
        return self._trusted(
            self,
            offsets=offsets_from_lengths(np.bincount(codes[survivors], minlength=len(self))),
            time=self._time[survivors],
            channel=self._channel[survivors],
            value=values.astype(np.float32),
        )

    def scale_values(self, offset: ArrayLike, scale: ArrayLike) -> Self:
        """Values ``(value - offset) / scale`` with one offset and scale per channel; the result has no units.

        Parameters
        ----------
        offset, scale : array-like of shape (n_channels,)
            In the channel's unit; scales are not zero.

        Returns
        -------
        IrregularPanel

        Raises
        ------
        ValueError
            If a shape is wrong, or a scale is zero or not finite.

        Examples
        --------
        >>> from cndts import IrregularPanel
        >>> panel = IrregularPanel([0, 2], [0.0, 1.0], [0, 1], [80, 37], channels=["HR", "Temp"])
        >>> panel.scale_values([60.0, 36.0], [10.0, 0.5]).value
        array([2., 2.], dtype=float32)
        """
        shift, factor = (np.asarray(each, dtype=np.float64) for each in (offset, scale))
        wanted = (len(self._channels),)
        if shift.shape != wanted or factor.shape != wanted:
            raise ValueError(
                f"offset and scale need one entry per channel, shape {wanted}; got {shift.shape} and {factor.shape}."
            )
        wrong = ~(np.isfinite(shift) & np.isfinite(factor) & (factor != 0))
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            raise ValueError(
                f"channel {self._channels[first]!r} has offset {shift[first]:g} and scale {factor[first]:g}; "
                "both must be finite and scales not zero (use 1 for a constant channel)."
            )
        value = (self._value - shift[self._channel]) / factor[self._channel]
        return self._trusted(self, value=value.astype(np.float32), units={})

    def with_channels(self, channels: Sequence[str]) -> Self:
        """The same events under another ordered list of channels.

        Parameters
        ----------
        channels : sequence of str
            A permutation or superset of the panel's channels; a channel that nothing is observed of or asked for
            may be left out.

        Returns
        -------
        IrregularPanel

        Raises
        ------
        ValueError
            If events or queries belong to channels that are not in the list.

        Examples
        --------
        >>> from cndts import IrregularPanel
        >>> panel = IrregularPanel([0, 2], [0.0, 1.0], [0, 1], [80, 37], channels=["HR", "Temp"])
        >>> panel.with_channels(["Temp", "Lactate", "HR"]).channel
        array([2, 0], dtype=int32)
        """
        names = tuple(str(name) for name in channels)
        if names == self._channels:
            return self._trusted(self)
        check_unique("channel name", as_name_index(names))
        moved = as_name_index(names).get_indexer(as_name_index(self._channels)).astype(np.int32)
        self._refuse_lost_channels(moved, len(names))
        return self._trusted(
            self,
            channels=names,
            channel=moved[self._channel],
            units={name: unit for name, unit in self._units.items() if name in names},
            queries=_with_moved_channels(self._queries, moved),
        )

    def _refuse_lost_channels(self, moved: NDArray[np.int32], n_names: int) -> None:
        used = np.bincount(self._channel, minlength=len(self._channels))
        if self._queries is not None:
            used = used + np.bincount(self._queries.channel, minlength=len(self._channels))
        lost = [f"{name} ({used[i]})" for i, name in enumerate(self._channels) if moved[i] < 0 and used[i]]
        if lost:
            raise ValueError(
                f"{len(lost)} channels of the panel are not among the {n_names} wanted: {', '.join(lost)} (events and "
                "queries in brackets). Add them to the list, or drop their events with where() first."
            )

    # ---- records -------------------------------------------------------------------------------

    @classmethod
    def concat(cls, panels: Iterable[Self], *, ignore_records: bool = False) -> Self:
        """The records of several panels in one.

        Channels are joined by name, in order of first appearance, and calendar times by instant: the first
        panel's origin and time zone hold for all.

        Parameters
        ----------
        panels : iterable of IrregularPanel
            At least one.
        ignore_records : bool, default False
            Whether to number the records anew instead of keeping their ids.

        Returns
        -------
        IrregularPanel

        Raises
        ------
        ValueError
            If ids repeat, or time units, kinds of origin or units of a channel differ.

        Examples
        --------
        >>> from cndts import IrregularPanel
        >>> first = IrregularPanel([0, 1], [0.0], [0], [80.0], records=["a"], channels=["HR"])
        >>> second = IrregularPanel([0, 1], [2.0], [0], [37.0], records=["b"], channels=["Temp"])
        >>> both = IrregularPanel.concat([first, second])
        >>> list(both.records), both.channels, both.channel
        (['a', 'b'], ('HR', 'Temp'), array([0, 1], dtype=int32))
        """
        return cls(**joined_fields(list(panels), ignore_records))

    def with_static(self, static: pd.DataFrame | None) -> Self:
        """The panel with other static features, one row per record and indexed by record id.

        Examples
        --------
        >>> from cndts import IrregularPanel
        >>> panel = IrregularPanel([0, 0, 0], [], [], [], records=["a", "b"])
        >>> panel.with_static(pd.DataFrame({"age": [61, 48]}, index=["b", "a"])).static["age"].tolist()
        [48, 61]
        """
        table = read_tables(self._records, static, None, "record").static
        return self._trusted(self, static=check_table("static", table, self._records))

    def with_outcomes(self, outcomes: pd.DataFrame | None) -> Self:
        """The panel with other outcomes, one row per record and indexed by record id.

        Examples
        --------
        >>> from cndts import IrregularPanel
        >>> panel = IrregularPanel([0, 0, 0], [], [], [], records=["a", "b"])
        >>> panel.with_outcomes(pd.DataFrame({"died": [0, 1]}, index=["a", "b"])).outcomes["died"].tolist()
        [0, 1]
        """
        table = read_tables(self._records, None, outcomes, "record").outcomes
        return self._trusted(self, outcomes=check_table("outcomes", table, self._records))

    def with_groups(self, groups: ArrayLike | Mapping | pd.Series | None) -> Self:
        """The panel with other group labels: an array in record order, or a mapping or Series by record id.

        Examples
        --------
        >>> from cndts import IrregularPanel
        >>> panel = IrregularPanel([0, 0, 0], [], [], [], records=["a", "b"])
        >>> panel.with_groups({"b": "ward 2", "a": "ward 1"}).groups.tolist()
        ['ward 1', 'ward 2']
        """
        panel = self._trusted(self, groups=groups_of_records(groups, self._records))
        check_groups(panel)
        return panel

    def with_units(self, units: Mapping[str, str] | None) -> Self:
        """The panel with other names for its channels' units; values stay as they are.

        Examples
        --------
        >>> from cndts import IrregularPanel
        >>> IrregularPanel([0], [], [], [], channels=["HR"]).with_units({"HR": "bpm"}).units
        {'HR': 'bpm'}
        """
        panel = self._trusted(self, units=dict(units or {}))
        check_units(panel)
        return panel


def _with_moved_channels(queries: Queries | None, moved: NDArray[np.int32]) -> Queries | None:
    return None if queries is None else Queries(queries.offsets, queries.time, moved[queries.channel])
