"""Several values of one channel at one time."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.panel import IrregularPanel
from cndts.transforms._base import PanelTransformer
from cndts.transforms._fitted_channels import check_panel

POLICIES = ("mean", "first", "last", "keep", "error")


class DuplicateMerger(PanelTransformer):
    """Settle repeated observations of one channel of one record at one time: `IrregularPanel.deduplicate` as a step.

    Parameters
    ----------
    policy : {"mean", "first", "last", "keep", "error"}, default="mean"
        What becomes of them.

    Attributes
    ----------
    report_ : Series
        `report` of the training records.

    Examples
    --------
    >>> from cndts import IrregularPanel
    >>> panel = IrregularPanel([0, 3], [1.0, 1.0, 2.0], [0, 0, 0], [80, 90, 70], channels=["HR"])
    >>> merger = DuplicateMerger().fit(panel)
    >>> merger.transform(panel).value, merger.report_.to_dict()
    (array([85., 70.], dtype=float32), {'HR': 1})
    """

    def __init__(self, policy: Literal["mean", "first", "last", "keep", "error"] = "mean") -> None:
        self.policy = policy

    def _fit(self, X: IrregularPanel) -> None:
        if self.policy not in POLICIES:
            raise ValueError(f"policy must be one of {', '.join(map(repr, POLICIES))}; got {self.policy!r}.")
        self.report_ = self.report(X)

    def _transform(self, X: IrregularPanel, place: NDArray[np.int64]) -> IrregularPanel:
        return X.deduplicate(self.policy)

    def report(self, X: IrregularPanel) -> pd.Series:
        """How many events of each channel repeat an earlier one of the same record and time.

        Parameters
        ----------
        X : IrregularPanel
            Records.

        Returns
        -------
        Series
            Counts, indexed by channel.
        """
        X = check_panel(X)
        order = np.lexsort((X.time, X.channel, X.record))
        record, channel, time = X.record[order], X.channel[order], X.time[order]
        repeats = (np.diff(record) == 0) & (np.diff(channel) == 0) & (np.diff(time) == 0)
        count = np.bincount(channel[1:][repeats], minlength=len(X.channels))
        return pd.Series(count, index=pd.Index(X.channels, name="channel"), name="n_repeated")
