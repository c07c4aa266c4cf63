"""sktime's own conformance tests pass for everything that is offered to sktime."""

import warnings
from typing import Any

import pytest

pytest.importorskip("sktime", reason='sktime is absent: pip install "cndts[sktime]"')

from sktime.utils.estimator_checks import check_estimator

import cndts.estimators.sktime as offered
from cndts.estimators import HybridMemoryClassifier, HybridMemoryForecaster, HybridMemoryInterpolator
from cndts.memory import Memory
from cndts.training import Training

ADAPTERS = ("SktimeForecaster", "SktimeImputer", "SktimeClassifier")
OTHERS = tuple(name for name in offered.__all__ if name[0].isupper() and name not in ADAPTERS)


def failures(estimator: Any) -> dict[str, Any]:
    """Names of the checks that fail, with the reason; nothing is left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scenarios of sktime warn about themselves
        results = check_estimator(estimator, raise_exceptions=False, verbose=False)
    assert len(results) > 20
    return {name: result for name, result in results.items() if result != "PASSED"}


@pytest.mark.parametrize("name", ADAPTERS)
def test_adapters_conform(name: str) -> None:
    """With the first of the settings that the adapter offers for tests; `test_all_settings_conform` runs all."""
    assert failures(getattr(offered, name).create_test_instance()) == {}


@pytest.mark.parametrize("name", OTHERS)
def test_parts_conform(name: str) -> None:
    assert failures(getattr(offered, name)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", ADAPTERS)
def test_all_settings_conform(name: str) -> None:
    assert failures(getattr(offered, name)) == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "inner"),
    list(zip(ADAPTERS, (HybridMemoryForecaster, HybridMemoryInterpolator, HybridMemoryClassifier), strict=True)),
)
def test_networks_conform(name: str, inner: Any) -> None:
    """Around the smallest of networks, each adapter passes what it passes around a rule of thumb."""
    memory, training = Memory(window=1, timescales=1, contents=1), Training(epochs=1, members=1)
    tiny = inner(memory, training=training, width=4, layers=1, random_state=0)
    assert failures(getattr(offered, name)(tiny)) == {}


def test_adapters_are_found() -> None:
    """There are no plug-ins in sktime; its own registry tool lists ours."""
    from skbase.lookup import all_objects
    from sktime.base import BaseObject

    found = dict(all_objects(object_types=BaseObject, package_name="cndts.estimators", return_names=True))
    assert set(ADAPTERS) | set(OTHERS) <= set(found)
