"""What a search may choose from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sklearn.base import clone

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

# Ranges around the defaults, widest where experience says least. Width multiplies the cost, and so comes in few sizes.
_NEURAL: dict[str, Any] = {
    "training__learning_rate": {"low": 5e-4, "high": 5e-3, "log": True},
    "training__weight_decay": {"low": 0.01, "high": 1.0, "log": True},
    "training__absolute_weight": {"low": 0.5, "high": 4.0, "log": True},
    "training__cut_share": [0.75, 0.25, 0.0],
    "dropout": {"low": 0.0, "high": 0.4},
    "width": [32, 64, 96],
}
SPACES: dict[str, dict[str, Any]] = {
    "HybridMemoryForecaster": _NEURAL
    | {"memory__window": {"low": 2, "high": 12}, "memory__timescales": {"low": 3, "high": 8}, "layers": [0, 1, 2]},
    "IrregularForecaster": _NEURAL,
    "BoostedTreesForecaster": {
        "features": ["own", "last", "all"],
        "learning_rate": {"low": 0.01, "high": 0.2, "log": True},
        "max_leaf_nodes": {"low": 7, "high": 63, "log": True},
        "min_samples_leaf": {"low": 10, "high": 100, "log": True},
        "max_features": {"low": 0.1, "high": 1.0},
    },
    "RidgeForecaster": {"features": ["own", "last", "all"]},
    "LinearInterpolationForecaster": {"extrapolation": ["last", "damped-trend"]},
}
_FORECAST_WEIGHT = {"forecast_weight": {"low": 0.05, "high": 1.0, "log": True}}
SPACES["HybridMemoryClassifier"] = SPACES["HybridMemoryRegressor"] = SPACES["HybridMemoryForecaster"] | _FORECAST_WEIGHT
SPACES["HybridMemoryInterpolator"] = SPACES["HybridMemoryForecaster"]
SPACES["IrregularInterpolator"] = SPACES["IrregularForecaster"]
SPACES["BoostedTreesInterpolator"] = SPACES["BoostedTreesForecaster"]

_KEYS = {"low", "high", "log", "step"}


def default_space(estimator: object) -> dict[str, Any]:
    """The parameters worth searching for an estimator of cndts, as `tune` takes them.

    Parameters
    ----------
    estimator : BaseForecaster, HybridMemoryClassifier or HybridMemoryRegressor
        Its class decides.

    Returns
    -------
    dict
        A copy, to be changed at will.

    Raises
    ------
    ValueError
        If nothing about the class is worth searching.

    Examples
    --------
    >>> from cndts.estimators import RidgeForecaster
    >>> default_space(RidgeForecaster())
    {'features': ['own', 'last', 'all']}
    """
    name = type(estimator).__name__
    if name not in SPACES:
        raise ValueError(
            f"there is no default search space for {name}; the ones that have it are {', '.join(sorted(SPACES))}. "
            'Give one: space={"parameter": {"low": 0.1, "high": 1.0}}.'
        )
    return dict(SPACES[name])


def check_space(space: Mapping[str, Any], estimator: Any) -> dict[str, Any]:
    """Refuse entries that are no range or choice, and parameters that the estimator does not have."""
    if not space:
        raise ValueError("space is empty, so there is nothing to search; name at least one parameter.")
    probe = clone(estimator)
    for name, entry in space.items():
        if not _is_choice(entry) and not _is_range(entry):
            raise ValueError(
                f"space[{name!r}] must be a list of choices, or a range such as {{'low': 0.1, 'high': 1.0, 'log': True}}; "
                f"got {entry!r}."
            )
        probe.set_params(**{name: entry[0] if isinstance(entry, list) else entry["low"]})  # names an unknown one
    return dict(space)


def suggest(trial: BaseTrial, name: str, entry: Any) -> Any:
    """A value of one parameter for a trial."""
    if isinstance(entry, list):
        return trial.suggest_categorical(name, entry)
    low, high, log = entry["low"], entry["high"], entry.get("log", False)
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(name, low, high, step=entry.get("step", 1), log=log)
    return trial.suggest_float(name, low, high, step=entry.get("step"), log=log)


def is_inside(value: Any, entry: Any) -> bool:
    """Whether a value could be suggested."""
    if isinstance(entry, list):
        return any(type(value) is type(choice) and value == choice for choice in entry)
    return isinstance(value, (int, float)) and not isinstance(value, bool) and entry["low"] <= value <= entry["high"]


def _is_choice(entry: Any) -> bool:
    return (
        isinstance(entry, list)
        and bool(entry)
        and all(value is None or isinstance(value, (bool, int, float, str)) for value in entry)
    )


def _is_range(entry: Any) -> bool:
    if not (isinstance(entry, Mapping) and {"low", "high"} <= set(entry) <= _KEYS):
        return False
    ends = entry["low"], entry["high"]
    if not all(isinstance(end, (int, float)) and not isinstance(end, bool) and math.isfinite(end) for end in ends):
        return False
    return ends[0] < ends[1] and not (entry.get("log") and (ends[0] <= 0 or "step" in entry))
