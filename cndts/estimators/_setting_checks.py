"""Settings of neural estimators that no network can be fitted with are refused before anything is computed."""

from numbers import Integral, Real
from typing import Any

import torch

from cndts.training import Training
from cndts.training.settings import check_training


def check_neural_settings(estimator: Any) -> None:
    """Refuse settings that cannot be meant.

    Parameters
    ----------
    estimator : estimator
        With ``_settings``, ``training``, ``dropout``, ``device``, ``width`` and, where it has them, ``layers``.

    Raises
    ------
    TypeError
        If a settings object is of another class, or a size no whole number.
    ValueError
        If a number is out of range, or there is no such device.

    Examples
    --------
    >>> from cndts.estimators import HybridMemoryForecaster
    >>> check_neural_settings(HybridMemoryForecaster(dropout=1.5))
    Traceback (most recent call last):
        ...
    ValueError: dropout must be 0 or more and below 1; got 1.5.
    """
    _check_kinds(estimator)
    check_training(estimator.training or Training())
    if not isinstance(estimator.dropout, Real) or not 0 <= float(estimator.dropout) < 1:
        raise ValueError(f"dropout must be 0 or more and below 1; got {estimator.dropout!r}.")
    for name in ("width", "layers"):
        value = getattr(estimator, name, 0)
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(f"{name} must be a whole number; got {value!r}.")
    if getattr(estimator, "layers", 0) < 0:
        raise ValueError(f"layers must be 0 or more; got {estimator.layers!r}.")
    _check_device(estimator.device)


def _check_kinds(estimator: Any) -> None:
    for name, kind in estimator._settings.items():
        value = getattr(estimator, name)
        if value is not None and not isinstance(value, kind):
            first = next(iter(kind().get_params()))
            raise TypeError(
                f"{name} must be a {kind.__name__} or None for its defaults; got {value!r}, a {type(value).__name__}. Use "
                f"{name}={kind.__name__}({first}=...), or set_params({name}__{first}=...)."
            )


def _check_device(device: Any) -> None:
    try:
        torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"device must be a name that torch knows, such as 'cpu' or 'cuda:0'; got {device!r}."
        ) from error
