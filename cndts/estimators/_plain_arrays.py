"""Plain arrays in place of panels: a row is a record of one channel, a column a step of time."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame
from pandas.api.types import is_numeric_dtype
from sklearn.utils.validation import validate_data

from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.targets import Targets

Pair = tuple[IrregularPanel, Targets]


class PlainArrays:
    """What lets an estimator of panels take plain arrays, so that it can stand wherever scikit-learn has one.

    Column ``t`` of ``X`` is the value of the channel ``"x0"`` at time ``t`` (``time_unit="step"``), NaN where it was not
    observed. ``y`` of shape (n_records,) is the value at the step after the last column, ``y`` of shape
    (n_records, n_ahead) the values at the ``n_ahead`` steps after it; predictions have the shape of ``y``.

    Attributes
    ----------
    n_steps_in_ : int
        Columns of the ``X`` it was fitted on; only where that was a plain array.
    n_outputs_ : int
        Steps ahead that ``y`` held; likewise.
    """

    n_steps_in_: int
    n_outputs_: int
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    # ---- fit -----------------------------------------------------------------------------------

    def _fit_plain(self, X: Any, y: Any, X_val: Any, y_val: Any) -> Self:
        refuse_tables(X)
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True, **_NUMBERS)
        if (X_val is None) == (y_val is None) and X_val is not None:
            X_val, y_val = self._next_steps(X_val, y_val, n_outputs=np.size(y[0]))
        n_outputs = np.size(y[0])
        self._fit_panel(X, *next_steps(X, y), X_val, y_val)
        self.n_outputs_ = n_outputs
        return self

    def _fit_panel(self, X: NDArray, panel: IrregularPanel, y: Targets, X_val: Any = None, y_val: Any = None) -> None:
        """Fit to the panel, and keep what scikit-learn wants to know of the array it stands for."""
        names = getattr(self, "feature_names_in_", None)
        self.fit(panel, y, X_val=X_val, y_val=y_val)  # type: ignore[attr-defined]
        self.n_steps_in_ = self.n_features_in_ = X.shape[1]
        del self.feature_names_in_
        if names is not None:
            self.feature_names_in_ = names

    def _forget_plain(self) -> None:
        for name in ("n_steps_in_", "n_outputs_"):
            self.__dict__.pop(name, None)

    # ---- predict -------------------------------------------------------------------------------

    def _reads_plain(self, X: object) -> bool:
        """Whether ``X`` is to be read as a plain array: of a model that was fitted on one."""
        return hasattr(self, "n_steps_in_") and not isinstance(X, IrregularPanel)

    def _plain_panel(self, X: Any) -> IrregularPanel:
        """The panel that a plain array stands for, asking for what ``predict`` answers."""
        X = validate_data(self, X, reset=False, **_NUMBERS)
        return next_steps(X, np.zeros((len(X), self.n_outputs_)))[0]

    def _plain_pair(self, X: Any, y: Any) -> Pair:
        """The panel and targets that plain arrays stand for."""
        return self._next_steps(X, y, self.n_outputs_)

    def _plain_answer(self, X: Any) -> NDArray[Any]:
        panel = self._plain_panel(X)
        answer = self._answer_queries(self._check_predict(panel))  # type: ignore[attr-defined]
        answer = np.asarray(answer, dtype=np.float64)
        return answer if self.n_outputs_ == 1 else answer.reshape(len(panel), self.n_outputs_)

    def _next_steps(self, X: Any, y: Any, n_outputs: int) -> Pair:
        X, y = validate_data(self, X, y, reset=False, multi_output=True, y_numeric=True, **_NUMBERS)
        if np.size(y[0]) != n_outputs:
            raise ValueError(
                f"y has {np.size(y[0])} steps ahead for each record, the model was fitted on {n_outputs}; "
                f"give y of shape ({len(X)}, {n_outputs})."
            )
        return next_steps(X, y)


_NUMBERS: dict[str, Any] = {"ensure_all_finite": "allow-nan"}


def next_steps(X: NDArray, y: NDArray) -> Pair:
    """A panel of one channel on the grid 0, 1, ..., that asks for the steps after it, and their values.

    Parameters
    ----------
    X : ndarray of shape (n_records, n_steps)
        Values, NaN where not observed.
    y : ndarray of shape (n_records,) or (n_records, n_ahead)
        Values at the steps after the last column.

    Returns
    -------
    X : IrregularPanel
    y : Targets

    Examples
    --------
    >>> X, y = next_steps(np.array([[1.0, np.nan], [3.0, 4.0]]), np.array([5.0, 6.0]))
    >>> X.time, X.queries.time, y.value
    (array([0., 0., 1.]), array([2., 2.]), array([5., 6.], dtype=float32))
    """
    panel = IrregularPanel.from_array(X)
    ahead = y.reshape(len(X), -1)
    n_ahead = ahead.shape[1]
    time = np.tile(np.arange(X.shape[1], X.shape[1] + n_ahead, dtype=np.float64), len(X))
    queries = Queries(np.arange(len(X) + 1) * n_ahead, time, np.zeros(len(time), dtype=np.int32))
    return panel.with_queries(queries=queries), Targets(queries, ahead.ravel(), panel.records, panel.channels)


def refuse_tables(X: Any) -> None:
    """Refuse what is no plain array: targets, several channels, and tables of events, whose columns would pass for steps."""
    if isinstance(X, Targets):
        raise TypeError("X must be an IrregularPanel; got Targets. fit(X, y) takes the panel first, then its targets.")
    if getattr(X, "ndim", 2) == 3:
        raise ValueError(
            f"Found array with dim 3, shape {X.shape}; a plain array holds one channel, of shape (n_records, n_steps). Build a "
            "panel of several channels with IrregularPanel.from_array(X), queries with panel.with_queries(times=...)."
        )
    if not isinstance(X, DataFrame):
        return
    numeric = all(is_numeric_dtype(X[name].infer_objects()) for name in X)
    if not numeric or {"time", "value"} <= set(X):
        raise TypeError(
            "X must be an IrregularPanel, or plain numbers with one record a row and one step of time a column; "
            f"got a DataFrame with the columns {[str(name) for name in X][:8]}. Build a panel from a table of "
            "events with IrregularPanel.from_long(frame) or IrregularPanel.from_wide(frame)."
        )
