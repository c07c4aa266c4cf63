"""Where a time lies in the day, the week or any other period."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._panel_time import NANOSECONDS, write_times
from cndts._ragged import offsets_from_lengths
from cndts.panel import IrregularPanel
from cndts.transforms._base import PanelTransformer

# Weeks begin on a Monday, as in pandas.
_MONDAY = pd.Timestamp("1970-01-05")


class TimeFeatures(PanelTransformer):
    r"""Add the phase of each visit in the day, the week or other periods, as sine and cosine.

    With calendar times (a panel with an ``origin``) days begin at midnight and weeks on Monday, by the clock on the wall of the panel's time
    zone, also when clocks change; otherwise all periods begin at time 0.

    Parameters
    ----------
    periods : mapping from str to float or Timedelta, optional
        Names and lengths of the periods; a number counts in the panel's time unit. By default ``{"day": Timedelta("1D")}``.
    add : {"channels", "static"}, default="channels"
        Where the features go: as observations of further channels ``day_sin`` and ``day_cos`` at every visit, which every model sees; or as
        static columns of the same names for the first visit of each record (NaN for empty records), which costs no events.

    Examples
    --------
    >>> from cndts import IrregularPanel
    >>> panel = IrregularPanel([0, 2], [0.0, 6.0], [0, 0], [80.0, 82.0], channels=["HR"])
    >>> dated = TimeFeatures().fit(panel).transform(panel)
    >>> dated.channels, dated.value[dated.channel == 1].round(2)
    (('HR', 'day_sin', 'day_cos'), array([0., 1.], dtype=float32))
    """

    def __init__(
        self,
        periods: Mapping[str, float | pd.Timedelta] | None = None,
        *,
        add: Literal["channels", "static"] = "channels",
    ) -> None:
        self.periods = periods
        self.add = add

    def _names(self) -> list[str]:
        return [f"{name}_{wave}" for name in self._periods() for wave in ("sin", "cos")]

    def _periods(self) -> Mapping[str, float | pd.Timedelta]:
        return {"day": pd.Timedelta("1D")} if self.periods is None else self.periods

    def _channels_out(self) -> tuple[str, ...]:
        return (*self.channels_in_, *self._names()) if self.add == "channels" else self.channels_in_

    def _fit(self, X: IrregularPanel) -> None:
        if self.add not in ("channels", "static"):
            raise ValueError(f'add must be "channels" or "static"; got {self.add!r}.')
        if not isinstance(self._periods(), Mapping):
            raise TypeError(
                f'periods must map names to lengths, such as {{"day": pd.Timedelta("1D")}}; got {self.periods!r}.'
            )
        taken = X.channels if self.add == "channels" else tuple(X.static.columns)
        repeated = [name for name in self._names() if name in taken]
        if repeated:
            raise ValueError(f"the panel has {repeated} already; give the periods other names.")
        self._lengths(X)

    def _lengths(self, X: IrregularPanel) -> list[float]:
        """Lengths of the periods in the time unit of the panel."""
        lengths = []
        for name, length in self._periods().items():
            if isinstance(length, pd.Timedelta):
                if X.time_unit not in NANOSECONDS:
                    raise ValueError(
                        f"the period {name!r} is a Timedelta, and the panel counts in {X.time_unit!r}; give a number."
                    )
                length = length.value / NANOSECONDS[X.time_unit]
            if not 0 < length < np.inf:
                raise ValueError(f"the period {name!r} must be positive and finite; got {length!r}.")
            lengths.append(float(length))
        return lengths

    def _waves(self, X: IrregularPanel, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sines and cosines at times, shape (n_times, 2 * n_periods)."""
        clock = _wall_clock(X, time)
        angles = [2 * np.pi * (clock / length) for length in self._lengths(X)]
        return np.stack([wave(angle) for angle in angles for wave in (np.sin, np.cos)], axis=1)

    def _transform(self, X: IrregularPanel, place: NDArray[np.int64]) -> IrregularPanel:
        if self.add == "static":
            first = np.full((len(X), len(self._names())), np.nan)
            filled = X.counts > 0
            first[filled] = self._waves(X, X.first_time[filled])
            waves = pd.DataFrame(first, index=X.records, columns=self._names())
            return X.with_static(pd.concat([X.static, waves], axis=1))
        return self._with_channels(X)

    def _with_channels(self, X: IrregularPanel) -> IrregularPanel:
        is_new = np.ones(X.n_events, dtype=bool)
        is_new[1:] = (np.diff(X.record) != 0) | (np.diff(X.time) != 0)
        visit_record, visit_time = X.record[is_new], X.time[is_new]
        names = self._names()
        record = np.concatenate([X.record, np.repeat(visit_record, len(names))])
        time = np.concatenate([X.time, np.repeat(visit_time, len(names))])
        channel = np.concatenate([X.channel, np.tile(len(X.channels) + np.arange(len(names)), len(visit_time))])
        value = np.concatenate([X.value, self._waves(X, visit_time).ravel()])
        order = np.lexsort((time, record))  # stable: what was first at a time stays first
        return IrregularPanel._trusted(
            X,
            channels=(*X.channels, *names),
            offsets=offsets_from_lengths(np.bincount(record, minlength=len(X))),
            time=time[order],
            channel=channel[order].astype(np.int32),
            value=value[order].astype(np.float32),
        )


def _wall_clock(X: IrregularPanel, time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Time since a Monday's midnight by the clock on the wall, in the panel's unit; since time 0 without a calendar."""
    if not isinstance(X.origin, pd.Timestamp):
        return time
    stamps = pd.DatetimeIndex(write_times(time, X.time_unit, X.origin)).tz_localize(None)
    return ((stamps - _MONDAY) / pd.Timedelta(NANOSECONDS[X.time_unit], "ns")).to_numpy()
