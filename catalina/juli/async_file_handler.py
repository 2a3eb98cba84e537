"""A FileHandler whose records are written by another thread (Tomcat: juli/AsyncFileHandler.java).

One thread writes for all handlers of the process. The first record starts it, and it ends when the last handler closes.
It does not survive a fork: waiting records are written before the fork, and the child starts its own.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque

from catalina.attributes import Attribute
from catalina.juli.file_handler import FileHandler

__all__ = ["AsyncFileHandler"]

DROP_LAST, DROP_FIRST, WAIT, DROP_CURRENT = 1, 2, 3, 4
#: Records that may wait (property org.apache.juli.AsyncMaxRecordCount).
DEFAULT_MAX_RECORDS = 10_000

Entry = tuple["AsyncFileHandler", str, str]


class _Writer:
    """The queue and the thread behind all handlers."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Make an empty queue without a thread: at the beginning, and in a forked child."""
        self._entries: deque[Entry] = deque()
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._handlers: set[int] = set()

    def put(self, entry: Entry) -> None:
        """Queue a record; the handler's ``overflowDropType`` decides when the queue is full."""
        handler = entry[0]
        with self._changed:
            self._handlers.add(id(handler))
            self._ensure_thread()
            if len(self._entries) >= handler.max_record_count and not self._make_room(handler):
                return
            self._entries.append(entry)
            if len(self._entries) == 1:
                self._changed.notify_all()

    def _make_room(self, handler: AsyncFileHandler) -> bool:
        """Make room, with the lock held; returns False when the new record is the one to lose."""
        match handler.overflow_drop_type:
            case 2:
                self._entries.popleft()
            case 3:
                while len(self._entries) >= handler.max_record_count and self._thread is not None:
                    self._changed.wait()
            case 4:
                return False
            case _:
                self._entries.pop()
        return True

    def _ensure_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="AsyncFileHandlerWriter", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._entries:
                    if self._thread is not threading.current_thread():
                        return
                    self._changed.wait()
            self.drain()

    def drain(self) -> None:
        """Write all waiting records in the calling thread."""
        with self._writing:
            while True:
                with self._changed:
                    entries = list(self._entries)
                    self._entries.clear()
                    self._changed.notify_all()
                if not entries:
                    return
                for handler, text, date in entries:
                    handler.write_now(text, date)

    def before_fork(self) -> None:
        """Write the waiting records, and stop writing until the fork is done, because the child gets a copy of the
        files' buffers.
        """
        self.drain()
        self._writing.acquire()

    def after_fork_in_parent(self) -> None:
        """Continue to write."""
        self._writing.release()

    def leave(self, handler: AsyncFileHandler) -> None:
        """A handler closes; with the last one the thread ends and is joined."""
        self.drain()
        thread = None
        with self._changed:
            self._handlers.discard(id(handler))
            if not self._handlers:
                thread, self._thread = self._thread, None
                self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(10)


_writer = _Writer()
os.register_at_fork(
    before=_writer.before_fork, after_in_parent=_writer.after_fork_in_parent, after_in_child=_writer.reset
)


class AsyncFileHandler(FileHandler):
    """A :class:`FileHandler` that never makes the logging thread wait for a disk."""

    overflow_drop_type = Attribute(
        int,
        DROP_LAST,
        doc="When the queue is full: 1 drop the newest waiting, 2 the oldest, 3 wait, 4 drop the record.",
    )
    max_record_count = Attribute(int, DEFAULT_MAX_RECORDS, unit="records", doc="Length of the queue.")

    def emit(self, record: logging.LogRecord) -> None:
        """Format the record here, in the thread that has the exception; another thread writes it."""
        try:
            text = self.format(record) + "\n"
        except Exception:  # noqa: BLE001  # a message whose arguments do not fit must not end the caller
            self.handleError(record)
            return
        _writer.put((self, text, time.strftime("%Y-%m-%d", time.localtime(record.created))))

    def write_now(self, text: str, date: str) -> None:
        """Called by the writer. A full disk must not end the thread that writes for all."""
        try:
            with self._locked():
                self.write(text, date)
        except Exception:  # noqa: BLE001  # whatever the file does, the next handler's records are written
            self.handleError(
                logging.LogRecord("org.apache.juli.AsyncFileHandler", logging.ERROR, "", 0, text, None, None)
            )

    def flush(self) -> None:
        """Write the waiting records and hand them to the system."""
        _writer.drain()
        super().flush()

    def close(self) -> None:
        """Write the waiting records and close the file."""
        _writer.leave(self)
        super().close()
