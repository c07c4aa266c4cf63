"""Fitted estimators in one file, without pickle."""

from __future__ import annotations

import os
from importlib import import_module
from inspect import isabstract
from typing import Any, Self

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted


class Storable:
    """What every estimator of cndts offers to be kept: `save` and `load`."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted estimator to one file (safetensors with a JSON header).

        Parameters
        ----------
        path : path-like
            Where to write; an older file is replaced only when the new one is complete.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        TypeError
            If it holds something that is neither numbers, text and arrays nor of a class of cndts, such as a subclass of your
            own. Store such estimators with skops.
        """
        check_is_fitted(self)
        _stored_classes().write_estimator(path, self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read an estimator that `save` wrote; it computes on the CPU, wherever it was fitted.

        Parameters
        ----------
        path : path-like
            The file.

        Returns
        -------
        estimator
            Fitted, of the class it is called on; of any class of that kind where it is called on a base class.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it holds another class, is damaged, or was written by an earlier or newer version.
        """
        return _stored_classes().read_estimator(path, cls if isabstract(cls) else cls.__name__)

    # ---- what goes into a file -------------------------------------------------------------------

    def _stored_parameters(self) -> dict[str, Any]:
        """Constructor parameters; seeds and devices stay behind."""
        found = self.get_params(deep=False)  # type: ignore[attr-defined]
        return {name: value for name, value in found.items() if name not in ("random_state", "device")}

    def _stored_parts(self) -> dict[str, Any]:
        """What ``fit`` has left in the estimator."""
        parameters = self.get_params(deep=False)  # type: ignore[attr-defined]
        return {name: value for name, value in vars(self).items() if name not in parameters}

    def _take_parts(self, parts: dict[str, Any]) -> None:
        """Become the fitted estimator that ``parts`` came from."""
        vars(self).update(parts)


def _stored_classes() -> Any:
    """The list of known classes, which knows every estimator and so cannot be imported by them."""
    return import_module("cndts.estimators._stored_classes")


def take_estimator(estimator: Any) -> dict[str, Any]:
    """Parameters and parts of an estimator."""
    return {"params": estimator._stored_parameters(), "parts": estimator._stored_parts()}


def make_estimator(kind: type[BaseEstimator], stored: dict[str, Any]) -> Any:
    """An estimator of a class from its parameters and parts."""
    unknown = sorted(set(stored["params"]) - set(kind._get_param_names()))
    if unknown:
        raise ValueError(f"{kind.__name__} has no parameter {unknown[0]!r}; the file is of another version of cndts.")
    estimator = kind(**stored["params"])
    estimator._take_parts(stored["parts"])
    return estimator
