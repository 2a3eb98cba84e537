"""The session manager of an application in a worker."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from catalina.errors import TooManyActiveSessionsError
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.delta_receiver import DeltaReceiver
from catalina.ha.session.delta_session import STAYS_HERE, DeltaSession
from catalina.ha.session.session_message import EVT_LEDGER, SessionMessage
from catalina.tribes.ledger.record import Record, Snapshot, bare_id
from catalina.tribes.ledger.wire import Copies, Copy, decode, encode_question
from catalina.workers import frames
from catalina.workers.keeper_queries import KeeperGoneError
from catalina.workers.peers import KEEPER

if TYPE_CHECKING:
    from catalina.errors import NotReplicableError
    from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
    from catalina.session.standard_session import StandardSession
    from catalina.tribes.io.java import EncodedValue
    from catalina.workers.keeper_queries import Answer

__all__ = ["WorkerManager"]

log = logging.getLogger("org.apache.catalina.workers.WorkerManager")

#: A worker drops its copy of a session after this number of milliseconds without a request; the keeper has the session.
IDLE_MS = 60_000
#: Characters of the longest id for which a worker asks the keeper. Ids of ours have 32 characters and a route.
MAX_ID = 512


class Keeper(Protocol):
    """The additional part of its cluster that this manager needs: the way to the keeper, which has all sessions."""

    #: Bare ids of sessions of which another worker has a copy.
    shared: set[str]

    @property
    def channel_send_options(self) -> int: ...

    def ask(self, question: bytes, *, may_go: bool = False) -> Answer: ...

    def forget(self, sessions: Sequence[tuple[str, int]]) -> None: ...

    def join(self, manager: WorkerManager) -> None: ...

    def may_make_session(self) -> bool: ...

    def may_tell_end(self, session_id: str) -> bool: ...

    def listen(self) -> None: ...

    def leave(self, sessions: Sequence[str], messages: Sequence[bytes]) -> None: ...

    def left(self) -> Sequence[str]: ...

    def taken_up(self) -> None: ...

    def may_forget(self, sessions: Sequence[str]) -> set[str]: ...

    def remove_manager(self, manager: WorkerManager) -> None: ...


class WorkerManager(DeltaManager):
    """Has the sessions that its worker serves, and gets others from the keeper when requests need them.

    To the keeper this manager is what a node is to another node: it posts changes with versions, and takes the changes
    of others for the sessions that it has.
    """

    cluster: Keeper  # type: ignore[assignment]  # the part of a cluster that a manager needs
    encode_message = staticmethod(frames.encode_message)

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.resync_on_rejoin = False  # the keeper has every session, a worker has a few
        #: Lets one thread at a time load a session: a session must not come twice.
        self._loading = threading.Lock()
        #: The bare id that is being loaded; empty for none.
        self._wanted = ""
        #: Keys of sessions that another node has taken over: no further request may use the copy here.
        self._outdated: set[str] = set()
        self._has_local_values = False
        #: Called when the next keeper has the sessions of this manager.
        self._given: Callable[[], None] | None = None
        #: A change that another worker has made was told there already. Another node's is told where the keeper says.
        self.receiver = DeltaReceiver(self, tells=False)
        self._telling_receiver = DeltaReceiver(self, tells=True)
        #: The keeper knows that listeners, or values, want to hear of the ends of sessions.
        self._listens = False

    @property
    def answers_wait(self) -> bool:
        """Always True: an answer waits until the death of this process can no longer lose what the request changed."""
        return True

    # -- sessions that are not here ------------------------------------------------------------------------------

    def find_session(self, session_id: str) -> StandardSession | None:
        """The session of that id, from the keeper when it is not here; None when nobody knows it.

        Raises:
            KeeperGoneError: nobody can say.
        """
        session = self.sessions.get(session_id)
        if session is None or (self._outdated and self._is_outdated(session)):
            self._load(session_id)
            session = self.sessions.get(session_id)
        return session

    def _is_outdated(self, session: StandardSession) -> bool:
        return isinstance(session, DeltaSession) and session.record.key in self._outdated

    def locate(self, session_id: str) -> int | None:
        """The worker to which a request shall go whose session is not here; None to serve the request here: the session
        is then here, or nobody knows it. Raises KeeperGoneError.
        """
        return self._load(session_id, may_go=True)

    def moved_to(self, session_id: str) -> str | None:
        """See :meth:`DeltaManager.moved_to`; the session may be with the keeper."""
        with self.lock:
            is_known = self.ledger.find(session_id) is not None
        if not is_known:
            self._load(session_id)
        return super().moved_to(session_id)

    def create_session(self, session_id: str | None = None) -> StandardSession:
        """A new session, here and at the keeper. Raises TooManyActiveSessionsError."""
        if session_id is not None:
            self.moved_to(session_id)  # it may be another session's
        if self.max_active_sessions >= 0 and not self.cluster.may_make_session():
            self.rejected_sessions += 1
            raise TooManyActiveSessionsError(self.max_active_sessions)
        return super().create_session(session_id)

    def _load(self, session_id: str, *, may_go: bool = False) -> int | None:
        if not self.state.available or not 0 < len(session_id) <= MAX_ID:
            return None
        return self._fetch(session_id, may_go=may_go)

    def _fetch(self, session_id: str, *, may_go: bool = False) -> int | None:
        question = encode_question(session_id)
        with self._loading:
            session = self.sessions.get(session_id)
            if session is not None and not self._is_outdated(session):
                return None
            self._wanted = bare_id(session_id)
            try:
                answer = self.cluster.ask(question, may_go=may_go)
                if answer.is_shared:
                    self.share(self._wanted)
                if isinstance(session, DeltaSession):
                    self._renewed(session, bool(answer.message))
                if answer.message:
                    self.receiver.apply(SessionMessage(EVT_LEDGER, self.name, answer.message, None, None), KEEPER)
            finally:
                self._wanted = ""
        return answer.worker

    def _renewed(self, session: DeltaSession, is_known: bool) -> None:
        """The keeper has answered about a session that another node had taken over; if ``is_known`` is False, nobody
        knows the session any more.
        """
        self._outdated.discard(session.record.key)
        if not is_known:
            self._drop(session)

    def _drop(self, session: DeltaSession) -> None:
        with self.lock:
            self.sessions.pop(session.id, None)
            self.ledger.drop(session.record)
        self._outdated.discard(session.record.key)
        self.cluster.shared.difference_update(session.record.names)

    # -- values that stay in this worker -------------------------------------------------------------------------

    def cannot_set(self, name: str, error: NotReplicableError) -> None:
        """A value that cannot travel stays in this worker, unless the application is distributable.

        Raises:
            NotReplicableError: it is.
        """
        if self.must_travel:
            raise error
        self._note_local(error)

    def cannot_travel(self, session: DeltaSession, name: str, error: NotReplicableError) -> EncodedValue | None:
        """The keeper loses the value that it had in its place."""
        if self.must_travel:
            return super().cannot_travel(session, name, error)
        self._note_local(error)
        return STAYS_HERE if name in session.record.values else None

    def _note_local(self, error: NotReplicableError) -> None:
        if not self._has_local_values:
            self._has_local_values = True
            log.warning(
                "Manager [%s]: a value of a session stays in its worker and is lost with it: %s. This is said once",
                self.name, error,
            )  # fmt: skip

    # -- the keeper ----------------------------------------------------------------------------------------------

    def hear(self, message: SessionMessage, *, tells: bool = False) -> None:
        """A message of the keeper about a session that this worker has. In the runner.

        Args:
            tells: this worker tells its listeners.
        """
        (self._telling_receiver if tells else self.receiver).apply(message, KEEPER)

    # -- listeners -----------------------------------------------------------------------------------------------

    def end_copy(self, session: DeltaSession) -> None:
        """End a session that another worker served, for all: that worker may be gone. A later use elsewhere holds."""
        session.expire(is_idle=True)

    def tells_end(self, session: DeltaSession) -> bool:
        """See :meth:`ClusterManagerBase.tells_end`."""
        if not self._listens and session.record.key not in self.cluster.shared:
            return True
        return self.cluster.may_tell_end(session.id)

    def tell_ends(self, messages: Sequence[bytes]) -> None:
        """Tell the listeners, and the values, that sessions have ended of which no worker had a copy.

        Raises:
            ProtocolError: a message is none.
        """
        for message in messages:
            found, _ = decode(message)
            for copy in found.copies if isinstance(found, Copies) else ():
                record = Record(copy.snapshot.id, copy.snapshot.born, copy.snapshot.key)
                record.merge(copy.snapshot)
                now_ms = self.now_ms()
                session = DeltaSession(self, record.id, now_ms, record)
                session.adopt(now_ms, copy.created_ms, copy.idle_ms, copy.is_new)
                for name in session.attribute_names():
                    session.get_attribute(name)  # only a value that is an object hears of its end
                session.expire(notify_cluster=False)

    def _let_values_listen(self, sessions: Iterable[StandardSession]) -> None:
        """This worker leaves these sessions to the keeper, which must know whether their values hear of the end."""
        if not self._listens and any(map(_has_listening_values, sessions)):
            self._listen()

    def _listen(self) -> None:
        self._listens = True
        try:
            self.cluster.listen()
        except KeeperGoneError as error:
            log.warning("Manager [%s]: listeners hear of the sessions of this worker only: %s", self.name, error)

    def share(self, name: str) -> None:
        """Another worker has a copy of a session, too."""
        with self.lock:
            record = self.ledger.addressed(name)
        self.cluster.shared.update({name} if record is None else {name, *record.names})

    def outdate(self, name: str) -> None:
        """Another node has taken over a session."""
        with self.lock:
            record = self.ledger.addressed(name)
        session = None if record is None else self.sessions.get(record.id)
        if isinstance(session, DeltaSession):
            session.is_primary = False
            self._outdated.add(session.record.key)

    def admit(self, copies: Sequence[Copy[Snapshot]]) -> Sequence[Copy[Snapshot]]:
        """Keep only the messages about sessions that are here or are being loaded. If a session has just been dropped,
        the keeper may have shown a change of it before it heard of that, and will not show the changes that follow.
        """
        wanted = self._wanted
        with self.lock:
            return [
                copy
                for copy in copies
                if self.ledger.addressed(copy.snapshot.key) is not None or wanted in copy.snapshot.names
            ]

    def give_all(self, given: Callable[[], None]) -> None:
        """A new keeper is there: give it the sessions that this worker has, and the ends that it knows.

        Args:
            given: called in another thread when all is on its way.
        """
        if self._listens:
            self._listen()
        with self.lock:
            records, ended = list(self.ledger), list(self.ledger.graves)
        self._given = given
        self.state_sender.stream(KEEPER, records, ended, ())
        self.state_sender.then(KEEPER, self._all_given)

    def _all_given(self) -> None:
        with self.lock:
            given, self._given = self._given, None
        if given is not None:
            given()

    def _start(self) -> None:
        self.cluster.join(self)
        super()._start()
        listeners = self.listeners
        if listeners.session_destroyed or listeners.session_attribute_removed:
            self._listen()
        self._take_up()

    def _take_up(self) -> None:
        """Get the sessions back that were here before a reload: the next keeper may need them."""
        for session_id in self.cluster.left():
            try:
                self._fetch(session_id)
            except KeeperGoneError as error:
                log.warning("Manager [%s]: sessions are left to the next keeper: %s", self.name, error)
                return
        self.cluster.taken_up()

    def _say_registered(self, cluster: SimpleTcpCluster) -> None:
        """Nothing: the keeper says it, once for the node."""

    def get_all_cluster_sessions(self) -> None:
        """Nothing: sessions come when they are asked for."""

    # -- lifecycle -----------------------------------------------------------------------------------------------

    def background_process(self) -> None:
        """Expire sessions whose time is up, and drop copies that nobody uses."""
        super().background_process()
        self._drop_idle()

    def _drop_idle(self) -> None:
        now_ms = self.now_ms()
        found = [each for each in self.find_sessions() if isinstance(each, DeltaSession) and self._may_go(each, now_ms)]
        idle = [session.id for session in found if not self._is_outdated(session)]
        if not found or not self.state.available:
            return
        try:
            allowed = self.cluster.may_forget(idle) if idle else set()
        except KeeperGoneError:
            return  # the next keeper needs them
        dropped: list[tuple[str, int]] = []
        for session in found:
            # A request may have come since the keeper was asked.
            if (session.id in allowed or self._is_outdated(session)) and self._may_go(session, now_ms):
                self._drop(session)
                dropped.append((session.id, now_ms - _last_used_ms(session)))
        if dropped:
            self._let_values_listen(found)
        if dropped:
            log.debug("Manager [%s]: [%d] sessions are left to the keeper", self.name, len(dropped))
            self.cluster.forget(dropped)

    def _may_go(self, session: DeltaSession, now_ms: int) -> bool:
        """True for a copy that nobody uses, or that is outdated, and that says no more than the keeper's."""
        if session.is_in_use or not session.alive or session.is_dirty or session.has_local_values:
            return False
        return now_ms - _last_used_ms(session) >= IDLE_MS or self._is_outdated(session)

    def _stop(self) -> None:
        """Drop only this worker's copies: the sessions live on with the keeper.

        After a reload the worker has them again, as they are then: values become objects of the new code, and no change
        of another worker is missed.
        """
        self._stopping = True
        self.transfer.stop()
        self.state_sender.stop()
        self.comparisons.clear()
        self._let_values_listen(self.sessions.values())
        self.cluster.remove_manager(self)
        now_ms = self.now_ms()
        dropped = [(each.id, now_ms - each.last_accessed_time_ms) for each in self.sessions.values()]
        is_paused = self.context is not None and self.context.paused
        if is_paused:
            self.cluster.leave([session_id for session_id, _ in dropped], self._messages_of_all())
        self.sessions.clear()
        with self.lock:
            self.ledger.clear()
        self.cluster.shared.clear()
        if dropped and not is_paused:
            self.cluster.forget(dropped)
        self._all_given()

    def _messages_of_all(self) -> list[bytes]:
        """The messages with which the next keeper would get the sessions of this worker, and the ends that it knows."""
        with self.lock:
            records, ended = list(self.ledger), list(self.ledger.graves)
        return [self.ledger_message(body) for body, _ in self.state_sender.bodies(records, ended)]


def _has_listening_values(session: StandardSession) -> bool:
    return isinstance(session, DeltaSession) and any(hasattr(kind, "value_unbound") for kind in session.live_types())


def _last_used_ms(session: DeltaSession) -> int:
    return max(session.last_accessed_time_ms, session.this_accessed_time_ms)
