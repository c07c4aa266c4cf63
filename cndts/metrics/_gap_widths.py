"""How wide the gap around each query is."""

import numpy as np
from numpy.typing import NDArray

from cndts._panel_neighbours import ChannelNeighbours
from cndts.panel import IrregularPanel


def gap_widths(X: IrregularPanel) -> NDArray[np.float64]:
    """Width of the gap around each query: from the observation of its channel before it to the one after it.

    What :func:`by_distance` needs for errors by the width of the gap.

    Parameters
    ----------
    X : IrregularPanel
        Context with queries.

    Returns
    -------
    ndarray of shape (n_queries,)
        In the panel's time unit, in the order of ``X.queries``; 0 where the channel was observed at the time of the query, infinite where
        it was not observed on one of the two sides.

    Raises
    ------
    ValueError
        If the panel has no queries.

    Examples
    --------
    >>> from cndts import IrregularPanel, Queries
    >>> queries = Queries([0, 3], [1.0, 2.0, 9.0], [0, 0, 0])
    >>> gap_widths(IrregularPanel([0, 2], [0.0, 4.0], [0, 0], [5.0, 7.0], queries=queries))
    array([ 4.,  4., inf])
    """
    neighbours = ChannelNeighbours.of(X)
    width = np.nan_to_num(neighbours.age + neighbours.wait, nan=np.inf)
    return np.where(np.isnan(neighbours.observed), width, 0.0)
