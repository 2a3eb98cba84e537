"""Turns messages of other nodes into events of the ledger, and its commands into changes of the application's sessions.

Java's messages have no versions: each gets one made of its own time and its sender (``java_clocks.py``). Everything
here runs in the thread that reads the group's messages.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Protocol

from catalina.errors import ProtocolError
from catalina.ha.session.delta_request import DeltaRequest
from catalina.ha.session.delta_session import DeltaSession, fields_of, fields_of_data
from catalina.ha.session.session_data import SessionData, decode_sessions
from catalina.ha.session.session_message import (
    EVT_ALL_SESSION_DATA,
    EVT_ALL_SESSION_NOCONTEXTMANAGER,
    EVT_ALL_SESSION_TRANSFERCOMPLETE,
    EVT_CHANGE_SESSION_ID,
    EVT_GET_ALL_SESSIONS,
    EVT_LEDGER,
    EVT_SESSION_ACCESSED,
    EVT_SESSION_CREATED,
    EVT_SESSION_DELTA,
    EVT_SESSION_EXPIRED,
    STAMP,
    SessionMessage,
    decode_session_id,
    stamp_of,
)
from catalina.tribes.ledger.commands import Ask, Born, Changed, Command, Ended, Renamed, Tell, TellEnded, Used
from catalina.tribes.ledger.graves import Grave
from catalina.tribes.ledger.reconciler import GroupSums, Message, Reply, Settled, TopSums
from catalina.tribes.ledger.record import Record, Snapshot, bare_id
from catalina.tribes.ledger.version import NO_VERSION, VERSION_SIZE, Version
from catalina.tribes.ledger.wire import (
    Copies,
    Copy,
    Ends,
    Question,
    decode,
    encode,
    encode_ends,
    encode_question,
)
from catalina.tribes.transport.nio.parallel_nio_sender import keeps_order

if TYPE_CHECKING:
    from catalina.ha.session.delta_manager import DeltaManager
    from catalina.tribes.member import Member

__all__ = ["DeltaReceiver", "WorkerCopies"]

log = logging.getLogger("org.apache.catalina.ha.session.DeltaManager")

_STAMP_SIZE = len(STAMP) + VERSION_SIZE
#: The number of records that this thread sends itself; more are streamed by the state sender.
MAX_AT_ONCE = 50


class WorkerCopies(Protocol):
    """The copies that this node's workers have of one manager's sessions (``catalina/workers/session_copies.py``)."""

    def changed(self, record: Record, by: Member | None, *, is_use: bool = True) -> None:
        """A record is here, has changed or was used.

        Args:
            by: the peer that said so, None this process.
            is_use: False when the peer has only told all that it knows of the record.
        """

    def serves(self, record: Record) -> bool:
        """True when a worker has a copy, and no other node has used the record since."""

    def ended(self, record: Record, by: Member | None) -> None:
        """A record has ended."""

    def ending(self, session: DeltaSession) -> None:
        """This process is about to end a session."""

    def post(self, member: Member, body: bytes) -> bool:
        """Send a message of the ledger if ``member`` is a worker of this node; True when it is."""


class DeltaReceiver:
    """Feeds the ledger of ``manager`` and carries out its commands.

    Args:
        tells: the application's listeners hear of what messages change; None: as the manager's attributes say.
    """

    def __init__(self, manager: DeltaManager, tells: bool | None = None) -> None:
        self._manager = manager
        self._tells = tells

    @property
    def _tells_sessions(self) -> bool:
        return self._manager.notify_session_listeners_on_replication if self._tells is None else self._tells

    @property
    def _tells_attributes(self) -> bool:
        return self._manager.notify_listeners_on_replication if self._tells is None else self._tells

    def apply(self, message: SessionMessage, sender: Member) -> None:
        """Handle a message. An unreadable message affects nothing else; its sender gets a positive ACK all the same."""
        handle = _HANDLERS.get(message.event)
        if handle is None:
            log.debug("Manager [%s]: unknown event %s from [%s]", self._manager.name, message.event, sender.name)
            return
        try:
            handle(self, message, sender)
        except ProtocolError as error:
            log.error(
                "Manager [%s]: Unable to receive message through TCP channel: %s from [%s]: %s",
                self._manager.name, message.event_name, sender.name, error,
            )  # fmt: skip

    # -- versions --------------------------------------------------------------------------------------------------

    def _version_of(self, message: SessionMessage, sender: Member, is_ours: bool) -> Version:
        """The version of a message, under the manager's lock; ``is_ours``: it comes from a Python node."""
        body = message.session
        if is_ours and body is not None and body[-_STAMP_SIZE:-VERSION_SIZE] == STAMP:
            return body[-VERSION_SIZE:]
        return self._java_version(sender, message.timestamp_ms)

    def _java_version(self, sender: Member, timestamp_ms: int | None, age_ms: int = 0) -> Version:
        manager, now_us = self._manager, self._manager.now_us
        next_us = manager.ledger.clock.peek(now_us)
        return manager.java_clocks.version(sender, timestamp_ms, now_us, next_us, manager.monotonic(), age_ms)

    # -- one session -----------------------------------------------------------------------------------------------

    def _handle_created(self, message: SessionMessage, sender: Member) -> None:
        session_id = message.session_id
        if not session_id:
            return
        manager = self._manager
        with manager.lock:
            born = self._version_of(message, sender, keeps_order(sender))
            commands = manager.ledger.heard_created(sender, session_id, born, manager.monotonic())
        created_ms = manager.now_ms() if message.timestamp_ms is None else message.timestamp_ms
        self._carry_out(commands, sender, created_ms=created_ms)

    def _handle_delta(self, message: SessionMessage, sender: Member) -> None:
        session_id = message.session_id
        if not message.session or not session_id:
            return
        changes = fields_of(DeltaRequest.decode(message.session).actions)
        manager, is_ours = self._manager, keeps_order(sender)
        session = manager.sessions.get(session_id)
        if isinstance(session, DeltaSession):  # the usual case needs no look-up in the ledger and no command
            with manager.lock:
                version = self._version_of(message, sender, is_ours)
                taken = manager.ledger.take(session.record, changes, version)
            session.told(taken, self._tells_attributes)
            session.touched_elsewhere()
            if manager.copies is not None:
                manager.copies.changed(session.record, sender)
            return
        with manager.lock:
            version = self._version_of(message, sender, is_ours)
            commands = manager.ledger.heard_changes(
                sender, session_id, changes, version, manager.monotonic(), can_ask=is_ours
            )
        self._carry_out(commands, sender)

    def _handle_accessed(self, message: SessionMessage, sender: Member) -> None:
        manager, is_ours = self._manager, keeps_order(sender)
        if not message.session_id:
            return
        with manager.lock:
            version = self._version_of(message, sender, is_ours)
            commands = manager.ledger.heard_use(
                sender, message.session_id, version, manager.monotonic(), can_ask=is_ours
            )
        self._carry_out(commands, sender)

    def _handle_expired(self, message: SessionMessage, sender: Member) -> None:
        manager = self._manager
        if not message.session_id:
            return
        versions: Sequence[Version] = stamp_of(message.session, 2) if keeps_order(sender) else ()
        with manager.lock:
            version, access = versions if versions else (self._version_of(message, sender, keeps_order(sender)), None)
            commands = manager.ledger.heard_end(sender, message.session_id, version, access, manager.monotonic())
        self._carry_out(commands, sender)

    def _handle_change_id(self, message: SessionMessage, sender: Member) -> None:
        new_id = decode_session_id(message.session or b"")
        if not message.session_id or not new_id:
            return
        manager, is_ours = self._manager, keeps_order(sender)
        with manager.lock:
            version = self._version_of(message, sender, is_ours)
            commands = manager.ledger.heard_rename(
                sender, message.session_id, new_id, version, manager.monotonic(), can_ask=is_ours
            )
        self._carry_out(commands, sender)

    # -- the whole state, in Java's form ----------------------------------------------------------------------------

    def _handle_get_all(self, message: SessionMessage, sender: Member) -> None:
        self._manager.transfer.asked_back(sender)
        self._manager.state_sender.answer(sender)

    def _handle_all_data(self, message: SessionMessage, sender: Member) -> None:
        log.debug("Manager [%s]: received all session state data", self._manager.name)
        self._manager.transfer.received_data()
        for data in decode_sessions(message.session or b""):
            self._take_over(data, sender, message.timestamp_ms)

    def _take_over(self, data: SessionData, sender: Member, taken_ms: int | None = None) -> None:
        """Take a session in Java's form; everything in it counts as changed when the session was last used.

        Args:
            taken_ms: the time at which the state was taken, by its sender's clock; None: the time of the last use.
        """
        manager = self._manager
        taken_ms = data.last_accessed_time_ms if taken_ms is None else taken_ms
        idle_ms = max(0, taken_ms - data.last_accessed_time_ms)
        bare = bare_id(data.id)
        with manager.lock:
            version = self._java_version(sender, taken_ms, idle_ms)
            born = self._java_version(sender, taken_ms, taken_ms - data.creation_time_ms)
            fields = fields_of_data(data)
            snapshot = Snapshot(
                bare, data.id, born, born, version, {bare: NO_VERSION}, {name: version for name, _ in fields},
                {name: value for name, value in fields if isinstance(name, str) and value is not None},
                {name: value for name, value in fields if not isinstance(name, str) and value is not None},
            )  # fmt: skip
            commands = manager.ledger.heard_record(sender, snapshot, manager.monotonic(), can_ask=False)
        self._carry_out(commands, sender, data.creation_time_ms, idle_ms, data.is_new)

    def _handle_complete(self, message: SessionMessage, sender: Member) -> None:
        log.debug("Manager [%s] received from node [%s] session state transferred.", self._manager.name, sender.name)
        self._manager.transfer.received_complete(sender)

    def _handle_no_context(self, message: SessionMessage, sender: Member) -> None:
        log.debug("Manager [%s] received from node [%s] no context manager.", self._manager.name, sender.name)
        self._manager.no_context_manager_received = True
        self._manager.transfer.received_no_context()

    # -- between Python nodes ---------------------------------------------------------------------------------------

    def _handle_ledger(self, message: SessionMessage, sender: Member) -> None:
        decoded, records = decode(message.session or b"")
        manager = self._manager
        if records:
            manager.transfer.expect(sender, records)
        match decoded:
            case Copies(copies):
                self._hear_copies(copies, sender)
            case Ends(graves):
                for grave in graves:
                    with manager.lock:
                        commands = manager.ledger.heard_grave(sender, grave, manager.monotonic())
                    self._carry_out(commands, sender)
            case Question(full_id):
                with manager.lock:
                    commands = manager.ledger.heard_question(sender, full_id)
                self._carry_out(commands, sender)
            case Settled():
                manager.comparisons.settled(sender)
                manager.transfer.received_complete(sender)
            case GroupSums() | TopSums(is_empty=False):
                manager.comparisons.when_fresh(sender, lambda: self._hear(decoded, sender))
            case _:
                self._hear(decoded, sender)

    def _hear(self, message: Message, sender: Member) -> None:
        """Take a step of a comparison."""
        manager = self._manager
        with manager.lock:
            reply = manager.reconciler.heard(sender, message)
        self._send_reply(reply, sender, isinstance(message, TopSums) and message.is_starting)

    def _hear_copies(self, copies: Sequence[Copy[Snapshot]], sender: Member) -> None:
        manager = self._manager
        copies = manager.admit(copies)
        with manager.lock:
            heard, now = manager.ledger.heard_record, manager.monotonic()
            commands = [heard(sender, copy.snapshot, now) for copy in copies]
        now_ms = manager.now_ms()
        for copy, todo in zip(copies, commands, strict=True):
            # the first copy of a record that comes here, as nearly all copies in a state are
            if len(todo) == 1 and type(todo[0]) is Born:
                self._show(todo[0].record, now_ms, copy.created_ms, copy.idle_ms, copy.is_new)
                continue
            self._carry_out(todo, sender)
            with manager.lock:
                record = manager.ledger.addressed(copy.snapshot.id)
            session = None if record is None else self._session_of(record)
            if session is not None:
                session.used_elsewhere(copy.idle_ms)
        if manager.copies is not None:
            for copy in copies:
                with manager.lock:
                    record = manager.ledger.addressed(copy.snapshot.key)
                if record is not None:
                    manager.copies.changed(record, sender, is_use=False)
        manager.transfer.received_data(len(copies))
        manager.comparisons.goes_on(sender)
        if any(isinstance(each, Born) for todo in commands for each in todo) and not manager.transfer.is_waiting:
            manager.comparisons.spread(sender)

    def _send_reply(self, reply: Reply, member: Member, is_starting: bool) -> None:
        """Send a few records immediately; stream many, and the messages behind them."""
        manager = self._manager
        most = MAX_AT_ONCE if manager.send_all_sessions else min(MAX_AT_ONCE, manager.send_all_sessions_size)
        records = iter(reply.records)
        with manager.lock:
            few = list(islice(records, most + 1))
        ended, sender = reply.ended, manager.state_sender
        if len(few) > most or len(ended) > MAX_AT_ONCE or reply.is_long or sender.is_busy_with(member):
            if is_starting:
                log.info("Manager [%s]: [%s] starts and gets the session state", manager.name, member.name)
                # the number of records, for the starting node's progress
                manager.post_ledger(encode(GroupSums({}), len(manager.ledger)), member)
            sender.stream(member, chain(few, records), ended, reply.messages)
            return
        if few:
            manager.post_ledger(manager.state_sender.encoded(few), member)
        if ended:
            manager.post_ledger(encode_ends(ended), member)
        for message in reply.messages:
            manager.post_ledger(encode(message, len(manager.ledger)), member)

    # -- commands --------------------------------------------------------------------------------------------------

    def _session_of(self, record: Record) -> DeltaSession | None:
        session = self._manager.sessions.get(record.id)
        return session if isinstance(session, DeltaSession) and session.record is record else None

    def _carry_out(
        self,
        commands: Iterable[Command],
        sender: Member,
        created_ms: int | None = None,
        idle_ms: int = 0,
        is_new: bool = True,
    ) -> None:
        """Carry out the ledger's commands after a message of ``sender``; the times are for a new session."""
        manager = self._manager
        for command in commands:
            if manager.copies is not None:
                self._tell_copies(manager.copies, command, sender)
            match command:
                case Changed(record, fields):
                    session = self._session_of(record)
                    if session is not None:
                        session.told(fields, self._tells_attributes)
                        session.touched_elsewhere()
                case Used(record):
                    session = self._session_of(record)
                    if session is not None:
                        session.touched_elsewhere()
                case Born(record):
                    now_ms = manager.now_ms()
                    self._show(record, now_ms, now_ms if created_ms is None else created_ms, idle_ms, is_new)
                case Renamed(record, old_id):
                    self._rename(record, old_id)
                case Ended(record):
                    session = self._session_of(record)
                    if session is not None:
                        session.expire(self._tells_sessions, notify_cluster=False)
                case Ask(to, full_id):
                    manager.post_ledger(encode_question(full_id), to)  # type: ignore[arg-type]  # peers are members
                case Tell(to, record):
                    manager.post_ledger(manager.state_sender.encoded([record]), to)  # type: ignore[arg-type]
                case TellEnded(to, grave):
                    self._tell_ended(to, grave)  # type: ignore[arg-type]

    @staticmethod
    def _tell_copies(copies: WorkerCopies, command: Command, sender: Member) -> None:
        match command:
            case Changed(record) | Used(record) | Renamed(record) | Born(record):
                copies.changed(record, sender)
            case Ended(record):
                copies.ended(record, sender)

    def _tell_ended(self, member: Member, grave: Grave) -> None:
        if keeps_order(member):
            self._manager.post_ledger(encode_ends([grave]), member)

    def _show(self, record: Record, now_ms: int, created_ms: int, idle_ms: int, is_new: bool) -> None:
        """Show the application a session that has come from another node."""
        manager = self._manager
        session = DeltaSession(manager, record.id, now_ms, record)
        session.adopt(now_ms, created_ms, idle_ms, is_new)
        manager.session_counter += 1
        manager.add(session)
        if self._tells_sessions and manager.listeners.session_created:
            session.tell_new()

    def _rename(self, record: Record, old_id: str) -> None:
        manager = self._manager
        session = manager.sessions.get(old_id)
        if not isinstance(session, DeltaSession) or session.record is not record:
            return
        manager.rename(
            session,
            record.id,
            self._tells_sessions,
            manager.notify_container_listeners_on_replication,
        )
        session.is_primary = False


_HANDLERS: dict[int, Callable[[DeltaReceiver, SessionMessage, Member], None]] = {
    EVT_SESSION_CREATED: DeltaReceiver._handle_created,
    EVT_SESSION_DELTA: DeltaReceiver._handle_delta,
    EVT_SESSION_ACCESSED: DeltaReceiver._handle_accessed,
    EVT_SESSION_EXPIRED: DeltaReceiver._handle_expired,
    EVT_CHANGE_SESSION_ID: DeltaReceiver._handle_change_id,
    EVT_GET_ALL_SESSIONS: DeltaReceiver._handle_get_all,
    EVT_ALL_SESSION_DATA: DeltaReceiver._handle_all_data,
    EVT_ALL_SESSION_TRANSFERCOMPLETE: DeltaReceiver._handle_complete,
    EVT_ALL_SESSION_NOCONTEXTMANAGER: DeltaReceiver._handle_no_context,
    EVT_LEDGER: DeltaReceiver._handle_ledger,
}
