"""``Any`` in a signature switches the type checker off for whatever goes through it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

#: The largest number that is allowed. The remaining ones are values that an application gets, and libraries without
#: types; a value of unknown type is an ``object``, and code that needs a few members of another class names a protocol.
MOST = 100


def loose(source: str) -> Iterator[int]:
    """The line of each ``Any`` that is a whole annotation of a parameter or a result; ``**values: Any`` may be."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = node.args
            named = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
            for annotation in (*(each.annotation for each in named), node.returns):
                if isinstance(annotation, ast.Name) and annotation.id == "Any":
                    yield annotation.lineno


def test_what_counts_is_an_annotation_that_says_nothing() -> None:
    assert list(loose("def f(a: Any, b: list[Any], *c: Any, **d: Any) -> Any: ...")) == [1, 1]
    assert list(loose("class A:\n    x: Any\n    def f(self, a: int) -> Any | None: ...")) == []


def test_few_signatures_say_nothing() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / "catalina").rglob("*.py"))
        for line in loose(path.read_text("utf-8"))
    ]
    assert len(found) <= MOST, "\n".join(found)


def test_whether_an_attribute_was_given_is_asked_of_the_component() -> None:
    """``vars()`` has a value that nobody gave as soon as a component has settled its attributes."""
    asked = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "catalina").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Compare)
        and any(isinstance(operator, ast.In | ast.NotIn) for operator in node.ops)
        and any(isinstance(each, ast.Call) and ast.unparse(each) == "vars(self)" for each in node.comparators)
    ]
    assert asked == []
