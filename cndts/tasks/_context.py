"""Splitting the events of a panel into context and targets."""

import numpy as np
from numpy.typing import NDArray

from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.targets import Targets


def context_and_targets(
    panel: IrregularPanel, is_context: NDArray[np.bool_], is_target: NDArray[np.bool_]
) -> tuple[IrregularPanel, Targets]:
    """The context events with queries at the target events, and the values of the latter."""
    asked = panel.where(is_target)
    queries = Queries(asked.offsets, asked.time, asked.channel)
    return panel.where(is_context).with_queries(queries=queries), Targets(
        queries, asked.value, panel.records, panel.channels
    )
