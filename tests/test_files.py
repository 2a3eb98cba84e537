"""A file is as small as its idea, and no smaller: an operator types its name, or it has two users, or some length.

A short file with one user is a part of that user: whoever reads one must open both.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from catalina.attributes import Component
from catalina.digester.class_names import snake_case

ROOT = Path(__file__).parents[1]
#: Lines from which a file stands alone, and lines that the file of its user must not exceed by taking it in.
ENOUGH, TOO_MANY = 140, 500

#: The short files of one user that stand alone, and why.
MEANT = {
    "catalina/__main__.py": "the command itself",
    "catalina/development/source_watch.py": "looks at files alone; run_command.py starts and stops processes",
    "catalina/naming/hikari_factory.py": "loaded when a resource is of that kind",
    "catalina/naming/mail_session.py": "loaded when a resource is of that kind",
    "catalina/startup/application_logging.py": "loggers alone; context_config.py reads descriptors",
    "catalina/startup/arbiter_log.py": "a logger in the shape that gunicorn prescribes",
    "catalina/startup/pool_program.py": "the first module of another program, which imports little before it looks",
}

#: Lines that a function may have, and the functions that have more.
LONG = 50
MEANT_LONG = {"catalina/reactor.py:__init__": "declares each of its slots, with the reason beside it"}


def sources() -> list[Path]:
    return sorted(path for path in (ROOT / "catalina").rglob("*.py") if path.name != "__init__.py")


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imported(tree: ast.AST, modules: set[str]) -> Iterator[str]:
    """The modules of ours that a file imports somewhere, for the type checker alone, too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in modules else node.module for name in names)


def users() -> dict[str, set[Path]]:
    """The files that import each module, or name it in a string, as a table of what is loaded by name does."""
    modules = {module_of(path) for path in sources()}
    found: dict[str, set[Path]] = {name: set() for name in modules}
    for path in (ROOT / "catalina").rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        named = (
            re.split("[: ]", text)[0] for text in strings if isinstance(text, str) and text.startswith("catalina.")
        )
        names = {each for name in named for each in (name, name.rpartition(".")[0])}  # the module, or a class of it
        for name in {*imported(tree, modules), *names} & modules - {module_of(path)}:
            found[name].add(path)
    return found


def is_named(path: Path, everything: str) -> bool:
    """True when an operator, an application or a script names the module, or the class that gave the file its name."""
    module = module_of(path)
    classes = [node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.ClassDef)]
    own = [name for name in classes if snake_case(name) == path.stem]
    if own and issubclass(getattr(importlib.import_module(module), own[0]), Component):
        return True  # an element of server.xml
    package = module_of(path.parent)
    java = package.removeprefix("catalina.") if package.startswith(("catalina.tomcat", "catalina.naming")) else package
    names = [module, *(f"org.apache.{java}.{name}" for name in own)]
    return any(re.search(rf"{re.escape(name)}\b", everything) for name in names)


def named_texts() -> str:
    """The texts in which operators and applications name things: settings, scripts, documents."""
    places = [
        *(ROOT / "conf").rglob("*"), *(ROOT / "bin").rglob("*"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"),
        *(ROOT / "webapps").rglob("*.xml"), *(ROOT / "tests" / "corpus").rglob("*.xml"),
        ROOT / "tests" / "tomcat_attributes.txt", ROOT / "catalina" / "tribes" / "README.md",
    ]  # fmt: skip
    return "\n".join(path.read_text("utf-8", "replace") for path in places if path.is_file())


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


@cache
def crumbs() -> dict[str, str]:
    """Short files that belong into another one: path -> the path of that one."""
    used, everything, found = users(), named_texts(), {}
    for path in sources():
        (user, *others) = used[module_of(path)] or {path}
        length = lines(path)
        if length >= ENOUGH or others or (user != path and length + lines(user) > TOO_MANY):
            continue
        if user.parent == path.parent and not is_named(path, everything):
            found[str(path.relative_to(ROOT))] = str(user.relative_to(ROOT))
    return found


def test_every_short_file_has_a_name_or_two_users() -> None:
    assert {path: user for path, user in crumbs().items() if path not in MEANT} == {}


def test_every_exception_is_one() -> None:
    assert sorted(MEANT.keys() - crumbs().keys()) == []


def test_no_function_is_longer_than_a_page() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > LONG
    }
    assert sorted(found - MEANT_LONG.keys()) == []


def test_a_program_starts_in_the_last_line_of_its_file() -> None:
    """A name below the start is not defined yet when the file runs as a program."""
    too_early = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources()
        if "__name__" in (text := path.read_text("utf-8"))
        for node in ast.parse(text).body[:-1]
        if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)
    ]
    assert too_early == []
