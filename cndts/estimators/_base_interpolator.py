"""What interpolators share: they read both sides of a query, and pass through what was observed."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags

from cndts._panel_neighbours import ChannelNeighbours
from cndts._panel_queries import check_asks
from cndts._ragged import offsets_from_lengths
from cndts.estimators._alignment import check_aligned, check_panel
from cndts.estimators._base import BaseForecaster
from cndts.estimators._imputation import Imputation, hide_events
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.targets import Targets


class BaseInterpolator(Imputation, BaseForecaster):
    """Answers the queries of a panel from the events on both sides of them.

    The interface is that of :class:`BaseForecaster`, with four differences.

    - A query may be answered from every event of its record, later ones included. An answer inside the span therefore
      changes when later events arrive; for anything that must be known in time, take a forecaster.
    - A query at which the record holds a value of the channel is answered with that value (the mean of several), and
      so are its quantiles. Such targets teach nothing: ``fit`` and ``score`` leave them out.
    - Default intervals go by the distance to the nearest observation of the channel, not by the horizon.
    - It is a transformer too: :meth:`transform` fills the queries of a panel, or the NaN of a plain array. To scikit-learn it
      is no regressor, and :meth:`fit` works without targets.

    A subclass implements ``_fit`` and ``_predict``, as for a forecaster; neither meets a query with an observed value.
    The contract for ``_predict`` is that each query is answered from the events alone: not from the other queries, whose
    times and channels would tell what was measured.

    Attributes
    ----------
    reads_later_events : bool
        True.
    """

    reads_later_events: ClassVar[bool] = True

    def fit(self, X: Any, y: Targets | None = None, *, X_val: Any = None, y_val: Any = None) -> Self:
        """Fit to the targets of a panel's queries, or to events that are hidden for the purpose.

        Parameters
        ----------
        X : IrregularPanel of n_records or array-like of shape (n_records, n_steps)
            Context events on both sides of the queries that ``y`` answers. A plain array is one channel with a column a
            step; its NaN are what is to be filled.
        y : Targets of n_records, optional
            Values at ``X.queries``; NaN targets are left out, and so are those that ``X`` holds already. Without them, half
            of the events of ``X`` are hidden at random and asked for, and the queries of ``X`` are ignored. Beside an array
            ``y`` is ignored always, as by the imputers of scikit-learn.
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
        if not isinstance(X, IrregularPanel) and not isinstance(y, Targets):
            return self._fit_plain(X, y, X_val, y_val)
        if y is None:
            X, y = self._lesson(check_panel(X))
        y = _hidden_targets(X, y, "X", "y")
        if X_val is not None and y_val is not None:
            y_val = _hidden_targets(X_val, y_val, "X_val", "y_val")
        return super().fit(X, y, X_val=X_val, y_val=y_val)

    def predict(self, X: Any, times: Any = None) -> Targets | IrregularPanel:
        """Answer the queries of a panel, or every channel at given times; of an array, fill the NaN as ``transform``.

        Parameters
        ----------
        X : IrregularPanel of n_records or array-like of shape (n_records, n_steps)
            Events. Channels are matched by name; missing ones are fine, unknown ones an error.
        times : number, datetime, sequence, mapping or DataFrame, optional
            As for :meth:`BaseForecaster.predict`.

        Returns
        -------
        Targets, IrregularPanel or ndarray of shape (n_records, n_steps)
            Without ``times``: Targets aligned with ``X.queries``; of an array, the array without NaN. With ``times``: a panel
            of the answers.
        """
        return super().predict(X, times)

    def score(self, X: Any, y: Any = None) -> float:
        r"""Mean skill over channels against the training mean; 1 is perfect, 0 no better than the mean.

        Parameters
        ----------
        X : IrregularPanel of n_records or array-like of shape (n_records, n_steps)
            Context events with queries.
        y : Targets of n_records, optional
            Values at ``X.queries``; NaN targets are left out, and so are those that ``X`` holds already. Without them, and
            beside an array, half of the events of ``X`` are hidden at random (the same ones at every call) and asked for.

        Returns
        -------
        float
            As for :meth:`BaseForecaster.score`; NaN if no target is left.
        """
        if self._reads_plain(X):
            X, y = self._plain_pair(X, y)
        elif y is None:
            X, y = hide_events(check_panel(X), 0)
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

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.estimator_type, tags.regressor_tags = None, None
        tags.target_tags.required = False
        return tags


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
