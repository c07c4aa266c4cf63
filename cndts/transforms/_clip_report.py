"""How many values of each channel lie beyond limits."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.panel import IrregularPanel


def beyond_limits(
    X: IrregularPanel, lower: NDArray[np.float64], upper: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], pd.DataFrame]:
    """Which events lie below and above the limits of their channel, and the counts by channel.

    Parameters
    ----------
    X : IrregularPanel
        Events.
    lower, upper : ndarray of shape (n_channels,)
        Limits of the channels of ``X``; infinite where there is none.

    Returns
    -------
    below, above : ndarray of bool, shape (n_events,)
    report : DataFrame
        Indexed by channel: ``lower``, ``upper``, ``n_events``, ``n_below``, ``n_above`` and their ``share``.
    """
    below, above = X.value < lower[X.channel], X.value > upper[X.channel]
    counts = {
        name: np.bincount(X.channel[chosen], minlength=len(X.channels))
        for name, chosen in (("n_events", slice(None)), ("n_below", below), ("n_above", above))
    }
    report = pd.DataFrame({"lower": lower, "upper": upper, **counts}, index=pd.Index(X.channels, name="channel"))
    share = (report["n_below"] + report["n_above"]) / report["n_events"].where(report["n_events"] > 0)
    return below, above, report.assign(share=share)
