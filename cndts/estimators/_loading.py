"""Reading whatever estimator a file holds."""

from __future__ import annotations

import os
from typing import Any


def load_estimator(path: str | os.PathLike[str]) -> Any:
    """Read an estimator of any class that ``save`` wrote; it computes on the CPU, wherever it was fitted.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    estimator
        Fitted, of the class it was saved from.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no model file, is damaged, holds a class that is not known, or was written by an earlier or newer
            version.

    Examples
    --------
    >>> import tempfile
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_oscillators
    >>> from cndts.estimators import DecayToMeanForecaster
    >>> X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(30, random_state=0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     DecayToMeanForecaster().fit(X, y).save(f"{folder}/model.cndts")
    ...     load_estimator(f"{folder}/model.cndts")
    DecayToMeanForecaster()
    """
    from cndts.estimators._stored_classes import read_estimator

    return read_estimator(path)
