"""Parameters of sktime's objects by name, as those of the native estimators are set."""

from typing import Any, ClassVar, Self

from cndts._parameters import check_names, with_parts


class NamedParts:
    """What objects of sktime's kind add to ``set_params``: defaults of a part left out, and the nearest name of a misspelt one.

    Mixed in before sktime's class. ``_settings`` says which class the None of a parameter stands for.

    Examples
    --------
    >>> from cndts.estimators.sktime import SktimeForecaster
    >>> SktimeForecaster().set_params(forecaster__width=8).forecaster
    HybridMemoryForecaster(width=8)
    >>> SktimeForecaster().set_params(forecaster__widht=8)
    Traceback (most recent call last):
        ...
    ValueError: Invalid parameter 'widht' for estimator HybridMemoryForecaster in 'forecaster__widht': did you mean
    'forecaster__width'? Valid parameters of HybridMemoryForecaster are: ['device', ..., 'width'].
    """

    _settings: ClassVar[dict[str, type]] = {}

    def set_params(self, **params: Any) -> Self:
        """Set parameters, and as ``part__name`` those of the estimators inside.

        Parameters
        ----------
        **params
            Values by name; sktime also takes the last part of a name that no other ends in.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there is no parameter of that name; the text suggests the nearest one.
        """
        check_names(self, {name: value for name, value in params.items() if not self._is_short(name)})
        return super().set_params(**with_parts(self, params))  # type: ignore[misc]

    def _is_short(self, name: str) -> bool:
        """Whether sktime reads a name as the last part of a longer one."""
        return "__" not in name and any(known.endswith(f"__{name}") for known in self.get_params(deep=True))  # type: ignore[attr-defined]
