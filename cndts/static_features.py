"""Time-constant features of a record as a fixed-length vector."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Names, notes and dates have as many values as records: no indicator of theirs says anything about another record.
_MANY_CATEGORIES = 32
_LEAST_SHARE = 0.01


@dataclass(frozen=True)
class StaticEncoding:
    """Standardised numbers with missing indicators, and one-hot categories.

    Parameters
    ----------
    numeric : dict of str to (mean, std)
        Numeric columns; a missing value becomes 0 beside an indicator of 1.
    categorical : dict of str to list of str
        Other columns with their training categories; a new category has no 1 anywhere. Nor has a rare one, of less than
        1 % of the records or of a single one, in a column of more than 32 categories.

    Examples
    --------
    >>> table = pd.DataFrame({"age": [50.0, 70.0, None], "unit": ["a", "b", "a"]})
    >>> StaticEncoding.fit(table).transform(table)
    array([[-1.,  0.,  1.,  0.],
           [ 1.,  0.,  0.,  1.],
           [ 0.,  1.,  1.,  0.]], dtype=float32)
    """

    numeric: dict[str, tuple[float, float]]
    categorical: dict[str, list[str]]

    @classmethod
    def fit(cls, table: pd.DataFrame) -> "StaticEncoding":
        """Measure the columns of a table with one row a record."""
        numeric, categorical = {}, {}
        for name, column in table.items():
            if pd.api.types.is_numeric_dtype(column) and not isinstance(column.dtype, pd.CategoricalDtype):
                values = column.to_numpy(dtype=np.float64, na_value=np.nan)
                known = values[np.isfinite(values)]
                numeric[str(name)] = _moments(known)
            else:
                categorical[str(name)] = _categories(column)
        return cls(numeric, categorical)

    @property
    def n_features(self) -> int:
        """Length of the vector."""
        return 2 * len(self.numeric) + sum(map(len, self.categorical.values()))

    def transform(self, table: pd.DataFrame) -> NDArray[np.float32]:
        """Encode a table: array of shape (n_records, n_features).

        Raises
        ------
        ValueError
            If a column that was there at fit is missing.
        """
        table = self.read(table)
        parts = [self._numbers(table, name) for name in self.numeric]
        parts += [_indicators(table[name], categories) for name, categories in self.categorical.items()]
        return np.concatenate([np.zeros((len(table), 0)), *parts], axis=1).astype(np.float32)

    def read(self, table: pd.DataFrame) -> pd.DataFrame:
        """The columns that were there at fit, by their names as text.

        Raises
        ------
        ValueError
            If one of them is missing.
        """
        table = table.rename(columns=str)
        names = [*self.numeric, *self.categorical]
        if missing := [name for name in names if name not in table]:
            raise ValueError(
                f"the panel's static table lacks the columns {missing} that the model was fitted with; "
                f"it has {list(table.columns)}. Add them (NaN where unknown)."
            )
        return table[names]

    def _numbers(self, table: pd.DataFrame, name: str) -> NDArray[np.float64]:
        mean, std = self.numeric[name]
        values = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
        unknown = ~np.isfinite(values)
        return np.stack([np.where(unknown, 0.0, (values - mean) / std), unknown], axis=1)


def _categories(column: pd.Series) -> list[str]:
    """Values as text, rising; of many those that are not rare."""
    counts = Counter(map(str, column.dropna()))
    least = 1 if len(counts) <= _MANY_CATEGORIES else max(2, _LEAST_SHARE * len(column))
    return sorted(value for value, count in counts.items() if count >= least)


def _indicators(column: pd.Series, categories: list[str]) -> NDArray[np.float64]:
    """1 where a record has a category, shape (n_records, n_categories)."""
    values = column.astype(str).to_numpy(dtype=object)
    return np.equal(values[:, None], np.array(categories, dtype=object)).astype(np.float64)


def _moments(known: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and standard deviation; deviation 1 where there is none beyond rounding."""
    if len(known) == 0:
        return 0.0, 1.0
    mean, std = float(known.mean()), float(known.std())
    return mean, std if std > 1e-6 * abs(mean) else 1.0
