"""Watches directories for the whole process with one inotify instance, and lists those that it cannot watch.

By default a user has 128 inotify instances and some thousand watches, one for each directory, and shares both with all
his other programs. So all hosts, contexts and the farm share one instance and one thread. A directory that cannot be
watched (no instance, watch or descriptor is free, or the file system reports nothing) is listed once a second instead;
inotify is tried again now and then.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
)

__all__ = ["Changes", "Inotify", "changes"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")

#: Seconds between two listings of a directory that cannot be watched.
POLL_SECONDS = 1.0
#: Seconds after which inotify is tried again for such a directory.
RETRY_SECONDS = 60.0

_MODIFY, _ATTRIB, _CREATE, _DELETE = (
    InotifyConstants.IN_MODIFY,
    InotifyConstants.IN_ATTRIB,
    InotifyConstants.IN_CREATE,
    InotifyConstants.IN_DELETE,
)
_MASK = (
    _MODIFY
    | _ATTRIB
    | _CREATE
    | _DELETE
    | InotifyConstants.IN_CLOSE_WRITE
    | InotifyConstants.IN_MOVED_FROM
    | InotifyConstants.IN_MOVED_TO
    | InotifyConstants.IN_DELETE_SELF
    | InotifyConstants.IN_MOVE_SELF
    | InotifyConstants.IN_ONLYDIR
)
_ID = CallbackId(0)

#: Called with the name of the changed entry in the directory; empty when it is not known.
Callback = Callable[[str], None]
Listing = dict[str, tuple[int, int, int]]


class Inotify:
    """One inotify instance of the kernel, which watchdog reads in a thread of its own.

    watchdog's observers take a thread for each directory; this uses the layer below them, so that a thousand
    directories take one thread. Raises OSError as the system calls do.

    Args:
        heard: called in that thread for each event, with watch (-1: events were lost), mask and name in the directory.
        ended: called when a watch has ended by itself.
    """

    def __init__(self, heard: Callable[[int, int, str], None], ended: Callable[[int], None]) -> None:
        self._heard = heard
        self._ended = ended
        self._instance = InotifyFD()
        self._instance.name = "catalina-inotify"
        self._instance.start()

    def add(self, directory: str) -> int:
        """Watch a directory; returns the number of its watch, the same for the same directory."""
        return int(self._instance.add_callback(os.fsencode(directory), Mask(_MASK), self, _ID))

    def remove(self, watch: int) -> None:
        """Stop watching. A watch that has ended by itself is accepted."""
        with contextlib.suppress(OSError):
            self._instance.remove_callbacks([(WatchDescriptor(watch), _ID)])

    def close(self) -> None:
        """Close the instance."""
        self._instance.stop()
        if self._instance is not threading.current_thread():
            self._instance.join()

    # -- called by watchdog ---------------------------------------------------------------------------------------

    def on_event(self, event: InotifyEvent) -> None:
        """Something has happened in a watched directory."""
        self._heard(event.wd, event.mask, os.fsdecode(event.name))

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """A watched directory has gone."""
        self._ended(wd)

    def on_queue_overflow(self) -> None:
        """The kernel has lost events."""
        self._heard(-1, 0, "")


@dataclass(slots=True)
class _Directory:
    """A watched directory: its callbacks, and its watch or its last listing."""

    path: str
    callbacks: list[Callback] = field(default_factory=list)
    watch: int | None = None
    listing: Listing = field(default_factory=dict)
    retry_at: float = 0.0


class Changes:
    """The watched directories of a process. Any thread; callbacks are called in a thread of this object."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._directories: dict[str, _Directory] = {}
        self._inotify: Inotify | None = None
        self._no_inotify_until = 0.0
        self._thread: threading.Thread | None = None
        self._said = False

    def watch(self, directory: str, callback: Callback) -> None:
        """From now on, call ``callback`` on changes directly in a directory."""
        with self._lock:
            found = self._directories.get(directory)
            if found is None:
                found = self._directories[directory] = _Directory(directory)
                self._begin(found)
            found.callbacks.append(callback)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="catalina-file-changes", daemon=True)
                self._thread.start()
            self._lock.notify_all()

    def unwatch(self, directory: str, callback: Callback) -> None:
        """Undo :meth:`watch`."""
        with self._lock:
            found = self._directories.get(directory)
            if found is None or callback not in found.callbacks:
                return
            found.callbacks.remove(callback)
            if not found.callbacks:
                del self._directories[directory]
                shared = any(each.watch == found.watch for each in self._directories.values())
                if found.watch is not None and self._inotify is not None and not shared:
                    self._inotify.remove(found.watch)
            self._lock.notify_all()

    def is_polled(self, directory: str) -> bool:
        """True when a directory is listed because it cannot be watched."""
        with self._lock:
            found = self._directories.get(directory)
            return found is not None and found.watch is None

    def _begin(self, directory: _Directory) -> None:
        """Get a watch for a directory, or begin to list it."""
        now = time.monotonic()
        directory.listing = _listing(directory.path)
        directory.retry_at = now + RETRY_SECONDS
        try:
            if self._inotify is None:
                if now < self._no_inotify_until:
                    return
                self._no_inotify_until = now + RETRY_SECONDS
                self._inotify = Inotify(self._heard, self._ended)
            directory.watch = self._inotify.add(directory.path)
        except OSError as exc:
            if exc.errno not in (errno.ENOENT, errno.ENOTDIR) and not self._said:
                self._said = True
                log.warning("Changes of some directories are looked for every %s s, because inotify has no more for "
                            "this process ([%s]: %s). fs.inotify.max_user_instances and max_user_watches set the "
                            "limits.", POLL_SECONDS, directory.path, exc.strerror)  # fmt: skip

    # -- events of inotify, in watchdog's thread -------------------------------------------------------------------

    def _heard(self, watch: int, mask: int, name: str) -> None:
        if mask & InotifyConstants.IN_ISDIR and mask & (_MODIFY | _ATTRIB) and not mask & (_CREATE | _DELETE):
            return  # a change inside it has an event of its own if it is watched
        with self._lock:
            concerned = [each for each in self._directories.values() if watch in (-1, each.watch)]
            callbacks = [callback for each in concerned for callback in each.callbacks]
        for callback in callbacks:
            self._tell(callback, name)

    def _ended(self, watch: int) -> None:
        """A directory has gone; if it comes back it is listed until it has a watch again."""
        with self._lock:
            concerned = [each for each in self._directories.values() if each.watch == watch]
            for each in concerned:
                each.watch, each.listing, each.retry_at = None, {}, 0.0
            callbacks = [callback for each in concerned for callback in each.callbacks]
        for callback in callbacks:
            self._tell(callback, "")

    # -- listing, in a thread of this object -----------------------------------------------------------------------

    def _run(self) -> None:
        while self._goes_on():
            for callback, name in self._listed():
                self._tell(callback, name)

    def _goes_on(self) -> bool:
        """Wait for the next listing; returns False, and frees everything, when nobody watches any more."""
        with self._lock:
            if self._directories:
                self._lock.wait(POLL_SECONDS)
            if self._directories:
                return True
            inotify = self._inotify
            self._inotify, self._thread, self._no_inotify_until = None, None, 0.0
        if inotify is not None:
            inotify.close()
        return False

    @staticmethod
    def _tell(callback: Callback, name: str) -> None:
        try:
            callback(name)
        except Exception:  # the thread must survive for the other watchers
            log.exception("A change of [%s] could not be passed on", name)

    def _listed(self) -> list[tuple[Callback, str]]:
        found: list[tuple[Callback, str]] = []
        now = time.monotonic()
        with self._lock:
            for each in self._directories.values():
                if each.watch is not None:
                    continue
                before = each.listing
                if now >= each.retry_at and os.path.isdir(each.path):
                    self._begin(each)
                else:
                    each.listing = _listing(each.path)
                changed = {name for name, _ in before.items() ^ each.listing.items()}
                found += [(callback, name) for name in changed for callback in each.callbacks]
        return found


def _listing(directory: str) -> Listing:
    """Names with time, size and inode, for a directory only its existence. Empty when it cannot be listed."""
    found: Listing = {}
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                stat = entry.stat()
                found[entry.name] = (
                    (0, 0, stat.st_ino) if entry.is_dir() else (stat.st_mtime_ns, stat.st_size, stat.st_ino)
                )
    return found


#: The watched directories of this process.
changes = Changes()
