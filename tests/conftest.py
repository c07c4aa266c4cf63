"""Settings and fixtures that all tests share."""

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

# Before numpy or torch is imported: small problems are faster on one thread, and CI has two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

# The first call into torch takes longer than any deadline.
settings.register_profile(
    "cndts", deadline=None, derandomize=bool(os.environ.get("CI")), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("cndts")


def _test_data() -> Path:
    return Path(os.environ.get("CNDTS_TEST_DATA") or ROOT.parent / "shared" / "data")


@pytest.fixture(scope="session")
def physionet2012_folder() -> Path:
    """Folder with the publisher's ``set-a.tar.gz`` and ``Outcomes-a.txt``."""
    folder = _test_data() / "physionet2012"
    if not (folder / "set-a.tar.gz").is_file():
        pytest.skip(
            "PhysioNet 2012 is not on this machine: set CNDTS_TEST_DATA to the folder that holds physionet2012/"
        )
    return folder


@pytest.fixture(scope="session")
def published() -> Callable[[str], Path]:
    """The path of a publisher's file below the folder of test data; the test is skipped where it is absent."""

    def find(name: str) -> Path:
        path = _test_data() / name
        if not path.is_file():
            pytest.skip(f"{name} is not on this machine: set CNDTS_TEST_DATA to the folder that holds it")
        return path

    return find


@pytest.fixture(scope="session")
def panels() -> ModuleType:
    """The makers of small panels for protocols."""
    import protocol_panels

    return protocol_panels
