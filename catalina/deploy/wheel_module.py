"""The WSGI callable of a wheel that names none: a module with ``application`` or ``app``, found without running it."""

from __future__ import annotations

import ast
import zipfile
from collections.abc import Iterator

from packaging.utils import canonicalize_name

from catalina.deploy.wheel import Wheel

__all__ = ["find_callable"]

_MAX_SOURCE = 2**20  # bytes


def find_callable(wheel: Wheel, archive: zipfile.ZipFile) -> str | None:
    """``shop.wsgi:application``, None when no module has one.

    Looked at: ``<package>/wsgi.py``, ``<package>/app.py``, the package itself or the module, of each top-level name,
    the one called like the distribution first; ``application`` before ``app``.
    """
    for attribute in ("application", "app"):
        for module, name in _candidates(wheel):
            if attribute in _names_of(archive, name):
                return f"{module}:{attribute}"
    return None


def _candidates(wheel: Wheel) -> Iterator[tuple[str, str]]:
    tops = {name.partition("/")[0].removesuffix(".py") for name in wheel.names if name.endswith(".py")}
    present = set(wheel.names)
    for top in sorted(tops, key=lambda top: (canonicalize_name(top) != wheel.name, top)):
        for module, name in (
            (f"{top}.wsgi", f"{top}/wsgi.py"),
            (f"{top}.app", f"{top}/app.py"),
            (top, f"{top}/__init__.py"),
            (top, f"{top}.py"),
        ):
            if name in present:
                yield module, name


def _names_of(archive: zipfile.ZipFile, name: str) -> set[str]:
    """The names that a module's top level binds."""
    if archive.getinfo(name).file_size > _MAX_SOURCE:
        return set()
    try:
        tree = ast.parse(archive.read(name))
    except (SyntaxError, ValueError):
        return set()  # a file for another Python version is no candidate
    return {bound for statement in tree.body for bound in _bound_by(statement)}


def _bound_by(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield statement.name
        case ast.Assign():
            yield from (target.id for target in statement.targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None:
            yield name
        case ast.ImportFrom():
            yield from (alias.asname or alias.name for alias in statement.names)
        case ast.If() | ast.Try():
            for inner in statement.body:
                yield from _bound_by(inner)
