"""Sends sessions to a node that asks: all of them in Java's form to a Java node, the records that it lacks to a Python
node.

A state is streamed: it is encoded while it is sent, in blocks of which several are on their way at a time.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from catalina.ha.session.delta_session import DeltaSession
from catalina.ha.session.session_data import SessionData, encode_sessions
from catalina.ha.session.session_message import (
    EVT_ALL_SESSION_DATA,
    EVT_ALL_SESSION_TRANSFERCOMPLETE,
    SessionMessage,
)
from catalina.tribes.channel import SEND_OPTIONS_SYNCHRONIZED_ACK, SEND_OPTIONS_USE_ACK, Delivery
from catalina.tribes.ledger.graves import Grave
from catalina.tribes.ledger.reconciler import Message
from catalina.tribes.ledger.record import Record
from catalina.tribes.ledger.wire import Copy, encode, encode_copies, encode_ends

if TYPE_CHECKING:
    from catalina.ha.session.delta_manager import DeltaManager
    from catalina.ha.surroundings import Spawned
    from catalina.tribes.member import Member

__all__ = ["StateSender"]

log = logging.getLogger("org.apache.catalina.ha.session.DeltaManager")

#: Sessions in a block for a Java node, which applies it between two requests and must acknowledge it within 3 s.
MAX_BLOCK_SESSIONS = 500
MAX_BLOCK_BYTES = 2**20
#: Records in a block for a Python node. It is encoded under the manager's lock, for which requests wait.
MAX_BLOCK_RECORDS = 100
#: Blocks on their way to a Python node.
WINDOW = 4
#: Seconds to wait for a block's acknowledgement before the stream is given up; the peer then asks again.
BLOCK_SECONDS = 30.0
#: Streams and steps that may wait for their turn. A Java node that asks twice waits only once.
MAX_WAITING = 1000
#: Changed records whose sums one step computes, in about a millisecond, and the pause in which other threads get the
#: interpreter and the lock.
MAX_FRESHENED = 200
BREATH_SECONDS = 0.0005

_SYNCHRONOUS = SEND_OPTIONS_USE_ACK | SEND_OPTIONS_SYNCHRONIZED_ACK


class StateSender:
    """Sends one stream after another in a thread of its own, which ends when no request is left.

    Encoding thousands of sessions in the thread that reads the group's messages would stop all requests.
    """

    def __init__(self, manager: DeltaManager) -> None:
        self._manager = manager
        self._lock = threading.Lock()
        self._waiting: list[tuple[Member, str, Callable[[], None]]] = []
        self._thread: Spawned | None = None
        self._stopping = manager.surroundings.event()

    def start(self) -> None:
        """Get ready to serve, even after a stop."""
        self._stopping.clear()

    def answer(self, asker: Member) -> None:
        """Queue the state for a Java node. Any thread; returns at once."""
        self._enqueue(asker, "all", lambda: self._serve_java(asker))

    def stream(
        self, member: Member, records: Iterable[Record], ended: Sequence[Grave], messages: Iterable[Message]
    ) -> None:
        """Queue records, then ends, then messages for a Python node. Any thread; returns at once."""
        self._enqueue(member, "", lambda: self._serve(member, records, ended, messages))

    def freshen(self, member: Member, step: Callable[[], None]) -> None:
        """Queue a step of a comparison, which runs when the sums of the buckets are right. Any thread; returns at
        once.
        """
        self._enqueue(member, "", lambda: self._freshen(step))

    def then(self, member: Member, step: Callable[[], None]) -> None:
        """Take a step when all that is on its way to a member has left. Any thread; returns at once."""
        self._enqueue(member, "", step)

    def is_busy_with(self, member: Member) -> bool:
        """True when something is on its way to a member that later messages must not overtake."""
        with self._lock:
            return any(each == member for each, _, _ in self._waiting) and not self._runs_here()

    @property
    def is_busy(self) -> bool:
        """True when anything is waiting or being sent."""
        return self._thread is not None

    def _runs_here(self) -> bool:
        return self._thread is not None and self._manager.surroundings.is_running(self._thread)

    def stop(self) -> None:
        """End after the current block, and join the thread."""
        self._stopping.set()
        with self._lock:
            thread = self._thread
        if thread is not None and not self._manager.surroundings.is_running(thread):
            thread.join(10)

    def encoded(self, records: Iterable[Record]) -> bytes:
        """A message with the present records and the times of their sessions; records without a session are left
        out.
        """
        manager = self._manager
        now_ms = manager.now_ms()
        copies = []
        with manager.lock:
            for record in records:
                session = manager.sessions.get(record.id)
                if isinstance(session, DeltaSession) and session.record is record and session.alive:
                    idle_ms = now_ms - session.last_accessed_time_ms
                    copies.append(Copy(record, session.creation_time_ms, idle_ms, session.is_new))
            return encode_copies(copies)

    def _enqueue(self, member: Member, what: str, serve: Callable[[], None]) -> None:
        with self._lock:
            if self._stopping.is_set() or (what and any(each[:2] == (member, what) for each in self._waiting)):
                return
            if len(self._waiting) >= MAX_WAITING:
                log.warning("Manager [%s]: %d steps of sending session state wait, [%s] must ask again",
                            self._manager.name, MAX_WAITING, member.name)  # fmt: skip
                return
            self._waiting.append((member, what, serve))
            if self._thread is None:
                name = f"DeltaManager-state[{self._manager.name}]"
                self._thread = self._manager.surroundings.spawn(self._run, name)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting or self._stopping.is_set():
                    self._waiting.clear()
                    self._thread = None
                    return
                member, _, serve = self._waiting[0]
            try:
                serve()
            except BaseException:
                log.exception(
                    "Manager [%s]: the session state could not be sent to [%s]", self._manager.name, member.name
                )
            with self._lock:
                self._waiting.pop(0)

    # -- to a Python node --------------------------------------------------------------------------------------------

    def _serve(
        self, member: Member, records: Iterable[Record], ended: Sequence[Grave], messages: Iterable[Message]
    ) -> None:
        manager = self._manager
        on_their_way: deque[Delivery] = deque()
        sent = 0
        for body, size in self.bodies(records, ended):
            if sent >= manager.send_all_sessions_size and not manager.send_all_sessions:
                self._stopping.wait(manager.send_all_sessions_wait_time / 1000)
                sent = 0
            sent += size
            while len(on_their_way) >= WINDOW:
                if not self._has_arrived(on_their_way.popleft(), member):
                    return
            if self._stopping.is_set():
                return
            delivery = manager.post_ledger(body, member, _SYNCHRONOUS)
            if delivery is None:
                # a block was lost: the message that everything was sent would be believed, so it must not follow
                return
            on_their_way.append(delivery)
        steps = iter(messages)
        while True:
            with manager.lock:
                message = next(steps, None)
            if message is None:
                return
            manager.post_ledger(encode(message, len(manager.ledger)), member)

    def _freshen(self, step: Callable[[], None]) -> None:
        """Compute the sums of the changed records, so few at a time that no request notices."""
        manager = self._manager
        while True:
            with manager.lock:
                is_fresh = manager.reconciler.refresh(MAX_FRESHENED)
            if is_fresh:
                break
            if self._stopping.wait(BREATH_SECONDS):
                return
        step()

    def _has_arrived(self, delivery: Delivery, member: Member) -> bool:
        deadline = self._manager.monotonic() + BLOCK_SECONDS
        while not delivery.wait(0.5):
            if self._stopping.is_set() or self._manager.monotonic() > deadline:
                return False
        if member in delivery.faulty:
            log.warning("Manager [%s]: session state to [%s] is given up: %s",
                        self._manager.name, member.name, delivery.faulty[member])  # fmt: skip
            return False
        return True

    def bodies(self, records: Iterable[Record], ended: Sequence[Grave]) -> Iterator[tuple[bytes, int]]:
        """The blocks of a state for a Python node, and the number of records in each."""
        manager = self._manager
        most = MAX_BLOCK_RECORDS
        if not manager.send_all_sessions:
            most = min(most, manager.send_all_sessions_size)
        rest = iter(records)
        while True:
            block: list[Record] = []
            size = 0
            with manager.lock:
                for record in islice(rest, most):
                    block.append(record)
                    size += sum(len(value.data) for value in record.values.values())
                    if size >= MAX_BLOCK_BYTES:
                        break
                body = self.encoded(block)
            if not block:
                break
            yield body, len(block)
        for start in range(0, len(ended), MAX_BLOCK_SESSIONS):
            yield encode_ends(ended[start : start + MAX_BLOCK_SESSIONS]), 0

    # -- to Java -----------------------------------------------------------------------------------------------------

    def _serve_java(self, asker: Member) -> None:
        manager = self._manager
        cluster = manager.cluster
        if cluster is None:
            return
        taken_ms = manager.now_ms()  # changes from now on reach the asker as messages of their own
        name = manager.name
        for number, block in enumerate(self._blocks()):
            if number and not manager.send_all_sessions:
                self._stopping.wait(manager.send_all_sessions_wait_time / 1000)
            if self._stopping.is_set():
                return
            data = SessionMessage(
                EVT_ALL_SESSION_DATA, name, encode_sessions(block), "SESSION-STATE", f"SESSION-STATE-{name}", taken_ms
            )
            if not cluster.send(data, asker, _SYNCHRONOUS):
                return
            manager.count_sent(EVT_ALL_SESSION_DATA)
        complete = SessionMessage(
            EVT_ALL_SESSION_TRANSFERCOMPLETE,
            name,
            None,
            "SESSION-STATE-TRANSFERRED",
            f"SESSION-STATE-TRANSFERRED{name}",
            taken_ms,
        )
        cluster.send(complete, asker)
        manager.count_sent(EVT_ALL_SESSION_TRANSFERCOMPLETE)

    def _blocks(self) -> Iterator[list[SessionData]]:
        """The valid sessions, cut into blocks as sendAllSessions says; without sessions there is one empty block."""
        manager = self._manager
        in_one = manager.send_all_sessions
        most = MAX_BLOCK_SESSIONS if in_one else max(1, manager.send_all_sessions_size)
        block: list[SessionData] = []
        size = 0
        sent = False
        for session in manager.find_sessions():
            if not isinstance(session, DeltaSession) or not session.is_valid:
                continue
            data = session.to_data()
            block.append(data)
            size += sum(len(encoded.data) for encoded in data.attributes.values())
            if len(block) >= most or size >= MAX_BLOCK_BYTES:
                yield block
                block, size, sent = [], 0, True
        if block or (in_one and not sent):
            yield block
