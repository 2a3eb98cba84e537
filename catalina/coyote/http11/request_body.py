"""Decodes bodies of requests, by length or in chunks (RFC 9112 sections 6 and 7).

Both decoders have the same interface: ``receive(data)`` returns bytes of the body; then ``complete`` is True if the
body has ended, and ``unused`` has the bytes behind it.
"""

from __future__ import annotations

import re
from typing import Protocol

from catalina.coyote.http_error import HttpError

__all__ = ["BodyDecoder", "ChunkedDecoder", "LengthDecoder"]

#: Longest chunk size accepted: 8 hex digits are 4 GiB, and Tomcat's limit.
MAX_SIZE_DIGITS = 8
_TOKEN = rb"[!#$%&'*+\-.0-9A-Z^_`a-z|~]+"
_QUOTED = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"'
#: RFC 9112 section 7.1.1; spaces around the signs are wrong, but must be accepted.
_EXTENSION = rb"[ \t]*;[ \t]*%b(?:[ \t]*=[ \t]*(?:%b|%b))?" % (_TOKEN, _TOKEN, _QUOTED)
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})((?:(?:%b)+[ \t]*)?)" % _EXTENSION)
_TRAILER = re.compile(rb"([!#$%&'*+\-.0-9A-Z^_`a-z|~]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)")


class BodyDecoder(Protocol):
    """The interface of both kinds of body."""

    complete: bool
    unused: bytes

    def receive(self, data: bytes) -> bytes: ...


class LengthDecoder:
    """A body of Content-Length bytes."""

    __slots__ = ("complete", "remaining", "unused")

    def __init__(self, length: int) -> None:
        self.remaining = length
        self.complete = length == 0
        self.unused = b""

    def receive(self, data: bytes) -> bytes:
        """The part of ``data`` that belongs to the body."""
        if len(data) < self.remaining:
            self.remaining -= len(data)
            return data
        body, self.unused = data[: self.remaining], data[self.remaining :]
        self.remaining = 0
        self.complete = True
        return body


class ChunkedDecoder:
    """A chunked body.

    Lines end in CRLF and nothing else: with a bare LF an attacker could make two servers see different requests.

    Args:
        max_extension: bytes of chunk extensions in the whole body (maxExtensionSize).
        max_trailer: bytes of trailer fields (maxTrailerSize).
    """

    def __init__(self, max_extension: int = 8192, max_trailer: int = 8192) -> None:
        self.max_extension = max_extension
        self.max_trailer = max_trailer
        self.complete = False
        self.unused = b""
        #: Trailer fields, (lower case name, value).
        self.trailers: list[tuple[str, str]] = []
        self._buffer = b""
        self._at = 0  # start of the unread part; cutting the buffer at each chunk would be quadratic
        self._read = self._read_size
        self._remaining = 0
        self._extension_size = 0
        self._trailer_size = 0

    def receive(self, data: bytes) -> bytes:
        """The body's bytes in ``data`` and in the rest of earlier calls.

        Raises:
            HttpError: 400, the chunks are malformed or their extensions or trailers too large.
        """
        self._buffer, self._at = self._buffer[self._at :] + data, 0
        parts: list[bytes] = []
        while not self.complete and self._read(parts):
            pass
        if self.complete:
            self.unused, self._buffer, self._at = self._buffer[self._at :], b"", 0
        return b"".join(parts)

    def _line(self, limit: int, what: str) -> bytes | None:
        """The next line without its CRLF, None when it is incomplete."""
        at = self._at
        end = self._buffer.find(b"\n", at, at + limit + 2)
        if end < 0:
            if len(self._buffer) - at > limit + 1:
                raise HttpError(400, f"{what} of more than {limit} bytes")
            return None
        line = self._buffer[at:end]
        self._at = end + 1
        if not line.endswith(b"\r") or b"\r" in line[:-1]:
            raise HttpError(400, f"{what} does not end in CRLF: {line[:40]!r}")
        return line[:-1]

    def _read_size(self, parts: list[bytes]) -> bool:
        line = self._line(MAX_SIZE_DIGITS + 16 + max(0, self.max_extension), "chunk size line")
        if line is None:
            return False
        match = _SIZE_LINE.fullmatch(line)
        if match is None:
            raise HttpError(
                400, f"chunk size {line[:40]!r} is not 1 to {MAX_SIZE_DIGITS} hex digits and extensions ;name=value"
            )
        self._extension_size += len(match[2])
        if self._extension_size > self.max_extension >= 0:
            raise HttpError(400, f"chunk extensions of more than maxExtensionSize {self.max_extension} bytes")
        self._remaining = int(match[1], 16)
        self._read = self._read_data if self._remaining else self._read_trailer
        return True

    def _read_data(self, parts: list[bytes]) -> bool:
        at = self._at
        if self._remaining:
            part = self._buffer[at : at + self._remaining]
            self._at = at + len(part)
            self._remaining -= len(part)
            parts.append(part)
            if self._remaining:
                return False
            at = self._at
        end = self._buffer[at : at + 2]
        if end != b"\r\n":
            if len(end) == 2 or end not in (b"", b"\r"):
                raise HttpError(400, f"no CRLF after a chunk but {end!r}")
            return False
        self._at = at + 2
        self._read = self._read_size
        return True

    def _read_trailer(self, parts: list[bytes]) -> bool:
        line = self._line(max(0, self.max_trailer - self._trailer_size), "trailer")
        if line is None:
            return False
        if not line:
            self.complete = True
            return True
        self._trailer_size += len(line) + 2
        match = _TRAILER.fullmatch(line)
        if match is None:
            raise HttpError(400, f"trailer field {line[:40]!r} is malformed")
        self.trailers.append((match[1].decode("latin-1").lower(), match[2].rstrip(b" \t").decode("latin-1")))
        return True
