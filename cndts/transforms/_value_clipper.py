"""Extreme values, brought back to limits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from cndts.panel import IrregularPanel
from cndts.transforms._base import PanelTransformer
from cndts.transforms._clip_report import beyond_limits
from cndts.transforms._fitted_channels import check_names, check_panel, positions, segments


class ValueClipper(PanelTransformer):
    """Clip each channel to quantiles of its training values, and say how much was clipped.

    Only what a model sees is clipped; targets stay as they were measured.

    Parameters
    ----------
    quantiles : tuple of float, default=(0.001, 0.999)
        Quantiles of the training values of each channel that become its limits.
    margin : float, default=0.0
        By how many times their distance the limits lie further out.
    limits : mapping from channel to (lower, upper), optional
        Limits in the unit of the channel that take the place of the quantiles; None is no limit on that side.

    Attributes
    ----------
    lower_, upper_ : ndarray of shape (n_channels,)
        Limits; infinite for a channel without training values.
    report_ : DataFrame
        `report` of the training records.

    Examples
    --------
    >>> from cndts import IrregularPanel
    >>> panel = IrregularPanel([0, 5], range(5), [0] * 5, [7.2, 7.3, 7.4, 7.5, 735.0], channels=["pH"])
    >>> clipper = ValueClipper(limits={"pH": (6.5, 8.0)}).fit(panel)
    >>> clipper.transform(panel).value[-1], clipper.report_[["n_events", "n_above"]].loc["pH"].tolist()
    (np.float32(8.0), [5, 1])
    """

    def __init__(
        self,
        quantiles: tuple[float, float] = (0.001, 0.999),
        margin: float = 0.0,
        *,
        limits: Mapping[str, tuple[float | None, float | None]] | None = None,
    ) -> None:
        self.quantiles = quantiles
        self.margin = margin
        self.limits = limits

    def _fit(self, X: IrregularPanel) -> None:
        low, high = self.quantiles
        if not 0 <= low < high <= 1:
            raise ValueError(f"quantiles must be two rising shares; got {self.quantiles!r}. Try (0.001, 0.999).")
        if not self.margin >= 0:
            raise ValueError(f"margin must be 0 or more; got {self.margin!r}.")
        check_names(list(self.limits or {}), X.channels, "limits")
        found = [
            np.quantile(own, [low, high]) if len(own) else np.array([-np.inf, np.inf])
            for own in segments(X.channel, X.value, len(X.channels))
        ]
        lower, upper = np.reshape(found, (-1, 2)).T
        width = self.margin * np.where(np.isfinite(upper), upper, 0.0) - self.margin * np.where(
            np.isfinite(lower), lower, 0.0
        )
        self.lower_, self.upper_ = explicit_limits(X, self.limits or {}, lower - width, upper + width)
        self.report_ = self.report(X)

    def _transform(self, X: IrregularPanel, place: NDArray[np.int64]) -> IrregularPanel:
        at = place[X.channel]
        value = np.clip(X.value, self.lower_[at], self.upper_[at])
        return IrregularPanel._trusted(X, value=value.astype(np.float32))

    def report(self, X: IrregularPanel) -> pd.DataFrame:
        """How many events of each channel lie beyond the limits.

        Parameters
        ----------
        X : IrregularPanel
            Records.

        Returns
        -------
        DataFrame
            Indexed by channel: ``lower``, ``upper``, ``n_events``, ``n_below``, ``n_above`` and the ``share`` that is clipped.
        """
        check_is_fitted(self, "lower_")
        place = positions(check_panel(X).channels, self.channels_in_)
        return beyond_limits(X, self.lower_[place], self.upper_[place])[2]


def explicit_limits(
    X: IrregularPanel,
    limits: Mapping[str, tuple[float | None, float | None]],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Put the limits given for channels in place of the others; an error where a lower one is not below its upper one."""
    lower, upper = lower.copy(), upper.copy()
    for name, (low, high) in limits.items():
        at = X.channels.index(name)
        lower[at], upper[at] = -np.inf if low is None else low, np.inf if high is None else high
        if not lower[at] < upper[at]:
            raise ValueError(f"the limits of {name!r} must rise; got {low!r} and {high!r}.")
    return lower, upper
