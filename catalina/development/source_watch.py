"""``catalina run --reload``: reports changed sources of the application, once they are quiet again."""

from __future__ import annotations

import os
import queue
import time
import warnings
from pathlib import Path

from watchdog.events import (
    DirModifiedEvent,
    FileClosedEvent,
    FileClosedNoWriteEvent,
    FileOpenedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

__all__ = ["SourceWatch"]

#: Endings of files that an application reads when it starts. Its own data files are no reason to reload.
SUFFIXES = frozenset(
    (".py", ".pyx", ".so", ".html", ".htm", ".jinja", ".jinja2", ".j2", ".mako", ".toml", ".ini", ".cfg", ".env",
     ".yaml", ".yml", ".xml", ".properties")
)  # fmt: skip
#: Directories of tools, and of files made from the sources.
LEFT_OUT = frozenset({"__pycache__", "venv", "node_modules", "build", "dist"})
#: Seconds of quiet: an editor writes in several steps, a checkout writes many files.
QUIET_SECONDS = 0.25


class SourceWatch:
    """Watches one project.

    Args:
        sources: the directory, or the archive, whose changes count.
    """

    def __init__(self, sources: Path) -> None:
        self._is_file = sources.is_file()
        self._sources = sources
        self._seen: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._observer: BaseObserver | None = None  # an observer has a thread and descriptors from its making on

    def start(self) -> None:
        """Watch from now on. Raises OSError when the system has no more watches."""
        # watchdog warns of directories that come faster than it looks, but watches them all the same.
        warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
        directory = self._sources.parent if self._is_file else self._sources
        self._observer = observer = Observer()
        observer.schedule(_Handler(self), str(directory), recursive=not self._is_file)
        observer.start()

    def stop(self) -> None:
        """End the threads."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None

    def counts(self, path: str) -> bool:
        """True when a change of that file changes the application."""
        if self._is_file:
            return path == str(self._sources)
        try:
            *directories, name = Path(path).relative_to(self._sources).parts
        except ValueError:
            return False
        if any(each in LEFT_OUT or each.startswith(".") or each.endswith(".egg-info") for each in directories):
            return False
        return name == ".env" or (not name.startswith(".") and os.path.splitext(name)[1] in SUFFIXES)

    def note(self, path: str) -> None:
        """Something happened to a file."""
        if self.counts(path):
            self._seen.put(path)

    def changed(self, seconds: float) -> list[str]:
        """Wait until nothing changes any more; returns the changed files, in the order of their first change.

        Args:
            seconds: the wait for the first change; without one the list is empty.
        """
        try:
            found = {self._seen.get(timeout=seconds): None}
        except queue.Empty:
            return []
        limit = time.monotonic() + 20 * QUIET_SECONDS  # a limit for a file that is written all the time
        while time.monotonic() < limit:
            try:
                found[self._seen.get(timeout=QUIET_SECONDS)] = None
            except queue.Empty:
                break
        return list(found)


class _Handler(FileSystemEventHandler):
    def __init__(self, watch: SourceWatch) -> None:
        self._watch = watch

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note an event. Reading is no change, and a directory's own event comes with one of the file in it."""
        if isinstance(event, DirModifiedEvent | FileClosedEvent | FileClosedNoWriteEvent | FileOpenedEvent):
            return
        for path in (event.src_path, event.dest_path):
            if path:
                self._watch.note(os.fsdecode(path))
