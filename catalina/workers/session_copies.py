"""The keeper's knowledge of which worker has a copy of which session of one application.

Invariant: a worker that has a copy is a holder. It becomes one before the keeper gives it the session, and stays one
until it says that it has dropped the session, or has gone. Holders, and only they, are shown whatever changes
elsewhere.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from catalina.errors import ProtocolError
from catalina.ha.session.delta_session import DeltaSession
from catalina.ha.session.session_message import (
    EVT_CHANGE_SESSION_ID,
    EVT_LEDGER,
    EVT_SESSION_ACCESSED,
    EVT_SESSION_CREATED,
    EVT_SESSION_DELTA,
    EVT_SESSION_EXPIRED,
    SessionMessage,
    encode_message,
)
from catalina.tribes.channel import EVERYTHING
from catalina.tribes.ledger.wire import Copy, Question, decode, encode_copies, encode_ends
from catalina.workers import frames
from catalina.workers.session_tellers import SessionTellers

if TYPE_CHECKING:
    from catalina.ha.session.delta_manager import DeltaManager
    from catalina.tribes.channel import Delivery
    from catalina.tribes.ledger.record import Record
    from catalina.tribes.member import Member

__all__ = ["SessionCopies", "Workers"]

log = logging.getLogger("org.apache.catalina.workers.SessionCopies")

#: The events that workers post, and that go on to the group.
_OF_WORKERS = frozenset(
    {EVT_CHANGE_SESSION_ID, EVT_SESSION_ACCESSED, EVT_SESSION_CREATED, EVT_SESSION_DELTA, EVT_SESSION_EXPIRED}
)


class Workers(Protocol):
    """The links of a keeper, as far as the managers' messages need them."""

    @property
    def members(self) -> Sequence[Member]:
        """The workers that are there."""
        ...

    def members_for(self, key: bytes) -> Sequence[Member]:
        """The workers that may have sessions of an application: those of a pool have their own one's."""
        ...

    def show(self, member: Member, key: bytes, messages: Sequence[bytes], *, tells: bool = False) -> None:
        """Send messages, as frames have them, to a worker; a worker that has gone gets nothing. Any thread.

        Args:
            tells: this worker tells its listeners.
        """

    def tell_ends(self, members: Sequence[Member], key: bytes, messages: Sequence[bytes]) -> None:
        """Have the first of these workers that does not go meanwhile tell its listeners of sessions that have ended."""

    def share(self, member: Member, key: bytes, name: str) -> None:
        """Tell a worker that others have a copy of a session, too."""

    def outdate(self, member: Member, key: bytes, name: str) -> None:
        """Tell a worker that another node has taken over a session."""

    def catch_up(self, member: Member) -> None:
        """Take what a worker has posted already."""

    def at_round_end(self, task: Callable[[], None]) -> None:
        """Run a task once when the keeper has read all that was there."""


class SessionCopies:
    """The copies of one application's sessions. In the runner.

    Args:
        manager: the keeper's own, with every session.
        key: by which keeper and workers know it.
    """

    def __init__(self, manager: DeltaManager, key: bytes, workers: Workers) -> None:
        self.manager = manager
        self.key = key
        self._workers = workers
        self._holders: dict[str, set[Member]] = {}
        #: Held while a change is noted: the background tick ends sessions in a thread of its own.
        self._noting = threading.Lock()
        #: The changes to be shown to holders at the end of the round: records by their keys, ended ones, too.
        self._changed: dict[Member, dict[str, Record]] = {}
        self._scheduled = False
        #: Keys of records whose changes a worker tells its listeners, too.
        self._telling: dict[Member, set[str]] = {}
        self.tellers = SessionTellers()
        #: The last state of sessions that this process is ending, and of which no worker has a copy.
        self._last: dict[str, bytes] = {}
        #: Sessions that workers may make and have not made yet, by their workers' ports.
        self._granted: dict[int, int] = {}
        #: Called with a session that no worker has a copy of any more; keeps it beyond this process, if it is given.
        self.keep: Callable[[DeltaSession], None] | None = None
        #: By keys of records: the ports of workers that may drop their copies, and have not said that they have.
        self._leaving: dict[str, set[int]] = {}
        #: Gets a session that this process has not, and goes on; None when there is nowhere else to look.
        self.claim: Callable[[str, Callable[[], None]], None] | None = None
        #: Keys of records of which workers have copies, and that another node has used last.
        self._used_elsewhere: set[str] = set()
        #: A worker's message with whole sessions is being read.
        self._reads_whole = False

    def __len__(self) -> int:
        """The number of sessions of which some worker has a copy."""
        return len(self._holders)

    # -- from a worker -------------------------------------------------------------------------------------------

    def posted(self, worker: Member, messages: Sequence[SessionMessage]) -> Delivery | None:
        """A worker says what its requests have changed. The group hears the same.

        Returns:
            The delivery to the group; None when there is nobody to tell.

        Raises:
            ProtocolError: an event is none that workers have. The group would hear of it.
        """
        manager = self.manager
        relayed: list[SessionMessage] = []
        for message in messages:
            is_whole = message.event == EVT_LEDGER
            if not is_whole and message.event not in _OF_WORKERS:
                raise ProtocolError(
                    f"worker [{worker.port - 1}]: expected an event of a session, got [{message.event_name}]"
                )
            self._reads_whole = is_whole
            manager.message_data_received(message, worker)
            self._reads_whole = False
            if is_whole:
                self._given(message)
            else:
                if message.event == EVT_SESSION_EXPIRED and message.session_id:
                    self._note_refused(message.session_id)
                if message.event == EVT_SESSION_CREATED and self._granted.get(worker.port):
                    self._granted[worker.port] -= 1
                relayed.append(message)
        return self._relay(relayed) if relayed else None

    def _relay(self, messages: Sequence[SessionMessage]) -> Delivery | None:
        """Tell the group; returns the delivery, None when there is nobody to tell."""
        cluster, name = self.manager.cluster, self.manager.name
        if cluster is None or not cluster.members:
            return None
        for message in messages:
            self.manager.count_sent(message.event)
        relayed = [
            (
                encode_message(event, name, body, session_id, session_id, time_ms),
                EVERYTHING if event == EVT_CHANGE_SESSION_ID else session_id,
            )
            for event, _, body, session_id, _, time_ms in messages
        ]
        return cluster.post_all(relayed, cluster.members)

    def _given(self, message: SessionMessage) -> None:
        """A worker has given whole sessions, or ends. The group does not know what only this worker knew."""
        cluster = self.manager.cluster
        for member in () if cluster is None else cluster.members:
            self.manager.comparisons.due(member, at_once=False)

    def _note_refused(self, session_id: str) -> None:
        """A worker has ended a session; another one may have used it later, and it lives on."""
        record = self._record(session_id)
        if record is not None:
            self.tellers.goes_on(record.key)

    def may_tell_end(self, port: int, session_id: str) -> bool:
        """True when a worker that ends a session tells its listeners; False when another one does."""
        with self.manager.lock:
            found = self.manager.ledger.addressed(session_id) or self.manager.ledger.grave_of(session_id)
        return found is None or self.tellers.may_tell(found.key, port)

    def listens(self) -> None:
        """A worker runs the application, which has session listeners."""
        self.tellers.is_heard = True
        self._schedule()

    def when_here(self, question: bytes, then: Callable[[], None]) -> None:
        """Go on as soon as this process has the session for which a worker asks, or as soon as it is certain that
        nobody has it.

        Raises:
            ProtocolError: it is no question.
        """
        if self.claim is None:
            then()
            return
        asked, _ = decode(question)
        if not isinstance(asked, Question):
            raise ProtocolError(f"expected a question, got {type(asked).__name__}")
        record = self._record_of_any(asked.id)
        if record is not None and self._is_current(record):
            then()
        else:
            self.claim(asked.id, then)

    def _is_current(self, record: Record) -> bool:
        """True when what is known here can be served."""
        return True

    def is_held(self, record: Record) -> bool:
        """True when some worker has a copy."""
        return record.key in self._holders

    def serves(self, record: Record) -> bool:
        """See :class:`WorkerCopies`."""
        return record.key in self._holders and record.key not in self._used_elsewhere

    def _record(self, session_id: str) -> Record | None:
        with self.manager.lock:
            return self.manager.ledger.addressed(session_id)

    def _record_of_any(self, session_id: str) -> Record | None:
        """The record, also when the message of the worker that has made the session has not been read."""
        record = self._record(session_id)
        if record is None:
            for member in self._workers.members:
                self._workers.catch_up(member)
            record = self._record(session_id)
        return record

    def asked(self, worker: Member, question: bytes, *, may_go: bool = False) -> tuple[bytes, Member | bool]:
        """A worker wants a session that it does not have.

        Args:
            may_go: the request can go to another worker.

        Returns:
            The whole session, or its end, or nothing when it is unknown. Beside it True when others have a copy, too,
            or the worker to which the request shall go.

        Raises:
            ProtocolError: it is no question.
        """
        asked, _ = decode(question)
        if not isinstance(asked, Question):
            raise ProtocolError(f"expected a question, got {type(asked).__name__}")
        manager = self.manager
        record = self._record_of_any(asked.id)
        others = set() if record is None else self._holders.get(record.key, set()) - {worker}
        if may_go and others:
            return b"", min(others, key=lambda member: member.port)  # the same for all connections of a client
        for holder in () if record is None else tuple(self._holders.get(record.key, ())):
            self._workers.catch_up(holder)  # answers that arrived there are older than the question
        self._workers.catch_up(worker)
        with manager.lock:
            record = manager.ledger.addressed(asked.id)
            grave = None if record is not None else manager.ledger.grave_of(asked.id)
        if record is not None:
            session = manager.sessions.get(record.id)
            if session is None or not session.is_valid:
                return b"", False
            self._hold(worker, record)
            return manager.state_sender.encoded([record]), len(self._holders[record.key]) > 1
        return (b"" if grave is None else encode_ends([grave])), False

    def holder(self, session_id: str) -> int | None:
        """The index of a worker that has a copy of a session, the same for all who ask; None without one."""
        record = self._record_of_any(session_id)
        holders = () if record is None else self._holders.get(record.key, ())
        return min((member.port - 1 for member in holders), default=None)

    def may_make(self, port: int, members: Sequence[Member]) -> bool:
        """True when a worker may make a session; False when the node has as many as maxActiveSessions allows.

        Args:
            port: the worker's.
            members: all workers; they have posted what they have made.
        """
        for member in members:
            self._workers.catch_up(member)
        if 0 <= self.limit <= self.active_sessions + sum(self._granted.values()):
            return False
        self._granted[port] = self._granted.get(port, 0) + 1
        return True

    @property
    def limit(self) -> int:
        """maxActiveSessions, -1 for no limit."""
        return self.manager.max_active_sessions

    @property
    def active_sessions(self) -> int:
        """The sessions that count for maxActiveSessions."""
        return self.manager.active_sessions

    def rejected(self) -> None:
        """A worker could not make a session."""
        self.manager.rejected_sessions += 1

    @property
    def outlive_keeper(self) -> bool:
        """True when other nodes, or a store, have the sessions, too."""
        cluster = self.manager.cluster
        return self.keep is not None or (cluster is not None and bool(cluster.members))

    def may_forget(self, port: int, names: Sequence[str]) -> list[str]:
        """The sessions of which a worker may drop its copies: one copy of each must outlive the keeper, in another
        worker or another node.

        Args:
            port: the worker's.
            names: ids.
        """
        if self.outlive_keeper:
            return list(names)
        granted = []
        for name in names:
            record = self._record(name)
            if record is None:
                continue
            leaving = self._leaving.setdefault(record.key, set())
            if any(holder.port not in (port, *leaving) for holder in self._holders.get(record.key, ())):
                leaving.add(port)
                granted.append(name)
            elif not leaving:
                del self._leaving[record.key]
        return granted

    def forgotten(self, worker: Member, sessions: Sequence[tuple[str, int]]) -> None:
        """A worker has dropped copies; each with the time in ms since its last use."""
        manager = self.manager
        for session_id, idle_ms in sessions:
            with manager.lock:
                record = manager.ledger.addressed(session_id)
            if record is None:
                continue
            session = manager.sessions.get(record.id)
            if isinstance(session, DeltaSession):
                session.used_elsewhere(idle_ms)
            self._let_go(worker, record.key)

    def lost(self, worker: Member) -> None:
        """A worker has gone, with all of its copies."""
        self._changed.pop(worker, None)
        self._telling.pop(worker, None)
        self._granted.pop(worker.port, None)
        self.tellers.lost(worker.port, [key for key, holders in self._holders.items() if worker in holders])
        for key in [key for key, holders in self._holders.items() if worker in holders]:
            self._let_go(worker, key)

    # -- told by the manager -------------------------------------------------------------------------------------

    def post(self, member: Member, body: bytes) -> bool:
        """Send the ledger's message if it is for a worker; True when it was."""
        if member.host:
            return False
        self._workers.show(member, self.key, [self._message(body)])
        return True

    def _message(self, body: bytes) -> bytes:
        """A message of the ledger, for a worker."""
        return frames.encode_message(EVT_LEDGER, None, body, None, None, self.manager.now_ms())

    def changed(self, record: Record, by: Member | None, *, is_use: bool = True) -> None:
        """A record is here, has changed or was used. A worker that says so has a copy; other holders are shown it."""
        holders = self._holders.get(record.key)
        if by is not None and not by.host:
            if is_use:
                self._used_elsewhere.discard(record.key)
            if holders is None or by not in holders:
                self._hold(by, record)
        elif by is not None and is_use and holders is not None:
            self._used_elsewhere.add(record.key)
        if holders is not None:
            is_told = by is not None and by.host and self.tellers.is_heard
            tells = is_told and self.manager.notify_listeners_on_replication
            self._note(record, holders, by, min(holders, key=_port) if tells else None)

    def ending(self, session: DeltaSession) -> None:
        """This process is about to end a session."""
        key = session.record.key
        if self.tellers.is_heard and key not in self._holders:
            self._last[key] = self._whole_of(session)

    def _whole_of(self, session: DeltaSession) -> bytes:
        idle_ms = session.manager.now_ms() - session.last_accessed_time_ms
        return encode_copies([Copy(session.record, session.creation_time_ms, idle_ms, session.is_new)])

    def ended(self, record: Record, by: Member | None) -> None:
        """A record has ended: nobody has a copy any more, the holders are told."""
        self._leaving.pop(record.key, None)
        self._used_elsewhere.discard(record.key)
        holders = self._holders.pop(record.key, set())
        teller = None
        if by is not None and not by.host:
            self.tellers.may_tell(record.key, by.port)  # it has told already
        elif by is None or self._tells_ends_of_others:
            teller = self._choose_teller(record, holders)
        self._note(record, holders, by, teller)

    @property
    def _tells_ends_of_others(self) -> bool:
        """True when listeners shall hear of sessions that another node has ended."""
        return self.manager.notify_session_listeners_on_replication

    def _choose_teller(self, record: Record, holders: Collection[Member]) -> Member | None:
        """The worker with a copy that tells the end; without one, any worker gets the whole session."""
        key = record.key
        last = self._last.pop(key, None)
        teller = self.tellers.choose(key, holders)
        if not holders and self.tellers.is_heard and not self.tellers.is_told(key):
            session = self.manager.sessions.get(record.id)
            if last is None and isinstance(session, DeltaSession) and session.alive:
                last = self._whole_of(session)
            if last is not None:
                self._tell_end(last)
        return teller

    def ended_unheld(self, session: DeltaSession) -> None:
        """A session ends of which no worker has a copy."""
        if self.tellers.is_heard:
            self._tell_end(self._whole_of(session))

    def _tell_end(self, message: bytes) -> None:
        self.tellers.wait(message)
        self._schedule()

    def _note(self, record: Record, holders: Iterable[Member], by: Member | None, teller: Member | None = None) -> None:
        with self._noting:
            for worker in holders:
                if worker != by:
                    self._changed.setdefault(worker, {})[record.key] = record
                    self._schedule()
            if teller is not None:
                self._telling.setdefault(teller, set()).add(record.key)

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._workers.at_round_end(self._show_changed)

    def _show_changed(self) -> None:
        with self._noting:
            self._scheduled = False
            changed, self._changed = self._changed, {}
            telling, self._telling = self._telling, {}
        for worker, records in changed.items():
            told = telling.get(worker, ())
            self._show(worker, [record for key, record in records.items() if key not in told], tells=False)
            self._show(worker, [record for key, record in records.items() if key in told], tells=True)
        workers = self._workers.members_for(self.key)
        ends = self.tellers.take() if workers else ()
        if ends:
            self._workers.tell_ends(workers, self.key, ends)

    def _show(self, worker: Member, records: Sequence[Record], *, tells: bool) -> None:
        """Show a worker the present state of these records, or their ends."""
        manager = self.manager
        with manager.lock:
            ledger = manager.ledger
            alive = [record for record in records if ledger.addressed(record.key) is record]
            graves = [ledger.grave_of(record.key) for record in records if record not in alive]
        ended = [grave for grave in graves if grave is not None]
        messages: list[bytes] = []
        if alive:
            messages.append(self._message(manager.state_sender.encoded(alive)))
        if ended:
            messages.append(self._message(encode_ends(ended)))
        if messages:
            self._workers.show(worker, self.key, messages, tells=tells)

    # -- who has what --------------------------------------------------------------------------------------------

    def _hold(self, worker: Member, record: Record) -> None:
        self._used_elsewhere.discard(record.key)
        self.tellers.goes_on(record.key)
        holders = self._holders.get(record.key)
        if holders is None:
            self._holders[record.key] = {worker}
            self._first_held(record)
        elif worker not in holders:
            holders.add(worker)
            for holder in holders:
                self._workers.share(holder, self.key, record.key)

    def _let_go(self, worker: Member, key: str) -> None:
        holders = self._holders.get(key)
        if holders is None:
            return
        holders.discard(worker)
        self._leaving.get(key, set()).discard(worker.port)
        if not holders:
            self._leaving.pop(key, None)
            del self._holders[key]
            with self.manager.lock:
                record = self.manager.ledger.addressed(key)
            if record is not None:
                self._last_gone(record)

    def _first_held(self, record: Record) -> None:
        session = self.manager.sessions.get(record.id)
        if isinstance(session, DeltaSession):
            session.is_primary = False  # the worker that serves the session ends it when it is idle

    def _last_gone(self, record: Record) -> None:
        session = self.manager.sessions.get(record.id)
        if isinstance(session, DeltaSession):
            # No worker has a copy, so the keeper ends it when it is idle, unless it is another node's.
            session.is_primary = record.key not in self._used_elsewhere
            self._used_elsewhere.discard(record.key)
            if self.keep is not None:
                self.keep(session)


def _port(worker: Member) -> int:
    return worker.port
