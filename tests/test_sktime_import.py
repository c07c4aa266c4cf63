"""Without sktime everything else works, and what needs it says so."""

import re
import runpy
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "cndts"
ADAPTERS = PACKAGE / "estimators" / "sktime"


def test_nothing_else_imports_sktime() -> None:
    """Importing ``cndts.estimators`` therefore does not load it."""
    pattern = re.compile(r"^\s*(from|import) (sktime|cndts\.estimators\.sktime)\b", flags=re.MULTILINE)
    others = [path for path in PACKAGE.rglob("*.py") if ADAPTERS not in path.parents]
    assert [path.name for path in others if pattern.search(path.read_text(encoding="utf-8"))] == []


def test_its_absence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sktime", None)
    with pytest.raises(ImportError, match=r'needs sktime: pip install "cndts\[sktime\]"'):
        runpy.run_path(str(ADAPTERS / "__init__.py"))
