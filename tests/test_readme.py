"""What the README shows works."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cndts.cli import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_ten_lines_run() -> None:
    """The Python example runs as it stands, and its comments are true."""
    (example,) = blocks("python")
    names: dict = {}
    exec(compile(example, "README.md", "exec"), names)  # noqa: S102 - the example is ours
    assert len(names["y_hat"]) == 10
    assert names["bands"].shape == (len(names["y"][50:].value), 3)
    assert names["later"].n_events == 10 * 2 * len(names["panel"].channels)


@pytest.mark.parametrize("line", re.findall(r"^cndts .+$", README, flags=re.MULTILINE))
def test_commands_exist_with_their_options(line: str) -> None:
    """Each command of the README is known, and so is every option it uses."""
    command, *words = line.split()[1:]
    shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).stdout
    for option in (word for word in words if word.startswith("--")):
        assert re.search(rf"{option}\b", shown)


def test_make_targets_exist() -> None:
    """Every `make` target that the README and CONTRIBUTING name is in the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    prose = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", prose, flags=re.MULTILINE)) <= targets


def test_links_lead_somewhere() -> None:
    """Relative links point at files of the checkout."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
