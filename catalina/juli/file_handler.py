"""A log file for each day: ``logs/catalina.2026-11-23.log`` (Tomcat: juli/FileHandler.java)."""

from __future__ import annotations

import codecs
import io
import logging
import os
import re
import time
import weakref
from pathlib import Path

from catalina.attributes import Attribute, Component

__all__ = ["FileHandler"]

_DAY_SECONDS = 86_400
_DATE = r"\d{4}-\d{2}-\d{2}"


#: All handlers, to empty their buffers before a process is forked: each process would write them.
_handlers: weakref.WeakSet[FileHandler] = weakref.WeakSet()


class FileHandler(Component, logging.Handler):
    """Appends to ``directory/prefix + date + suffix``, and switches files at midnight.

    The first record makes the file. Several processes may write to one file, because it is opened for appending and
    records are written whole: each by itself, or with ``bufferSize`` many at once.
    """

    directory = Attribute(str, "logs", doc="Where the files are; made when it is not there.")
    prefix = Attribute(str, "juli.", doc="Beginning of the file's name.")
    suffix = Attribute(str, ".log", doc="End of the file's name.")
    rotatable = Attribute(bool, True, doc="false: one file, prefix and suffix without the date.")
    max_days = Attribute(int, -1, unit="days", doc="Older files are deleted when a file is opened; -1 keeps them all.")
    buffer_size = Attribute(
        int, -1, unit="bytes", doc="-1 writes each record at once; 0 and more collect that much (at least 8192) first."
    )
    encoding = Attribute(str, "utf-8", doc="Character encoding of the file.")

    def __init__(self, **values: object) -> None:
        Component.__init__(self, **values)
        logging.Handler.__init__(self)
        self._file: io.FileIO | None = None
        self._encoder = codecs.getincrementalencoder("utf-8")("replace")
        #: Records that wait, whole, and their bytes.
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        _handlers.add(self)
        self._date = ""

    def path(self, date: str) -> Path:
        """The file for a date, ``2026-11-23``."""
        return Path(self.directory) / f"{self.prefix}{date if self.rotatable else ''}{self.suffix}"

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; the logging framework calls it with the handler's lock held."""
        try:
            self.write(self.format(record) + "\n", time.strftime("%Y-%m-%d", time.localtime(record.created)))
        except Exception:  # noqa: BLE001  # logging must not end what it reports about; the framework prints why
            self.handleError(record)

    def write(self, text: str, date: str) -> None:
        """Append text to the file of a date. Raises OSError."""
        file = self._file
        if file is None or (self.rotatable and date != self._date):
            file = self._open(date)
        data = self._encoder.encode(text)
        if self.buffer_size < 0:
            _write_all(file, data)
            return
        self._waiting.append(data)
        self._waiting_size += len(data)
        if self._waiting_size >= max(self.buffer_size, io.DEFAULT_BUFFER_SIZE):
            self._write_waiting()

    def _write_waiting(self) -> None:
        waiting, self._waiting, self._waiting_size = self._waiting, [], 0
        if waiting and self._file is not None:
            _write_all(self._file, b"".join(waiting))

    def _open(self, date: str) -> io.FileIO:
        self._close_file()
        path = self.path(date)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._encoder = codecs.getincrementalencoder(self.encoding)("replace")
        self._file = file = path.open("ab", buffering=0)
        if file.tell():
            self._encoder.setstate(0)  # no byte order mark in the middle of a file
        self._date = date
        self._delete_old()
        return file

    def _delete_old(self) -> None:
        if self.max_days <= 0 or not self.rotatable:
            return
        name = re.compile(re.escape(self.prefix) + f"({_DATE})" + re.escape(self.suffix))
        oldest = time.strftime("%Y-%m-%d", time.localtime(time.time() - self.max_days * _DAY_SECONDS))
        for path in Path(self.directory).iterdir():
            match = name.fullmatch(path.name)
            if match and match[1] < oldest:
                path.unlink(missing_ok=True)

    def flush(self) -> None:
        """Hand the buffered text to the system."""
        with self._locked():
            self._write_waiting()

    def close(self) -> None:
        """Close the file; a later record opens it again."""
        with self._locked():
            self._close_file()
        super().close()

    def _close_file(self) -> None:
        file = self._file
        if file is not None:
            try:
                self._write_waiting()
            finally:
                self._file = None
                file.close()

    def _locked(self) -> _Locked:
        return _Locked(self)


def _write_all(file: io.FileIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) or 0 :]


class _Locked:
    """The handler's own lock as a context manager; it is None only in a handler that was never initialised."""

    def __init__(self, handler: logging.Handler) -> None:
        self._handler = handler

    def __enter__(self) -> None:
        self._handler.acquire()

    def __exit__(self, *_exc: object) -> None:
        self._handler.release()


def _before_fork() -> None:
    for handler in list(_handlers):
        FileHandler.flush(handler)


os.register_at_fork(before=_before_fork)
