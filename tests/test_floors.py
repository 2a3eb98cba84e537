"""An import only ever goes down (ARCHITECTURE.md, "Floors")."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

#: From the top down. Every package stands on a floor of its own; modules in one line import nothing of each other.
#: ``tomcat.dbcp`` and its siblings are packages of Tomcat's own, each with its place.
FLOORS = (
    ("__main__",),
    ("manager",),
    ("testing",),
    ("development",),
    ("startup",),
    ("workers",),
    ("jmx",),
    ("ha",),
    ("contrib",),
    ("security",),
    ("authenticator",),
    ("filters",),
    ("servlets",),
    ("core",),
    ("valves",),
    ("realm",),
    ("users",),
    ("mapper",),
    ("webapp",),
    ("loader",),
    ("deploy",),
    ("tomcat.dbcp",),
    ("tomcat.jdbc",),
    ("naming",),
    ("webresources",),
    ("descriptor",),
    ("connector",),
    ("session",),
    ("tomcat.util",),
    ("util",),
    ("coyote",),
    ("tribes",),
    ("juli",),
    ("digester",),
    ("mbeans",),
    ("java_pattern",),
    ("lifecycle", "operations", "reactor"),
    ("attributes",),
    ("node_state",),
    ("errors",),
    ("extras", "place", "polling", "repeated_messages", "simple_date_format", "__init__", "tomcat"),
)

LEVEL = {name: len(FLOORS) - number for number, names in enumerate(FLOORS) for name in names}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / "catalina").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts), path


def floor(module: str) -> str:
    """``tomcat.util`` of ``catalina.tomcat.util.net.keystore``, ``core`` of ``catalina.core.standard_host``."""
    parts = module.split(".")[1:] or ["__init__"]
    two = ".".join(parts[:2])
    if two in LEVEL:
        return two
    return parts[0] if parts[0] in LEVEL else "__init__"  # a name of the package itself, such as __version__


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
    return LEVEL[floor(imported)] >= LEVEL[floor(module)] and floor(imported) != floor(module)


def test_no_module_imports_from_a_floor_above() -> None:
    wrong = [
        f"{path}:{line} imports {name}"
        for module, path in modules()
        for name, line in imports(path)
        if climbs(module, name)
    ]
    assert wrong == []


def test_every_package_has_a_floor_of_its_own() -> None:
    places = [*(ROOT / "catalina").iterdir(), *(ROOT / "catalina" / "tomcat").iterdir()]
    packages = {
        str(path.relative_to(ROOT / "catalina")).replace("/", ".") for path in places if (path / "__init__.py").exists()
    }
    files = {path.stem for path in (ROOT / "catalina").glob("*.py")}
    assert sorted((packages | files) ^ set(LEVEL)) == []
    assert [names for names in FLOORS if len(names) > 1 and set(names) & packages - {"tomcat"}] == []


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
