"""The keeper's table of sessions that workers have copies of, for an application with a BackupManager.

The group's map has one owner for each session. The sessions that workers of this node use stand in a second table, a
ledger like that of DeltaManager, because workers post versions. The table passes all posts of workers on to the map. It
takes in all changes of the map and passes them on to the workers that have copies. A session leaves the table when the
last worker has dropped it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.delta_session import DeltaSession
from catalina.ha.session.session_message import (
    EVT_CHANGE_SESSION_ID,
    EVT_LEDGER,
    EVT_SESSION_ACCESSED,
    EVT_SESSION_CREATED,
    EVT_SESSION_DELTA,
    SessionMessage,
    decode_session_id,
)
from catalina.ha.tcp.missed_messages import MissedMessages
from catalina.tribes.channel import SEND_OPTIONS_ASYNCHRONOUS
from catalina.tribes.ledger.record import Record
from catalina.tribes.ledger.wire import Copy, Ends, decode, encode_copies
from catalina.tribes.member import Member
from catalina.tribes.transport.nio.parallel_nio_sender import THIS_PEER
from catalina.workers.session_copies import SessionCopies, Workers

if TYPE_CHECKING:
    from catalina.ha.session.map_session import MapSession
    from catalina.tribes.channel import Delivery
    from catalina.tribes.ledger.version import Version

__all__ = ["MAP", "HeldSessions", "MapCopies", "MapMember", "MapPosts"]

#: The number of sessions of which it is remembered that they have come back.
MAX_LIVES = 10_000

#: The map, as the table sees it: a member at an address that no real member has. Workers have no address at all.
MAP = Member(bytes(4), 0, payload=THIS_PEER)


class MapMember(Protocol):
    """The keeper's end of the group's map, as the table needs it. In the runner."""

    def with_its_messages(self, work: Callable[[], Delivery | None]) -> Delivery | None:
        """Do some work; returns the delivery of its result and of all that it has sent to the group."""

    def born(self, record: Record) -> None:
        """A worker has made a session."""

    def posted(self, session_id: str, diff: bytes) -> None:
        """A worker has changed a session; ``diff`` is a DeltaRequest with its version behind it."""

    def used(self, session_id: str) -> None:
        """A worker has only read a session."""

    def taken_whole(self, record: Record) -> None:
        """A worker has given a whole session. This keeper may not know the session, or may know an older state of
        it.
        """

    def renamed(self, old_id: str, new_id: str) -> None:
        """A worker has given a session another id."""

    def ended(self, session_id: str, *, is_idle: bool) -> None:
        """A session has ended at a worker."""

    def held(self, session_id: str, is_held: bool, idle_ms: int = 0) -> None:
        """From now on some worker has a copy of a session, or no worker has; then with the time since its last use."""

    def claim(self, session_id: str, then: Callable[[], None]) -> None:
        """Become the owner of a session, put it into the table, and go on; if there is no such session, just go on."""

    @property
    def active_sessions(self) -> int:
        """The sessions that this node owns."""
        ...

    @property
    def max_active_sessions(self) -> int: ...

    @property
    def has_others(self) -> bool:
        """True when another node has the map."""
        ...

    def rejected(self) -> None:
        """A worker could not make a session."""

    def deliver(self, work: Callable[[], None]) -> Delivery | None:
        """Do something, whose messages leave together; returns what their answers wait for."""


class HeldSessions(DeltaManager):
    """The sessions that some worker has a copy of."""

    cluster: MapPosts  # type: ignore[assignment]  # the part of a cluster that a manager needs

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.resync_on_rejoin = False  # the map looks after the group

    def get_all_cluster_sessions(self) -> None:
        """Nothing: sessions come when workers ask for them."""

    def drop(self, record: Record) -> None:
        """No worker has a copy any more."""
        with self.lock:
            self.sessions.pop(record.id, None)
            self.ledger.drop(record)

    def _stop(self) -> None:
        """The sessions live on in the map."""
        self._stopping = True
        self.transfer.stop()
        self.state_sender.stop()
        self.sessions.clear()
        with self.lock:
            self.ledger.clear()


class MapPosts:
    """Takes the place of a cluster for the table: it passes messages of workers on to the map."""

    under_engine = True
    #: No channel of its own: the map has one.
    channel = None
    channel_send_options = SEND_OPTIONS_ASYNCHRONOUS
    members: Sequence[Member] = (MAP,)

    def __init__(self, name: str, table: HeldSessions, of: MapMember) -> None:
        self.name = name
        self.missed = MissedMessages()
        self._table = table
        self._map = of

    def post_bytes(self, data: bytes, to: Sequence[Member], options: int | None = None, **_: object) -> Delivery | None:
        """Post one message."""
        return self.post_all(((data, None),), to)

    def post_all(self, messages: Sequence[tuple[bytes, str | None]], to: Sequence[Member]) -> Delivery | None:
        """Enter the table's messages about sessions into the map."""
        return self.enter([SessionMessage.decode(data) for data, _ in messages])

    def enter(self, messages: Sequence[SessionMessage]) -> Delivery | None:
        """Enter messages about sessions into the map."""

        def enter() -> None:
            for message in messages:
                self._enter(message)

        return self._map.deliver(enter)

    def _enter(self, message: SessionMessage) -> None:
        session_id, body = message.session_id, message.session
        if not session_id:
            return
        match message.event:
            case e if e == EVT_SESSION_CREATED:
                with self._table.lock:
                    record = self._table.ledger.addressed(session_id)
                if record is not None:
                    self._map.born(record)
            case e if e == EVT_SESSION_DELTA and body:
                self._map.posted(session_id, body)
            case e if e == EVT_SESSION_ACCESSED:
                self._map.used(session_id)
            case e if e == EVT_CHANGE_SESSION_ID and body:
                new_id = decode_session_id(body)
                if new_id:
                    self._map.renamed(session_id, new_id)

    def remove_manager(self, manager: object) -> None:
        """Nothing: the table goes with the map's member."""


class MapCopies(SessionCopies):
    """The workers' copies of the sessions of a map.

    A session that another node has taken over is *outdated* here: the workers that have copies ask before they use
    theirs again.
    """

    manager: HeldSessions

    def __init__(self, manager: HeldSessions, key: bytes, workers: Workers, of: MapMember) -> None:
        super().__init__(manager, key, workers)
        self._map = of
        self.claim = of.claim
        #: Keys of records that another node has taken over.
        self._outdated: set[str] = set()
        #: The whole sessions that workers give, while their message is read.
        self._whole: list[Record] = []
        #: By keys of records: the births of sessions that had ended here and have come back.
        self._lives: dict[str, Version] = {}

    # -- from a worker -------------------------------------------------------------------------------------------

    def posted(self, worker: Member, messages: Sequence[SessionMessage]) -> Delivery | None:
        """See :meth:`SessionCopies.posted`. The end of a session leaves as soon as it is read, and counts, too."""
        return self._map.with_its_messages(lambda: super(MapCopies, self).posted(worker, messages))

    def _relay(self, messages: Sequence[SessionMessage]) -> Delivery | None:
        return self.manager.cluster.enter(messages)

    def _is_current(self, record: Record) -> bool:
        return record.key not in self._outdated

    def _given(self, message: SessionMessage) -> None:
        whole, self._whole = self._whole, []
        for record in whole:
            self._map.taken_whole(record)
        found, _ = decode(message.session or b"")
        if isinstance(found, Ends):
            for grave in found.graves:
                if self._record(grave.key) is None:
                    self._map.ended(grave.key, is_idle=bool(grave.access))

    @property
    def active_sessions(self) -> int:
        """The sessions that this node owns."""
        return self._map.active_sessions

    def _choose_teller(self, record: Record, holders: Collection[Member]) -> Member | None:
        """See :meth:`SessionCopies._choose_teller`; a session that another node has taken over is that node's."""
        return None if record.key in self._outdated else super()._choose_teller(record, holders)

    @property
    def limit(self) -> int:
        """As the map's manager has it."""
        return self._map.max_active_sessions

    @property
    def outlive_keeper(self) -> bool:
        """See :meth:`SessionCopies.outlive_keeper`: other nodes have backups."""
        return self._map.has_others

    def rejected(self) -> None:
        """See :meth:`SessionCopies.rejected`."""
        self._map.rejected()

    # -- told by the table ---------------------------------------------------------------------------------------

    def changed(self, record: Record, by: Member | None, *, is_use: bool = True) -> None:
        """See :meth:`SessionCopies.changed`."""
        super().changed(record, by, is_use=is_use)
        if self._reads_whole and by is not MAP:
            self._whole.append(record)

    def ended(self, record: Record, by: Member | None) -> None:
        """See :meth:`SessionCopies.ended`."""
        super().ended(record, by)
        self._outdated.discard(record.key)
        if by is not None and by is not MAP:
            with self.manager.lock:
                grave = self.manager.ledger.grave_of(record.key)
            self._map.ended(record.id, is_idle=grave is not None and bool(grave.access))
        else:
            self._map.held(record.id, False)

    # -- told by the map -----------------------------------------------------------------------------------------

    def take(self, session: MapSession) -> None:
        """This node owns a session: put it into the table, or what is later in it."""
        idle_ms = session.manager.now_ms() - session.last_accessed_time_ms
        shown = self._as_it_is(session.record)
        body = encode_copies([Copy(shown, session.creation_time_ms, idle_ms, session.is_new)])
        self.manager.message_data_received(SessionMessage(EVT_LEDGER, self.manager.name, body, None, None), MAP)
        record = self._record(session.id)
        if record is not None:
            self._outdated.discard(record.key)

    def _as_it_is(self, record: Record) -> Record:
        """A session of the map as the table takes it: the map decides whether it lives and what its id is.

        A Java node, which sends no versions, gives a session its own route by removing the map's entry and putting
        another one. If the session has ended here meanwhile, it is to the table and the workers, which remember the
        end, another session under the same id.
        """
        table = self.manager
        with table.lock:
            grave, known = table.ledger.graves.get(record.key), table.ledger.addressed(record.id)
            now = table.ledger.clock.tick(table.now_us)
        if grave is not None and grave.holds_against(record.born, record.access):
            self._lives[record.key] = now
            while len(self._lives) > MAX_LIVES:
                del self._lives[next(iter(self._lives))]
        born = max(record.born, self._lives.get(record.key, record.born))
        has_other_id = known is not None and known.id != record.id
        if born == record.born and not has_other_id:
            return record
        shown = Record(record.id, born, record.key)
        shown.learn_names(record.names)
        shown.id_version = now if has_other_id else max(born, record.id_version)
        shown.access, shown.floor = max(born, record.access), record.floor
        shown.versions = {name: max(born, version) for name, version in record.versions.items()}
        shown.values, shown.extras = dict(record.values), dict(record.extras)
        return shown

    def outdate(self, session_id: str) -> None:
        """Another node has taken over a session."""
        record = self._record(session_id)
        if record is None:
            return
        self._outdated.add(record.key)
        for worker in tuple(self._holders.get(record.key, ())):
            self._workers.outdate(worker, self.key, record.key)

    def has(self, session_id: str) -> bool:
        """True when workers have copies of a session."""
        record = self._record(session_id)
        return record is not None and record.key in self._holders

    def is_outdated(self, session_id: str) -> bool:
        """True when another node has taken over a session of which workers have copies."""
        record = self._record(session_id)
        return record is not None and record.key in self._outdated

    def end(self, session_id: str) -> None:
        """A session has ended in the group."""
        record = self._record(session_id)
        session = None if record is None else self.manager.sessions.get(record.id)
        if isinstance(session, DeltaSession):
            session.expire(notify=False, notify_cluster=False)

    # -- who has what --------------------------------------------------------------------------------------------

    def _first_held(self, record: Record) -> None:
        super()._first_held(record)
        self._map.held(record.id, True)

    def _last_gone(self, record: Record) -> None:
        session = self.manager.sessions.get(record.id)
        idle_ms = 0 if session is None else self.manager.now_ms() - session.last_accessed_time_ms
        self._outdated.discard(record.key)
        self.manager.drop(record)
        self._map.held(record.id, False, idle_ms)
