"""Finds the application that ``catalina run`` shall serve, without running any of it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalina.deploy.archive import is_archive_name
from catalina.deploy.wheel_module import bound_names
from catalina.errors import ConfigurationError
from catalina.loader.search_path import bare_module
from catalina.startup.bare_application import CALLABLES

__all__ = ["DISTRIBUTABLE", "Project", "find_project"]

#: Groups of entry points that name applications; sessions of those in the first group may travel.
DISTRIBUTABLE = "catalina.webapp.distributable"
GROUPS = (DISTRIBUTABLE, "catalina.webapp")

_EXPECTED = (
    "expected module:callable, a .py file, a wheel, zip or war, or a directory that has wsgi.py or app.py, WEB-INF, "
    "a pyproject.toml with an entry point in the group catalina.webapp, or manage.py beside the package of a wsgi.py"
)


@dataclass(frozen=True, slots=True)
class Project:
    """An application in place.

    Args:
        root: absolute; the directory that its modules are imported from, or the archive.
        callable: ``module:name``; empty when the container finds it by itself.
        distributable: its pyproject.toml says that its sessions may travel.
        sources: absolute; the directory or the archive whose changes are the application's.
    """

    root: Path
    callable: str
    distributable: bool
    sources: Path

    @property
    def is_archive(self) -> bool:
        """True for a file that the container unpacks."""
        return self.root.is_file()


def find_project(text: str, here: Path) -> Project:
    """The application that a word of the command line names.

    Args:
        here: the current directory.

    Raises:
        ConfigurationError: there is none; the text names the accepted forms.
    """
    path = (here / text).absolute()
    if path.is_dir():
        return _in_directory(path)
    if path.is_file():
        if is_archive_name(path.name):
            return Project(path, "", False, path)
        if path.suffix == ".py" and path.stem.isidentifier():
            return Project(path.parent, f"{path.stem}:{_callable_in(path)}", False, path.parent)
        raise ConfigurationError(f"{text}: {_EXPECTED}")
    module, colon, name = text.partition(":")
    if colon and all(part.isidentifier() for part in (*module.split("."), *name.split("."))):
        return Project(_root_of(here, module), text, False, here)
    raise ConfigurationError(f"{text}: neither a file nor a directory; {_EXPECTED}")


def _in_directory(directory: Path) -> Project:
    module = bare_module(str(directory))
    if (directory / "WEB-INF").is_dir() or (module is not None and "." not in module):
        return Project(directory, "", False, directory)
    named = _entry_point(directory / "pyproject.toml")
    if named is not None:
        group, target = named
        root = _root_of(directory, target.partition(":")[0])
        return Project(root, target, group == DISTRIBUTABLE, directory)
    if module is not None:
        file = directory.joinpath(*module.split(".")).with_suffix(".py")
        return Project(directory, f"{module}:{_callable_in(file)}", False, directory)
    raise ConfigurationError(f"{directory}: no application; {_EXPECTED}")


def _entry_point(file: Path) -> tuple[str, str] | None:
    """Group and ``module:callable`` of the first application that a pyproject.toml names. Raises ConfigurationError."""
    try:
        project: Any = tomllib.loads(file.read_text("utf-8")).get("project", {})
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file}: {error}") from error
    groups = project.get("entry-points", {}) if isinstance(project, dict) else {}
    for group in GROUPS:
        found = groups.get(group) if isinstance(groups, dict) else None
        if isinstance(found, dict) and found:
            return group, str(next(iter(found.values())))
    return None


def _root_of(directory: Path, module: str) -> Path:
    """The directory itself, or src in it if the module lies there. Raises ConfigurationError."""
    top = module.partition(".")[0]
    for root in (directory, directory / "src"):
        if (root / top).is_dir() or (root / f"{top}.py").is_file():
            return root
    raise ConfigurationError(f"no module {top} in {directory} or in {directory / 'src'}")


def _callable_in(file: Path) -> str:
    names = bound_names(file.read_bytes())
    for name in CALLABLES:
        if name in names:
            return name
    raise ConfigurationError(f"{file}: expected a WSGI callable named {' or '.join(CALLABLES)}, found none")
