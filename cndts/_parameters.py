"""Names of parameters, with a suggestion for a misspelt one."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from sklearn.base import BaseEstimator

from cndts._nearest_name import suggestion


class NamedParameters(BaseEstimator):
    """An estimator or settings object that knows what a misspelt parameter was meant to be.

    A subclass lists in ``_settings`` which of its parameters are settings objects, of which class, where None stands for
    their defaults.

    Examples
    --------
    >>> from cndts.estimators import HybridMemoryForecaster
    >>> HybridMemoryForecaster().set_params(training__learnign_rate=1e-3)
    Traceback (most recent call last):
        ...
    ValueError: Invalid parameter 'learnign_rate' for estimator Training in 'training__learnign_rate': did you mean
    'training__learning_rate'? Valid parameters of Training are: ['absolute_weight', ..., 'weight_decay'].
    """

    _settings: ClassVar[dict[str, type[BaseEstimator]]] = {}

    def set_params(self, **params: Any) -> Self:
        """Set parameters of this object, and as ``part__name`` of the objects it holds.

        Parameters
        ----------
        **params
            Values by name.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there is no parameter of that name; the text suggests the nearest one.
        """
        check_names(self, params)
        return super().set_params(**params)


def check_names(estimator: Any, params: Mapping[str, Any]) -> None:
    """Refuse names that are to be set together and that an estimator, or a part of it, does not have.

    Raises
    ------
    ValueError
        As `NamedParameters.set_params`.
    """
    for key in params:
        _check_name(estimator, key, params, {"asked": key, "owner": estimator})


def _check_name(estimator: Any, key: str, params: Mapping[str, Any], context: Mapping[str, Any]) -> None:
    name, _, rest = key.partition("__")
    valid = _own(estimator)
    if name not in valid:
        raise ValueError(_unknown(type(estimator).__name__, name, sorted(valid), context["asked"], context["owner"]))
    if rest:
        part = _part(estimator, name, params.get(name, valid[name]))
        if not hasattr(part, "get_params") or isinstance(part, type):
            raise ValueError(
                f"Invalid parameter {context['asked']!r}: {name} is {part!r}, which has no parameters of its own; "
                f"set {name} to an object that has {rest.partition('__')[0]!r} first."
            )
        _check_name(part, rest, {}, context)


def left_out(estimator: Any) -> dict[str, Any]:
    """Defaults of the settings objects whose place None holds, by name, but for those whose None means something else.

    Examples
    --------
    >>> from cndts.estimators import IrregularForecaster
    >>> left_out(IrregularForecaster("latent-ode"))
    {'training': Training()}
    """
    names = [name for name in getattr(estimator, "_settings", {}) if name not in getattr(estimator, "_left_open", ())]
    return {name: _part(estimator, name, None) for name in names if getattr(estimator, name) is None}


def with_parts(estimator: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters to be set, and the defaults of parts left out that names such as ``part__name`` reach into.

    Examples
    --------
    >>> from cndts.estimators import HybridMemoryForecaster
    >>> with_parts(HybridMemoryForecaster(), {"memory__window": 4})
    {'memory__window': 4, 'memory': Memory()}
    """
    reached = {key.partition("__")[0] for key in params if "__" in key} & set(estimator._settings)
    empty = [name for name in sorted(reached) if params.get(name, getattr(estimator, name)) is None]
    return {**params, **{name: _part(estimator, name, None) for name in empty}}


def _part(estimator: Any, name: str, value: Any) -> Any:
    """A parameter's value; defaults where it is a settings object that was left out."""
    kind = getattr(estimator, "_settings", {}).get(name)
    return kind() if value is None and kind is not None else value


def _unknown(kind: str, name: str, valid: list[str], asked: str, owner: Any) -> str:
    nested = f" in {asked!r}" if asked != name else ""
    nearest = suggestion(asked, list(_all_names(owner)))
    meant = f"did you mean {nearest!r}? " if nearest else ""
    return f"Invalid parameter {name!r} for estimator {kind}{nested}: {meant}Valid parameters of {kind} are: {valid}."


def _own(estimator: Any) -> dict[str, Any]:
    """What is set by a name of one part: parameters, and the steps of a pipeline, which a deep look alone shows."""
    return {name: value for name, value in estimator.get_params(deep=True).items() if "__" not in name}


def _all_names(estimator: Any, prefix: str = "") -> Iterator[str]:
    for name, value in _own(estimator).items():
        yield prefix + name
        part = _part(estimator, name, value)
        if hasattr(part, "get_params") and not isinstance(part, type):
            yield from _all_names(part, f"{prefix}{name}__")
