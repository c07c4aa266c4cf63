"""Models that can be benchmarked and compared by name."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any

from cndts._nearest_name import hint
from cndts.benchmarking._classifiers import CLASSIFIERS

if TYPE_CHECKING:
    from cndts.estimators import BaseForecaster
    from cndts.protocols import Protocol
    from cndts.targets import Targets

FORECASTERS: dict[str, tuple[str, dict[str, Any]]] = {
    "hybrid-memory": ("HybridMemoryForecaster", {}),
    "vote": ("VotingForecaster", {"estimators": ("hybrid-memory", "boosted-trees")}),
    "gru-d": ("IrregularForecaster", {"backbone": "gru-d"}),
    "latent-ode": ("IrregularForecaster", {"backbone": "latent-ode"}),
    "boosted-trees": ("BoostedTreesForecaster", {}),
    "boosted-trees-absolute": ("BoostedTreesForecaster", {"loss": "absolute_error"}),
    "ridge": ("RidgeForecaster", {}),
    "decay-to-mean": ("DecayToMeanForecaster", {}),
    "last-value": ("LastValueForecaster", {}),
    "linear-interpolation": ("LinearInterpolationForecaster", {}),
    "channel-mean": ("ChannelMeanForecaster", {}),
    "hybrid-memory-interpolator": ("HybridMemoryInterpolator", {}),
    "vote-interpolator": (
        "VotingForecaster",
        {"estimators": ("hybrid-memory-interpolator", "boosted-trees-interpolator")},
    ),
    "gru-d-interpolator": ("IrregularInterpolator", {"backbone": "gru-d"}),
    "latent-ode-interpolator": ("IrregularInterpolator", {"backbone": "latent-ode"}),
    "boosted-trees-interpolator": ("BoostedTreesInterpolator", {}),
    "boosted-trees-interpolator-absolute": ("BoostedTreesInterpolator", {"loss": "absolute_error"}),
    "ornstein-uhlenbeck-interpolator": ("OrnsteinUhlenbeckInterpolator", {}),
    "linear-interpolator": ("LinearInterpolator", {}),
    "nearest-interpolator": ("NearestInterpolator", {}),
}


def available_models() -> list[str]:
    """Names that :func:`make_model` knows, forecasters before interpolators, the simplest baselines last.

    Examples
    --------
    >>> available_models()[:3]
    ['hybrid-memory', 'vote', 'gru-d']
    """
    return list(FORECASTERS)


def check_models(names: Sequence[str]) -> None:
    """Refuse unknown and repeated names before anything is fitted; classifiers are known too."""
    unknown = [name for name in names if name not in FORECASTERS and name not in CLASSIFIERS]
    if unknown:
        raise ValueError(
            f"there is no model {unknown[0]!r}{hint(unknown[0], [*FORECASTERS, *CLASSIFIERS])}; the known ones are "
            f"{', '.join(FORECASTERS)}, and for protocols of labels {', '.join(CLASSIFIERS)}."
        )
    if not names or len(set(names)) < len(names):
        raise ValueError(f"name at least one model and each only once; got {', '.join(names) or 'none'}.")


def check_hides_something(models: Sequence[str], rules: Protocol, y: Targets) -> None:
    """Refuse interpolators where the context of the training records holds all that they are asked for."""
    refused = [name for name in models if name in FORECASTERS and make_model(name).reads_later_events]
    if not refused or not len(y.value) or rules.hidden(y).any():
        return
    remedy = "Take forecasters, or another protocol."
    if "observed" in signature(type(rules)).parameters:
        remedy = "Show it fewer: --set protocol:observed=0.5, or protocol_settings={'observed': 0.5} in Python."
    raise ValueError(
        f"{refused[0]} learns to answer what it does not see, and {rules.name} as it is set shows it all {len(y.value):,} "
        f"targets of the training records. {remedy}"
    )


def make_model(name: str, *, random_state: int = 0, **settings: Any) -> BaseForecaster:
    """An unfitted forecaster or interpolator.

    Parameters
    ----------
    name : str
        One of :func:`available_models`.
    random_state : int, default=0
        Seed; models without randomness have no use for it.
    **settings
        Further parameters, set by scikit-learn's ``set_params`` (``training__epochs=5``).

    Raises
    ------
    ValueError
        If there is no model of this name, it is a classifier, or it has no such setting.

    Examples
    --------
    >>> make_model("last-value")
    LastValueForecaster()
    """
    check_models([name])
    if name in CLASSIFIERS:
        raise ValueError(
            f"{name} tells classes of records and forecasts no values; `cndts benchmark` takes it under protocols of labels, elsewhere "
            f"use one of {', '.join(FORECASTERS)}."
        )
    kind, given = FORECASTERS[name]
    model = getattr(import_module("cndts.estimators"), kind)()
    if "estimators" in given:
        members = (make_model(member, random_state=random_state) for member in given["estimators"])
        given = {"estimators": list(zip(("network", "trees"), members, strict=True))}
    settings = given | settings
    if "random_state" in model.get_params(deep=False):
        settings["random_state"] = random_state
    return model.set_params(**settings)
