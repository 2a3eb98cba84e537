"""A log file that is buffered, and replaced when the date in its name changes.

A line costs its writer one append to a queue. A flush (by the background tick, at a full buffer, or by the writer
itself when the file is not buffered) writes all waiting lines in one call. Tomcat: the writer of AccessLogValve.java.

Several processes of a node write to one file: it is opened for appending, so that each call's lines stay together, and
whoever comes first gives the file another name. The others see that its old name means another file now.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["LogFile"]

log = logging.getLogger("org.apache.catalina.valves.AccessLogValve")

#: Lines that may wait. A line of the combined pattern has about 200 bytes; Tomcat's buffer has 128,000.
BUFFERED_LINES = 600


@contextmanager
def _locked(descriptor: int) -> Iterator[None]:
    """Keep the other processes of the node from doing the same. A file system without locks has one writer."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        log.debug("The access log cannot be locked: %s", error)
        yield
        return
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class LogFile:
    """The current file of a log.

    Args:
        path_for: date stamp -> path of the current file.
        stamp: seconds since the epoch -> date stamp, ``.2024-01-31``; one that never changes does not rotate.
        renamed_to: date stamp -> the name that a file gets when its date is over; None keeps its name.
        header: called for a file that is empty when it is opened; returns its first lines.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        path_for: Callable[[str], Path],
        stamp: Callable[[float], str],
        renamed_to: Callable[[str], Path] | None = None,
        buffered: bool = True,
        check_exists: bool = False,
        encoding: str = "utf-8",
        header: Callable[[], str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path_for = path_for
        self.stamp = stamp
        self.renamed_to = renamed_to
        self.buffered = buffered
        self.check_exists = check_exists
        self.encoding = encoding
        self.header = header
        self.clock = clock
        #: The open file, None when none could be opened.
        self.path: Path | None = None
        self._stamp = ""
        self._fd = -1
        self._lines: deque[str] = deque()
        self._lock = threading.Lock()
        self._next_check = 0.0

    def open(self) -> None:
        """Open the file of the current date; a failure is logged, and lines are dropped until the next date."""
        with self._lock:
            self._open(self.stamp(self.clock()))

    def write(self, line: str) -> None:
        """Add one line. Any thread."""
        now = self.clock()
        if now >= self._next_check:
            self._next_check = now + 1.0
            self._look_after_file(now)
        self._lines.append(line)
        if not self.buffered or len(self._lines) >= BUFFERED_LINES:
            self.flush()

    def flush(self) -> None:
        """Write the waiting lines."""
        with self._lock:
            self._flush()

    def close(self) -> None:
        """Write the waiting lines and close the file."""
        with self._lock:
            self._close()

    def rotate_to(self, name: Path) -> bool:
        """Rename the current file now, whatever its date, and open a new one. Returns False when no file is open."""
        with self._lock:
            if self.path is None:
                return False
            self._flush()
            self._rename(self.path, name)
            self._close()
            self._open(self.stamp(self.clock()))
            return True

    def rotate_if_due(self) -> None:
        """Switch to another file if the date has changed, or if the file has gone and that is checked."""
        self._look_after_file(self.clock())

    def _look_after_file(self, now: float) -> None:
        stamp = self.stamp(now)
        if stamp == self._stamp and not self.check_exists:
            return
        with self._lock:
            if stamp != self._stamp:
                self._exchange(stamp)
            elif self.path is not None and not self._is_there(self.path):
                self._close()
                self._open(stamp)

    def _exchange(self, stamp: str) -> None:
        path, old_stamp = self.path, self._stamp
        self._flush()
        if path is not None and self.renamed_to is not None:
            self._rename(path, self.renamed_to(old_stamp), may_replace=False)
        self._close()
        self._open(stamp)

    def _is_there(self, path: Path) -> bool:
        """True while the path leads to the open file."""
        try:
            return os.path.samestat(path.stat(), os.fstat(self._fd))
        except FileNotFoundError:
            return False

    def _rename(self, path: Path, target: Path, may_replace: bool = True) -> None:
        """Give the open file another name, unless another process has done so."""
        try:
            with _locked(self._fd):
                if not self._is_there(path):
                    return
                if not may_replace and target.exists():
                    log.error("Failed to rename access log from [%s] to [%s], file already exists.", path, target)
                else:
                    path.rename(target)
        except OSError:
            log.exception("Failed to rename access log from [%s] to [%s]", path, target)

    def _open(self, stamp: str) -> None:
        self._stamp = stamp
        path = self.path_for(stamp)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)  # less the umask
        except OSError as error:
            self.path = None
            log.error("Failed to open access log file [%s] Note: running as user [%s]: %s", path, os.getuid(), error)
            return
        self.path = path
        if self.header is not None:
            with _locked(self._fd):
                if os.fstat(self._fd).st_size == 0:
                    self._write(self.header().encode(self.encoding, "replace"))

    def _flush(self) -> None:
        lines = self._lines
        # Only the lines that are there now: a writer may append while these are taken out.
        batch = [lines.popleft() for _ in range(len(lines))]
        if batch and self._fd >= 0:
            batch.append("")
            self._write("\n".join(batch).encode(self.encoding, "replace"))

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError as error:
            log.warning("Failed to write log message [%r]: %s", bytes(rest[:200]), error)

    def _close(self) -> None:
        self._flush()
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self.path = -1, None
