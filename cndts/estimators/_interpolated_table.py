"""Records as rows of a regular table, gaps filled by an interpolator."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from cndts.estimators._alignment import check_panel
from cndts.estimators._base_interpolator import BaseInterpolator
from cndts.estimators._linear_interpolator import LinearInterpolator
from cndts.estimators._record_input import RecordInput
from cndts.panel import IrregularPanel


class InterpolatedTable(TransformerMixin, RecordInput):
    """One row per record: every channel at the same given times, for any scikit-learn model.

    What a record observed at one of these times stands as it is (the mean of several values); everything else is answered by
    an interpolator that is fitted on the training records without labels, see `BaseInterpolator.fit`.

    Parameters
    ----------
    times : array-like of shape (n_times,)
        Times of the table in the panel's time unit, such as ``range(0, 48, 6)``.
    interpolator : BaseInterpolator, optional
        What fills the gaps; a copy of it is fitted. None stands for `LinearInterpolator`.

    Attributes
    ----------
    interpolator_ : BaseInterpolator
        The fitted interpolator.
    channels_in_ : tuple of str
        Channels of the training panel.
    n_features_in_, feature_names_in_, n_records_in_, time_unit_in_
        Their number and names, the number of training records, their time unit.

    See Also
    --------
    RecordSummary : What each channel showed in a few numbers, wherever its observations lie.

    Examples
    --------
    >>> X = IrregularPanel([0, 2, 3], [0.0, 4.0, 1.0], [0, 0, 0], [70.0, 78.0, 60.0], channels=["HR"])
    >>> table = InterpolatedTable([0, 1, 4]).fit(X)
    >>> table.get_feature_names_out().tolist(), table.transform(X).tolist()
    (['HR at 0', 'HR at 1', 'HR at 4'], [[70.0, 72.0, 78.0], [60.0, 60.0, 60.0]])
    """

    _settings: ClassVar[dict[str, type[BaseEstimator]]] = {"interpolator": LinearInterpolator}

    def __init__(self, times: ArrayLike, interpolator: BaseInterpolator | None = None) -> None:
        self.times = times
        self.interpolator = interpolator

    @property
    def reads_static(self) -> bool:
        """Whether the interpolator reads the static table."""
        return False if self.interpolator is None else self.interpolator.reads_static

    def fit(self, X: IrregularPanel, y: object = None) -> Self:
        """Fit the interpolator to events that are hidden from it.

        Parameters
        ----------
        X : IrregularPanel of n_records
            Training records; their queries are ignored.
        y : object
            Not used: labels of records, which a pipeline hands on, do no harm.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If ``X`` is not an IrregularPanel.
        ValueError
            If ``times`` are not distinct finite numbers, or ``X`` holds no event.
        """
        self._check_times()
        panel = self._read_fitting(check_panel(X))
        self.interpolator_ = clone(self.interpolator) if self.interpolator is not None else LinearInterpolator()
        self.interpolator_.fit(panel)
        return self

    def transform(self, X: IrregularPanel) -> NDArray[np.float64]:
        """Read every channel of each record at the given times.

        Parameters
        ----------
        X : IrregularPanel of n_records
            The records; channels are matched by name, missing ones are fine.

        Returns
        -------
        ndarray of shape (n_records, n_channels * n_times)
            Without NaN; all times of the first channel, then of the second, and so on.
        """
        check_is_fitted(self, "interpolator_")
        times = np.asarray(self.times, dtype=np.float64)
        answer: Any = self.interpolator_.predict(self._read(X), times=times)
        # sorted by time, then channel
        cube = answer.value.reshape(len(X), len(times), len(self.channels_in_))[:, np.argsort(np.argsort(times))]
        return cube.transpose(0, 2, 1).reshape(len(X), -1).astype(np.float64)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Names of the columns, ``"HR at 6"``.

        Parameters
        ----------
        input_features : object
            Not used.

        Returns
        -------
        ndarray of str, shape (n_channels * n_times,)
        """
        check_is_fitted(self, "interpolator_")
        names = [
            f"{channel} at {time:g}" for channel in self.channels_in_ for time in np.asarray(self.times, dtype=float)
        ]
        return np.asarray(names, dtype=object)

    def _check_times(self) -> None:
        try:
            times = np.asarray(self.times, dtype=np.float64)
        except (TypeError, ValueError):
            times = np.zeros(0)
        if times.ndim != 1 or len(times) == 0 or not np.isfinite(times).all() or len(np.unique(times)) < len(times):
            raise ValueError(
                f"times must be distinct finite numbers in the panel's time unit, at least one; got {self.times!r}. "
                "Use range(0, 48, 6)."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False  # of one channel on a grid it would be that grid
        return tags
