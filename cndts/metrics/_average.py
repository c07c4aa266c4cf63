"""From one loss per target to one number, under a stated rule."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cndts.targets import Targets

Average = Literal["observation", "channel", "record"]


def average_loss(loss: NDArray[np.float64], y: Targets, average: str) -> float:
    """Average a loss of shape (n_targets,) over the known targets; NaN where there is none."""
    known = ~np.isnan(y.value)
    if average == "observation":
        group = np.zeros(len(y.value), dtype=np.int64)
    elif average == "channel":
        group = y.channel.astype(np.int64)
    elif average == "record":
        group = y.record
    else:
        raise ValueError(f'average must be "observation", "channel" or "record"; got {average!r}.')
    count = np.bincount(group[known])
    total = np.bincount(group[known], weights=loss[known])
    return float(np.mean(total[count > 0] / count[count > 0])) if known.any() else float("nan")
