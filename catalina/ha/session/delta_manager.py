"""All-to-all session replication (Tomcat: ha/session/DeltaManager.java)."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute, AttributeRefused
from catalina.errors import CatalinaError, LifecycleError
from catalina.ha.request_deliveries import settle
from catalina.ha.session.cluster_manager_base import UNABLE, ClusterManagerBase
from catalina.ha.session.comparisons import Comparisons
from catalina.ha.session.delta_counters import DeltaCounters
from catalina.ha.session.delta_receiver import DeltaReceiver, WorkerCopies
from catalina.ha.session.delta_request import DeltaAction, serialize
from catalina.ha.session.delta_session import DeltaSession, changes_of
from catalina.ha.session.java_clocks import JavaClocks
from catalina.ha.session.session_message import (
    EVT_CHANGE_SESSION_ID,
    EVT_GET_ALL_SESSIONS,
    EVT_LEDGER,
    EVT_SESSION_ACCESSED,
    EVT_SESSION_CREATED,
    EVT_SESSION_DELTA,
    EVT_SESSION_EXPIRED,
    STAMP,
    SessionMessage,
    encode_message,
    encode_session_id,
    stamp,
)
from catalina.ha.session.state_sender import StateSender
from catalina.ha.session.state_transfer import StateTransfer, get_all_sessions
from catalina.ha.surroundings import PROCESS, Surroundings
from catalina.lifecycle import LifecycleState
from catalina.operations import operation
from catalina.tribes.channel import EVERYTHING, SEND_OPTIONS_ASYNCHRONOUS, SEND_OPTIONS_USE_ACK
from catalina.tribes.ledger.ledger import Ledger
from catalina.tribes.ledger.reconciler import Reconciler
from catalina.tribes.ledger.version import NO_VERSION, VersionClock, life_tag
from catalina.tribes.ledger.wire import encode_question
from catalina.tribes.transport.nio.parallel_nio_sender import keeps_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from catalina.ha.session.cluster_manager_base import CompletedRequest
    from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
    from catalina.session.session import Session
    from catalina.session.standard_session import StandardSession
    from catalina.tribes.channel import Delivery
    from catalina.tribes.ledger.record import Snapshot
    from catalina.tribes.ledger.version import Version
    from catalina.tribes.ledger.wire import Copy
    from catalina.tribes.member import Member

__all__ = ["DeltaManager"]

log = logging.getLogger("org.apache.catalina.ha.session.DeltaManager")

#: A session that is only read reports a use each tenth of its interval, so that no copy believes it idle for longer
#: than that. Tomcat before 10.1.47 waited the whole interval; since then it sends with every request.
ACCESS_FRACTION = 10
#: A member that is announced at this age, or older, did not join just now: it was there and not heard.
REJOIN_ALIVE_MS = 5000
#: Messages of the ledger keep no request waiting, but they are acknowledged: if one is lost, a comparison follows.
_NOTICED = SEND_OPTIONS_ASYNCHRONOUS | SEND_OPTIONS_USE_ACK


def _positive(text: str) -> int:
    if not text.strip().isdecimal() or int(text) <= 0:
        raise AttributeRefused("a positive whole number of sessions")
    return int(text)


#: A session, and the changes of a request in it: as actions, and as changes of its record.
_Told = tuple[DeltaSession, list[DeltaAction], Sequence[tuple[Any, ...]]]


class DeltaManager(DeltaCounters, ClusterManagerBase):
    """All-to-all replication: every node that runs the application has every session, and a request's changes go to all
    nodes.
    """

    expire_sessions_on_shutdown = Attribute(
        bool, False, doc="Expire the sessions in the whole group when the application stops on this node."
    )
    notify_session_listeners_on_replication = Attribute(
        bool,
        True,
        doc="Tell the application's session listeners about sessions that come, go or are renamed elsewhere.",
    )
    notify_container_listeners_on_replication = Attribute(
        bool,
        True,
        doc="Fire changeSessionId at the context's container listeners for changes that come from elsewhere.",
    )
    state_transfer_timeout = Attribute(
        int,
        60,
        unit="seconds",
        doc="How long the start waits for the sessions of the group; -1 for ever, 0 not at all.",
    )
    send_all_sessions = Attribute(
        bool, True, doc="true: send the state as fast as it is acknowledged. false: in blocks with a pause between."
    )
    send_all_sessions_size = Attribute(
        _positive, 1000, unit="sessions", doc="Size of a block, without sendAllSessions."
    )
    send_all_sessions_wait_time = Attribute(
        int,
        2000,
        unit="ms",
        doc="Pause between blocks without sendAllSessions; longer spares the network, delays the start.",
    )
    state_timestamp_drop = Attribute(
        bool, True, inert="versions tell of a message and a state which is the later one, in whatever order they come"
    )
    resync_on_rejoin = Attribute(
        bool,
        True,
        doc="Beyond Tomcat: compare sessions with a member that turns up late (after a cut link, or unheard at the "
        "start) or has missed messages, and now and then with every member; the later change of each attribute holds.",
    )
    enable_statistics = Attribute(bool, True, doc="Count the messages sent and received by kind.")

    sends_as_one = True
    #: Makes the bytes of its messages.
    encode_message = staticmethod(encode_message)

    def __init__(self, surroundings: Surroundings = PROCESS, **values: Any) -> None:
        super().__init__(surroundings, **values)
        self.sent: Counter[int] = Counter()
        self.received: Counter[int] = Counter()
        self.session_replace_counter = 0
        self.state_transferred = False
        self.no_context_manager_received = False
        #: Guards the ledger, its reconciler and the Java nodes' clocks, which requests, the loop and the background
        #: tick use from different threads. Nobody calls a listener or sends under it.
        self.lock = threading.RLock()
        self.ledger = Ledger(VersionClock(life_tag(surroundings.random_bytes(16), 0)))
        self.reconciler = Reconciler(self.ledger)
        self.java_clocks = JavaClocks()
        self.comparisons = Comparisons(self)
        self.receiver = DeltaReceiver(self)
        self.transfer = StateTransfer(self)
        self.state_sender = StateSender(self)
        #: In a keeper: which worker of this node has copies of which sessions.
        self.copies: WorkerCopies | None = None
        self._stopping = False
        #: During a reload, the sessions of the old classes, whose records stay in the ledger.
        self._kept: list[DeltaSession] = []

    # -- changes of this node -------------------------------------------------------------------------------------

    @property
    def now_us(self) -> int:
        """This node's clock in microseconds, for versions."""
        return int(self._clock() * 1_000_000)

    def new_session(self, session_id: str) -> DeltaSession:
        """An empty replicated session that no other node knows yet."""
        with self.lock:
            record = self.ledger.create(session_id, self.now_us)
        return DeltaSession(self, session_id, self.now_ms(), record)

    def create_session(self, session_id: str | None = None) -> StandardSession:
        """Make a session here and on every other node.

        Raises:
            TooManyActiveSessionsError: maxActiveSessions is reached.
        """
        with self.lock:
            if session_id is not None and self.ledger.addressed(session_id) is not None:
                session_id = None  # the id belongs to another session, perhaps under another route
        session = super().create_session(session_id)
        if isinstance(session, DeltaSession):
            created_ms = session.creation_time_ms
            self._tell(
                EVT_SESSION_CREATED, session.id, stamp(session.record.born), f"{session.id}-{created_ms}", created_ms
            )
        return session

    def serves(self, session: StandardSession) -> bool:
        """See :meth:`ManagerBase.serves`. In a keeper ``is_primary`` says that no worker has the session."""
        return super().serves(session) or (
            self.copies is not None and isinstance(session, DeltaSession) and self.copies.serves(session.record)
        )

    def change_session_id(self, session: StandardSession, new_id: str | None = None) -> str:
        """Give the session another id on every node; returns the id."""
        old_id = session.id
        new_id = super().change_session_id(session, new_id)
        if isinstance(session, DeltaSession):
            session.is_primary = True
            with self.lock:
                version = self.ledger.rename(session.record, new_id, self.now_us)
            if self.copies is not None:
                self.copies.changed(session.record, None)
            body = encode_session_id(new_id) + stamp(version)
            now_ms = self.now_ms()
            self._tell(EVT_CHANGE_SESSION_ID, old_id, body, f"{old_id}-{now_ms}", now_ms)
        return new_id

    def moved_to(self, session_id: str) -> str | None:
        """The present id of a session whose route has changed; None when there is no such session.

        An id that was changed for another reason (a login) is not followed: a client that knows the old id must not get
        in.
        """
        with self.lock:
            record = self.ledger.find(session_id)
        return None if record is None or record.id == session_id else record.id

    def session_expiring(self, session: DeltaSession) -> None:
        """The session is about to end here: send its last changes, so that listeners on the other nodes see its last
        state.
        """
        if session.is_dirty and self.has_members:
            delta = session.take_delta()
            if delta is not None:
                now_ms = self.now_ms()
                self._tell(
                    EVT_SESSION_DELTA,
                    session.id,
                    delta + stamp(session.record.access),
                    f"{session.id}-{now_ms}",
                    now_ms,
                )

    def end_copy(self, session: DeltaSession) -> None:
        """See :meth:`ClusterManagerBase.end_copy`. A worker of this node ends what it serves, and tells the group."""
        if self.copies is None or not self.copies.serves(session.record):
            super().end_copy(session)

    def tells_end(self, session: DeltaSession) -> bool:
        """See :meth:`ClusterManagerBase.tells_end`; a keeper has no listeners, and has a worker tell."""
        if self.copies is not None:
            self.copies.ending(session)
        return True

    def session_expired(self, session: DeltaSession, *, is_idle: bool, tell: bool) -> None:
        """The session has ended here: end it on the other nodes."""
        record = session.record
        with self.lock:
            if (self._stopping and not tell) or self.ledger.addressed(record.key) is not record:
                return  # the others keep it, or it ended elsewhere and the ledger knows that
            grave = self.ledger.end(record, self.now_us, self.monotonic(), is_idle)
        if self.copies is not None:
            self.copies.ended(record, None)
        if tell:
            body = stamp(grave.version, grave.access or NO_VERSION)
            self._tell(EVT_SESSION_EXPIRED, session.id, body, f"{session.id}-EXPIRED-MSG", self.now_ms())

    def commit(self, session: DeltaSession, changes: Sequence[tuple[Any, ...]]) -> Version:
        """Enter the changes of a request into a session's record; returns the version of the change."""
        with self.lock:
            return self.ledger.change(session.record, changes, self.now_us)

    @property
    def answers_wait(self) -> bool:
        """False with asynchronous channelSendOptions."""
        return self.cluster is None or not self.cluster.channel_send_options & SEND_OPTIONS_ASYNCHRONOUS

    def request_completed(self, session: Session, request: object) -> Delivery | None:
        """Send the changes of the request, or now and then the use of a session that was only read."""
        members, cluster = self._members, self.cluster
        told: list[_Told] = []
        now_ms = self.now_ms()
        self._take_from(session, told, now_ms)
        messages = self._messages_of(told, bool(members), now_ms)
        if not messages or cluster is None:
            return None
        return cluster.post_all(messages, members)

    def requests_completed(self, entries: Sequence[CompletedRequest]) -> None:
        """Send the changes of all requests of a round; their messages go through the channel as one."""
        members, now_ms = self._members, self.now_ms()
        told: list[_Told] = []
        delivery = None
        take_from = self._take_from
        for session, _, _ in entries:
            try:
                take_from(session, told, now_ms)
            except BaseException as error:
                log.exception(UNABLE)
                self.not_replicated(error)
        try:
            messages = self._messages_of(told, bool(members), now_ms)
            if messages and self.cluster is not None:
                delivery = self.cluster.post_all(messages, members)
        except BaseException as error:
            log.exception(UNABLE)
            self.not_replicated(error)
        held = {each for _, _, each in entries if each is not None}
        if held:
            settle(held, () if delivery is None else (delivery,))

    def _take_from(self, session: Session, told: list[_Told], now_ms: int) -> None:
        """Add the changes of a request in a session, or its use, if the other nodes must hear of them."""
        if isinstance(session, DeltaSession) and session.alive:
            actions = session.take_actions()
            if actions or not session.is_primary or self._must_tell_access(session, now_ms):
                told.append((session, actions, changes_of(actions)))

    def _messages_of(self, told: Sequence[_Told], has_members: bool, now_ms: int) -> list[tuple[bytes, str]]:
        """Enter the changes into the records, and make the messages about them, each with its key.

        A change gets its version even without members, because a member that was only out of sight has changes, too.
        """
        with self.lock:
            versions = self.ledger.change_all(
                [(session.record, changes) for session, _, changes in told], now_ms * 1000
            )
        messages: list[tuple[bytes, str]] = []
        name, record_all, encode = self.name, self.record_all_actions, self.encode_message
        for (session, actions, _), version in zip(told, versions, strict=True):
            session.is_primary = True
            session.last_replicated_ms = now_ms
            if not has_members:
                continue
            session_id = session.id
            if actions:
                event, body = EVT_SESSION_DELTA, serialize(session_id, record_all, actions) + STAMP + version
            else:
                event, body = EVT_SESSION_ACCESSED, STAMP + version
            messages.append((encode(event, name, body, session_id, session_id, now_ms), session_id))
        if messages and self.enable_statistics:
            deltas = sum(1 for _, actions, _ in told if actions)
            self.sent[EVT_SESSION_DELTA] += deltas
            self.sent[EVT_SESSION_ACCESSED] += len(messages) - deltas
        return messages

    def _must_tell_access(self, session: DeltaSession, now_ms: int) -> bool:
        interval = session.max_inactive_interval
        return interval > 0 and now_ms - session.last_replicated_ms > interval * 1000 // ACCESS_FRACTION

    @property
    def _members(self) -> Sequence[Member]:
        """The receivers of messages."""
        cluster = self.cluster
        return cluster.members if cluster is not None else ()

    @property
    def has_members(self) -> bool:
        """True when there is any receiver."""
        return bool(self._members)

    def _tell(
        self,
        event: int,
        session_id: str,
        body: bytes | None,
        unique_id: str,
        now_ms: int,
    ) -> Delivery | None:
        members, cluster = self._members, self.cluster
        if cluster is None or not members:
            return None
        if self.enable_statistics:
            self.sent[event] += 1
        # A changed id concerns two sessions; messages about the new id must not arrive before it.
        key = EVERYTHING if event == EVT_CHANGE_SESSION_ID else session_id
        data = self.encode_message(event, self.name, body, session_id, unique_id, now_ms)
        return cluster.post_bytes(data, members, key=key)

    def count_sent(self, event: int) -> None:
        """Count a message of the state transfer."""
        if self.enable_statistics:
            self.sent[event] += 1

    def ledger_message(self, body: bytes) -> bytes:
        """The bytes of a message of the ledger."""
        return self.encode_message(EVT_LEDGER, self.name, body, "LEDGER", "LEDGER", self.now_ms())

    def post_ledger(self, body: bytes, member: Member, options: int = _NOTICED) -> Delivery | None:
        """Send a message of the ledger to a node of this software."""
        cluster = self.cluster
        if cluster is None:
            return None
        self.count_sent(EVT_LEDGER)
        if self.copies is not None and self.copies.post(member, body):
            return None
        return cluster.post_bytes(self.ledger_message(body), (member,), options, key=EVERYTHING, even_silent=True)

    def admit(self, copies: Sequence[Copy[Snapshot]]) -> Sequence[Copy[Snapshot]]:
        """Those of a peer's copies that this node takes: all."""
        return copies

    def member_added(self, member: Member) -> None:
        """A new member: compare sessions with it, unless it has just started and will ask by itself.

        A member that has been running knows what this node has missed, and the other way round. It may notice this node
        a while later than the reverse; then it compares, too.
        """
        if not self.resync_on_rejoin or self.state is not LifecycleState.STARTED:
            return
        if keeps_order(member):
            self.comparisons.due(member, at_once=member.alive_ms >= REJOIN_ALIVE_MS)
        elif member.alive_ms >= REJOIN_ALIVE_MS and self.cluster is not None:
            log.info("Manager [%s], requesting the sessions that [%s] may have and this node has not",
                     self.name, member.name)  # fmt: skip
            self.cluster.post(get_all_sessions(self.name, self.now_ms()), member, SEND_OPTIONS_ASYNCHRONOUS)
            self.count_sent(EVT_GET_ALL_SESSIONS)

    def member_missed_messages(self, member: Member) -> None:
        """Compare sessions with a member whose copies may be stale. A Java member is not told again, because it cannot
        compare.
        """
        if self.resync_on_rejoin and self.state is LifecycleState.STARTED and keeps_order(member):
            log.info("Manager [%s]: [%s] has missed messages; the sessions are compared", self.name, member.name)
            self.comparisons.due(member)

    def stood_still(self) -> Callable[[], bool] | None:
        """This node stood still, and the others may have passed it over: compare sessions with each of them. In the
        runner.
        """
        if not self.resync_on_rejoin or self.state is not LifecycleState.STARTED:
            return None
        members = [member for member in self._members if keeps_order(member)]
        for member in members:
            self.comparisons.due(member)
        return lambda: not any(self.comparisons.is_due(member) for member in members)

    # -- changes of other nodes: in the thread that reads the group's messages -----------------------------------

    def message_data_received(self, message: SessionMessage, sender: Member) -> None:
        """Handle a message for this manager."""
        if self.enable_statistics:
            self.received[message.event] += 1
        self.receiver.apply(message, sender)

    # -- lifecycle -----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        super()._start()
        self._stopping = False
        self.state_sender.start()
        self._take_back()
        cluster = self.cluster
        if cluster is None:
            raise LifecycleError(f"Starting... no cluster associated with this context: [{self.name}]")
        if cluster.channel is not None:  # else it only keeps the sessions of this node's workers
            self._say_registered(cluster)
            self.get_all_cluster_sessions()

    def _say_registered(self, cluster: SimpleTcpCluster) -> None:
        log.info("Register manager [%s] to cluster element [%s] with name [%s]",
                 self.name, "Engine" if cluster.under_engine else "Host", cluster.name)  # fmt: skip
        log.info("Starting clustering manager at [%s]", self.name)

    def _take_back(self) -> None:
        """After a reload, show the remaining records as sessions of the application's new classes."""
        for old in self._kept:
            with self.lock:
                is_there = self.ledger.addressed(old.record.key) is old.record
            if not is_there:
                continue
            now_ms = self.now_ms()
            session = DeltaSession(self, old.record.id, now_ms, old.record)
            session.adopt(now_ms, old.creation_time_ms, old.idle_ms(), old.is_new)
            session.is_primary = old.is_primary
            self.add(session)
        self._kept.clear()

    @operation
    def expire_all_local_sessions(self) -> None:
        """End every session that this node was the last to use."""
        for session in self.find_sessions():
            if session.is_primary:
                session.expire()

    @operation
    def reset_statistics(self) -> None:
        """Start to count anew."""
        self.sent.clear()
        self.received.clear()
        self.session_replace_counter = self.session_counter = self.expired_sessions = self.rejected_sessions = 0
        self.processing_time = 0

    @operation
    def get_all_cluster_sessions(self) -> None:
        """Get the sessions that other nodes have; the application starts when they have come."""
        if not self.has_members:
            log.info("Manager [%s]: skipping state transfer. No members active in cluster group.", self.name)
            return
        self.transfer.fetch()

    @property
    def state_progress(self) -> tuple[int, int] | None:
        """As its base says."""
        transfer = self.transfer
        return (transfer.received, transfer.expected) if transfer.is_waiting else None

    def _stop(self) -> None:
        self._stopping = True
        self.transfer.stop()
        self.state_sender.stop()
        self.comparisons.clear()
        if self.context is not None and self.context.paused:
            self._keep_sessions()
        else:
            log.info("Manager [%s] expiring sessions upon shutdown", self.name)
            self._expire_all()
            with self.lock:
                self.ledger.clear()
        if self.cluster is not None:
            self.cluster.remove_manager(self)
        super()._stop()

    def _keep_sessions(self) -> None:
        for session in self.find_sessions():
            if isinstance(session, DeltaSession) and session.is_valid:
                session.passivate()
                session.take_delta()  # changes made by passivation belong into the record
                self._kept.append(session)
        self.sessions.clear()

    def _expire_all(self) -> None:
        for session in self.find_sessions():
            if not isinstance(session, DeltaSession) or not session.is_valid:
                continue
            try:
                session.expire(notify_cluster=self.expire_sessions_on_shutdown)
            except CatalinaError:
                log.exception("Session [%s] could not be expired at the stop of [%s]", session.id, self.name)

    def background_process(self) -> None:
        """Expire sessions, forget messages that came too early and too long ago, and compare with other nodes."""
        super().background_process()
        self.surroundings.steady.follow()
        with self.lock:
            lost = 0 if self.transfer.is_waiting else self.ledger.forget(self.monotonic())
        if lost:
            log.debug("Manager [%s]: %d messages were about sessions that never came", self.name, lost)
        if self.resync_on_rejoin:
            self.comparisons.tick()

    def ask_about(self, session: DeltaSession) -> None:
        """Ask the other nodes before a session ends of which no node has reported a use for long."""
        for member in self._members:
            if keeps_order(member):
                self.post_ledger(encode_question(session.id), member)
