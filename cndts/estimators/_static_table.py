"""The static table as columns for tabular models: numbers as they are, categories as indicators."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.static_features import StaticEncoding


def static_table(static: pd.DataFrame, encoding: StaticEncoding) -> NDArray[np.float64]:
    """Numbers, NaN where they are unknown, and an indicator of every category known from fitting.

    Parameters
    ----------
    static : DataFrame with one row a record
        The table.
    encoding : StaticEncoding
        Columns and categories of the training records; a category that is not among them has no 1 anywhere.

    Returns
    -------
    ndarray of shape (n_records, n_columns)
        Columns are those of `static_names`.

    Raises
    ------
    ValueError
        If the table lacks a column.

    Examples
    --------
    >>> table = pd.DataFrame({"age": [50.0, None], "ward": ["a", "b"]})
    >>> encoding = StaticEncoding.fit(table)
    >>> static_names(encoding)
    ['static: age', 'static: ward = a', 'static: ward = b']
    >>> static_table(table, encoding)
    array([[50.,  1.,  0.],
           [nan,  0.,  1.]])
    """
    table = encoding.read(static)
    numbers = table[list(encoding.numeric)]
    indicators = StaticEncoding({}, encoding.categorical).transform(table)
    return np.hstack([numbers.to_numpy(dtype=np.float64, na_value=np.nan), indicators.astype(np.float64)])


def static_names(encoding: StaticEncoding) -> list[str]:
    """Names of the columns of `static_table`."""
    kinds = encoding.categorical.items()
    indicators = [f"static: {name} = {known}" for name, categories in kinds for known in categories]
    return [*(f"static: {name}" for name in encoding.numeric), *indicators]
