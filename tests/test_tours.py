"""Each package of more than five modules has a tour in its ``__init__``, which tells what its modules are for."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: More modules than that, and nobody finds the way by their names alone.
FEW = 5

PACKAGES = {
    str(folder.relative_to(ROOT)): modules
    for folder in sorted(file.parent for file in (ROOT / "catalina").rglob("__init__.py"))
    if len(modules := sorted(file.stem for file in folder.glob("*.py") if file.stem != "__init__")) > FEW
}


def tour(package: str) -> str:
    """The docstring of the package, and the comments of a package that exports names."""
    text = (ROOT / package / "__init__.py").read_text("utf-8")
    comments = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    return f"{ast.get_docstring(ast.parse(text)) or ''}\n{comments}"


@pytest.mark.parametrize("package", PACKAGES)
def test_each_module_of_a_large_package_is_named_in_its_tour(package: str) -> None:
    words = set(re.findall(r"\w+", tour(package)))
    assert [module for module in PACKAGES[package] if module not in words] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_tour_names_a_module_that_is_not_there(package: str) -> None:
    modules = (ROOT / package).glob("*.py")
    known = {path.stem for path in (ROOT / package).iterdir()}.union(
        *[re.findall(r"(?:def|class) (\w+)", module.read_text("utf-8")) for module in modules]
    )
    named = re.findall(r"``([a-z]\w*_\w+)(?:\.py)?``", tour(package))
    assert [name for name in named if name.islower() and name not in known] == []


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "tests/README.md"])
def test_the_guides_for_those_who_change_something_name_what_is_there(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    paths = [
        path
        for path in re.findall(r"`((?:[\w-]+/)+[\w-]+\.\w+|[a-z]\w*_\w+\.py)`", text)
        if not re.search(r"NAME|/x/", path)
    ]
    everything = {str(path.relative_to(ROOT)) for path in ROOT.glob("[a-z]*/**/*") if ".venv" not in path.parts}
    everything |= {path.name for path in ROOT.iterdir()}
    assert paths
    assert [path for path in paths if not any(each == path or each.endswith("/" + path) for each in everything)] == []


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "tests/README.md"])
def test_the_names_that_they_give_are_defined_where_they_say(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    for file, names in re.findall(r"`(tests/[\w/]+\.py)`: ((?:`\w+(?:\([\w, ]*\))?`(?:, | and )?)+)", text):
        source = (ROOT / file).read_text("utf-8")
        for name in re.findall(r"`(\w+)", names):
            assert re.search(rf"(?:def|class) {name}\b|^{name}\b", source, re.M), (file, name)
