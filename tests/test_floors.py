"""An import only ever goes down (ARCHITECTURE.md, "Floors")."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

#: From the top down; packages and modules in one line stand on the same floor and may import each other.
FLOORS = (
    ("manager", "testing"),
    ("startup", "development"),
    ("jmx",),
    ("ha",),
    ("core", "valves", "realm", "authenticator", "loader", "naming", "mapper", "servlets", "filters", "users", "deploy",
     "descriptor", "webresources", "webapp", "contrib", "security", "util", "tomcat"),
    ("connector",),
    ("session",),
    ("coyote",),
    ("tribes",),
    ("juli",),
    ("digester",),
    ("mbeans",),
    ("reactor", "java_pattern", "java_properties", "simple_date_format", "repeated_messages", "polling"),
    ("attributes", "operations", "lifecycle", "errors", "extras", "__init__"),
)  # fmt: skip

LEVEL = {name: len(FLOORS) - number for number, names in enumerate(FLOORS) for name in names}

#: Named by configuration files of every floor: small classes that import nothing above what uses them.
ANYWHERE = ("catalina.tomcat.", "catalina.util.")


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / "catalina").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts), path


def floor(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Modules of ours that are imported when the file is imported; those only for the type checker do not count."""
    tree = ast.parse(path.read_text("utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith("catalina."):
                yield name, node.lineno


def climbs(module: str, imported: str) -> bool:
    if imported.startswith(ANYWHERE) or module.startswith(ANYWHERE):
        return imported.startswith(("catalina.startup.", "catalina.ha.")) and not module.startswith("catalina.startup.")
    # What is not a module is a name of the package itself, such as __version__.
    return LEVEL.get(floor(imported), 0) > LEVEL[floor(module)]


def test_no_module_imports_from_a_floor_above() -> None:
    wrong = [
        f"{path}:{line} imports {name}"
        for module, path in modules()
        for name, line in imports(path)
        if climbs(module, name)
    ]
    assert wrong == []


def test_every_package_has_a_floor() -> None:
    found = {
        path.stem for path in (ROOT / "catalina").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert sorted(found - set(LEVEL)) == []


def test_tribes_can_be_used_without_the_container() -> None:
    allowed = ("catalina.tribes.", "catalina.attributes", "catalina.lifecycle", "catalina.errors", "catalina.reactor",
               "catalina.repeated_messages", "catalina.extras", "catalina.operations")  # fmt: skip
    wrong = [
        f"{path}:{line} imports {name}"
        for module, path in modules()
        if module.startswith("catalina.tribes.")
        for name, line in imports(path)
        if not name.startswith(allowed)
    ]
    assert wrong == []
