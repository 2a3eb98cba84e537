"""Cuts files into FileMessages and joins them again (Tomcat: ha/deploy/FileMessageFactory.java).

Pieces arrive in any order and are written where they belong: a Python node's piece gives its offset, the offset of a
Java node's is ``number - 1`` times the size of its buffer. A transfer from a Python node is complete when every byte is
there and the SHA-256 is right. Java has no checksum, and announces one piece too many for a file whose size is a
multiple of its buffer; such a transfer is complete when only that piece has been missing for a while.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from catalina.errors import LimitError, ProtocolError
from catalina.ha.deploy.farm_trailer import FarmTrailer
from catalina.ha.deploy.file_message import FileMessage

__all__ = ["PIECE_SIZE", "FarmFile", "IncomingFile", "read_messages", "sha256_of"]

#: The number of bytes that we send at once. Any size works; with Java's 10240 bytes, 200 MB would take twenty thousand
#: messages.
PIECE_SIZE = 128 * 1024
#: Seconds to wait for the superfluous piece that Java announces.
JAVA_QUIET = 2.0
#: Pieces of one transfer that are remembered: a bound for the memory that a sender can make us use.
MAX_PIECES = 1_000_000


@dataclass(frozen=True, slots=True)
class FarmFile:
    """A file of the farm.

    Args:
        name: the file's name in the directories.
        context: its application's context, such as ``/shop##1.4.0``.
        stamp_ms: the time at which it came into the watched directory.
    """

    name: str
    context: str
    size: int
    sha256: bytes
    stamp_ms: int

    @property
    def order(self) -> tuple[int, bytes]:
        """The order of two files with one name: the larger one counts, on every node."""
        return self.stamp_ms, self.sha256


def sha256_of(path: str) -> bytes:
    """SHA-256 of a file's content."""
    with open(path, "rb") as source:
        return hashlib.file_digest(source, "sha256").digest()


def read_messages(path: str, file: FarmFile) -> Iterator[FileMessage]:
    """The pieces of a file, in order. There is always at least one.

    Raises:
        OSError: the file cannot be read.
        ProtocolError: the file has become shorter meanwhile.
    """
    transfer = uuid.uuid4().bytes
    total = max(1, -(-file.size // PIECE_SIZE))
    with open(path, "rb") as source:
        for number in range(1, total + 1):
            offset = (number - 1) * PIECE_SIZE
            data = source.read(min(PIECE_SIZE, file.size - offset))
            if len(data) < min(PIECE_SIZE, file.size - offset):
                raise ProtocolError(f"{path}: ends at byte {offset + len(data)}, expected {file.size}")
            trailer = FarmTrailer(transfer, offset, file.size, file.stamp_ms, file.sha256)
            yield FileMessage(file.name, file.context, data, number, total, padding=trailer.encode())


class IncomingFile:
    """A transfer that is being written to a file in the temporary directory.

    Args:
        first: any message of the transfer.
        path: the new file, in a directory of its own; :meth:`discard` removes both.
        max_size: the limit for the file, in bytes.
        now: the time in seconds, by the clock that later calls use.
    """

    def __init__(self, first: FileMessage, path: str, max_size: int, now: float) -> None:
        self.name = first.file_name
        self.context = first.context_name
        self.path = path
        self.max_size = max_size
        self.trailer = FarmTrailer.decode(first.padding)
        self.last_seen = now
        self._total = first.total_messages
        self._buffer = len(first.data) + len(first.padding)
        self._pieces: set[int] = set()
        self._received = 0
        self._last_length = 0
        self._sink = open(path, "xb", buffering=0)  # noqa: SIM115 - closed by finish() and discard()

    @property
    def progress(self) -> tuple[int, int]:
        """Bytes received, and bytes in all if the sender has told."""
        size = self.trailer.size if self.trailer is not None else self._total * self._buffer
        return self._received, size

    def add(self, message: FileMessage, now: float) -> bool:
        """Write a piece; a repeated piece changes nothing.

        Returns:
            True when all pieces are there.

        Raises:
            LimitError: the file exceeds the limit.
            ProtocolError: the piece does not belong to this transfer.
        """
        self.last_seen = now
        offset = self._offset_of(message)
        if offset + len(message.data) > self.max_size or self._total > MAX_PIECES:
            raise LimitError(f"{self.name}: {offset + len(message.data)} bytes and more, limit {self.max_size}")
        if message.message_number not in self._pieces:
            os.pwrite(self._sink.fileno(), message.data, offset)
            self._pieces.add(message.message_number)
            self._received += len(message.data)
            if message.message_number == self._total:
                self._last_length = len(message.data)
        return len(self._pieces) == self._total

    def _offset_of(self, message: FileMessage) -> int:
        if message.total_messages != self._total:
            raise ProtocolError(f"{self.name}: {message.total_messages} pieces, earlier {self._total}")
        if self.trailer is None:
            return (message.message_number - 1) * self._buffer
        trailer = FarmTrailer.decode(message.padding)
        if trailer is None or trailer.transfer != self.trailer.transfer:
            raise ProtocolError(f"{self.name}: a piece of another transfer")
        if trailer.offset + len(message.data) > trailer.size:
            raise ProtocolError(f"{self.name}: a piece at byte {trailer.offset} beyond {trailer.size}")
        return trailer.offset

    def lacks_only_javas_extra_piece(self, now: float) -> bool:
        """True when a Java sender has most probably sent everything."""
        last_missing = self._total not in self._pieces and len(self._pieces) == self._total - 1
        return self.trailer is None and last_missing and bool(self._pieces) and now - self.last_seen >= JAVA_QUIET

    def finish(self) -> None:
        """Close the complete file.

        Raises:
            ProtocolError: size or SHA-256 differ from those that the sender announced.
        """
        os.fsync(self._sink.fileno())
        self._sink.close()
        if self.trailer is None:
            return
        size = os.path.getsize(self.path)
        if size != self.trailer.size:
            raise ProtocolError(f"{self.name}: {size} bytes, the sender said {self.trailer.size}")
        found = sha256_of(self.path)
        if found != self.trailer.sha256:
            raise ProtocolError(f"{self.name}: SHA-256 {found.hex()}, the sender said {self.trailer.sha256.hex()}")

    def discard(self) -> None:
        """Close and remove the file and its directory."""
        self._sink.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(os.path.dirname(self.path))
