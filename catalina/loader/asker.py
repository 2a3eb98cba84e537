"""Finds the application that asks for a module: the one whose code is nearest on the stack.

Two applications may both have a module ``shop``; the meaning of ``import shop`` depends on the application that
imports. The stack shows it: the files of its frames lie in an application, in the container's environment, or in the
standard library. That is exact for import statements, and also right for libraries that import by a string on behalf of
their caller.

Cost: about a microsecond, and only for names that clash; the owner of a file is remembered by ``co_filename``.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from types import FrameType

from catalina.loader.import_space import ImportSpace

__all__ = ["Asker", "Foreign"]

PACKAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
CONTRIB = os.path.join(PACKAGE, "contrib", "")
LOADER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")


class Foreign(Enum):
    """The kinds of code that belong to no application."""

    NEUTRAL = "standard library, generated code, adapters of frameworks: acts for its caller"
    LOADER = "this package: acts for the application it is bound to"
    CONTAINER = "the container itself"
    ENVIRONMENT = "a library of the container's environment"


class Asker:
    """Classifies frames by their file. There is one for the process, because all applications share its files."""

    def __init__(self) -> None:
        self.spaces: list[ImportSpace] = []
        self._by_file: dict[str, ImportSpace | Foreign] = {}
        self._bound = threading.local()
        paths = sysconfig.get_paths()
        self._stdlib = tuple(os.path.join(paths[key], "") for key in ("stdlib", "platstdlib"))
        self._sites = tuple(os.path.join(paths[key], "") for key in ("purelib", "platlib"))

    def spaces_changed(self) -> None:
        """Forget everything remembered about files, because applications have come or gone."""
        self._by_file = {}

    @contextmanager
    def bound_to(self, space: ImportSpace | None) -> Iterator[None]:
        """A context in which imports of the loader in this thread count as imports of ``space``."""
        before = self.bound
        self._bound.space = space
        try:
            yield
        finally:
            self._bound.space = before

    @property
    def bound(self) -> ImportSpace | None:
        """The application that this thread works for: the one bound here, otherwise the one that started the thread."""
        try:
            found: ImportSpace | None = self._bound.space
        except AttributeError:
            found = getattr(threading.current_thread(), "_catalina_space", None)
        return found

    def asks(self, environment_has_it: bool, depth: int = 1) -> ImportSpace | None:
        """The application on whose behalf a module is looked up; None is the container's environment.

        Args:
            environment_has_it: when a library of the environment asks, it means the environment's own module.
            depth: the number of frames of the caller itself to skip.
        """
        frame: FrameType | None = sys._getframe(depth)
        while frame is not None:
            file = frame.f_code.co_filename
            who = self._by_file.get(file) or self._classify(file)
            if isinstance(who, ImportSpace):
                return who
            if who is Foreign.LOADER:
                if (space := getattr(self._bound, "space", None)) is not None:
                    return space  # type: ignore[no-any-return]  # threading.local is untyped
            elif who is not Foreign.NEUTRAL and environment_has_it:
                return None
            frame = frame.f_back
        return self.bound

    def starts(self, depth: int = 1) -> ImportSpace | None:
        """The application that starts a thread; None when the container does, even on an application's behalf."""
        frame: FrameType | None = sys._getframe(depth)
        while frame is not None:
            file = frame.f_code.co_filename
            who = self._by_file.get(file) or self._classify(file)
            if isinstance(who, ImportSpace):
                return who
            if who is Foreign.CONTAINER:
                return None
            frame = frame.f_back
        return self.bound

    def _classify(self, file: str) -> ImportSpace | Foreign:
        who = self._by_file[file] = self._find(file)
        return who

    def _find(self, file: str) -> ImportSpace | Foreign:
        owner = self.owner_of(file)
        if owner is not None:
            return owner
        if file.startswith(LOADER):
            return Foreign.LOADER
        if file.startswith(PACKAGE):
            return Foreign.NEUTRAL if file.startswith(CONTRIB) else Foreign.CONTAINER
        if file.startswith("<") or (file.startswith(self._stdlib) and not file.startswith(self._sites)):
            return Foreign.NEUTRAL
        return Foreign.ENVIRONMENT

    def owner_of(self, file: str) -> ImportSpace | None:
        """The application that a file lies in; the inner one when one application lies inside another."""
        best, best_length = None, 0
        for space in self.spaces:
            for root in space.roots:
                if len(root) > best_length and file.startswith(root):
                    best, best_length = space, len(root)
        return best
