"""What was done to the clocks of a panel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ClockError:
    """How the clocks of a panel went wrong.

    Parameters
    ----------
    offset : ndarray of shape (n_records, n_channels)
        What each clock showed too much at the first event of the record, in the panel's time unit.
    rate : ndarray of shape (n_records, n_channels)
        What it gained per unit of time.
    row : ndarray of int, shape (n_events,)
        For each event of the new panel its row in the old one; they differ where clocks of one record disagree.
    true_time : ndarray of shape (n_events,)
        When each event of the new panel really happened.
    """

    offset: NDArray[np.float64]
    rate: NDArray[np.float64]
    row: NDArray[np.int64]
    true_time: NDArray[np.float64]
