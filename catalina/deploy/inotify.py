"""Directories watched for the whole process by one inotify instance, or looked at where there is none.

A user has 128 inotify instances by default, a directory watch costs one of some thousand watches, and both are shared
with everything else that runs. So all hosts, contexts and the farm share one instance and one thread. A directory for
which there is no watch (no instance, no watches, no descriptors, a file system that tells nothing) is listed once a
second instead; inotify is tried again now and then.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import logging
import os
import select
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Changes", "Inotify", "changes"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")

#: Seconds between two listings of a directory without a watch.
POLL_SECONDS = 1.0
#: Seconds after which inotify is tried again for such a directory.
RETRY_SECONDS = 60.0

_MODIFY, _ATTRIB, _CLOSE_WRITE = 0x2, 0x4, 0x8
_MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF, _Q_OVERFLOW, _IGNORED = 0x400, 0x800, 0x4000, 0x8000
_ONLYDIR, _ISDIR = 0x01000000, 0x40000000
_MASK = (
    _MODIFY
    | _ATTRIB
    | _CLOSE_WRITE
    | _MOVED_FROM
    | _MOVED_TO
    | _CREATE
    | _DELETE
    | _DELETE_SELF
    | _MOVE_SELF
    | _ONLYDIR
)
_EVENT = struct.Struct("iIII")
_BUFFER = 64 * 1024

#: Told which name in the directory changed; empty when that is not known.
Callback = Callable[[str], None]
Listing = dict[str, tuple[int, int, int]]


class Inotify:
    """One instance of the kernel's. Raises OSError as the system calls do."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = self._call(self._libc.inotify_init1, os.O_CLOEXEC | os.O_NONBLOCK)

    @staticmethod
    def _call(function: Callable[..., int], *arguments: object) -> int:
        result = function(*arguments)
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result

    def add(self, directory: str) -> int:
        """Watch a directory; the number of its watch, the same one for the same directory."""
        return self._call(self._libc.inotify_add_watch, self.descriptor, os.fsencode(directory), ctypes.c_uint32(_MASK))

    def remove(self, watch: int) -> None:
        """Watch no more; a watch that has ended by itself is no fault."""
        with contextlib.suppress(OSError):
            self._call(self._libc.inotify_rm_watch, self.descriptor, watch)

    def read(self) -> list[tuple[int, int, str]]:
        """What has happened: watch, mask, name in the directory."""
        try:
            data = os.read(self.descriptor, _BUFFER)
        except BlockingIOError:
            return []
        found, position = [], 0
        while position + _EVENT.size <= len(data):
            watch, mask, _, length = _EVENT.unpack_from(data, position)
            position += _EVENT.size
            name = data[position : position + length].rstrip(b"\0")
            found.append((watch, mask, os.fsdecode(name)))
            position += length
        return found

    def close(self) -> None:
        """Give the instance back."""
        os.close(self.descriptor)


@dataclass(slots=True)
class _Directory:
    """A watched directory: who is told, and by a watch of inotify or by its listing."""

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
        """Tell ``callback`` of changes directly in a directory, from now on."""
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
        """Whether a directory is listed because there is no watch for it."""
        with self._lock:
            found = self._directories.get(directory)
            return found is not None and found.watch is None

    def _begin(self, directory: _Directory) -> None:
        """Get a watch, or begin to list."""
        now = time.monotonic()
        directory.listing = _listing(directory.path)
        directory.retry_at = now + RETRY_SECONDS
        try:
            if self._inotify is None:
                if now < self._no_inotify_until:
                    return
                self._no_inotify_until = now + RETRY_SECONDS
                self._inotify = Inotify()
            directory.watch = self._inotify.add(directory.path)
        except OSError as exc:
            if exc.errno not in (errno.ENOENT, errno.ENOTDIR) and not self._said:
                self._said = True
                log.warning("Changes of some directories are looked for every %s s, because inotify has no more for "
                            "this process ([%s]: %s). fs.inotify.max_user_instances and max_user_watches set the "
                            "limits.", POLL_SECONDS, directory.path, exc.strerror)  # fmt: skip

    # -- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        next_listing = time.monotonic() + POLL_SECONDS
        while self._goes_on():
            for callback, name in self._events(next_listing - time.monotonic()):
                self._tell(callback, name)
            if time.monotonic() >= next_listing:
                next_listing = time.monotonic() + POLL_SECONDS
                for callback, name in self._listed():
                    self._tell(callback, name)

    def _goes_on(self) -> bool:
        """Whether somebody watches; gives everything back when not."""
        with self._lock:
            if self._directories:
                return True
            if self._inotify is not None:
                self._inotify.close()
            self._inotify, self._thread, self._no_inotify_until = None, None, 0.0
            return False

    @staticmethod
    def _tell(callback: Callback, name: str) -> None:
        try:
            callback(name)
        except Exception:  # the thread serves everybody else, too
            log.exception("A change of [%s] could not be passed on", name)

    def _events(self, seconds: float) -> list[tuple[Callback, str]]:
        inotify = self._inotify
        if inotify is None:
            with self._lock:
                self._lock.wait(max(0.0, seconds))
            return []
        poll = select.poll()
        poll.register(inotify.descriptor, select.POLLIN)
        if not poll.poll(max(0.0, seconds) * 1000):
            return []
        events = inotify.read()
        with self._lock:
            return [each for event in events for each in self._receivers(*event)]

    def _receivers(self, watch: int, mask: int, name: str) -> list[tuple[Callback, str]]:
        if mask & _Q_OVERFLOW:
            concerned = list(self._directories.values())
        else:
            concerned = [each for each in self._directories.values() if each.watch == watch]
        if mask & _IGNORED:  # the directory is gone; if it comes back it is listed until it has a watch again
            for each in concerned:
                each.watch, each.listing, each.retry_at = None, {}, 0.0
        if mask & _ISDIR and mask & (_MODIFY | _ATTRIB) and not mask & (_CREATE | _DELETE):
            return []  # what changed in it has an event of its own where it is watched
        return [(callback, name) for each in concerned for callback in each.callbacks]

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
    """Names with time, size and inode; of a directory only that it is there. Empty when it cannot be listed."""
    found: Listing = {}
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                stat = entry.stat()
                found[entry.name] = (
                    (0, 0, stat.st_ino) if entry.is_dir() else (stat.st_mtime_ns, stat.st_size, stat.st_ino)
                )
    return found


#: Those of this process.
changes = Changes()
