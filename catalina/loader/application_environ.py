"""Keeps the environment variables that an application sets apart from those of others.

Django projects begin with ``os.environ.setdefault("DJANGO_SETTINGS_MODULE", ...)``: in one process the first project
would decide for all. While applications run, ``os.environ`` keeps each application's variables in a table of its own,
and answers for the application that asks. A program that an application starts with ``subprocess`` gets the variables
of this application. Other ways to start one (``os.system``, ``os.exec``), and libraries in C, see what the process has:
the variables that applications have set themselves, the last one of a name; those of :meth:`give` only in a process
that runs one application alone. ``TZ`` is an exception: an application does not set the time zone of the container and
its log.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from catalina.loader.asker import Asker
from catalina.loader.import_space import ImportSpace

__all__ = ["ApplicationEnviron", "environment_of"]

_CONTAINERS = frozenset({"TZ"})
_start_program = subprocess.Popen.__init__
#: Place of ``env`` among the positional arguments of Popen, counted without the object.
_ENV = 10


class ApplicationEnviron(os._Environ[str]):
    """The class of ``os.environ`` while applications run; there is one such object in a process."""

    asker: ClassVar[Asker]
    #: Variables by application; None for a variable that the application has deleted.
    tables: ClassVar[dict[ImportSpace, dict[str, str | None]]] = {}

    @classmethod
    def install(cls, asker: Asker) -> None:
        """Tell applications apart from now on."""
        cls.asker = asker
        os.environ.__class__ = cls
        subprocess.Popen.__init__ = _start_program_of_application  # type: ignore[method-assign, assignment]

    @classmethod
    def uninstall(cls) -> None:
        """Make ``os.environ`` a plain one again."""
        os.environ.__class__ = os._Environ
        subprocess.Popen.__init__ = _start_program  # type: ignore[method-assign]

    @classmethod
    def give(cls, space: ImportSpace, variables: Mapping[str, str], alone: bool = False) -> None:
        """Let an application see variables that others do not see. Those that it has set stay.

        Args:
            alone: no other application runs in this process, so that libraries in C may see them, too.
        """
        if not variables:
            return
        own = cls.tables.get(space, {})
        cls.tables[space] = {**variables, **own}
        for name in variables if alone else ():
            if name not in own and name not in _CONTAINERS:
                os.putenv(name, variables[name])

    @classmethod
    def forget(cls, space: ImportSpace) -> None:
        """Drop the variables that an application has set."""
        for name in cls.tables.pop(space, {}):
            if name not in _CONTAINERS:
                cls._restore(name)

    @classmethod
    def _restore(cls, name: str) -> None:
        """Give the container's value back to the environment that programs inherit."""
        try:
            value = os._Environ.__getitem__(os.environ, name)
        except KeyError:
            os.unsetenv(name)
        else:
            os.putenv(name, value)

    def _table(self) -> dict[str, str | None] | None:
        """The table of the asking application; None when it has set no variable."""
        if not self.tables:
            return None
        space = self.asker.asks(False, 3)
        return self.tables.get(space) if space is not None else None

    def __getitem__(self, name: str) -> str:
        table = self._table()
        if table is None or name not in table:
            return super().__getitem__(name)
        value = table[name]
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: str) -> None:
        space = self.asker.asks(False, 2)
        if space is None:
            super().__setitem__(name, value)
            return
        raw_name, raw_value = self.encodekey(name), self.encodevalue(value)
        if name not in _CONTAINERS:
            os.putenv(raw_name, raw_value)
        self.tables.setdefault(space, {})[name] = value

    def __delitem__(self, name: str) -> None:
        space = self.asker.asks(False, 2)
        if space is None:
            super().__delitem__(name)
            return
        self[name]  # raises KeyError when this application has no such variable
        if name not in _CONTAINERS:
            os.unsetenv(name)
        self.tables.setdefault(space, {})[name] = None

    def __iter__(self) -> Iterator[str]:
        table = self._table() or {}
        yield from (name for name in list(super().__iter__()) if name not in table)
        yield from (name for name, value in list(table.items()) if value is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _start_program_of_application(program: subprocess.Popen[Any], *arguments: Any, **options: Any) -> None:
    """Start a program with the variables of the application that asks, if it names none."""
    if options.get("env") is None and len(arguments) <= _ENV:
        space = ApplicationEnviron.asker.asks(False, 2)
        if space is not None:
            options["env"] = environment_of(space)
    _start_program(program, *arguments, **options)


def environment_of(space: ImportSpace) -> dict[str, str]:
    """The variables as an application sees them: the process's, overridden by its own."""
    found: dict[str, str | None] = dict(os.environ.copy())
    found.update(ApplicationEnviron.tables.get(space, {}))
    return {name: value for name, value in found.items() if value is not None}
