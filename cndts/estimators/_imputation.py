"""Interpolators as transformers: what a panel or an array leaves open is filled in."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from cndts._panel_neighbours import ChannelNeighbours
from cndts._panel_queries import check_asks
from cndts._ragged import offsets_from_lengths
from cndts.estimators._alignment import ask_everywhere, check_panel
from cndts.estimators._plain_arrays import Pair, PlainArrays, refuse_tables
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.targets import Targets
from cndts.tasks import Interpolation


def _fills_arrays(estimator: Any) -> bool:
    return not hasattr(estimator, "channels_in_") or hasattr(estimator, "n_steps_in_")


class Imputation(PlainArrays, TransformerMixin):
    """What `BaseInterpolator` adds for pipelines: ``transform`` fills the queries of a panel, or the NaN of an array."""

    # ---- fit -----------------------------------------------------------------------------------

    def fit_transform(self, X: Any, y: Any = None, *, times: Any = None, **fit_params: Any) -> Any:
        """Fit, then fill what ``X`` leaves open.

        Parameters
        ----------
        X : IrregularPanel of n_records or array-like of shape (n_records, n_steps)
            As for :meth:`transform`.
        y : Targets of n_records, optional
            Values at ``X.queries``. Anything else, such as the labels that a pipeline hands to all its steps, is ignored:
            then some of the events are hidden, and their values are the lesson.
        times : number, datetime, sequence, mapping or DataFrame, optional
            As for :meth:`transform`.
        **fit_params
            Passed to ``fit``.

        Returns
        -------
        IrregularPanel or ndarray of shape (n_records, n_steps)
            As for :meth:`transform`.
        """
        lesson = y if isinstance(y, Targets) else None
        return self.fit(X, lesson, **fit_params).transform(X, times)

    def _fit_plain(self, X: Any, y: Any, X_val: Any, y_val: Any) -> Self:
        refuse_tables(X)
        for name, given in (("X_val", X_val), ("y_val", y_val)):
            if given is not None:
                raise ValueError(f"{name} goes with panels; got it beside a plain array. Build both with from_array.")
        X = validate_data(self, X, ensure_all_finite="allow-nan")
        self._fit_panel(X, *self._lesson(IrregularPanel.from_array(X)))
        return self

    def _lesson(self, panel: IrregularPanel) -> Pair:
        """What is learned without targets."""
        random = check_random_state(getattr(self, "random_state", 0))
        return hide_events(panel, int(random.randint(2**31 - 1)))

    # ---- transform -----------------------------------------------------------------------------

    def transform(self, X: Any, times: Any = None) -> Any:
        """Fill what ``X`` leaves open; what was observed stays as it is.

        Parameters
        ----------
        X : IrregularPanel of n_records or array-like of shape (n_records, n_steps)
            Events, with queries where values are wanted; an array has NaN there.
        times : number, datetime, sequence, mapping or DataFrame, optional
            Fill every fitted channel at these times instead of the queries of ``X``; a panel comes out, of an array too.

        Returns
        -------
        IrregularPanel or ndarray of shape (n_records, n_steps)
            The panel with a value at each of its queries that was not observed, and without queries; it has a value at
            every time and channel asked for, so ``to_wide`` or ``to_array`` make a regular table of it. For an array, the
            array without NaN.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        ValueError
            If a panel has channels that were not fitted, another time unit, or neither queries nor ``times``.
        """
        check_is_fitted(self, "channels_in_")
        if self._reads_plain(X):
            if times is None:
                return self._plain_answer(X)
            X = self._plain_panel(X)
        if times is None:
            check_asks(check_panel(X))
        else:
            X = ask_everywhere(self._align(check_panel(X)), times)
        answers = self._check_predict(X)
        return _filled(X, np.isnan(ChannelNeighbours.of(answers).observed), self._answer_queries(answers))

    def _plain_panel(self, X: Any) -> IrregularPanel:
        X = validate_data(self, X, reset=False, ensure_all_finite="allow-nan")
        return _asking_where_nan(X)

    def _plain_pair(self, X: Any, y: Any) -> Pair:
        X = validate_data(self, X, reset=False, ensure_all_finite="allow-nan")
        return hide_events(IrregularPanel.from_array(X), 0)

    def _plain_answer(self, X: Any) -> NDArray[np.floating]:
        X = validate_data(
            self, X, reset=False, ensure_all_finite="allow-nan", dtype=(np.float64, np.float32), copy=True
        )
        open_ = np.isnan(X)
        if open_.any():
            X[open_] = self._answer_queries(self._check_predict(_asking_where_nan(X)))
        return X

    # ---- what pipelines ask for ----------------------------------------------------------------

    @available_if(_fills_arrays)
    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the columns of a filled array: those of the array it was fitted on.

        Parameters
        ----------
        input_features : array-like of str, optional
            Must agree with ``feature_names_in_`` where that is known; ``x0``, ``x1``, ... by default otherwise.

        Returns
        -------
        ndarray of str, shape (n_steps,)
        """
        return OneToOneFeatureMixin.get_feature_names_out(self, input_features)

    def set_output(self, *, transform: str | None = None) -> Self:
        """Set the form in which filled arrays come back; a panel stays a panel.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, optional
            None leaves it as it is.

        Returns
        -------
        self
        """
        return super().set_output(transform=transform) if _fills_arrays(self) else self


def hide_events(panel: IrregularPanel, seed: int) -> Pair:
    """Half of the events, hidden at random and asked for; all of them where that hides none.

    Parameters
    ----------
    panel : IrregularPanel
        Its own queries are ignored.
    seed : int
        Seed of what is hidden.

    Returns
    -------
    X : IrregularPanel
        The other events, with queries.
    y : Targets
        The hidden values.

    Raises
    ------
    ValueError
        If there is no event to hide.

    Examples
    --------
    >>> X, y = hide_events(IrregularPanel([0, 4], [0.0, 1.0, 2.0, 3.0], [0, 0, 0, 0], [5.0, 6.0, 7.0, 8.0]), seed=0)
    >>> X.n_events, len(y.value)
    (2, 2)
    """
    if panel.n_events == 0:
        raise ValueError(f"X holds no value in its {len(panel)} records. Interpolators learn from observed values.")
    X, y = Interpolation(random_state=seed).split(panel)
    if len(y.value):
        return X, y
    queries = Queries(panel.offsets, panel.time, panel.channel)
    hidden = panel.where(np.zeros(panel.n_events, dtype=bool)).with_queries(queries=queries)
    return hidden, Targets(queries, panel.value, panel.records, panel.channels)


def _asking_where_nan(X: NDArray) -> IrregularPanel:
    """A panel of one channel on the grid 0, 1, ..., that asks for what is NaN, row by row."""
    record, step = np.nonzero(np.isnan(X))
    offsets = offsets_from_lengths(np.bincount(record, minlength=len(X)))
    queries = Queries(offsets, step.astype(np.float64), np.zeros(len(step), dtype=np.int32))
    return IrregularPanel.from_array(X).with_queries(queries=queries)


def _filled(X: IrregularPanel, open_: NDArray[np.bool_], answer: NDArray[np.floating]) -> IrregularPanel:
    """The panel with the answers to its open queries as events, each once, and without queries."""
    queries = check_asks(X)
    rows = np.flatnonzero(open_)
    rows = rows[np.lexsort((queries.channel[rows], queries.time[rows], queries.record[rows]))]
    key = np.column_stack([queries.record[rows], queries.time[rows], queries.channel[rows]])
    rows = rows[np.r_[True, (np.diff(key, axis=0) != 0).any(axis=1)]] if len(rows) else rows
    record = np.concatenate([X.record, queries.record[rows]])
    time = np.concatenate([X.time, queries.time[rows]])
    order = np.lexsort((time, record))
    return IrregularPanel._trusted(
        X,
        offsets=offsets_from_lengths(np.bincount(record, minlength=len(X))),
        time=time[order],
        channel=np.concatenate([X.channel, queries.channel[rows]])[order],
        value=np.concatenate([X.value, np.asarray(answer[rows], dtype=np.float32)])[order],
        queries=None,
    )
