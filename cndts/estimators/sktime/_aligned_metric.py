"""What the aligned metrics share: matching truth and forecast by index, and the averages of cndts."""

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sktime.performance_metrics.base import BaseMetric

from cndts._ragged import offsets_from_lengths
from cndts.estimators.sktime._named_parts import NamedParts
from cndts.estimators.sktime._series import channel_names, instance_codes
from cndts.queries import Queries
from cndts.targets import Targets


class AlignedMetric(NamedParts, BaseMetric):
    """Scores the values that are there: truth and forecast are matched by instance, time and column.

    Over an irregular panel ``evaluate`` asks for every instance at the test times of all, and the forecast has more rows than
    the truth. Here rows are looked up by their index; truth that is NaN is not scored, and a truth without a forecast is an
    error.

    A subclass implements ``_score(y, rows)``.
    """

    _tags: ClassVar[dict[str, Any]] = {
        "object_type": "metric",
        "scitype:y_pred": "pred",
        "authors": "cndts developers",
        "maintainers": "cndts developers",
        "requires-y-train": False,
        "requires-y-pred-benchmark": False,
        "lower_is_better": True,
        "inner_implements_multilevel": True,
        "reserved_params": ["average"],
    }

    def __init__(self, average: str = "observation") -> None:
        self.average = average
        self.name = type(self).__name__
        super().__init__()

    def __call__(self, y_true: Any, y_pred: Any, **kwargs: Any) -> float:
        """The score; see :meth:`evaluate`."""
        return self.evaluate(y_true, y_pred, **kwargs)

    def evaluate(self, y_true: Any, y_pred: Any, **kwargs: Any) -> float:
        """Score a forecast.

        Parameters
        ----------
        y_true : Series or DataFrame
            Truth, in one of sktime's pandas containers; NaN where nothing was observed.
        y_pred : Series or DataFrame
            What ``predict``, ``predict_quantiles`` or ``predict_interval`` of a forecaster gave. Rows beyond those of the truth
            are ignored.
        **kwargs
            Ignored; sktime passes ``y_train``.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If a value of the truth has no forecast, nothing is left to score, or a row of the forecast repeats.
        """
        truth, forecast = (each.to_frame() if isinstance(each, pd.Series) else each for each in (y_true, y_pred))
        position, values = _positions(truth, forecast), truth.to_numpy(dtype=np.float64, na_value=np.nan)
        y, row, column = _targets(truth, values)
        blocks = forecast.to_numpy(dtype=np.float64).reshape(len(forecast), truth.shape[1], -1)
        rows = blocks[position[row], column]
        missing = np.flatnonzero((position[row] < 0) | np.isnan(rows).any(axis=1))
        if len(missing):
            first = int(missing[0])
            raise ValueError(
                f"{len(missing)} of {len(row)} true values have no forecast; the first is {truth.columns[column[first]]!r} at "
                f"{truth.index[row[first]]!r}. Ask for these times in fh."
            )
        return float(self._score(y, rows))

    def _score(self, y: Targets, rows: NDArray[np.float64]) -> float:
        """The score of forecasts of shape (n_targets, n_numbers)."""
        raise NotImplementedError

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
        return [{}, {"average": "channel"}]


def _positions(truth: pd.DataFrame, forecast: pd.DataFrame) -> NDArray[np.int64]:
    """Row of the forecast for each row of the truth, -1 where there is none."""
    top = forecast.columns.get_level_values(0).unique()
    if len(top) != truth.shape[1]:
        raise ValueError(
            f"truth has {truth.shape[1]} columns, the forecast {len(top)}: {list(truth.columns)}, {list(top)}."
        )
    if forecast.index.has_duplicates:
        first = forecast.index[forecast.index.duplicated()][0]
        raise ValueError(f"the forecast holds the row {first!r} twice; ask for each time once.")
    return forecast.index.get_indexer(truth.index)


def _targets(truth: pd.DataFrame, values: NDArray[np.float64]) -> tuple[Targets, NDArray[np.int64], NDArray[np.int64]]:
    """Known values as targets, with their rows and columns."""
    code, instances = instance_codes(truth.index)
    row, column = np.nonzero(~np.isnan(values))
    if len(row) == 0:
        raise ValueError(f"the truth holds no known value: {len(truth)} rows, all NaN. Check the splitter.")
    order = np.argsort(code[row], kind="stable")
    row, column = row[order], column[order]
    offsets = offsets_from_lengths(np.bincount(code[row], minlength=len(instances)))
    queries = Queries(offsets, np.zeros(len(row)), column.astype(np.int32))
    records = pd.RangeIndex(len(instances))
    return Targets(queries, values[row, column], records, channel_names(truth.columns)), row, column
