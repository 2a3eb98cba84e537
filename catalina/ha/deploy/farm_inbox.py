"""Collects files that arrive from other nodes in the temporary directory."""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid

from catalina.deploy.archive import is_archive_name
from catalina.deploy.removal import remove
from catalina.errors import CatalinaError, DeploymentError, LimitError, ProtocolError
from catalina.ha.deploy.farm_trailer import FarmTrailer
from catalina.ha.deploy.file_message import FileMessage
from catalina.ha.deploy.file_message_factory import FarmFile, IncomingFile, sha256_of
from catalina.tribes.member import Member
from catalina.util.path_names import checked_name

__all__ = ["FarmInbox", "Received"]

log = logging.getLogger("org.apache.catalina.ha.deploy.FarmWarDeployer")

#: Transfers at a time: more than any farm needs, fewer than would fill a table.
MAX_TRANSFERS = 64
#: Seconds without a piece after which a transfer counts as failed, unless it continues.
LATELY = 10.0
_PREFIX = "incoming-"


class Received:
    """A file of which every piece has come; :meth:`check` verifies the content.

    Args:
        incoming: the transfer.
        sender: the node that has sent it; None for a Java node whose last piece was superfluous.
    """

    def __init__(self, incoming: IncomingFile, sender: Member | None) -> None:
        self.sender = sender
        self.path = incoming.path
        self.name = incoming.name
        self._incoming = incoming

    def check(self) -> None:
        """Compare size and SHA-256 with those that the sender announced. This takes time, so never in the channel's
        thread.

        Raises:
            ProtocolError: they differ.
        """
        self._incoming.finish()

    def discard(self) -> None:
        """Remove the file, unless it was moved away, and its directory."""
        self._incoming.discard()

    def file(self) -> FarmFile:
        """The file's name, context and stamp. A file from a Java node gets the time of its arrival as stamp."""
        trailer = self._incoming.trailer
        size, context = os.path.getsize(self.path), self._incoming.context
        if trailer is None:
            return FarmFile(self.name, context, size, sha256_of(self.path), time.time_ns() // 1_000_000)
        return FarmFile(self.name, context, size, trailer.sha256, trailer.stamp_ms)


class FarmInbox:
    """Transfers by sender and file. Any thread.

    Args:
        directory: the temporary directory; leftovers of an earlier run are removed.
        max_size: the limit for a file, in bytes.
        max_idle: seconds without a piece after which a transfer is dropped; negative: never.
    """

    def __init__(self, directory: str, max_size: int, max_idle: float) -> None:
        self._directory = directory
        self._max_size = max_size
        self._max_idle = max_idle
        self._lock = threading.Lock()
        self._transfers: dict[tuple[bytes, int, str, bytes], IncomingFile] = {}
        for name in os.listdir(directory):
            if name.startswith(_PREFIX):
                remove(os.path.join(directory, name), directory)

    def progress(self) -> list[str]:
        """One line for each transfer."""
        with self._lock:
            found = [(each.name, *each.progress) for each in self._transfers.values()]
        return [f"{name} {100 * done // size if size else 0}% {done}/{size} bytes" for name, done, size in found]

    def is_arriving(self, name: str, now: float) -> bool:
        """True when pieces of a file with that name have come lately."""
        with self._lock:
            return any(each.name == name and now - each.last_seen < LATELY for each in self._transfers.values())

    def take(self, message: FileMessage, sender: Member, now: float) -> Received | None:
        """Write a piece; returns the file when the piece was the last.

        Raises:
            CatalinaError: the piece is refused; the transfer is dropped.
            OSError: the piece cannot be written.
        """
        trailer = FarmTrailer.decode(message.padding)
        key = (sender.host, sender.port, message.file_name, trailer.transfer if trailer is not None else b"")
        with self._lock:
            incoming = self._transfers.get(key) or self._begin(key, message, now)
            try:
                if not incoming.add(message, now):
                    return None
            except (CatalinaError, OSError):
                incoming.discard()
                del self._transfers[key]
                raise
            del self._transfers[key]
            return Received(incoming, sender)

    def _begin(self, key: tuple[bytes, int, str, bytes], message: FileMessage, now: float) -> IncomingFile:
        name = message.file_name
        try:
            checked_name(name, "file name", "piece of a file")
        except DeploymentError as refused:
            raise ProtocolError(str(refused)) from None
        if name.startswith(".") or not is_archive_name(name) or any(char in '"<>' for char in name):
            raise ProtocolError(f"file name {name!r}, expected that of an archive")
        if len(self._transfers) >= MAX_TRANSFERS:
            raise LimitError(f"{len(self._transfers)} transfers at a time, limit {MAX_TRANSFERS}")
        # A wheel is read by its file name, so each file gets a directory of its own.
        directory = os.path.join(self._directory, f"{_PREFIX}{uuid.uuid4().hex}")
        os.mkdir(directory)
        path = os.path.join(directory, name)
        incoming = self._transfers[key] = IncomingFile(message, path, self._max_size, now)
        return incoming

    def sweep(self, now: float) -> list[Received]:
        """Drop stalled transfers; a transfer that lacks only the superfluous piece that Java announces is complete."""
        complete: list[Received] = []
        with self._lock:
            for key, incoming in list(self._transfers.items()):
                if incoming.lacks_only_javas_extra_piece(now):
                    del self._transfers[key]
                    complete.append(Received(incoming, None))
                elif 0 <= self._max_idle < now - incoming.last_seen:
                    del self._transfers[key]
                    incoming.discard()
                    log.warning("[%s]: nothing new for %s s, the transfer is dropped", incoming.name, self._max_idle)
        return complete

    def discard_all(self) -> None:
        """Drop every transfer."""
        with self._lock:
            for incoming in self._transfers.values():
                incoming.discard()
            self._transfers.clear()
