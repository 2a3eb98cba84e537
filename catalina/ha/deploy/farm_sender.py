"""Sends files and removals to members, one transfer after another, and remembers which members missed which files."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from catalina.errors import CatalinaError
from catalina.ha.deploy.farm_directory import FarmDirectory
from catalina.ha.deploy.farm_state import FarmState, Removal
from catalina.ha.deploy.farm_worker import FarmWorker
from catalina.ha.deploy.file_message_factory import FarmFile, read_messages
from catalina.ha.deploy.undeploy_message import UndeployMessage
from catalina.ha.surroundings import PROCESS, Surroundings
from catalina.tribes.channel import SEND_OPTIONS_USE_ACK, Delivery
from catalina.tribes.member import Member

if TYPE_CHECKING:
    from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
    from catalina.tribes.member import Member

__all__ = ["FarmSender", "FarmTransfer", "Poster"]

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
    """Sends a file once, to several members at a time; a few pieces are in flight.

    Afterwards ``failed`` has the members that did not get it, and the reasons.

    Args:
        path: the path of the file.
        file: the file's name, context and stamp.
        members: the receivers.
        monotonic: the clock.
    """

    def __init__(
        self,
        path: str,
        file: FarmFile,
        members: Sequence[Member],
        monotonic: Callable[[], float] = PROCESS.monotonic,
    ) -> None:
        self.path = path
        self.file = file
        self.members = tuple(members)
        self.failed: dict[Member, BaseException] = {}
        self.sent_bytes = 0
        self.finished = False
        self._flying: deque[tuple[Delivery, int]] = deque()
        self._monotonic = monotonic
        self._next_line = monotonic() + LOG_SECONDS

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
        if self._monotonic() >= self._next_line:
            self._next_line = self._monotonic() + LOG_SECONDS
            log.info("Sending [%s]", self)


class FarmSender:
    """The outgoing side of the farm. Any thread may call the ``submit`` methods, which never wait.

    Args:
        cluster: its channel carries the messages.
        directory: the directory of the files.
        state: tells which files still count; others are not sent.
        surroundings: the thread and the clock.
    """

    def __init__(
        self,
        cluster: SimpleTcpCluster,
        directory: FarmDirectory,
        state: FarmState,
        name: str,
        surroundings: Surroundings = PROCESS,
    ) -> None:
        self._cluster = cluster
        self._directory = directory
        self._state = state
        self._monotonic = surroundings.monotonic
        self._worker = FarmWorker(name, surroundings=surroundings)
        self._lock = threading.Lock()
        self._waiting: set[tuple[FarmFile, Member]] = set()
        self._missed: dict[tuple[bytes, int], set[str]] = {}
        self._missed_removals: dict[tuple[bytes, int], dict[str, Removal]] = {}
        #: Transfers under way.
        self.transfers: list[FarmTransfer] = []

    def stop(self) -> None:
        """End the thread after the transfer that is under way."""
        self._worker.stop()

    def submit_file(
        self, file: FarmFile, members: Sequence[Member], done: Callable[[str], None] = lambda _: None
    ) -> None:
        """Send a file to members, once for all of them; then call ``done`` with the number of members that have it.

        A member for which the same file already waits is left out.
        """
        with self._lock:
            due = tuple(member for member in members if (file, member) not in self._waiting)
            self._waiting.update((file, member) for member in due)
        if due:
            self._worker.submit(partial(self._send_file, file, due, done))
        elif members:
            done("is being sent already")
        else:
            done("no other members")

    def submit_removal(self, removal: Removal, members: Sequence[Member]) -> None:
        """Tell members that a context was removed."""
        for member in members:
            self._worker.submit(partial(self._send_removal, removal, member))

    def submit_bytes(self, data: bytes, member: Member) -> None:
        """Send a message of the farm to members."""
        self._worker.submit(partial(self._send_bytes, data, member))

    def has_missed(self, member: Member) -> frozenset[str]:
        """Names of files that were sent to a member and did not arrive there."""
        return frozenset(self._missed.get(_key(member), ()))

    def has_missed_removals(self, member: Member) -> tuple[Removal, ...]:
        """Removals that were sent to a member and did not arrive there."""
        return tuple(self._missed_removals.get(_key(member), {}).values())

    def heard_of_removals(self, member: Member) -> None:
        """A member has answered an offer, and so knows all removals."""
        self._missed_removals.pop(_key(member), None)

    def _send_file(self, file: FarmFile, members: tuple[Member, ...], done: Callable[[str], None]) -> None:
        try:
            self._transfer(file, members, done)
        finally:
            with self._lock:
                self._waiting.difference_update((file, member) for member in members)

    def _transfer(self, file: FarmFile, members: tuple[Member, ...], done: Callable[[str], None]) -> None:
        channel = self._cluster.channel
        if channel is None or file not in self._state.files:
            return
        transfer = FarmTransfer(self._directory.place(file.name), file, members, self._monotonic)
        self.transfers.append(transfer)
        begun = self._monotonic()
        try:
            transfer.run(channel)
        except (OSError, CatalinaError) as error:
            log.error("Error sending [%s] to the farm: %s", file.name, error)
            transfer.failed.update({member: error for member in members if member not in transfer.failed})
        finally:
            self.transfers.remove(transfer)
        for member in members:
            self._note(member, file.name, transfer.failed.get(member))
        reached = len(members) - len(transfer.failed)
        took = round((self._monotonic() - begun) * 1000)
        log.info("Sent [%s] with [%s] bytes to [%s] of [%s] members in [%s] ms",
                 file.name, file.size, reached, len(members), took)  # fmt: skip
        done(f"sent to {reached} of {len(members)} members in {took} ms")

    def _note(self, member: Member, name: str, fault: BaseException | None) -> None:
        missed = self._missed.setdefault(_key(member), set())
        if fault is None:
            missed.discard(name)
        else:
            missed.add(name)
            log.warning("[%s] has not arrived at %s, it gets it when it is back: %s", name, member.name, fault)

    def _send_removal(self, removal: Removal, member: Member) -> None:
        message = UndeployMessage(removal.context, removal.stamp_ms)
        missed = self._missed_removals.setdefault(_key(member), {})
        missed[removal.context] = removal
        if self._cluster.send(message, member, SEND_OPTIONS_USE_ACK):
            missed.pop(removal.context, None)

    def _send_bytes(self, data: bytes, member: Member) -> None:
        channel = self._cluster.channel
        if channel is None:
            return
        try:
            channel.send([member], data, SEND_OPTIONS_USE_ACK)
        except CatalinaError as error:
            log.info("%s does not take an offer of the farm's files now: %s", member.name, error)


def _key(member: Member) -> tuple[bytes, int]:
    """The key of a member without its unique id, which changes at a restart."""
    return member.host, member.port
