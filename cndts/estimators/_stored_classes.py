"""The closed list of classes that a model file may hold, and files of estimators."""

from __future__ import annotations

import os
from functools import lru_cache, partial
from importlib import import_module
from inspect import isabstract
from typing import Any

from sklearn.pipeline import Pipeline

from cndts import persistence, transforms
from cndts._persistence_packing import Packer, StoredClass, Unpacker, by_attributes, by_fields, by_parameters
from cndts._storable import Storable, make_estimator, take_estimator
from cndts.dynamics import Solver
from cndts.estimators._boosted_trees_forecaster import ShortenedBoosting
from cndts.estimators._conformal_corrections import ConformalCorrections
from cndts.estimators._grown_trees import GrownTrees
from cndts.estimators._residual_quantiles import ResidualQuantiles
from cndts.estimators._ridge_forecaster import ClippedRidge
from cndts.memory import Memory
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling
from cndts.static_features import StaticEncoding
from cndts.training import AdaptationResult, FitResult, Training

_VALUES = (Scaling, RankScale, StaticEncoding, FitResult, AdaptationResult, GrownTrees)
_SETTINGS = (Memory, Solver, Training)
_PLAIN = (ResidualQuantiles, ClippedRidge, ConformalCorrections)


@lru_cache
def stored_classes() -> dict[str, StoredClass]:
    """Every class that a file may hold, by name: settings, fitted parts, estimators and transformers."""
    home = import_module("cndts.estimators")
    known = [by_fields(kind) for kind in _VALUES] + [by_parameters(kind) for kind in _SETTINGS]
    known += [by_attributes(kind) for kind in _PLAIN]
    # scikit-learn's trees leave their pickle behind: what is stored are their nodes
    known.append(
        StoredClass(ShortenedBoosting, lambda trees: {"grown": GrownTrees.of(trees)}, lambda part: part["grown"])
    )
    known.append(
        StoredClass(Pipeline, lambda pipeline: {"steps": pipeline.steps}, lambda part: Pipeline(part["steps"]))
    )
    for kind in (getattr(part, name) for part in (home, transforms) for name in part.__all__):
        if isinstance(kind, type) and issubclass(kind, Storable) and not isabstract(kind):
            known.append(StoredClass(kind, take_estimator, partial(make_estimator, kind)))
    return {stored.kind.__name__: stored for stored in known}


def write_estimator(path: str | os.PathLike[str], estimator: Any) -> None:
    """Write a fitted estimator; `Storable.save` checks that it is fitted."""
    kind = type(estimator)
    known = stored_classes().get(kind.__name__)
    if known is None or known.kind is not kind:
        raise TypeError(
            f"{kind.__module__}.{kind.__qualname__} is no class of cndts, and a model file holds no others. Store it with "
            "skops.io.dump, see 'Saving and loading' in the documentation."
        )
    packer = Packer(stored_classes())
    config = {part: packer.pack(content, part) for part, content in take_estimator(estimator).items()}
    persistence.write_model(path, kind.__name__, config, packer.tensors)


def read_estimator(path: str | os.PathLike[str], wanted: str | type | None = None) -> Any:
    """Read an estimator of a given class, of any class below a base class, or of any class."""
    config, tensors = persistence.read_model(path, wanted if isinstance(wanted, str) else None)
    name = wanted if isinstance(wanted, str) else config.pop("kind")
    known = stored_classes().get(name)
    if known is None or not issubclass(known.kind, Storable):
        raise ValueError(
            f"{str(path)!r} holds a {name}, which is no estimator that this version of cndts loads. A session is loaded by "
            "Session.load(path, model)."
        )
    above = wanted if isinstance(wanted, type) else known.kind
    if above not in known.kind.__mro__:
        raise ValueError(f"{str(path)!r} holds a {name}, which is no {above.__name__}; use {name}.load.")
    if set(config) != {"params", "parts"}:
        raise ValueError(
            f"{str(path)!r} is damaged: it has {sorted(config)} where a {name} has ['params', 'parts']. Save the {name} again."
        )
    unpacker = Unpacker(stored_classes(), tensors)
    try:
        return known.make({part: unpacker.unpack(tree, part) for part, tree in config.items()})
    except ValueError as error:
        raise ValueError(f"{str(path)!r} cannot be loaded: {error}") from error
