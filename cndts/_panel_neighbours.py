"""The observations of a query's channel on both sides of it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cndts._panel_histories import ChannelHistories, Index, events_until
from cndts._panel_queries import check_asks
from cndts.panel import IrregularPanel


@dataclass(frozen=True)
class ChannelNeighbours:
    """For each query, the last row of its channel at or before it, and the first one after it.

    Attributes
    ----------
    histories : ChannelHistories
        Events by record, channel and time.
    before, after : ndarray of shape (n_queries,)
        Rows of ``histories``; -1 where there is none.
    time : ndarray of shape (n_queries,)
        Times of the queries.

    Examples
    --------
    >>> from cndts.queries import Queries
    >>> queries = Queries([0, 3], [1.0, 2.0, 9.0], [0, 0, 0])
    >>> X = IrregularPanel([0, 2], [0.0, 2.0], [0, 0], [5.0, 7.0], queries=queries)
    >>> neighbours = ChannelNeighbours.of(X)
    >>> neighbours.observed
    array([nan,  7., nan])
    >>> neighbours.distance
    array([1., 0., 7.])
    """

    histories: ChannelHistories
    before: Index
    after: Index
    time: NDArray[np.float64]

    @classmethod
    def of(cls, X: IrregularPanel) -> Self:
        """Look the neighbours of all queries up."""
        queries, histories, until = check_asks(X), ChannelHistories.of(X), events_until(X)
        before = histories.last(queries.record, queries.channel, until)
        return cls(histories, before, histories.next(queries.record, queries.channel, until), queries.time)

    @property
    def observed(self) -> NDArray[np.float64]:
        """Value at the query itself, shape (n_queries,); NaN where the channel was not observed at that time."""
        at_query = self.histories.time_of(self.before) == self.time
        return np.where(at_query, self.histories.value_of(self.before), np.nan)

    @property
    def age(self) -> NDArray[np.float64]:
        """Time since the observation before, shape (n_queries,); NaN where there is none."""
        return self.time - self.histories.time_of(self.before)

    @property
    def wait(self) -> NDArray[np.float64]:
        """Time until the observation after, shape (n_queries,); NaN where there is none."""
        return self.histories.time_of(self.after) - self.time

    @property
    def distance(self) -> NDArray[np.float64]:
        """Time to the nearer observation, shape (n_queries,); NaN where the record has none of the channel."""
        return np.fmin(self.age, self.wait)

    @property
    def line(self) -> NDArray[np.float64]:
        """Straight line between the two, the value of the one where there is one; NaN where there is none."""
        left, right = self.histories.value_of(self.before), self.histories.value_of(self.after)
        between = left + (right - left) * self.age / (self.age + self.wait)
        return np.where(self.after < 0, left, np.where(self.before < 0, right, between))
