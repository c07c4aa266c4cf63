"""The wheel holds the package and nothing else, and the links at the root lead into it."""

import importlib.util
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import cndts

ROOT = Path(__file__).resolve().parents[1]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Names inside a wheel built from a copy of the sources, without network."""
    pytest.importorskip("setuptools", minversion="77", reason="building the wheel needs setuptools>=77")
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    # A copy, because setuptools packs whatever an earlier build has left in build/.
    for path in [*ROOT.glob("*.toml"), ROOT / "README.md", ROOT / "LICENSE", *ROOT.glob("cndts/**/*")]:
        if path.is_file() and "__pycache__" not in path.parts:
            target = source / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    for name in ("tests", "docs", "benchmarks", "notebooks"):
        (source / name).mkdir()
        (source / name / "stray.py").write_text("")
    for name in ("estimators", "datasets"):
        (source / name).symlink_to(Path("cndts") / name)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", out, source]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_wheel_holds_every_module(wheel_names: list[str]) -> None:
    """Each module of the checkout, and the typing marker, is packed."""
    modules = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("cndts/**/*.py")}
    assert modules | {"cndts/py.typed"} <= set(wheel_names)


def test_wheel_holds_nothing_else(wheel_names: list[str]) -> None:
    """No top-level `datasets` or `tests` is installed."""
    assert {name.split("/")[0] for name in wheel_names} == {"cndts", f"cndts-{CONFIG['project']['version']}.dist-info"}


def test_every_folder_with_modules_is_a_package() -> None:
    """A folder without `__init__.py` would import here and be missing from the wheel."""
    folders = {path.parent for path in ROOT.glob("cndts/**/*.py")}
    assert not [folder for folder in folders if not (folder / "__init__.py").is_file()]


def test_version_is_said_once() -> None:
    """What is installed is what the checkout says."""
    if cndts.__version__ == "0+unknown":
        pytest.skip("cndts runs from a checkout that is not installed")
    assert CONFIG["project"]["version"] == cndts.__version__


@pytest.mark.parametrize("name", ["estimators", "datasets"])
def test_links_at_the_root_are_relative(name: str) -> None:
    """The root shows the folders; a clone without symlinks has small text files instead."""
    link = ROOT / name
    if link.is_symlink():
        assert link.readlink() == Path("cndts") / name
    else:
        assert link.read_text(encoding="utf-8").strip() == f"cndts/{name}"


def test_datasets_found_under_its_bare_name_explains_itself() -> None:
    """Python started at the root finds the link before an installed `datasets`; the message says what happened."""
    spec = importlib.util.spec_from_file_location("datasets", ROOT / "cndts" / "datasets" / "__init__.py")
    assert spec is not None and spec.loader is not None
    with pytest.raises(ImportError, match=r"source folder of cndts\.datasets.*import cndts\.datasets"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
