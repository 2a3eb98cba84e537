"""Sees files come, change and go, and asks for a look shortly afterwards.

watchdog watches with inotify; where that does not work (no more watches or instances, a file system without it) its
polling observer takes over. A burst of changes, such as a copy, causes one look after it and not one per write.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch
from watchdog.observers.polling import PollingObserver

from catalina.deploy.exploding import STAGING_PREFIX

__all__ = ["DirectoryWatcher"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")

#: Directories watched at most, each costs two threads; what is beyond waits for the background tick.
MAX_DIRECTORIES = 64
#: Seconds between an event and the look.
DELAY = 0.1
#: Seconds between two looks of the polling observer.
POLL_SECONDS = 1.0
_READING = frozenset({"opened", "closed_no_write"})


class DirectoryWatcher(FileSystemEventHandler):
    """Watches directories, not what is below them.

    Args:
        look: called in the watcher's own thread; it must not raise.
        name: of that thread.
    """

    def __init__(self, look: Callable[[], None], name: str) -> None:
        self._look = look
        self._observer: BaseObserver | None = None
        self._watches: dict[str, ObservedWatch] = {}
        self._watching = threading.Lock()
        self._changed = threading.Condition()
        self._due: float | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_polling(self) -> bool:
        """Whether the polling observer is in use."""
        return isinstance(self._observer, PollingObserver)

    def start(self) -> None:
        """Watch from now on."""
        self._observer = Observer()
        self._observer.start()
        self._thread.start()

    def stop(self) -> None:
        """End the threads; a look that is under way is waited for, unless this is it."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join()
        with self._watching:
            observer, self._observer = self._observer, None
            self._watches.clear()
        if observer is not None:
            observer.stop()
            observer.join()

    def watch(self, directories: Iterable[str]) -> None:
        """Watch exactly these, as far as they exist."""
        wanted = sorted(each for each in set(directories) if os.path.isdir(each))[:MAX_DIRECTORIES]
        with self._watching:
            if self._observer is None:
                return
            for directory in set(self._watches) - set(wanted):
                self._unwatch(self._observer, directory)
            for directory in wanted:
                if directory not in self._watches:
                    self._watch(self._observer, directory)

    def look_again(self, seconds: float) -> None:
        """Look after that time, if no look comes before."""
        with self._changed:
            due = time.monotonic() + seconds
            if self._due is None or due < self._due:
                self._due = due
                self._changed.notify_all()

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in _READING or (event.is_directory and event.event_type == "modified"):
            return  # what changed in a directory has an event of its own
        moved_in = os.path.basename(str(event.dest_path))
        if moved_in or not os.path.basename(str(event.src_path)).startswith(STAGING_PREFIX):
            self.look_again(DELAY)

    def _watch(self, observer: BaseObserver, directory: str) -> None:
        try:
            self._watches[directory] = observer.schedule(self, directory)
        except FileNotFoundError:
            return  # gone since it was listed: the next look sees it gone
        except OSError as exc:
            if self.is_polling:
                log.warning("The directory [%s] cannot be watched: %s", directory, exc)
                return
            log.warning("Changes are looked for every %s s, inotify does not work here: %s", POLL_SECONDS, exc)
            self._use_polling(observer, [*self._watches, directory])

    def _use_polling(self, observer: BaseObserver, directories: list[str]) -> None:
        observer.stop()
        observer.join()
        self._watches.clear()
        self._observer = polling = PollingObserver(timeout=POLL_SECONDS)
        polling.start()
        for directory in directories:
            self._watch(polling, directory)

    def _unwatch(self, observer: BaseObserver, directory: str) -> None:
        watch = self._watches.pop(directory)
        try:
            observer.unschedule(watch)
        except (KeyError, OSError):
            log.debug("The watch of [%s] has ended by itself", directory)

    def _run(self) -> None:
        while self._wait():
            self._look()

    def _wait(self) -> bool:
        """Wait until a look is due; False at the end."""
        with self._changed:
            while not self._stopping:
                seconds = None if self._due is None else self._due - time.monotonic()
                if seconds is not None and seconds <= 0:
                    self._due = None
                    return True
                self._changed.wait(seconds)
            return False
