"""What interpolators share: they read both sides of a query, and pass through what was observed."""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cndts._ragged import offsets_from_lengths
from cndts.estimators._alignment import check_aligned, check_asks, check_panel
from cndts.estimators._base import BaseForecaster
from cndts.estimators._channel_neighbours import ChannelNeighbours
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.targets import Targets


class BaseInterpolator(BaseForecaster):
    """Answers the queries of a panel from the events on both sides of them.

    The interface is that of :class:`BaseForecaster`, with three differences.

    - A query may be answered from every event of its record, later ones included. An answer inside the span therefore
      changes when later events arrive; for anything that must be known in time, take a forecaster.
    - A query at which the record holds a value of the channel is answered with that value (the mean of several), and
      so are its quantiles. Such targets teach nothing: ``fit`` and ``score`` leave them out.
    - Default intervals go by the distance to the nearest observation of the channel, not by the horizon.

    A subclass implements ``_fit`` and ``_predict``, as for a forecaster; neither meets a query with an observed value.
    The contract for ``_predict`` is that each query is answered from the events alone: not from the other queries, whose
    times and channels would tell what was measured.

    Attributes
    ----------
    reads_later_events : bool
        True.
    """

    reads_later_events: ClassVar[bool] = True

    def fit(
        self, X: IrregularPanel, y: Targets, *, X_val: IrregularPanel | None = None, y_val: Targets | None = None
    ) -> Self:
        """Fit to the targets of a panel's queries.

        Parameters
        ----------
        X : IrregularPanel of n_records
            Context events on both sides of the queries that ``y`` answers.
        y : Targets of n_records
            Values at ``X.queries``; NaN targets are left out, and so are those that ``X`` holds already.
        X_val, y_val : IrregularPanel and Targets, optional
            Other records, for what training records cannot tell: when to stop, how wide intervals are.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If ``X`` is not an IrregularPanel or ``y`` not Targets.
        ValueError
            If there is nothing to learn from: no record, no query, no known value, or none that ``X`` does not hold.
        """
        y = _hidden_targets(X, y, "X", "y")
        if X_val is not None and y_val is not None:
            y_val = _hidden_targets(X_val, y_val, "X_val", "y_val")
        return super().fit(X, y, X_val=X_val, y_val=y_val)

    def score(self, X: IrregularPanel, y: Targets) -> float:
        r"""Mean skill over channels against the training mean; 1 is perfect, 0 no better than the mean.

        Parameters
        ----------
        X : IrregularPanel of n_records
            Context events with queries.
        y : Targets of n_records
            Values at ``X.queries``; NaN targets are left out, and so are those that ``X`` holds already.

        Returns
        -------
        float
            As for :meth:`BaseForecaster.score`; NaN if no target is left.
        """
        return super().score(X, _hidden(check_panel(X), check_aligned(X, y)))

    def _reach(self, X: IrregularPanel) -> NDArray[np.float64]:
        return ChannelNeighbours.of(X).distance

    def _answer_queries(self, X: IrregularPanel) -> NDArray[np.floating]:
        observed = ChannelNeighbours.of(X).observed
        answer, open_ = observed.copy(), np.isnan(observed)
        if open_.any():
            answer[open_] = self._predict(_asking(X, open_))
        return answer

    def _answer_quantiles(self, X: IrregularPanel, quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
        observed = ChannelNeighbours.of(X).observed
        answer, open_ = np.repeat(observed[:, None], len(quantiles), axis=1), np.isnan(observed)
        if open_.any():
            answer[open_] = self._predict_quantiles(_asking(X, open_), quantiles)
        return answer


def _hidden_targets(X: IrregularPanel, y: Targets, what: str, what_y: str) -> Targets:
    """Targets with NaN where the context holds their value; refuse targets of which none is left."""
    check_asks(check_panel(X, what), what)
    y = check_aligned(X, y, what, what_y)
    hidden = _hidden(X, y)
    if np.isnan(hidden.value).all() and not np.isnan(y.value).all():
        raise ValueError(
            f"all {len(y.value)} targets of {what_y} are events of {what}, so there is nothing to interpolate. "
            "Hide some events: Interpolation(observed=0.5).split(panel)."
        )
    return hidden


def _hidden(X: IrregularPanel, y: Targets) -> Targets:
    observed = ChannelNeighbours.of(X).observed
    return y.with_values(np.where(np.isnan(observed), y.value, np.nan))


def _asking(X: IrregularPanel, kept: NDArray[np.bool_]) -> IrregularPanel:
    """The panel with some of its queries."""
    queries = check_asks(X)
    if kept.all():
        return X
    lengths = np.bincount(queries.record[kept], minlength=len(X))
    return X.with_queries(queries=Queries(offsets_from_lengths(lengths), queries.time[kept], queries.channel[kept]))
