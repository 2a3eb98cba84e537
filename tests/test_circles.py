"""Modules that know each other, the imports for the type checker included (ARCHITECTURE.md, "Circles")."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

#: The circles that are meant: the package that all modules of some are in, and how many each may have.
MEANT = {"catalina.core": [21], "catalina.connector": [7], "catalina.ha": [14], "catalina.session": [7]}


def read_modules() -> dict[str, Path]:
    found = {}
    for path in (ROOT / "catalina").rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(tree: ast.AST, known: Iterable[str]) -> Iterator[str]:
    """Every module that is imported somewhere in a file, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in known else node.module


def graph_of(modules: dict[str, Path]) -> dict[str, set[str]]:
    return {
        name: {
            each
            for each in imported(ast.parse(path.read_text("utf-8")), modules)
            if each in modules and each != name
        }
        for name, path in modules.items()
    }  # fmt: skip


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    left = [start]
    while left:
        for each in graph[left.pop()] - seen:
            seen.add(each)
            left.append(each)
    return seen


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Sets of modules of which each can be reached from each; the largest first."""
    reach = {name: reachable(graph, name) for name in graph}
    found: list[set[str]] = []
    for name in graph:
        if name in reach[name] and not any(name in circle for circle in found):
            found.append({each for each in reach[name] if name in reach[each]})
    return sorted(found, key=len, reverse=True)


def test_a_circle_is_found_whatever_leads_out_of_it() -> None:
    graph = {"a": {"b", "d"}, "b": {"c"}, "c": {"a"}, "d": {"e"}, "e": set(), "f": {"a", "g"}, "g": {"f"}}
    assert circles(graph) == [{"a", "b", "c"}, {"f", "g"}]


def test_only_the_circles_that_are_meant_are_there() -> None:
    left = {name: list(sizes) for name, sizes in MEANT.items()}
    unmeant = []
    for circle in sorted(circles(graph_of(read_modules())), key=len, reverse=True):
        sizes = next((left[name] for name in left if all(each.startswith(f"{name}.") for each in circle)), [])
        if not sizes or len(circle) > sizes.pop(0):
            unmeant.append(sorted(circle))
    assert unmeant == []
