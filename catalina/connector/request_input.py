"""The body of a request as a file, for ``wsgi.input``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

__all__ = ["EMPTY_INPUT", "RequestInput"]


class RequestInput:
    """Reads the decoded body of one request, never past its end.

    Args:
        pull: returns the next portion of the body, ``b""`` at its end; it may wait for the client, and raises
            :class:`~catalina.connector.client_abort_exception.ClientAbortException` when the client goes away.
        ready: the first portion, when it came with the head.
    """

    __slots__ = ("_at", "_data", "_pull", "bytes_read")

    def __init__(self, pull: Callable[[], bytes] | None, ready: bytes = b"") -> None:
        self._pull = pull
        self._data = ready
        self._at = 0
        self.bytes_read = 0

    def read(self, size: int | None = -1) -> bytes:
        """``size`` bytes, fewer only at the end; all of it when ``size`` is None or negative."""
        if size is None or size < 0:
            return self._read_all()
        parts: list[bytes] = []
        while size > 0 and self._fill():
            part = self._data[self._at : self._at + size]
            self._at += len(part)
            size -= len(part)
            parts.append(part)
        return self._count(parts)

    def readline(self, size: int | None = -1) -> bytes:
        """One line with its newline, at most ``size`` bytes of it."""
        limit = -1 if size is None else size
        parts: list[bytes] = []
        while limit != 0 and self._fill():
            newline = self._data.find(b"\n", self._at)
            end = len(self._data) if newline < 0 else newline + 1
            if limit >= 0:
                end = min(end, self._at + limit)
            part = self._data[self._at : end]
            self._at = end
            parts.append(part)
            limit = limit - len(part) if limit >= 0 else limit
            if part.endswith(b"\n"):
                break
        return self._count(parts)

    def readlines(self, hint: int | None = None) -> list[bytes]:
        """Lines until the end, or until ``hint`` bytes have been read."""
        lines: list[bytes] = []
        total = 0
        for line in self:
            lines.append(line)
            total += len(line)
            if hint is not None and 0 < hint <= total:
                break
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    @property
    def is_over(self) -> bool:
        """True when nothing is left to read, as far as that is known without waiting."""
        return self._pull is None and self._at >= len(self._data)

    def take_ready(self) -> bytes:
        """The bytes that are here; empty when the next ones must be waited for."""
        part = self._data[self._at :]
        self._at = len(self._data)
        return self._count([part])

    def take_portion(self) -> bytes:
        """The next bytes, as many as come at once; empty at the end."""
        return self.take_ready() if self._fill() else b""

    def push_back(self, data: bytes) -> None:
        """Make ``data`` the next bytes to be read, so that the application can read again what a valve has read."""
        self._data = data + self._data[self._at :]
        self._at = 0
        self.bytes_read -= len(data)

    def _read_all(self) -> bytes:
        parts: list[bytes] = []
        while self._fill():
            parts.append(self._data[self._at :])
            self._at = len(self._data)
        return self._count(parts)

    def _fill(self) -> bool:
        """Make sure that there is a byte to read, waiting for the client if necessary; returns False at the end."""
        if self._at < len(self._data):
            return True
        if self._pull is None:
            return False
        self._data = self._pull()
        self._at = 0
        if not self._data:
            self._pull = None
            return False
        return True

    def _count(self, parts: list[bytes]) -> bytes:
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        self.bytes_read += len(data)
        return data


class _EmptyInput(RequestInput):
    """The body of the many requests that have none; it is shared, because it has no state."""

    __slots__ = ()

    def read(self, size: int | None = -1) -> bytes:
        return b""

    def readline(self, size: int | None = -1) -> bytes:
        return b""

    def push_back(self, data: bytes) -> None:
        raise TypeError("a request without a body has nothing to read again")


EMPTY_INPUT: RequestInput = _EmptyInput(None)
