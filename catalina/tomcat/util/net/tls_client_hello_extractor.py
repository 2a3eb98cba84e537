"""The server name in the first bytes of a TLS connection (Tomcat: util/net/TLSClientHelloExtractor.java).

OpenSSL does the handshake itself. This class only looks at the first bytes, so that the host's settings are chosen
before the handshake begins (RFC 8446 section 4.1.2, RFC 6066 section 3).
"""

from __future__ import annotations

__all__ = ["TLSClientHelloExtractor"]

HANDSHAKE, CLIENT_HELLO, SERVER_NAME, HOST_NAME = 22, 1, 0, 0
#: Bytes in front of a record, of a handshake message.
RECORD_HEADER, MESSAGE_HEADER = 5, 4
#: Bytes of a record that is not encrypted (RFC 8446 section 5.1).
RECORD_SIZE = 2**14
#: Bytes of a host name in DNS.
NAME_SIZE = 255


class TLSClientHelloExtractor:
    """Looks for the server name while the bytes come in.

    Args:
        limit: the number of bytes to look at (sniParseLimit).

    Attributes:
        server_name: lower case; None while it is not known, when the client sends none, and when the bytes are no
            ClientHello that could be read. The handshake says more of those.
        needed: bytes from the beginning that must be there before it makes sense to look again.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.server_name: str | None = None
        self.needed = RECORD_HEADER
        self._at = 0  # the offset of the next record
        self._message = bytearray()
        self._done = False

    def look(self, data: bytes) -> bool:
        """Look at all bytes from the beginning; returns True when the outcome is known.

        Bytes that were seen before are not looked at again, so the work is linear in the bytes.
        """
        if data and self._at == 0 and data[0] != HANDSHAKE:  # plain HTTP need not wait for five bytes
            self._done = True
        while not self._done and self._take_record(data):
            pass
        return self._done

    @property
    def _message_size(self) -> int:
        """Bytes of the ClientHello, as far as the message says already."""
        if len(self._message) < MESSAGE_HEADER:
            return MESSAGE_HEADER
        return MESSAGE_HEADER + int.from_bytes(self._message[1:MESSAGE_HEADER])

    def _take_record(self, data: bytes) -> bool:
        """Take a record; returns True when the next one can follow, or the outcome is known."""
        start = self._at + RECORD_HEADER
        if len(data) < start:
            return self._wait_for(start, data)
        size = int.from_bytes(data[start - 2 : start])
        if data[self._at] != HANDSHAKE or data[self._at + 1] != 3 or not 0 < size <= RECORD_SIZE:
            self._done = True
            return True
        if len(data) < start + size:
            return self._wait_for(start + size, data)
        self._message += data[start : start + size]
        self._at = start + size
        if self._message[0] != CLIENT_HELLO or self._message_size > self.limit:
            self._done = True
        elif len(self._message) >= self._message_size:
            self.server_name = _name_in(bytes(self._message[MESSAGE_HEADER : self._message_size]))
            self._done = True
        return True

    def _wait_for(self, needed: int, data: bytes) -> bool:
        """Wait for a part of the next record, and at least for as much as the rest of the message takes in one record.

        That bounds how often one has to look, however small the records are: each time a sixth of the rest may still
        be missing.
        """
        rest = self._message_size - len(self._message)
        self.needed = max(needed, self._at + RECORD_HEADER + rest)
        if self.needed > self.limit:
            self._done = True
            return True
        return len(data) >= self.needed


def _name_in(hello: bytes) -> str | None:
    """The host name in a ClientHello (without the message's header); None when there is none, or it cannot be read."""
    reader = _Reader(hello)
    try:
        reader.skip(34)  # version, random
        reader.skip(reader.number(1))  # session id
        reader.skip(reader.number(2))  # cipher suites
        reader.skip(reader.number(1))  # compression methods
        extensions = reader.part(reader.number(2))
        while extensions.left:
            kind, body = extensions.number(2), extensions.part(extensions.number(2))
            if kind == SERVER_NAME:
                names = body.part(body.number(2))
                if names.number(1) != HOST_NAME:
                    return None
                return _host_name(names.take(names.number(2)))
    except EOFError:
        return None
    return None


def _host_name(name: bytes) -> str | None:
    if not 0 < len(name) <= NAME_SIZE or not name.isascii() or 0 in name:
        return None
    return name.decode("ascii").lower()


class _Reader:
    """Reads numbers and parts from bytes; raises EOFError when there are too few."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise EOFError
        self._at += size
        return self._data[self._at - size : self._at]

    def skip(self, size: int) -> None:
        if size > self.left:
            raise EOFError
        self._at += size

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def part(self, size: int) -> _Reader:
        return _Reader(self.take(size))
