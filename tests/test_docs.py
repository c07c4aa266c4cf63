"""The documentation builds without a warning, its examples and commands work, and no public name is left out."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import cndts
from cndts.cli import app

DOCS = Path(__file__).parents[1] / "docs"
PUBLIC = (
    "cndts",
    "cndts.datasets",
    "cndts.estimators",
    "cndts.metrics",
    "cndts.tasks",
    "cndts.protocols",
    "cndts.missingness",
    "cndts.transforms",
    *(["cndts.estimators.sktime"] if find_spec("sktime") else []),
)
NEEDED = ("sphinx", "numpydoc", "pydata_sphinx_theme", "matplotlib", "sktime")
MISSING = [name for name in NEEDED if find_spec(name) is None]

needs_sphinx = pytest.mark.skipif(
    bool(MISSING), reason=f'building the documentation needs {", ".join(MISSING)}: pip install "cndts[docs]"'
)


def pages() -> list[Path]:
    """The pages that people wrote."""
    return [page for page in sorted(DOCS.rglob("*.rst")) if not {"generated", "_build", "_templates"} & {*page.parts}]


def commands(page: Path) -> list[str]:
    """The lines of a page that call ``cndts`` in a shell."""
    joined = re.sub(r" *\\\n +", " ", page.read_text(encoding="utf-8"))
    return re.findall(r"^ +\$ (cndts .*)$", joined, flags=re.MULTILINE)


# ---- the build ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, since API pages are generated beside the pages that list them."""
    copy = tmp_path_factory.mktemp("docs") / "docs"
    shutil.copytree(DOCS, copy, ignore=shutil.ignore_patterns("_build", "generated", "__pycache__"))
    return copy


def build(source: Path, builder: str) -> subprocess.CompletedProcess[str]:
    paths = [str(Path(cndts.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    options = ["-W", "--keep-going", "-q", "-b", builder, "-d", str(source.parent / "doctrees")]
    return subprocess.run(
        [sys.executable, "-P", "-m", "sphinx", *options, str(source), str(source.parent / builder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@needs_sphinx
def test_pages_build_without_warnings(source: Path) -> None:
    done = build(source, "html")
    assert done.returncode == 0, done.stderr
    assert (source.parent / "html" / "index.html").is_file()


@needs_sphinx
def test_examples_on_pages_run(source: Path) -> None:
    done = build(source, "doctest")
    assert done.returncode == 0, done.stdout + done.stderr
    summary = (source.parent / "doctest" / "output.txt").read_text(encoding="utf-8")
    assert re.search(r"^ *[1-9]\d* tests$", summary, flags=re.MULTILINE), summary


# ---- what pages must hold ----------------------------------------------------------------------


def listed_objects() -> list[object]:
    """Whatever stands in an autosummary of an API page."""
    found: list[object] = []
    for page in sorted((DOCS / "api").glob("*.rst")):
        if page.stem == "sktime" and find_spec("sktime") is None:
            continue  # what it lists cannot be imported
        module, inside = "", False
        for line in page.read_text(encoding="utf-8").splitlines():
            if line.startswith(".. currentmodule:: "):
                module = line.split()[-1]
            if line.strip() and not line.startswith(" "):
                inside = line.startswith(".. autosummary::")
            elif inside and re.fullmatch(r"    [A-Za-z_][\w.]*", line):
                found.append(resolve(module, line.strip()))
    return found


def resolve(module: str, name: str) -> object:
    """``Name`` or ``part.Name`` as seen from a module."""
    *path, last = name.split(".")
    home = import_module(".".join([module, *path]))
    return getattr(home, last)


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_on_an_api_page(module: str) -> None:
    listed = {id(each) for each in listed_objects()}
    home = import_module(module)
    names = [name for name in home.__all__ if name != "__version__"]
    assert names
    assert [name for name in names if id(getattr(home, name)) not in listed] == []


def test_nothing_is_listed_twice() -> None:
    listed = listed_objects()
    assert len({id(each) for each in listed}) == len(listed)


def test_decisions_have_the_ending_that_is_built() -> None:
    others = [path.name for path in (DOCS / "decisions").iterdir() if path.suffix != ".rst"]
    assert others == [], "pages under docs/decisions must end in .rst, or they are not built"


def test_every_command_has_a_section() -> None:
    sections = re.findall(r"^(.+)\n-+$", (DOCS / "command_line.rst").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(sections) == sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("line", [line for page in pages() for line in commands(page)])
def test_commands_on_pages_parse(line: str) -> None:
    command = typer.main.get_command(app)
    for part in command.commands.values():  # type: ignore[attr-defined]
        for each in (part, *getattr(part, "commands", {}).values()):
            each.callback = lambda **options: None
    command.main(shlex.split(line)[1:], prog_name="cndts", standalone_mode=False)  # raises on wrong usage


def test_commands_of_getting_started_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cndts.datasets import make_icu

    monkeypatch.chdir(tmp_path)
    make_icu(30).to_long(record="patient", time="hours", channel="variable").to_csv("vitals.csv", index=False)
    lines = commands(DOCS / "getting_started.rst")
    assert [line.split()[1] for line in lines] == ["fit", "predict", "evaluate"]
    for line in lines:
        done = CliRunner().invoke(app, shlex.split(line)[1:])
        assert done.exit_code == 0, done.output
    header, *rows = Path("next.csv").read_text(encoding="utf-8").splitlines()
    assert header == "patient,hours,variable,value,lower,upper"
    assert len(rows) == 30 * 2 * 2
