"""Interpolators of cndts as an imputer of sktime."""

from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import clone
from sktime.transformations.base import BaseTransformer

from cndts.estimators._base import BaseForecaster as PanelForecaster
from cndts.estimators._hybrid_memory_interpolator import HybridMemoryInterpolator
from cndts.estimators._linear_interpolator import LinearInterpolator
from cndts.estimators.sktime._clock import Clock
from cndts.estimators.sktime._named_parts import NamedParts
from cndts.estimators.sktime._series import Series, instance_codes, time_level
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.targets import Targets
from cndts.tasks import Interpolation


class SktimeImputer(NamedParts, BaseTransformer):
    """An interpolator of cndts as a transformer of sktime: NaN becomes what the interpolator answers there.

    ``fit`` hides some of the values, again and again with a neural interpolator, and trains on them; ``transform`` fills the NaN of
    any series with the same columns, from the values on both sides. Values that are there stay as they are, to the last bit.
    Panels and hierarchies are read whole.

    Parameters
    ----------
    interpolator : cndts interpolator or forecaster, optional
        What learns and fills; ``HybridMemoryInterpolator()`` by default. It is cloned. A forecaster fills from earlier values
        alone.
    time_unit : str, default="h"
        Unit in which datetimes and timedeltas are counted. Integers and periods are counted in steps.
    observed : float, default=0.5
        Share of the values that stay visible while the rest are asked for in training.
    random_state : int or None, default=0
        Seed of what is hidden.

    Attributes
    ----------
    interpolator_ : cndts interpolator
        Fitted.

    Notes
    -----
    A column without any value in ``fit`` is filled with 0. Infinities count as missing nowhere: they are an error.

    Examples
    --------
    >>> import pandas as pd
    >>> from cndts.estimators import LinearInterpolator
    >>> from cndts.estimators.sktime import SktimeImputer
    >>> hours = pd.to_timedelta([0.0, 1.0, 4.0, 5.0], unit="h")
    >>> X = pd.DataFrame({"HR": [80.0, None, 88.0, 90.0]}, index=hours)
    >>> SktimeImputer(LinearInterpolator()).fit_transform(X)["HR"].tolist()
    [80.0, 82.0, 88.0, 90.0]
    """

    _settings: ClassVar[dict[str, type]] = {"interpolator": HybridMemoryInterpolator}
    _tags: ClassVar[dict[str, Any]] = {
        "authors": "cndts developers",
        "maintainers": "cndts developers",
        "scitype:transform-input": "Series",
        "scitype:transform-output": "Series",
        "scitype:instancewise": False,
        "X_inner_mtype": ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"],
        "y_inner_mtype": "None",
        "capability:multivariate": True,
        "capability:missing_values": True,
        "capability:missing_values:removes": True,
        "capability:unequal_length": True,
        "transform-returns-same-time-index": True,
        "fit_is_empty": False,
        "skip-inverse-transform": True,  # filled values stay as they are in a pipeline
        "capability:categorical_in_X": False,
        "capability:random_state": True,
    }

    def __init__(
        self,
        interpolator: PanelForecaster | None = None,
        *,
        time_unit: str = "h",
        observed: float = 0.5,
        random_state: int | None = 0,
    ) -> None:
        self.interpolator = interpolator
        self.time_unit = time_unit
        self.observed = observed
        self.random_state = random_state
        super().__init__()

    def _fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        self._clock = Clock.of(time_level(X.index), self.time_unit)
        given = HybridMemoryInterpolator() if self.interpolator is None else self.interpolator
        if not isinstance(given, PanelForecaster):
            raise TypeError(
                f"interpolator must be an interpolator or forecaster of cndts.estimators; got {type(given).__name__}."
            )
        panel = Series.read(X, self._clock).panel
        self.interpolator_ = clone(given).fit(*self._hidden(panel))
        return self

    def _hidden(self, panel: IrregularPanel) -> tuple[IrregularPanel, Targets]:
        """Visible and hidden values; with so few that none was hidden, all are."""
        task = Interpolation(observed=self.observed, random_state=self.random_state)
        context, targets = task.split(panel)
        if len(targets.value) or panel.n_events == 0:
            return context, targets
        queries = Queries(panel.offsets, panel.time, panel.channel)
        everything = Targets(queries, panel.value, panel.records, panel.channels)
        return panel.where(np.zeros(panel.n_events, dtype=bool)).with_queries(queries=queries), everything

    def _transform(self, X: pd.DataFrame, y: Any = None) -> pd.DataFrame:
        values = X.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
        row, column = np.nonzero(np.isnan(values))
        if len(row) == 0:
            return X.copy()
        panel = Series.read(X, self._clock, self.interpolator_.channels_in_).panel
        code, _ = instance_codes(X.index)
        order = np.argsort(code[row], kind="stable")
        row, column = row[order], column[order]
        offsets = np.searchsorted(code[row], np.arange(len(panel) + 1))
        queries = Queries(offsets, self._clock.read(time_level(X.index))[row], column.astype(np.int32))
        values[row, column] = np.asarray(self.interpolator_.predict(panel.with_queries(queries=queries)))
        return pd.DataFrame(values, index=X.index, columns=X.columns)

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Settings that sktime's conformance tests run with.

        Parameters
        ----------
        parameter_set : str
            Ignored.

        Returns
        -------
        list of dict
        """
        return [{"interpolator": LinearInterpolator()}, {"interpolator": LinearInterpolator(), "observed": 0.8}]
