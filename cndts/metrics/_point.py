"""Errors of point forecasts."""

import math

from numpy.typing import ArrayLike

from cndts.metrics._average import Average, average_loss
from cndts.metrics._predictions import points_of, truth_of
from cndts.targets import Targets


def mean_squared_error(y: Targets, y_hat: Targets | ArrayLike, *, average: Average) -> float:
    r"""Mean of :math:`(y - \hat y)^2` over the known targets.

    Parameters
    ----------
    y : Targets
        True values; NaN where not known.
    y_hat : Targets or array-like of shape (n_targets,)
        Predictions at the queries of ``y``.
    average : {"observation", "channel", "record"}
        What the mean runs over, see :mod:`cndts.metrics`.

    Returns
    -------
    float
        In the squared unit of the values; NaN without a known target.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from cndts import Queries
    >>> queries = Queries(np.array([0, 2, 3]), np.array([5.0, 6.0, 7.0]), np.array([0, 0, 1]))
    >>> y = Targets(queries, [1.0, 2.0, 5.0], pd.Index(["a", "b"]), ["HR", "Temp"])
    >>> mean_squared_error(y, [1.0, 4.0, 2.0], average="channel")
    5.5
    """
    return average_loss((truth_of(y) - points_of(y, y_hat)) ** 2, y, average)


def mean_absolute_error(y: Targets, y_hat: Targets | ArrayLike, *, average: Average) -> float:
    r"""Mean of :math:`|y - \hat y|` over the known targets.

    Parameters
    ----------
    y : Targets
        True values; NaN where not known.
    y_hat : Targets or array-like of shape (n_targets,)
        Predictions at the queries of ``y``.
    average : {"observation", "channel", "record"}
        What the mean runs over, see :mod:`cndts.metrics`.

    Returns
    -------
    float
        In the unit of the values; NaN without a known target.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from cndts import Queries
    >>> queries = Queries(np.array([0, 2, 3]), np.array([5.0, 6.0, 7.0]), np.array([0, 0, 1]))
    >>> y = Targets(queries, [1.0, 2.0, 5.0], pd.Index(["a", "b"]), ["HR", "Temp"])
    >>> mean_absolute_error(y, [1.0, 4.0, 2.0], average="channel")
    2.0
    """
    return average_loss(abs(truth_of(y) - points_of(y, y_hat)), y, average)


def root_mean_squared_error(y: Targets, y_hat: Targets | ArrayLike, *, average: Average) -> float:
    r"""Square root of :func:`mean_squared_error`: the root is taken last, over whatever the mean ran over.

    Parameters
    ----------
    y : Targets
        True values; NaN where not known.
    y_hat : Targets or array-like of shape (n_targets,)
        Predictions at the queries of ``y``.
    average : {"observation", "channel", "record"}
        What the mean under the root runs over, see :mod:`cndts.metrics`.

    Returns
    -------
    float
        In the unit of the values; NaN without a known target.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from cndts import Queries
    >>> queries = Queries(np.array([0, 1]), np.array([5.0]), np.array([0]))
    >>> y = Targets(queries, [1.0], pd.Index(["a"]), ["HR"])
    >>> root_mean_squared_error(y, [3.0], average="observation")
    2.0
    """
    return math.sqrt(mean_squared_error(y, y_hat, average=average))
