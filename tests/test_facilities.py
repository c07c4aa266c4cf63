"""The table of docs/scikit_learn.rst: every verdict is one of three, and every test it names is there."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "scikit_learn.rst").read_text(encoding="utf-8")
TABLE = PAGE.partition("\nWhat works\n")[2].partition("\nVersions\n")[0]
ROWS = [row for row in re.split(r"\n    \* - ", TABLE)[1:] if not row.startswith("Facility")]


def columns(row: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"\n      -", row)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.partition("\n")[0])
def test_row_is_backed(row):
    _, verdict, _, shown = columns(row)
    assert verdict in ("works", "with a note", "cannot")
    named = re.findall(r"``(\w+\.py)::(\w+)``", shown)
    assert named
    for file, test in named:
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        assert test in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)], f"{file}::{test}"


def test_table_has_rows():
    assert len(ROWS) > 25
    assert {columns(row)[1] for row in ROWS} == {"works", "with a note", "cannot"}
