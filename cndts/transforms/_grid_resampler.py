"""Events on a regular grid, and what that loses."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._ragged import offsets_from_lengths
from cndts.panel import IrregularPanel
from cndts.transforms._base import PanelTransformer
from cndts.transforms._fitted_channels import check_panel

HOW = ("mean", "last", "first", "min", "max")
# A time this close to a grid time, in steps, counts as lying on it.
_ON_GRID = 1e-9


class GridResampler(PanelTransformer):
    r"""Move the events of each record onto a grid of times, one event per channel and cell, for models that need one.

    Nothing in this package needs a grid, and moving events there loses information: `loss` says how much. Cells without an event stay
    empty; `IrregularPanel.to_array` then gives an array with NaN. By default an event moves to the end of its cell, never back in time, so
    that a forecast made at a grid time knows nothing that happened later. Queries stay where they are.

    Parameters
    ----------
    step : float
        Length of a cell in the panel's time unit; the grid holds its multiples.
    how : {"mean", "last", "first", "min", "max"}, default="mean"
        What becomes of several values of a channel in one cell.
    label : {"end", "begin"}, default="end"
        The time that a cell stands for. ``"begin"`` moves events back in time: for tables that are read as a whole.

    Attributes
    ----------
    loss_ : DataFrame
        `loss` of the training records.

    Examples
    --------
    >>> from cndts import IrregularPanel
    >>> panel = IrregularPanel([0, 4], [0.2, 0.8, 1.0, 2.5], [0, 0, 0, 0], [1.0, 3.0, 5.0, 7.0], channels=["HR"])
    >>> grid = GridResampler(1.0).fit(panel)
    >>> grid.transform(panel).time, grid.transform(panel).value
    (array([1., 3.]), array([3., 7.], dtype=float32))
    >>> grid.loss_.loc["HR", ["n_events", "n_cells", "mean_shift"]].tolist()
    [4.0, 2.0, 0.375]
    """

    def __init__(
        self,
        step: float,
        *,
        how: Literal["mean", "last", "first", "min", "max"] = "mean",
        label: Literal["end", "begin"] = "end",
    ) -> None:
        self.step = step
        self.how = how
        self.label = label

    def _fit(self, X: IrregularPanel) -> None:
        if not isinstance(self.step, (int, float, np.integer, np.floating)) or not 0 < self.step < np.inf:
            raise ValueError(f"step must be a positive number of {X.time_unit!r}; got {self.step!r}.")
        if self.how not in HOW:
            raise ValueError(f"how must be one of {', '.join(map(repr, HOW))}; got {self.how!r}.")
        if self.label not in ("end", "begin"):
            raise ValueError(f'label must be "end" or "begin"; got {self.label!r}.')
        self.loss_ = self.loss(X)

    def _cells(self, X: IrregularPanel) -> NDArray[np.int64]:
        """Number of the grid time that each event moves to."""
        place = X.time / self.step
        nearest = np.rint(place)
        moved = np.ceil(place) if self.label == "end" else np.floor(place)
        return np.where(np.abs(place - nearest) < _ON_GRID * np.maximum(1, np.abs(place)), nearest, moved).astype(
            np.int64
        )

    def _grouped(self, X: IrregularPanel) -> pd.api.typing.DataFrameGroupBy:
        rows = pd.DataFrame(
            {"record": X.record, "cell": self._cells(X), "channel": X.channel, "value": X.value.astype(np.float64)}
        )
        return rows.groupby(["record", "cell", "channel"], sort=True)

    def _transform(self, X: IrregularPanel, place: NDArray[np.int64]) -> IrregularPanel:
        merged = self._grouped(X)["value"].agg(self.how)
        record, cell, channel = (merged.index.get_level_values(level).to_numpy() for level in range(3))
        return IrregularPanel._trusted(
            X,
            offsets=offsets_from_lengths(np.bincount(record.astype(np.int64), minlength=len(X))),
            time=cell * float(self.step),
            channel=channel.astype(np.int32),
            value=merged.to_numpy().astype(np.float32),
        )

    def loss(self, X: IrregularPanel) -> pd.DataFrame:
        """What the grid loses, by channel.

        Parameters
        ----------
        X : IrregularPanel
            Records.

        Returns
        -------
        DataFrame
            Indexed by channel: ``n_events``; ``n_cells``, the events that are left; ``merged``, the share of events that shared their cell
            with another one of their channel; ``lost_variance``, the share of the variance of the values that lies within cells and is gone;
            ``mean_shift``, by how much times change on average, in the panel's time unit; ``filled``, the share of the cells between the
            first and last event of a record that have a value. NaN where there are no events.
        """
        X = check_panel(X)
        grouped = self._grouped(X)
        size = grouped["value"].transform("size").to_numpy()
        inside = (X.value - grouped["value"].transform("mean").to_numpy()) ** 2
        shift = np.abs(self._cells(X) * self.step - X.time)
        rows = pd.DataFrame({"value": X.value.astype(np.float64), "merged": size > 1, "inside": inside, "shift": shift})
        by = rows.assign(cells=1 / size).groupby(X.channel)
        every = pd.RangeIndex(len(X.channels))
        count = by.size().reindex(every, fill_value=0)
        n_cells = by["cells"].sum().reindex(every, fill_value=0.0).round().astype(np.int64)
        variance = by["value"].var(ddof=0).reindex(every)
        report = pd.DataFrame(
            {
                "n_events": count,
                "n_cells": n_cells,
                "merged": by["merged"].mean().reindex(every),
                "lost_variance": by["inside"].mean().reindex(every) / variance.where(variance > 0),
                "mean_shift": by["shift"].mean().reindex(every),
                "filled": n_cells / max(self._n_cells(X), 1),
            }
        )
        return report.set_axis(pd.Index(X.channels, name="channel"), axis=0)

    def _n_cells(self, X: IrregularPanel) -> int:
        """Cells between the first and last event, over all records."""
        cells, filled = self._cells(X), X.counts > 0
        first, last = X.offsets[:-1][filled], X.offsets[1:][filled] - 1
        return int((cells[last] - cells[first] + 1).sum())
