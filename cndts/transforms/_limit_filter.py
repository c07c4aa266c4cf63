"""Values that cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from cndts.panel import IrregularPanel
from cndts.transforms._base import PanelTransformer
from cndts.transforms._clip_report import beyond_limits
from cndts.transforms._fitted_channels import check_names, check_panel, positions
from cndts.transforms._value_clipper import explicit_limits

Limits = Mapping[str, tuple[float | None, float | None]]
# Bounds that hold whatever is measured. Base excess has a negative mmol/L, central venous pressure a negative mmHg: such units have none.
PHYSICAL_LIMITS: Limits = {
    "%": (0.0, 100.0),
    "fraction": (0.0, 1.0),
    "0/1": (0.0, 1.0),
    "pH": (0.0, 14.0),
    "°C": (-273.15, None),
    "°F": (-459.67, None),
    "K": (0.0, None),
    "1/min": (0.0, None),
    "kg": (0.0, None),
    "mm": (0.0, None),
    "mL": (0.0, None),
    "°": (0.0, 360.0),
}


class LimitFilter(PanelTransformer):
    """Leave out, or bring back, values beyond what a channel or its unit allows.

    Limits are knowledge, not statistics: nothing is learned from the records. Only what a model sees is filtered; targets stay as
    they were measured.

    Parameters
    ----------
    limits : mapping from channel to (lower, upper), optional
        Limits in the unit of the channel; None is no limit on that side.
    by_unit : mapping from unit to (lower, upper), or "physical", optional
        Limits of all channels with a unit, such as ``{"%": (0, 100)}``; ``limits`` go before them. ``"physical"`` takes those that units
        have by nature: %, fraction, 0/1, pH (0 to 14), °C, °F and K (absolute zero), 1/min, kg, mm and mL (0), ° (0 to 360). They find
        impossible values; what is implausible for a channel takes ``limits``.
    action : {"drop", "clip"}, default="drop"
        What becomes of a value beyond its limits.

    Attributes
    ----------
    lower_, upper_ : ndarray of shape (n_channels,)
        Limits; infinite where there is none.
    report_ : DataFrame
        `report` of the training records.

    Examples
    --------
    >>> from cndts import IrregularPanel
    >>> panel = IrregularPanel([0, 3], range(3), [0, 0, 1], [97.0, 970.0, 36.6], channels=["SpO2", "Temp"], units={"SpO2": "%"})
    >>> clean = LimitFilter({"Temp": (25, 45)}, by_unit={"%": (0, 100)}).fit(panel)
    >>> clean.transform(panel).value, int(clean.report_["n_above"].sum())
    (array([97. , 36.6], dtype=float32), 1)
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        by_unit: Limits | Literal["physical"] | None = None,
        action: Literal["drop", "clip"] = "drop",
    ) -> None:
        self.limits = limits
        self.by_unit = by_unit
        self.action = action

    def _fit(self, X: IrregularPanel) -> None:
        if self.action not in ("drop", "clip"):
            raise ValueError(f'action must be "drop" or "clip"; got {self.action!r}.')
        if not self.limits and not self.by_unit:
            raise ValueError(
                'there are no limits; give limits={"Temp": (25, 45)}, by_unit={"%": (0, 100)} or by_unit="physical".'
            )
        check_names(list(self.limits or {}), X.channels, "limits")
        by_unit = self._by_unit(X)
        found = {name: by_unit[unit] for name, unit in X.units.items() if unit in by_unit}
        nothing = np.full(len(X.channels), np.inf)
        self.lower_, self.upper_ = explicit_limits(X, found | dict(self.limits or {}), -nothing, nothing)
        self.report_ = self.report(X)

    def _by_unit(self, X: IrregularPanel) -> Limits:
        if isinstance(self.by_unit, str):
            if self.by_unit != "physical":
                raise ValueError(f'by_unit must be a mapping or "physical"; got {self.by_unit!r}.')
            return PHYSICAL_LIMITS
        unused = [unit for unit in self.by_unit or {} if unit not in X.units.values()]
        if unused:
            raise ValueError(f"no channel has the units {unused} of by_unit; the panel has {X.units}.")
        return self.by_unit or {}

    def _transform(self, X: IrregularPanel, place: NDArray[np.int64]) -> IrregularPanel:
        lower, upper = self.lower_[place], self.upper_[place]
        if self.action == "clip":
            value = np.clip(X.value, lower[X.channel], upper[X.channel])
            return IrregularPanel._trusted(X, value=value.astype(np.float32))
        below, above, _ = beyond_limits(X, lower, upper)
        return X.where(~(below | above))

    def report(self, X: IrregularPanel) -> pd.DataFrame:
        """How many events of each channel lie beyond the limits.

        Parameters
        ----------
        X : IrregularPanel
            Records.

        Returns
        -------
        DataFrame
            Indexed by channel: ``lower``, ``upper``, ``n_events``, ``n_below``, ``n_above`` and their ``share``.
        """
        check_is_fitted(self, "lower_")
        place = positions(check_panel(X).channels, self.channels_in_)
        return beyond_limits(X, self.lower_[place], self.upper_[place])[2]
