"""Notices when files come, change and go, and causes a look shortly afterwards.

A burst of changes, such as a copy, causes one look at its end, not one for each write.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable

from catalina.deploy.exploding import STAGING_PREFIX
from catalina.deploy.inotify import changes

__all__ = ["DirectoryWatcher"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")

#: The number of watched directories; the background tick covers others.
MAX_DIRECTORIES = 1000
#: Seconds between an event and the look.
DELAY = 0.1


class DirectoryWatcher:
    """Watches directories, but not the directories below them.

    Args:
        look: called in the watcher's own thread.
        name: the thread's name.
    """

    def __init__(self, look: Callable[[], None], name: str) -> None:
        self._look = look
        self._watched: set[str] = set()
        self._watching = threading.Lock()
        self._changed = threading.Condition()
        self._due: float | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_polling(self) -> bool:
        """True when a directory is listed every second because inotify has no watch for it."""
        with self._watching:
            return any(changes.is_polled(directory) for directory in self._watched)

    def start(self) -> None:
        """Watch from now on."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and wait for a current look unless this is it. A watcher that never ran can be stopped,
        too.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self.watch(())

    def watch(self, directories: Iterable[str]) -> None:
        """Watch exactly these directories, as far as they exist."""
        wanted: set[str] = set()
        if not self._stopping:
            wanted.update(sorted(each for each in set(directories) if os.path.isdir(each))[:MAX_DIRECTORIES])
        with self._watching:
            for directory in self._watched - wanted:
                changes.unwatch(directory, self._seen)
            for directory in wanted - self._watched:
                changes.watch(directory, self._seen)
            self._watched = wanted

    def look_again(self, seconds: float) -> None:
        """Look after that time, if no look comes before."""
        with self._changed:
            due = time.monotonic() + seconds
            if self._due is None or due < self._due:
                self._due = due
                self._changed.notify_all()

    def _seen(self, name: str) -> None:
        if not name.startswith(STAGING_PREFIX):
            self.look_again(DELAY)

    def _run(self) -> None:
        while self._wait():
            try:
                self._look()
            except Exception:  # the next change needs a look, too
                log.exception("A look at changed files failed")

    def _wait(self) -> bool:
        """Wait until a look is due; returns False at the end."""
        with self._changed:
            while not self._stopping:
                seconds = None if self._due is None else self._due - time.monotonic()
                if seconds is not None and seconds <= 0:
                    self._due = None
                    return True
                self._changed.wait(seconds)
            return False
