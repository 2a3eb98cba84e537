"""``catalina new NAME [--flask|--django|--wsgi]``: makes a project that builds a wheel and tests its sessions."""

from __future__ import annotations

import argparse
import keyword
import re
import secrets
import sys
import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from catalina.errors import CatalinaError, ConfigurationError

__all__ = ["KINDS", "main", "write_project"]

KINDS = ("flask", "django", "wsgi")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*", re.ASCII)
#: Modules that the project would hide, or be hidden by.
_TAKEN = frozenset({*sys.stdlib_module_names, *KINDS, "catalina", "tests", "manage"})


def main(words: Sequence[str]) -> int:
    """Write a project into the current directory; returns the exit code."""
    parser = argparse.ArgumentParser(prog="catalina new", description="Begin a project of an application.")
    parser.add_argument("name", metavar="NAME", help="the project's directory and context path: shop, my-shop")
    kinds = parser.add_mutually_exclusive_group()
    for kind in KINDS:
        text = (
            f"a {kind.capitalize()} application" if kind != "wsgi" else "a plain WSGI application, if nothing is said"
        )
        kinds.add_argument(f"--{kind}", dest="kind", action="store_const", const=kind, help=text)
    options = parser.parse_args(list(words))
    try:
        directory = write_project(Path.cwd(), options.name, options.kind or "wsgi")
    except CatalinaError as error:
        print(f"catalina new: {error}", file=sys.stderr)
        return 1
    print(f"Made {directory}. Next:\n    cd {options.name}\n    pip install -e '.[test]'\n    catalina run . --reload")
    return 0


def write_project(parent: Path, name: str, kind: str) -> Path:
    """Write a project of a kind into a new directory of its name.

    Raises:
        ConfigurationError: the name is unsuitable or taken.
    """
    package = name.replace("-", "_")
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r}: expected small letters, digits and - or _ between them, such as my-shop")
    if keyword.iskeyword(package) or package in _TAKEN:
        raise ConfigurationError(f"{name!r} is the name of a Python module that the project would hide")
    directory = parent / name
    try:
        directory.mkdir()
    except OSError as error:
        raise ConfigurationError(f"{directory}: {error.strerror}") from error
    values = {"NAME": name, "PACKAGE": package, "SECRET": secrets.token_urlsafe(38)}
    templates = tomllib.loads(files("catalina.development").joinpath("templates.toml").read_text("utf-8"))
    for file, text in {**templates["all"], **templates[kind]}.items():
        target = directory / _filled(file, values)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_filled(text, values), "utf-8")
    return directory


def _filled(text: str, values: dict[str, str]) -> str:
    return re.sub("@(NAME|PACKAGE|SECRET)@", lambda found: values[found[1]], text)
