"""Time-constant features of a record as a fixed-length vector."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class StaticEncoding:
    """Standardised numbers with missing indicators, and one-hot categories.

    Parameters
    ----------
    numeric : dict of str to (mean, std)
        Numeric columns; a missing value becomes 0 beside an indicator of 1.
    categorical : dict of str to list of str
        Other columns with their training categories; a new category has no 1 anywhere.

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
                categorical[str(name)] = sorted({str(value) for value in column.dropna()})
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
        table = table.rename(columns=str)
        missing = [name for name in (*self.numeric, *self.categorical) if name not in table]
        if missing:
            raise ValueError(
                f"the panel's static table lacks the columns {missing} that the model was fitted with; "
                f"it has {list(table.columns)}. Add them (NaN where unknown)."
            )
        parts = [self._numbers(table, name) for name in self.numeric]
        parts += [
            np.stack([table[name].astype(str) == known for known in categories], axis=1)
            for name, categories in self.categorical.items()
            if categories
        ]
        return np.concatenate([np.zeros((len(table), 0)), *parts], axis=1).astype(np.float32)

    def _numbers(self, table: pd.DataFrame, name: str) -> NDArray[np.float64]:
        mean, std = self.numeric[name]
        values = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
        unknown = ~np.isfinite(values)
        return np.stack([np.where(unknown, 0.0, (values - mean) / std), unknown], axis=1)


def _moments(known: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and standard deviation; deviation 1 where there is none beyond rounding."""
    if len(known) == 0:
        return 0.0, 1.0
    mean, std = float(known.mean()), float(known.std())
    return mean, std if std > 1e-6 * abs(mean) else 1.0
