"""The tables of docs/scikit_learn.rst and docs/sktime.rst: every verdict is one of three, and every test they name is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
DOCS = TESTS.parent / "docs"
VERDICTS = {"works", "with a note", "cannot"}


def rows(page: str) -> list[str]:
    """Rows of the table under "What works", without its head."""
    text = (DOCS / page).read_text(encoding="utf-8").partition("\nWhat works\n")[2]
    table = re.split(r"\n[^\n]+\n-{3,}\n", text.lstrip("-\n"))[0]
    return re.split(r"\n    \* - ", table)[2:]


def columns(row: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"\n      -", row)]


@cache
def defined_in(file: str) -> set[str]:
    """Names of the tests of a file; of those in classes ``TestClass::test_name``."""
    body = ast.parse((TESTS / file).read_text(encoding="utf-8")).body
    kinds = [node for node in body if isinstance(node, ast.ClassDef)]
    found = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    return found | {
        f"{kind.name}::{node.name}" for kind in kinds for node in kind.body if isinstance(node, ast.FunctionDef)
    }


TABLES = {page: rows(page) for page in ("scikit_learn.rst", "sktime.rst")}
ROWS = [
    pytest.param(row, id=f"{page.partition('.')[0]}: {columns(row)[0]}")
    for page, table in TABLES.items()
    for row in table
]


@pytest.mark.parametrize("row", ROWS)
def test_row_is_backed(row: str) -> None:
    """By tests that are named with their file, each of which is in that very file."""
    _, verdict, _, shown = columns(row)
    assert verdict in VERDICTS
    named = re.findall(r"``([^`]+)``", shown)
    assert named
    for reference in named:
        file, _, test = reference.partition("::")
        assert re.fullmatch(r"test_\w+\.py", file), f"{reference} names no file"
        assert test.rpartition("::")[2].startswith("test_")
        assert test in defined_in(file), f"{reference} is not there"


@pytest.mark.parametrize(("page", "least"), [("scikit_learn.rst", 30), ("sktime.rst", 25)])
def test_table_has_rows(page: str, least: int) -> None:
    """A moved heading must not turn the tests above into none."""
    assert len(TABLES[page]) >= least
    assert {columns(row)[1] for row in TABLES[page]} == VERDICTS
    assert len({columns(row)[0] for row in TABLES[page]}) == len(TABLES[page])
