"""Sends one file to members: a few pieces are in flight, failures and progress are noted."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from catalina.ha.deploy.file_message_factory import FarmFile, read_messages
from catalina.tribes.channel import SEND_OPTIONS_USE_ACK, Delivery
from catalina.tribes.member import Member

__all__ = ["FarmTransfer", "Poster"]

log = logging.getLogger("org.apache.catalina.ha.deploy.FarmWarDeployer")

#: Pieces that may be unacknowledged: 1 MiB, so that sessions do not wait behind a file.
WINDOW = 8
#: Seconds to wait for a piece's acknowledgements, beyond the sender's own timeout.
PIECE_SECONDS = 60.0
#: Seconds between two log lines about a long transfer.
LOG_SECONDS = 5.0


class Poster(Protocol):
    """The part of the channel that a transfer needs."""

    def post(self, to: Sequence[Member], message: object, options: int) -> Delivery:
        """Queue a message; the Delivery is done when all members have acknowledged it or failed."""


class FarmTransfer:
    """Sends a file once, to several members at a time. Afterwards ``failed`` has the members that did not get it, and
    the reasons.

    Args:
        path: the path of the file.
        file: the file's name, context and stamp.
        members: the receivers.
    """

    def __init__(self, path: str, file: FarmFile, members: Sequence[Member]) -> None:
        self.path = path
        self.file = file
        self.members = tuple(members)
        self.failed: dict[Member, BaseException] = {}
        self.sent_bytes = 0
        self.finished = False
        self._flying: deque[tuple[Delivery, int]] = deque()
        self._next_line = time.monotonic() + LOG_SECONDS

    @property
    def percent(self) -> int:
        """The share of the file that every member that has not failed has acknowledged."""
        return 100 * self.sent_bytes // self.file.size if self.file.size else 100 * self.finished

    def __str__(self) -> str:
        done = len(self.members) - len(self.failed) if self.finished else 0
        return (
            f"{self.file.name} {self.percent}% {self.sent_bytes}/{self.file.size} bytes, "
            f"{done}/{len(self.members)} members done"
        )

    def run(self, channel: Poster) -> None:
        """Send; returns when every member has acknowledged every piece or failed. Raises OSError, ProtocolError."""
        for message in read_messages(self.path, self.file):
            to = [member for member in self.members if member not in self.failed]
            if not to:
                break
            self._flying.append((channel.post(to, message.encode(), SEND_OPTIONS_USE_ACK), len(message.data)))
            if len(self._flying) >= WINDOW:
                self._land()
        while self._flying:
            self._land()
        self.finished = True

    def _land(self) -> None:
        delivery, size = self._flying.popleft()
        if not delivery.wait(PIECE_SECONDS):
            error = TimeoutError(f"no acknowledgement within {PIECE_SECONDS:.0f} s")
            self.failed.update({member: error for member in self.members if member not in self.failed})
        self.failed.update(delivery.faulty)
        self.sent_bytes += size
        if time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LOG_SECONDS
            log.info("Sending [%s]", self)
