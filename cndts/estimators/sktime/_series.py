"""sktime's pandas containers as panels: one record an instance, one channel a column."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._ragged import offsets_from_lengths
from cndts.estimators.sktime._clock import Clock
from cndts.panel import IrregularPanel


@dataclass(frozen=True)
class Series:
    """What is known of the instances of a container.

    Parameters
    ----------
    panel : IrregularPanel of n_instances
        The values, one record an instance; NaN is what was not observed.
    instances : Index or MultiIndex of length n_instances
        The levels above time, in order of appearance; one entry for a single series.
    last : Index of length n_instances
        Last time label of each instance, also where its values are NaN.
    clock : Clock
        How times are counted.
    """

    panel: IrregularPanel
    instances: pd.Index
    last: pd.Index
    clock: Clock

    @classmethod
    def read(cls, frame: pd.DataFrame, clock: Clock, known: Sequence[str] = ()) -> Self:
        """Read a ``pd.DataFrame``, ``pd-multiindex`` or ``pd_multiindex_hier`` container, see :func:`channel_names`."""
        code, instances = instance_codes(frame.index)
        times = time_level(frame.index)
        time = clock.read(times)
        values = frame.to_numpy(dtype=np.float64, na_value=np.nan)
        row, channel = np.nonzero(~np.isnan(values))
        events = _Events(code[row], time[row], channel, values[row, channel])
        order = np.lexsort((time, code))
        last = times[order[np.cumsum(np.bincount(code, minlength=len(instances))) - 1]]
        return cls(events.panel(_names(instances), channel_names(frame.columns, known), clock), instances, last, clock)

    def merged(self, later: Self) -> Self:
        """With the values of a later container added; where both have a value, the later one holds."""
        instances = self.instances.append(later.instances[~later.instances.isin(self.instances)])
        position = instances.get_indexer(later.instances)
        channels = [*self.panel.channels, *(name for name in later.panel.channels if name not in self.panel.channels)]
        old, new = _Events.of(self.panel, channels), _Events.of(later.panel, channels)
        new = replace(new, record=position[new.record])
        events = old.without(new).followed_by(new)
        last = self._latest(later.last, position, len(instances))
        return replace(
            self, panel=events.panel(_names(instances), channels, self.clock), instances=instances, last=last
        )

    def _latest(self, others: pd.Index, position: NDArray[np.int64], n_instances: int) -> pd.Index:
        """The later of two labels of each instance; the others' stand at ``position``."""
        both = self.last.append(others)
        order = np.argsort(self.clock.read(both), kind="stable")
        latest = np.empty(n_instances, dtype=np.int64)
        latest[np.concatenate([np.arange(len(self.last)), position])[order]] = order
        return both[latest]


@dataclass(frozen=True)
class _Events:
    """Observations in any order."""

    record: NDArray[np.int64]
    time: NDArray[np.float64]
    channel: NDArray[np.int64]
    value: NDArray[np.float64]

    @classmethod
    def of(cls, panel: IrregularPanel, channels: list[str]) -> "_Events":
        panel = panel.with_channels(channels)
        return cls(panel.record, panel.time, panel.channel.astype(np.int64), panel.value.astype(np.float64))

    def without(self, others: "_Events") -> "_Events":
        kept = ~self._keys().isin(others._keys())
        return _Events(self.record[kept], self.time[kept], self.channel[kept], self.value[kept])

    def followed_by(self, others: "_Events") -> "_Events":
        pairs = ((getattr(self, name), getattr(others, name)) for name in ("record", "time", "channel", "value"))
        return _Events(*(np.concatenate(pair) for pair in pairs))

    def panel(self, records: pd.Index, channels: list[str], clock: Clock) -> IrregularPanel:
        order = np.lexsort((self.time, self.record))
        return IrregularPanel(
            offsets_from_lengths(np.bincount(self.record, minlength=len(records))),
            self.time[order],
            self.channel[order],
            self.value[order],
            records=records,
            channels=channels,
            time_unit=clock.time_unit,
            origin=clock.origin,
        )

    def _keys(self) -> pd.MultiIndex:
        return pd.MultiIndex.from_arrays([self.record, self.time, self.channel])


def instance_codes(index: pd.Index) -> tuple[NDArray[np.int64], pd.Index]:
    """Position of each row's instance, and the instances in order of appearance."""
    if not isinstance(index, pd.MultiIndex):
        return np.zeros(len(index), dtype=np.int64), pd.RangeIndex(1)
    codes, instances = pd.factorize(index.droplevel(-1))
    return codes, instances


def time_level(index: pd.Index) -> pd.Index:
    """The times of the rows."""
    return index.get_level_values(-1) if isinstance(index, pd.MultiIndex) else index


def channel_names(columns: pd.Index, known: Sequence[str] = ()) -> list[str]:
    """Names of columns as text; their positions where the text repeats.

    Columns without names (``0, 1, ...``) are those ``known`` from training, one by one, where their numbers agree, and so are
    named ones where training had none.
    """
    names, places = [str(name) for name in columns], [str(i) for i in range(len(columns))]
    if len(set(names)) < len(names):
        names = places
    unnamed = names == places or list(known) == places
    return list(known) if unnamed and len(known) == len(names) else names


def _names(instances: pd.Index) -> pd.Index:
    """Record ids for error messages: what identifies the instance, in one level."""
    if not isinstance(instances, pd.MultiIndex):
        return instances
    text = pd.Index([" / ".join(map(str, levels)) for levels in instances])
    return text if text.is_unique else pd.RangeIndex(len(text))
