"""What estimators with settings objects share: their parameters, and what is left of a fit that failed."""

from typing import Any, Self

from cndts._parameters import NamedParameters, with_parts


class NestedSettings(NamedParameters):
    """Lists in ``_settings`` which of its parameters are settings objects; None stands for the defaults."""

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``memory__window=12`` works also where ``memory`` was left at its default."""
        return super().set_params(**with_parts(self, params))

    def _forget(self) -> None:
        """Back to the state before any fit."""
        for name in [name for name in vars(self) if name.endswith("_") and not name.startswith("_")]:
            delattr(self, name)
