"""Imports inside the package point one way, from the estimators down to the containers."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "cndts"

# From the ground up: a part may import what stands above it here, never what stands beside or below it.
ORDER = [
    ["_whole_file", "_nearest_name"],
    ["_ragged", "_layers", "_parameters", "_storable", "event_batch", "persistence", "rank_scale", "static_features"],
    ["queries", "targets", "panel", "parquet_panel", "tasks", "metrics", "plotting"],
    ["distributions", "event_chunks", "datasets", "missingness", "scaling", "transforms"],
    ["batching", "dynamics", "protocols"],
    ["memory"],
    ["backbones", "heads"],
    ["training"],
    ["streaming"],
    ["inspect"],
    ["estimators"],
    ["benchmarking", "export"],
    ["report"],
    ["cli"],
]
LAYERS = {name: level for level, names in enumerate(ORDER) for name in names}
# The containers, tasks and metrics may import each other, as long as that makes no cycle.
NEIGHBOURS_ALLOWED = {2}
CONTAINERS = {"_ragged", "_whole_file", "queries", "targets", "panel"}
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def part(module: str) -> str:
    """The layer entry of a module: ``cndts.panel``, ``cndts._panel_validation`` -> ``panel``."""
    name = module.split(".")[1]
    owners = [known for known in LAYERS if name.startswith(f"_{known}_")]
    return max(owners, key=len, default=name)


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_modules(tree: ast.AST) -> set[str]:
    """Modules of the package that the tree imports, inside functions and for typing too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            if node.module == "cndts":
                found.update(f"cndts.{alias.name}" for alias in node.names if alias.name.islower())
            elif (node.module or "").startswith("cndts."):
                found.add(node.module)
                found.update(f"{node.module}.{a.name}" for a in node.names if is_module(f"{node.module}.{a.name}"))
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names if alias.name.startswith("cndts."))
    return found


def is_module(name: str) -> bool:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def without_typing_imports(tree: ast.Module) -> ast.Module:
    """The module without its ``if TYPE_CHECKING`` blocks."""

    class Dropper(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | None:
            return None if "TYPE_CHECKING" in ast.unparse(node.test) else self.generic_visit(node)

    return Dropper().visit(tree)


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_point_down(path: Path) -> None:
    """No module imports from its own level or above, except inside its own part."""
    source = part(module_name(path))
    assert source in LAYERS, f"{source} is a new part: give it a place in ORDER"
    for target in map(part, sorted(imported_modules(parse(path)))):
        if target == source:
            continue
        neighbours = LAYERS[target] == LAYERS[source] and LAYERS[source] in NEIGHBOURS_ALLOWED
        assert neighbours or LAYERS[target] < LAYERS[source], f"{module_name(path)} must not import cndts.{target}"
        if source == "datasets":
            assert target in CONTAINERS, f"{module_name(path)} may import the containers alone, not cndts.{target}"


def test_no_import_cycles() -> None:
    """Following imports, lazy ones included, never leads back to the start."""
    graph = {module_name(path): imported_modules(without_typing_imports(parse(path))) for path in MODULES}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, "import cycle: " + " -> ".join([*trail[trail.index(name) :], name])
        if name in done:
            return
        for target in sorted(graph.get(name, ())):
            if not name.startswith(f"{target}."):
                visit(target, (*trail, name))
        done.add(name)

    done: set[str] = set()
    for name in sorted(graph):
        visit(name, ())


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_no_star_import(path: Path) -> None:
    """Every imported name is spelled out."""
    stars = [
        node.lineno
        for node in ast.walk(parse(path))
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
    ]
    assert not stars


def test_no_module_is_named_after_nothing() -> None:
    """A module is named after what it does."""
    assert not [str(p) for p in MODULES if BANNED_NAMES & {name.strip("_") for name in [p.stem, *p.parent.parts[-1:]]}]
