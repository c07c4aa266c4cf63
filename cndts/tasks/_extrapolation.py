"""Forecasting: the beginning of every record is context, what follows is the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._panel_required import check_is_panel
from cndts.panel import IrregularPanel
from cndts.targets import Targets
from cndts.tasks._channels import as_names, events_in
from cndts.tasks._context import context_and_targets
from cndts.tasks._duration import in_time_unit


@dataclass(frozen=True)
class Extrapolation:
    """Cut every record at one time: what lies before is context, what follows is asked for.

    With the cut at ``start + observe``, events before the cut are context and events from the cut to
    ``cut + horizon`` (both ends included) are targets. Later events are left out. Every record stays, also one
    that has no context or no target.

    Parameters
    ----------
    observe : float or pandas.Timedelta, default=24
        Length of the context, in the panel's time unit.
    horizon : float or pandas.Timedelta, default=24
        Length of the forecast, in the panel's time unit; ``inf`` for everything up to the record's end.
    since : {"zero", "first"}, default="zero"
        Where a record starts: at time 0 of the panel, or at the record's first event.
    channels : sequence of str, optional
        Channels that are asked for; all by default. The others are context alone.
    hidden : sequence of str, default=()
        Channels that are never context, such as labels that would tell the answer.

    Examples
    --------
    >>> panel = IrregularPanel([0, 4], [0.0, 10.0, 24.0, 48.0], [0, 0, 0, 0], [1.0, 2.0, 3.0, 4.0])
    >>> X, y = Extrapolation(observe=24, horizon=12).split(panel)
    >>> X.time, y.time, np.asarray(y)
    (array([ 0., 10.]), array([24.]), array([3.], dtype=float32))

    The risk of sepsis at the hours to come, from measurements alone:

    >>> hourly = Extrapolation(observe=24, horizon=12, channels=["SepsisLabel"], hidden=["SepsisLabel"])
    """

    observe: float | pd.Timedelta = 24
    horizon: float | pd.Timedelta = 24
    since: Literal["zero", "first"] = "zero"
    channels: Sequence[str] | None = None
    hidden: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.since not in ("zero", "first"):
            raise ValueError(f'since must be "zero" or "first"; got {self.since!r}.')
        if self.hidden is None:
            raise TypeError("hidden must be a list of channel names; got None. Write () to hide none.")
        object.__setattr__(self, "channels", as_names(self.channels, "channels"))
        object.__setattr__(self, "hidden", as_names(self.hidden, "hidden"))

    def split(self, panel: IrregularPanel) -> tuple[IrregularPanel, Targets]:
        """Context with queries, and the values at these queries.

        Parameters
        ----------
        panel : IrregularPanel
            Records with their whole course. Queries it may carry are replaced.

        Returns
        -------
        X : IrregularPanel
            The context; ``X.queries`` are the times and channels of the targets.
        y : Targets
            The values there, in the order of ``X.queries``.

        Raises
        ------
        TypeError
            If ``panel`` is something else, or a Timedelta is given and the panel's time unit is not a unit of time.
        ValueError
            If ``observe`` or ``horizon`` is negative or NaN, or a channel is named that the panel does not have.
        """
        check_is_panel(panel)
        observe = in_time_unit(self.observe, panel.time_unit, "observe")
        horizon = in_time_unit(self.horizon, panel.time_unit, "horizon")
        elapsed = panel.time - self._start(panel)
        seen = (elapsed < observe) & ~events_in(panel, tuple(self.hidden), "hidden")
        asked = (elapsed >= observe) & (elapsed <= observe + horizon)
        if self.channels is not None:
            asked &= events_in(panel, tuple(self.channels), "channels")
        return context_and_targets(panel, seen, asked)

    def _start(self, panel: IrregularPanel) -> float | NDArray[np.float64]:
        if self.since == "zero":
            return 0.0
        filled = np.diff(panel.offsets) > 0
        return np.repeat(panel.time[panel.offsets[:-1][filled]], np.diff(panel.offsets)[filled])
